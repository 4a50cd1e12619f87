// ActorCell: one actor as the framework sees it: mailbox, run loop, life cycle.
//
//   Operation         Who             Effect
//   Post              any thread      put a message into the mailbox; schedule the actor if it was
//                                     idle
//   PostControl       any thread      same for stop, watch, an alarm: handled before any
//                                     message, without capacity
//   Run               the scheduler   one activation (core/runnable.h)
//   everything else   the running thread, that is inside Run
//
// Cells live in a Slab: their memory is type-stable, starts as zero bytes, is never constructed or
// destroyed, and is reused by later actors while stale refs may still point to it. What a stale
// sender may touch is a MailboxQueue, the `bounded_` pointer and the chunk's owner, all of which
// stay meaningful across reuse; and, if it gets the right to run, what that right covers.
//
// C1  One thread at a time is inside Run. It got there through the mailbox's right to run
//     (mailbox_queue.h, M1).
// C2  An envelope or control item is handled only by the incarnation it is addressed to; others are
//     discarded as dead letters.
// C3  Every envelope taken is consumed once: by its handler, or by ActorSpace::Lose.
// C4  A parent ends after its children: it keeps their cells until it has taken note of each one's
//     end. So parent_ needs no incarnation, and a child's last act, NoteChildEnd of its parent,
//     always finds it.
// C5  After Release nothing of the cell is touched by the thread that ran it: it may be somebody
//     else already.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_CELL_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_CELL_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/actor_type.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/internal/wait_edge.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/mailbox_queue.h"
#include "troupe/core/runnable.h"
#include "troupe/core/scheduler.h"
#include "troupe/core/slab.h"

namespace troupe {
class Context;

namespace internal {

class ActorSpace;
class BoundedQueue;
class DeferredMessages;
struct ActorAnnex;
struct BoundedOffer;
struct Control;
struct MailWaiter;

// How a Post treats a full mailbox.
enum class PostMode : uint8_t {
  kByPolicy,    // what ActorOptions::when_full says
  kNeverBlock,  // the same, but kBlock refuses with kFull
  kOffer,       // the same, and what is refused with kFull stays the caller's: no dead letter
  kTry,         // as kNeverBlock, and what is refused, for whatever reason, stays the caller's
};

// What an actor fails with when `error` leaves a handler.
absl::Status StatusOf(std::exception_ptr error);

class alignas(64) ActorCell : public Runnable {
 public:
  // ---- any thread

  // Consumes the envelope whatever the answer, but for kOffer; e.address must be set. A refused one is
  // a dead letter.
  static SendResult Post(const AnyRef& to, Envelope& e, PostMode mode = PostMode::kByPolicy);

  // The same for `count` messages without a sender, the newest of which leads by `next` to the oldest; kNeverBlock.
  static void PostAll(const AnyRef& to, Envelope& newest, Envelope& oldest, size_t count);

  // The same for one who holds no thread. Nothing: it has to wait. `waiter` is linked in the mailbox then;
  // without one `e` stays the caller's.
  static std::optional<SendResult> Enqueue(const AnyRef& to, Envelope& e, MailWaiter* waiter);
  static void Withdraw(const AnyRef& to, MailWaiter& waiter);

  // Consumes the control item. False: `to` has ended, and what the item asked for can only be
  // answered by the caller.
  static bool PostControl(const AnyRef& to, Control& control);

  static ActorCell* Of(const AnyRef& ref) { return ref.cell_; }
  static uint64_t IncarnationOf(const AnyRef& ref) { return ref.incarnation_; }
  // The actor whose handler this thread is in; nullptr on a plain thread.
  static ActorCell* Current() { return activation_ != nullptr ? activation_->cell : nullptr; }
  static AnyRef CurrentRef() {
    ActorCell* const cell = Current();
    return cell != nullptr ? cell->ref() : AnyRef();
  }

  ActorSpace& space() const;  // of this cell; also of a closed one. actor_space.h has its body
  bool SharesSpace(const ActorCell& other) const;
  WaitEdge& wait_edge() const;
  // The type and incarnation as a ref's holder sees them. Both may be those of a later actor:
  // compare the incarnation after.
  const ActorType* type() const { return type_.load(std::memory_order_acquire); }
  bool IsLive(uint64_t incarnation) const {
    return incarnation_.load(std::memory_order_acquire) == incarnation;
  }

