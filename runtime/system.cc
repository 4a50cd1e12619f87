#include "troupe/runtime/system.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/core/coarse_clock.h"
#include "troupe/core/event_count.h"
#include "troupe/core/mutex.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/dedicated_threads.h"
#include "troupe/runtime/internal/dispatchers.h"
#include "troupe/runtime/internal/thread.h"
#include "troupe/runtime/internal/timer_thread.h"
#include "troupe/runtime/internal/work_stealing_scheduler.h"

namespace troupe {
namespace {

using internal::ActorCell;
using internal::ActorSpace;

void Validate(const Options& options) {
  if (options.workers < 0 || options.workers > 1024)
    throw std::invalid_argument("Troupe: Options::workers must be 0 to 1024");
  if (options.messages_per_turn < 1)
    throw std::invalid_argument("Troupe: Options::messages_per_turn must be at least 1");
  if (options.time_per_turn <= absl::ZeroDuration()) {
    throw std::invalid_argument("Troupe: Options::time_per_turn must be positive");
  }
  if (options.max_blocking_threads < 0) {
    throw std::invalid_argument("Troupe: Options::max_blocking_threads must not be negative");
  }
  if (options.shutdown_timeout < absl::ZeroDuration()) {
    throw std::invalid_argument("Troupe: Options::shutdown_timeout must not be negative");
  }
  internal::ValidateDispatchers(options);
}

int WorkersOf(const Options& options) {
  return options.workers != 0 ? options.workers : internal::AllowedCpuCount();
}

std::string_view HandlerOf(internal::Thunk running) {
  if (running == nullptr) return {};
  // A thunk names its message without looking at it; but it takes it for one of its own, which may
  // be aligned to a cache line.
  alignas(64) internal::Envelope unsent(running, std::source_location());
  return internal::MessageTypeOf(unsent);
}

}  // namespace

// The parts, in the order in which each needs the ones before it.
struct System::Core {
  explicit Core(Options o)
      : options(std::move(o)),
        budget{.messages = options.messages_per_turn, .slice = options.time_per_turn},
        own_timers(HostTimers() == nullptr ? std::make_unique<internal::TimerThread>() : nullptr),
        coarse_clock(timers().clock()),
        own_scheduler(options.scheduler == nullptr ? MakeScheduler() : nullptr),
        dispatchers(options, budget, timers().clock(), coarse_clock),
        dedicated(budget),
        space({.scheduler = &scheduler(),
               .timers = &timers(),
               .coarse_clock = &coarse_clock,
               .dispatchers = dispatchers.named(options.scheduler),
               .dedicated = scheduler().host_driven() ? nullptr : &dedicated,
               .on_dead_letter = options.on_dead_letter,
               .find_ask_cycles = options.find_ask_cycles}) {}

  Timers* HostTimers() const {
    return options.scheduler == nullptr ? nullptr : options.scheduler->timers();
  }
  Timers& timers() { return own_timers != nullptr ? *own_timers : *HostTimers(); }
  Scheduler& scheduler() { return own_scheduler != nullptr ? *own_scheduler : *options.scheduler; }

  std::unique_ptr<internal::WorkStealingScheduler> MakeScheduler() {
    return std::make_unique<internal::WorkStealingScheduler>(
        internal::WorkStealingScheduler::Settings{
            .workers = WorkersOf(options),
            .budget = budget,
            .max_blocking_threads = options.max_blocking_threads,
            .clock = &timers().clock(),
            .coarse_clock = &coarse_clock,
        });
  }

  void Start(const std::weak_ptr<void>& self);
  bool InOwnHandler();
  void BeginShutdown();
  void AwaitActors(SteadyTime deadline);
  void StopThreads(SteadyTime deadline, ShutdownReport& report);
  std::vector<StuckActor> Stuck();
  void Publish(const ShutdownReport& finished);
  ShutdownReport AwaitReport(SteadyTime deadline);
  // The stamps of cells have 32 bits: right for 49 days, whatever the time that has passed before.
  absl::Duration SinceMs(uint32_t ms) {
    const auto elapsed = static_cast<int32_t>(static_cast<uint32_t>(NowMs()) - ms);
    return absl::Milliseconds(std::max(0, elapsed));
  }
  int64_t NowMs() {
    space.RefreshCoarseClock();
    return coarse_clock.NowMs();
  }

