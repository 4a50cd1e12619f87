// Limits on who knocks at a node: how often, how many at a time, and with how many file descriptors.
#include "troupe/runtime/bridges/internal/admission.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using internal::Admission;

constexpr absl::Duration kLong = absl::Seconds(60);  // a guard against hanging

TEST(AdmissionTest, ABurstIsLetInAndThenSoManyPerSecond) {
  Admission admission({.handshakes_per_second = 10, .handshake_burst = 3});
  Admission::Clock::time_point now = Admission::Clock::now();
  const auto let_in = [&] {
    int count = 0;
    while (admission.Begin(now).ok()) ++count;
    return count;
  };
  EXPECT_EQ(let_in(), 3);
  now += std::chrono::milliseconds(60);
  EXPECT_EQ(let_in(), 0);
  now += std::chrono::milliseconds(60);  // which makes 1.2
  EXPECT_EQ(let_in(), 1);
  now += std::chrono::milliseconds(190);  // and 0.2 are left
  EXPECT_EQ(let_in(), 2);
  now += std::chrono::hours(1);  // no more than a burst is saved up
  EXPECT_EQ(let_in(), 3);
  EXPECT_EQ(admission.Begin(now).status().code(), absl::StatusCode::kResourceExhausted);
}

TEST(AdmissionTest, HandshakesAtTheSameTimeAreLimited) {
  auto admission = std::make_unique<Admission>(NodeOptions{.max_half_open = 2});
  const auto now = Admission::Clock::now();
  EXPECT_EQ(admission->half_open(), 0u);
  absl::StatusOr<Admission::Pass> first = admission->Begin(now);
  const absl::StatusOr<Admission::Pass> second = admission->Begin(now);
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(admission->half_open(), 2u);
  EXPECT_EQ(admission->Begin(now).status().code(), absl::StatusCode::kResourceExhausted);
  first->reset();
  EXPECT_EQ(admission->half_open(), 1u);
  EXPECT_TRUE(admission->Begin(now).ok());
  admission.reset();  // before the second pass
}

TEST(NodeLimitsTest, WhoKnocksTooOftenIsSentAwayAndToldWhy) {
  System system;
  Node bank(system, {.handshakes_per_second = 0, .handshake_burst = 1});
  Node client(system);
  const auto connect = [&] {
    auto [here, there] = MakeMemoryLink();
    bank.Serve(std::move(there));
    return client.Attach(std::move(here), kLong).Wait();
  };
  const absl::StatusOr<Peer> first = connect();
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = connect().status();
  EXPECT_EQ(second.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(std::string(second.message()), "the peer says: too many handshakes: 0 per second");
  EXPECT_EQ(bank.stats().refused, 1u);
  EXPECT_EQ(bank.stats().last_refusal, "too many handshakes: 0 per second");
  // The first is still there, and is not asked by what it finds.
  EXPECT_TRUE(absl::IsNotFound(first->Find<int>("nobody", kLong).Wait().status()));
}

class CountingCredentials final : public LinkCredentials {
 public:
  std::unique_ptr<Link> Accept(std::unique_ptr<Link> plain) const override {
    ++accepted;
    return plain;
  }
  std::unique_ptr<Link> Connect(std::unique_ptr<Link> plain, std::string_view) const override {
    return plain;
  }
  mutable std::atomic<int> accepted = 0;  // Accept is const
};

TEST(NodeLimitsTest, WhoIsSentAwayCostsNoTls) {
  System system;
  const auto tls = std::make_shared<CountingCredentials>();
  Node bank(system, {.tls = tls, .handshakes_per_second = 0, .handshake_burst = 1});
  Node client(system, {.tls = tls});
  const absl::StatusOr<std::string> at = bank.Listen("tls://127.0.0.1:0");
  ASSERT_TRUE(at.ok()) << at.status();
  Node second_client(system, {.tls = tls});
  EXPECT_TRUE(client.Connect(*at, kLong).Wait().ok());
  EXPECT_FALSE(second_client.Connect(*at, kLong).Wait().ok());
  EXPECT_EQ(bank.stats().refused, 1u);
  EXPECT_EQ(tls->accepted, 1);
}

TEST(NodeLimitsTest, WhoIsSilentTakesTheOnlyPlaceUntilHeGoesAndWhoHasShakenHandsDoesNot) {
  System system;
  Node bank(system, {.max_half_open = 1});
  Node client(system);
  auto [silent, there] = MakeMemoryLink();
  bank.Serve(std::move(there));
  EXPECT_EQ(bank.stats().half_open, 1u);
  const auto connect = [&] {
    auto [mine, theirs] = MakeMemoryLink();
    bank.Serve(std::move(theirs));
    return client.Attach(std::move(mine), kLong).Wait();
  };
  EXPECT_FALSE(connect().ok());
  EXPECT_EQ(bank.stats().last_refusal, "too many handshakes at the same time: 1");
  silent.reset();
  for (int i = 0; i < 3; ++i) {
    while (bank.stats().half_open > 0) std::this_thread::yield();
    const absl::StatusOr<Peer> peer = connect();
    ASSERT_TRUE(peer.ok()) << peer.status();
  }
  EXPECT_EQ(bank.stats().refused, 1u);
}

// ---- file descriptors

int Dial(const std::string& path) {
  const int client = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  std::strncpy(at.sun_path, path.c_str(), sizeof(at.sun_path) - 1);
  if (::connect(client, reinterpret_cast<sockaddr*>(&at), sizeof(at)) != 0) std::exit(2);
  return client;
}

// Exits with 0 if all goes well.
[[noreturn]] void RunOutOfDescriptors() {
  const std::string path = absl::StrCat("/tmp/troupe-admission-test-", ::getpid());
  {
    System system;
    Node bank(system);
    if (!bank.Listen("unix://" + path).ok()) std::exit(3);

    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 100;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<int> taken;
    for (int fd; (fd = ::open("/dev/null", O_RDONLY)) >= 0;) taken.push_back(fd);
    if (taken.empty()) std::exit(4);
    ::close(taken.back());  // for the client's end; then there is none for the bank's
    taken.pop_back();
    const int client = Dial(path);
    while (!absl::StrContains(bank.stats().last_refusal, "Too many open files")) {
      std::this_thread::yield();
    }

    for (const int fd : taken) ::close(fd);
    char byte;
    if (::recv(client, &byte, 1, 0) != 1) std::exit(5);  // of Hello
    ::close(client);
    Node other(system);
    if (!other.Connect("unix://" + path, kLong).Wait().ok()) std::exit(6);
  }
  std::exit(0);
}

// UBSan looks at memory through a pipe, so without file descriptors it takes every object for none.
#if defined(__clang__)
constexpr bool kUbsan = __has_feature(undefined_behavior_sanitizer);
#else
constexpr bool kUbsan = false;
#endif

TEST(FileDescriptorsDeathTest, ANodeThatRunsOutOfThemServesWhoHasWaitedOnceThereAreSome) {
  if (kUbsan) GTEST_SKIP() << "UBSan needs file descriptors itself";
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // from a process that has no threads yet
  EXPECT_EXIT(RunOutOfDescriptors(), testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace troupe
