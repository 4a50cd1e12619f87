#include "troupe/actors/event_stream.h"

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace event_stream_test {

using Notes = std::vector<std::string>;

struct End {};
struct Break {};
struct Nothing {};

// Notes all it is told.
class Monitor {
 public:
  explicit Monitor(Notes& notes) : notes_(notes) {}
  void On(const ActorStarted& e) { notes_.push_back("started " + e.name); }
  void On(const ActorRestarted& e) {
    notes_.push_back("restarted " + e.name + " after " + std::string(ToString(e.reason)));
  }
  void On(const ActorEnded& e) {
    notes_.push_back("ended " + e.name + " " + std::string(ToString(e.reason)));
  }
  void On(const ChildStarted& e) {
    notes_.push_back("child " + e.name + (e.again ? " started again" : " started"));
  }
  void On(const ChildEnded& e) {
    notes_.push_back("child " + e.name + " ended " + std::string(ToString(e.reason)));
  }
  void On(const DeadLetter& letter) {
    notes_.push_back("lost " + std::string(ToString(letter.reason)));
  }

 private:
  Notes& notes_;
};

class Mortal {
 public:
  void OnStart() {}
  void On(End, Context& self) { self.Stop(); }
  void On(Break) { throw std::runtime_error("broken"); }
  void On(Nothing) {}
};

class EventStreamTest : public Simulated {
 protected:
  Notes& notes_ = Keep<Notes>();
  ActorRef<Monitor> monitor_ = system_.Spawn<Monitor>(notes_);
};

TEST_F(EventStreamTest, AnActorThatComesAndGoesIsToldOfInThisOrder) {
  system_.events().Subscribe<ActorEnded>(monitor_);
  system_.events().Subscribe<ActorStarted>(monitor_);
  auto a = system_.Spawn<Mortal>({.name = "a"});
  auto b = system_.Spawn<Mortal>({.name = "b"});
  a.Send(Break{});
  b.Send(End{});
  Run();
  EXPECT_EQ(notes_, (Notes{"started a", "started b", "ended a failed", "ended b normal"}));
}

TEST_F(EventStreamTest, AnEventSaysWhoOfWhichClassAndWhy) {
  std::vector<ActorEnded>& ended = Keep<std::vector<ActorEnded>>();
  auto monitor = system_.Spawn([&ended](ActorEnded e, Context& self) {
    EXPECT_FALSE(self.sender());
    ended.push_back(std::move(e));
  });
  system_.events().Subscribe<ActorEnded>(monitor);
  auto mortal = system_.Spawn<Mortal>();
  mortal.Send(Break{});
  Run();
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].who, mortal);
  EXPECT_EQ(ended[0].type, "troupe::event_stream_test::Mortal");
  EXPECT_EQ(ended[0].name, "");
  EXPECT_EQ(ended[0].status, absl::InternalError("broken"));
}

TEST_F(EventStreamTest, ChildrenAndActorsWithoutOnStartAreToldOfToo) {
  struct Parent {
    void On(Nothing, Context& self) {
      self.Spawn([](Nothing) {});
      self.Stop();
    }
  };
  system_.events().Subscribe<ActorStarted>(monitor_);
  system_.events().Subscribe<ActorEnded>(monitor_);
  system_.Spawn<Parent>().Send(Nothing{});
  Run();
  EXPECT_EQ(notes_, (Notes{"started ", "started ", "ended  normal", "ended  normal"}));
}

TEST_F(EventStreamTest, OnlyWhatWasSubscribedToIsToldAndOnlyOnce) {
  system_.events().Subscribe<ActorStarted>(monitor_);
  system_.events().Subscribe<ActorStarted>(monitor_);
  auto a = system_.Spawn<Mortal>({.name = "a"});
  a.Send(End{});
  Run();
  EXPECT_EQ(notes_, (Notes{"started a"}));
}

TEST_F(EventStreamTest, AfterUnsubscribeNothingIsTold) {
  system_.events().Subscribe<ActorStarted>(monitor_);
  system_.events().Unsubscribe<ActorStarted>(monitor_);
  system_.events().Unsubscribe<ActorEnded>(monitor_);  // does nothing
  system_.Spawn<Mortal>().Send(End{});
  Run();
  EXPECT_TRUE(notes_.empty());
}

TEST_F(EventStreamTest, AnActorSubscribesItself) {
  struct Self {
    Notes& notes;
    void OnStart(Context& self) { self.events().Subscribe<ActorStarted>(self.ref(this)); }
    void On(const ActorStarted& e) { notes.push_back(e.name); }
  };
  system_.Spawn<Self>(Self{notes_});
  Run();
  system_.Spawn<Mortal>({.name = "later"});
  Run();
  EXPECT_EQ(notes_, (Notes{"later"}));
}

TEST_F(EventStreamTest, ASupervisedActorStartsLivesAgainAndEndsOnce) {
  system_.events().Subscribe<ActorStarted>(monitor_);
  system_.events().Subscribe<ActorRestarted>(monitor_);
  system_.events().Subscribe<ActorEnded>(monitor_);
  SupervisorTree tree(system_);
  auto child = tree.Add<Mortal>({.name = "child"});
  auto supervisor = tree.Start();
  Run();
  child.Send(Break{});
  Run();
  supervisor.Stop();
  Run();
  EXPECT_EQ(notes_, (Notes{"started ", "started child", "restarted child after failed",
                           "ended child normal", "ended  normal"}));
}

