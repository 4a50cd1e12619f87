// Selects from more mailboxes than Select takes.
#include "troupe/troupe.h"

struct Job {
  int number;
};

void Use(troupe::Receiver<Job> (&in)[9]) {
  (void)Select(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], in[8]);
}
