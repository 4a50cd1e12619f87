// ChildSpec: what a supervisor knows of a child before there is one.
#ifndef TROUPE_ACTORS_INTERNAL_CHILD_SPEC_H_
#define TROUPE_ACTORS_INTERNAL_CHILD_SPEC_H_

#include <concepts>
#include <memory>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/actor_memory.h"
#include "troupe/actors/internal/actor_type.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/supervisor_options.h"

namespace troupe::internal {

struct ChildSpec {
  ChildOptions options;
  std::shared_ptr<const ChildRecipe> recipe;
  const ActorType* type = nullptr;
  bool is_supervisor = false;
};

// A vacant cell.
AnyRef LaunchVacant(ActorCell& supervisor, const ChildSpec& spec);

template <class A, class... Args>
class ActorRecipe final : public ChildRecipe {
 public:
  explicit ActorRecipe(Args... args) : args_(std::move(args)...) {}

  AnyRef Launch(ActorCell& supervisor, const ChildSpec& spec) const override {
    return LaunchVacant(supervisor, spec);
  }

  void* Make() const override {
    void* const memory = AllocateActorMemory(sizeof(A), alignof(A));
    try {
      return std::apply([&](const Args&... args) { return new (memory) A(Args(args)...); }, args_);
    } catch (...) {
      FreeActorMemory(memory, sizeof(A), alignof(A));
      throw;
    }
  }

 private:
  const std::tuple<Args...> args_;
};

template <class Actor>
constexpr void RefuseToConstructAgain() {
  static_assert(kActor<Actor>, TROUPE_ERROR_NOT_CONSTRUCTIBLE_AGAIN);
}

template <class A, class... Args>
ChildSpec SpecOf(ChildOptions options, Args&&... args) {
  if constexpr ((std::copy_constructible<std::decay_t<Args>> && ...) &&
                std::is_constructible_v<A, std::decay_t<Args>...>) {
    using Recipe = ActorRecipe<A, std::decay_t<Args>...>;
    return {std::move(options), std::make_shared<const Recipe>(std::forward<Args>(args)...),
            &kActorType<A>};
  } else {
    RefuseToConstructAgain<A>();
    return {};
  }
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_CHILD_SPEC_H_
