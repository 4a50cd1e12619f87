// Supervision: the children of one supervisor, and what is done about their ends. Plain code without
// a thread or a clock of its own: the same reports at the same times lead to the same orders.
//
// Every event (a report, a request, an order, a timer) only marks children: to be ended (`stop`), to
// be started (`wanted`). Advance then does what is next:
//
//   1  ends those that are marked, the last first; waits for each until its deadline
//   2  if the supervisor itself is to end: does that, when the last child has
//   3  starts those that are wanted and due, the first first; waits for each until it has started
//
// So the strategies are ways to mark, and the order of things stands in one place.
// Not thread safe: used by whoever has the right to run the supervisor.
#ifndef TROUPE_ACTORS_INTERNAL_SUPERVISION_H_
#define TROUPE_ACTORS_INTERNAL_SUPERVISION_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/child_spec.h"
#include "troupe/actors/internal/control.h"
#include "troupe/actors/internal/supervised.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/supervisor.h"

namespace troupe::internal {

// What is wrong with a child of such a supervisor, whatever its siblings. In supervisor.cc.
absl::Status CheckOptions(const ChildOptions& child, const SupervisorOptions& supervisor);

class Supervision {
 public:
  using OnStarted = std::function<void(absl::StatusOr<AnyRef>)>;

  explicit Supervision(SupervisorOptions options);

  // ---- before it runs

  AnyRef Add(ActorCell& me, ChildSpec spec);  // throws std::invalid_argument, see SupervisorTree
  void WaitForBegin() { parked_ = true; }

  // ---- events

  void Take(ChildReport report, Context& self);
  void Obey(const Control& order, Context& self);
  void TakeWake(Context& self);
  void StartChild(ChildSpec spec, OnStarted on_started, Context& self);
  void RestartChild(const std::string& name, OnStarted on_started, Context& self);
  void TerminateChild(const ChildKey& key, Reply<void> reply, Context& self);
  absl::Status DeleteChild(const std::string& name);
  std::vector<ChildInfo> WhichChildren() const;
  ChildCounts CountChildren() const;
  absl::StatusOr<ChildOptions> OptionsOf(const ChildKey& key) const;

 private:
  enum class Is : uint8_t { kAbsent, kVacant, kStarting, kRunning, kStopping };
  struct Child {
    ChildSpec spec;
    AnyRef ref;  // nobody: kAbsent
    Is state = Is::kAbsent;
    bool added_later = false;  // by StartChild
    bool lives = false;        // or begins to, and those who want to know are to be told of the end
    bool has_lived = false;
    bool fresh = true;  // has not yet started since the supervisor or somebody said so

    bool wanted = true;  // to be started, when it is
    absl::Time due = absl::InfinitePast();

    bool stop = false;       // to be ended first,
    bool for_good = false;   // not just for this life,
    bool forget = false;     // and to be forgotten
    bool forgotten = false;  // and so not there, until the supervisor itself is made anew
    bool told = false;
    absl::Time deadline = absl::InfiniteFuture();  // to wait for its end until

    absl::Time started_at = absl::InfinitePast();
    int failures = 0;  // in a row
    OnStarted on_started;
    std::vector<Reply<void>> on_ended;
  };
  using Children = std::vector<std::unique_ptr<Child>>;

  void Advance(Context& self);
  bool EndMarked(Context& self);
  void TellToEnd(Child& child, Context& self);
  void StartDue(Context& self);
  void Start(Child& child, Context& self);
  void FinishClosing(Context& self);
  void WakeAt(absl::Time when, Context& self);

  void TakeStarted(Child& child, Context& self);
  void TellEnd(Child& child, const ChildReport& report, Context& self);
  void TakeEnd(Child& child, bool gone, const ChildReport& report, Context& self);
  void TakeStopAsked(Child& child);
  void HandleEnd(Child& child, bool was_starting, const ChildReport& report, Context& self);
  void HandleFailedStart(Child& child, const absl::Status& why, Context& self);
  void MakeAnew(Child& child, const absl::Status& why, Context& self);
  void MarkSiblings(const Child& failed);
  void Retire(Child& child);
  void EndIfSignificant(const Child& ended, Context& self);
  bool MayRestart(absl::Time now);
  absl::Duration NextDelay(Child& child, absl::Time now);
  void Begin();
  void Close(ExitReason reason, absl::Status status, bool for_good);
  void MarkToClose(Child& child);

  bool IsSupervised(Context& self) const;
  std::string Label(const Child& child) const;
  absl::Duration ShutdownOf(const Child& child) const;
  Child* Find(const ChildKey& key) const;
  absl::Status Check(const ChildSpec& spec) const;
  absl::Status CheckEnded(const Child* child, const std::string& name) const;
  void Forget(Child& child);
  static bool IsAlive(const Child& c) {
    return c.state == Is::kStarting || c.state == Is::kRunning;
  }
  static ChildState StateOf(const Child& child);

  const SupervisorOptions options_;
  std::mt19937_64 random_;
  Children children_;                // in the order of starting
  std::deque<absl::Time> restarts_;  // within the period
  absl::Time wake_at_ = absl::InfiniteFuture();
  bool parked_ = false;    // lives no more, or not yet, and waits for kBegin
  bool starting_ = false;  // has not yet reported that it has started
  bool closing_ = false;   // this life of it ends,
  bool for_good_ = false;  // and there is no other
  bool has_lived_ = false;
  ExitReason reason_ = ExitReason::kNormal;
  absl::Status status_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SUPERVISION_H_
