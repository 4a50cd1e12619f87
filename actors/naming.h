// Naming: what System and Context can do with names: give one to an actor, and find an actor by it.
#ifndef TROUPE_ACTORS_NAMING_H_
#define TROUPE_ACTORS_NAMING_H_

#include <array>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/actors/named_recipient.h"
#include "troupe/actors/recipient.h"

namespace troupe {

namespace internal {
class ActorSpace;

// As the functions of the same name in NameTable, for the names of a space.
absl::Status BindName(ActorSpace& space, std::string_view name, const AnyRef& who,
                      std::span<const PlacedThunk> routes);
absl::Status RebindName(ActorSpace& space, std::string_view name, const AnyRef& who,
                        std::span<const PlacedThunk> routes);
bool UnbindName(ActorSpace& space, std::string_view name);
absl::StatusOr<AnyRef> FindName(ActorSpace& space, std::string_view name,
                                std::span<const MessageType> messages, Thunk* thunks);
std::shared_ptr<RouteTable> SlotOfName(ActorSpace& space, std::string_view name);

template <class... Ms>
std::array<PlacedThunk, sizeof...(Ms)> RoutesTo(const Recipient<Ms...>& who) {
  return {PlacedThunk{PlaceOf(MessageTypeFor<Ms>()), who.template ThunkOf<Ms>()}...};
}
}  // namespace internal

// A name is any text but the empty one. It stands for one actor, and for the messages that may be
// sent to it by that name; it conveys no other right. Names belong to the System: two systems in one
// process know nothing of each other's.
//
//   system.Bind<Deposit, Balance>("bank/alice", account).IgnoreError();
//   ...
//   void On(Payday, troupe::Context& self) {
//     absl::StatusOr<troupe::Recipient<Deposit>> alice = self.Find<Deposit>("bank/alice");
//     if (alice.ok()) alice->Send(Deposit{100});
//   }
//
// Names are for what starts in no fixed order, is replaced, or is known from a configuration. Actors
// that know each other hand each other their refs: that cannot go wrong at run time.
// ActorOptions::name is something else, a label for people: nobody is found by it, and Bind does not
// set it.
//
// A name whose actor has ended is free. Nothing happens at the moment of that end; whoever uses the
// name next notices. Who binds his name again after a failure does so in OnStart.
//
// Thread safety  As the System, or the Context. A function takes effect at one instant, for all
//                messages of the name at once; a Send under way may still reach whom it looked up.
// Ownership      A name keeps no actor alive.
// Errors         A status; each function names its own.
// Cost           A lock of the whole System and a search for the name: for the control path. To send by
//                name often, keep what Find or FindLate returned.
template <class Owner>
class Naming {
 public:
  // Gives the name to `who`, an ActorRef or Recipient, for these messages. kAlreadyExists: somebody
  // alive has it, be it `who`. kInvalidArgument: the name is empty, or `who` refers to nobody. An
  // actor that has ended may be bound; the name is free afterwards.
  template <class... Ms>
  absl::Status Bind(std::string_view name, const std::type_identity_t<Recipient<Ms...>>& who) {
    return internal::BindName(space(), name, who, internal::RoutesTo(who));
  }

  // The same, but whoever has the name loses it, with its messages. Never kAlreadyExists.
  template <class... Ms>
  absl::Status Rebind(std::string_view name, const std::type_identity_t<Recipient<Ms...>>& who) {
    return internal::RebindName(space(), name, who, internal::RoutesTo(who));
  }

  // Takes the name from whoever has it. False: nobody alive had.
  bool Unbind(std::string_view name) { return internal::UnbindName(space(), name); }

  // Who has the name now. kNotFound: nobody alive. kFailedPrecondition: it was bound without one of
  // these messages, which the error names.
  template <class... Ms>
  absl::StatusOr<Recipient<Ms...>> Find(std::string_view name) {
    const std::array<internal::MessageType, sizeof...(Ms)> messages{
        internal::MessageTypeFor<Ms>()...};
    std::array<internal::Thunk, sizeof...(Ms)> thunks;
    absl::StatusOr<AnyRef> who = internal::FindName(space(), name, messages, thunks.data());
    if (!who.ok()) return who.status();
    return Recipient<Ms...>(*who, thunks);
  }

  // Whoever has the name when a message is sent; somebody need not have it yet. For the empty name:
  // a NamedRecipient of a name that nobody ever has.
  template <class... Ms>
  NamedRecipient<Ms...> FindLate(std::string_view name) {
    return NamedRecipient<Ms...>(internal::SlotOfName(space(), name));
  }

 protected:
  Naming() = default;
  Naming(const Naming&) = default;
  Naming& operator=(const Naming&) = default;
  ~Naming() = default;

 private:
  internal::ActorSpace& space() { return static_cast<Owner&>(*this).space(); }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_NAMING_H_
