// What a supervisor says of the options of its children.
#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/diarist.h"
#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using ChildOptionsTest = Simulated;

TEST_F(ChildOptionsTest, ASupervisorTellsWhatWasChosenForAChildByNameOrRef) {
  auto& log = Keep<Log>();
  SupervisorTree tree(system_);
  auto child = tree.Add<Diarist>({.name = "a",
                                  .restart = Restart::kTransient,
                                  .shutdown = absl::Seconds(7),
                                  .actor = {.capacity = 9}},
                                 "a", std::ref(log));
  auto supervisor = tree.Start();
  Run();
  for (const ChildKey& key : {ChildKey("a"), ChildKey(AnyRef(child))}) {
    const absl::StatusOr<ChildOptions> options = supervisor.Ask(GetChildOptions{key}).Wait();
    ASSERT_TRUE(options.ok()) << options.status();
    EXPECT_EQ(options->name, "a");
    EXPECT_EQ(options->restart, Restart::kTransient);
    EXPECT_EQ(options->shutdown, absl::Seconds(7));
    EXPECT_EQ(options->actor.capacity, 9u);
  }
  EXPECT_TRUE(absl::IsNotFound(supervisor.Ask(GetChildOptions{"b"}).Wait().status()));
}

TEST_F(ChildOptionsTest, OfAChildThatHasEndedTheOptionsAreStillKnown) {
  auto& log = Keep<Log>();
  SupervisorTree tree(system_);
  tree.Add<Diarist>({.name = "a"}, "a", std::ref(log));
  auto supervisor = tree.Start();
  Run();
  ASSERT_TRUE(supervisor.Ask(TerminateChild{"a"}).Wait().ok());
  EXPECT_TRUE(supervisor.Ask(GetChildOptions{"a"}).Wait().ok());
  ASSERT_TRUE(supervisor.Ask(DeleteChild{"a"}).Wait().ok());
  EXPECT_TRUE(absl::IsNotFound(supervisor.Ask(GetChildOptions{"a"}).Wait().status()));
}

TEST(CheckChildOptionsTest, WhatIsRightIsRight) {
  EXPECT_TRUE(CheckChildOptions({}).ok());
  EXPECT_TRUE(CheckChildOptions({{.name = "a"}, {.name = "b"}, {}, {}}).ok());
}

TEST(CheckChildOptionsTest, WhatIsWrongIsSaidWithTheChild) {
  const absl::Status twice = CheckChildOptions({{.name = "a"}, {.name = "a"}});
  EXPECT_EQ(twice, absl::AlreadyExistsError("child 2 \"a\": another one has this name"));
  const absl::Status capacity = CheckChildOptions({{.name = "a", .actor = {.capacity = 0}}});
  EXPECT_EQ(capacity,
            absl::InvalidArgumentError("child 1 \"a\": ActorOptions::capacity must be at least 1"));
  const ChildOptions significant{.restart = Restart::kTransient, .significant = true};
  EXPECT_FALSE(CheckChildOptions({significant}).ok());
  EXPECT_TRUE(
      CheckChildOptions({significant}, {.auto_shutdown = AutoShutdown::kAnySignificant}).ok());
}

}  // namespace
}  // namespace troupe
