// Receives by the right to send.
#include "troupe/troupe.h"

struct Job {
  int number;
};

void Use(const troupe::Sender<Job>& jobs) { (void)jobs.TryReceive(); }
