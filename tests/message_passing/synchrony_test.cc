// F. Synchronous and asynchronous: who waits for what.
#include <atomic>
#include <optional>
#include <string>
#include <thread>
#include <tuple>
#include <utility>

#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

TEST_F(MessagePassing, R53_ABlockingSendWaitsForTheMailboxOrForTheReceiver) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 2});
  const StatusCode& stored = LetSend(Somebody(), [out = jobs] { return out.Enqueue(Job{1}); });
  const StatusCode& taken = LetSend(Somebody(), [out = jobs] { return out.Deliver(Job{2}); });
  const StatusCode& third = LetSend(Somebody(), [out = jobs] { return out.Enqueue(Job{3}); });
  EXPECT_EQ(stored, StatusCode::kOk);
  EXPECT_EQ(taken, StatusCode::kUnknown) << "it is in the mailbox only";
  EXPECT_EQ(third, StatusCode::kUnknown) << "there is no room";
  EXPECT_EQ(inbox.TryReceive()->message.number, 1);
  Run();
  EXPECT_EQ(taken, StatusCode::kUnknown);
  EXPECT_EQ(third, StatusCode::kOk);
  EXPECT_EQ(inbox.TryReceive()->message.number, 2);
  Run();
  EXPECT_EQ(taken, StatusCode::kOk);
}

TEST_F(MessagePassing, R53_ABlockingSendMayHaveADeadlineAndThenIsNeverDelivered) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  const auto second = absl::Seconds(1);
  const StatusCode& taken =
      LetSend(Somebody(), [=, out = jobs] { return out.Deliver(Job{1}, second); });
  const StatusCode& stored =
      LetSend(Somebody(), [=, out = jobs] { return out.Enqueue(Job{2}, second / 2); });
  Advance(absl::Seconds(2));
  EXPECT_EQ(taken, StatusCode::kDeadlineExceeded);
  EXPECT_EQ(stored, StatusCode::kDeadlineExceeded);
  EXPECT_EQ(Drain(inbox), Numbers{});
}

TEST_F(MessagePassing, R53_AWaitThatTimesOutSaysWhatItHasWaitedFor) {
  struct Ping {
    using Reply = int;
  };
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  auto [pings, asked] = system_.OpenMailbox<Ping>();
  const auto second = absl::Seconds(1);
  const auto text = [](const auto& result) {
    if constexpr (requires { result.message(); }) {
      return std::string(result.message());
    } else {
      return std::string(result.status().message());
    }
  };
  EXPECT_EQ(text(inbox.Receive(second).Wait()), "receive: nothing came before the deadline");
  EXPECT_EQ(text(jobs.Closed(second).Wait()), "the mailbox was not closed before the deadline");
  EXPECT_EQ(text(jobs.Deliver(Job{1}, second).Wait()),
            "send: no receiver took it before the deadline");
  EXPECT_EQ(text(pings.Ask(Ping{}, second).Wait()), "ask: no answer before the deadline");
  EXPECT_EQ(text(inbox.Receive().Wait()), "nothing is left to do, so nobody will end this wait");
  jobs.Send(Job{2});
  EXPECT_EQ(text(jobs.Enqueue(Job{3}, second).Wait()),
            "send: no room in the mailbox before the deadline");
}

TEST_F(MessagePassing, R54_ANonBlockingSendGoesOnAndIsToldAtOnceIfItWasRefused) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  EXPECT_EQ(jobs.TrySend(Job{1}), SendResult::kQueued);
  EXPECT_EQ(jobs.TrySend(Job{2}), SendResult::kFull);
  inbox.Close(Backlog::kDrop);
  EXPECT_EQ(jobs.TrySend(Job{3}), SendResult::kClosed);
}

TEST_F(MessagePassing, R55_ABlockingReceiveWaitsIfNeedBeUntilADeadline) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto& seen = Keep<Numbers>();
  auto who = Somebody();
  LetReceive(who, inbox, seen);
  EXPECT_TRUE(seen.empty());
  jobs.Send(Job{1});
  Run();
  EXPECT_EQ(seen, Numbers{1});
  LetReceive(who, inbox, seen, absl::Seconds(1));
  Advance(absl::Seconds(2));
  EXPECT_EQ(seen.back(), -static_cast<int>(StatusCode::kDeadlineExceeded));
  jobs.Send(Job{2});
  EXPECT_EQ(Drain(inbox), Numbers{2}) << "which took nothing";
  EXPECT_EQ(inbox.Receive(absl::Seconds(1)).Wait().status().code(), StatusCode::kDeadlineExceeded);
}

TEST_F(MessagePassing, R56_ANonBlockingReceiveYieldsAMessageOrNothing) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  EXPECT_FALSE(inbox.TryReceive().has_value());
  jobs.Send(Job{1});
  EXPECT_EQ(inbox.TryReceive()->message.number, 1);
  EXPECT_FALSE(inbox.TryReceive().has_value());
}

// ---- on threads

// Takes what is there, and looks again until that was three.
struct Taker {
  Receiver<Job> in;
  Sender<Job> out;
  void On(Note again, Context& self) {
    if (auto job = in.TryReceive()) out.Send(std::move(job->message));
    if (in.stats().received < 3) self.ref(this).Send(std::move(again));
  }
};

