// RefSet: a set of refs that is walked in the order in which they were put in.
//
// The hash of a ref is random, and so would be the order of a plain hash set: two runs of the same
// simulation would differ. Insert and Erase O(1), InOrder O(n log n). Not thread safe.
#ifndef TROUPE_ACTORS_INTERNAL_REF_SET_H_
#define TROUPE_ACTORS_INTERNAL_REF_SET_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actors/any_ref.h"

namespace troupe::internal {

class RefSet {
 public:
  bool Insert(const AnyRef& ref) {  // false: it was in
    if (set_ == nullptr) set_ = std::make_unique<Set>();
    return set_->order.try_emplace(ref, set_->next++).second;
  }
  bool Erase(const AnyRef& ref) {  // false: it was not in
    return set_ != nullptr && set_->order.erase(ref) != 0;
  }
  void Compact() {
    if (empty()) set_.reset();
  }
  bool empty() const { return set_ == nullptr || set_->order.empty(); }

  std::vector<AnyRef> InOrder() const {
    if (empty()) return {};
    std::vector<std::pair<uint64_t, AnyRef>> sorted;
    sorted.reserve(set_->order.size());
    for (const auto& [ref, order] : set_->order) sorted.emplace_back(order, ref);
    std::sort(sorted.begin(), sorted.end());
    std::vector<AnyRef> refs;
    refs.reserve(sorted.size());
    for (const auto& [order, ref] : sorted) refs.push_back(ref);
    return refs;
  }

 private:
  struct Set {
    absl::flat_hash_map<AnyRef, uint64_t> order;
    uint64_t next = 0;
  };
  std::unique_ptr<Set> set_;  // made on first use: most actors watch nobody
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_REF_SET_H_
