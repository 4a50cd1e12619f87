// Mailboxes and coroutines: what waits without a thread.
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"

namespace troupe {
namespace {

using absl::StatusCode;
using Numbers = std::vector<int>;
using Words = std::vector<std::string>;

struct Job {
  int number;
};
struct Note {
  std::string text;
};
struct Double {
  using Reply = int;
  int number;
};
struct Begin {};

class MailboxCoroutineTest : public Simulated {};

// Receives until something is wrong, and notes that.
struct Reader {
  Receiver<Job> inbox;
  Numbers* seen;
  absl::Duration timeout = absl::InfiniteDuration();
  Task<> On(Begin) {
    for (;;) {
      absl::StatusOr<Received<Job>> job = co_await inbox.Receive(timeout);
      if (!job.ok()) {
        seen->push_back(-static_cast<int>(job.status().code()));
        co_return;
      }
      seen->push_back(job->message.number);
    }
  }
};

struct Writer {
  Sender<Job> out;
  std::vector<StatusCode>* told;
  int count;
  bool deliver = false;
  Task<> On(Begin) {
    for (int i = 1; i <= count; ++i) {
      absl::Status status = deliver ? co_await out.Deliver(Job{i}) : co_await out.Enqueue(Job{i});
      told->push_back(status.code());
    }
  }
};

TEST_F(MailboxCoroutineTest, AReceiverWaitsForWhatComesLater) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begun<Begin>(Reader{std::move(inbox), &seen});
  EXPECT_EQ(jobs.stats().waiting_receivers, 1u);
  for (int i = 1; i <= 1000; ++i) jobs.Send(Job{i});
  Run();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_EQ(seen.back(), 1000);
}

TEST_F(MailboxCoroutineTest, AReceiverThatNeverHasToWaitLetsOthersRun) {
  auto& seen = Keep<Numbers>();
  auto& other = Keep<Numbers>();
  constexpr int kMany = 100'000;  // several turns
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  for (int i = 1; i <= kMany; ++i) jobs.Send(Job{i});
  auto reader = system_.Spawn(Reader{std::move(inbox), &seen});
  auto bystander = system_.Spawn([&](int) { other.push_back(static_cast<int>(seen.size())); });
  reader.Send(Begin{});
  bystander.Send(0);
  while (other.empty()) ASSERT_TRUE(loop_.RunOne());
  EXPECT_LT(other.front(), kMany);
  Run();
  EXPECT_EQ(seen.size(), size_t{kMany});
}

TEST_F(MailboxCoroutineTest, ADeadlineEndsAReceive) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begun<Begin>(Reader{std::move(inbox), &seen, absl::Seconds(1)});
  Advance(absl::Milliseconds(900));
  jobs.Send(Job{1});
  Advance(absl::Milliseconds(900));
  EXPECT_EQ(seen, Numbers{1});
  Advance(absl::Milliseconds(200));
  EXPECT_EQ(seen, (Numbers{1, -static_cast<int>(StatusCode::kDeadlineExceeded)}));
}

TEST_F(MailboxCoroutineTest, AWriterIsHeldBackByAFullMailbox) {
  for (const uint32_t capacity : {0u, 1u, 3u}) {
    auto& told = Keep<std::vector<StatusCode>>();
    auto& seen = Keep<Numbers>();
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = capacity});
    Begun<Begin>(Writer{jobs, &told, 6});
    EXPECT_EQ(told.size(), capacity);
    EXPECT_EQ(jobs.stats().waiting_senders, 1u);
    Begun<Begin>(Reader{std::move(inbox), &seen});
    EXPECT_EQ(told, std::vector<StatusCode>(6, StatusCode::kOk));
    EXPECT_EQ(seen, (Numbers{1, 2, 3, 4, 5, 6}));
  }
}

TEST_F(MailboxCoroutineTest, ADeliveryIsDoneWhenItIsTaken) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begun<Begin>(Writer{jobs, &told, 2, true});
  for (size_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(told.size(), i - 1);
    EXPECT_TRUE(inbox.TryReceive().has_value());
    Run();
    EXPECT_EQ(told.size(), i);
  }
}

