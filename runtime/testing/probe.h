// Probe<Ms...>: an actor that stands in for those that the actor under test talks to.
#ifndef TROUPE_TESTING_PROBE_H_
#define TROUPE_TESTING_PROBE_H_

#include <algorithm>
#include <concepts>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/recipient.h"
#include "troupe/core/type_name.h"
#include "troupe/testing/asked.h"
#include "troupe/testing/internal/probe_actor.h"
#include "troupe/testing/internal/probe_report.h"
#include "troupe/testing/test_system.h"

namespace troupe {

namespace internal {

template <class Actor, class Message>
constexpr void RefuseToTake() {
  static_assert(kActorAndMessage<Actor, Message>,
                "Troupe: the Probe Actor does not take the message Message; add Message to its "
                "template arguments.");
}
template <class Actor, class Message>
constexpr void RefuseToAnswer() {
  static_assert(kActorAndMessage<Actor, Message>,
                "Troupe: the message Message has no reply type, so the Probe Actor cannot answer "
                "it; add `using Reply = T;` to Message.");
}
template <class Actor>
constexpr void RefuseMessages() {
  static_assert(kActor<Actor>,
                "Troupe: the Probe Actor names a message twice, or Down, which every Probe takes; "
                "name each message once.");
}

template <class M, class... Ms>
inline constexpr bool kOnce = (0 + ... + std::same_as<M, Ms>) == 1;

template <class Actor, class... Ms>
constexpr auto ProbeActorType() {
  if constexpr ((kOnce<Ms, Ms..., Down> && ...)) {
    return std::type_identity<ProbeActor<Ms...>>();
  } else {
    RefuseMessages<Actor>();
    return std::type_identity<ProbeActor<>>();
  }
}

}  // namespace internal

namespace testing {

// It takes the messages Ms and keeps them, in the order in which they came, until the test asks:
//
//   TestSystem system;
//   Probe<Charge> bank(system, "bank");
//   Probe<Ship, Refund> warehouse(system, "warehouse");
//   auto shop = system.Spawn<Shop>(bank.ref(), warehouse.ref());
//
//   bank.ReplyWith<Charge>(Receipt{7});
//   shop.Send(Order{"book"});
//   absl::StatusOr<Ship> ship = warehouse.Expect<Ship>();     // runs the system until it comes
//   absl::Status quiet = warehouse.ExpectNothing(absl::Hours(1));
//
// A probe watches, too, and does what the test has it do. How the shop takes the end of its bank:
//
//   warehouse.Watch(shop);
//   bank.Act([](troupe::Context& self) { self.Fail(absl::DataLossError("fire")); });
//   absl::StatusOr<troupe::Down> down = warehouse.ExpectDown(shop);
//
// A dependency with logic of its own is better written as an actor: Spawn takes a lambda. The model
// is Akka's TestProbe, but that here time is virtual, and an unexpected message is not lost.
//
// Time           None passes in Expect and ExpectNothing but what they are given. An Expect that is
//                given some stops where the message comes.
// Thread safety  For the thread that made the TestSystem, outside of handlers. What ref() returns:
//                as every Recipient, for any thread.
// Lifetime       Not longer than its TestSystem. Its actor stays until that ends, so no message is
//                a dead letter because a Probe went out of scope.
// Errors         See TestSystem. What is not as expected stays where it is, for the next Expect.
//                Expect cannot tell a message that is itself an absl::Status from an error of its
//                own; ReceiveAll returns it as it came.
template <class... Ms>
class Probe {
 public:
  // `name` is for error texts, and is the actor's name in stats.
  explicit Probe(TestSystem& system, std::string name = "probe")
      : system_(system),
        name_(std::move(name)),
        actor_(system.Spawn<Actor>(ActorOptions{.name = name_}, inbox_)) {}
  Probe(const Probe&) = delete;
  Probe& operator=(const Probe&) = delete;

  // Whom to give to the actor under test.
  Recipient<Ms...> ref() const { return actor_; }

  // ---- what has come

  // Takes the oldest message that has not been taken, which must be an M (one of Ms, or Down). If
  // there is none, runs until there is, for up to `within` of virtual time. Returns the M, or an
  // Asked<M> where M is a question.
  template <class M>
  absl::StatusOr<internal::Taken<M>> Expect(absl::Duration within = absl::ZeroDuration()) {
    return TakeIf<M>(std::string(TypeName<M>()), within, [](const auto&) { return true; });
  }

  // Runs on for `during` of virtual time, or until idle; nothing may come or be there already.
  absl::Status ExpectNothing(absl::Duration during = absl::ZeroDuration()) {
    const absl::Time start = system_.Now();
    const internal::ProbeReport report = Report("nothing for " + absl::FormatDuration(during));
    if (Arrival(during)) {
      return report.Came(InWords(inbox_->items.front()) + " after " +
                         absl::FormatDuration(system_.Now() - start));
    }
    const bool sure = !system_.gave_up() && !inbox_->ended;
    return sure ? absl::OkStatus() : report.Nothing(during, inbox_->ended);
  }

