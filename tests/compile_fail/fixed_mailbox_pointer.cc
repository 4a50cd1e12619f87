// Sends a pointer, which means nothing elsewhere, through a FixedMailbox.
#include "troupe/troupe.h"

struct Named {
  const char* name;
};

void Use() { troupe::FixedMailbox<Named, 4> names; }
