// OwnLoop: the asio::io_context of a node that is given none, and who runs it: a thread of its own, or a worker
// of the system's that has nothing else to do.
//
// By the thread, a message changes threads twice at each end, to a worker and back, and a system call wakes each.
// By a worker nobody is woken: it reads, handles and answers. But while it handles, nobody reads. So workers
// run the context while its load is low (Duty), and the thread does when they do not come back.
//
//   server_            run_one is called by    becomes
//   kThread            the thread              kNobody, after something came in, if a worker has wanted it
//   kNobody            nobody                  kWorker, when a worker is idle; kThread, when none has come for
//                                              kLongestGap, or the load is high
//   kWorker            that worker             kNobody, when something came in, or it was interrupted
//
// V1  Whoever server_ names calls run_one, nobody else. So an Interrupt reaches whom it is meant for.
// V2  Nothing waits longer than two gaps while nobody serves: while a worker serves the thread may sleep
//     (standing_by_ false), but then that worker wakes it when it leaves. The thread clears standing_by_ and then
//     looks at server_; the worker sets server_ and then looks at standing_by_; all sequentially consistent.
//     One of them sees the other.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_OWN_LOOP_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_OWN_LOOP_H_

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

#include "absl/functional/function_ref.h"
#include "troupe/core/futex.h"
#include "troupe/core/io_driver.h"
#include "troupe/core/scheduler.h"
#include "troupe/runtime/internal/parker.h"

namespace troupe::internal {

// Whether a worker should run a loop that it comes to, by how long the last times it was away from it and waited
// in it, each an average that forgets. Not thread-safe: for whoever serves.
class Duty {
 public:
  using Duration = SteadyTime::duration;

  // `cpus`: on one, nobody could read while a worker handles, so it is never too much.
  explicit Duty(int cpus) : cpus_(cpus) {}
  void Begin(SteadyTime now);
  void Woken(SteadyTime now);  // something has come in
  void Left(SteadyTime now);   // without that
  bool IsTooMuch() const;
  // It was too much: not before some time has passed, which gets longer while the next try fails soon, too.
  void GiveUp(SteadyTime now);
  bool MayTry(SteadyTime now) const { return now >= try_again_at_; }
  void Try(SteadyTime now);

 private:
  // Something else could be run meanwhile, and be woken for it.
  static constexpr Duration kLongestAway = std::chrono::microseconds(50);
  static constexpr int kAwayPerWait = 8;  // at most; a loop that hardly waits feeds several workers
  static constexpr Duration kShortestPause = std::chrono::milliseconds(4);
  static constexpr Duration kLongestPause = std::chrono::seconds(1);

  static void Average(Duration& average, Duration last) { average += (last - average) / 8; }

  const int cpus_;
  Duration away_{};
  Duration waited_{};
  SteadyTime since_;  // when it was woken, or came
  Duration pause_ = kShortestPause;
  SteadyTime tried_at_;
  SteadyTime try_again_at_;
};

class OwnLoop final : public IoDriver {
 public:
  explicit OwnLoop(Scheduler* workers);  // nullptr: the thread alone
  OwnLoop(const OwnLoop&) = delete;
  OwnLoop& operator=(const OwnLoop&) = delete;
  void Stop();  // once, not in run_one: afterwards nobody is in it

  asio::io_context& context() { return context_; }
  // On the thread in run_one, before anything else is done there.
  static void TurnBegins();

  void Serve(absl::FunctionRef<bool()> begin, absl::FunctionRef<void()> woken) override;
  void Interrupt() override;

 private:
  enum class Server : uint8_t { kThread, kNobody, kWorker };
  // How long a context may wait for a worker that was there before.
  static constexpr std::chrono::milliseconds kLongestGap{1};

  void ThreadMain();
  bool ServeByThread();
  void StandBy();
  bool TakeOver();
  void RunOne(absl::FunctionRef<void()> woken);
  void StopServing();

  Scheduler* const workers_;
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};

  std::atomic<Server> server_{Server::kThread};
  std::atomic<bool> wanted_{false};
  std::atomic<bool> too_much_{false};
  std::atomic<bool> standing_by_{true};  // V2
  std::atomic<uint64_t> visits_{0};
  Duty duty_;  // whoever serves; handed on by server_
  Parker parker_;
  std::thread thread_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_OWN_LOOP_H_