  // Runs until idle and takes all Ms there are, in order, leaving the others. For when the order
  // among different messages, or their number, is not the point.
  template <class M>
  std::vector<internal::Taken<M>> ReceiveAll() {
    std::vector<internal::Taken<M>> all;
    if constexpr (kTakes<M>) {
      system_.RunUntilIdle();
      std::erase_if(inbox_->items, [&](Item& item) {
        auto* message = std::get_if<internal::Taken<M>>(&item.message);
        if (message != nullptr) all.push_back(std::move(*message));
        return message != nullptr;
      });
    } else {
      internal::RefuseToTake<Probe, M>();
    }
    return all;
  }

  // Who sent what the last Expect took: nobody, for a plain thread or a timer of the system's.
  AnyRef sender() const { return sender_; }

  // ---- what it does

  // From now on questions M are answered at once, with `answer`: a value, an error status, or a
  // function of the question, called in the probe's handler. They are kept for Expect all the same.
  // A function that throws ends the probe, as it would end any actor: the asker is told kInternal.
  //
  //   bank.ReplyWith<Charge>([n = 0](const Charge&) mutable { return Receipt{++n}; });
  template <class M, class Answer>
  void ReplyWith(Answer answer) {
    if constexpr (!internal::Askable<M>) {
      internal::RefuseToAnswer<Probe, M>();
    } else if constexpr (!kTakes<M>) {
      internal::RefuseToTake<Probe, M>();
    } else if constexpr (std::invocable<Answer&, const M&>) {
      using Script = internal::Script<M>;
      auto call = [answer = std::move(answer)](const M& m, auto& reply) mutable {
        internal::Answer<M>(reply, [&]() -> decltype(auto) { return answer(m); });
      };
      std::get<Script>(inbox_->scripts).answer =
          std::make_shared<typename Script::Answer>(std::move(call));
    } else {
      ReplyWith<M>([answer = std::move(answer)](const M&) { return answer; });
    }
  }

  // Runs `step(Context&)` as if in a handler of the probe's: to send and ask in its name, to let it
  // stop or fail. Turns the system until it has run, so it may refer to the test's variables. False
  // if the probe has ended.
  //
  //   client.Act([&](troupe::Context& self) {
  //     shop.Ask(Price{}).Then(self, [&](absl::StatusOr<int> cents) { price = cents; });
  //   });
  template <class Step>
  bool Act(Step step) {
    if (inbox_->ended) return false;
    // Shared, for a step whose turn does not come must not run when its test has gone on.
    auto waiting = std::make_shared<std::optional<Step>>(std::move(step));
    actor_.Send(internal::ProbeStep{[waiting](Context& self) {
      if (auto now = std::exchange(*waiting, std::nullopt)) (*now)(self);
    }});
    system_.RunUntil([&] { return !waiting->has_value() || inbox_->ended; });
    return !std::exchange(*waiting, std::nullopt).has_value();
  }

  // ---- how others end

  // From now on the probe is told of the end of `who`. Call it before what may end `who`, or the
  // reason will be kNoSuchActor.
  void Watch(const AnyRef& who) {
    if (std::ranges::find(watched_, who) != watched_.end()) return;
    watched_.push_back(who);
    Act([who](Context& self) { self.Watch(who); });
  }

  // Watches `who`, if that is new, and takes its Down, which must be the next that comes.
  absl::StatusOr<Down> ExpectDown(const AnyRef& who, absl::Duration within = absl::ZeroDuration()) {
    Watch(who);
    return TakeIf<Down>("the end of " + who.ToString(), within,
                        [&](const Down& down) { return down.who == who; });
  }

 private:
  using Actor = typename decltype(internal::ProbeActorType<Probe, Ms...>())::type;
  using Inbox = typename Actor::Inbox;
  using Item = typename Inbox::Item;

  template <class M>
  static constexpr bool kTakes = internal::kIsOneOf<M, Ms..., Down>;

  template <class M, class Wanted>
  absl::StatusOr<internal::Taken<M>> TakeIf(std::string expected, absl::Duration within,
                                            Wanted wanted) {
    const internal::ProbeReport report = Report(std::move(expected));
    if constexpr (kTakes<M>) {
      if (!Arrival(within)) return report.Nothing(within, inbox_->ended);
      Item& next = inbox_->items.front();
      auto* message = std::get_if<internal::Taken<M>>(&next.message);
      if (message == nullptr || !wanted(*message)) return report.Came(InWords(next));
      absl::StatusOr<internal::Taken<M>> taken(std::move(*message));
      sender_ = next.sender;
      inbox_->items.pop_front();
      return taken;
    } else {
      internal::RefuseToTake<Probe, M>();
      return absl::UnimplementedError("");
    }
  }

  // Whether there is something to take, now or `within`.
  bool Arrival(absl::Duration within) {
    const auto& items = inbox_->items;
    system_.RunUntil([&] { return !items.empty() || inbox_->ended; }, within);
    return !items.empty();
  }

  internal::ProbeReport Report(std::string expected) const {
    return {.system = system_, .probe = name_, .expected = std::move(expected)};
  }
  static std::string InWords(const Item& item) {
    std::string text = std::string(item.type) + " from " + item.sender.ToString();
    const Down* down = std::get_if<Down>(&item.message);
    return down == nullptr ? text : text + " (" + internal::HowItEnded(*down) + ")";
  }

  TestSystem& system_;
  const std::string name_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  const ActorRef<Actor> actor_;
  std::vector<AnyRef> watched_;
  AnyRef sender_;
};

}  // namespace testing
}  // namespace troupe

#endif  // TROUPE_TESTING_PROBE_H_
