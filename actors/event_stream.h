// EventStream: what happens to the actors of a system, as messages to whoever has subscribed.
#ifndef TROUPE_ACTORS_EVENT_STREAM_H_
#define TROUPE_ACTORS_EVENT_STREAM_H_

#include <algorithm>
#include <atomic>
#include <concepts>
#include <source_location>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/recipient.h"
#include "troupe/core/mutex.h"

namespace troupe {

// ---- the events; and DeadLetter (dead_letter.h)

// There is a new actor. Before it does anything; of a supervisor's child: when it gets its ref.
struct ActorStarted {
  AnyRef who;
  std::string_view type;  // the class
  std::string name;       // ActorOptions::name
};

// A supervised actor lives again. Before its OnStart.
struct ActorRestarted {
  AnyRef who;
  std::string_view type;
  std::string name;
  ExitReason reason;    // how the life before has ended
  absl::Status status;  // OK unless kFailed
};

// It has ended for good.
struct ActorEnded {
  AnyRef who;
  std::string_view type;
  std::string name;
  ExitReason reason;
  absl::Status status;  // OK unless kFailed
};

// What a supervisor has learnt of a child: its OnStart has returned.
struct ChildStarted {
  AnyRef supervisor;
  AnyRef child;
  std::string_view type;
  std::string name;  // ChildOptions::name
  bool again;        // it has been made anew
};

// Its life has ended, or could not begin: kFailed, with what was thrown. ChildOptions::restart says
// whether there is another one.
struct ChildEnded {
  AnyRef supervisor;
  AnyRef child;
  std::string_view type;
  std::string name;
  ExitReason reason;
  absl::Status status;
};

namespace internal {

template <class M>
inline constexpr bool kIsEvent =
    kIsOneOf<M, ActorStarted, ActorRestarted, ActorEnded, ChildStarted, ChildEnded, DeadLetter>;

template <class Message>
constexpr void RefuseToSubscribe() {
  static_assert(kMessage<Message>, TROUPE_ERROR_NOT_AN_EVENT);
}

bool IsEventName(std::string_view message_type);
bool IsLive(const AnyRef& who);
void PostEvent(const AnyRef& to, Envelope& event);  // never blocks; consumes the event

// Those who have subscribed to one event.
template <class E>
class EventSubscribers {
 public:
  // Relaxed: who subscribes is told of what begins after that, as far as it is known to.
  bool any() const { return any_.load(std::memory_order_relaxed); }

  void Add(const Recipient<E>& subscriber) {
    MutexLock lock(mutex_);
    if (!subscriber || Find(subscriber) != all_.end()) return;
    all_.push_back(subscriber);
    any_.store(true, std::memory_order_relaxed);  // relaxed: a hint; the lock orders the list
  }
  void Remove(const AnyRef& subscriber) {
    MutexLock lock(mutex_);
    if (const auto found = Find(subscriber); found != all_.end()) all_.erase(found);
    any_.store(!all_.empty(), std::memory_order_relaxed);  // relaxed: as in Add
  }
  std::vector<Recipient<E>> all() {
    MutexLock lock(mutex_);
    return all_;
  }

 private:
  auto Find(const AnyRef& who) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return std::find(all_.begin(), all_.end(), who);
  }

  Mutex mutex_;
  std::vector<Recipient<E>> all_ ABSL_GUARDED_BY(mutex_);  // in the order of subscribing
  std::atomic<bool> any_{false};
};

}  // namespace internal

// System::events() and Context::events().
//
//   class Monitor {
//    public:
//     void OnStart(troupe::Context& self) {
//       self.events().Subscribe<troupe::ActorEnded>(self.ref(this));
//       self.events().Subscribe<troupe::DeadLetter>(self.ref(this));
//     }
//     void On(troupe::ActorEnded e) { ... }
//     void On(troupe::DeadLetter letter) { ... }
//   };
//
// An event is an ordinary message without a sender, of which each subscriber gets a copy. To be told
// of one actor's end, Watch it: a Down comes behind all that actor sent, also from another system.
//
// Thread safety  All may be called on any thread.
// Ownership      None: subscribers are held by nobody, and forgotten when they have ended.
// Order          Of one actor: ActorStarted, before it does anything; ActorRestarted, before its
//                OnStart; ActorEnded. Between actors: none, but what follows from that.
// Errors         An event never blocks: a full mailbox does what its WhenFull says, but kBlock
//                refuses. What is lost is counted with the dead letters and told to
//                Options::on_dead_letter, which stands beside all this.
// No loops       A lost event is not published as a DeadLetter, and no subscriber is told of letters
//                that it sent itself. (It is your loop if the handler of ActorStarted spawns actors.)
// Cost           Nobody has subscribed: a load where an actor starts or ends and where a message is
//                lost, nothing anywhere else. Otherwise, for each event, a lock, and a copy and a
//                Send for each subscriber, on the thread on which it happens.
// Lifetime       The System's.
class EventStream {
 public:
  EventStream() = default;
  EventStream(const EventStream&) = delete;
  EventStream& operator=(const EventStream&) = delete;

  // Subscribing twice is subscribing once.
  template <class E>
  void Subscribe(const Recipient<E>& subscriber) {
    if constexpr (internal::kIsEvent<E>) {
      Of<E>().Add(subscriber);
    } else {
      internal::RefuseToSubscribe<E>();
    }
  }
  // What happened before may still come.
  template <class E>
  void Unsubscribe(const AnyRef& subscriber) {
    if constexpr (internal::kIsEvent<E>) {
      Of<E>().Remove(subscriber);
    } else {
      internal::RefuseToSubscribe<E>();
    }
  }

  // ---- for the framework

  template <class E>
  bool Wants() const {
    return std::get<internal::EventSubscribers<E>>(subscribers_).any();
  }
  // Out of memory in here ends the process: it happens where an actor comes or goes.
  template <class E>
  void Publish(const E& event) noexcept {
    for (const Recipient<E>& subscriber : Of<E>().all()) {
      if (!internal::IsLive(subscriber)) {
        Of<E>().Remove(subscriber);
      } else if (!IsAbout(event, subscriber)) {
        auto* e = internal::EnvelopeOf<E>::Make(subscriber.template ThunkOf<E>(), E(event),
                                                std::source_location());
        internal::PostEvent(subscriber, *e);
      }
    }
  }

 private:
  template <class E>
  internal::EventSubscribers<E>& Of() {
    return std::get<internal::EventSubscribers<E>>(subscribers_);
  }
  // See "No loops".
  template <class E>
  static bool IsAbout(const E& event, const AnyRef& subscriber) {
    if constexpr (std::same_as<E, DeadLetter>) {
      return event.sender == subscriber;
    } else {
      return false;
    }
  }

  std::tuple<internal::EventSubscribers<ActorStarted>, internal::EventSubscribers<ActorRestarted>,
             internal::EventSubscribers<ActorEnded>, internal::EventSubscribers<ChildStarted>,
             internal::EventSubscribers<ChildEnded>, internal::EventSubscribers<DeadLetter>>
      subscribers_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_EVENT_STREAM_H_
