// Links: with whom an actor is linked (Context::Link). There may be many: O(1), but for TakeAll.
//
// Either side may begin and end a link at any time, and what it tells the other takes a while. So
// that both come to agree, each numbers the links that it begins, and says with an end which numbers
// it knows:
//
//   K1  A link is there on this side while there is an entry: `mine` is the number of the newest Link
//       that this side has sent, 0 if it has sent none; `theirs` that of the newest one that has come.
//   K2  An Unlink ends what its sender knew of. A Link that it had not seen when it was sent is
//       younger, comes to it later, and stands: so the entry stays if mine > what the sender knew.
//       The end of an actor, or of a life of a supervised one, says the same; but it comes as a message,
//       and Link and Unlink as controls, so the Links of its next life may come before it. They stand, too:
//       the entry stays if theirs > what the sender had sent.
//   K3  So when all that was sent has come, both have an entry, or neither.
//
// Not thread safe: its actor's running thread only.
#ifndef TROUPE_ACTORS_INTERNAL_LINKS_H_
#define TROUPE_ACTORS_INTERNAL_LINKS_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actors/any_ref.h"

namespace troupe::internal {

class Links {
 public:
  struct Known {
    uint64_t mine = 0;
    uint64_t theirs = 0;
  };
  struct Link {
    AnyRef peer;
    Known known;
  };

  // The number to send; nothing: they are linked.
  std::optional<uint64_t> Begin(const AnyRef& peer) {
    if (all_ == nullptr) all_ = std::make_unique<All>();
    const auto [entry, is_new] = all_->entries.try_emplace(peer);
    if (!is_new) return std::nullopt;
    entry->second = {.known = {.mine = ++all_->last_number}, .order = all_->next++};
    return entry->second.known.mine;
  }
  // What to send; nothing: they are not linked.
  std::optional<Known> End(const AnyRef& peer) {
    if (all_ == nullptr) return std::nullopt;
    const auto entry = all_->entries.find(peer);
    if (entry == all_->entries.end()) return std::nullopt;
    const Known known = entry->second.known;
    all_->entries.erase(entry);
    return known;
  }
  // `peer` has sent this.
  void TakeBegin(const AnyRef& peer, uint64_t number) {
    if (all_ == nullptr) all_ = std::make_unique<All>();
    const auto [entry, is_new] = all_->entries.try_emplace(peer);
    if (is_new) entry->second.order = all_->next++;
    entry->second.known.theirs = number;
  }
  bool TakeEnd(const AnyRef& peer, const Known& they_know) {  // true: it has ended a link
    if (all_ == nullptr) return false;
    const auto entry = all_->entries.find(peer);
    if (entry == all_->entries.end()) return false;
    Known& known = entry->second.known;
    const bool theirs_is_younger = known.theirs > they_know.mine;
    if (!theirs_is_younger) known.theirs = 0;
    if (known.mine > they_know.theirs) return false;  // K2
    known.mine = 0;
    if (!theirs_is_younger) all_->entries.erase(entry);  // K1
    return true;
  }

  bool Erase(const AnyRef& peer) { return all_ != nullptr && all_->entries.erase(peer) != 0; }

  // All of them, in the order in which they were linked; there are none any more.
  std::vector<Link> TakeAll() {
    if (all_ == nullptr) return {};
    std::vector<std::pair<uint64_t, Link>> sorted;
    for (const auto& [peer, entry] : std::exchange(all_->entries, {})) {
      sorted.push_back({entry.order, {peer, entry.known}});
    }
    std::sort(sorted.begin(), sorted.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Link> links;
    for (const auto& [order, link] : sorted) links.push_back(link);
    return links;
  }

 private:
  struct Entry {
    Known known;
    uint64_t order = 0;
  };
  struct All {
    absl::flat_hash_map<AnyRef, Entry> entries;
    uint64_t next = 0;
    uint64_t last_number = 0;  // never goes back, though a supervised actor begins anew
  };
  std::unique_ptr<All> all_;  // made on first use: most actors link to nobody
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_LINKS_H_
