// ./bazelw run //examples:manual_loop          (type some lines, end with Ctrl-D)
//
// Actors inside a loop that the program has already: no threads for them, and one poll() for the
// program's descriptors, for messages and for timers.
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <iostream>
#include <string>
#include <thread>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct Text {
  std::string text;
};
struct Tick {};

class Shouter {
 public:
  void On(Text input) {
    std::ranges::transform(input.text, input.text.begin(),
                           [](unsigned char c) { return std::toupper(c); });
    std::cout << input.text << std::flush;
  }
};

class Clock {
 public:
  void OnStart(troupe::Context& self) {
    self.SendEvery(absl::Milliseconds(100), self.ref(this), Tick{});
  }
  void On(Tick, troupe::Context& self) {
    std::cout << "tick " << ++ticks_ << std::endl;
    if (ticks_ == 3) self.Stop();
  }

 private:
  int ticks_ = 0;
};

// How long poll() may sleep: whole milliseconds, rounded up, and -1 for ever.
int MillisecondsUntil(absl::Time deadline) {
  if (deadline == absl::InfiniteFuture()) return -1;
  absl::Duration left = std::clamp(deadline - absl::Now(), absl::ZeroDuration(), absl::Hours(1));
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))));
}

int main() {
  int wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  troupe::ManualScheduler scheduler({.start = absl::Now()});
  // Called on the thread of a sender: it makes the descriptor readable, and so ends the poll below.
  scheduler.set_on_ready([wake] { eventfd_write(wake, 1); });
  troupe::System system({.scheduler = &scheduler});

  auto shouter = system.Spawn<Shouter>();
  system.Spawn<Clock>();
  std::thread neighbour([shouter] { shouter.Send(Text{"hello from another thread\n"}); });

  pollfd inputs[] = {{wake, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  while (system.stats().live > 0) {
    poll(inputs, 2, MillisecondsUntil(scheduler.next_deadline()));
    eventfd_t senders;
    eventfd_read(wake, &senders);  // before turning: whoever sends from here on wakes the next poll
    if (inputs[1].revents != 0) {
      char buffer[4096];
      ssize_t size = read(STDIN_FILENO, buffer, sizeof buffer);
      if (size > 0) {
        shouter.Send(Text{std::string(buffer, static_cast<size_t>(size))});
      } else {
        inputs[1].fd = -1;  // the end of the input; poll passes over it
        neighbour.join();
        shouter.Stop(troupe::StopWhen::kDrained);
      }
    }
    scheduler.AdvanceTo(absl::Now());  // handles every message, and fires the timers that are due
  }
  close(wake);
}
