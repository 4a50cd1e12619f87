// Cube: a graph of nodes in a cube, whose ways lead one step on along one or two of the axes.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_CUBE_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_CUBE_H_

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

#include "troupe/tests/bench/busy_work.h"
#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {

// Nodes have numbers, plane by plane and row by row.
class Cube {
 public:
  static constexpr int64_t kOrigin = 0;
  static constexpr int64_t kNobody = -1;

  struct Node {
    std::vector<int64_t> neighbours;
    std::atomic<int64_t> parent{kNobody};  // from where it was reached first
    int64_t cost = 0;                      // written by whoever expands it
  };

  static int64_t CostOf(int64_t node) { return BusyWork(100, node); }

  explicit Cube(int64_t size) : size_(size), nodes_(size * size * size) {
    RandomNumbers random(123456);
    for (int64_t node = 0; node < std::ssize(nodes_); ++node) Connect(node, random);
  }

  Node& operator[](int64_t node) { return nodes_[node]; }
  const Node& operator[](int64_t node) const { return nodes_[node]; }
  int64_t nodes() const { return std::ssize(nodes_); }
  int64_t target() const {
    const int64_t far = size_ * 4 / 5;
    return At(far, far, far);
  }

 private:
  int64_t At(int64_t x, int64_t y, int64_t z) const { return (x * size_ + y) * size_ + z; }

  // To each of six others with an even chance; to the last if to nobody else. Stays in the cube.
  void Connect(int64_t node, RandomNumbers& random) {
    const auto on = [this](int64_t from, int64_t step) { return std::min(from + step, size_ - 1); };
    std::vector<int64_t>& neighbours = nodes_[node].neighbours;
    for (int64_t way = 1; way <= 6; ++way) {
      const int64_t to = At(on(node / size_ / size_, way / 4),
                            on(node / size_ % size_, way / 2 % 2), on(node % size_, way % 2));
      const bool wanted = random.Below(2) == 1 || (way == 6 && neighbours.empty());
      if (wanted && to != node && std::ranges::count(neighbours, to) == 0) neighbours.push_back(to);
    }
  }

  const int64_t size_;
  std::vector<Node> nodes_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_CUBE_H_
