// Requests and their answers.
#include <algorithm>
#include <chrono>
#include <deque>
#include <vector>

#include "absl/strings/str_format.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/workloads.h"

namespace troupe::bench {
namespace {

// ---- ask_latency

struct Question {
  using Reply = int64_t;
  int64_t value;
};

class Adviser {
 public:
  int64_t On(Question question) { return question.value + 1; }
};

// ---- banking

struct Debit {
  using Reply = void;
  double amount;
};
class Account;
struct Credit {
  double amount;
  ActorRef<Account> destination;
};
struct Transferred {
  bool ok;
};

class Account {
 public:
  explicit Account(Recipient<Transferred> teller) : teller_(teller) {}

  void On(Credit credit, Context& self) {
    if (waiting_) {
      credits_.push_back(credit);
    } else {
      Begin(credit, self);
    }
  }
  void On(Debit debit, Reply<void> reply) {
    if (waiting_) {
      debits_.push_back({debit, std::move(reply)});
    } else {
      Take(debit, reply);
    }
  }

 private:
  struct WaitingDebit {
    Debit debit;
    Reply<void> reply;
  };

  void Begin(const Credit& credit, Context& self) {
    waiting_ = true;
    balance_ -= credit.amount;
    credit.destination.Ask(Debit{credit.amount})
        .Then(self, [this](absl::Status status, Context& me) {
          teller_.Send(Transferred{status.ok()});
          waiting_ = false;
          Resume(me);
        });
  }
  void Take(Debit debit, Reply<void>& reply) {
    balance_ += debit.amount;
    reply.Send();
  }
  // What came while this account waited.
  void Resume(Context& self) {
    for (; !debits_.empty(); debits_.pop_front()) {
      Take(debits_.front().debit, debits_.front().reply);
    }
    if (credits_.empty()) return;
    const Credit next = credits_.front();
    credits_.pop_front();
    Begin(next, self);
  }

  const Recipient<Transferred> teller_;
  bool waiting_ = false;
  double balance_ = 1e9;
  std::deque<Credit> credits_;
  std::deque<WaitingDebit> debits_;
};

struct Accounts {
  std::vector<ActorRef<Account>> all;
};

class Teller {
 public:
  Teller(Measurement& measurement, int64_t n) : measurement_(measurement), left_(n) {}

  void On(Accounts accounts) {
    const auto count = static_cast<int64_t>(accounts.all.size());
    RandomNumbers random(123456);
    measurement_.Begin();
    for (int64_t i = left_; i > 0; --i) {
      const int64_t source = random.Below(count / 10 * 8);
      const int64_t destination = source + std::max<int64_t>(1, random.Below(count - source));
      accounts.all[source].Send(
          Credit{static_cast<double>(random.Below(1000)), accounts.all[destination]});
    }
  }
  void On(Transferred transferred) {
    if (!transferred.ok) ++failed_;
    if (--left_ == 0) measurement_.End(failed_);
  }

 private:
  Measurement& measurement_;
  int64_t left_;
  int64_t failed_ = 0;
};

}  // namespace

// A plain thread sends a request with an integer and blocks for the answer, N times in sequence
// after 1000 to warm up. op = request.
absl::StatusOr<Result> AskLatency(Arguments& arguments) {
  using Clock = std::chrono::steady_clock;
  const int64_t n = arguments.Number(0, 200'000);
  System system(OptionsOf(arguments));
  auto adviser = system.Spawn<Adviser>();
  const auto ask = [&](int64_t i) {
    const absl::StatusOr<int64_t> answer = adviser.Ask(Question{i}).Wait();
    return answer.ok() && *answer == i + 1;
  };
  for (int64_t i = 0; i < 1000; ++i) {
    if (!ask(i)) return absl::InternalError("wrong answer");
  }
  std::vector<int64_t> nanoseconds(n);
  const auto begin = Clock::now();
  for (int64_t i = 0; i < n; ++i) {
    const auto sent = Clock::now();
    if (!ask(i)) return absl::InternalError("wrong answer");
    nanoseconds[i] = std::chrono::nanoseconds(Clock::now() - sent).count();
  }
  const double seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(nanoseconds.begin(), nanoseconds.end());
  return Result{
      seconds, n,
      absl::StrFormat(" p50_ns=%d p99_ns=%d p999_ns=%d min_ns=%d", nanoseconds[n / 2],
                      nanoseconds[n * 99 / 100], nanoseconds[n * 999 / 1000], nanoseconds[0])};
}

// A teller sends N credits to random accounts. The source asks the destination to take the money and
// handles nothing else until it has the answer, then tells the teller. op = transfer, 4 messages.
absl::StatusOr<Result> Banking(Arguments& arguments) {
  const int64_t accounts = arguments.Number(0, 1000);
  const int64_t n = arguments.Number(1, 500'000);
  if (accounts < 10) return absl::InvalidArgumentError("at least 10 accounts");
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto teller = system.Spawn<Teller>(measurement, n);
  std::vector<ActorRef<Account>> all;
  for (int64_t i = 0; i < accounts; ++i) all.push_back(system.Spawn<Account>(teller));
  teller.Send(Accounts{all});
  if (absl::Status s = Expect("failed transfers", measurement.Await(), 0); !s.ok()) return s;
  return Result{measurement.seconds(), n, ""};
}

}  // namespace troupe::bench
