// SquareMatrix<T>: rows and columns of numbers in one block of memory.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_SQUARE_MATRIX_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_SQUARE_MATRIX_H_

#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace troupe::bench {

template <class T>
class SquareMatrix {
 public:
  explicit SquareMatrix(int64_t size) : size_(size), cells_(size * size) {}

  T& operator()(int64_t row, int64_t column) { return cells_[row * size_ + column]; }
  const T& operator()(int64_t row, int64_t column) const { return cells_[row * size_ + column]; }

  int64_t size() const { return size_; }

  // How many cells are not the same. Both are of one size.
  int64_t DifferencesFrom(const SquareMatrix& other) const {
    return std::transform_reduce(cells_.begin(), cells_.end(), other.cells_.begin(), int64_t{0},
                                 std::plus<>(), std::not_equal_to<>());
  }

 private:
  int64_t size_;
  std::vector<T> cells_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_SQUARE_MATRIX_H_
