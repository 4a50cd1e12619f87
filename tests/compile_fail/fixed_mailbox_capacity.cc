// Gives a FixedMailbox a capacity that is no power of two.
#include "troupe/troupe.h"

struct Tick {
  int number;
};

void Use() { troupe::FixedMailbox<Tick, 1000> ticks; }
