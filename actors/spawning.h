// Spawning: what System and Context make actors with.
#ifndef TROUPE_ACTORS_SPAWNING_H_
#define TROUPE_ACTORS_SPAWNING_H_

#include <utility>

#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/function_actor.h"
#include "troupe/actors/internal/spawn.h"

namespace troupe {

// An actor that a System spawns is a top-level actor: it lives until it ends by itself or the
// system shuts down. One that a Context spawns is a child of the acting actor: it is stopped when
// its parent ends, which ends after it.
//
// The actor is constructed here and now; what its constructor throws comes out of Spawn. Its OnStart
// and handlers run later, on a worker. A capacity of 0 throws std::invalid_argument. During and
// after Shutdown the ref to a top-level actor is nobody.
//
// Thread safety  As the System, or the Context.
template <class Owner>
class Spawning {
 public:
  // Constructs an A from `args`: Spawn<Account>(5).
  template <class A, class... Args>
  ActorRef<A> Spawn(ActorOptions options, Args&&... args) {
    return Launch<A>(&options, std::forward<Args>(args)...);
  }
  template <class A, class... Args>
  ActorRef<A> Spawn(Args&&... args) {
    return Launch<A>(nullptr, std::forward<Args>(args)...);
  }

  // An actor made of one function: Spawn([n = 0](Inc m) mutable { n += m.by; }). It may take a
  // Context& or Reply as well. Or of an object that has handlers, which is moved:
  // Spawn(Account{.cents = 5}).
  template <class F>
  auto Spawn(ActorOptions options, F function) {
    return Launch<internal::FunctionActorOf<F>>(&options, std::move(function));
  }
  template <class F>
  auto Spawn(F function) {
    return Launch<internal::FunctionActorOf<F>>(nullptr, std::move(function));
  }

  // A process: Spawn(Clerk, warehouse) runs the coroutine Clerk(self, warehouse). See process.h.
  template <internal::ProcessBody F, class First, class... Rest>
  auto Spawn(ActorOptions options, F body, First&& first, Rest&&... rest) {
    return Launch<internal::FunctionActorOf<F>>(
        &options, std::move(body), std::forward<First>(first), std::forward<Rest>(rest)...);
  }
  template <internal::ProcessBody F, class First, class... Rest>
  auto Spawn(F body, First&& first, Rest&&... rest) {
    return Launch<internal::FunctionActorOf<F>>(
        nullptr, std::move(body), std::forward<First>(first), std::forward<Rest>(rest)...);
  }

 protected:
  Spawning() = default;
  Spawning(const Spawning&) = default;
  Spawning& operator=(const Spawning&) = default;
  ~Spawning() = default;

 private:
  template <class A, class... Args>
  ActorRef<A> Launch(const ActorOptions* options, Args&&... args) {
    auto& owner = static_cast<Owner&>(*this);
    return ActorRef<A>(internal::SpawnActor<A>(owner.space(), owner.parent(), options,
                                               std::forward<Args>(args)...));
  }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_SPAWNING_H_
