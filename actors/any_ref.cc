#include "troupe/actors/any_ref.h"

#include <cstdio>
#include <ostream>
#include <string>

#include "troupe/actors/internal/actor_cell.h"

namespace troupe {

// The type first, then the incarnation: if that is still ours the type was ours too (it changes
// only between incarnations).
const internal::ActorType* AnyRef::LiveType() const {
  if (cell_ == nullptr) return nullptr;
  const internal::ActorType* type = cell_->type();
  return cell_->IsLive(incarnation_) ? type : nullptr;
}

std::string AnyRef::ToString() const {
  if (cell_ == nullptr) return "nobody";
  const internal::ActorType* type = LiveType();
  // The high half of a product with an odd constant (Fibonacci hashing): 32 bits do not lead back
  // to the 64.
  const auto digest = static_cast<uint32_t>((incarnation_ * 0x9E3779B97F4A7C15u) >> 32);
  std::string text(type != nullptr ? type->name : "");
  char number[16];
  std::snprintf(number, sizeof(number), "#%08x", digest);
  return text + number;
}

std::ostream& operator<<(std::ostream& out, const AnyRef& ref) { return out << ref.ToString(); }

}  // namespace troupe
