// AnyRef: the identity of one actor, whatever its class.
#ifndef TROUPE_ACTORS_ANY_REF_H_
#define TROUPE_ACTORS_ANY_REF_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <optional>
#include <string>
#include <utility>

#include "troupe/core/place.h"

namespace troupe {

template <class A>
class ActorRef;

namespace internal {
class ActorCell;
struct ActorType;
template <class A>
const ActorType* ActorTypeOf();
}  // namespace internal

// An AnyRef names one incarnation of one actor: {cell, 64-bit random incarnation}. It is what the
// framework hands out where the class is not known: the sender of a message, the subject of a Down,
// the target of a dead letter.
//
// Thread safety   A value: copy and use it on any thread.
// Ownership       None. It keeps nothing alive; after the actor has ended it refers to nobody, and
//                 never to a later actor.
// Lifetime        Valid while the System that made the actor lives; using it afterwards is
//                 undefined.
// Cost            16 bytes, copying touches no shared memory.
class AnyRef {
 public:
  constexpr AnyRef() = default;  // refers to nobody

  // False for a default-constructed ref only: an ended actor is still somebody.
  constexpr explicit operator bool() const { return cell_ != nullptr; }

  // The typed ref again, if the actor is alive and was spawned as an A. So to whoever can name the
  // class an AnyRef is as good as an ActorRef; see Recipient for what to give away instead.
  template <class A>
  std::optional<ActorRef<A>> As() const;

  // Where that actor is. Of one that a node has brought here (runtime/bridges/node.h) the place is that
  // of the other end, by the link that leads there: unix:// is this computer, tcp:// and tls:// are
  // another one, whatever the address. It costs about as much as As, and no message. A caretaker, a
  // router or a persistent connection is an actor of its own, and in this process, wherever those are
  // to whom it passes on.
  //
  //   if (bank.place() == troupe::Place::kOtherComputer) SendInOnePiece(bank, orders);
  Place place() const;

  // "Account#5e1f09c2", "#5e1f09c2" once the actor has ended, "nobody" for a default-constructed
  // ref. The number is a keyed digest of the incarnation, so printing a ref gives nobody the
  // right to use it.
  std::string ToString() const;

  constexpr size_t Hash() const { return static_cast<size_t>(incarnation_); }  // random already

  friend constexpr bool operator==(const AnyRef&, const AnyRef&) = default;
  friend constexpr auto operator<=>(const AnyRef&, const AnyRef&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const AnyRef& ref) {
    return H::combine(std::move(h), ref.Hash());
  }

 protected:
  friend class internal::ActorCell;  // makes and takes apart refs; users never see a cell
  constexpr AnyRef(internal::ActorCell* cell, uint64_t incarnation)
      : cell_(cell), incarnation_(incarnation) {}

  internal::ActorCell* cell_ = nullptr;
  uint64_t incarnation_ = 0;

 private:
  const internal::ActorType* LiveType() const;  // nullptr once ended
  bool IsLive(const internal::ActorType* as) const;
};

std::ostream& operator<<(std::ostream& out, const AnyRef& ref);

template <class A>
std::optional<ActorRef<A>> AnyRef::As() const {
  if (!IsLive(internal::ActorTypeOf<A>())) return std::nullopt;
  return ActorRef<A>(*this);
}

}  // namespace troupe

template <>
struct std::hash<troupe::AnyRef> {
  size_t operator()(const troupe::AnyRef& ref) const noexcept { return ref.Hash(); }
};

#endif  // TROUPE_ACTORS_ANY_REF_H_
