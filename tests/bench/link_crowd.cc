// What a node costs that many others are connected to, and how much it gets done.
//
//   ./bazelw run -c opt //tests/bench:link_crowd -- 1000 depth=16 seconds=2
//
// One process serves. The other makes N TCP connections, speaks the protocol by hand over each, which costs less than
// to be a node N times, and on each keeps `depth` asks of 64 bytes on their way.
//
// prints   connections=N depth=D seconds=S echoes=E echoes_per_s=R server_cpu_ns=C server_kib=K
// bytes_per_connection=B   where C is what the server has used per echo, K its memory without connections and B how
// much more each connection took while it was in use.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/hello.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

struct Echo {
  using Reply = std::string;
  std::string payload;
};
class Server {
 public:
  std::string On(Echo m) { return std::move(m.payload); }
};

// ---- the process that serves

int Serve(int write_address, uint32_t connections) {
  System system({.workers = 2});
  Node node(system, {.max_connections = connections + 1,
                     .handshakes_per_second = connections,
                     .handshake_burst = connections,
                     .max_half_open = connections});
  if (!node.Publish<Echo>("server", system.Spawn<Server>()).ok()) return 1;
  const absl::StatusOr<std::string> at = node.Listen("tcp://127.0.0.1:0");
  if (!at.ok() || ::write(write_address, at->data(), at->size()) < 0) return 1;
  ::close(write_address);
  for (;;) ::pause();  // until it is killed
}

