// Names a message of a probe twice.
#include "troupe/testing/probe.h"

struct Ship {};

void Use(troupe::testing::TestSystem& system) {
  troupe::testing::Probe<Ship, Ship> warehouse(system);
}
