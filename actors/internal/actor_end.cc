// How an actor ends, and what parents and children have to do with it: the part of ActorCell that
// runs once in a life.
//
//   E1  End           the reason is noted; from now on messages taken out become dead letters
//   E2  its suspended handlers, timers and asks are cancelled; every child is told to end; this
//       actor stays until the last one has
//   E3  OnStop; what that began ends as in E2; then the actor object is destroyed. A supervised
//       actor goes on from here to actor_restart.cc, unless it is to end for good
//   E4  CloseMailbox  senders learn kClosed; what was queued becomes dead letters, asks among it
//       fail
//   E5  those linked with it and watchers get their Down, in the order of linking and watching and
//       after all this actor sent them
//   E6  the cell goes back: to the parent, if there is one, else to the slab
#include <memory>
#include <utility>
#include <vector>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/down_message.h"
#include "troupe/actors/internal/suspended_handler.h"

namespace troupe::internal {
namespace {

// How many children an actor spawns between two looks at those that have ended.
constexpr uint32_t kSpawnsBetweenLooks = 64;

}  // namespace

void ActorCell::Adopt(ActorCell& child) {
  ActorAnnex& a = annex();
  // A handler that makes many children which end at once keeps but few of their cells.
  if (++a.spawns % kSpawnsBetweenLooks == 0) ForgetEndedChildren();
  child.child_slot_ = a.children.Add(child);
}

void ActorCell::ForgetEndedChildren() {
  ActorCell* const ended = annex_->ended_children.TakeAll();
  if (ended == nullptr) return;
  for (ActorCell* child = ended; child != nullptr; child = EndedChildren::Next(*child)) {
    annex_->children.Remove(child->child_slot_);
  }
  space().Retire(*ended);
}

// Called on the parent by the thread of a child, which ended just now (C4). Once that is pushed this
// actor may end, too, and the wake come late, which is harmless (mailbox_queue.h, M5).
void ActorCell::NoteChildEnd(ActorCell& child) {
  if (!annex_->ended_children.Push(child)) return;
  if (queue_.Wake()) ScheduleNow();
}

bool ActorCell::TryFinish(Context& self) {
  const bool simple = annex_ == kEndsNormally && type()->on_stop == nullptr;
  if (!simple && !FinishChildren(self)) return false;
  if (void* const actor = std::exchange(actor_, nullptr)) type()->destroy(actor);
  if (AwaitsLife()) {
    EndLife();
    return false;
  }
  CloseMailbox();
  const bool has_more = has_annex();
  const std::unique_ptr<ActorAnnex> annex(has_more ? annex_ : nullptr);
  annex_ = nullptr;
  if (space().events().Wants<ActorEnded>()) [[unlikely]]
    TellEnd(annex.get());
  if (has_more) {
    TellWatchers(*annex);
    if (annex->supervised != nullptr) {
      SendReport(*annex->supervised,
                 {ref(), ChildReport::Kind::kGone, annex->reason, annex->status});
    }
    if (annex->named) space().ForgetName(*this);
    if (annex->dedicated) space().GiveBackDedicated(*scheduler_);
  }
  Release();
  return true;
}

// E2 and OnStop. False: some child has not ended yet.
bool ActorCell::FinishChildren(Context& self) {
  ActorAnnex& a = annex();
  if (!std::exchange(a.told_to_end, true)) {
    LetGo();
    ForgetEndedChildren();  // of whom nobody has to be told
    StopChildren();
  }
  if (!ChildrenHaveEnded()) return false;
  if (type()->on_stop == nullptr || actor_ == nullptr) return true;
  if (std::exchange(a.on_stop_called, true)) return true;
  CallOnStop(self);
  LetGo();  // of what OnStop began
  StopChildren();
  return ChildrenHaveEnded();
}

// False: the last of them, or one before it, will wake this actor.
bool ActorCell::ChildrenHaveEnded() {
  do {
    ForgetEndedChildren();
    if (annex_->children.empty()) return true;
  } while (!annex_->ended_children.WakeAfter(annex_->children.size()));
  return false;
}

void ActorCell::LetGo() {
  annex_->replies.LeaveWaits();  // first: from here on those who wait for this actor will be told
  while (annex_->suspended != nullptr) annex_->suspended->Cancel();
  annex_->timers.CancelAll();
  annex_->replies.AbandonAll(space().timers());
}

void ActorCell::StopChildren() {
  const ExitReason reason =
      annex_->reason == ExitReason::kShutdown ? ExitReason::kShutdown : ExitReason::kNormal;
  // Children whose end is not noted yet may be among them: closed cells, which take no control
  // (C4).
  annex_->children.ForEach([&](ActorCell& child) {
    Control& finish = Control::Make(Control::Kind::kFinish);
    finish.reason = reason;
    PostControl(child.ref(), finish);
  });
}

void ActorCell::CallOnStop(Context& self) {
  self.sender_ = AnyRef();
  try {
    type()->on_stop(actor_, self);
  } catch (...) {
    // The reason it ended for stands; a failure to say goodbye must not keep its watchers waiting.
  }
}

void ActorCell::FreeControls(const MailboxQueue::List& controls) {
  MailboxNode* next_node;
  for (MailboxNode* node = controls.first; node != nullptr; node = next_node) {
    next_node = node->next;
    static_cast<Control&>(*node).Free();
  }
}

// Controls are closed last: who comes too late to watch is told at once that this actor has ended, and what he
// sends then is refused. But bonds are taken before messages are discarded: among these may be the end of a
// bond (ForgetBonds), whose beginning is known by then.
void ActorCell::CloseMailbox() {
  BoundedQueue* const bounded =
      bounded_.load(std::memory_order_relaxed);  // relaxed: fixed since Open
  Envelope* const pushed = static_cast<Envelope*>(queue_.Close().first);
  Envelope* const waiting = bounded != nullptr ? bounded->Close() : nullptr;
  // Pairs with the fence in PostControl. (On the other queue's word; an acquire there orders nothing.)
  std::atomic_thread_fence(std::memory_order_release);
  const MailboxQueue::List controls = control_.Close();
  for (MailboxNode* node = controls.first; node != nullptr; node = node->next) {
    const auto& control = static_cast<const Control&>(*node);
    if (control.IsBond()) TakeBond(control);
  }
  FreeControls(controls);
  DiscardList(std::exchange(first_, nullptr));
  DiscardList(pushed);
  DiscardList(waiting);
  if (bounded == nullptr) return;
  space().TurnAwaySenders(*bounded, DeadLetterReason::kNoSuchActor, ref());
  space().GiveBack(*bounded);
}

ActorCell::Unhandled ActorCell::Shut() {
  FreeControls(control_.Close());
  Envelope* const pushed = static_cast<Envelope*>(queue_.Close().first);
  BoundedQueue* const bounded = bounded_.load(std::memory_order_relaxed);  // alone by now
  return {
      this,
      {has_annex() ? annex_->deferred.TakeBefore(nullptr) : nullptr, std::exchange(first_, nullptr),
       pushed, bounded == nullptr ? nullptr : bounded->Close()}};
}

// What it destroys may still send and ask, as this actor; it spawns nobody (ActorSpace::MayLaunch).
void ActorCell::Reclaim(const Unhandled& left) {
  const Activation here{this, activation_};
  activation_ = &here;
  if (has_annex()) LetGo();
  if (actor_ != nullptr) type()->destroy(std::exchange(actor_, nullptr));
  for (Envelope* list : left.lists) {
    while (list != nullptr) {
      Envelope& e = *list;
      list = static_cast<Envelope*>(e.next);
      Discard(e, Lost::kReceiverGone);
    }
  }
  if (has_annex()) delete annex_;
  annex_ = nullptr;
  activation_ = here.around;
}

void ActorCell::DiscardList(Envelope* first) {
  while (first != nullptr) {
    Envelope& e = *first;
    first = static_cast<Envelope*>(e.next);
    const uint64_t address = e.address & ~kAddressFlags;
    const bool mine = address == ref().incarnation_;  // C2
    space().Lose(e, mine ? DeadLetterReason::kStopped : DeadLetterReason::kNoSuchActor,
                 AnyRef(this, address));
  }
}

void ActorCell::UnwatchAll(const ActorAnnex& a) {
  for (const AnyRef& watched : a.watched.InOrder()) {
    if (!watched) continue;  // its Down is still on the way
    Control& unwatch = Control::Make(Control::Kind::kUnwatch);
    unwatch.peer = ref();
    PostControl(watched, unwatch);
  }
}

void ActorCell::TellEnd(const ActorAnnex* a) {
  space().events().Publish(ActorEnded{.who = ref(),
                                      .type = type()->name,
                                      .name = space().NameOf(*this),
                                      .reason = a != nullptr ? a->reason : ExitReason::kNormal,
                                      .status = a != nullptr ? a->status : absl::OkStatus()});
}

// Those with whom this actor, or this life of it, is linked. Who watches it, too, is told once.
void ActorCell::TellLinked(ActorAnnex& a, bool for_good) {
  const std::vector<Links::Link> links = a.links.TakeAll();
  if (links.empty()) return;
  const Down down{ref(), a.reason, a.status, type()->name, a.named ? space().NameOf(*this) : ""};
  for (const Links::Link& link : links) {
    if (!link.peer) continue;  // its Down is still on the way
    if (for_good) a.watchers.Erase(link.peer);
    SendLinkEnd(link, {.down = down, .for_good = for_good});
  }
}

void ActorCell::TellWatchers(ActorAnnex& a) {
  const AnyRef me = ref();
  UnwatchAll(a);
  TellLinked(a, true);
  if (a.watchers.empty()) return;
  const Down down{me, a.reason, a.status, type()->name, a.named ? space().NameOf(*this) : ""};
  for (const AnyRef& watcher : a.watchers.InOrder()) SendDown(watcher, down);
}

// C5: the last call of an incarnation.
void ActorCell::Release() {
  ActorSpace& owner = space();
  ActorCell* const parent = parent_.load(std::memory_order_relaxed);  // fixed since Open
  incarnation_.store(0, std::memory_order_release);                   // pairs with IsLive
  if (parent != nullptr) parent->NoteChildEnd(*this);
  // Its last touch of the space, too: with a host's own threads nobody else knows that this one has
  // left, and the space may be gone the next moment (shard.h, H6).
  owner.CountEnd(parent == nullptr ? this : nullptr);
}

}  // namespace troupe::internal
