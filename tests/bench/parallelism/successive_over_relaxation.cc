// Successive over-relaxation of a grid, each cell an actor that talks to its neighbours.
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/checklist.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/square_matrix.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

constexpr double kOmega = 1.25;

using Grid = SquareMatrix<double>;

Grid RandomGrid(int64_t size) {
  RandomNumbers random(10101010);
  Grid grid(size);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) grid(i, j) = static_cast<double>(random.Below(1 << 30));
  }
  return grid;
}

struct Position {
  int64_t row;
  int64_t column;
  bool is_red() const { return (row + column) % 2 == 0; }
};

std::vector<Position> NeighboursOf(Position at, int64_t size) {
  std::vector<Position> neighbours;
  if (at.column + 1 < size) neighbours.push_back({at.row, at.column + 1});
  if (at.row + 1 < size) neighbours.push_back({at.row + 1, at.column});
  if (at.column > 0) neighbours.push_back({at.row, at.column - 1});
  if (at.row > 0) neighbours.push_back({at.row - 1, at.column});
  return neighbours;
}

double Relaxed(double value, double sum_of_neighbours) {
  return kOmega / 4 * sum_of_neighbours + (1 - kOmega) * value;
}

struct Value {
  double value;
};
struct Final {
  Position at;
  double value;
};

class Cell {
 public:
  // Red cells speak first, and so relax once less.
  Cell(const SquareMatrix<ActorRef<Cell>>& cells, Recipient<Final> receiver, Position at,
       double value, int64_t rounds)
      : receiver_(receiver),
        at_(at),
        cells_(cells),
        neighbours_(NeighboursOf(at, cells.size())),
        value_(value),
        left_(at.is_red() ? rounds - 1 : rounds) {}

  void On(Start) { Tell(); }
  void On(Value neighbour) {
    sum_ += neighbour.value;
    if (++received_ < std::ssize(neighbours_)) return;
    value_ = Relaxed(value_, sum_);
    sum_ = 0;
    received_ = 0;
    --left_;
    Tell();
  }

 private:
  void Tell() {
    if (at_.is_red() || left_ > 0) {
      for (const Position n : neighbours_) cells_(n.row, n.column).Send(Value{value_});
    }
    if (left_ == 0) receiver_.Send(Final{at_, value_});
  }

  const Recipient<Final> receiver_;
  const Position at_;
  const SquareMatrix<ActorRef<Cell>>& cells_;  // complete before the first message
  const std::vector<Position> neighbours_;
  double value_;
  int64_t left_;
  double sum_ = 0;
  int64_t received_ = 0;
};

class Receiver {
 public:
  Receiver(Measurement& measurement, Grid& result) : measurement_(measurement), result_(result) {
    awaited_.Add(0, result.size() * result.size());
  }

  void On(Final final) {
    result_(final.at.row, final.at.column) = final.value;
    const int64_t number = final.at.row * result_.size() + final.at.column;
    if (awaited_.Tick(number)) measurement_.End(0);
  }

 private:
  Measurement& measurement_;
  Grid& result_;
  Checklist awaited_;
};

template <class Visit>
void ForEachPosition(int64_t size, const Visit& visit) {
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t j = 0; j < size; ++j) visit(Position{i, j});
  }
}

void RelaxAll(Grid& grid, bool red) {
  ForEachPosition(grid.size(), [&](Position at) {
    if (at.is_red() != red) return;
    double sum = 0;
    for (const Position n : NeighboursOf(at, grid.size())) sum += grid(n.row, n.column);
    grid(at.row, at.column) = Relaxed(grid(at.row, at.column), sum);
  });
}

Grid RelaxedGrid(Grid grid, int64_t rounds) {
  for (int64_t i = 0; i < rounds; ++i) {
    if (i > 0) RelaxAll(grid, true);
    RelaxAll(grid, false);
  }
  return grid;
}

absl::Status Compare(const Grid& result, const Grid& wanted) {
  absl::Status status;
  ForEachPosition(result.size(), [&](Position at) {
    status.Update(ExpectClose("cell", result(at.row, at.column), wanted(at.row, at.column)));
  });
  return status;
}

}  // namespace

// A grid of N rows and columns, coloured like a chess board. The red cells send their values, then
// whoever has the values of all its neighbours relaxes and sends its own; ROUNDS times for each
// colour. Checks every cell against a grid relaxed here. op = message between cells.
absl::StatusOr<Result> SuccessiveOverRelaxation(Arguments& arguments) {
  const int64_t size = arguments.Number(0, 20);
  const int64_t rounds = arguments.Number(1, 100);
  if (size < 2) return absl::InvalidArgumentError("at least 2 rows");
  const Grid grid = RandomGrid(size);
  Grid result(size);
  Measurement measurement;
  SquareMatrix<ActorRef<Cell>> cells(size);  // outlives the actors that look at it
  System system(OptionsOf(arguments));
  auto receiver = system.Spawn<Receiver>(measurement, result);
  ForEachPosition(size, [&](Position at) {
    const double value = grid(at.row, at.column);
    cells(at.row, at.column) = system.Spawn<Cell>(cells, receiver, at, value, rounds);
  });
  measurement.Begin();
  ForEachPosition(size, [&](Position at) {
    if (at.is_red()) cells(at.row, at.column).Send(Start{});
  });
  measurement.Await();
  if (absl::Status s = Compare(result, RelaxedGrid(grid, rounds)); !s.ok()) return s;
  const int64_t edges = 2 * size * (size - 1);
  return Result{measurement.seconds(), (2 * rounds - 1) * edges, ""};
}

}  // namespace troupe::bench
