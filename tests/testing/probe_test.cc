#include "troupe/testing/probe.h"

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/matchers.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace shop {

struct Job {
  int n = 0;
};
struct Note {
  std::string text;
};
struct Price {
  using Reply = int;
  std::string what;
};
struct Flush {
  using Reply = void;
};
struct Sealed {  // can be moved once made, and never assigned
  const std::unique_ptr<int> content;
  Sealed(std::unique_ptr<int> c) : content(std::move(c)) {}  // NOLINT: as an aggregate
  Sealed(Sealed&& other) noexcept
      : content(std::move(const_cast<std::unique_ptr<int>&>(other.content))) {}
};
struct Ball {};

// Sends itself a message in every handler.
class Player {
 public:
  void On(Ball, troupe::Context& self) { self.ref(this).Send(Ball{}); }
};

class Worker {
 public:
  void On(Job job) {
    if (job.n < 0) throw std::runtime_error("negative job");
  }
};

}  // namespace shop

namespace troupe::testing {
namespace {

using ::shop::Ball;
using ::shop::Flush;
using ::shop::Job;
using ::shop::Note;
using ::shop::Player;
using ::shop::Price;
using ::shop::Sealed;
using ::shop::Worker;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

constexpr auto kNotFound = absl::StatusCode::kNotFound;
constexpr auto kFailedPrecondition = absl::StatusCode::kFailedPrecondition;
constexpr auto kResourceExhausted = absl::StatusCode::kResourceExhausted;
constexpr auto kUnavailable = absl::StatusCode::kUnavailable;

class ProbeTest : public ::testing::Test {
 protected:
  TestSystem system_{{.on_complaint = FailTest}};
  Probe<Job, Note, Price, Flush> probe_{system_, "clerk"};
};

// ---- Expect

TEST_F(ProbeTest, ExpectRunsTheSystemUntilTheMessageComes) {
  auto stage = system_.Spawn([to = probe_.ref()](Job job) { to.Send(Job{job.n + 1}); });
  stage.Send(Job{1});
  EXPECT_THAT(probe_.Expect<Job>(), IsOkAndHolds(Field(&Job::n, 2)));
}

TEST_F(ProbeTest, MessagesAreTakenInTheOrderInWhichTheyCame) {
  probe_.ref().Send(Job{1});
  probe_.ref().Send(Note{"two"});
  probe_.ref().Send(Job{3});
  EXPECT_THAT(probe_.Expect<Job>(), IsOkAndHolds(Field(&Job::n, 1)));
  EXPECT_THAT(probe_.Expect<Note>(), IsOkAndHolds(Field(&Note::text, "two")));
  EXPECT_THAT(probe_.Expect<Job>(), IsOkAndHolds(Field(&Job::n, 3)));
}

TEST_F(ProbeTest, ExpectLetsTimeGoOnAsFarAsTheMessage) {
  system_.SendAfter(absl::Seconds(3), probe_.ref(), Job{});
  EXPECT_THAT(probe_.Expect<Job>(absl::Seconds(10)), IsOk());
  EXPECT_EQ(system_.Now(), absl::UnixEpoch() + absl::Seconds(3));
}

TEST_F(ProbeTest, NothingAndIdleIsNotFound) {
  EXPECT_THAT(probe_.Expect<Job>(),
              StatusIs(kNotFound,
                       "probe \"clerk\" expected shop::Job, but nothing came: the actors are idle, "
                       "and no timer is set"));
}

TEST_F(ProbeTest, NothingInTimeSaysWhenTheNextTimerIsDue) {
  system_.SendAfter(absl::Seconds(3), probe_.ref(), Job{});
  EXPECT_THAT(probe_.Expect<Job>(absl::Seconds(1)),
              StatusIs(kNotFound,
                       "probe \"clerk\" expected shop::Job, but nothing came within 1s: the actors "
                       "are idle, and the next timer is due in 2s"));
  EXPECT_THAT(probe_.Expect<Job>(absl::Seconds(2)), IsOk());
}

TEST_F(ProbeTest, NothingListsTheDeadLetters) {
  auto worker = system_.Spawn<Worker>();
  worker.Stop();
  worker.Send(Job{});
  EXPECT_THAT(
      probe_.Expect<Job>(),
      StatusIs(kNotFound, MatchesRegex("probe \"clerk\" expected shop::Job, but nothing came: the "
                                       "actors are idle, and no timer is set; dead letters:\n"
                                       "  shop::Job to #[0-9a-f]+ from nobody, sent at [^\n]*: "
                                       "stopped")));
  EXPECT_THAT(system_.ExpectDeadLetter<Job>(), IsOk());
}

TEST_F(ProbeTest, AnotherMessageIsNamedWithItsSenderAndStays) {
  auto writer = system_.Spawn([to = probe_.ref()](Job) { to.Send(Note{"no"}); });
  writer.Send(Job{});
  EXPECT_THAT(
      probe_.Expect<Job>(),
      StatusIs(kFailedPrecondition,
               "probe \"clerk\" expected shop::Job, but got shop::Note from " + writer.ToString()));
  EXPECT_THAT(probe_.Expect<Note>(), IsOk());
}

TEST_F(ProbeTest, AnEndInsteadOfAMessageIsNamedWithItsReason) {
  auto worker = system_.Spawn<Worker>();
  probe_.Watch(worker);
  worker.Send(Job{-1});
  EXPECT_THAT(probe_.Expect<Job>(),
              StatusIs(kFailedPrecondition,
                       MatchesRegex("probe \"clerk\" expected shop::Job, but got troupe::Down from "
                                    "#[0-9a-f]+ \\(shop::Worker, failed: negative job\\)")));
}

TEST(ProbeGiveUpTest, ActorsThatKeepEachOtherBusyAreGivenUp) {
  TestSystem system({.max_turns = 10});
  Probe<Job> probe(system);
  system.Spawn<Player>().Send(Ball{});
  EXPECT_THAT(probe.Expect<Job>(),
              StatusIs(kResourceExhausted,
                       "probe \"probe\" expected shop::Job, but nothing came: the actors keep each "
                       "other busy, and max_turns have passed"));
  EXPECT_THAT(probe.ExpectNothing(), StatusIs(kResourceExhausted));
}

TEST_F(ProbeTest, MessagesThatCanOnlyBeMovedAreRecordedAndReturned) {
  Probe<Sealed, std::unique_ptr<int>> probe(system_);
  probe.ref().Send(Sealed(std::make_unique<int>(1)));
  probe.ref().Send(std::make_unique<int>(2));
  probe.ref().Send(Sealed(std::make_unique<int>(3)));
  absl::StatusOr<Sealed> first = probe.Expect<Sealed>();
  ASSERT_THAT(first, IsOk());
  EXPECT_EQ(*first->content, 1);
  EXPECT_THAT(probe.ReceiveAll<Sealed>(),
              ElementsAre(Field(&Sealed::content, ::testing::Pointee(3))));
  EXPECT_THAT(probe.Expect<std::unique_ptr<int>>(), IsOkAndHolds(::testing::Pointee(2)));
}

TEST_F(ProbeTest, SimilarTypesAreKeptApart) {
  Probe<int, double, std::string, bool> probe(system_);
  probe.ref().Send(true);
  probe.ref().Send(1);
  probe.ref().Send(1.5);
  EXPECT_THAT(probe.Expect<int>(), StatusIs(kFailedPrecondition, HasSubstr("got bool")));
  EXPECT_THAT(probe.Expect<bool>(), IsOkAndHolds(true));
  EXPECT_THAT(probe.Expect<int>(), IsOkAndHolds(1));
  EXPECT_THAT(probe.Expect<double>(), IsOkAndHolds(1.5));
}

TEST_F(ProbeTest, SenderIsWhoSentTheMessageTakenLast) {
  EXPECT_FALSE(probe_.sender());
  auto writer = system_.Spawn([to = probe_.ref()](Job) { to.Send(Note{}); });
  writer.Send(Job{});
  ASSERT_THAT(probe_.Expect<Note>(), IsOk());
  EXPECT_EQ(probe_.sender(), writer);
  probe_.ref().Send(Job{});
  ASSERT_THAT(probe_.Expect<Job>(), IsOk());
  EXPECT_FALSE(probe_.sender());
}

// ---- ExpectNothing

TEST_F(ProbeTest, NothingAsExpectedTakesItsTime) {
  EXPECT_THAT(probe_.ExpectNothing(absl::Hours(1)), IsOk());
  EXPECT_EQ(system_.Now(), absl::UnixEpoch() + absl::Hours(1));
  EXPECT_THAT(probe_.ExpectNothing(), IsOk());
  EXPECT_EQ(system_.Now(), absl::UnixEpoch() + absl::Hours(1));
}

TEST_F(ProbeTest, SomethingInsteadOfNothingIsNamedWithItsTimeAndStays) {
  system_.SendAfter(absl::Seconds(3), probe_.ref(), Job{});
  EXPECT_THAT(probe_.ExpectNothing(absl::Seconds(2)), IsOk());
  EXPECT_THAT(probe_.ExpectNothing(absl::Seconds(2)),
              StatusIs(kFailedPrecondition,
                       "probe \"clerk\" expected nothing for 2s, but got shop::Job from nobody "
                       "after 1s"));
  EXPECT_THAT(probe_.ExpectNothing(), StatusIs(kFailedPrecondition));
  EXPECT_THAT(probe_.Expect<Job>(), IsOk());
}

// ---- ReceiveAll

TEST_F(ProbeTest, ReceiveAllTakesThoseOfOneTypeInOrderAndLeavesTheOthers) {
  probe_.ref().Send(Note{"a"});
  probe_.ref().Send(Job{1});
  probe_.ref().Send(Note{"b"});
  EXPECT_THAT(probe_.ReceiveAll<Note>(),
              ElementsAre(Field(&Note::text, "a"), Field(&Note::text, "b")));
  EXPECT_THAT(probe_.ReceiveAll<Note>(), SizeIs(0));
  EXPECT_THAT(probe_.Expect<Job>(), IsOk());
}

TEST_F(ProbeTest, ReceiveAllReturnsEvenAStatusAsItCame) {
  Probe<absl::Status> probe(system_);
  probe.ref().Send(absl::DataLossError("gone"));
  EXPECT_THAT(probe.ReceiveAll<absl::Status>(),
              ElementsAre(StatusIs(absl::StatusCode::kDataLoss, "gone")));
}

// ---- questions

TEST_F(ProbeTest, AQuestionIsTakenWithItsReply) {
  std::optional<absl::StatusOr<int>> answer;
  auto client = system_.Spawn([&answer, to = probe_.ref()](Job, Context& self) {
    to.Ask(Price{"book"}).Then(self, [&answer](absl::StatusOr<int> a) { answer = a; });
  });
  client.Send(Job{});
  absl::StatusOr<Asked<Price>> asked = probe_.Expect<Price>();
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->message.what, "book");
  EXPECT_EQ(probe_.sender(), client);
  system_.RunUntilIdle();
  EXPECT_FALSE(answer.has_value());
  asked->reply.Send(7);
  system_.RunUntilIdle();
  ASSERT_TRUE(answer.has_value());
  EXPECT_THAT(*answer, IsOkAndHolds(7));
}

TEST_F(ProbeTest, LettingGoOfAQuestionIsAnAbortedAsk) {
  absl::Status answer;
  auto client = system_.Spawn([&answer, to = probe_.ref()](Job, Context& self) {
    to.Ask(Price{}).Then(self, [&answer](absl::StatusOr<int> a) { answer = a.status(); });
  });
  client.Send(Job{});
  (void)probe_.Expect<Price>();
  system_.RunUntilIdle();
  EXPECT_THAT(answer, StatusIs(absl::StatusCode::kAborted));
}

TEST_F(ProbeTest, AQuestionThatWasSentHasNoReply) {
  probe_.ref().Send(Price{"book"});
  absl::StatusOr<Asked<Price>> asked = probe_.Expect<Price>();
  ASSERT_THAT(asked, IsOk());
  EXPECT_FALSE(asked->reply);
}

TEST_F(ProbeTest, ReplyWithAValueAnswersEveryQuestion) {
  probe_.ReplyWith<Price>(7);
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(), IsOkAndHolds(7));
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(), IsOkAndHolds(7));
}

