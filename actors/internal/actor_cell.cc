#include "troupe/actors/internal/actor_cell.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/down_message.h"
#include "troupe/core/next_slot.h"

namespace troupe::internal {

constinit thread_local const ActorCell::Activation* ActorCell::activation_ = nullptr;

// Makes an actor the current one of this thread for a scope.
class ActorCell::Activated {
 public:
  explicit Activated(ActorCell* cell) : here_{cell, activation_} { activation_ = &here_; }
  ~Activated() { activation_ = here_.around; }
  Activated(const Activated&) = delete;
  Activated& operator=(const Activated&) = delete;

 private:
  const Activation here_;
};

int ActorCell::NestedActivations() {
  int depth = 0;
  for (const Activation* a = activation_; a != nullptr; a = a->around) ++depth;
  return depth;
}

bool ActorCell::IsActiveOnThisThread() const {
  const Activation* a = activation_;
  while (a != nullptr && a->cell != this) a = a->around;
  return a != nullptr;
}

// On a host-driven scheduler a Send that waits for room turns the scheduler, and so may come to the
// next one that waits. The stack sets the limit; this is well below it.
constexpr int kMostWaitingSends = 64;

// ---- any thread

inline uint32_t ActorCell::SendTime() const {
  ActorSpace& owner = space();
  if (activation_ == nullptr) {
    owner.RefreshCoarseClock();  // the workers, who do this otherwise, may all be asleep
  }
  return static_cast<uint32_t>(owner.coarse_clock().NowMs());
}

inline void ActorCell::CountTaken(size_t count, uint32_t since_ms, uint32_t now_ms) {
  // Relaxed: statistics, written by whoever has the right to run and read by snapshots.
  constexpr auto kRelaxed = std::memory_order_relaxed;
  const bool none_held = taken_.load(kRelaxed) == static_cast<uint32_t>(handled_.load(kRelaxed));
  if (none_held) previous_ms_.store(since_ms, kRelaxed);
  taken_ms_.store(now_ms, kRelaxed);
  taken_.store(taken_.load(kRelaxed) + static_cast<uint32_t>(count), kRelaxed);
}

// By whoever got the right to run this cell. The stamp says that no message waits longer than from
// now.
void ActorCell::ScheduleNow() {
  taken_ms_.store(SendTime(), std::memory_order_relaxed);  // statistics
  scheduler_->Schedule(*this);
}

// By the worker in whose slot this cell is (next_slot.h, N4): behind what it was put there with,
// which is one message or none, and what was added since.
inline void ActorCell::AddLast(Envelope& e, void*& tail) {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // statistics
  e.next = nullptr;
  if (auto* last = static_cast<Envelope*>(tail != nullptr ? tail : first_)) {
    last->next = &e;
  } else {
    first_ = &e;
  }
  tail = &e;
  taken_.store(taken_.load(kRelaxed) + 1, kRelaxed);
}

// By whoever got that right from PushUnlessIdle: `e` comes first.
inline void ActorCell::StartWith(Envelope& e) {
  first_ = &e;  // its `next` is nullptr: the queue was empty
  const uint32_t now_ms = SendTime();
  CountTaken(1, now_ms, now_ms);
  scheduler_->Schedule(*this);
}

// Whether `e` may go before what other threads have sent to the same actor in this turn
// (next_slot.h, N4). Not a reply: it comes after all that its sender knew to be sent before. Not
// what a nested activation sends (of a scheduler that is turned inside a handler): its actor may
// have run elsewhere meanwhile.
inline bool ActorCell::MayOvertake(const Envelope& e) {
  return (e.address & kExempt) == 0 && activation_ != nullptr && activation_->around == nullptr;
}

[[gnu::always_inline]] inline SendResult ActorCell::PostHere(const AnyRef& to, Envelope& e,
                                                             PostMode mode) {
  ActorCell& cell = *to.cell_;
  // Acquire: what the pointer leads to. A rightful sender learnt of the actor after Open, but a
  // stale one has nothing but this word; pairs with the release in Open. Either queue turns it away
  // (C2).
  if (BoundedQueue* bounded = cell.bounded_.load(std::memory_order_acquire)) [[unlikely]] {
    return PostBounded(to, *bounded, e, mode);
  }
  if (NextSlot *slot = NextSlot::Mine();
      slot != nullptr && slot->Append(cell, [&](bool since_this_turn, void*& tail) {
        // In this order: the queue's line may be with another core's sender.
        const bool may_overtake = since_this_turn && MayOvertake(e);
        if (!may_overtake && cell.queue_.HasNodes()) return false;
        cell.AddLast(e, tail);
        return true;
      })) {
    return SendResult::kQueued;
  }
  switch (cell.queue_.PushUnlessIdle(e)) {
    case PushResult::kQueued:
      return SendResult::kQueued;
    case PushResult::kMustSchedule:
      cell.StartWith(e);
      return SendResult::kQueued;
    case PushResult::kClosed:
      break;
  }
  Refuse(to, e, DeadLetterReason::kNoSuchActor, mode);
  return SendResult::kClosed;
}

void ActorCell::Refuse(const AnyRef& to, Envelope& e, DeadLetterReason reason, PostMode mode) {
  ActorSpace& space = to.cell_->space();
  mode == PostMode::kTry ? space.Report(e, reason, to) : space.Lose(e, reason, to);
}

SendResult ActorCell::Post(const AnyRef& to, Envelope& e, PostMode mode) {
  return PostHere(to, e, mode);
}

// Here rather than with the refs, so that all that a Send does is one function.
SendResult PostMessage(const AnyRef& to, Envelope& e, bool may_block) {
  e.sender = ActorCell::CurrentRef();
  if (!to) [[unlikely]] {
    // Nobody belongs to no system: the sender's counts the letter, if the sender has one.
    if (ActorCell* sender = ActorCell::Current()) {
      sender->space().Lose(e, DeadLetterReason::kNoSuchActor, to);
    } else {
      Discard(e, Lost::kReceiverGone);
    }
    return SendResult::kClosed;
  }
  e.address = ActorCell::IncarnationOf(to);
  return ActorCell::PostHere(to, e, may_block ? PostMode::kByPolicy : PostMode::kNeverBlock);
}

SendResult TryMessage(const AnyRef& to, Envelope& e, void* from) {
  e.sender = ActorCell::CurrentRef();
  SendResult result = SendResult::kClosed;
  if (to) [[likely]] {
    e.address = ActorCell::IncarnationOf(to);
    result = ActorCell::PostHere(to, e, PostMode::kTry);
    if (result == SendResult::kQueued) return result;
  } else if (ActorCell* sender = ActorCell::Current()) {  // as in PostMessage
    sender->space().Report(e, DeadLetterReason::kNoSuchActor, to);
  }
  Return(e, from);
  return result;
}

SendResult ActorCell::PostBounded(const AnyRef& to, BoundedQueue& queue, Envelope& e,
                                  PostMode mode) {
  ActorCell& cell = *to.cell_;
  BoundedQueue::Offered offered = queue.Offer(e);
  while (offered.result == SendResult::kFull && mode == PostMode::kByPolicy &&
         queue.when_full() == WhenFull::kBlock && cell.WaitForRoom(queue, to)) {
    offered = queue.Offer(e);
  }
  return cell.Finish(to, e, offered, mode);
}

// kQueued: what has been an answer is gone by now, perhaps, and `to` was part of it. (No answer drops another
// message.)
SendResult ActorCell::Finish(const AnyRef& to, Envelope& e, const BoundedOffer& offered,
                             PostMode mode) {
  switch (offered.result) {
    case SendResult::kQueued:
      if (offered.dropped != nullptr)
        space().Lose(*offered.dropped, DeadLetterReason::kDroppedOldest, to);
      if (queue_.Wake()) ScheduleNow();
      break;
    case SendResult::kFull:
      if (mode != PostMode::kOffer) Refuse(to, e, DeadLetterReason::kFull, mode);
      break;
    case SendResult::kDropped:
      Refuse(to, e, DeadLetterReason::kDroppedNewest, mode);
      break;
    case SendResult::kClosed:
      Refuse(to, e, DeadLetterReason::kNoSuchActor, mode);
      break;
    case SendResult::kNotAllowed:
      break;  // a BoundedQueue asks for no right
  }
  return offered.result;
}

std::optional<SendResult> ActorCell::Enqueue(const AnyRef& to, Envelope& e, MailWaiter* waiter) {
  ActorCell& cell = *to.cell_;
  if (!cell.IsLive(to.incarnation_)) {
    cell.space().Lose(e, DeadLetterReason::kNoSuchActor, to);
    return SendResult::kClosed;
  }
  // Acquire: as in PostHere.
  BoundedQueue* const bounded = cell.bounded_.load(std::memory_order_acquire);
  if (bounded == nullptr) return PostHere(to, e, PostMode::kNeverBlock);
  const BoundedQueue::Offered offered = bounded->Offer(e, waiter);
  if (offered.may_wait) return std::nullopt;
  return cell.Finish(to, e, offered, PostMode::kNeverBlock);
}

void ActorCell::Withdraw(const AnyRef& to, MailWaiter& waiter) {
  // A later actor of this cell may have another queue; then this one's has turned him away. Acquire: that he
  // is linked no more; pairs with the release in Open.
  BoundedQueue* const bounded = to.cell_->bounded_.load(std::memory_order_acquire);
  if (bounded == nullptr || !bounded->Withdraw(waiter)) return;
  to.cell_->space().Lose(*waiter.message, DeadLetterReason::kExpired, to);
  waiter.told_slot->Release();
}

// False: waiting would be in vain, because only the calling thread could make room, or must not be,
// because the system stops.
bool ActorCell::WaitForRoom(BoundedQueue& queue, const AnyRef& to) {
  if (IsActiveOnThisThread() || space().stopping()) return false;
  if (space().scheduler().TurnsHere()) {
    if (Current() != nullptr) Current()->WakeSenders();  // bounded_queue.h, B4
    return NestedActivations() < kMostWaitingSends && space().scheduler().Turn();
  }
  if (Current() != nullptr) Current()->BeginBlocking();
  queue.WaitForRoom(to.incarnation_);
  return true;
}

bool ActorCell::PostControl(const AnyRef& to, Control& control) {
  ActorCell& cell = *to.cell_;
  control.address = to.incarnation_;
  if (cell.control_.Push(control) == PushResult::kClosed) {
    // Pairs with the fence in CloseMailbox: who is told so finds no queue open either.
    std::atomic_thread_fence(std::memory_order_acquire);
    control.Free();
    return false;
  }
  if (cell.queue_.Wake()) cell.ScheduleNow();
  return true;
}

ActorCell::Snapshot ActorCell::TakeSnapshot() const {
  // Relaxed: a picture for people. A cell that ended or was reused meanwhile shows as not in use.
  constexpr auto kRelaxed = std::memory_order_relaxed;
  // Acquire: pairs with the release in Open.
  const uint64_t incarnation = incarnation_.load(std::memory_order_acquire);
  Snapshot s;
  s.type = type_.load(kRelaxed);
  s.handled = handled_.load(kRelaxed);
  const uint32_t held = taken_.load(kRelaxed) - static_cast<uint32_t>(s.handled);
  s.queued = queue_.size();  // not read at one instant
  const BoundedQueue* bounded = bounded_.load(std::memory_order_acquire);
  if (bounded != nullptr) s.queued += bounded->size();
  s.has_news = s.queued != 0;
  s.queued += held <= INT32_MAX ? held : 0;
  s.oldest_since_ms = held != 0 ? previous_ms_.load(kRelaxed) : taken_ms_.load(kRelaxed);
  s.taken_ms = taken_ms_.load(kRelaxed);
  s.running = running_.load(kRelaxed);
  s.top_level = parent_.load(kRelaxed) == nullptr;
  // Acquire: keeps the loads above before this one. A page that was given back reads as zero, so
  // the type may be missing although the incarnation was read in time.
  std::atomic_thread_fence(std::memory_order_acquire);
  if (incarnation != 0 && s.type != nullptr && IsLive(incarnation)) {
    s.ref = AnyRef(const_cast<ActorCell*>(this), incarnation);
  }
  return s;
}

void LoseExpired(Envelope& e) {
  ActorCell& receiver = *ActorCell::Current();
  receiver.space().Lose(e, DeadLetterReason::kExpired, receiver.ref());
}

// ---- birth

AnyRef ActorCell::Open(const Birth& birth) noexcept {
  constexpr auto kRelaxed =
      std::memory_order_relaxed;  // published by the queues' Open, which releases
  const auto now_ms = static_cast<uint32_t>(space().coarse_clock().NowMs());
  run_ = &RunCell;
  next = nullptr;
  bounded_.store(birth.bounded, std::memory_order_release);  // pairs with Post and TakeSnapshot
  scheduler_ = birth.scheduler;
  parent_.store(birth.parent, kRelaxed);
  taken_.store(0, kRelaxed);
  taken_ms_.store(now_ms, kRelaxed);
  previous_ms_.store(now_ms, kRelaxed);
  actor_ = birth.actor;
  type_.store(birth.type, kRelaxed);
  first_ = nullptr;
  annex_ = birth.annex;
  handled_.store(0, kRelaxed);
  running_.store(nullptr, kRelaxed);
  incarnation_.store(birth.incarnation,
                     std::memory_order_release);  // pairs with TakeSnapshot and IsLive
  const AnyRef me(this, birth.incarnation);
  if (birth.parent != nullptr) birth.parent->Adopt(*this);
  // One that is vacant begins when its supervisor says so.
  const bool has_start = birth.type->on_start != nullptr && birth.actor != nullptr;
  const bool active = has_start || birth.held;
  // In this order: whoever gets a control item in, be it a stale one, must be able to wake us.
  // (Woken before control_ is open, we find nothing but stale messages, if that.)
  queue_.Open(active ? MailboxQueue::OpenAs::kActive : MailboxQueue::OpenAs::kIdle);
  control_.Open(MailboxQueue::OpenAs::kIdle);
  if (has_start) {
    Control& start = Control::Make(Control::Kind::kStart);
    start.address = birth.incarnation;
    (void)control_.Push(start);  // open, and scheduled here
    if (!birth.held) birth.scheduler->Schedule(*this);
  }
  return me;
}

void ActorCell::ActHeld(void (*act)(void* argument, Context& self), void* argument) {
  const Activated activated(this);
  Context self(*this);
  act(argument, self);
}

ActorAnnex& ActorCell::MakeAnnex() {
  const bool ends = annex_ == kEndsNormally;
  annex_ = new ActorAnnex;
  annex_->ending = ends;
  return *annex_;
}

// ---- the run loop

// Counts the messages of an activation, and looks at the clock after 1, 2, 4, 8 ... of them and
// then every kStride, provided that more are waiting: a handler of microseconds is measured soon,
// one of nanoseconds seldom, and an activation of one message never.
class ActorCell::Turn {
 public:
  explicit Turn(const Budget& budget) : budget_(budget) {}

