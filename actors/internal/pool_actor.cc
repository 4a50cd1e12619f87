#include "troupe/actors/internal/pool_actor.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/actor_cell.h"

namespace troupe::internal {

void ValidatePool(const PoolOptions& options) {
  if (options.size < 1) throw std::invalid_argument("Troupe: PoolOptions::size must be at least 1");
  if (options.max_size != 0 && options.max_size < options.size) {
    throw std::invalid_argument("Troupe: PoolOptions::max_size must be 0 or at least size");
  }
  if (options.backlog_per_worker < 1) {
    throw std::invalid_argument("Troupe: PoolOptions::backlog_per_worker must be at least 1");
  }
  if (options.resize_period <= absl::ZeroDuration()) {
    throw std::invalid_argument("Troupe: PoolOptions::resize_period must be positive");
  }
  if (options.max_restarts < 0 || options.restart_period < absl::ZeroDuration()) {
    throw std::invalid_argument("Troupe: PoolOptions::max_restarts must not be negative");
  }
}

void StartPool(const ActorRef<PoolActor>& pool) {
  ActorCell& cell = *ActorCell::Of(pool);
  std::exception_ptr error;
  cell.ActHeld(
      [](void* thrown, Context& self) {
        try {
          static_cast<PoolActor*>(ActorCell::Of(self.self())->actor())->Start(self);
        } catch (...) {
          *static_cast<std::exception_ptr*>(thrown) = std::current_exception();
          self.Stop();
        }
      },
      &error);
  cell.LetRun();
  if (error) std::rethrow_exception(error);
}

void PoolActor::Start(Context& self) {
  for (int i = 0; i < options().size; ++i) AddWorker(self);
  if (elastic()) self.SendEvery(options().resize_period, self.ref(this), Look{});
}

// ---- workers that come and go

void PoolActor::AddWorker(Context& self) {
  const AnyRef worker = parts_.spawn(self);
  self.Watch(worker);
  workers_.push_back(worker);
  parts_.table->Add(worker, parts_.thunks);
}

void PoolActor::AddWorkerOrCountFailure(Context& self) {
  try {
    AddWorker(self);
  } catch (const std::exception& e) {
    CountFailure(absl::InternalError(absl::StrCat("a worker's constructor threw: ", e.what())),
                 self);
  } catch (...) {
    CountFailure(absl::InternalError("a worker's constructor threw"), self);
  }
}

void PoolActor::On(const Down& down, Context& self) {
  parts_.table->Remove(down.who);
  std::erase(leaving_, down.who);
  if (std::erase(workers_, down.who) == 0) return;  // it was to go
  switch (down.reason) {
    case ExitReason::kNormal:
    case ExitReason::kShutdown:
      if (workers_.empty() && !elastic()) self.Stop();
      return;
    case ExitReason::kFailed:
      return CountFailure(down.status, self);
    case ExitReason::kNoSuchActor:  // it ended in its OnStart, before it could be watched
      return CountFailure(absl::UnavailableError("a worker ended as soon as it had begun"), self);
  }
}

void PoolActor::CountFailure(absl::Status why, Context& self) {
  if (MayReplace(self.Now())) return AddWorkerOrCountFailure(self);
  self.Fail(absl::Status(
      why.code(),
      absl::StrCat("more than ", options().max_restarts, " failures of workers in ",
                   absl::FormatDuration(options().restart_period), "; the last: ", why.message())));
}

bool PoolActor::MayReplace(absl::Time now) {
  std::erase_if(replaced_, [&](absl::Time t) { return t <= now - options().restart_period; });
  if (replaced_.size() >= static_cast<size_t>(options().max_restarts)) return false;
  replaced_.push_back(now);
  return true;
}

// ---- the size of an elastic pool

void PoolActor::On(Look, Context& self) {
  for (const AnyRef& worker : std::exchange(leaving_, {})) StopActor(worker, StopWhen::kDrained);
  Resize(self);
}

void PoolActor::Resize(Context& self) {
  const size_t wanted = WantedSize();
  if (workers_.size() > wanted) {
    parts_.table->Remove(workers_.back());
    leaving_.push_back(workers_.back());
    workers_.pop_back();
  }
  // Each adds a worker, or one failure to a number of which there is a limit.
  for (size_t missing = wanted - std::min(wanted, workers_.size()); missing > 0; --missing) {
    AddWorkerOrCountFailure(self);
  }
}

size_t PoolActor::WantedSize() const {
  uint64_t backlog = 0;
  for (const AnyRef& worker : workers_) backlog += BacklogOf(worker);
  const auto per_worker = static_cast<uint64_t>(options().backlog_per_worker);
  return std::clamp<uint64_t>((backlog + per_worker - 1) / per_worker,
                              static_cast<uint64_t>(options().size),
                              static_cast<uint64_t>(options().max_size));
}

}  // namespace troupe::internal