TEST_F(ProbeTest, ReplyWithAnErrorAnswersWithIt) {
  probe_.ReplyWith<Price>(absl::DataLossError("gone"));
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(), StatusIs(absl::StatusCode::kDataLoss, "gone"));
}

TEST_F(ProbeTest, ReplyWithAFunctionComputesTheAnswer) {
  probe_.ReplyWith<Price>([n = 0](const Price& price) mutable -> absl::StatusOr<int> {
    if (price.what == "moon") return absl::NotFoundError("not for sale");
    return ++n;
  });
  EXPECT_THAT(probe_.ref().Ask(Price{"book"}).Wait(), IsOkAndHolds(1));
  EXPECT_THAT(probe_.ref().Ask(Price{"moon"}).Wait(), StatusIs(kNotFound, "not for sale"));
  EXPECT_THAT(probe_.ref().Ask(Price{"book"}).Wait(), IsOkAndHolds(2));
}

TEST_F(ProbeTest, ReplyWithAnswersAQuestionForNothing) {
  probe_.ReplyWith<Flush>(absl::OkStatus());
  EXPECT_THAT(probe_.ref().Ask(Flush{}).Wait(), IsOk());
  int flushed = 0;
  probe_.ReplyWith<Flush>([&flushed](const Flush&) { ++flushed; });
  EXPECT_THAT(probe_.ref().Ask(Flush{}).Wait(), IsOk());
  EXPECT_EQ(flushed, 1);
}

