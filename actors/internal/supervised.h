// Supervised: what makes an actor a supervisor's child: how its object is made again, and what the
// two tell each other.
//
// A supervised actor has one cell, one incarnation and one mailbox, and in it lives, one after the
// other: an actor object from its construction to its destruction. Between them it is vacant.
//
//   from                        to        what happens
//   spawned                     vacant    no object yet
//   vacant, kBegin              alive     object made, OnStart; it reports kStarted, or kEnded with
//                                         what was thrown
//   alive, it stops or fails    vacant    E1 to E3 of actor_end.cc; it reports kEnded
//   alive, kPark                vacant    the same
//   either, kFinish             gone      E1 to E6; it reports kGone, its last words
//
// V1  While it is vacant, and from the end of a life on, messages wait for the next one, as they do
//     behind a suspended handler (ActorAnnex::deferred, or in the BoundedQueue, where they count).
// V2  Nothing of a life outlives it but the mailbox, the watchers and the name. An answer that comes
//     for an ask of a life before is discarded (IsAbandoned).
// V3  Reports are messages to the parent, in the order of what they tell; orders are control items,
//     in the order in which the parent gave them.
#ifndef TROUPE_ACTORS_INTERNAL_SUPERVISED_H_
#define TROUPE_ACTORS_INTERNAL_SUPERVISED_H_

#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"

namespace troupe::internal {

class ActorCell;
struct ChildSpec;

// How a child is made: once its cell, and its object for every life.
class ChildRecipe {
 public:
  virtual ~ChildRecipe() = default;

  // By whoever has the right to run the supervisor. Nobody, if the system takes no more actors.
  virtual AnyRef Launch(ActorCell& supervisor, const ChildSpec& spec) const = 0;
  // On the child's own turn. Throws what the constructor throws.
  virtual void* Make() const = 0;
};

// What a child tells its supervisor.
struct ChildReport {
  enum class Kind : uint8_t {
    kStarted,    // it lives, and its OnStart has returned
    kEnded,      // it lives no more, or could not be made, and waits for an order
    kStopAsked,  // somebody has told it to stop while it was vacant
    kGone,       // it has ended for good
  };
  AnyRef who;
  Kind kind;
  ExitReason reason = ExitReason::kNormal;
  absl::Status status;
};

struct Supervised {
  AnyRef supervisor;
  std::shared_ptr<const ChildRecipe> recipe;  // nullptr: a supervisor, whose object stays
  bool keeps_mailbox = true;
  bool vacant = true;
  bool has_lived = false;
  bool finished = false;  // told to end for good

  bool comes_back() const { return recipe != nullptr && !finished; }
};

void SendReport(const Supervised& child, ChildReport report);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SUPERVISED_H_
