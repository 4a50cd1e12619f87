// All shortest paths of a graph by Floyd and Warshall, each block of the matrix an actor.
#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/checklist.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/square_matrix.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

using Distances = SquareMatrix<int64_t>;

// Every node has a way of 1 to `longest` to every other, as long in both directions.
Distances RandomGraph(int64_t nodes, int64_t longest) {
  RandomNumbers random(static_cast<uint64_t>(nodes));
  Distances graph(nodes);
  for (int64_t i = 0; i < nodes; ++i) {
    for (int64_t j = 0; j < i; ++j) graph(i, j) = graph(j, i) = 1 + random.Below(longest);
  }
  return graph;
}

// The matrix as blocks, numbered row by row.
struct Layout {
  int64_t block;  // rows of a block
  int64_t side;   // blocks in a row of blocks
  int64_t blocks() const { return side * side; }
  int64_t At(int64_t row, int64_t column) const { return row * side + column; }
  int64_t neighbours() const { return 2 * (side - 1); }
};

// What a block has come to before step k, for all blocks in its row and column.
struct Part {
  int64_t k;
  int64_t from;
  std::shared_ptr<const Distances> distances;
};

class Block {
 public:
  Block(const std::vector<ActorRef<Block>>& blocks, Recipient<Part> receiver, Layout layout,
        int64_t number, std::shared_ptr<const Distances> distances)
      : blocks_(blocks),
        receiver_(receiver),
        layout_(layout),
        number_(number),
        distances_(std::move(distances)),
        steps_{NewStep(), NewStep()} {}

  void On(Start) { Tell(0); }
  void On(Part part) { Keep(std::move(part)); }

 private:
  // The parts for one step. A neighbour can be one step ahead, so that two are under way.
  struct Step {
    std::vector<std::shared_ptr<const Distances>> parts;
    Checklist awaited;
  };

  // Its own part is awaited, too: who has told nobody yet must not go on.
  Step NewStep() const {
    Step step;
    step.parts.resize(layout_.blocks());
    for (int64_t i = 0; i < layout_.side; ++i) {
      step.awaited.Add(layout_.At(row(), i));
      if (i != row()) step.awaited.Add(layout_.At(i, column()));
    }
    return step;
  }

  int64_t row() const { return number_ / layout_.side; }
  int64_t column() const { return number_ % layout_.side; }

  void Tell(int64_t k) {
    if (k == layout_.side * layout_.block) {
      receiver_.Send(Part{k, number_, distances_});
      return;
    }
    for (int64_t i = 0; i < layout_.side; ++i) {
      if (i != column()) blocks_[layout_.At(row(), i)].Send(Part{k, number_, distances_});
      if (i != row()) blocks_[layout_.At(i, column())].Send(Part{k, number_, distances_});
    }
    Keep(Part{k, number_, distances_});
  }

  void Keep(Part part) {
    Step& step = steps_[part.k % 2];
    step.parts[part.from] = std::move(part.distances);
    if (!step.awaited.Tick(part.from)) return;
    ComputeStep(part.k, std::exchange(step, NewStep()));
    Tell(part.k + 1);
  }

  // Ways through node k: from the block in this row that has column k, and in this column, row k.
  void ComputeStep(int64_t k, const Step& step) {
    const int64_t at = k % layout_.block;
    const Distances& to_k = *step.parts[layout_.At(row(), k / layout_.block)];
    const Distances& from_k = *step.parts[layout_.At(k / layout_.block, column())];
    auto next = std::make_shared<Distances>(*distances_);
    for (int64_t i = 0; i < layout_.block; ++i) {
      for (int64_t j = 0; j < layout_.block; ++j) {
        (*next)(i, j) = std::min((*next)(i, j), to_k(i, at) + from_k(at, j));
      }
    }
    distances_ = std::move(next);
  }

  const std::vector<ActorRef<Block>>& blocks_;  // complete before the first message
  const Recipient<Part> receiver_;
  const Layout layout_;
  const int64_t number_;
  std::shared_ptr<const Distances> distances_;
  Step steps_[2];
};

// Puts the blocks together again.
class Receiver {
 public:
  Receiver(Measurement& measurement, Layout layout, Distances& result)
      : measurement_(measurement), layout_(layout), result_(result) {
    awaited_.Add(0, layout.blocks());
  }

  void On(const Part& part) {
    const int64_t row = part.from / layout_.side * layout_.block;
    const int64_t column = part.from % layout_.side * layout_.block;
    for (int64_t i = 0; i < layout_.block; ++i) {
      for (int64_t j = 0; j < layout_.block; ++j) {
        result_(row + i, column + j) = (*part.distances)(i, j);
      }
    }
    if (awaited_.Tick(part.from)) measurement_.End(0);
  }

 private:
  Measurement& measurement_;
  const Layout layout_;
  Distances& result_;
  Checklist awaited_;
};

std::shared_ptr<const Distances> BlockOf(const Distances& graph, Layout layout, int64_t number) {
  const int64_t row = number / layout.side * layout.block;
  const int64_t column = number % layout.side * layout.block;
  auto block = std::make_shared<Distances>(layout.block);
  for (int64_t i = 0; i < layout.block; ++i) {
    for (int64_t j = 0; j < layout.block; ++j) (*block)(i, j) = graph(row + i, column + j);
  }
  return block;
}

Distances FloydWarshall(Distances graph) {
  for (int64_t k = 0; k < graph.size(); ++k) {
    for (int64_t i = 0; i < graph.size(); ++i) {
      for (int64_t j = 0; j < graph.size(); ++j) {
        graph(i, j) = std::min(graph(i, j), graph(i, k) + graph(k, j));
      }
    }
  }
  return graph;
}

}  // namespace

// All distances between N nodes, in N steps. A block of BLOCK rows and columns sends all it has to
// the blocks in its row and its column, waits for theirs, and computes the step. WEIGHT is the
// longest way. Checks every distance against those computed here. op = message between blocks.
absl::StatusOr<Result> AllPairsShortestPath(Arguments& arguments) {
  const int64_t nodes = arguments.Number(0, 300);
  const int64_t block = arguments.Number(1, 50);
  const int64_t weight = arguments.Number(2, 100);
  if (nodes % block != 0 || nodes == block) {
    return absl::InvalidArgumentError("N must be twice BLOCK, or three times, ...");
  }
  const Layout layout{block, nodes / block};
  const Distances graph = RandomGraph(nodes, weight);
  Distances result(nodes);
  Measurement measurement;
  std::vector<ActorRef<Block>> blocks;  // outlives the actors that look at it
  System system(OptionsOf(arguments));
  auto receiver = system.Spawn<Receiver>(measurement, layout, result);
  for (int64_t i = 0; i < layout.blocks(); ++i) {
    blocks.push_back(system.Spawn<Block>(blocks, receiver, layout, i, BlockOf(graph, layout, i)));
  }
  measurement.Begin();
  for (const auto& each : blocks) each.Send(Start{});
  measurement.Await();
  const int64_t wrong = result.DifferencesFrom(FloydWarshall(graph));
  if (absl::Status s = Expect("wrong distances", wrong, 0); !s.ok()) return s;
  return Result{measurement.seconds(), nodes * layout.blocks() * layout.neighbours(), ""};
}

}  // namespace troupe::bench