  struct Snapshot {
    AnyRef ref;  // nobody: the cell is not in use
    const ActorType* type = nullptr;
    uint64_t queued = 0;
    bool has_news = false;  // there are messages that the actor has not looked at
    uint64_t handled = 0;
    uint32_t oldest_since_ms = 0;  // CoarseClock; no message that waits now was sent before
    uint32_t taken_ms = 0;    // CoarseClock; when messages were last taken out of the shared queue
    Thunk running = nullptr;  // the message being handled
    bool top_level = false;
  };
  Snapshot TakeSnapshot() const;

  // ---- the spawning thread, on a closed cell nobody else has a valid ref to

  struct Birth {
    void* actor;
    const ActorType* type;
    uint64_t incarnation;
    Scheduler* scheduler;
    ActorCell* parent;
    BoundedQueue* bounded = nullptr;
    ActorAnnex* annex = nullptr;  // the cell takes it over
    bool held = false;            // the opener has the right to run, until LetRun
  };
  AnyRef Open(const Birth& birth) noexcept;  // out of memory in here ends the process

  // ---- the spawning thread, on a cell that was opened as held

  // Runs `act` on this thread as the actor would, so that it has children before anybody learns of
  // it. `act` must not throw.
  void ActHeld(void (*act)(void* argument, Context& self), void* argument);
  void LetRun() { ScheduleNow(); }  // gives the right to run to the scheduler

  // ---- ~ActorSpace, when no thread runs any more, on cells whose actors have not ended

  struct Unhandled {
    ActorCell* cell;
    std::array<Envelope*, 4> lists;
  };
  bool shut() const { return queue_.closed(); }
  Unhandled Shut();                     // closes the mailbox, so that nothing is scheduled any more
  void Reclaim(const Unhandled& left);  // destroys the actor and its messages, without OnStop

  // ---- the running thread

  AnyRef ref() const {
    return AnyRef(const_cast<ActorCell*>(this), incarnation_.load(std::memory_order_relaxed));
  }
  void* actor() const { return actor_; }
  bool has_annex() const { return annex_ != nullptr && annex_ != kEndsNormally; }
  ActorAnnex& annex() { return has_annex() ? *annex_ : MakeAnnex(); }
  bool ending() const;
  void End(ExitReason reason,
           absl::Status status);  // after the current handler; the first call wins
  void Adopt(ActorCell& child);
  Scheduler& scheduler() const { return *scheduler_; }
  void BeginBlocking();  // the handler that runs is about to wait for something
  // Messages wait, answers do not, until the handler that is suspended has come to its end.
  void DeferMessages();
  void ResumeMessages();
  // These wait in front of all others.
  void PutBack(DeferredMessages& older);
  bool HasControl() const { return control_.HasNodes(); }
  bool defers() const;  // a handler is suspended, and messages wait
  void Compact();       // gives back memory that an idle actor does not need
  // For a process (message_file.h), whose messages wait on when they have been taken out. HoldRoom:
  // from now on a bounded mailbox keeps the room of each until MakeRoom. KeepQueued: the message
  // being handled counts as queued until Dequeue.
  void HoldRoom();
  void MakeRoom();
  void KeepQueued();
  void Dequeue();
  // kStop, kFinish, kPark or kBegin.
  void ObeyOrder(const Control& order, Context& self);
  // Tells the supervisor, if there is one, what has become of this child.
  void Report(ChildReport::Kind kind, ExitReason reason, absl::Status status);

 private:
  friend SendResult PostMessage(const AnyRef& to, Envelope& e, bool may_block);  // it is PostHere
  friend SendResult TryMessage(const AnyRef& to, Envelope& e, void* from);       // likewise
  class Turn;
  class Activated;

  static Outcome RunCell(Runnable& r, const Budget& budget);
  Outcome Activate(const Budget& budget);

