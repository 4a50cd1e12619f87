#include "troupe/runtime/internal/dispatchers.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {
namespace {

[[noreturn]] void Refuse(const DispatcherOptions& d, const std::string& why) {
  throw std::invalid_argument("Troupe: the dispatcher \"" + d.name + "\" " + why);
}

void ValidateCpus(const DispatcherOptions& d) {
  const std::vector<int> allowed = AllowedCpus();
  for (int cpu : d.cpus) {
    if (std::ranges::find(allowed, cpu) != allowed.end()) continue;
    std::string list;
    for (int each : allowed) list += (list.empty() ? "" : " ") + std::to_string(each);
    Refuse(d, "wants CPU " + std::to_string(cpu) + ", which this process may not use; it may use " +
                  list);
  }
}

int WorkersOf(const DispatcherOptions& d) {
  if (d.workers != 0) return d.workers;
  if (!d.cpus.empty()) return static_cast<int>(d.cpus.size());
  return AllowedCpuCount();
}

}  // namespace

void ValidateDispatchers(const Options& options) {
  std::set<std::string> names;
  for (const DispatcherOptions& d : options.dispatchers) {
    if (d.name.empty()) Refuse(d, "needs a name");
    if (!names.insert(d.name).second) Refuse(d, "is there twice");
    if (d.workers < 0 || d.workers > 1024) Refuse(d, "must have 0 to 1024 workers");
    if (options.scheduler == nullptr) ValidateCpus(d);
  }
}

Dispatchers::Dispatchers(const Options& options, const Budget& budget, const Clock& clock,
                         CoarseClock& coarse_clock) {
  for (const DispatcherOptions& d : options.dispatchers) {
    Dispatcher& dispatcher = dispatchers_.emplace_back();
    dispatcher.name = d.name;
    if (options.scheduler != nullptr) continue;
    if (d.kind == DispatcherKind::kBlocking) {
      const int limit = d.workers != 0 ? d.workers : std::max(1, options.max_blocking_threads);
      dispatcher.blocking = std::make_unique<BlockingPool>(BlockingPool::Settings{
          .name = d.name, .max_threads = limit, .cpus = d.cpus, .budget = budget});
    } else {
      dispatcher.pool = std::make_unique<WorkStealingScheduler>(WorkStealingScheduler::Settings{
          .workers = WorkersOf(d),
          .budget = budget,
          .max_blocking_threads = options.max_blocking_threads,
          .clock = &clock,
          .coarse_clock = &coarse_clock,
          .name = d.name,
          .cpus = d.cpus,
      });
    }
  }
}

std::vector<NamedScheduler> Dispatchers::named(Scheduler* host) {
  std::vector<NamedScheduler> all;
  for (const Dispatcher& d : dispatchers_) {
    Scheduler* own = d.pool.get();
    if (own == nullptr) own = d.blocking.get();
    all.push_back({d.name, host != nullptr ? host : own});
  }
  return all;
}

void Dispatchers::Start(const std::weak_ptr<void>& keep_alive) {
  for (const Dispatcher& d : dispatchers_) {
    if (d.pool != nullptr) d.pool->Start(keep_alive);
    if (d.blocking != nullptr) d.blocking->Start(keep_alive);
  }
}

bool Dispatchers::Stop(SteadyTime deadline) {
  bool all = true;
  for (const Dispatcher& d : dispatchers_) {
    if (d.pool != nullptr) all = d.pool->Stop(deadline) && all;
    if (d.blocking != nullptr) all = d.blocking->Stop(deadline) && all;
  }
  return all;
}

std::vector<DispatcherStats> Dispatchers::stats() const {
  std::vector<DispatcherStats> all;
  for (const Dispatcher& d : dispatchers_) {
    DispatcherStats& stats = all.emplace_back();
    stats.name = d.name;
    if (d.pool != nullptr) stats.workers = d.pool->stats();
    if (d.blocking != nullptr) stats.workers = d.blocking->stats();
  }
  return all;
}

}  // namespace troupe::internal
