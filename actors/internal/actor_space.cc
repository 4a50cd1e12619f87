#include "troupe/actors/internal/actor_space.h"

#include <stdexcept>
#include <utility>

#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/incarnation.h"
#include "troupe/actors/internal/spawn.h"
#include "troupe/core/asymmetric_fence.h"

namespace troupe::internal {
namespace {

// One number per thread, so that threads spread over the shards evenly. thread_local, and constinit
// so that reading it is a load.
constinit thread_local unsigned thread_number = 0;  // 0: none yet

[[gnu::noinline]] unsigned NumberThisThread() {
  static constinit std::atomic<unsigned> last{0};
  thread_number = last.fetch_add(1, std::memory_order_relaxed) + 1;  // relaxed: only distinct
  return thread_number;
}

}  // namespace

inline Shard& ActorSpace::MyShard() {
  unsigned number = thread_number;
  if (number == 0) [[unlikely]]
    number = NumberThisThread();
  return *shards_[number % kShards];
}

void ActorSpace::Retire(ActorCell& first) { MyShard().Retire(first); }

ActorSpace::ActorSpace(Parts parts)
    : parts_(std::move(parts)), print_key_(DrawIncarnation()), cells_(this) {
  for (auto& shard : shards_) shard = std::make_unique<Shard>(cells_);
}

// Actors that had not ended when the system's threads did (ShutdownReport::stuck) are destroyed
// here: first all mailboxes are closed, so that what one of them still sends wakes nobody.
ActorSpace::~ActorSpace() {
  std::vector<ActorCell::Unhandled> unended;
  cells_.ForEach([&](ActorCell& cell) {
    if (cell.TakeSnapshot().ref) unended.push_back(cell.Shut());
  });
  // Who waits for room may belong to another system, which lives on.
  for (auto& queue : bounded_queues_) {
    TurnAwaySenders(*queue, DeadLetterReason::kNoSuchActor, AnyRef());
  }
  for (const ActorCell::Unhandled& left : unended) left.cell->Reclaim(left);
}

// ---- birth

// Asked after the actor has been counted: whoever waits for the last one knows of it, or it is
// refused here (shard.h, H5). A child may still come while the system stops: its parent is alive
// and will stop it.
inline bool ActorSpace::MayLaunch(const ActorCell* parent) const {
  return parent != nullptr ? !parent->shut() : !stopping();
}

inline AnyRef ActorSpace::OpenCell(ActorCell& cell, const ActorCell::Birth& birth) {
  const AnyRef ref = events_.Wants<ActorStarted>() ? OpenAndTell(cell, birth) : cell.Open(birth);
  if (birth.parent == nullptr) {
    // StopAll sets stopping_ and then walks the cells. Either its walk sees this cell open, or we
    // see the flag here; a fence on either side keeps the look from being made before the write is
    // visible.
    FullFence();
    if (stopping()) StopActor(ref, StopWhen::kNow);
  }
  return ref;
}

// Nobody runs it before all that want to know are told.
[[gnu::noinline]] AnyRef ActorSpace::OpenAndTell(ActorCell& cell, ActorCell::Birth birth) {
  const bool let_run = !std::exchange(birth.held, true);
  const AnyRef ref = cell.Open(birth);
  events_.Publish(ActorStarted{ref, birth.type->name, NameOf(cell)});
  if (let_run) cell.LetRun();
  return ref;
}

// The usual actor: all options are the default.
inline AnyRef ActorSpace::Launch(ActorCell* parent, void* actor, const ActorType& type) {
  const auto [cell, incarnation] = MyShard().Take();
  if (!MayLaunch(parent)) [[unlikely]] {
    CountEnd(cell);
    return AnyRef();
  }
  return OpenCell(*cell, {.actor = actor,
                          .type = &type,
                          .incarnation = incarnation,
                          .scheduler = parts_.scheduler,
                          .parent = parent});
}

// What a Launch with options has taken so far; given back unless it goes through.
class ActorSpace::Taken {
 public:
  explicit Taken(ActorSpace& space) : space_(space) {}
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;
  ~Taken() {
    if (kept) return;
    if (annex != nullptr && annex->named) space_.ForgetName(*cell);
    if (bounded != nullptr) space_.GiveBack(*bounded);
    if (dedicated != nullptr) space_.GiveBackDedicated(*dedicated);
    if (cell != nullptr) space_.CountEnd(cell);
  }

