// Process<Ms...>: an actor written from the inside, as one function that receives when it wants to.
//
//   troupe::Task<> Clerk(troupe::Process<Order, Ack>& self, troupe::Recipient<Ship> warehouse) {
//     for (;;) {
//       auto [order, from] = co_await self.Receive<Order>();          // from anyone, with the sender
//       warehouse.Send(Ship{order.item});
//       auto ack = co_await self.ReceiveFrom<Ack>(warehouse);         // from him; others wait
//       if (!ack.ok()) co_return;                                     // he has ended
//     }
//   }
//   ...
//   troupe::ActorRef<troupe::Process<Order, Ack>> clerk = system.Spawn(Clerk, warehouse);
//   clerk.Send(Order{"book"});
//
// It is the process of the textbooks and of Erlang, with selective receive. Take one where what
// comes next depends on what came before: a protocol reads from top to bottom. Where an actor
// answers whatever comes, whenever it comes, handlers say it better.
//
// The body     A function or a lambda without captures that returns Task<>; its first parameter is a
//              Process<...>&, which lists the messages that may be sent to it. Spawn takes the
//              others, which are kept by value. It begins when the actor starts. Whatever
//              troupe/actors/coroutine.h offers can be awaited; messages come in meanwhile.
// Exit         When the body returns the process ends with kNormal; an exception that leaves it ends
//              it with kFailed. One that is stopped is unwound where it waits, its local variables
//              destroyed, innermost first. Messages it has not received then are dead letters
//              (kStopped), and who asked them is told kUnavailable. Stop(kDrained) does not wait for
//              messages that the process has passed over: it comes behind what is in the mailbox,
//              and the process takes out of that all there is.
// Order        A receive takes the oldest message that fits; those it passes over keep their order.
// Capacity     ActorOptions::capacity counts the messages that have not been received, also those
//              that a receive has passed over. With a full mailbox of other messages the one that is
//              waited for cannot come in: WhenFull says what its sender learns. (kBlock can so
//              deadlock.) kDropOldest drops messages that the process has not looked at; if it has
//              looked at all, the new one is dropped, and Send says kDropped.
// Deadlines    The body answers many asks, so its own asks inherit no deadline: ask.h says how they are
//              given that of a Received's `reply`.
// Fairness     A process that finds what it wants in its file goes back to the run loop after every
//              16th message, and its turn ends as that of any other actor.
// Cost         A receive is O(1), however many others wait: no message is looked at twice. One that
//              is waited for when it comes is handed over at once; each other costs 48 bytes and a
//              few hash table operations, and an entry in that table for each sender that has some
//              waiting. tests/bench/micro/processes.cc measures it.
// Threads      The Process& is for the body and the tasks it awaits; it lives as long as they do. Its
//              ref() is for all.
#ifndef TROUPE_ACTORS_PROCESS_H_
#define TROUPE_ACTORS_PROCESS_H_

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/coroutine.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/coroutine_handler.h"
#include "troupe/actors/internal/function_actor.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/message_file.h"
#include "troupe/actors/internal/pending_receive.h"
#include "troupe/actors/received.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/reply.h"

namespace troupe {

template <class... Ms>
class Process;

template <class... Ms>
inline constexpr bool kOutlivesTask<Process<Ms...>&> = true;

namespace internal {

template <class Actor, class Message>
constexpr void RefuseUnlisted() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_PROCESS_LACKS_MESSAGE);
}

template <class M, class... Ms>
inline constexpr bool kIsOnceIn = (0 + ... + std::same_as<M, Ms>) == 1;
template <class... Ms>
inline constexpr bool kIsList =
    sizeof...(Ms) >= 1 && sizeof...(Ms) <= 64 &&
    ((kIsOnceIn<Ms, Ms...> && std::same_as<Ms, std::decay_t<Ms>>) && ...);

// Of several messages, whichever came first.
template <class... Rs>
struct ReceivedOf : std::type_identity<std::variant<Received<Rs>...>> {};
template <class R>
struct ReceivedOf<R> : std::type_identity<Received<R>> {};

