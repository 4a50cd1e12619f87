// ./bazelw run //examples:traffic_light
//
// A traffic light at a crossing as a state machine: its states are types, each with its own handlers
// and its own time; a walker's request is remembered by the one and postponed by the others.
#include <iostream>
#include <string_view>

#include "troupe/runtime/manual_scheduler.h"
#include "troupe/troupe.h"

struct PressButton {};
struct HowMany {
  using Reply = int;
};

struct Red {
  absl::Duration timeout = absl::Seconds(20);
};
struct Green {
  absl::Duration timeout = absl::Seconds(60);
  bool asked = false;
};
struct Amber {
  absl::Duration timeout = absl::Seconds(3);
};

class TrafficLight {
 public:
  void OnEnter(Red&, troupe::Context& self) { Show("red", self); }
  void OnEnter(Green&, troupe::Context& self) { Show("green", self); }
  void OnEnter(Amber&, troupe::Context& self) { Show("amber", self); }

  // What a handler returns is the next state. Its timeout begins when it is entered.
  Green On(Red&, troupe::StateTimeout) { return {}; }
  Amber On(Green&, troupe::StateTimeout) { return {}; }
  Red On(Amber&, troupe::StateTimeout) { return {}; }

  void On(Green& now, PressButton, troupe::Context& self) {
    ++walkers_;
    if (now.asked) return;
    now.asked = true;
    state.SetTimeout(absl::Seconds(5), self);  // instead of the rest of the minute
  }
  troupe::Postponed On(Amber&, PressButton);  // waits for Red, and is handled there
  void On(Red&, PressButton) { ++walkers_; }  // walks
  int On(HowMany) { return walkers_; }        // in whatever state

  troupe::StateMachine<Red, Green, Amber> state;  // begins as the first

 private:
  void Show(std::string_view colour, troupe::Context& self) {
    std::cout << absl::FormatTime("%M:%S ", self.Now(), absl::UTCTimeZone()) << colour << "\n";
  }

  int walkers_ = 0;  // for all states
};

int main() {
  troupe::ManualScheduler loop({.start = absl::UnixEpoch()});  // minutes pass at once
  troupe::System system({.scheduler = &loop});
  auto light = system.Spawn<TrafficLight>();

  loop.Advance(absl::Seconds(30));  // green since 00:20
  light.Send(PressButton{});
  light.Send(PressButton{});
  loop.Advance(absl::Seconds(6));  // amber since 00:35
  light.Send(PressButton{});
  loop.Advance(absl::Minutes(2));
  std::cout << light.Ask(HowMany{}).Wait().value() << " walkers\n";
}
