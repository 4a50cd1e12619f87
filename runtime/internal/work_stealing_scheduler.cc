#include "troupe/runtime/internal/work_stealing_scheduler.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "troupe/core/pause.h"
#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {
namespace {

// How long a worker without work looks around before it sleeps: some 10 to 20 us in all, about what
// a sleep and a wake-up cost.
constexpr int kSearchRounds = 24;
constexpr int kPausesPerRound = 12;
// After so many rounds, some 4 us, a searcher takes what it has seen in somebody's queue from the
// first on (worker.h, L3).
constexpr int kRoundsToBeOverdue = 8;

// Less than so many turns in so many pauses, some 10 us. A turn of a busy actor with handlers of
// nanoseconds, 128 of them, takes a few: moving such actors costs more than it brings.
constexpr int kPausesToJudgeTurns = 280;
constexpr uint64_t kTurnsNotWorthSharing = 2;

// The coarse clock shows milliseconds.
constexpr std::chrono::microseconds kClockInterval{500};

}  // namespace

// What a thread of the pool knows of itself.
struct WorkStealingScheduler::ThisThread {
  WorkStealingScheduler* scheduler = nullptr;
  Worker* place = nullptr;  // nullptr: lent away, or a spare
  bool searching = false;   // counted as such in idle_; never while in an activation
  std::vector<Worker::Sighting> sightings;
  std::chrono::steady_clock::time_point clock_refreshed_at;

  // thread_local: Schedule must know on whose behalf it is called, and has nobody to ask.
  static constinit thread_local ThisThread* current;
};
constinit thread_local WorkStealingScheduler::ThisThread*
    WorkStealingScheduler::ThisThread::current = nullptr;

WorkStealingScheduler::WorkStealingScheduler(const Settings& settings)
    : settings_(settings),
      search_rounds_(
          (settings.cpus.empty() ? AllowedCpuCount() : static_cast<int>(settings.cpus.size())) > 1
              ? kSearchRounds
              : 1),  // alone, looking keeps others from working
      idle_(settings.workers) {
  for (int i = 0; i < settings.workers; ++i) workers_.push_back(std::make_unique<Worker>(i));
}

WorkStealingScheduler::~WorkStealingScheduler() = default;

void WorkStealingScheduler::Start(std::weak_ptr<void> keep_alive) {
  PrepareAsymmetricFences();
  keep_alive_ = std::move(keep_alive);
  try {
    for (auto& worker : workers_) {
      threads_.Start(
          settings_.name + "-" + std::to_string(worker->index()),
          [this, alive = keep_alive_.lock(), place = worker.get()] { ThreadMain(place); });
    }
  } catch (...) {
    Stop(kNoDeadline);
    throw;
  }
}

bool WorkStealingScheduler::Stop(SteadyTime deadline) {
  stopping_.store(true);
  for (auto& worker : workers_) Unpark(*worker);
  {
    MutexLock lock(spares_mutex_);
    for (Spare* spare : spares_) spare->parker.Unpark();
  }
  return threads_.Join(deadline);
}

// ---- scheduling

void WorkStealingScheduler::Schedule(Runnable& r) {
  ThisThread* const here = ThisThread::current;
  if (here == nullptr || here->scheduler != this || here->place == nullptr) {
    injector_.Push(r);
    WakeOne();
    return;
  }
  if (Runnable* displaced = here->place->PushNext(r)) return Enqueue(*here->place, *displaced);
  SeeThatSomebodyWatches();
}

void WorkStealingScheduler::Enqueue(Worker& place, Runnable& r) {
  place.PushBack(r, injector_) ? WakeOne() : SeeThatSomebodyWatches();  // W2; W3
}

// W3. A woken worker looks whether something is overdue; if not it takes the watch.
void WorkStealingScheduler::SeeThatSomebodyWatches() {
  if (!watched_.load() && idle_.parked() > 0) WakeOne();
}

void WorkStealingScheduler::WakeOne() {
  const int worker = idle_.WorkerToWake();
  if (worker != IdleSet::kNobody) Unpark(*workers_[worker]);
}

void WorkStealingScheduler::Unpark(Worker& worker) {
  if (worker.parker().Unpark()) seat_.Interrupt();  // driver_seat.h, D2
}

// ---- a thread's life

inline void WorkStealingScheduler::RunOne(ThisThread& here, Runnable& r) {
  here.place->BeginTurn();
  if (r.Run(settings_.budget) == Outcome::kAgain) RunLater(here, r);
}

inline Runnable* WorkStealingScheduler::FindWork(ThisThread& here) {
  Runnable* r = nullptr;
  if (here.place->IsTimeToLookAround()) [[unlikely]]
    r = LookAround(here);
  if (r == nullptr) r = here.place->Next();
  if (r == nullptr) r = FindElsewhere(here);
  if (here.searching && r != nullptr) [[unlikely]]
    StopSearching(here);
  return r;
}

