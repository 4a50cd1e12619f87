#include "troupe/actors/any_ref.h"

#include <cstdio>
#include <ostream>
#include <string>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"

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
  // Mixed with a secret of the space, so that the 32 bits printed narrow down nothing: who knows the
  // incarnation may send to the actor.
  const auto product = static_cast<unsigned __int128>(incarnation_ ^ cell_->space().print_key()) *
                       0x9E3779B97F4A7C15u;
  const auto digest = static_cast<uint32_t>((product >> 64) ^ product);
  std::string text(type != nullptr ? type->name : "");
  char number[16];
  std::snprintf(number, sizeof(number), "#%08x", digest);
  return text + number;
}

std::ostream& operator<<(std::ostream& out, const AnyRef& ref) { return out << ref.ToString(); }

}  // namespace troupe