TEST_F(ProbeTest, TheLastReplyWithHoldsAlsoWhereItReplacesItself) {
  probe_.ReplyWith<Price>([this, text = std::string(100, 'a')](const Price&) {
    probe_.ReplyWith<Price>(2);
    return static_cast<int>(text.size());  // of what has been replaced
  });
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(), IsOkAndHolds(100));
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(), IsOkAndHolds(2));
}

TEST_F(ProbeTest, AnAnsweredQuestionIsThereToBeTakenWithoutItsReply) {
  probe_.ReplyWith<Price>(7);
  EXPECT_THAT(probe_.ref().Ask(Price{"book"}).Wait(), IsOkAndHolds(7));
  absl::StatusOr<Asked<Price>> asked = probe_.Expect<Price>();
  ASSERT_THAT(asked, IsOk());
  EXPECT_EQ(asked->message.what, "book");
  EXPECT_FALSE(asked->reply);
}

TEST_F(ProbeTest, AReplyThatThrowsIsTheEndOfTheProbeAsOfAnyActor) {
  Probe<> witness(system_);
  const AnyRef clerk = probe_.ref();
  witness.Watch(clerk);
  probe_.ReplyWith<Price>([](const Price&) -> int { throw std::runtime_error("out of paper"); });
  EXPECT_THAT(probe_.ref().Ask(Price{}).Wait(),
              StatusIs(absl::StatusCode::kInternal, HasSubstr("out of paper")));
  EXPECT_THAT(witness.ExpectDown(clerk), IsOkAndHolds(DownIs(ExitReason::kFailed)));
}

