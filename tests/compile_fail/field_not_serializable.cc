// Leaves the process with a field that no bytes can be.
#include <string>
#include <thread>

#include "troupe/runtime/bridges/codec.h"

struct Job {
  int number = 0;
  std::thread worker;
};

std::string AsBytes(const Job& job) { return troupe::Encode(job); }