  void CountTaken(size_t count, uint32_t since_ms, uint32_t now_ms);
  static SendResult PostHere(const AnyRef& to, Envelope& e, PostMode mode);
  static SendResult PostBounded(const AnyRef& to, BoundedQueue& queue, Envelope& e, PostMode mode);
  SendResult Finish(const AnyRef& to, Envelope& e, const BoundedOffer& offered, PostMode mode);
  static void Refuse(const AnyRef& to, Envelope& e, DeadLetterReason reason, PostMode mode);
  bool WaitForRoom(BoundedQueue& queue, const AnyRef& to);
  void WakeSenders();
  uint32_t SendTime() const;  // CoarseClock
  void ScheduleNow();
  void StartWith(Envelope& e);
  void AddLast(Envelope& e, void*& tail);
  ActorAnnex& MakeAnnex();
  static bool MayOvertake(const Envelope& e);

  Envelope* Refill();
  void Handle(Envelope& e, Delivery& d);
  bool Waylay(Envelope& e);
  bool WaylayBetweenLives(Envelope& e);
  void Defer(Envelope& e);
  bool DefersMessages() const;
  bool AwaitsLife() const;
  bool MoreWaits() const;
  bool TendAnnex();
  void HandleControl(Context& self);
  void Obey(Control& control, Context& self);
  void TakeBond(const Control& bond);
  void CallOnStart(Context& self);
  void FailWith(std::exception_ptr error);

  void BeginLife(Context& self);
  void EndLife();
  void DropMessages();
  void TakeDeferred();
  void UnwatchAll(const ActorAnnex& annex);

  bool TryFinish(
      Context& self);  // true: this incarnation is over and the cell is not ours any more
  void LetGo();
  void StopChildren();
  void ForgetEndedChildren();
  bool FinishChildren(Context& self);
  bool ChildrenHaveEnded();
  void NoteChildEnd(ActorCell& child);  // any thread
  void CallOnStop(Context& self);
  static void FreeControls(const MailboxQueue::List& controls);
  void CloseMailbox();
  void DiscardList(Envelope* first);
  void TellEnd(const ActorAnnex* annex);
  void TellLinked(ActorAnnex& annex, bool for_good);
  void TellWatchers(ActorAnnex& annex);
  void Release();

  // What annex_ is when there is nothing more to say: most actors end so, and need no annex for it.
  static inline ActorAnnex* const kEndsNormally = reinterpret_cast<ActorAnnex*>(uintptr_t{1});

  // One activation of this thread; nested ones (a host-driven scheduler may be turned inside a
  // handler) know the one around them.
  struct Activation {
    ActorCell* cell;
    const Activation* around;
  };
  static int NestedActivations();     // of this thread
  bool IsActiveOnThisThread() const;  // perhaps below another one

  // constinit: read without an initialisation guard on every Send. The one piece of per-thread
  // state of the actor layer: a sender's identity and the ban on blocking in handlers have to be
  // known where no Context is at hand.
  static constinit thread_local const Activation* activation_;

  // ---- line A, behind Runnable's two words: written by senders; the rest is fixed by Open
  MailboxQueue queue_;
  std::atomic<BoundedQueue*> bounded_;  // nullptr: unbounded. Senders read it
  Scheduler* scheduler_;
  void* actor_;
  std::atomic<const ActorType*> type_;
  uint32_t child_slot_;             // the parent's: where it lists this cell
  std::atomic<uint32_t> taken_ms_;  // CoarseClock at the last take, or when last scheduled

  // ---- line B: written by whoever has the right to run, except control_
  std::atomic<uint64_t> incarnation_;
  Envelope* first_;                 // taken and not yet handled
  ActorAnnex* annex_;               // what few actors need; or kEndsNormally
  MailboxQueue control_;            // only a list: its states do not decide about scheduling
  std::atomic<ActorCell*> parent_;  // fixed by Open; nullptr: top level
  std::atomic<uint64_t> handled_;
  std::atomic<Thunk> running_;
  std::atomic<uint32_t> taken_;        // low 32 bits: taken - handled = those held in first_
  std::atomic<uint32_t> previous_ms_;  // taken_ms_ before the last take
};

static_assert(sizeof(ActorCell) == 128, "two cache lines; a million idle actors are 128 MB");

// A cell's wait lies beside it, and takes memory only if its actor awaits something.
using CellSlab = Slab<ActorCell, WaitEdge>;

inline bool ActorCell::SharesSpace(const ActorCell& other) const {
  return CellSlab::OwnerOf(this) == CellSlab::OwnerOf(&other);
}
inline WaitEdge& ActorCell::wait_edge() const { return CellSlab::BesideOf(this); }

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_CELL_H_
