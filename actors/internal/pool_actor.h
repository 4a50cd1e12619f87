// PoolActor: the parent of a pool's workers: replaces those that fail, and makes more or fewer of
// them as their mailboxes fill. What it does to whom is said in pool.h.
//
// P1  Every worker in the router's table is in workers_, in the same order; others are on their way
//     out.
// P2  A worker is taken out of the table one look before it is told to end, so that a sender that
//     had chosen it already gets its message in before. (One that takes longer between choosing and
//     sending finds an ended actor.)
#ifndef TROUPE_ACTORS_INTERNAL_POOL_ACTOR_H_
#define TROUPE_ACTORS_INTERNAL_POOL_ACTOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/actor_type.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/actors/pool_options.h"

namespace troupe::internal {

void ValidatePool(const PoolOptions& options);  // throws std::invalid_argument

class PoolActor : public Held {
 public:
  struct Parts {
    PoolOptions options;
    std::shared_ptr<RouteTable> table;
    const Thunk* thunks;                         // of the worker's class, one per message type
    std::function<AnyRef(Context& self)> spawn;  // a worker; throws what its constructor throws
  };
  struct Look {};

  explicit PoolActor(Parts parts) : parts_(std::move(parts)) {}

  void Start(Context& self);  // throws what a worker's constructor throws
  void On(const Down& down, Context& self);
  void On(Look, Context& self);

 private:
  const PoolOptions& options() const { return parts_.options; }
  bool elastic() const { return options().max_size > options().size; }
  void AddWorker(Context& self);
  void AddWorkerOrCountFailure(Context& self);
  void CountFailure(absl::Status why, Context& self);
  bool MayReplace(absl::Time now);
  void Resize(Context& self);
  size_t WantedSize() const;

  const Parts parts_;
  std::vector<AnyRef> workers_;       // P1
  std::vector<AnyRef> leaving_;       // P2: out of the table, and not told yet
  std::vector<absl::Time> replaced_;  // when, within the last restart_period
};

// Makes the first workers, here and now, and lets the pool run. Throws what a worker's constructor throws, and then the
// pool ends.
void StartPool(const ActorRef<PoolActor>& pool);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_POOL_ACTOR_H_