template <class P, bool kMayFail, class... Rs>
class ReceiveAwaiter : public PendingReceive {
 public:
  using Value = typename ReceivedOf<Rs...>::type;
  using Result = std::conditional_t<kMayFail, absl::StatusOr<Value>, Value>;
  using PendingReceive::PendingReceive;

  Result await_resume() {
    if constexpr (kMayFail) {
      if (taken().envelope == nullptr) return error();
    }
    return OpenAny<Rs...>();
  }

 private:
  template <class R, class... Others>
  Result OpenAny() {
    if constexpr (sizeof...(Others) != 0) {
      if (taken().kind != P::template kKindOf<R>) return OpenAny<Others...>();
    }
    return Value(Open<R>(*taken().envelope));
  }
};

// The body, from its start to its end.
class BodyRun final : public TaskRun<ReentrantTask<>> {
 public:
  template <class Call>
  BodyRun(const Context& self, Call call) : TaskRun(self, call, /*waits_alone=*/true) {}

 private:
  friend TaskRun;
  void Finish() override {
    task_.TakeResult();
    context().Stop();
  }
};

}  // namespace internal

template <class... Ms>
class Process {
 public:
  // Waits for a message of one of the types Rs (of any that the process lists, if none is named), from
  // anyone. Yields a Received<R>; of several types, a std::variant of the Received of each.
  //
  //   auto [order, from] = co_await self.Receive<Order>();
  //   auto [question, from, reply] = co_await self.Receive<Question>();   // has a Reply
  //   std::variant<Received<Order>, Received<Cancel>> next = co_await self.Receive<Order, Cancel>();
  template <class... Rs>
  [[nodiscard]] auto Receive() {
    return Await<false, Rs...>({.kinds = Kinds<Rs...>()});
  }
  // Waits no longer than `timeout`; yields an absl::StatusOr of the same, kDeadlineExceeded if nothing
  // came. Zero looks at what has come by now. A message is either yielded or still there for the next
  // receive.
  template <class... Rs>
  [[nodiscard]] auto Receive(absl::Duration timeout) {
    return Await<true, Rs...>({.kinds = Kinds<Rs...>(), .timeout = timeout});
  }

  // The same, from `who` only. Yields an absl::StatusOr: kUnavailable if `who` has ended and nothing
  // that he sent is left, which is known at once. AnyRef() is who has no name, the plain threads: what
  // they have sent is taken, but they are not waited for.
  //
  // A process that waits for somebody watches him from then on. If it lists Down it gets his, too.
  template <class... Rs>
  [[nodiscard]] auto ReceiveFrom(const AnyRef& who,
                                 absl::Duration timeout = absl::InfiniteDuration()) {
    return Await<true, Rs...>(
        {.kinds = Kinds<Rs...>(), .timeout = timeout, .from_anyone = false, .from = who});
  }

  // This process, to give to others.
  ActorRef<Process> ref() { return ActorRef<Process>(context().self()); }
  // Timers, children, Watch and all else that an actor can do. A process that watches is told of ends
  // if it lists Down among its messages; and only so: unlike other actors it does not end with whom
  // it watches. With whom it is linked (Context::Link) it does, unless it lists Down.
  Context& context() { return run_->context(); }

  // ---- for the framework

