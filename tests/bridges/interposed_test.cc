// What the C library does to a node: a clock that is set, names of hosts that nobody answers for. The functions here
// take the place of its own in this program.
#include <gtest/gtest.h>
#include <netdb.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace {

std::atomic<int64_t> wall_clock_is_ahead_by{0};  // seconds

// Names under .unanswered are looked up until the last test is over.
std::mutex lookups_mutex;
std::condition_variable lookups_changed;
int lookups = 0;
bool is_over = false;

void AwaitLookups(int count) {
  std::unique_lock lock(lookups_mutex);
  lookups_changed.wait(lock, [&] { return lookups == count; });
}
void EndLookups() {
  {
    std::lock_guard lock(lookups_mutex);
    is_over = true;
    lookups_changed.notify_all();
  }
  AwaitLookups(0);
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const auto result = static_cast<int>(::syscall(SYS_clock_gettime, clock, now));
  if (clock == CLOCK_REALTIME) now->tv_sec += wall_clock_is_ahead_by.load();
  return result;
}

extern "C" int getaddrinfo(const char* host, const char* /*port*/, const addrinfo* /*wanted*/,
                           addrinfo** /*found*/) {
  if (!std::string_view(host).ends_with(".unanswered")) return EAI_NONAME;
  std::unique_lock lock(lookups_mutex);
  ++lookups;
  lookups_changed.notify_all();
  lookups_changed.wait(lock, [] { return is_over; });
  --lookups;
  lookups_changed.notify_all();
  return EAI_AGAIN;
}

namespace troupe {
namespace {

struct Question {
  using Reply = std::string;
  std::string text;
};
struct Later {
  using Reply = std::string;
  absl::Duration delay;
};

// Answers at once, or after a timer.
struct Desk {
  struct Now {
    int which;
  };
  std::string On(const Question& question) { return question.text; }
  void On(Later later, Reply<std::string> reply, Context& self) {
    waiting.push_back(std::move(reply));
    self.SendAfter(later.delay, self.ref(this), Now{static_cast<int>(waiting.size()) - 1});
  }
  void On(Now now) { waiting[now.which].Send("later"); }

  std::vector<Reply<std::string>> waiting = {};
};

int64_t WallSeconds() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

TEST(ClockTest, AWallClockThatIsSetHarmsNoConnectionAndNoDeadline) {
  const std::string path = absl::StrCat("/tmp/troupe-interposed-test-", ::getpid());
  System bank_system, client_system;
  Node bank(bank_system,
            {.heartbeat_interval = absl::Milliseconds(20), .heartbeat_timeout = absl::Seconds(60)});
  Node client(client_system, {.heartbeat_interval = absl::Milliseconds(20),
                              .heartbeat_timeout = absl::Seconds(60)});
  ASSERT_TRUE((bank.Publish<Question, Later>("desk", bank_system.Spawn<Desk>()).ok()));
  ASSERT_TRUE(bank.Listen(absl::StrCat("unix://", path)).ok());
  const auto peer = client.Connect(absl::StrCat("unix://", path), kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const auto desk = peer->Find<Question, Later>("desk", kLong).Wait();
  ASSERT_TRUE(desk.ok()) << desk.status();
  const int64_t began = WallSeconds();
  for (const int64_t hours : {+24, -24, +1000, 0}) {
    // Begun before the clock is set, and answered after.
    auto later = desk->Ask(Later{absl::Milliseconds(30)}, absl::Minutes(1));
    auto answer = std::async(std::launch::async, [&] { return std::move(later).Wait(); });
    wall_clock_is_ahead_by.store(hours * 3600);
    EXPECT_NEAR(static_cast<double>(WallSeconds() - began), static_cast<double>(hours * 3600),
                3000);
    EXPECT_EQ(answer.get().value_or("no answer"), "later");
    EXPECT_EQ(desk->Ask(Question{"well?"}, absl::Minutes(1)).Wait().value_or("no answer"), "well?");
  }
  auto later = desk->Ask(Later{absl::Milliseconds(30)}, absl::Minutes(1));
  auto answer = std::async(std::launch::async, [&] { return std::move(later).Wait(); });
  auto drained = std::async(std::launch::async, [&] { return client.Drain(absl::Minutes(1)); });
  wall_clock_is_ahead_by.store(1000 * 3600);
  EXPECT_EQ(drained.get(), absl::OkStatus());
  answer.wait();
  wall_clock_is_ahead_by.store(0);
}

TEST(LookupTest, NobodyWaitsForANameThatNobodyAnswersFor) {
  System system;
  auto node = std::make_unique<Node>(system);
  // Given up by its own time, by ~Node, or not begun: there are too many.
  const auto late = node->Connect("tcp://a.unanswered:1", absl::Milliseconds(20)).Wait().status();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late)) << late;
  std::vector<std::future<absl::Status>> dials;
  for (int i = 0; i < 15; ++i) {
    dials.push_back(std::async(std::launch::async, [&] {
      return node->Connect("tcp://b.unanswered:1", absl::InfiniteDuration()).Wait().status();
    }));
  }
  AwaitLookups(16);
  const auto refused = node->Connect("tcp://c.unanswered:1", kLong).Wait().status();
  EXPECT_TRUE(absl::IsResourceExhausted(refused)) << refused;
  node.reset();
  for (auto& dial : dials) {
    const absl::Status ended = dial.get();
    EXPECT_FALSE(ended.ok());
    EXPECT_FALSE(absl::IsDeadlineExceeded(ended)) << ended;
  }
  AwaitLookups(16);  // still
  EndLookups();

  Node other(system);
  const auto nobody = other.Connect("tcp://no.such.host:1", kLong).Wait().status();
  EXPECT_NE(nobody.message().find("no such host"), std::string_view::npos) << nobody;
}

}  // namespace
}  // namespace troupe
