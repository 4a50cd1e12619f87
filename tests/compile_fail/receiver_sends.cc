// Sends by the right to receive.
#include "troupe/troupe.h"

struct Job {
  int number;
};

void Use(troupe::Receiver<Job>& inbox) { inbox.Send(Job{5}); }
