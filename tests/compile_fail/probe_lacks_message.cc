// Expects a message of a probe that does not take it.
#include "troupe/testing/probe.h"

struct Ship {};
struct Refund {};

void Use(troupe::testing::Probe<Ship>& warehouse) { (void)warehouse.Expect<Refund>(); }
