#include "troupe/actors/any_ref.h"

#include <ostream>
#include <string>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe {

// The type first, then the incarnation: if that is still ours the type was ours too (it changes
// only between incarnations).
const internal::ActorType* AnyRef::LiveType() const {
  if (cell_ == nullptr) return nullptr;
  const internal::ActorType* type = cell_->type();
  return cell_->IsLive(incarnation_) ? type : nullptr;
}

bool AnyRef::IsLive(const internal::ActorType* as) const {
  const internal::ActorType* type = LiveType();
  return type != nullptr && type->of_class == as;
}

Place AnyRef::place() const {
  const internal::ActorType* type = LiveType();
  return type != nullptr ? type->place : Place::kNowhere;
}

std::string AnyRef::ToString() const {
  if (cell_ == nullptr) return "nobody";
  const internal::ActorType* type = LiveType();
  std::string text(type != nullptr ? type->name : "");
  return text + internal::PrintedNumber(incarnation_, cell_->space().print_key());
}

std::ostream& operator<<(std::ostream& out, const AnyRef& ref) { return out << ref.ToString(); }

}  // namespace troupe
