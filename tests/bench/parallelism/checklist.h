// Checklist: what is awaited, by number, until each has come once.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_CHECKLIST_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_CHECKLIST_H_

#include <cstdint>

namespace troupe::bench {

class Checklist {
 public:
  // So many from `first` on are awaited, too.
  void Add(int64_t first, int64_t count = 1) {
    open_ += count;
    sum_ += count * first + count * (count - 1) / 2;
  }

  // True when all have come. If one comes twice, or is lost, that is never: the workload does not
  // end, rather than end with a result that is right by chance.
  bool Tick(int64_t number) {
    --open_;
    sum_ -= number;
    return open_ == 0 && sum_ == 0;
  }

 private:
  int64_t open_ = 0;
  int64_t sum_ = 0;  // of their numbers
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_CHECKLIST_H_
