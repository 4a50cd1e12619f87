// What messages between two processes of this machine cost, by the link that they take.
//
//   ./bazelw run -c opt //tests/bench:links -- one_way link=tls
//
// round_trip   an actor asks one over there, and again when it has the answer
// one_way      a plain thread sends, and an actor there reads a word of every cache line; the time ends when
//              the last has been handled
// idle         N seconds of being connected
//
// prints   workload=W n=N seconds=S ops=N ns_per_op=NS rss_kib=R link=L bytes=B cpu_ns_per_op=C for each size in
// `bytes`, each with two processes of its own; rss_kib is that of the process which sends, cpu_ns_per_op
// what both have used. `pin=1` puts both on one CPU. Compare links with each other, in turn and on an idle
// machine: most of a round trip is the waking of threads.

#include <sched.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "tests/bridges/certificates.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

constexpr absl::Duration kLong = absl::Minutes(10);

struct Setting {
  std::string workload;
  int64_t n = 0;
  std::string link;
  int64_t bytes = 0;
  int workers = 2;
  bool pin = false;
  std::shared_ptr<const LinkCredentials> tls;
};

struct Echo {
  using Reply = std::string;
  std::string payload;
};
struct Parcel {
  std::string payload;
};
struct Count {
  using Reply = int64_t;
};
struct CpuTime {
  using Reply = int64_t;
};

int64_t CpuNanoseconds() {
  timespec used;
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

uint64_t ReadLines(std::string_view bytes) {
  uint64_t sum = 0;
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes.size(); at += 64) {
    uint64_t word;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    sum += word;
  }
  return sum;
}

class Server {
 public:
  std::string On(Echo m) { return std::move(m.payload); }
  void On(const Parcel& m) {
    bytes_ += static_cast<int64_t>(m.payload.size());
    read_ = read_ + ReadLines(m.payload);
  }
  int64_t On(Count) { return bytes_; }
  int64_t On(CpuTime) { return CpuNanoseconds(); }

 private:
  int64_t bytes_ = 0;
  volatile uint64_t read_ = 0;  // so that reading is not optimized away
};
using RemoteServer = Recipient<Echo, Parcel, Count, CpuTime>;

// ---- the process that serves

absl::StatusOr<std::string> Listen(Node& node, const std::string& link) {
  if (link == "unix") return node.Listen(absl::StrCat("unix:///tmp/troupe-links-", ::getpid()));
  return node.Listen(link + "://127.0.0.1:0");
}

// Writes its address, and serves until the other closes its end.
int Serve(const Setting& setting, int write_address, int await_end) {
  System system({.workers = setting.workers});
  Node node(system, {.tls = setting.tls});
  absl::Status status =
      node.Publish<Echo, Parcel, Count, CpuTime>("server", system.Spawn<Server>());
  const absl::StatusOr<std::string> at = Listen(node, setting.link);
  if (status.ok()) status = at.status();
  if (!status.ok()) return 1;
  if (::write(write_address, at->data(), at->size()) < 0) return 1;
  ::close(write_address);
  char byte;
  return ::read(await_end, &byte, 1) == 0 ? 0 : 1;
}

// ---- the process that measures

struct Next {};

class Asker {
 public:
  Asker(RemoteServer server, const Setting& setting, Measurement& measurement)
      : server_(server),
        payload_(static_cast<size_t>(setting.bytes), 'x'),
        left_(setting.n),
        measurement_(measurement) {}

  void On(Next, Context& self) {
    server_.Ask(Echo{payload_}, kLong)
        .Then(self, [this, me = self.ref(this)](absl::StatusOr<std::string> answer) {
          if (!answer.ok() || answer->size() != payload_.size()) return measurement_.End(left_);
          if (--left_ == 0) return measurement_.End(0);
          me.Send(Next{});
        });
  }

 private:
  const RemoteServer server_;
  const std::string payload_;
  int64_t left_;
  Measurement& measurement_;
};

absl::Status RoundTrip(const Setting& setting, System& system, const RemoteServer& server,
                       Measurement& measurement) {
  const auto asker = system.Spawn<Asker>(server, setting, measurement);
  measurement.Begin();
  asker.Send(Next{});
  return Expect("asks without an answer", measurement.Await(), 0);
}

absl::Status OneWay(const Setting& setting, const RemoteServer& server, Measurement& measurement) {
  const std::string payload(static_cast<size_t>(setting.bytes), 'x');
  measurement.Begin();
  for (int64_t i = 0; i < setting.n; ++i) server.Send(Parcel{payload});
  // An ask does not wait for room.
  absl::StatusOr<int64_t> count;
  do {
    count = server.Ask(Count{}, kLong).Wait();
  } while (absl::IsResourceExhausted(count.status()));
  if (!count.ok()) return count.status();
  measurement.End(*count);
  return Expect("bytes that have arrived", measurement.Await(), setting.n * setting.bytes);
}

absl::Status Idle(const Setting& setting, Measurement& measurement) {
  measurement.Begin();
  absl::SleepFor(absl::Seconds(setting.n));
  measurement.End(0);
  return Expect("nothing", measurement.Await(), 0);
}

absl::StatusOr<int64_t> CpuOfBoth(const RemoteServer& server) {
  const absl::StatusOr<int64_t> there = server.Ask(CpuTime{}, kLong).Wait();
  if (!there.ok()) return there.status();
  return *there + CpuNanoseconds();
}

