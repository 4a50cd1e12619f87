// The other process is killed with -9 at a named point: what has come is a beginning of what was sent, in order
// and once; what has not is told; and this process is as it was. It is this program again, in a role below.
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/runtime/bridges/reliable.h"
#include "troupe/troupe.h"

extern char** environ;

namespace troupe {
namespace {

struct Number {
  int64_t n;
};
struct Large {
  int64_t n;
  std::string text;
};
struct Question {
  using Reply = int64_t;
};
struct Work {
  Receiver<Number> jobs;
};

std::string AddressOf(pid_t process) {
  return absl::StrCat("unix:///tmp/troupe-killed-test-", process);
}
std::string Address() { return AddressOf(::getppid()); }  // of who has begun a role

// What has come, which is 1, 2, 3 ... or wrong.
class Counter {
 public:
  explicit Counter(std::atomic<int64_t>& last, int64_t size = 0) : last_(last), size_(size) {}
  void On(Number m) { Take(m.n); }
  void On(const Large& m) {
    EXPECT_EQ(m.text, std::string(size_, static_cast<char>('a' + m.n % 26))) << "of " << m.n;
    Take(m.n);
  }

 private:
  void Take(int64_t n) {
    EXPECT_EQ(n, last_ + 1);
    last_ = n;
  }

  std::atomic<int64_t>& last_;
  const int64_t size_;
};
constexpr int64_t kLarge = 1 << 20;

// ---- the roles: each goes on until it is killed

class DISABLED_Role : public testing::Test {
 protected:
  DISABLED_Role() { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

  template <class... Ms>
  Recipient<Ms...> Find(const std::string& name) {
    const auto found = home_.Find<Ms...>(name, kLong).Wait();
    return found.value_or(Recipient<Ms...>());
  }
  static void UntilKilled() {
    for (;;) ::pause();
  }

  System system_;
  Node node_{system_};
  Peer home_ = *node_.Connect(Address(), kLong).Wait();
};

TEST_F(DISABLED_Role, SendsNumbers) {
  const auto to = Find<Number>("counter");
  for (int64_t n = 1; to.Send(Number{n}) == SendResult::kQueued; ++n) {
  }
  UntilKilled();
}

TEST_F(DISABLED_Role, SendsLargeOnes) {
  const auto to = Find<Large>("counter");
  for (int64_t n = 1;; ++n) {
    const std::string text(kLarge, static_cast<char>('a' + n % 26));
    if (to.Send(Large{n, text}) != SendResult::kQueued) break;
  }
  UntilKilled();
}

TEST_F(DISABLED_Role, SendsNumbersReliably) {
  const auto there = node_.Maintain(Address());
  const auto sender =
      system_.Spawn<ReliableSender<Number>>({.capacity = 100}, FindReliable(*there, "reliable"));
  for (int64_t n = 1; sender.Send(Number{n}) == SendResult::kQueued; ++n) {
  }
  UntilKilled();
}

// Tells of each number, and of a question too, and never answers.
struct Echo {
  Recipient<Number> to;
  Reply<int64_t> unanswered = {};
  void On(Number m) { to.Send(m); }
  void On(Question, Reply<int64_t> reply) {
    unanswered = std::move(reply);
    to.Send(Number{1});
  }
};
struct Register {
  Recipient<Number, Question> whom;
};

TEST_F(DISABLED_Role, TakesNumbers) {
  Find<Register>("desk").Send(Register{system_.Spawn(Echo{.to = Find<Number>("counter")})});
  UntilKilled();
}

TEST_F(DISABLED_Role, TakesNumbersReliably) {
  const auto echo = system_.Spawn(Echo{.to = Find<Number>("counter")});
  const auto receiver = system_.Spawn<ReliableReceiver<Number>>(Recipient<Number>(echo));
  (void)PublishReliable(node_, "taker", receiver);
  (void)node_.Listen(Address() + "-taker");
  Find<Number>("ready").Send(Number{1});
  UntilKilled();
}

constexpr int kJobs = 10'000;
constexpr int kDone = 200;

// Keeps the right when it has done so many.
class Worker {
 public:
  explicit Worker(Recipient<Number> to) : to_(std::move(to)) {}
  void On(Work m, Context& self) {
    jobs_ = std::move(m.jobs);
    Next(self);
  }

