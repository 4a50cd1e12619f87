// Waiting for room in the mailbox of an actor, without a thread.
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/awaiting.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

std::string CodeOf(const absl::Status& s) {
  return std::string(absl::StatusCodeToString(s.code()));
}

// Its mailbox fills up while it waits for a Get.
struct Store {
  Recipient<Get> from;
  Notes& notes;
  Task<> On(Go) { (void)co_await from.Ask(Get{}, absl::InfiniteDuration()); }
  void On(Note note) { notes.push_back(note.text); }
};

struct Put {
  std::string text;
  absl::Duration timeout = absl::InfiniteDuration();
};

struct Writer {
  Recipient<Note> to;
  std::stop_token token;
  Notes& told;
  Task<> On(Put put) {
    told.push_back(put.text + " " +
                   CodeOf(co_await Cancellable(to.Enqueue(Note{put.text}, put.timeout), token)));
  }
};

class EnqueueTest : public Awaiting {
 protected:
  ActorRef<Store> StoreOf(WhenFull when_full) {
    auto store =
        system_.Spawn<Store>({.capacity = 1, .when_full = when_full}, Store{slow_, notes_});
    store.Send(Go{});
    Run();
    store.Send(Note{"first"});
    return store;
  }
  ActorRef<Writer> WriterTo(Recipient<Note> to) {
    return system_.Spawn<Writer>(Writer{to, stop_.get_token(), told_});
  }
  ActorRef<Writer> Writes(Recipient<Note> to, Put put) {
    auto writer = WriterTo(to);
    writer.Send(std::move(put));
    Run();
    return writer;
  }

  std::stop_source& stop_ = Keep<std::stop_source>();
  Notes& told_ = Keep<Notes>();
  ActorRef<Store> store_ = StoreOf(WhenFull::kBlock);
};

TEST_F(EnqueueTest, WaitsForRoomAndIsDeliveredBehindWhatWasThere) {
  Writes(store_, {"second"});
  EXPECT_EQ(told_, Notes{});
  Answer(1);
  EXPECT_EQ(told_, (Notes{"second OK"}));
  EXPECT_EQ(notes_, (Notes{"first", "second"}));
}

TEST_F(EnqueueTest, ManyThatWaitGetInInTheOrderInWhichTheyCame) {
  for (const char* text : {"a", "b", "c", "d"}) Writes(store_, {text});
  Answer(1);
  EXPECT_EQ(told_, (Notes{"a OK", "b OK", "c OK", "d OK"}));
  EXPECT_EQ(notes_, (Notes{"first", "a", "b", "c", "d"}));
}

TEST_F(EnqueueTest, WithRoomItNeedNotWait) {
  struct Actor {
    Recipient<Note> to;
    Notes& told;
    Task<> On(Go) {
      told.push_back(CodeOf(co_await to.Enqueue(Note{"x"})));
      told.push_back(CodeOf(co_await Recipient<Note>().Enqueue(Note{"y"})));
    }
  };
  auto unbounded = system_.Spawn<Store>(Store{slow_, notes_});
  system_.Spawn<Actor>(Actor{unbounded, told_}).Send(Go{});
  Run();
  EXPECT_EQ(told_, (Notes{"OK", "UNAVAILABLE"}));
  EXPECT_EQ(notes_, (Notes{"x"}));
}

TEST_F(EnqueueTest, OneThatTimesOutIsNeverDelivered) {
  Writes(store_, {"late", absl::Seconds(1)});
  Advance(absl::Seconds(1));
  EXPECT_EQ(told_, (Notes{"late DEADLINE_EXCEEDED"}));
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"first"}));
}

TEST_F(EnqueueTest, OneThatIsCancelledIsNeverDelivered) {
  Writes(store_, {"unwanted"});
  stop_.request_stop();
  Run();
  EXPECT_EQ(told_, (Notes{"unwanted CANCELLED"}));
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"first"}));
}

TEST_F(EnqueueTest, WhatAnActorThatEndsWaitedToSendIsADeadLetter) {
  Writes(store_, {"orphan"}).Stop();
  Run();
  EXPECT_EQ(LettersFor(DeadLetterReason::kExpired), 1u);
  Answer(1);
  EXPECT_EQ(notes_, (Notes{"first"}));
  EXPECT_EQ(told_, Notes{});
}

