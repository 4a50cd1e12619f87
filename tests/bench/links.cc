// What messages between two processes of this machine cost, by the link that they take.
//
//   ./bazelw run -c opt //tests/bench:links -- round_trip 20000 link=tls bytes=64
//
// round_trip   an actor asks one over there, and again when it has the answer
// one_way      a plain thread sends; the time ends when the last has been handled
//
// prints   workload=W n=N seconds=S ops=N ns_per_op=NS rss_kib=R link=L bytes=B where rss_kib is that
// of the process which sends. Compare links with each other, in turn and on an idle machine: most of a
// round trip is the waking of threads.

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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

class Server {
 public:
  std::string On(Echo m) { return std::move(m.payload); }
  void On(const Parcel& m) { bytes_ += static_cast<int64_t>(m.payload.size()); }
  int64_t On(Count) { return bytes_; }

 private:
  int64_t bytes_ = 0;
};
using RemoteServer = Recipient<Echo, Parcel, Count>;

// ---- the process that serves

absl::StatusOr<std::string> Listen(Node& node, const std::string& link) {
  if (link == "unix") return node.Listen(absl::StrCat("unix:///tmp/troupe-links-", ::getpid()));
  return node.Listen(link + "://127.0.0.1:0");
}

// Writes its address, and serves until the other closes its end.
int Serve(const Setting& setting, int write_address, int await_end) {
  System system({.workers = setting.workers});
  Node node(system, {.tls = setting.tls});
  absl::Status status = node.Publish<Echo, Parcel, Count>("server", system.Spawn<Server>());
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

absl::Status Measure(const Setting& setting, const std::string& address, Measurement& measurement) {
  System system({.workers = setting.workers});
  Node node(system, {.tls = setting.tls});
  const absl::StatusOr<Peer> peer = node.Connect(address, kLong).Wait();
  if (!peer.ok()) return peer.status();
  const auto server = peer->Find<Echo, Parcel, Count>("server", kLong).Wait();
  if (!server.ok()) return server.status();
  return setting.workload == "one_way" ? OneWay(setting, *server, measurement)
                                       : RoundTrip(setting, system, *server, measurement);
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
  const absl::Status status = Measure(setting, ReadAll(address[0]), measurement);
  ::close(end[1]);
  ::waitpid(server, nullptr, 0);
  if (!status.ok()) {
    std::fprintf(stderr, "ERROR workload=%s %s\n", setting.workload.c_str(),
                 std::string(status.message()).c_str());
    return 1;
  }
  std::printf(
      "workload=%s n=%s seconds=%.6f ops=%lld ns_per_op=%.2f rss_kib=%lld link=%s bytes=%lld\n",
      setting.workload.c_str(), numbers.c_str(), measurement.seconds(),
      static_cast<long long>(setting.n),
      measurement.seconds() * 1e9 / static_cast<double>(setting.n),
      static_cast<long long>(StatusKib("VmHWM")), setting.link.c_str(),
      static_cast<long long>(setting.bytes));
  return 0;
}

absl::Status Check(const Setting& setting) {
  if (setting.workload != "round_trip" && setting.workload != "one_way") {
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

int Main(std::vector<std::string> words) {
  Setting setting;
  if (!words.empty()) {
    setting.workload = words.front();
    words.erase(words.begin());
  }
  absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(1, {"link", "bytes", "workers"});
  if (status.ok()) {
    setting.n = arguments->Number(0, 20'000);
    setting.link = arguments->Option("link", "unix");
    setting.bytes = arguments->NumberOption("bytes", 64);
    setting.workers = static_cast<int>(arguments->NumberOption("workers", 2));
    status = Check(setting);
  }
  if (!status.ok()) {
    std::fprintf(stderr,
                 "%s\n\nusage: links round_trip|one_way [N] [link=unix|tcp|tls] [bytes=64] "
                 "[workers=2]\n",
                 std::string(status.message()).c_str());
    return 2;
  }
  if (setting.link == "tls") setting.tls = Authority().Credentials();
  return Run(setting, arguments->Numbers());
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