  template <class Body, class... Args>
    requires std::is_invocable_r_v<Task<>, Body&, Process&, Args...>
  explicit Process(Body body, Args&&... args)
      : inbox_(kinds_.data(), kAll, &IsExpired), body_(body(*this, std::forward<Args>(args)...)) {
    static_assert(internal::kIsList<Ms...>,
                  "Troupe: a Process lists one to 64 types of messages, each of them once and by "
                  "value.");
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void OnStart(Context& self) {
    inbox_.Open();
    auto* run = new internal::BodyRun(
        self, [this](Context&) { return ReentrantTask<>(*std::move(body_)); });
    run_ = run;
    internal::BodyRun::Begin(run);
  }
  void On(Down down) {
    const AnyRef who = down.who;
    if constexpr (kLists<Down>) {
      auto* e =
          internal::EnvelopeOf<Down>::Make(&File<Down>, std::move(down), std::source_location());
      e->sender = who;
      e->address = internal::kExempt;
      inbox_.Arrive(*e, kKindOf<Down>);
    }
    inbox_.Ended(who);
  }
  void OnStop() { inbox_.LoseAll(); }

  template <class M>
  static constexpr bool kLists = internal::kIsOneOf<M, Ms...>;
  template <class M>
  static constexpr uint32_t kKindOf = internal::IndexOf<M, Ms...>();
  static constexpr bool kEndsWithLinks = !kLists<Down>;

  template <class M>
  static void File(internal::Envelope& e, internal::Delivery& d) {
    if (d.verb != internal::Delivery::Verb::kHandle) [[unlikely]] {
      return static_cast<internal::EnvelopeOf<M>&>(e).Lose(d);
    }
    static_cast<Process*>(d.actor)->inbox_.Arrive(e, kKindOf<M>);
  }

 private:
  static constexpr uint64_t kAll = ~uint64_t{0} >> (64 - sizeof...(Ms)) % 64;

  template <class M>
  static constexpr uint64_t Bit() {
    if constexpr (kLists<M>) {
      return uint64_t{1} << kKindOf<M>;
    } else {
      internal::RefuseUnlisted<Process, M>();
      return 0;
    }
  }
  template <class... Rs>
  static constexpr uint64_t Kinds() {
    return sizeof...(Rs) == 0 ? kAll : (uint64_t{0} | ... | Bit<Rs>());
  }

  template <bool kMayFail, class... Rs>
  auto Await(const internal::PendingReceive::Wish& wish) {
    if constexpr (sizeof...(Rs) == 0) {
      return internal::ReceiveAwaiter<Process, kMayFail, Ms...>(inbox_, wish);
    } else {
      return internal::ReceiveAwaiter<Process, kMayFail, Rs...>(inbox_, wish);
    }
  }

  template <class M>
  static bool IsExpiredOf(const internal::Envelope& e) {
    if constexpr (internal::Askable<M>) {
      return static_cast<const internal::EnvelopeOf<M>&>(e).reply.expired();
    } else {
      return false;
    }
  }
  static bool IsExpired(const internal::Envelope& e, uint32_t kind) {
    static constexpr std::array<bool (*)(const internal::Envelope&), sizeof...(Ms)> kOf{
        &IsExpiredOf<Ms>...};
    return kOf[kind](e);
  }

  std::array<internal::MessageFile::Kind, sizeof...(Ms)> kinds_;
  internal::ProcessInbox inbox_;
  std::optional<Task<>> body_;        // until it starts
  internal::BodyRun* run_ = nullptr;  // then
};

namespace internal {

template <class... Ms>
struct ThunksOf<Process<Ms...>> {
  template <class M>
  static constexpr Thunk For() {
    using P = Process<Ms...>;
    if constexpr (!Movable<M>) {
      Refuse<P, M>();
    } else if constexpr (P::template kLists<M>) {
      return &P::template File<M>;
    } else {
      RefuseUnlisted<P, M>();
    }
    return nullptr;
  }
};

template <class R, class... Ms, class... Rest>
struct ProcessFor<R (*)(Process<Ms...>&, Rest...)> : std::type_identity<Process<Ms...>> {};
template <class R, class... Ms, class... Rest>
struct ProcessFor<R (*)(Process<Ms...>&, Rest...) noexcept> : std::type_identity<Process<Ms...>> {};

// A lambda's call operator as a plain function.
template <class Call>
struct CalledAs {};
template <class F, class R, class... Ps>
struct CalledAs<R (F::*)(Ps...)> : ProcessFor<R (*)(Ps...)> {};
template <class F, class R, class... Ps>
struct CalledAs<R (F::*)(Ps...) const> : ProcessFor<R (*)(Ps...)> {};
template <class F>
  requires std::is_class_v<F> && requires { &F::operator(); }
struct ProcessFor<F> : CalledAs<decltype(&F::operator())> {};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_PROCESS_H_