// ---- Act

TEST_F(ProbeTest, ActSendsInTheProbesName) {
  AnyRef sender;
  auto worker = system_.Spawn([&sender](Job, Context& self) { sender = self.sender(); });
  EXPECT_TRUE(probe_.Act([&](Context&) { worker.Send(Job{}); }));
  system_.RunUntilIdle();
  EXPECT_EQ(sender, AnyRef(probe_.ref()));
}

TEST_F(ProbeTest, ActAsksWithoutWaiting) {
  Probe<Price> dependency(system_);
  auto middle =
      system_.Spawn([to = dependency.ref()](Price price, Reply<int> reply, Context& self) {
        to.Ask(std::move(price))
            .Then(self, [reply = std::move(reply)](absl::StatusOr<int> cents) mutable {
              reply.Send(cents);
            });
      });
  absl::StatusOr<int> answer;
  probe_.Act([&](Context& self) {
    middle.Ask(Price{"book"}).Then(self, [&](absl::StatusOr<int> cents) { answer = cents; });
  });
  absl::StatusOr<Asked<Price>> asked = dependency.Expect<Price>();
  ASSERT_THAT(asked, IsOk());
  asked->reply.Send(7);
  system_.RunUntilIdle();
  EXPECT_THAT(answer, IsOkAndHolds(7));
}