TEST_F(EventStreamTest, ASupervisorTellsOfItsChildren) {
  system_.events().Subscribe<ChildStarted>(monitor_);
  system_.events().Subscribe<ChildEnded>(monitor_);
  SupervisorTree tree(system_);
  auto a = tree.Add<Mortal>({.name = "a"});
  tree.Add<Mortal>({.name = "b"});
  auto supervisor = tree.Start();
  Run();
  a.Send(Break{});
  Run();
  supervisor.Stop();
  Run();
  EXPECT_EQ(notes_,
            (Notes{"child a started", "child b started", "child a ended failed",
                   "child a started again", "child b ended normal", "child a ended normal"}));
}

TEST_F(EventStreamTest, AChildThatDoesNotStartHasEnded) {
  struct Stillborn {
    Stillborn() { throw std::runtime_error("stillborn"); }
    void On(Nothing) {}
  };
  system_.events().Subscribe<ChildEnded>(monitor_);
  system_.events().Subscribe<ChildStarted>(monitor_);
  SupervisorTree tree(system_);
  tree.Add<Stillborn>({.name = "s"});
  tree.Start();
  Run();
  EXPECT_EQ(notes_, (Notes{"child s ended failed"}));
}

// ---- dead letters

TEST_F(EventStreamTest, ALostMessageIsToldBesideTheHook) {
  std::vector<DeadLetter>& letters = Keep<std::vector<DeadLetter>>();
  auto monitor = system_.Spawn([&letters](DeadLetter d) { letters.push_back(std::move(d)); });
  system_.events().Subscribe<DeadLetter>(monitor);
  auto ended = system_.Spawn<Mortal>();
  ended.Send(End{});
  Run();
  const int line = __LINE__ + 1;
  ended.Send(Nothing{});
  Run();
  ASSERT_EQ(letters.size(), 1u);
  EXPECT_EQ(letters[0].reason, DeadLetterReason::kNoSuchActor);
  EXPECT_EQ(letters[0].message_type, "troupe::event_stream_test::Nothing");
  EXPECT_EQ(letters[0].target, ended);
  EXPECT_FALSE(letters[0].sender);
  EXPECT_EQ(letters[0].where.line(), static_cast<unsigned>(line));
  EXPECT_EQ(letters_.size(), 1u) << "of the hook";
}

TEST_F(EventStreamTest, AFullSubscriberLosesByItsOwnPolicyAndThatIsCounted) {
  auto small = system_.Spawn<Monitor>({.capacity = 1, .when_full = WhenFull::kDropOldest}, notes_);
  auto blocking = system_.Spawn<Monitor>({.capacity = 1}, notes_);
  for (const auto& who : {small, blocking}) system_.events().Subscribe<ActorStarted>(who);
  for (const char* name : {"a", "b", "c"}) system_.Spawn<Mortal>({.name = name});
  Run();
  EXPECT_EQ(notes_, (Notes{"started c", "started a"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kDroppedOldest), 2u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u);
}

TEST_F(EventStreamTest, ALostEventIsNoEvent) {
  auto small = system_.Spawn<Monitor>({.capacity = 1, .when_full = WhenFull::kFail}, notes_);
  system_.events().Subscribe<DeadLetter>(small);
  auto ended = system_.Spawn<Mortal>();
  ended.Send(End{});
  Run();
  for (int i = 0; i < 3; ++i) ended.Send(Nothing{});
  Run();
  EXPECT_EQ(notes_, (Notes{"lost no such actor"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 3u);
  EXPECT_EQ(LettersFor(DeadLetterReason::kFull), 2u) << "letters about letters are counted";
  EXPECT_EQ(letters_.size(), 5u) << "and told to the hook";
}

TEST_F(EventStreamTest, ASubscriberIsNotToldOfItsOwnLetters) {
  struct Forwarder {
    ActorRef<Mortal> ended;
    Notes& notes;
    void On(const DeadLetter&) {
      notes.push_back("told");
      ended.Send(Nothing{});
    }
  };
  auto ended = system_.Spawn<Mortal>();
  ended.Send(End{});
  Run();
  system_.events().Subscribe<DeadLetter>(system_.Spawn<Forwarder>(Forwarder{ended, notes_}));
  ended.Send(Nothing{});
  Run();
  EXPECT_EQ(notes_, (Notes{"told"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kNoSuchActor), 2u);
}

TEST_F(EventStreamTest, ASubscriberThatHasEndedIsForgottenWithoutALetter) {
  system_.events().Subscribe<ActorStarted>(monitor_);
  EXPECT_TRUE(system_.events().Wants<ActorStarted>());
  monitor_.Stop();
  Run();
  system_.Spawn<Mortal>();
  EXPECT_FALSE(system_.events().Wants<ActorStarted>());
  EXPECT_EQ(system_.stats().dead_letters_total(), 0u);
}

TEST_F(EventStreamTest, NobodyIsNoSubscriber) {
  system_.events().Subscribe<ActorStarted>(ActorRef<Monitor>());
  EXPECT_FALSE(system_.events().Wants<ActorStarted>());
}

TEST_F(EventStreamTest, ATopicPassesEventsOn) {
  auto topic = SpawnTopic<ActorEnded>(system_);
  topic.Subscribe(monitor_);
  Run();
  system_.events().Subscribe<ActorEnded>(topic);
  system_.Spawn<Mortal>({.name = "a"}).Send(End{});
  Run();
  EXPECT_EQ(notes_, (Notes{"ended a normal"}));
}

}  // namespace event_stream_test
}  // namespace troupe
