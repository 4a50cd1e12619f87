#include "troupe/actors/internal/ask_cycle.h"

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/wait_edge.h"

namespace troupe::internal {
namespace {

class AskCycle {
 public:
  explicit AskCycle(ActorCell& first) : first_(first) {}

  // The first round. False: the path from `first` ends, is too long, or leads into a circle without
  // it, which those who are in it find.
  bool Collect() {
    const ActorCell* cell = &first_;
    while (length_ < kLongestAskCycle) {
      const WaitEdge::Seen edge = cell->wait_edge().Look();
      if (edge.number == 0) return false;
      edges_[length_++] = edge;
      if (edge.target == &first_) return true;
      cell = edge.target;
    }
    return false;
  }

  // The second round.
  bool Confirm() const {
    const ActorCell* cell = &first_;
    for (int i = 0; i < length_; ++i) {
      const WaitEdge::Seen& edge = edges_[i];
      if (cell->wait_edge().Look() != edge) return false;
      cell = edge.target;
    }
    return true;
  }

  std::string ToString() const {
    std::string text = Label(first_);
    for (int i = 0; i < length_; ++i) absl::StrAppend(&text, " -> ", Label(*edges_[i].target));
    return text;
  }

 private:
  // By now it may be somebody else's cell, or nobody's, if a deadline has ended the cycle.
  static std::string Label(const ActorCell& cell) {
    const ActorType* const type = cell.type();
    const std::string name = cell.space().NameOf(cell);
    std::string text(type != nullptr ? type->name : "an ended actor");
    if (!name.empty()) absl::StrAppend(&text, " \"", name, "\"");
    return text;
  }

  ActorCell& first_;
  std::array<WaitEdge::Seen, kLongestAskCycle> edges_;  // edge i leads to the target of edge i
  int length_ = 0;
};

}  // namespace

// Out of line, and only for who asks somebody that waits himself: the path may be long.
absl::Status CheckAskCycle(ActorCell& asker) {
  AskCycle cycle(asker);
  if (!cycle.Collect() || !cycle.Confirm()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("ask cycle: ", cycle.ToString()));
}

}  // namespace troupe::internal
