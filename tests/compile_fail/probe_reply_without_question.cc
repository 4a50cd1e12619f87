// Has a probe answer a message that is no question.
#include "troupe/testing/probe.h"

struct Ship {};

void Use(troupe::testing::Probe<Ship>& warehouse) { warehouse.ReplyWith<Ship>(7); }
