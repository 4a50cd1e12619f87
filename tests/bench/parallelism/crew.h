// Crew<Worker>: the workers of a master, and which of the work he gave them is still open.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_CREW_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_CREW_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "troupe/tests/bench/parallelism/checklist.h"
#include "troupe/troupe.h"

namespace troupe::bench {

// From a worker to his master: a piece is finished, and all that follows from it has been sent.
struct PieceDone {
  int64_t number;
};

// A piece of work is a message with an `int64_t number`, by which it is closed. The crew numbers
// them from 0 on.
template <class Worker>
class Crew {
 public:
  // Workers are children of the master; each is made from `args`, none of which is moved.
  template <class... Args>
  void Hire(Context& master, int64_t size, Args&&... args) {
    for (int64_t i = 0; i < size; ++i) workers_.push_back(master.Spawn<Worker>(args...));
  }

  template <class Piece>
  void AssignTo(int64_t worker, Piece piece) {
    piece.number = assigned_++;
    open_.Add(piece.number);
    workers_[worker].Send(std::move(piece));
  }

  // To one worker after the other.
  template <class Piece>
  void Assign(Piece piece) {
    AssignTo(assigned_ % size(), std::move(piece));
  }

  // True if no piece is open any more.
  bool Close(int64_t number) { return open_.Tick(number); }

  int64_t size() const { return std::ssize(workers_); }
  int64_t assigned() const { return assigned_; }

 private:
  std::vector<ActorRef<Worker>> workers_;
  int64_t assigned_ = 0;
  Checklist open_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_CREW_H_