TEST_F(ProbeTest, AStepMayBeOneThatCanOnlyBeMoved) {
  int seen = 0;
  probe_.Act([&seen, n = std::make_unique<int>(7)](Context&) { seen = *n; });
  EXPECT_EQ(seen, 7);
}

TEST_F(ProbeTest, AStepThatFailsEndsTheProbe) {
  Probe<> witness(system_);
  const AnyRef clerk = probe_.ref();
  witness.Watch(clerk);
  EXPECT_TRUE(probe_.Act([](Context& self) { self.Fail(absl::DataLossError("fire")); }));
  const absl::StatusOr<Down> down = witness.ExpectDown(clerk);
  ASSERT_THAT(down, IsOkAndHolds(DownIs(ExitReason::kFailed)));
  EXPECT_THAT(down->status, StatusIs(absl::StatusCode::kDataLoss, "fire"));
}

TEST_F(ProbeTest, AStepThatThrowsEndsTheProbeAsAHandlerWould) {
  Probe<> witness(system_);
  const AnyRef clerk = probe_.ref();
  witness.Watch(clerk);
  EXPECT_TRUE(probe_.Act([](Context&) { throw std::runtime_error("fire"); }));
  EXPECT_THAT(witness.ExpectDown(clerk), IsOkAndHolds(DownIs(ExitReason::kFailed)));
}

TEST_F(ProbeTest, AnEndedProbeSaysSo) {
  probe_.ref().Send(Note{"before"});
  probe_.Act([](Context& self) { self.Stop(); });
  system_.RunUntilIdle();
  EXPECT_FALSE(probe_.Act([](Context&) { ADD_FAILURE() << "not reached"; }));
  EXPECT_THAT(probe_.Expect<Note>(), IsOkAndHolds(Field(&Note::text, "before")));
  EXPECT_THAT(probe_.Expect<Job>(),
              StatusIs(kUnavailable, "probe \"clerk\" expected shop::Job, but it has ended"));
  EXPECT_THAT(probe_.ExpectNothing(absl::Seconds(1)),
              StatusIs(kUnavailable, "probe \"clerk\" expected nothing for 1s, but it has ended"));
}

TEST_F(ProbeTest, AStepWhoseTurnDoesNotComeNeverRuns) {
  bool inner = true;
  bool inner_ran = false;
  // A probe cannot run one step inside another.
  probe_.Act([&](Context&) { inner = probe_.Act([&](Context&) { inner_ran = true; }); });
  EXPECT_FALSE(inner);
  system_.RunUntilIdle();
  EXPECT_FALSE(inner_ran);
}

// ---- ends

TEST_F(ProbeTest, ExpectDownTellsHowAWatchedActorEnded) {
  auto worker = system_.Spawn<Worker>();
  probe_.Watch(worker);
  worker.Send(Job{-1});
  const absl::StatusOr<Down> down = probe_.ExpectDown(worker);
  ASSERT_THAT(down, IsOkAndHolds(DownIs(ExitReason::kFailed)));
  EXPECT_EQ(down->status.message(), "negative job");
}