 private:
  void Next(Context& self) {
    jobs_.Receive().Then(self, [this](absl::StatusOr<Received<Number>> job, Context& now) {
      if (!job.ok()) return;
      to_.Send(job->message);
      if (job->message.n < kDone) Next(now);
    });
  }

  const Recipient<Number> to_;
  Receiver<Number> jobs_;
};
struct RegisterWorker {
  Recipient<Work> whom;
};

TEST_F(DISABLED_Role, Works) {
  Find<RegisterWorker>("desk").Send(RegisterWorker{system_.Spawn<Worker>(Find<Number>("counter"))});
  UntilKilled();
}

// ---- this process

class Process {
 public:
  explicit Process(const std::string& role) {
    const std::string filter = "--gtest_filter=DISABLED_Role." + role;
    std::array<const char*, 4> arguments{"killed_process_test", filter.c_str(),
                                         "--gtest_also_run_disabled_tests", nullptr};
    EXPECT_EQ(::posix_spawn(&id_, "/proc/self/exe", nullptr, nullptr,
                            const_cast<char**>(arguments.data()), environ),
              0);
  }
  ~Process() { Kill(); }
  void Kill() {
    if (id_ == 0) return;
    ::kill(id_, SIGKILL);
    ::waitpid(std::exchange(id_, 0), nullptr, 0);
  }

 private:
  pid_t id_ = 0;
};

struct Subscriber {
  Log& log;
  void On(const PeerUp&) { log.Add("up"); }
  void On(const PeerDown&) { log.Add("down"); }
};

class KilledProcessTest : public testing::Test {
 protected:
  KilledProcessTest() {
    node_.Subscribe(system_.Spawn<Subscriber>(log_));
    EXPECT_TRUE(
        (node_.Publish<Number, Large>("counter", system_.Spawn<Counter>(last_, kLarge)).ok()));
    const auto at = node_.Listen(address_);
    EXPECT_TRUE(at.ok()) << at.status();
  }
  // Nothing of it is left here.
  ~KilledProcessTest() override {
    EXPECT_TRUE(Eventually([&] { return node_.stats().connections == 0; }));
    EXPECT_TRUE(Eventually([&] {
      const std::vector<std::string> log = log_.entries();
      return !log.empty() && std::count(log.begin(), log.end(), "up") * 2 == std::ssize(log);
    }));
  }
  void AwaitNumber(int64_t n) {
    ASSERT_TRUE(Eventually([&] { return last_ >= n; })) << "only " << last_;
  }

