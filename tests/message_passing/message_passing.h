// MessagePassing: the ways in which two can communicate, a row each. The number of a test is that of
// its row: direct or indirect, synchronous or asynchronous, with no, a bounded or an unbounded buffer.
#ifndef TROUPE_TESTS_MESSAGE_PASSING_MESSAGE_PASSING_H_
#define TROUPE_TESTS_MESSAGE_PASSING_MESSAGE_PASSING_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {

using Numbers = std::vector<int>;
using Words = std::vector<std::string>;
using absl::StatusCode;

struct Job {
  int number;
};
struct Note {
  std::string text;
};

// An actor that does what it is told.
struct Do {
  std::function<void(Context&)> what;
};
struct Party {
  void On(Do act, Context& self) { act.what(self); }
};

class MessagePassing : public Simulated {
 protected:
  ActorRef<Party> Somebody() { return system_.Spawn<Party>(); }
  void Let(const ActorRef<Party>& who, std::function<void(Context&)> act) {
    who.Send(Do{std::move(act)});
    Run();
  }
  static Numbers Drain(Receiver<Job>& from) {
    Numbers numbers;
    while (auto job = from.TryReceive()) numbers.push_back(job->message.number);
    return numbers;
  }
  // `who` waits for a job, and what he got is noted, or the error as a negative number.
  void LetReceive(const ActorRef<Party>& who, Receiver<Job>& from, Numbers& seen,
                  absl::Duration timeout = absl::InfiniteDuration()) {
    Let(who, [&from, &seen, timeout](Context& self) {
      from.Receive(timeout).Then(self, [&seen](absl::StatusOr<Received<Job>> job) {
        seen.push_back(job.ok() ? job->message.number : -static_cast<int>(job.status().code()));
      });
    });
  }
  // What came of it is kUnknown while it waits.
  StatusCode& LetSend(const ActorRef<Party>& who, std::function<PendingSend()> send) {
    auto& told = Keep<StatusCode>();
    told = StatusCode::kUnknown;
    Let(who, [&told, send = std::move(send)](Context& self) {
      send().Then(self, [&told](absl::Status status) { told = status.code(); });
    });
    return told;
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_MESSAGE_PASSING_MESSAGE_PASSING_H_
