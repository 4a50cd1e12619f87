// RouteTable: the routees of one router, shared by its copies, read by senders while it changes.
// Also whom one name stands for (name_table.h): one actor, with a route for each message type.
//
//   Operation    Who          Effect
//   Pick         any thread   one routee for a message, by the strategy; nobody if there is none
//   All          any thread   every routee, in the order of their coming
//   At           any thread   the routee at a place
//   Add Remove   any thread   change the table
//   Assign       any thread   put one routee in the place of all there were
//   size         any thread   a snapshot
//
// A sender reads the table on every message, so it writes nothing that others read: no reference
// count, no lock. A route is a few words (cell, incarnation, place, a thunk per message type), and
// words may be read while they are overwritten, if one notices. This is a sequence lock (Lameter,
// "Effective synchronization on Linux/NUMA systems", 2005; its memory orders: Boehm, "Can seqlocks
// get along with programming language memory models?", MSPC 2012).
//
// T1  version_ is odd while the table changes, and different after.
// T2  A reader that finds version_ even and the same before and after has read one version.
//     Words are written with release, after version_ became odd, and read with acquire, before
//     version_ is read again: who has read a word of a later change also sees a later version.
// T3  A reader that is disturbed reads once more, under the writers' lock. So it never spins, not
//     even if a writer loses its processor in the middle of a change.
// T4  What is read is harmless even if it is mixed from two versions: an index is below the capacity
//     of the words it is used on, and a cell's address is that of some cell (they are type-stable).
// T5  Words are never freed while the table lives: when there are too few, twice as many take their
//     place, and the old ones are kept. So a table holds at most twice its largest size.
#ifndef TROUPE_ACTORS_INTERNAL_ROUTE_TABLE_H_
#define TROUPE_ACTORS_INTERNAL_ROUTE_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

enum class RoutingStrategy : uint8_t { kRoundRobin, kRandom, kSmallestMailbox, kByKey };

// The key of the message at `m`, by the function object at `f`.
using KeyThunk = uint64_t (*)(const void* f, const void* m);

uint64_t HashText(std::string_view text);  // the same in every process

struct RoutingPlan {
  RoutingStrategy strategy = RoutingStrategy::kRoundRobin;
  uint64_t seed = 0;                              // kRandom
  std::shared_ptr<const void> key_function = {};  // kByKey
  std::vector<KeyThunk> key_thunks = {};          // kByKey: one per message type
};

// Who gets a message, and by which function.
struct Route {
  AnyRef to;
  Thunk thunk = nullptr;
};

// For a table that has one message type for all to see, and each route at a place of its own.
struct PlacedThunk {
  uint64_t place;
  Thunk thunk;
};

// Where one copy of a router stands: one sender's, as a rule. Several threads that share a copy
// now and then step on the same place, and that is all.
using Cursor = std::atomic<uint64_t>;

// How much an actor has to do: messages that wait, and one if it is in a handler. 0 once it has
// ended.
uint64_t BacklogOf(const AnyRef& who);

class RouteTable {
 public:
  RouteTable(RoutingPlan plan, size_t message_types);
  RouteTable(const RouteTable&) = delete;
  RouteTable& operator=(const RouteTable&) = delete;

  // `message` counts the router's message types. Routees that have ended are removed on the way.
  Route Pick(size_t message, uint64_t key, Cursor& cursor);
  std::vector<Route> All(size_t message);

  // `thunks` has one per message type. False: nobody, or in already.
  bool Add(const AnyRef& who, const Thunk* thunks);
  bool Remove(const AnyRef& who);  // false: was not in
  size_t size() const;

  // A reader sees all of what one Assign wrote, or all of what the next did. Who has ended stays.
  void Assign(const AnyRef& who, std::span<const PlacedThunk> routes);
  Route At(uint64_t place);  // nobody, if no route is there

  bool by_key() const { return plan_.strategy == RoutingStrategy::kByKey; }
  uint64_t KeyOf(size_t message, const void* m) const {
    return plan_.key_thunks[message](plan_.key_function.get(), m);
  }
  uint64_t NextStart();  // for the cursor of another copy

 private:
  using Word = std::atomic<uint64_t>;

  struct Words {
    size_t capacity;  // in routes
    std::unique_ptr<Word[]> words;
  };
  class View;

  template <class F>
  auto Read(F read);
  size_t Choose(const View& view, uint64_t key, uint64_t step) const;
  View Now() const;
  size_t FindLocked(const AnyRef& who) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  uint64_t LowestFreePlace() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void MakeRoom() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  template <class F>
  void Change(F change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // ---- fixed
  const RoutingPlan plan_;
  const size_t words_per_route_;

  // ---- written under mutex_, read by every sender
  std::atomic<uint64_t> version_{0};  // T1
  std::atomic<const Words*> words_;   // the newest of kept_
  std::atomic<size_t> size_{0};

  // ---- written now and then
  alignas(64) std::atomic<uint64_t> copies_{0};
  Mutex mutex_;
  std::vector<std::unique_ptr<const Words>> kept_ ABSL_GUARDED_BY(mutex_);  // T5
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ROUTE_TABLE_H_