  const std::string address_ = AddressOf(::getpid());
  std::atomic<int64_t> last_ = 0;
  std::atomic<uint64_t> dead_letters_ = 0;
  Log log_;
  System system_{{.on_dead_letter = [this](const DeadLetter& letter) {
    if (letter.message_type == TypeName<Number>()) ++dead_letters_;
  }}};
  Node node_{system_};
};

// Counter says whether what has come is a beginning, each once and in order.
TEST_F(KilledProcessTest, WhileItSends) {
  Process other("SendsNumbers");
  AwaitNumber(10'000);
  other.Kill();
}

TEST_F(KilledProcessTest, WithAMessageInPiecesUnderWay) {
  Process other("SendsLargeOnes");
  AwaitNumber(20);
  other.Kill();
}

TEST_F(KilledProcessTest, WhileItSendsReliablyAndOnceMoreFromTheBeginning) {
  for (int life = 0; life < 2; ++life) {
    last_ = 0;
    const auto counter = system_.Spawn<Counter>(last_);
    const auto receiver = system_.Spawn<ReliableReceiver<Number>>(Recipient<Number>(counter));
    ASSERT_TRUE(PublishReliable(node_, "reliable", receiver).ok());
    Process other("SendsNumbersReliably");
    AwaitNumber(1000);
    other.Kill();
    EXPECT_TRUE(Eventually([&] { return node_.stats().connections == 0; }));
    counter.Stop();
    EXPECT_TRUE(system_.Join(receiver, kLong).ok());
  }
}

struct Desk {
  std::shared_ptr<std::promise<Recipient<Number, Question>>> taker;
  std::shared_ptr<std::promise<Recipient<Work>>> worker;
  void On(Register m) { taker->set_value(m.whom); }
  void On(RegisterWorker m) { worker->set_value(m.whom); }
};

class KilledReceiverTest : public KilledProcessTest {
 protected:
  KilledReceiverTest() {
    EXPECT_TRUE((node_.Publish<Register, RegisterWorker>("desk", system_.Spawn(desk_)).ok()));
  }
  const Desk desk_{std::make_shared<std::promise<Recipient<Number, Question>>>(),
                   std::make_shared<std::promise<Recipient<Work>>>()};
};

TEST_F(KilledReceiverTest, WhileItReceivesAndOwesAnAnswer) {
  Process other("TakesNumbers");
  const Recipient<Number, Question> to = desk_.taker->get_future().get();
  auto answer = std::async(std::launch::async, [&] { return to.Ask(Question{}, kLong).Wait(); });
  AwaitNumber(1);
  for (int64_t n = 2; last_ < 1000; ++n) ASSERT_EQ(to.Send(Number{n}), SendResult::kQueued);
  other.Kill();
  const absl::Status unanswered = answer.get().status();
  EXPECT_TRUE(IsNodeLost(unanswered)) << unanswered;
  const absl::StatusOr<Down> down = system_.Join(to, kLong);
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_EQ(to.Send(Number{0}), SendResult::kClosed);
  EXPECT_TRUE(IsNodeLost(down->status) || down->reason == ExitReason::kNoSuchActor);
  EXPECT_FALSE(to.Ask(Question{}, kLong).Wait().ok());
}

TEST_F(KilledReceiverTest, WithARightToReceive) {
  constexpr int kAhead = 16;  // has left the mailbox, and not been received
  auto [jobs, inbox] = system_.OpenMailbox<Number>();
  for (int n = 1; n <= kJobs; ++n) jobs.Send(Number{n});
  Process other("Works");
  desk_.worker->get_future().get().Send(Work{std::move(inbox)});
  AwaitNumber(kDone);
  other.Kill();
  EXPECT_TRUE(jobs.Closed(kLong).Wait().ok());
  EXPECT_TRUE(Eventually([&] { return dead_letters_ >= kJobs - kDone - kAhead; }));
  EXPECT_LE(dead_letters_, kJobs - kDone);
  EXPECT_EQ(jobs.Send(Number{0}), SendResult::kClosed);
}

TEST_F(KilledReceiverTest, WhileItReceivesReliably) {
  std::promise<void> ready;
  const auto on_ready = system_.Spawn([&](Number) { ready.set_value(); });
  ASSERT_TRUE(node_.Publish<Number>("ready", on_ready).ok());
  Process other("TakesNumbersReliably");
  ready.get_future().wait();
  const std::string taker = address_ + "-taker";
  const auto there = node_.Maintain(taker, {.backoff = {.min = absl::Milliseconds(1)}});
  ASSERT_TRUE(there.ok()) << there.status();
  const auto sender = system_.Spawn<ReliableSender<Number>>(
      {.capacity = 100}, FindReliable(*there, "taker"),
      ReliableOptions{.give_up_after = absl::Milliseconds(500)});
  for (int64_t n = 1; last_ < 1000; ++n) {
    ASSERT_EQ(sender.Send(Number{n}), SendResult::kQueued);
  }
  other.Kill();
  // It does not come back, which is the sender's to report.
  int64_t more = 0;
  while (sender.Send(Number{0}) == SendResult::kQueued) ++more;
  const absl::StatusOr<Down> down = system_.Join(sender, kLong);
  ASSERT_TRUE(down.ok()) << down.status();
  EXPECT_GE(static_cast<int64_t>(dead_letters_), more);
}

}  // namespace
}  // namespace troupe
