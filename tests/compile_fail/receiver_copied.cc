// Copies the right to receive, which has one owner; Share makes one more.
#include "troupe/troupe.h"

struct Job {
  int number;
};

troupe::Receiver<Job> Use(troupe::Receiver<Job>& inbox) { return inbox; }
