// ActorSpace: what the actors of one System share: their cells, names, labels, counters and dead letters.
//
//   Operation    Who                  Effect
//   Launch       any thread           give an actor object a cell and an incarnation
//   Retire       the running thread   take back the cell and all linked by its `next` (C5)
//   CountEnd     the running thread   the actor has ended: its last touch of the space
//   Lose         any thread           count a dead letter, tell the hook, consume the envelope
//   Report       any thread           the same, but the envelope stays the caller's
//   StopAll      any thread           no new top-level actors from here on; those there are told to
//                                     end; nobody waits for room in a mailbox any more
//   AwaitEmpty   a plain thread       wait for the last actor to end
//
// Spawning and ending touch one of kShards shards, chosen by thread (shard.h).
// `spawned - ended` over all shards is the number of live actors; it is exact once nobody spawns,
// which is when shutdown asks.
#ifndef TROUPE_ACTORS_INTERNAL_ACTOR_SPACE_H_
#define TROUPE_ACTORS_INTERNAL_ACTOR_SPACE_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/dead_letter.h"
#include "troupe/actors/event_stream.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/bounded_queue.h"
#include "troupe/actors/internal/mailbox_table.h"
#include "troupe/actors/internal/name_table.h"
#include "troupe/actors/internal/shard.h"
#include "troupe/actors/internal/timed_message.h"
#include "troupe/core/coarse_clock.h"
#include "troupe/core/event_count.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/core/timers.h"

namespace troupe::internal {

// Where Placement::kDedicatedThread gets its schedulers. A scheduler that was released may still be
// told to Schedule by a late sender's leftovers; it must stay valid as long as the space.
class DedicatedSchedulers {
 public:
  virtual ~DedicatedSchedulers() = default;
  virtual Scheduler& Acquire() = 0;
  virtual void Release(Scheduler& scheduler) = 0;
};

// What ActorOptions::dispatcher may name.
struct NamedScheduler {
  std::string name;
  Scheduler* scheduler;
};

class ActorSpace {
 public:
  struct Parts {
    Scheduler* scheduler;
    Timers* timers;
    CoarseClock* coarse_clock;
    std::vector<NamedScheduler> dispatchers;
    DedicatedSchedulers* dedicated;  // nullptr: dedicated actors share `scheduler` (host-driven
                                     // systems start no thread)
    DeadLetterHook on_dead_letter;   // may be empty
    bool find_ask_cycles = true;
  };
  struct Counters {
    uint64_t spawned = 0;
    uint64_t ended = 0;
    std::array<uint64_t, kDeadLetterReasons> dead_letters{};
  };

  explicit ActorSpace(Parts parts);
  ActorSpace(const ActorSpace&) = delete;
  ActorSpace& operator=(const ActorSpace&) = delete;
  ~ActorSpace();

  Scheduler& scheduler() { return *parts_.scheduler; }
  Timers& timers() { return *parts_.timers; }
  CoarseClock& coarse_clock() { return *parts_.coarse_clock; }
  NameTable& name_table() { return name_table_; }
  EventStream& events() { return events_; }
  bool finds_ask_cycles() const { return parts_.find_ask_cycles; }
  MailboxTable& mailbox_table() { return mailbox_table_; }
  void RefreshCoarseClock() { parts_.coarse_clock->Refresh(parts_.timers->clock()); }

  AnyRef Launch(ActorCell* parent, void* actor, const ActorType& type);
  AnyRef Launch(ActorCell* parent, void* actor, const ActorType& type,
                const ActorOptions& options) {
    return Launch(parent, actor, type, options, nullptr, type.held);
  }
  // `supervised`: of a supervisor's child. `held`: see ActorCell::Birth.
  AnyRef Launch(ActorCell* parent, void* actor, const ActorType& type, const ActorOptions& options,
                std::unique_ptr<Supervised> supervised, bool held);
  void CountEnd(ActorCell* cell);  // takes `cell` back, if it is not nullptr
  void Retire(ActorCell& first);
  void GiveBack(BoundedQueue& queue);
  void GiveBackDedicated(Scheduler& scheduler) { parts_.dedicated->Release(scheduler); }
  void SetName(const ActorCell& cell, const std::string& name);
  void ForgetName(const ActorCell& cell);

  // `mailbox`: what DeadLetter says; nobody asks for it unless tells_losses().
  void Lose(Envelope& e, DeadLetterReason reason, const AnyRef& target,
            std::string_view mailbox = {});
  // Lose, of what stays the caller's.
  void Report(Envelope& e, DeadLetterReason reason, const AnyRef& target,
              std::string_view mailbox = {});
  bool tells_losses() const { return parts_.on_dead_letter || events_.Wants<DeadLetter>(); }

  // Those who wait for room without a thread (bounded_queue.h, B5) are told that there will be none.
  void TurnAwaySenders(BoundedQueue& queue, DeadLetterReason reason, const AnyRef& to);

  // A timer that belongs to the system rather than to an actor.
  void OwnTimer(TimedMessage& timed);

  void StopAll(ExitReason reason);
  bool stopping() const { return stopping_.load(); }
  bool AwaitEmpty(SteadyTime deadline);  // true: empty, and left by all
  void CancelTimers();

  Counters counters() const;
  uint64_t live() const;
  uint64_t print_key() const { return print_key_; }
  void ForEachCell(const std::function<void(ActorCell&)>& visit);
  std::string NameOf(const ActorCell& cell);

 private:
  static constexpr int kShards = 16;

  class Taken;

  AnyRef OpenCell(ActorCell& cell, const ActorCell::Birth& birth);
  AnyRef OpenAndTell(ActorCell& cell, ActorCell::Birth birth);
  void TellLoss(Envelope& e, DeadLetterReason reason, const AnyRef& target,
                std::string_view mailbox);
  bool MayLaunch(const ActorCell* parent) const;
  Shard& MyShard();
  Scheduler& SchedulerFor(const ActorOptions& options) const;
  BoundedQueue& TakeBoundedQueue();

  Parts parts_;
  const uint64_t print_key_;  // so that what is printed of a ref tells nothing of its incarnation
  CellSlab cells_;
  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::atomic<bool> stopping_{false};
  NameTable name_table_;  // what users Bind; labels of ActorOptions::name are in names_
  EventStream events_;
  MailboxTable mailbox_table_{*this};
  EventCount drained_;  // "live() == 0" may have become true; notified only while stopping

  Mutex mutex_;
  std::unordered_map<const ActorCell*, std::string> names_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<BoundedQueue>> bounded_queues_
      ABSL_GUARDED_BY(mutex_);  // all; bounded_queue.h, B1
  std::vector<BoundedQueue*> free_bounded_queues_ ABSL_GUARDED_BY(mutex_);
  OwnedTimers timers_ ABSL_GUARDED_BY(mutex_);
};

inline ActorSpace& ActorCell::space() const {
  return *static_cast<ActorSpace*>(CellSlab::OwnerOf(this));
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_ACTOR_SPACE_H_
