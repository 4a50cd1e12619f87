// A guided search for one node of a cube, by a crew that divides the frontier.
#include <algorithm>
#include <deque>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/crew.h"
#include "troupe/tests/bench/parallelism/cube.h"
#include "troupe/tests/bench/parallelism/parallelism.h"

namespace troupe::bench {
namespace {

struct Visit {
  int64_t node;
  int64_t number = 0;
};
struct Found {};

class Worker {
 public:
  Worker(Recipient<Visit, Found, PieceDone> master, Cube& cube, int64_t limit)
      : master_(master), cube_(cube), limit_(limit) {}

  void On(Visit visit) {
    Search(visit.node);
    master_.Send(PieceDone{visit.number});
  }

 private:
  void Search(int64_t node) const {
    std::deque<int64_t> frontier{node};
    bool found = false;
    for (int64_t n = 0; n < limit_ && !found && !frontier.empty(); ++n) {
      const int64_t next = frontier.front();
      frontier.pop_front();
      found = ReachesTarget(next, frontier);
    }
    if (found) master_.Send(Found{});
    for (const int64_t next : frontier) master_.Send(Visit{next});
  }

  // Adds the neighbours that nobody has reached yet to the frontier.
  bool ReachesTarget(int64_t node, std::deque<int64_t>& frontier) const {
    cube_[node].cost += Cube::CostOf(node);
    for (const int64_t next : cube_[node].neighbours) {
      int64_t nobody = Cube::kNobody;
      if (!cube_[next].parent.compare_exchange_strong(nobody, node)) continue;
      if (next == cube_.target()) return true;
      frontier.push_back(next);
    }
    return false;
  }

  const Recipient<Visit, Found, PieceDone> master_;
  Cube& cube_;
  const int64_t limit_;
};

struct Task {
  Cube cube;
  int64_t limit;
  int64_t actors;
  int64_t turned_away = 0;  // nodes that came when the target was found
};

class Master {
 public:
  Master(Measurement& measurement, Task& task) : measurement_(measurement), task_(task) {}

  void OnStart(Context& self) {
    crew_.Hire(self, task_.actors, self.ref(this), task_.cube, task_.limit);
    crew_.Assign(Visit{Cube::kOrigin});
  }
  void On(Visit visit) {
    if (found_ == 0) {
      crew_.Assign(visit);
    } else {
      ++task_.turned_away;
    }
  }
  void On(Found) { ++found_; }
  void On(PieceDone done) {
    if (crew_.Close(done.number)) measurement_.End(found_);
  }

 private:
  Measurement& measurement_;
  Task& task_;
  Crew<Worker> crew_;
  int64_t found_ = 0;
};

// ---- the checks

bool CanReachTarget(const Cube& cube) {
  std::vector<bool> seen(cube.nodes());
  std::vector<int64_t> open{Cube::kOrigin};
  while (!open.empty()) {
    const int64_t node = open.back();
    open.pop_back();
    if (seen[node]) continue;
    seen[node] = true;
    open.insert(open.end(), cube[node].neighbours.begin(), cube[node].neighbours.end());
  }
  return seen[cube.target()];
}

// From node to parent; the cube has no circles.
bool TargetLeadsToOrigin(const Cube& cube) {
  for (int64_t node = cube.target(); node != Cube::kOrigin;) {
    const int64_t parent = cube[node].parent;
    if (parent == Cube::kNobody || std::ranges::count(cube[parent].neighbours, node) == 0)
      return false;
    node = parent;
  }
  return true;
}

// How many nodes were reached; the target leads no further.
int64_t CountReached(const Cube& cube) {
  int64_t reached = 1;  // the origin
  for (int64_t node = 0; node < cube.nodes(); ++node) {
    if (node != cube.target() && cube[node].parent != Cube::kNobody) ++reached;
  }
  return reached;
}

// How many nodes were expanded, each once.
absl::StatusOr<int64_t> CountExpanded(const Cube& cube) {
  int64_t expanded = 0;
  for (int64_t node = 0; node < cube.nodes(); ++node) {
    if (cube[node].cost == 0) continue;
    ++expanded;
    if (absl::Status s = Expect("cost", cube[node].cost, Cube::CostOf(node)); !s.ok()) return s;
  }
  return expanded;
}

}  // namespace

// Searches a cube of GRID * GRID * GRID nodes from a corner for one near the opposite corner. A
// worker expands up to LIMIT nodes and sends back those it has reached beyond; the master hands
// them out in turn until somebody has reached the target, and waits for who is still at work.
// Priorities, which matter only to mailboxes that have them, are left out. Checks that the target
// is found if there is a way, the way back, and that each node that was reached was expanded once,
// or turned away after the target was found. op = node.
absl::StatusOr<Result> AStar(Arguments& arguments) {
  const int64_t size = arguments.Number(0, 30);
  const int64_t limit = arguments.Number(1, 1'024);
  const int64_t actors = arguments.Number(2, 20);
  if (size < 2 || size > 200) return absl::InvalidArgumentError("GRID must be from 2 to 200");
  Task task{Cube(size), limit, actors};
  const Cube& cube = task.cube;
  Measurement measurement;
  System system(OptionsOf(arguments));
  measurement.Begin();
  system.Spawn<Master>(measurement, task);
  const int64_t found = measurement.Await();
  if (absl::Status s = Expect("found", found, CanReachTarget(cube)); !s.ok()) return s;
  if (found == 1 && !TargetLeadsToOrigin(cube)) return absl::InternalError("no way back");
  const absl::StatusOr<int64_t> expanded = CountExpanded(cube);
  if (!expanded.ok()) return expanded.status();
  const int64_t wanted = CountReached(cube) - task.turned_away;
  if (absl::Status s = Expect("expanded", *expanded, wanted); !s.ok()) return s;
  return Result{measurement.seconds(), *expanded, ""};
}

}  // namespace troupe::bench