TEST_F(ProbeTest, ExpectDownWatchesByItself) {
  auto worker = system_.Spawn<Worker>();
  worker.Stop(StopWhen::kDrained);
  EXPECT_THAT(probe_.ExpectDown(worker), IsOk());
}

TEST_F(ProbeTest, WhoHasEndedBeforeWasNoSuchActor) {
  auto worker = system_.Spawn<Worker>();
  worker.Stop();
  system_.RunUntilIdle();
  EXPECT_THAT(probe_.ExpectDown(worker), IsOkAndHolds(DownIs(ExitReason::kNoSuchActor)));
}

TEST_F(ProbeTest, ExpectDownLetsTimeGoOn) {
  struct Bell {};
  auto worker = system_.Spawn([](Bell, Context& self) { self.Stop(); });
  system_.SendAfter(absl::Seconds(3), worker, Bell{});
  EXPECT_THAT(probe_.ExpectDown(worker, absl::Seconds(10)), IsOk());
  EXPECT_EQ(system_.Now(), absl::UnixEpoch() + absl::Seconds(3));
}

TEST_F(ProbeTest, AnActorThatLivesOnIsNotFound) {
  auto worker = system_.Spawn<Worker>();
  EXPECT_THAT(probe_.ExpectDown(worker),
              StatusIs(kNotFound, "probe \"clerk\" expected the end of " + worker.ToString() +
                                      ", but nothing came: the actors are idle, and no timer is "
                                      "set"));
}

TEST_F(ProbeTest, TheEndOfAnotherIsNamedAndStays) {
  auto worker = system_.Spawn<Worker>();
  auto other = system_.Spawn<Worker>();
  probe_.Watch(worker);
  probe_.Watch(other);
  other.Stop();
  EXPECT_THAT(
      probe_.ExpectDown(worker),
      StatusIs(kFailedPrecondition,
               MatchesRegex("probe \"clerk\" expected the end of shop::Worker#[0-9a-f]+, but "
                            "got troupe::Down from #[0-9a-f]+ \\(shop::Worker, normal\\)")));
  EXPECT_THAT(probe_.Expect<Down>(), IsOkAndHolds(Field(&Down::who, AnyRef(other))));
}

TEST_F(ProbeTest, AnEndComesBehindWhatTheActorSent) {
  struct Bell {};
  auto worker = system_.Spawn([to = probe_.ref()](Bell, Context& self) {
    to.Send(Note{"last words"});
    self.Stop();
  });
  probe_.Watch(worker);
  worker.Send(Bell{});
  EXPECT_THAT(probe_.ExpectDown(worker), StatusIs(kFailedPrecondition, HasSubstr("shop::Note")));
  EXPECT_THAT(probe_.Expect<Note>(), IsOk());
  EXPECT_THAT(probe_.ExpectDown(worker), IsOk());
  EXPECT_THAT(probe_.ExpectNothing(), IsOk());  // watching twice is watching once
}

// ---- the probe itself

TEST_F(ProbeTest, ItsActorHasItsName) {
  system_.RunUntilIdle();
  EXPECT_THAT(system_.actors(), ElementsAre(Field(&ActorStats::name, "clerk")));
}

TEST_F(ProbeTest, ItsActorOutlivesIt) {
  auto probe = std::make_unique<Probe<Job>>(system_);
  const Recipient<Job> ref = probe->ref();
  probe.reset();
  system_.RunUntilIdle();
  EXPECT_EQ(ref.Send(Job{}), SendResult::kQueued);
  EXPECT_THAT(system_.ExpectNoDeadLetters(), IsOk());
}

TEST_F(ProbeTest, AQuestionThatIsNeverTakenIsNoLeak) {
  auto client = system_.Spawn([to = probe_.ref()](Job, Context& self) {
    to.Ask(Price{}).Then(self, [](absl::StatusOr<int>) {});
  });
  client.Send(Job{});
  system_.RunUntilIdle();
  EXPECT_EQ(system_.stats().live, 2u);
}

}  // namespace
}  // namespace troupe::testing