TEST_F(MailboxCoroutineTest, NoThreadOfThePoolIsHeldUpByThoseWhoWait) {
  Numbers seen;
  std::vector<StatusCode> told;
  System system({.workers = 1, .max_blocking_threads = 0});
  auto [jobs, inbox] = system.OpenMailbox<Job>();
  auto [full, outbox] = system.OpenMailbox<Job>("", {.capacity = 0});
  for (int i = 0; i < 50; ++i) {
    system.Spawn(Reader{*inbox.Share(), &seen}).Send(Begin{});
    system.Spawn(Writer{full, &told, 1}).Send(Begin{});
  }
  while (jobs.stats().waiting_receivers + full.stats().waiting_senders < 100) {
    std::this_thread::yield();
  }
  auto answers = system.Spawn([](Double twice) { return 2 * twice.number; });
  EXPECT_EQ(answers.Ask(Double{21}).Wait().value_or(-1), 42);
}

TEST_F(MailboxCoroutineTest, AProcessReceivesFromAMailboxAndEnqueuesToAnother) {
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto [results, outbox] = system_.OpenMailbox<Job>("", {.capacity = 1});
  auto clerk = system_.Spawn(
      [](Process<Note>& self, Receiver<Job> in, Sender<Job> out) -> Task<> {
        (void)co_await self.Receive<Note>();
        while (true) {
          auto job = co_await in.Receive();
          if (!job.ok()) co_return;
          (void)co_await out.Enqueue(Job{10 * job->message.number});
        }
      },
      std::move(inbox), results);
  for (int i = 1; i <= 3; ++i) jobs.Send(Job{i});
  Run();
  EXPECT_EQ(jobs.stats().depth, 3u) << "its own mailbox comes first";
  clerk.Send(Note{"go"});
  for (int i = 1; i <= 3; ++i) {
    Run();
    EXPECT_EQ(outbox.TryReceive()->message.number, 10 * i);
  }
  clerk.Stop();
  Run();
  EXPECT_EQ(jobs.Send(Job{4}), SendResult::kClosed) << "its receive right ended with it";
}

TEST_F(MailboxCoroutineTest, AnActorThatEndsWaitsNoLonger) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 0});
  auto second = *inbox.Share();
  auto writer = Begun<Begin>(Writer{jobs, &told, 1});
  writer.Stop();
  Run();
  EXPECT_EQ(jobs.stats().waiting_senders, 0u);
  auto reader = Begun<Begin>(Reader{std::move(inbox), &seen});
  EXPECT_EQ(jobs.stats().waiting_receivers, 1u);
  reader.Stop();
  Run();
  EXPECT_EQ(jobs.stats().waiting_receivers, 0u);
  EXPECT_TRUE(told.empty());
  EXPECT_TRUE(seen.empty());
}

// Without waiting, more often than a coroutine may go on in one turn.
struct Hasty {
  Sender<Job> out;
  Receiver<Job> in;
  Receiver<Job> other;
  Numbers* done;
  Task<> On(Begin) {
    const absl::Duration none = absl::ZeroDuration();
    int count = 0;
    while (count < 1000 && (co_await out.Enqueue(Job{count}, none)).ok()) ++count;
    done->push_back(count);
    count = 0;
    while (count < 500 && (co_await in.Receive(none)).ok()) ++count;
    while ((co_await Select(other, in).Within(none)).ok()) ++count;
    done->push_back(count);
  }
};

TEST_F(MailboxCoroutineTest, ATimeoutOfZeroIsEnoughForWhatNeedNotBeWaitedFor) {
  auto& done = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto [others, other] = system_.OpenMailbox<Job>();
  Begun<Begin>(Hasty{jobs, std::move(inbox), std::move(other), &done});
  EXPECT_EQ(done, (Numbers{1000, 1000}));
  EXPECT_TRUE(letters_.empty());
}