  void CountMessage() { ++handled_; }
  bool Spent() {
    if (handled_ >= budget_.messages) return true;
    if (handled_ < look_at_) return false;
    look_at_ = handled_ + std::min(handled_, kStride);
    const auto now = std::chrono::steady_clock::now();
    if (!std::exchange(started_, true)) start_ = now;
    return now - start_ >= absl::ToChronoNanoseconds(budget_.slice);
  }

 private:
  static constexpr int kStride = 32;

  const Budget& budget_;
  int handled_ = 0;
  int look_at_ = 1;
  bool started_ = false;
  std::chrono::steady_clock::time_point start_;  // of the first look
};

inline bool ActorCell::ending() const {
  return annex_ != nullptr && (annex_ == kEndsNormally || annex_->ending);
}

// In line by order: one message's path through the run loop is one function, and a call costs as
// much as what is done here.
[[gnu::always_inline]] inline void ActorCell::Handle(Envelope& e, Delivery& d) {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // statistics, as above
  handled_.store(handled_.load(kRelaxed) + 1, kRelaxed);
  if ((e.address & ~kAddressFlags) != incarnation_.load(kRelaxed)) [[unlikely]] {  // C2
    return space().Lose(e, DeadLetterReason::kNoSuchActor,
                        AnyRef(this, e.address & ~kAddressFlags));
  }
  if (annex_ != nullptr && Waylay(e)) [[unlikely]]
    return;
  d.self->sender_ = e.sender;
  running_.store(e.thunk, kRelaxed);
  try {
    e.thunk(e, d);
  } catch (...) {
    FailWith(std::current_exception());
  }
  running_.store(nullptr, kRelaxed);
}

// False: `e` is for the handler, now.
bool ActorCell::Waylay(Envelope& e) {
  if (ending() || annex_->supervised != nullptr) [[unlikely]]
    return WaylayBetweenLives(e);
  if (annex_->last_resumed == &e) annex_->last_resumed = nullptr;
  if (!annex_->defers || (e.address & kAnswer) != 0) return false;
  Defer(e);
  return true;
}

void ActorCell::Defer(Envelope& e) {
  KeepQueued();
  annex_->deferred.Append(e);
}

// The same for an actor that ends, for good or to begin again, or is a supervisor's child. Out of
// line: Waylay is on the path of every answer.
[[gnu::noinline]] bool ActorCell::WaylayBetweenLives(Envelope& e) {
  if (has_annex() && annex_->last_resumed == &e) annex_->last_resumed = nullptr;
  const bool is_answer = (e.address & kAnswer) != 0;
  const bool of_earlier_life =
      is_answer && has_annex() && annex_->supervised != nullptr && IsAbandoned(e);
  if (of_earlier_life || (ending() && !AwaitsLife())) {
    space().Lose(e, DeadLetterReason::kStopped, ref());
    return true;
  }
  if (is_answer || !DefersMessages()) return false;
  Defer(e);
  return true;
}

bool ActorCell::AwaitsLife() const { return has_annex() && annex_->AwaitsLife(); }

bool ActorCell::DefersMessages() const {
  return has_annex() && (annex_->defers || annex_->AwaitsLife());
}

void ActorCell::DeferMessages() {
  ActorAnnex& a = annex();
  a.defers = true;
  // Relaxed, as all of running_: a picture for people. Its handler is suspended for the first time, so
  // this is its message.
  a.suspended_in = running_.load(std::memory_order_relaxed);
  if (Envelope* const last = std::exchange(a.last_resumed, nullptr)) {
    first_ = a.deferred.AppendUpTo(*first_, *last);
  }
}

void ActorCell::ResumeMessages() {
  annex_->defers = false;
  annex_->suspended_in = nullptr;
  running_.store(nullptr, std::memory_order_relaxed);  // a picture for people
  TakeDeferred();
}

void ActorCell::TakeDeferred() {
  if (Envelope* const last = annex_->deferred.last()) annex_->last_resumed = last;
  first_ = annex_->deferred.TakeBefore(first_);
}

// They hold no answers, so that those that follow them can still be deferred as a whole.
void ActorCell::PutBack(DeferredMessages& older) {
  if (DefersMessages()) return annex_->deferred.Prepend(older);
  if (has_annex() && annex_->last_resumed == nullptr) annex_->last_resumed = older.last();
  first_ = older.TakeBefore(first_);
}

bool ActorCell::defers() const { return has_annex() && annex_->defers; }

void ActorCell::Compact() {
  if (!has_annex()) return;
  ForgetEndedChildren();
  annex_->Compact(space().timers());
}

void ActorCell::HoldRoom() {
  // relaxed: fixed since Open
  if (BoundedQueue* bounded = bounded_.load(std::memory_order_relaxed)) bounded->HoldRoom();
}

void ActorCell::MakeRoom() {
  // relaxed: fixed since Open
  if (BoundedQueue* bounded = bounded_.load(std::memory_order_relaxed)) bounded->MakeRoom();
}

inline void ActorCell::WakeSenders() {
  // relaxed: fixed since Open
  BoundedQueue* const bounded = bounded_.load(std::memory_order_relaxed);
  if (bounded == nullptr || !bounded->WakeSenders()) return;
  // Some may have got in (B5): not to be slept through. Nobody is to be scheduled: this thread runs.
  if (!bounded->empty()) (void)queue_.Wake();
}

void ActorCell::BeginBlocking() {
  WakeSenders();  // bounded_queue.h, B4
  scheduler().BeginBlocking();
}

void ActorCell::KeepQueued() {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // statistics, as above
  handled_.store(handled_.load(kRelaxed) - 1, kRelaxed);
}

void ActorCell::Dequeue() {
  constexpr auto kRelaxed = std::memory_order_relaxed;  // statistics, as above
  handled_.store(handled_.load(kRelaxed) + 1, kRelaxed);
}

inline bool ActorCell::MoreWaits() const {
  if (first_ != nullptr || queue_.HasNodes()) return true;
  const BoundedQueue* bounded = bounded_.load(std::memory_order_relaxed);  // fixed since Open
  if (bounded == nullptr) return false;
  return DefersMessages() ? bounded->HasAnswers() : !bounded->empty();
}

inline Outcome ActorCell::Activate(const Budget& budget) {
  const Activated activated(this);
  Context self(*this);
  Delivery delivery;
  delivery.actor = actor_;
  delivery.self = &self;
  Turn turn(budget);
  for (;;) {
    if (HasControl()) [[unlikely]] {
      HandleControl(self);
      delivery.actor = actor_;  // a life may have begun
      turn.CountMessage();
    }
    if (ending() && TryFinish(self)) return Outcome::kDone;
    Envelope* const e = first_ != nullptr ? first_ : Refill();
    if (e != nullptr) {
      first_ = static_cast<Envelope*>(e->next);
      Handle(*e, delivery);
      turn.CountMessage();
    }
    if (MoreWaits() || HasControl()) {
      if (!turn.Spent()) continue;
      if (has_annex()) ForgetEndedChildren();
      return Outcome::kAgain;
    }
    if (annex_ != nullptr && TendAnnex()) continue;
    // A Wake since the last TakeAll makes this fail: so a control item or a child's end that came
    // after we looked above is not slept through.
    WakeSenders();
    if (queue_.FinishBatch() == BatchEnd::kPark) return Outcome::kDone;
  }
}

// What is to be done before this actor parks. True: something was, or is to be done by the run
// loop.
bool ActorCell::TendAnnex() {
  if (annex_ == kEndsNormally) return true;
  if (!annex_->ended_children.empty()) {
    ForgetEndedChildren();
  } else if (annex_->replies.HasIdleAlarm()) {
    annex_->replies.Disarm(space().timers());
  } else {
    // relaxed: a picture for people
    if (annex_->defers) running_.store(annex_->suspended_in, std::memory_order_relaxed);
    return annex_->ending && !annex_->told_to_end;
  }
  return true;
}

Outcome ActorCell::RunCell(Runnable& r, const Budget& budget) {
  return static_cast<ActorCell&>(r).Activate(budget);
}

// The messages that have come, oldest first; nullptr: none. The caller keeps them in first_.
Envelope* ActorCell::Refill() {
  MailboxQueue::List taken = queue_.TakeAll();
  if (taken.empty()) {
    BoundedQueue* bounded = bounded_.load(std::memory_order_relaxed);  // relaxed: fixed since Open
    if (bounded == nullptr) return nullptr;
    // One at a time: what waits must stay counted.
    Envelope* const e = DefersMessages() ? bounded->PopAnswer() : bounded->Pop();
    if (e == nullptr) return nullptr;
    e->next = nullptr;
    taken = {.first = e, .last = e, .count = 1};
  }
  CountTaken(taken.count, taken_ms_.load(std::memory_order_relaxed),  // relaxed: our own
             static_cast<uint32_t>(space().coarse_clock().NowMs()));
  return static_cast<Envelope*>(taken.first);
}

void ActorCell::HandleControl(Context& self) {
  MailboxNode* next_node;
  for (MailboxNode* node = control_.TakeAll().first; node != nullptr; node = next_node) {
    next_node = node->next;
    auto& control = static_cast<Control&>(*node);
    Obey(control, self);
    control.Free();
  }
}

void ActorCell::Obey(Control& control, Context& self) {
  const bool mine = control.address == ref().incarnation_;  // C2
  switch (control.kind) {
    case Control::Kind::kStart:
      if (mine && !ending()) CallOnStart(self);
      break;
    case Control::Kind::kStop:
    case Control::Kind::kFinish:
    case Control::Kind::kPark:
    case Control::Kind::kBegin:
      if (mine) ObeyOrder(control, self);
      break;
    case Control::Kind::kWatch:
    case Control::Kind::kUnwatch:
    case Control::Kind::kLink:
    case Control::Kind::kUnlink:
      TakeBond(control);
      break;
    case Control::Kind::kAlarm:
      if (mine && has_annex()) annex_->replies.Expire(space().timers());
      break;
  }
}

void ActorCell::TakeBond(const Control& bond) {
  using enum Control::Kind;
  if (bond.address != ref().incarnation_) {  // C2
    if (bond.kind == kUnwatch || bond.kind == kUnlink) return;
    return SendDown(bond.peer,
                    {.who = AnyRef(this, bond.address), .reason = ExitReason::kNoSuchActor});
  }
  if (bond.kind == kWatch) annex().watchers.Insert(bond.peer);
  if (bond.kind == kLink) annex().links.TakeBegin(bond.peer, bond.known.mine);
  if (bond.kind == kUnwatch && has_annex()) annex_->watchers.Erase(bond.peer);
  if (bond.kind == kUnlink && has_annex()) annex_->links.TakeEnd(bond.peer, bond.known);
}

void ActorCell::CallOnStart(Context& self) {
  try {
    type()->on_start(actor_, self);
  } catch (...) {
    FailWith(std::current_exception());
  }
}

void ActorCell::FailWith(std::exception_ptr error) {
  End(ExitReason::kFailed, StatusOf(std::move(error)));
}

absl::Status StatusOf(std::exception_ptr error) {
  try {
    std::rethrow_exception(std::move(error));
  } catch (const std::exception& e) {
    return absl::InternalError(e.what());
  } catch (...) {
    return absl::InternalError("a handler threw something that is no std::exception");
  }
}

// The first reason stands; actor_end.cc has the rest.
void ActorCell::End(ExitReason reason, absl::Status status) {
  if (ending()) return;
  if (annex_ == nullptr && reason == ExitReason::kNormal && status.ok()) {
    annex_ = kEndsNormally;
    return;
  }
  ActorAnnex& a = annex();
  a.ending = true;
  a.reason = reason;
  a.status = std::move(status);
}

}  // namespace troupe::internal