void WorkStealingScheduler::ThreadMain(Worker* place) {
  RunOnlyOn(settings_.cpus);
  ThisThread here{.scheduler = this,
                  .place = nullptr,
                  .searching = false,
                  .sightings = std::vector<Worker::Sighting>(workers_.size()),
                  .clock_refreshed_at = {}};
  ThisThread::current = &here;
  TakePlace(here, place);
  while (!stopping_.load(std::memory_order_relaxed)) {  // relaxed: Stop unparks whoever sleeps
    if (here.place == nullptr && !TakePlace(here, BecomeSpare())) break;
    if (Runnable* r = FindWork(here)) {
      RunOne(here, *r);
    } else {
      Sleep(here);
    }
  }
  TakePlace(here, nullptr);
  ThisThread::current = nullptr;
}

bool WorkStealingScheduler::TakePlace(ThisThread& here, Worker* place) {
  here.place = place;
  NextSlot::SetMine(place != nullptr ? &place->next() : nullptr);
  return place != nullptr;
}

void WorkStealingScheduler::RunLater(ThisThread& here, Runnable& r) {
  if (here.place == nullptr) {  // BeginBlocking gave it away
    injector_.Push(r);
    WakeOne();
    return;
  }
  Enqueue(*here.place, r);
}

Runnable* WorkStealingScheduler::LookAround(ThisThread& here) {
  const auto now = std::chrono::steady_clock::now();
  here.place->LookedAround(now);
  if (now - here.clock_refreshed_at >= kClockInterval) {
    here.clock_refreshed_at = now;
    settings_.coarse_clock->Refresh(*settings_.clock);
  }
  return injector_.Pop();
}

Runnable* WorkStealingScheduler::FindElsewhere(ThisThread& here) {
  if (Runnable* r = injector_.Pop()) return r;
  if (!here.searching) here.searching = idle_.BeginSearch();
  return here.searching ? Search(here) : nullptr;
}

void WorkStealingScheduler::StopSearching(ThisThread& here) {
  here.searching = false;
  if (idle_.EndSearch() && (!injector_.empty() || Unwatched())) WakeOne();  // idle_set.h, P2; W3
}

// ---- searching

Runnable* WorkStealingScheduler::Search(ThisThread& here) {
  TakeSightings(here);
  for (int round = 1; round <= search_rounds_ && !stopping_.load(std::memory_order_relaxed);
       ++round) {
    if (Runnable* r = injector_.Pop()) return r;
    for (int i = 0; i < kPausesPerRound; ++i) Pause();
    if (round % kRoundsToBeOverdue != 0) continue;
    if (Runnable* r = StealOverdue(here)) return r;
    TakeSightings(here);
  }
  return nullptr;
}

void WorkStealingScheduler::TakeSightings(ThisThread& here) {
  for (auto& worker : workers_) here.sightings[worker->index()] = worker->Sight();
}

// Beginning anywhere, so that thieves do not all come to the same.
Runnable* WorkStealingScheduler::StealOverdue(ThisThread& here) {
  Worker& me = *here.place;
  const size_t n = workers_.size();
  const size_t first = me.Random() % n;
  for (size_t i = 0; i < n; ++i) {
    Worker& victim = *workers_[(first + i) % n];
    if (&victim == &me) continue;
    if (Runnable* r = me.StealOverdue(victim, here.sightings[victim.index()])) return r;
  }
  return nullptr;
}

// The own place is empty, so it has no part in this.
bool WorkStealingScheduler::AnyOverdue(const ThisThread& here) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    return worker->IsOverdue(here.sightings[worker->index()]);
  });
}

// A queue may be worked off between two looks of the watch, and still be worth sharing: that shows
// in a short look, if in its time hardly a turn ends.
bool WorkStealingScheduler::AnyBehindWithLongTurns(ThisThread& here) {
  TakeSightings(here);
  for (int i = 0; i < kPausesToJudgeTurns; ++i) Pause();
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& worker) {
    const Worker::Sighting& sighting = here.sightings[worker->index()];
    return worker->TurnsSince(sighting) < kTurnsNotWorthSharing && worker->IsOverdue(sighting);
  });
}

// Whoever had the watch has work now, somebody sleeps, and something may become overdue.
bool WorkStealingScheduler::Unwatched() const {
  return !watched_.load() && idle_.parked() > 0 &&
         std::any_of(workers_.begin(), workers_.end(),
                     [](const auto& worker) { return worker->HasWork(); });
}

// ---- sleeping

void WorkStealingScheduler::Sleep(ThisThread& here) {
  Worker& me = *here.place;
  me.CountPark();
  const bool nobody_searches = idle_.Sleep(me.index(), std::exchange(here.searching, false));
  if (nobody_searches && !injector_.empty()) WakeOne();  // idle_set.h, P2
  // Where all sleep, one is to be in the driver (W4): the watch is taken by whoever is woken next.
  if (workers_.size() == 1 || (seat_.is_free() && idle_.all_parked()) || watched_.exchange(true)) {
    Park(here);
  } else {
    Watch(here);
  }
  settings_.coarse_clock->Refresh(*settings_.clock);
}

void WorkStealingScheduler::Park(ThisThread& here) {
  if (ServeDriver(here)) return;
  here.place->parker().Park();
  here.searching = true;  // so WorkerToWake has counted us
}