TEST_F(MessagePassing, R53_AThreadWaitsForTheMailboxOrForTheReceiver) {
  System system({.workers = 1});
  auto [jobs, inbox] = system.OpenMailbox<Job>("", {.capacity = 1});
  jobs.Send(Job{1});
  const auto await_senders = [out = jobs](uint64_t count) {
    while (out.stats().waiting_senders != count) std::this_thread::yield();
  };
  std::thread stores([out = jobs] { EXPECT_TRUE(out.Enqueue(Job{2}).Wait().ok()); });
  await_senders(1);  // there is no room
  std::atomic<bool> delivered = false;
  std::thread delivers([&delivered, out = jobs] {
    EXPECT_TRUE(out.Deliver(Job{3}).Wait().ok());
    delivered = true;
  });
  await_senders(2);
  EXPECT_EQ(inbox.TryReceive()->message.number, 1);
  stores.join();  // the mailbox has it
  EXPECT_EQ(inbox.TryReceive()->message.number, 2);
  EXPECT_EQ(jobs.stats().depth, 1u);
  EXPECT_FALSE(delivered) << "the mailbox has it, and nobody else";
  EXPECT_EQ(inbox.TryReceive()->message.number, 3);
  delivers.join();
}

TEST_F(MessagePassing, R53_ASendThatBlocksAHandlerLendsItsWorkersPlace) {
  System system({.workers = 1});
  auto [jobs, inbox] = system.OpenMailbox<Job>("", {.capacity = 1});
  auto [taken, seen] = system.OpenMailbox<Job>();
  auto sender = system.Spawn([out = jobs](Note) {
    for (int i = 1; i <= 3; ++i) EXPECT_EQ(out.Send(Job{i}), SendResult::kQueued);
  });
  auto taker = system.Spawn(Taker{std::move(inbox), taken});
  sender.Send(Note{});
  while (jobs.stats().waiting_senders == 0) std::this_thread::yield();
  taker.Send(Note{});  // on the one worker, which else would stand still
  for (int i = 1; i <= 3; ++i) EXPECT_EQ(seen.Receive().Wait()->message.number, i);
}

TEST_F(MessagePassing, R55_AThreadThatSleepsWithoutADeadlineIsWokenByTheClose) {
  System system({.workers = 1});
  auto [jobs, inbox] = system.OpenMailbox<Job>();
  auto [notes, news] = system.OpenMailbox<Note>();
  auto another = *inbox.Share();
  std::thread receives(
      [&in = inbox] { EXPECT_EQ(in.Receive().Wait().status().code(), StatusCode::kUnavailable); });
  std::thread selects([&in = another, &others = news] {
    EXPECT_EQ(Select(others, in).Wait().status().code(), StatusCode::kUnavailable);
  });
  // They are in its list, and nothing but a message or its end gets them out.
  while (jobs.stats().waiting_receivers < 2) std::this_thread::yield();
  inbox.Close(Backlog::kDrop);
  receives.join();
  selects.join();
}

// ---- every combination

enum class Sends { kTry, kUntilStored, kUntilTaken };
struct Combination {
  Sends send;
  bool blocking_receive;
  uint32_t capacity;
  bool receiver_first;
};

class R57 : public MessagePassing, public ::testing::WithParamInterface<Combination> {
 protected:
  static bool blocking_send() { return GetParam().send != Sends::kTry; }
  void Send(const Sender<Job>& out) {
    if (blocking_send()) {
      sent_ = &LetSend(Somebody(), [out, how = GetParam().send] {
        return how == Sends::kUntilStored ? out.Enqueue(Job{7}) : out.Deliver(Job{7});
      });
    } else {
      result_ = out.TrySend(Job{7});
      Run();
    }
  }
  void Receive(Receiver<Job>& in) {
    if (GetParam().blocking_receive) {
      LetReceive(Somebody(), in, seen_);
    } else if (auto job = in.TryReceive()) {
      seen_.push_back(job->message.number);
    }
    Run();
  }
  const StatusCode* sent_ = nullptr;
  std::optional<SendResult> result_;
  Numbers& seen_ = Keep<Numbers>();
};

TEST_P(R57, EveryCombinationOfBlockingAndNonBlocking) {
  const Combination& c = GetParam();
  auto [out, in] = system_.OpenMailbox<Job>("", {.capacity = c.capacity});
  c.receiver_first ? Receive(in) : Send(out);
  EXPECT_TRUE(seen_.empty());
  c.receiver_first ? Send(out) : Receive(in);
  // They meet if the first of them waits, or the message does.
  const bool message_waits = blocking_send() || c.capacity > 0;
  const bool meet = c.receiver_first ? c.blocking_receive : message_waits;
  EXPECT_EQ(seen_, meet ? Numbers{7} : Numbers{});
  if (blocking_send()) {
    const bool done = meet || (c.send == Sends::kUntilStored && c.capacity > 0);
    EXPECT_EQ(*sent_, done ? StatusCode::kOk : StatusCode::kUnknown) << "both blocking: rendezvous";
  } else {
    EXPECT_EQ(*result_, c.capacity > 0 || meet ? SendResult::kQueued : SendResult::kFull);
  }
}

std::vector<Combination> All() {
  std::vector<Combination> all;
  for (const Sends send : {Sends::kTry, Sends::kUntilStored, Sends::kUntilTaken}) {
    for (const bool receive : {false, true}) {
      for (const uint32_t capacity : {0u, 1u, kUnbounded}) {
        for (const bool receiver_first : {false, true}) {
          all.push_back({send, receive, capacity, receiver_first});
        }
      }
    }
  }
  return all;
}
INSTANTIATE_TEST_SUITE_P(MessagePassing, R57, ::testing::ValuesIn(All()));

}  // namespace
}  // namespace troupe
