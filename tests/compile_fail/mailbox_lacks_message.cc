// Sends to a mailbox a message that it does not carry.
#include "troupe/troupe.h"

struct Job {
  int number;
};
struct Note {};

void Use(const troupe::Sender<Job>& jobs) { jobs.Send(Note{}); }
