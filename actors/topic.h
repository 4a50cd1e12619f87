// Topic<M>: an actor that passes on what is published to whoever has subscribed.
#ifndef TROUPE_ACTORS_TOPIC_H_
#define TROUPE_ACTORS_TOPIC_H_

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <utility>
#include <vector>

#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/send_result.h"

namespace troupe {

// Whether a new subscriber first gets the value that was published last, if there is one.
enum class Retained : uint8_t {
  kSkip,     // only what is published from now on
  kDeliver,  // the last value, and then what is published from now on
};

namespace internal {

template <class Message>
constexpr void RefuseToPublish() {
  static_assert(kMessage<Message>, TROUPE_ERROR_BROADCAST_NOT_COPYABLE);
}

template <class M>
struct Subscription {
  Recipient<M> subscriber;
  Retained retained;
};
struct Cancellation {
  AnyRef subscriber;
};

template <class M>
class TopicActor {
 public:
  TopicActor() {
    if constexpr (!std::copy_constructible<M>) RefuseToPublish<M>();
  }

  void On(M value) {
    // Never blocks: a topic does not wait for its slowest subscriber.
    for (const Recipient<M>& subscriber : subscribers_) Pass(value, subscriber);
    last_.emplace(std::move(value));
  }

  void On(Subscription<M> s, Context& self) {
    if (!s.subscriber) return;
    if (s.retained == Retained::kDeliver && last_.has_value()) Pass(*last_, s.subscriber);
    if (Find(s.subscriber) != subscribers_.end()) return;
    subscribers_.push_back(s.subscriber);
    self.Watch(s.subscriber);
  }

  void On(Cancellation c, Context& self) {
    if (const auto subscriber = Find(c.subscriber); subscriber != subscribers_.end()) {
      subscribers_.erase(subscriber);
      self.Unwatch(c.subscriber);
    }
  }

  void On(const Down& down) {
    if (const auto ended = Find(down.who); ended != subscribers_.end()) subscribers_.erase(ended);
  }

 private:
  static void Pass(const M& value, const Recipient<M>& to) {
    if constexpr (std::copy_constructible<M>) to.TrySend(M(value));  // else refused already
  }
  auto Find(const AnyRef& who) { return std::find(subscribers_.begin(), subscribers_.end(), who); }

  std::vector<Recipient<M>> subscribers_;  // in the order of their subscriptions
  std::optional<M> last_;
};

}  // namespace internal

// SpawnTopic makes one. Publishers and subscribers know the topic, and not each other.
//
//   troupe::Topic<Price> prices = troupe::SpawnTopic<Price>(system);
//   prices.Subscribe(self.ref(this), troupe::Retained::kDeliver);   // in a handler of the subscriber
//   prices.Publish(Price{"TRP", 4200});
//
// Each subscriber gets a copy in its mailbox, as an ordinary message whose sender is the topic. What
// is dear to copy is published as std::shared_ptr<const M>: Topic<std::shared_ptr<const Image>>. The
// topic keeps the last value for later subscribers, so it holds on to that one.
//
// A topic is one actor, through which all that is published goes. To spread work over several
// receivers, or to reach a fixed set of them without a hop, see router.h (Broadcast).
//
// Thread safety  A value: copy it to any thread and use it there.
// Ownership      None, as an ActorRef. The topic lives until it is stopped or its parent ends;
//                subscribers are held by nobody, and forgotten when they end.
// Order          What one sender does to one topic (Publish, Subscribe, Unsubscribe) takes effect in
//                that order, and subscribers get the values of one publisher in the order of
//                publishing. All subscribers get the values in the same order. The retained value
//                comes before all that is published later.
// Errors         A subscriber whose mailbox is full does what its WhenFull says, but kBlock refuses:
//                the topic waits for nobody. What it does not take is a dead letter, with the topic
//                as sender. If copying a value throws, the topic fails.
// Lifetime       Valid while the System lives.
// Cost           Publish: a Send to the topic, and there a copy and a Send for each subscriber.
//                Subscribe and Unsubscribe walk the list of subscribers.
template <class M>
class Topic : public AnyRef {
 public:
  Topic() = default;  // refers to nobody: Publish says kClosed

  // As ActorRef::Send to the topic: kQueued says that the topic will pass it on. A topic with a
  // full bounded mailbox does what its WhenFull says.
  SendResult Publish(M value, std::source_location where = std::source_location::current()) const {
    return actor_.Send(std::move(value), where);
  }

  // Subscribing twice is subscribing once (and asks for the retained value once more).
  SendResult Subscribe(const Recipient<M>& subscriber, Retained retained = Retained::kSkip,
                       std::source_location where = std::source_location::current()) const {
    return actor_.Send(internal::Subscription<M>{subscriber, retained}, where);
  }
  // What was published before the topic learns of it may still come. Does nothing for somebody who
  // has not subscribed.
  SendResult Unsubscribe(const AnyRef& subscriber,
                         std::source_location where = std::source_location::current()) const {
    return actor_.Send(internal::Cancellation{subscriber}, where);
  }

  // A topic is published to by whoever sends to it: for those who shall publish and nothing else,
  // for timers, and to subscribe one topic to another.
  operator Recipient<M>() const { return actor_; }  // NOLINT: implicit by design

  // Ends the topic with kNormal; the subscribers live on.
  void Stop(StopWhen when = StopWhen::kNow) const { actor_.Stop(when); }

  // For the framework.
  explicit Topic(const ActorRef<internal::TopicActor<M>>& actor) : AnyRef(actor), actor_(actor) {}

 private:
  ActorRef<internal::TopicActor<M>> actor_;
};

// `where` is a System or a Context, whose actor is then the topic's parent. A capacity of 0 throws
// std::invalid_argument.
template <class M, class Spawner>
Topic<M> SpawnTopic(Spawner& where, ActorOptions options = {}) {
  return Topic<M>(where.template Spawn<internal::TopicActor<M>>(std::move(options)));
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_TOPIC_H_
