// Pool<M...>: a router over workers that it makes, replaces and ends.
#ifndef TROUPE_ACTORS_POOL_H_
#define TROUPE_ACTORS_POOL_H_

#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/pool_actor.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/actors/pool_options.h"
#include "troupe/actors/router.h"
#include "troupe/actors/routing.h"

namespace troupe {

// SpawnPool makes one: N actors of one class, children of a pool actor. The pool actor looks after
// them and is on no message's way; the Pool is a Router and sends to them directly.
//
//   troupe::Pool<Resize> pool = troupe::SpawnPool<Resizer, Resize>(
//       system, troupe::SmallestMailbox{}, {.size = 2, .max_size = 8}, "sRGB");
//   pool.Send(Resize{...});
//   self.Watch(pool);                        // a Down when the pool has ended
//
// A worker that ...
//   fails          is replaced by a new one, made of the same arguments, in the same place (the
//                  same keys go there); the messages in its mailbox are dead letters. Too many
//                  failures fail the pool: PoolOptions::max_restarts.
//   ends normally  is not replaced, so the pool shrinks; an elastic one is back at its smallest
//                  size at the next look. One that is not elastic ends with its last worker.
// The pool ends when it is stopped, when it fails, and with who spawned it; its workers end first.
//
// Thread safety and everything else: as said at Router. Copy it as a Router to those who shall send
// and not stop.
template <class... Ms>
class Pool : public Router<Ms...> {
 public:
  Pool() = default;  // has no workers

  // The pool actor: to watch, to Join, to recognise in a Down. Nobody if the system was shutting
  // down.
  operator AnyRef() const { return actor_; }  // NOLINT: implicit by design

  // Ends the pool and its workers with kNormal, before the messages that are queued; those become
  // dead letters. Returns at once.
  void Stop() const { actor_.Stop(); }

  // For the framework.
  Pool(std::shared_ptr<internal::RouteTable> table, ActorRef<internal::PoolActor> actor)
      : Router<Ms...>(std::move(table)), actor_(actor) {}

 private:
  ActorRef<internal::PoolActor> actor_;
};

namespace internal {
template <class Worker, class... Ms>
inline constexpr Thunk kThunksOf[] = {ThunkFor<Worker, Ms>()...};
}  // namespace internal

// A pool of Workers that takes Ms, with its first workers made when this returns. `where` is a
// System (then the pool is a top-level actor) or a Context (then it is that actor's child).
//
// Each worker is constructed from `args`, which are copied or moved in here once and handed to
// every constructor as const&. What the constructor throws comes out of SpawnPool; later, when a
// worker is replaced or added, it counts as a failure.
template <class Worker, class... Ms, class Spawner, class... Args>
Pool<Ms...> SpawnPool(Spawner& where, std::type_identity_t<Routing<Ms...>> routing,
                      PoolOptions options, Args&&... args) {
  internal::ValidatePool(options);
  auto table = std::make_shared<internal::RouteTable>(routing.plan(), sizeof...(Ms));
  auto kept =
      std::make_shared<const std::tuple<std::decay_t<Args>...>>(std::forward<Args>(args)...);
  auto spawn = [worker = options.worker, kept](Context& self) -> AnyRef {
    return std::apply(
        [&](const auto&... each) -> AnyRef { return self.Spawn<Worker>(worker, each...); }, *kept);
  };
  ActorOptions own{.name = options.name};
  auto actor = where.template Spawn<internal::PoolActor>(
      std::move(own), internal::PoolActor::Parts{.options = std::move(options),
                                                 .table = table,
                                                 .thunks = internal::kThunksOf<Worker, Ms...>,
                                                 .spawn = std::move(spawn)});
  if (actor) internal::StartPool(actor);
  return Pool<Ms...>(std::move(table), actor);
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_POOL_H_