  const Options options;
  const Budget budget;
  const pid_t process = getpid();  // to know a forked child
  std::unique_ptr<internal::TimerThread> own_timers;
  CoarseClock coarse_clock;
  std::unique_ptr<internal::WorkStealingScheduler> own_scheduler;
  internal::Dispatchers dispatchers;
  internal::DedicatedThreads dedicated;
  ActorSpace space;

  std::atomic<bool> shutting_down{false};  // by the thread that set it
  EventCount reported;                     // when that one has finished
  Mutex report_mutex;
  std::optional<ShutdownReport> report ABSL_GUARDED_BY(report_mutex);
};

System::System(Options options) {
  Validate(options);
  core_ = std::make_shared<Core>(std::move(options));
  core_->dedicated.SetKeepAlive(core_);
  core_->Start(core_);
}

// All threads, or none.
void System::Core::Start(const std::weak_ptr<void>& self) {
  try {
    if (own_scheduler != nullptr) own_scheduler->Start(self);
    dispatchers.Start(self);
  } catch (...) {
    if (own_scheduler != nullptr) own_scheduler->Stop(kNoDeadline);
    dispatchers.Stop(kNoDeadline);
    throw;
  }
}

System::~System() {
  // A forked child: the threads are not here to be joined, so nothing is torn down.
  if (getpid() != core_->process) {
    Leak();
    return;
  }
  const bool complete = Shutdown(core_->options.shutdown_timeout).complete;
  if (core_->InOwnHandler()) {  // then Shutdown has not waited: the threads end by themselves
    ShutdownReport unread{.complete = false, .stuck = {}};
    core_->StopThreads(std::chrono::steady_clock::now(), unread);
  }
  // Own threads keep what they need alive. A host's do not, and may still be in a handler.
  if (!complete && core_->own_scheduler == nullptr) Leak();
}

void System::Leak() { new std::shared_ptr<Core>(std::move(core_)); }

internal::ActorSpace& System::space() { return core_->space; }

EventStream& System::events() { return core_->space.events(); }

TimerHandle System::StartTimer(internal::TimedMessage* timed, absl::Duration delay,
                               absl::Duration period, const AnyRef& to) {
  TimerHandle handle = internal::StartTimed(core_->space, timed, delay, period, to, AnyRef());
  core_->space.OwnTimer(
      *timed);  // once it is armed: Shutdown may cancel it as soon as it is listed
  return handle;
}

// ---- Join

namespace {

// Watches one actor on behalf of a plain thread.
struct AwaitEnd {
  using Reply = Down;
  AnyRef who;
};
class Joiner {
 public:
  void On(AwaitEnd m, Reply<Down> reply, Context& self) {
    reply_ = std::move(reply);
    self.Watch(m.who);
  }
  void On(Down down, Context& self) {
    reply_.Send(std::move(down));
    self.Stop();
  }

