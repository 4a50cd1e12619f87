// The product of two matrices, cut into eighths until they are small.
#include <bit>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/crew.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/square_matrix.h"

namespace troupe::bench {
namespace {

using Matrix = SquareMatrix<double>;

// Integers, so that sums are exact in any order.
Matrix RandomMatrix(int64_t size, RandomNumbers& random) {
  Matrix matrix(size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) matrix(i, j) = static_cast<double>(random.Below(100));
  }
  return matrix;
}

struct Task {
  Matrix a;
  Matrix b;
  Matrix product;
  int64_t limit;
  int64_t actors;
};

// A square of the product, and a range of the factors' inner dimension to multiply and add to it.
struct Block {
  int64_t row;
  int64_t column;
  int64_t inner;
  int64_t size;
  int64_t number = 0;
};

void Multiply(const Matrix& a, const Matrix& b, const Block& block, Matrix& product) {
  for (int64_t i = block.row; i < block.row + block.size; ++i) {
    for (int64_t k = block.inner; k < block.inner + block.size; ++k) {
      const double factor = a(i, k);
      for (int64_t j = block.column; j < block.column + block.size; ++j) {
        product(i, j) += factor * b(k, j);
      }
    }
  }
}

class Worker {
 public:
  Worker(Recipient<Block, PieceDone> master, Task& task) : master_(master), task_(task) {}

  void On(Block block) {
    if (block.size * block.size > task_.limit) {
      Divide(block);
    } else {
      Multiply(task_.a, task_.b, block, task_.product);
    }
    master_.Send(PieceDone{block.number});
  }

 private:
  void Divide(const Block& block) const {
    const int64_t half = block.size / 2;
    for (const int64_t row : {block.row, block.row + half}) {
      for (const int64_t column : {block.column, block.column + half}) {
        for (const int64_t inner : {block.inner, block.inner + half}) {
          master_.Send(Block{row, column, inner, half});
        }
      }
    }
  }

  const Recipient<Block, PieceDone> master_;
  Task& task_;
};

class Master {
 public:
  Master(Measurement& measurement, Task& task) : measurement_(measurement), task_(task) {}

  void OnStart(Context& self) {
    crew_.Hire(self, task_.actors, self.ref(this), task_);
    On(Block{0, 0, 0, task_.product.size()});
  }
  // One square of the product is always the same worker's, so that no two add to it at once.
  void On(Block block) { crew_.AssignTo((block.row + block.column) % crew_.size(), block); }
  void On(PieceDone done) {
    if (crew_.Close(done.number)) measurement_.End(crew_.assigned());
  }

 private:
  Measurement& measurement_;
  Task& task_;
  Crew<Worker> crew_;
};

}  // namespace

// Multiplies two matrices of N rows. A worker sends back the eight parts of a block of more than
// LIMIT cells, and multiplies a smaller one; the master hands blocks out by their place in the
// product. Checks every cell against the product computed here. op = block that a worker was given.
absl::StatusOr<Result> MatrixMultiplication(Arguments& arguments) {
  const int64_t size = arguments.Number(0, 1024);
  const int64_t limit = arguments.Number(1, 16'384);
  const int64_t actors = arguments.Number(2, 20);
  if (!std::has_single_bit(static_cast<uint64_t>(size))) {
    return absl::InvalidArgumentError("N must be a power of 2");
  }
  RandomNumbers random(123456);
  Task task{RandomMatrix(size, random), RandomMatrix(size, random), Matrix(size), limit, actors};
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Master>(measurement, task);
  const int64_t blocks = measurement.Await();
  Matrix wanted(size);
  Multiply(task.a, task.b, Block{0, 0, 0, size}, wanted);
  const int64_t wrong = task.product.DifferencesFrom(wanted);
  if (absl::Status s = Expect("wrong cells", wrong, 0); !s.ok()) return s;
  return Result{measurement.seconds(), blocks, ""};
}

}  // namespace troupe::bench
