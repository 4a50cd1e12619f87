// What an actor has to do with others, beyond what those take themselves.
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/memory/footprints.h"
#include "troupe/troupe.h"

namespace troupe::bench {
namespace {

struct Item {
  int64_t value;
};
class Idler {
 public:
  void On(Item item) { value_ = item.value; }

 private:
  int64_t value_ = 0;
};
struct Begin {};

// By how much `act`, in a handler of an actor, lets the resident set grow, beyond `others` actors that
// are there before.
template <class Act>
absl::StatusOr<int64_t> GrowthBy(int64_t others, Act act) {
  ManualScheduler loop;
  System system({.scheduler = &loop});
  std::vector<ActorRef<Idler>> idle(others);
  for (ActorRef<Idler>& who : idle) who = system.Spawn<Idler>();
  loop.RunUntilIdle();
  absl::Status status;
  auto actor = system.Spawn([&](Begin, Context& self) { status = act(self, idle); });
  actor.Send(Begin{});
  const int64_t before = StatusKib("VmRSS");
  loop.RunUntilIdle();
  const int64_t grown = StatusKib("VmRSS") - before;
  if (!status.ok()) return status;
  return grown;
}

}  // namespace

absl::StatusOr<int64_t> Watched(int64_t n) {
  return GrowthBy(n, [](Context& self, const std::vector<ActorRef<Idler>>& idle) {
    for (const auto& who : idle) self.Watch(who);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Linked(int64_t n) {
  return GrowthBy(n, [](Context& self, const std::vector<ActorRef<Idler>>& idle) {
    for (const auto& who : idle) self.Link(who);
    return absl::OkStatus();
  });
}

absl::StatusOr<int64_t> Child(int64_t n) {
  return GrowthBy(0, [n](Context& self, const auto&) {
    for (int64_t i = 0; i < n; ++i) self.Spawn<Idler>();
    return absl::OkStatus();
  });
}

// Names of some 12 bytes, all of one actor.
absl::StatusOr<int64_t> Named(int64_t n) {
  return GrowthBy(1, [n](Context& self, const std::vector<ActorRef<Idler>>& idle) {
    absl::Status status;
    for (int64_t i = 0; i < n; ++i) {
      status.Update(self.Bind<Item>("name" + std::to_string(i), idle.front()));
    }
    return status;
  });
}

}  // namespace troupe::bench
