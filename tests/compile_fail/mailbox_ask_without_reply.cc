// Asks a mailbox with a message that has no reply type.
#include "troupe/troupe.h"

struct Job {
  int number;
};

void Use(const troupe::Sender<Job>& jobs) { (void)jobs.Ask(Job{1}); }
