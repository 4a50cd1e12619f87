// Streams: order, ends, failure and back-pressure.
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using stream::Flow;
using stream::From;
using stream::Generate;
using stream::Source;
using stream::StageOptions;

Source<int> UpTo(int n) { return From(std::views::iota(0, n)); }
std::vector<int> Numbers(int n) {
  const auto numbers = std::views::iota(0, n);
  return {numbers.begin(), numbers.end()};
}

class StreamTest : public Simulated {
 protected:
  // Runs until nobody has anything to do; says how the stream has ended.
  std::optional<Down> EndOf(const Flow& flow) {
    Run();
    auto& end = Keep<std::optional<Down>>();
    struct Watcher {
      std::optional<Down>& end;
      Flow flow;
      void OnStart(Context& self) { self.Watch(flow); }
      void On(Down down) { end = std::move(down); }
    };
    (void)system_.Spawn(Watcher{end, flow});
    Run();
    return end;
  }
  uint64_t live() const { return system_.stats().live; }
};

TEST_F(StreamTest, ElementsComeInOrderThroughAllActors) {
  for (const uint32_t window : {1u, 2u, 3u, 7u, 256u}) {
    const StageOptions options{.window = window};
    auto all = UpTo(1000)
                   .Async(options)
                   .Map([](int n) { return 2 * n; })
                   .Filter([](int n) { return n % 3 == 0; })
                   .Async(options)
                   .Map([](int n) { return std::to_string(n); })
                   .Collect(system_)
                   .Wait();
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->size(), 334u);
    for (int i = 0; i < 334; ++i) EXPECT_EQ((*all)[i], std::to_string(6 * i));
  }
  Run();
  EXPECT_EQ(live(), 0u);
  EXPECT_TRUE(letters_.empty());
}

}  // namespace
}  // namespace troupe
