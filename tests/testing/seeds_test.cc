#include "troupe/testing/seeds.h"

#include <cstdint>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest-spi.h"
#include "gtest/gtest.h"
#include "troupe/testing/matchers.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace troupe::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

TEST(ForEachSeedTest, RunsTheBodyWithEachSeed) {
  std::vector<uint64_t> seeds;
  EXPECT_THAT(ForEachSeed(3,
                          [&](uint64_t seed) {
                            seeds.push_back(seed);
                            return absl::OkStatus();
                          }),
              IsOk());
  EXPECT_THAT(seeds, ElementsAre(0, 1, 2));
}

TEST(ForEachSeedTest, StopsAtTheFirstErrorAndNamesItsSeed) {
  int runs = 0;
  EXPECT_THAT(ForEachSeed(100,
                          [&](uint64_t seed) {
                            ++runs;
                            return seed == 17 ? absl::DataLossError("the order was b, a")
                                              : absl::OkStatus();
                          }),
              StatusIs(absl::StatusCode::kDataLoss, "seed 17: the order was b, a"));
  EXPECT_EQ(runs, 18);
}

TEST(ForEachSeedTest, RefusesToRunNothing) {
  const auto unreached = [](uint64_t) { return absl::InternalError("ran"); };
  EXPECT_THAT(ForEachSeed(0, unreached), StatusIs(absl::StatusCode::kInvalidArgument,
                                                  "ForEachSeed: count must be at least 1"));
  EXPECT_THAT(ForEachSeed(-1, unreached), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST(ForEachSeedTest, WhatTheBodyThrowsComesOut) {
  EXPECT_THROW((void)ForEachSeed(
                   1, [](uint64_t) -> absl::Status { throw std::runtime_error("broken test"); }),
               std::runtime_error);
}

TEST(ForEachSeedTest, FindsBothOrdersOfTwoSenders) {
  struct Go {};
  std::set<std::string> orders;
  ForEachSeed(20, [&](uint64_t seed) {
    TestSystem system({.seed = seed, .on_complaint = FailTest});
    Probe<std::string> log(system);
    for (const char* name : {"a", "b"}) {
      system.Spawn([name, to = log.ref()](Go) { to.Send(std::string(name)); }).Send(Go{});
    }
    std::string order;
    for (const std::string& name : log.ReceiveAll<std::string>()) order += name;
    orders.insert(order);
  });
  EXPECT_THAT(orders, UnorderedElementsAre("ab", "ba"));
}

TEST(ForEachSeedOfExpectationsTest, AFailureNamesItsSeed) {
  EXPECT_NONFATAL_FAILURE(ForEachSeed(20, [](uint64_t seed) { EXPECT_NE(seed, 17u); }), "seed 17");
}

// In a process of its own, which may fail.
TEST(ForEachSeedOfExpectationsDeathTest, NoSeedIsRunAfterAFailure) {
  const auto seeds_run = [] {
    int runs = 0;
    ForEachSeed(20, [&](uint64_t seed) {
      ++runs;
      EXPECT_NE(seed, 4u);
    });
    return runs;
  };
  EXPECT_EXIT(std::_Exit(seeds_run()), ::testing::ExitedWithCode(5), "");
}

TEST(ForEachSeedOfExpectationsTest, RefusesToRunNothing) {
  static int runs = 0;  // the statement below sees no local variable
  EXPECT_NONFATAL_FAILURE(ForEachSeed(0, [](uint64_t) { ++runs; }),
                          "ForEachSeed: count must be at least 1");
  EXPECT_EQ(runs, 0);
}

}  // namespace
}  // namespace troupe::testing
