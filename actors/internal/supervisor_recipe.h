// SupervisorRecipe: how a supervisor is made that is itself a child: with cells for its children.
#ifndef TROUPE_ACTORS_INTERNAL_SUPERVISOR_RECIPE_H_
#define TROUPE_ACTORS_INTERNAL_SUPERVISOR_RECIPE_H_

#include <utility>
#include <vector>

#include "troupe/actors/internal/child_spec.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/supervisor_options.h"

namespace troupe::internal {

class SupervisorRecipe final : public ChildRecipe {
 public:
  explicit SupervisorRecipe(SupervisorOptions options) : options_(std::move(options)) {}

  void Add(ChildSpec child) { children_.push_back(std::move(child)); }  // until it is started
  void FinishBuilding() { is_building_ = false; }

  // While it is being built, the caller gets the right to run it.
  AnyRef Launch(ActorCell& supervisor, const ChildSpec& spec) const override;
  void* Make() const override { return nullptr; }  // a supervisor keeps its object

 private:
  const SupervisorOptions options_;
  std::vector<ChildSpec> children_;
  bool is_building_ = true;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SUPERVISOR_RECIPE_H_