 private:
  Reply<Down> reply_;
};

}  // namespace

absl::StatusOr<Down> System::Join(const AnyRef& who, absl::Duration timeout) {
  if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
  ActorRef<Joiner> joiner = Spawn<Joiner>();
  if (!joiner) return absl::FailedPreconditionError("Join: the system is shutting down");
  absl::StatusOr<Down> down = joiner.Ask(AwaitEnd{who}, timeout).Wait();
  if (down.ok()) return down;
  joiner.Stop();
  if (absl::IsDeadlineExceeded(down.status())) {
    return absl::DeadlineExceededError("Join: the actor has not ended");
  }
  // Nobody else stops a joiner, and it answers unless it is stopped.
  return absl::FailedPreconditionError("Join: the system is shutting down");
}

// ---- Shutdown

ShutdownReport System::Shutdown(absl::Duration timeout) {
  if (getpid() != core_->process) return {.complete = false, .stuck = {}};
  const SteadyTime deadline = SteadyDeadline(timeout);
  if (core_->InOwnHandler()) {
    core_->BeginShutdown();
    return {.complete = false, .stuck = {}};
  }
  if (core_->shutting_down.exchange(true)) return core_->AwaitReport(deadline);
  ShutdownReport report;
  core_->BeginShutdown();        // S1, S2
  core_->AwaitActors(deadline);  // S3
  report.stuck = core_->Stuck();
  report.complete = report.stuck.empty();
  core_->StopThreads(deadline, report);  // S4
  core_->Publish(report);
  return report;
}

void System::Core::Publish(const ShutdownReport& finished) {
  {
    MutexLock lock(report_mutex);
    report = finished;
  }
  reported.NotifyAll();
}

// For whoever calls Shutdown while somebody else is at it, or later.
ShutdownReport System::Core::AwaitReport(SteadyTime deadline) {
  std::optional<ShutdownReport> finished;
  const auto is_there = [&] {
    MutexLock lock(report_mutex);
    finished = report;
    return finished.has_value();
  };
  if (reported.Await(is_there, deadline)) return *std::move(finished);
  return {.complete = false, .stuck = Stuck()};
}

bool System::Core::InOwnHandler() {
  const ActorCell* current = ActorCell::Current();
  return current != nullptr && &current->space() == &space;
}

void System::Core::BeginShutdown() {
  space.CancelTimers();
  space.StopAll(ExitReason::kShutdown);
}

void System::Core::AwaitActors(SteadyTime deadline) {
  if (scheduler().TurnsHere()) {
    while (space.live() != 0 && std::chrono::steady_clock::now() < deadline && scheduler().Turn()) {
    }
  } else {
    space.AwaitEmpty(deadline);
  }
}

void System::Core::StopThreads(SteadyTime deadline, ShutdownReport& result) {
  // Threads that have nothing to do end at once. If all actors have ended that is all of them,
  // whatever the deadline says.
  const SteadyTime until = result.complete ? kNoDeadline : deadline;
  if (own_scheduler != nullptr && !own_scheduler->Stop(until)) result.complete = false;
  if (!dispatchers.Stop(until)) result.complete = false;
  if (!dedicated.Stop(until)) result.complete = false;
  if (own_timers != nullptr) own_timers->Stop();
}

std::vector<StuckActor> System::Core::Stuck() {
  std::vector<StuckActor> stuck;
  space.ForEachCell([&](ActorCell& cell) {
    const ActorCell::Snapshot s = cell.TakeSnapshot();
    if (!s.ref) return;
    stuck.push_back({.ref = s.ref,
                     .type = s.type->name,
                     .name = space.NameOf(cell),
                     .handling = HandlerOf(s.running),
                     .running_for = SinceMs(s.taken_ms)});
  });
  return stuck;
}

// ---- statistics

SystemStats System::stats() const {
  const ActorSpace::Counters counters = core_->space.counters();
  SystemStats stats;
  stats.spawned = counters.spawned;
  stats.ended = counters.ended;
  stats.live = counters.spawned - counters.ended;
  stats.dead_letters = counters.dead_letters;
  if (core_->own_scheduler != nullptr) stats.workers = core_->own_scheduler->stats();
  stats.dispatchers = core_->dispatchers.stats();
  return stats;
}

std::vector<ActorStats> System::actors() const {
  std::vector<ActorStats> all;
  core_->space.ForEachCell([&](ActorCell& cell) {
    const ActorCell::Snapshot s = cell.TakeSnapshot();
    if (!s.ref) return;
    all.push_back(
        {.ref = s.ref,
         .type = s.type->name,
         .name = core_->space.NameOf(cell),
         .queued = s.queued,
         .handled = s.handled,
         .oldest_age = s.queued == 0 ? absl::ZeroDuration() : core_->SinceMs(s.oldest_since_ms),
         .handling = HandlerOf(s.running)});
  });
  return all;
}

std::string ShutdownReport::ToString() const {
  if (complete) return "complete";
  std::string text = "incomplete";
  for (const StuckActor& actor : stuck) {
    text += "\n  " + actor.ref.ToString();
    if (!actor.name.empty()) text += " \"" + actor.name + "\"";
    if (actor.handling.empty()) {
      text += " waits for a child";
    } else {
      text += " handles " + std::string(actor.handling) + ", for at most " +
              absl::FormatDuration(actor.running_for);
    }
  }
  return text;
}

}  // namespace troupe
