#include "troupe/runtime/bridges/internal/late_binding.h"

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/backoff.h"
#include "troupe/actors/internal/deferred_messages.h"
#include "troupe/actors/internal/incarnation.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/actors/internal/waiting_thread.h"

namespace troupe::internal {
namespace {

// Between two questions to a node that is there, but has nobody by that name.
constexpr Backoff kFindAgain = {
    .min = absl::Milliseconds(10), .max = absl::Seconds(1), .jitter = 0.2};
// An actor that lived so long is no failure.
constexpr absl::Duration kLongLife = absl::Seconds(10);
// Between two looks at a mailbox that is full (B3). It has room for many then, so few messages pay for it.
constexpr absl::Duration kLookAgain = absl::Milliseconds(1);

// For the front, where it was.
void KeepWaiting(Envelope& e) {
  ActorCell& me = *ActorCell::Current();
  DeferredMessages again;
  again.Append(e);
  me.KeepQueued();
  me.PutBack(again);
}

}  // namespace

AnyRef SpawnLateBinding(const ActorRef<Redial>& connection, LateBinding::Finding find,
                        bool messages_wait, ActorOptions options) {
  ActorSpace* const space = SpaceOf(connection);
  if (space == nullptr) return {};
  return SpawnActor<LateBinding>(*space, nullptr, &options, connection, std::move(find),
                                 messages_wait);
}

LateBinding::LateBinding(const ActorRef<Redial>& connection, Finding find, bool messages_wait)
    : connection_(connection),
      find_(std::move(find)),
      messages_wait_(messages_wait),
      random_(DrawIncarnation()) {}

void LateBinding::OnStart(Context& self) {
  self.Watch(connection_);
  AwaitPeerAndFind({}, absl::InfiniteDuration(), self);
}

void LateBinding::AwaitPeerAndFind(const AnyRef& but_not, absl::Duration patience, Context& self) {
  connection_.Ask(AwaitPeer{but_not}, patience)
      .Then(self, [this](const absl::StatusOr<Peer>& peer, Context& now) {
        if (peer.ok()) return FindAt(*peer, now);
        if (absl::IsDeadlineExceeded(peer.status())) {
          return AwaitPeerAndFind({}, absl::InfiniteDuration(), now);
        }
        now.Stop();  // the connection is not maintained any more
      });
}

void LateBinding::FindAt(const Peer& peer, Context& self) {
  find_(peer, self, [this, peer](absl::StatusOr<Target> found, Context& now) {
    if (found.ok()) return Bind(*std::move(found), peer.ref(), now);
    if (IsNodeLost(found.status())) {
      return AwaitPeerAndFind(peer.ref(), absl::InfiniteDuration(), now);
    }
    FindAgainLater(peer.ref(), now);
  });
}

void LateBinding::FindAgainLater(const AnyRef& at, Context& self) {
  AwaitPeerAndFind(at, DelayBeforeNextTry(kFindAgain, failures_++, random_), self);
}

void LateBinding::Bind(Target target, const AnyRef& at, Context& self) {
  target_ = std::move(target);
  at_ = at;
  since_ = self.Now();
  self.Watch(target_.who);
  if (hold_ != nullptr) std::exchange(hold_, nullptr)->End();  // B2
}

void LateBinding::On(const Down& down, Context& self) {
  if (down.who == connection_) return self.Stop();
  if (down.who != target_.who) return;
  target_ = {};
  if (self.Now() - since_ > kLongLife) failures_ = 0;
  IsNodeLost(down.status) ? AwaitPeerAndFind(at_, absl::InfiniteDuration(), self)
                          : FindAgainLater(at_, self);
}

void LateBinding::Pass(Envelope& e, size_t which, Context& self) {
  if (target_.who) {
    if (PassToTarget(e, which)) return;
    LookForRoom(self);
    return KeepWaiting(e);
  }
  if (!messages_wait_) {
    const ActorCell& me = *ActorCell::Current();
    return me.space().Lose(e, DeadLetterReason::kNoSuchActor, me.ref());
  }
  hold_ = new Hold(self);  // B2
  KeepWaiting(e);
}

bool LateBinding::PassToTarget(Envelope& e, size_t which) {
  const Thunk thunk = e.thunk;
  const uint64_t address = e.address;
  e.thunk = target_.thunks[which];
  e.address = ActorCell::IncarnationOf(target_.who) | (address & kAddressFlags);
  if (ActorCell::Post(target_.who, e, PostMode::kOffer) != SendResult::kFull) return true;
  e.thunk = thunk;
  e.address = address;
  return false;
}

// Or until another peer has come.
void LateBinding::LookForRoom(Context& self) {
  HoldUntil(self, connection_.Ask(AwaitPeer{at_}, kLookAgain),
            [](const absl::StatusOr<Peer>& other, Context& now) {
              if (!other.ok() && !absl::IsDeadlineExceeded(other.status())) now.Stop();
            });
}

}  // namespace troupe::internal