TEST_F(EnqueueTest, TheEndOfTheReceiverIsToldAtOnce) {
  Writes(store_, {"in vain"});
  store_.Stop();
  Run();
  EXPECT_EQ(told_, (Notes{"in vain UNAVAILABLE"}));
  Writes(store_, {"later"});
  EXPECT_EQ(told_.back(), "later UNAVAILABLE");
}

TEST_F(EnqueueTest, AFullMailboxThatDoesNotBlockSaysSoAtOnce) {
  Writes(StoreOf(WhenFull::kFail), {"a"});
  Writes(StoreOf(WhenFull::kDropNewest), {"b"});
  Writes(StoreOf(WhenFull::kDropOldest), {"c"});
  EXPECT_EQ(told_, (Notes{"a RESOURCE_EXHAUSTED", "b RESOURCE_EXHAUSTED", "c OK"}));
}

TEST_F(EnqueueTest, AnActorCannotWaitForRoomInItsOwnMailbox) {
  struct Own {
    Notes& told;
    Task<> On(Go, Context& self) {
      const ActorRef<Own> me = self.ref(this);
      told.push_back(CodeOf(co_await me.Enqueue(Go{})));
      told.push_back(CodeOf(co_await me.Enqueue(Go{})));
      self.Stop();
    }
  };
  system_.Spawn<Own>({.capacity = 1, .when_full = WhenFull::kBlock}, Own{told_}).Send(Go{});
  Run();
  EXPECT_EQ(told_, (Notes{"OK", "FAILED_PRECONDITION"}));
}

TEST_F(EnqueueTest, ThenWaitsLikewise) {
  system_
      .Spawn([to = Recipient<Note>(store_), &told = told_](Go, Context& self) {
        to.Enqueue(Note{"second"}).Then(self, [&told](absl::Status s) {
          told.push_back(CodeOf(s));
        });
      })
      .Send(Go{});
  Run();
  EXPECT_EQ(told_, Notes{});
  Answer(1);
  EXPECT_EQ(told_, (Notes{"OK"}));
}

TEST_F(EnqueueTest, APlainThreadWaitsUntilItsDeadline) {
  EXPECT_EQ(CodeOf(store_.Enqueue(Note{"late"}, absl::Seconds(1)).Wait()), "DEADLINE_EXCEEDED");
  Answer(1);
  EXPECT_TRUE(store_.Enqueue(Note{"in time"}, absl::Seconds(1)).Wait().ok());
  Run();
  EXPECT_EQ(notes_, (Notes{"first", "in time"}));
}

TEST_F(EnqueueTest, ASystemThatStopsKeepsNobodyWaiting) {
  Writes(store_, {"at the end"});
  system_.Shutdown(absl::Seconds(1));
  EXPECT_EQ(notes_, Notes{});
}

// The receiver's handler does not end, so the receiver does not either.
TEST(EnqueueAcrossSystemsTest, WhoWaitsForRoomInASystemThatStopsIsTold) {
  System writers;
  System stores;
  std::promise<void> go;
  std::promise<absl::Status> told;
  const auto store =
      stores.Spawn(ActorOptions{.capacity = 1, .placement = Placement::kDedicatedThread},
                   [may_go = go.get_future().share()](Note) { may_go.wait(); });
  for (int i = 0; i < 2; ++i) {  // one in hand, and one that fills the mailbox
    EXPECT_EQ(store.Enqueue(Note{"before"}).Wait(), absl::OkStatus());
  }
  writers
      .Spawn([&](Go, Context& self) {
        store.Enqueue(Note{"waits"}).Then(self, [&](absl::Status s) {
          told.set_value(std::move(s));
        });
      })
      .Send(Go{});
  std::thread stops([&] { stores.Shutdown(absl::Seconds(60)); });
  EXPECT_EQ(told.get_future().get().code(), absl::StatusCode::kResourceExhausted);
  go.set_value();
  stops.join();
}

}  // namespace
}  // namespace troupe