int64_t CpuOf(pid_t process) {
  clockid_t clock;
  timespec used{};
  if (::clock_getcpuclockid(process, &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
  return int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

int64_t ResidentKib(pid_t process) {
  std::ifstream status(absl::StrCat("/proc/", process, "/status"));
  int64_t kib = 0;
  for (std::string line; std::getline(status, line);) {
    if (absl::StartsWith(line, "VmRSS:")) {
      line = line.substr(6, line.find("kB") - 6);
      (void)absl::SimpleAtoi(line, &kib);
    }
  }
  return kib;
}

// ---- the process that asks

class Caller {
 public:
  Caller(uint16_t port, uint64_t number) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(port);
    const int one = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0) failed_ = true;
    Write(MakeFrame({.kind = FrameKind::kHello, .lane = Lane::kControl},
                    Encode(internal::Hello{.node_high = 1,
                                           .node_low = number,
                                           .name = "caller",
                                           .max_frame = 65536,
                                           .window = 65536})));
    const std::vector<uint64_t> types{MessageHash(TypeName<Echo>())};
    Write(MakeFrame({.kind = FrameKind::kFind, .correlation = ++asked_},
                    Encode(std::pair(std::string("server"), types))));
  }
  ~Caller() { ::close(socket_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  int socket() const { return socket_; }
  bool failed() const { return failed_; }
  bool has_found() const { return found_; }

  // Returns how many answers were there.
  int Read() {
    std::array<char, 16384> bytes;
    const ssize_t got = ::recv(socket_, bytes.data(), bytes.size(), 0);
    if (got <= 0) failed_ = true;
    if (got <= 0) return 0;
    int answers = 0;
    const absl::Status read =
        reader_.Read({bytes.data(), static_cast<size_t>(got)}, [&](const Frame& frame) {
          if (frame.header.kind == FrameKind::kBye) failed_ = true;
          if (frame.header.kind == FrameKind::kAnswer) {
            found_ ? static_cast<void>(++answers) : TakeRef(frame.payload);
          }
          return absl::OkStatus();
        });
    if (!read.ok()) failed_ = true;
    return answers;
  }

  void Ask(int count) {
    static const std::string payload = Encode(Echo{std::string(64, 'x')});
    std::string frames;
    for (; count > 0; --count) {
      frames += MakeFrame({.kind = FrameKind::kRequest,
                           .target = server_.id,
                           .incarnation = server_.incarnation,
                           .correlation = ++asked_,
                           .type = MessageHash(TypeName<Echo>())},
                          payload);
    }
    if (!frames.empty()) Write(frames);
  }

 private:
  void Write(std::string_view bytes) {
    if (::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(bytes.size())) {
      failed_ = true;
    }
  }
  void TakeRef(std::string_view payload) {
    const auto answer = Decode<std::pair<int, internal::WireRef>>(payload);
    found_ = answer.ok();
    if (found_) server_ = answer->second;
    if (!found_) failed_ = true;
  }

  const int socket_;
  FrameReader reader_{65536};
  internal::WireRef server_;
  uint64_t asked_ = 0;
  bool found_ = false;
  bool failed_ = false;
};

struct Outcome {
  int64_t echoes = 0;
  double seconds = 0;
  int64_t cpu_ns = 0;
  int64_t kib_before = 0;
  int64_t kib = 0;
};

absl::StatusOr<Outcome> Measure(uint16_t port, int64_t connections, int depth, int64_t seconds,
                                pid_t server) {
  using Clock = std::chrono::steady_clock;
  Outcome outcome{.kib_before = ResidentKib(server)};
  std::vector<std::unique_ptr<Caller>> callers;
  const int poll = ::epoll_create1(0);
  for (int64_t i = 0; i < connections; ++i) {
    callers.push_back(std::make_unique<Caller>(port, static_cast<uint64_t>(i + 1)));
    Caller& caller = *callers.back();
    while (!caller.has_found() && !caller.failed()) caller.Read();
    epoll_event readable{.events = EPOLLIN, .data = {.ptr = &caller}};
    ::epoll_ctl(poll, EPOLL_CTL_ADD, caller.socket(), &readable);
    if (caller.failed()) return absl::UnavailableError(absl::StrCat("connection ", i, " failed"));
  }
  const int64_t cpu = CpuOf(server);
  const Clock::time_point begin = Clock::now();
  for (const auto& caller : callers) caller->Ask(depth);
  std::array<epoll_event, 256> ready;
  while (Clock::now() - begin < std::chrono::seconds(seconds)) {
    const int count = ::epoll_wait(poll, ready.data(), ready.size(), 1000);
    for (int i = 0; i < count; ++i) {
      auto& caller = *static_cast<Caller*>(ready[i].data.ptr);
      const int answers = caller.Read();
      caller.Ask(answers);
      outcome.echoes += answers;
      if (caller.failed()) return absl::UnavailableError("a connection was cut");
    }
  }
  outcome.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  outcome.cpu_ns = CpuOf(server) - cpu;
  outcome.kib = ResidentKib(server);
  ::close(poll);
  return outcome;
}

int Run(int64_t connections, int depth, int64_t seconds) {
  rlimit files{.rlim_cur = 20000, .rlim_max = 20000};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &files);
  }
  std::array<int, 2> address;
  if (::pipe(address.data()) != 0) return 1;
  const pid_t server = ::fork();  // before there are any threads
  if (server == 0) std::_Exit(Serve(address[1], static_cast<uint32_t>(connections)));
  ::close(address[1]);
  std::array<char, 64> at;
  const ssize_t size = ::read(address[0], at.data(), at.size());
  const std::string name(at.data(), size > 0 ? static_cast<size_t>(size) : 0);
  uint32_t port = 0;
  absl::StatusOr<Outcome> outcome = absl::UnavailableError("no server");
  if (absl::SimpleAtoi(name.substr(name.rfind(':') + 1), &port)) {
    outcome = Measure(static_cast<uint16_t>(port), connections, depth, seconds, server);
  }
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  if (!outcome.ok() || outcome->echoes == 0) {
    std::fprintf(stderr, "ERROR %s\n", std::string(outcome.status().message()).c_str());
    return 1;
  }
  const auto echoes = static_cast<double>(outcome->echoes);
  std::printf(
      "connections=%lld depth=%d seconds=%.3f echoes=%lld echoes_per_s=%.0f server_cpu_ns=%.0f "
      "server_kib=%lld bytes_per_connection=%lld\n",
      static_cast<long long>(connections), depth, outcome->seconds,
      static_cast<long long>(outcome->echoes), echoes / outcome->seconds,
      static_cast<double>(outcome->cpu_ns) / echoes, static_cast<long long>(outcome->kib_before),
      static_cast<long long>((outcome->kib - outcome->kib_before) * 1024 / connections));
  return 0;
}

int Main(const std::vector<std::string>& words) {
  absl::StatusOr<Arguments> arguments = Arguments::Parse(words);
  absl::Status status = arguments.status();
  if (status.ok()) status = arguments->Allow(1, {"depth", "seconds"});
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n\nusage: link_crowd [CONNECTIONS] [depth=1] [seconds=2]\n",
                 std::string(status.message()).c_str());
    return 2;
  }
  return Run(arguments->Number(0, 1000), static_cast<int>(arguments->NumberOption("depth", 1)),
             arguments->NumberOption("seconds", 2));
}

}  // namespace
}  // namespace troupe::bench

int main(int argc, char** argv) { return troupe::bench::Main({argv + 1, argv + argc}); }