// W4. False: nothing has come in.
bool WorkStealingScheduler::ServeDriver(ThisThread& here) {
  Worker& me = *here.place;
  bool awake = false;
  while (!awake) {
    IoDriver* const driver = seat_.Take();
    if (driver == nullptr) return false;
    bool waited = false;
    const auto begin = [&] {
      idle_.PreferOthers(me.index());
      return waited = seat_.MayWait() && me.parker().BeginElsewhere();
    };
    driver->Serve(begin, [&] {
      awake = true;
      me.parker().EndElsewhere();
      settings_.coarse_clock->Refresh(*settings_.clock);
      if (idle_.WakeUp(me.index())) return;
      me.parker().Park();  // chosen just now: the Unpark has come or is about to
      here.searching = true;
    });
    if (!awake) me.parker().EndElsewhere();
    seat_.Leave();
    if (!waited) break;
  }
  return awake;
}

// W3. Returns when chosen by WorkerToWake, then searching, or after waking itself to run what had
// gone stale.
void WorkStealingScheduler::Watch(ThisThread& here) {
  Worker& me = *here.place;
  auto interval = kWatchShortest;
  const bool is_wanted_often = IsWatchWantedOften();
  std::optional<uint64_t> turns_at_last_look;
  for (;; interval = std::min(2 * interval, kWatchLongest)) {
    if (idle_.all_parked()) {
      const uint64_t turns = TurnsSoFar();
      if (is_wanted_often && turns_at_last_look != turns) {
        turns_at_last_look = turns;
        interval = kWatchLongest;
      } else if (GiveUpWatch()) {
        return Park(here);
      }
    }
    TakeSightings(here);
    if (me.parker().Park(std::chrono::steady_clock::now() + interval)) {
      watched_.store(false);
      here.searching = true;
      return;
    }
    if (idle_.all_parked() || (!AnyOverdue(here) && !AnyBehindWithLongTurns(here))) continue;
    if (!idle_.WakeUp(me.index())) break;  // chosen just now: the Unpark has come or is about to
    watched_.store(false);
    if (Runnable* r = StealOverdue(here)) {
      if (Unwatched()) WakeOne();
      RunOne(here, *r);
    }
    return;
  }
  watched_.store(false);
  Park(here);
}

// When all sleep. False: it is still needed, and kept.
bool WorkStealingScheduler::GiveUpWatch() {
  // Relaxed: a guess (IsWatchWantedOften).
  watch_given_up_at_.store(std::chrono::steady_clock::now(), std::memory_order_relaxed);
  // Whoever runs next and fills its slot wakes somebody to watch; unless it looked at watched_
  // just before it was cleared. Then it is seen here. (Both sequentially consistent.)
  watched_.store(false);
  return idle_.all_parked() || watched_.exchange(true);
}

// Work that comes in again and again with all asleep between, such as requests over a network, would wake
// somebody for each to watch. Where the watch was given up too early it is kept until nothing has run for as
// long as its longest interval.
bool WorkStealingScheduler::IsWatchWantedOften() const {
  // Relaxed: as above.
  const SteadyTime given_up_at = watch_given_up_at_.load(std::memory_order_relaxed);
  return std::chrono::steady_clock::now() - given_up_at < kWatchLongest;
}

uint64_t WorkStealingScheduler::TurnsSoFar() const {
  uint64_t turns = 0;
  for (const auto& worker : workers_) turns += worker->Sight().turns;
  return turns;
}

// ---- blocking

void WorkStealingScheduler::BeginBlocking() {
  ThisThread* const here = ThisThread::current;
  if (here == nullptr || here->scheduler != this || here->place == nullptr) return;
  // Before anybody else may hold it.
  Worker* const place = here->place;
  TakePlace(*here, nullptr);
  if (!HandOver(*place)) TakePlace(*here, place);
}

bool WorkStealingScheduler::HandOver(Worker& place) {
  MutexLock lock(spares_mutex_);
  if (!spares_.empty()) {
    Spare* spare = spares_.back();
    spares_.pop_back();
    spare->place = &place;
    spare->parker.Unpark();
    return true;
  }
  if (extra_threads_ == settings_.max_blocking_threads || stopping_.load()) return false;
  try {
    threads_.Start(settings_.name + "-spare",
                   [this, alive = keep_alive_.lock(), place = &place] { ThreadMain(place); });
  } catch (const std::system_error&) {
    return false;  // as if all were used up
  }
  ++extra_threads_;
  return true;
}

// Waits until somebody hands over a place; nullptr: the pool stops.
Worker* WorkStealingScheduler::BecomeSpare() {
  Spare self;
  {
    MutexLock lock(spares_mutex_);
    if (stopping_.load()) return nullptr;
    spares_.push_back(&self);
  }
  self.parker.Park();
  MutexLock lock(spares_mutex_);  // also: whoever unparked us is done with `self`
  std::erase(spares_, &self);
  return self.place;
}

std::vector<WorkerStats> WorkStealingScheduler::stats() const {
  std::vector<WorkerStats> all;
  for (const auto& worker : workers_) all.push_back(worker->stats());
  return all;
}

}  // namespace troupe::internal
