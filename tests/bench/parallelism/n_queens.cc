// The n queens puzzle: all solutions, by a crew that divides the search.
#include <array>
#include <cstdlib>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/crew.h"
#include "troupe/tests/bench/parallelism/parallelism.h"

namespace troupe::bench {
namespace {

// How many there are on boards of 1, 2, 3 ... rows.
constexpr auto kSolutions = std::to_array<int64_t>(
    {1, 0, 0, 2, 10, 4, 40, 92, 352, 724, 2'680, 14'200, 73'712, 365'596, 2'279'184, 14'772'512});

// Has one queen in each of its first rows.
struct Board {
  int8_t rows = 0;
  std::array<int8_t, kSolutions.size()> columns{};
  int64_t number = 0;
};
struct Solution {};

bool IsSafe(const Board& board) {
  for (int i = 0; i < board.rows; ++i) {
    for (int j = i + 1; j < board.rows; ++j) {
      const int apart = std::abs(board.columns[i] - board.columns[j]);
      if (apart == 0 || apart == j - i) return false;
    }
  }
  return true;
}

// Calls `visit` for every board that has one queen more, and none that attacks another.
template <class Visit>
void ForEachNext(Board board, int64_t size, const Visit& visit) {
  const int row = board.rows++;
  for (int8_t column = 0; column < size; ++column) {
    board.columns[row] = column;
    if (IsSafe(board)) visit(board);
  }
}

struct Task {
  int64_t size;
  int64_t depth;
  int64_t actors;
};

class Worker {
 public:
  Worker(Recipient<Board, Solution, PieceDone> master, const Task& task)
      : master_(master), task_(task) {}

  void On(Board board) {
    if (board.rows < task_.depth) {
      ForEachNext(board, task_.size, [this](const Board& next) { master_.Send(next); });
    } else {
      Search(board);
    }
    master_.Send(PieceDone{board.number});
  }

 private:
  void Search(const Board& board) const {
    if (board.rows == task_.size) {
      master_.Send(Solution{});
    } else {
      ForEachNext(board, task_.size, [this](const Board& next) { Search(next); });
    }
  }

  const Recipient<Board, Solution, PieceDone> master_;
  const Task task_;
};

class Master {
 public:
  Master(Measurement& measurement, const Task& task, int64_t& boards)
      : measurement_(measurement), task_(task), boards_(boards) {}

  void OnStart(Context& self) {
    crew_.Hire(self, task_.actors, self.ref(this), task_);
    crew_.Assign(Board{});
  }
  void On(Board board) { crew_.Assign(board); }
  void On(Solution) { ++solutions_; }
  void On(PieceDone done) {
    if (!crew_.Close(done.number)) return;
    boards_ = crew_.assigned();
    measurement_.End(solutions_);
  }

 private:
  Measurement& measurement_;
  const Task task_;
  int64_t& boards_;
  Crew<Worker> crew_;
  int64_t solutions_ = 0;
};

int64_t CountBoards(const Board& board, const Task& task) {
  int64_t boards = 1;
  if (board.rows == task.depth) return boards;
  ForEachNext(board, task.size, [&](const Board& next) { boards += CountBoards(next, task); });
  return boards;
}

}  // namespace

// Puts N queens on N rows. A worker sends back the boards that have one queen more, and from DEPTH
// queens on searches alone, with a message for each solution; the master hands boards out in turn.
// Priorities, which matter only to mailboxes that have them, are left out. Checks the number of
// solutions, and of boards. op = board that a worker was given.
absl::StatusOr<Result> NQueens(Arguments& arguments) {
  const Task task{arguments.Number(0, 12), arguments.Number(1, 4), arguments.Number(2, 20)};
  if (task.size > std::ssize(kSolutions)) return absl::InvalidArgumentError("at most 16 queens");
  if (task.depth > task.size) return absl::InvalidArgumentError("DEPTH is more than N");
  Measurement measurement;
  int64_t boards = 0;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Master>(measurement, task, boards);
  const int64_t solutions = measurement.Await();
  const int64_t wanted = kSolutions[task.size - 1];
  const absl::Status checked =
      Expect({{"solutions", solutions, wanted}, {"boards", boards, CountBoards({}, task)}});
  if (!checked.ok()) return checked;
  return Result{measurement.seconds(), boards, ""};
}

}  // namespace troupe::bench