struct Await {
  using Reply = int;
  bool drops_deadline;
};
struct Awaiting {
  Receiver<Job> inbox;
  std::vector<StatusCode>* told;
  Task<int> On(Await how, Context& self) {
    if (how.drops_deadline) self.DropDeadline();
    told->push_back((co_await inbox.Receive()).status().code());
    co_return 0;
  }
};

TEST_F(MailboxCoroutineTest, AHandlerThatAnswersWaitsNoLongerThanItsAskerDoes) {
  for (const bool drops_deadline : {false, true}) {
    auto& told = Keep<std::vector<StatusCode>>();
    auto [jobs, inbox] = system_.OpenMailbox<Job>();
    auto awaiting = system_.Spawn(Awaiting{std::move(inbox), &told});
    Begun<Begin>([awaiting, drops_deadline](Begin, Context& self) {
      awaiting.Ask(Await{drops_deadline}, absl::Seconds(1)).Then(self, [](absl::StatusOr<int>) {});
    });
    Advance(absl::Seconds(2));
    EXPECT_EQ(jobs.stats().waiting_receivers, drops_deadline ? 1u : 0u);
    jobs.Send(Job{1});
    Run();
    EXPECT_EQ(told, std::vector{drops_deadline ? StatusCode::kOk : StatusCode::kDeadlineExceeded});
  }
}

struct Mourner {
  Sender<Job> watched;
  std::vector<StatusCode>* told;
  Task<> On(Begin) {
    told->push_back((co_await watched.Closed(absl::Seconds(1))).code());
    told->push_back((co_await watched.Closed()).code());
  }
};

TEST_F(MailboxCoroutineTest, HoldersOfASendRightAreToldOfTheEnd) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begun<Begin>(Mourner{jobs, &told});
  Advance(absl::Seconds(2));
  EXPECT_EQ(told, std::vector<StatusCode>{StatusCode::kDeadlineExceeded});
  inbox = Receiver<Job>();
  Run();
  EXPECT_EQ(told.back(), StatusCode::kOk);
}

struct Square {
  using Reply = int;
  int number;
};
struct Squarer {
  Receiver<Square> inbox;
  Task<> On(Begin) {
    for (;;) {
      auto request = co_await inbox.Receive();
      if (!request.ok()) co_return;
      request->reply.Send(request->message.number * request->message.number);
    }
  }
};
TEST_F(MailboxCoroutineTest, AHandlerIsRefusedWhateverWouldHoldUpItsThread) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  auto [squares, requests] = system_.OpenMailbox<Square>();
  jobs.Send(Job{1});
  Begun<Begin>([&told, &in = inbox, jobs = jobs, squares = squares](Begin) {
    told.push_back(jobs.Enqueue(Job{2}).Wait().code());
    told.push_back(jobs.Deliver(Job{3}).Wait().code());
    told.push_back(jobs.Closed().Wait().code());
    told.push_back(squares.Ask(Square{4}).Wait().status().code());
    told.push_back(in.Receive().Wait().status().code());
    told.push_back(Select(in).Wait().status().code());
  });
  EXPECT_EQ(told, std::vector<StatusCode>(6, StatusCode::kFailedPrecondition));
  EXPECT_EQ(squares.stats().sent, 0u);
  EXPECT_EQ(jobs.stats().sent, 1u);
  EXPECT_EQ(jobs.stats().received, 0u) << "not even what it need not wait for";
}

struct Asking {
  Sender<Square> whom;
  Numbers* seen;
  Task<> On(Begin) {
    for (int i = 1; i <= 3; ++i) seen->push_back((co_await whom.Ask(Square{i})).value_or(-1));
  }
};

TEST_F(MailboxCoroutineTest, AnAskThroughAMailboxIsAwaited) {
  auto& seen = Keep<Numbers>();
  auto [squares, inbox] = system_.OpenMailbox<Square>();
  Begun<Begin>(Asking{squares, &seen});
  Begun<Begin>(Squarer{std::move(inbox)});
  EXPECT_EQ(seen, (Numbers{1, 4, 9}));
}

}  // namespace
}  // namespace troupe
