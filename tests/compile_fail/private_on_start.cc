// Has an OnStart that nobody may call, and that would otherwise be passed over without a word.
#include "troupe/troupe.h"

struct Tick {};

class Clock {
 public:
  void On(Tick) {}

 private:
  void OnStart() {}
};

void Use(troupe::System& system) { system.Spawn<Clock>(); }