// Returns the time of CPUs that both processes have used meanwhile.
absl::StatusOr<int64_t> Measure(const Setting& setting, const std::string& address,
                                Measurement& measurement) {
  System system({.workers = setting.workers});
  Node node(system, {.tls = setting.tls});
  const absl::StatusOr<Peer> peer = node.Connect(address, kLong).Wait();
  if (!peer.ok()) return peer.status();
  const auto server = peer->Find<Echo, Parcel, Count, CpuTime>("server", kLong).Wait();
  if (!server.ok()) return server.status();
  const absl::StatusOr<int64_t> before = CpuOfBoth(*server);
  if (!before.ok()) return before;
  absl::Status status = setting.workload == "one_way" ? OneWay(setting, *server, measurement)
                        : setting.workload == "idle"
                            ? Idle(setting, measurement)
                            : RoundTrip(setting, system, *server, measurement);
  if (!status.ok()) return status;
  const absl::StatusOr<int64_t> after = CpuOfBoth(*server);
  if (!after.ok()) return after;
  return *after - *before;
}

std::string ReadAll(int from) {
  std::array<char, 256> bytes;
  std::string all;
  for (ssize_t got; (got = ::read(from, bytes.data(), bytes.size())) > 0;) {
    all.append(bytes.data(), static_cast<size_t>(got));
  }
  return all;
}

int Run(const Setting& setting, const std::string& numbers) {
  std::array<int, 2> address;
  std::array<int, 2> end;
  if (::pipe(address.data()) != 0 || ::pipe(end.data()) != 0) return 1;
  const pid_t server = ::fork();  // before there are any threads
  if (server == 0) {
    ::close(end[1]);
    std::_Exit(Serve(setting, address[1], end[0]));
  }
  ::close(address[1]);
  Measurement measurement;
  const absl::StatusOr<int64_t> cpu = Measure(setting, ReadAll(address[0]), measurement);
  ::close(end[1]);
  ::waitpid(server, nullptr, 0);
  if (!cpu.ok()) {
    std::fprintf(stderr, "ERROR workload=%s %s\n", setting.workload.c_str(),
                 std::string(cpu.status().message()).c_str());
    return 1;
  }
  const auto ops = static_cast<double>(setting.n);
  std::printf(
      "workload=%s n=%s seconds=%.6f ops=%lld ns_per_op=%.2f rss_kib=%lld link=%s bytes=%lld "
      "cpu_ns_per_op=%.0f\n",
      setting.workload.c_str(), numbers.c_str(), measurement.seconds(),
      static_cast<long long>(setting.n), measurement.seconds() * 1e9 / ops,
      static_cast<long long>(StatusKib("VmHWM")), setting.link.c_str(),
      static_cast<long long>(setting.bytes), static_cast<double>(*cpu) / ops);
  std::fflush(stdout);  // the next size is another process
  return 0;
}

absl::Status Check(const Setting& setting) {
  if (setting.workload != "round_trip" && setting.workload != "one_way" &&
      setting.workload != "idle") {
    return absl::InvalidArgumentError(absl::StrCat("no such workload: ", setting.workload));
  }
  if (setting.link != "unix" && setting.link != "tcp" && setting.link != "tls") {
    return absl::InvalidArgumentError(absl::StrCat("no such link: ", setting.link));
  }
  if (setting.n < 1 || setting.bytes < 0 || setting.workers < 1) {
    return absl::InvalidArgumentError("a number is too small");
  }
  return absl::OkStatus();
}

int Explain(const absl::Status& status) {
  std::fprintf(stderr,
               "%s\n\nusage: links round_trip|one_way|idle [N] [link=unix|tcp|tls] "
               "[bytes=8,64,1024,65536] [workers=2] [pin=0]\n",
               std::string(status.message()).c_str());
  return 2;
}

// Enough for a second or two.
int64_t EnoughOf(const Setting& setting) {
  if (setting.workload == "idle") return 5;
  if (setting.workload == "round_trip") return 20'000;
  return std::min<int64_t>(2'000'000, (int64_t{2} << 30) / (setting.bytes + 1));
}

void Pin() {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  ::sched_setaffinity(0, sizeof(one), &one);
}

int RunAll(Setting setting, const Arguments& arguments) {
  const std::string sizes =
      arguments.Option("bytes", setting.workload == "idle" ? "0" : "8,64,1024,65536");
  const std::vector<std::string> each = absl::StrSplit(sizes, ',');
  for (const std::string& size : each) {
    absl::Status status = absl::InvalidArgumentError("no number of bytes");
    if (absl::SimpleAtoi(size, &setting.bytes)) {
      setting.n = arguments.numbers().empty() ? EnoughOf(setting) : arguments.numbers().front();
      status = Check(setting);
    }
    if (!status.ok()) return Explain(status);
    if (const int failed = Run(setting, absl::StrCat(setting.n)); failed != 0) return failed;
  }
  return 0;
}

int Main(std::vector<std::string> words) {
  Setting setting;
  if (!words.empty()) {
    setting.workload = words.front();
    words.erase(words.begin());
  }
  absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(1, {"link", "bytes", "workers", "pin"});
  if (!status.ok()) return Explain(status);
  setting.link = arguments->Option("link", "unix");
  setting.workers = static_cast<int>(arguments->NumberOption("workers", 2));
  setting.pin = arguments->NumberOption("pin", 0) != 0;
  if (setting.link == "tls") setting.tls = Authority().Credentials();
  if (setting.pin) Pin();
  return RunAll(setting, *arguments);
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
