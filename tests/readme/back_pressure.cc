// Mailboxes with a capacity.
#include <iostream>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Frame {
  int number;
};

struct Screen {
  void On(Frame frame) { std::cout << "frame " << frame.number << "\n"; }
};

int main() {
  troupe::ManualScheduler loop;  // the screen gets no turn before all frames are sent
  troupe::System system({.scheduler = &loop});
  // clang-format off
  // ---- README
  auto screen = system.Spawn<Screen>({.capacity = 2, .when_full = troupe::WhenFull::kDropOldest});
  for (int i = 1; i <= 5; ++i) screen.Send(Frame{i});      // 4 and 5 are shown

  auto strict = system.Spawn<Screen>({.capacity = 2, .when_full = troupe::WhenFull::kFail});
  for (int i = 1; i <= 5; ++i) {
    if (strict.Send(Frame{i}) == troupe::SendResult::kFull) std::cout << i << " refused\n";
  }                                                        // kBlock, the default: Send waits
  loop.RunUntilIdle();
  std::cout << system.stats().dead_letters_total() << " dead letters\n";   // none is lost in secret
  // ---- README
  // clang-format on
}