  Scheduler* dedicated = nullptr;
  BoundedQueue* bounded = nullptr;
  ActorCell* cell = nullptr;
  std::unique_ptr<ActorAnnex> annex;
  bool kept = false;

 private:
  ActorSpace& space_;
};

Scheduler& ActorSpace::SchedulerFor(const ActorOptions& options) const {
  if (options.dispatcher.empty()) [[likely]]
    return *parts_.scheduler;
  if (options.placement != Placement::kPool) {
    throw std::invalid_argument(
        "Troupe: an actor with a thread of its own is on no dispatcher: \"" + options.dispatcher +
        "\"");
  }
  std::string known;
  for (const NamedScheduler& d : parts_.dispatchers) {
    if (d.name == options.dispatcher) return *d.scheduler;
    known += (known.empty() ? "" : ", ") + d.name;
  }
  throw std::invalid_argument("Troupe: no dispatcher is called \"" + options.dispatcher +
                              "\"; Options::dispatchers has " + (known.empty() ? "none" : known));
}

AnyRef ActorSpace::Launch(ActorCell* parent, void* actor, const ActorType& type,
                          const ActorOptions& options, std::unique_ptr<Supervised> supervised,
                          bool held) {
  if (options.capacity == 0) {
    throw std::invalid_argument("Troupe: ActorOptions::capacity must be at least 1");
  }
  Scheduler& scheduler = SchedulerFor(options);
  Taken taken(*this);
  if (options.placement == Placement::kDedicatedThread && parts_.dedicated != nullptr) {
    taken.dedicated = &parts_.dedicated->Acquire();
  }
  if (options.capacity != kUnbounded) taken.bounded = &TakeBoundedQueue();
  if (taken.dedicated != nullptr || !options.name.empty() || supervised != nullptr) {
    taken.annex = std::make_unique<ActorAnnex>();
    taken.annex->dedicated = taken.dedicated != nullptr;
    taken.annex->supervised = std::move(supervised);
  }
  const auto [cell, incarnation] = MyShard().Take();
  taken.cell = cell;
  if (!options.name.empty()) {
    SetName(*cell, options.name);
    taken.annex->named = true;
  }
  if (!MayLaunch(parent)) return AnyRef();
  taken.kept = true;
  if (taken.bounded != nullptr) {
    taken.bounded->Open(incarnation, options.capacity, options.when_full);
  }
  return OpenCell(*cell, {.actor = actor,
                          .type = &type,
                          .incarnation = incarnation,
                          .scheduler = taken.dedicated != nullptr ? taken.dedicated : &scheduler,
                          .parent = parent,
                          .bounded = taken.bounded,
                          .annex = taken.annex.release(),
                          .held = held});
}

AnyRef LaunchActor(ActorSpace& space, ActorCell* parent, const ActorOptions* options, void* actor,
                   const ActorType& type) {
  try {
    const AnyRef ref = options == nullptr ? space.Launch(parent, actor, type)
                                          : space.Launch(parent, actor, type, *options);
    if (!ref) type.destroy(actor);
    return ref;
  } catch (...) {
    type.destroy(actor);
    throw;
  }
}

// ---- the end

void ActorSpace::CountEnd(ActorCell* cell) { MyShard().CountEnd(cell, stopping_, drained_); }

BoundedQueue& ActorSpace::TakeBoundedQueue() {
  MutexLock lock(mutex_);
  if (free_bounded_queues_.empty()) {
    bounded_queues_.push_back(std::make_unique<BoundedQueue>());
    return *bounded_queues_.back();
  }
  BoundedQueue* queue = free_bounded_queues_.back();
  free_bounded_queues_.pop_back();
  return *queue;
}

void ActorSpace::GiveBack(BoundedQueue& queue) {
  MutexLock lock(mutex_);
  free_bounded_queues_.push_back(&queue);
}

void ActorSpace::SetName(const ActorCell& cell, const std::string& name) {
  MutexLock lock(mutex_);
  names_[&cell] = name;
}

void ActorSpace::ForgetName(const ActorCell& cell) {
  MutexLock lock(mutex_);
  names_.erase(&cell);
}

std::string ActorSpace::NameOf(const ActorCell& cell) {
  MutexLock lock(mutex_);
  auto found = names_.find(&cell);
  return found == names_.end() ? std::string() : found->second;
}

namespace {

// What who asked is told.
Lost LostBy(DeadLetterReason reason) {
  switch (reason) {
    case DeadLetterReason::kFull:
    case DeadLetterReason::kDroppedNewest:
    case DeadLetterReason::kDroppedOldest:
      return Lost::kReceiverFull;
    case DeadLetterReason::kUnhandled:
      return Lost::kNotHandled;
    case DeadLetterReason::kNotAllowed:
      return Lost::kNotAllowed;
    case DeadLetterReason::kNoSuchActor:
    case DeadLetterReason::kStopped:
    case DeadLetterReason::kExpired:
      break;
  }
  return Lost::kReceiverGone;
}

}  // namespace

void ActorSpace::Lose(Envelope& e, DeadLetterReason reason, const AnyRef& target,
                      std::string_view mailbox) {
  Report(e, reason, target, mailbox);
  Discard(e, LostBy(reason));
}

void ActorSpace::Report(Envelope& e, DeadLetterReason reason, const AnyRef& target,
                        std::string_view mailbox) {
  // Replies, Down and Stop are nobody's letters.
  if ((e.address & (kExempt | kLetter)) == kExempt) return;
  MyShard().CountDeadLetter(reason);
  if (tells_losses()) TellLoss(e, reason, target, mailbox);
}

// A lost event is no event: its subscriber may be full, or gone.
void ActorSpace::TellLoss(Envelope& e, DeadLetterReason reason, const AnyRef& target,
                          std::string_view mailbox) {
  const DeadLetter letter{reason,   MessageTypeOf(e), target,
                          e.sender, e.where,          std::string(mailbox)};
  if (parts_.on_dead_letter) parts_.on_dead_letter(letter);
  if (events_.Wants<DeadLetter>() && !IsEventName(letter.message_type)) events_.Publish(letter);
}

void ActorSpace::OwnTimer(TimedMessage& timed) {
  OwnedTimers::Finished finished;  // destroyed after the lock is gone: a message's destructor may
  MutexLock lock(mutex_);          // do anything
  finished = timers_.Add(timed);
}

void ActorSpace::CancelTimers() {
  OwnedTimers timers;  // as above
  MutexLock lock(mutex_);
  timers.Swap(timers_);
}

// Of a queue to which nobody comes any more: it has been closed, or lets nobody wait.
void ActorSpace::TurnAwaySenders(BoundedQueue& queue, DeadLetterReason reason, const AnyRef& to) {
  for (;;) {
    const BoundedQueue::Linked sender = queue.NextSender();
    if (sender.message == nullptr) return;
    Lose(*sender.message, reason, to);
    sender.slot->Settle(LostStatus(LostBy(reason)));
  }
}

void ActorSpace::StopAll(ExitReason reason) {
  stopping_.store(true);
  FullFence();                                           // see OpenCell
  for (const auto& shard : shards_) shard->AwaitLeft();  // shard.h, H5
  std::vector<BoundedQueue*> queues;                     // never freed before the end
  {
    MutexLock lock(mutex_);
    for (auto& queue : bounded_queues_) {
      queue->ReleaseWaiters();
      queues.push_back(queue.get());
    }
  }
  for (BoundedQueue* const queue : queues) {
    TurnAwaySenders(*queue, DeadLetterReason::kFull, AnyRef());
  }
  mailbox_table_.CloseAll();
  cells_.ForEach([&](ActorCell& cell) {
    const ActorCell::Snapshot snapshot = cell.TakeSnapshot();
    if (!snapshot.ref || !snapshot.top_level) return;
    Control& stop = Control::Make(Control::Kind::kStop);
    stop.reason = reason;
    ActorCell::PostControl(snapshot.ref, stop);
  });
}

bool ActorSpace::AwaitEmpty(SteadyTime deadline) {
  if (!drained_.Await([this] { return live() == 0; }, deadline)) return false;
  for (const auto& shard : shards_) shard->AwaitLeft();  // shard.h, H6
  return true;
}

ActorSpace::Counters ActorSpace::counters() const {
  Counters sum;
  for (const auto& shard : shards_) {
    sum.ended += shard->ended();
    for (int i = 0; i < kDeadLetterReasons; ++i) sum.dead_letters[i] += shard->dead_letters(i);
  }
  for (const auto& shard : shards_) sum.spawned += shard->spawned();  // after ended: shard.h, H4
  return sum;
}

uint64_t ActorSpace::live() const {
  const Counters sum = counters();
  return sum.spawned - sum.ended;
}

void ActorSpace::ForEachCell(const std::function<void(ActorCell&)>& visit) {
  cells_.ForEach(visit);
}

}  // namespace troupe::internal
