#include "troupe/runtime/bridges/internal/own_loop.h"

#include <algorithm>
#include <asio/post.hpp>
#include <utility>

#include "troupe/runtime/internal/thread.h"

namespace troupe::internal {
namespace {

SteadyTime Now() { return std::chrono::steady_clock::now(); }

// thread_local: asio calls what has been begun long before, and knows nothing of who runs it.
constinit thread_local const absl::FunctionRef<void()>* on_turn = nullptr;

}  // namespace

// ---- Duty

void Duty::Begin(SteadyTime now) {
  Average(away_, now - since_);
  since_ = now;
}

void Duty::Woken(SteadyTime now) {
  Average(waited_, now - since_);
  since_ = now;
}

void Duty::Left(SteadyTime now) { since_ = now; }

bool Duty::IsTooMuch() const {
  return cpus_ > 1 && (away_ > kLongestAway || away_ > kAwayPerWait * waited_);
}

void Duty::GiveUp(SteadyTime now) {
  if (now - tried_at_ > 2 * pause_) pause_ = kShortestPause;
  try_again_at_ = now + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
}

void Duty::Try(SteadyTime now) {
  away_ = {};
  waited_ = kLongestAway;
  since_ = tried_at_ = now;
}

// ---- OwnLoop

OwnLoop::OwnLoop(Scheduler* workers)
    : workers_(workers),
      duty_(AllowedCpuCount()),
      thread_(StartThread("troupe-bridge", [this] { ThreadMain(); })) {
  if (workers_ != nullptr) workers_->Attach(*this);
}

void OwnLoop::Stop() {
  if (workers_ != nullptr) workers_->Detach(*this);
  context_.stop();
  parker_.Unpark();
  thread_.join();
}

void OwnLoop::TurnBegins() {
  if (const auto* woken = std::exchange(on_turn, nullptr)) (*woken)();
}

void OwnLoop::Interrupt() {
  asio::post(context_, [] {});
}

// ---- a worker

void OwnLoop::Serve(absl::FunctionRef<bool()> begin, absl::FunctionRef<void()> woken) {
  Server expected = Server::kNobody;
  if (!server_.compare_exchange_strong(expected, Server::kWorker)) {
    wanted_.store(true, std::memory_order_relaxed);  // a hint
    return;
  }
  duty_.Begin(Now());
  if (duty_.IsTooMuch()) {
    too_much_.store(true);
    StopServing();
    parker_.Unpark();
    return;
  }
  if (begin()) RunOne(woken);
  StopServing();
}

void OwnLoop::RunOne(absl::FunctionRef<void()> woken) {
  visits_.fetch_add(1, std::memory_order_relaxed);  // the thread only compares
  const auto wake = [&] {
    duty_.Woken(Now());
    woken();
  };
  const absl::FunctionRef<void()> turn = wake;
  on_turn = &turn;
  context_.run_one();
  if (std::exchange(on_turn, nullptr) != nullptr) duty_.Left(Now());
}

void OwnLoop::StopServing() {
  server_.store(Server::kNobody);
  if (!standing_by_.load()) parker_.Unpark();  // V2
}

// ---- the thread

void OwnLoop::ThreadMain() {
  while (ServeByThread()) StandBy();
}

// False: the end.
bool OwnLoop::ServeByThread() {
  while (context_.run_one() != 0) {
    // Relaxed, as where it is set: a hint, and server_ is what hands over.
    if (!wanted_.load(std::memory_order_relaxed)) continue;
    const SteadyTime now = Now();
    if (!duty_.MayTry(now)) continue;
    duty_.Try(now);
    wanted_.store(false, std::memory_order_relaxed);
    server_.store(Server::kNobody);
    return true;
  }
  return false;
}

void OwnLoop::StandBy() {
  // Relaxed, both: it only has to move while workers come; who serves is said by server_.
  uint64_t seen = visits_.load(std::memory_order_relaxed);
  while (!context_.stopped()) {
    const bool unparked = parker_.Park(Now() + kLongestGap);
    const uint64_t visits = visits_.load(std::memory_order_relaxed);
    if (too_much_.exchange(false) || (!unparked && visits == seen)) {
      if (TakeOver()) return;
      standing_by_.store(false);
      if (server_.load() == Server::kWorker) parker_.Park();
      standing_by_.store(true);
    }
    seen = visits;
  }
}

// False: a worker serves.
bool OwnLoop::TakeOver() {
  Server expected = Server::kNobody;
  if (!server_.compare_exchange_strong(expected, Server::kThread)) return false;
  duty_.GiveUp(Now());
  return true;
}

}  // namespace troupe::internal
