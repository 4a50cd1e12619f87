// MachineCore: the part of a StateMachine that knows no types: which state it is in, and since which
// move; what it has postponed, and the timeout of the state.
//
// S1  epoch() is another number after each move and each SetTimeout: a timeout that was sent for an
//     earlier one finds itself out of date.
// S2  A state is left, destroyed, the next one constructed and entered without a message or an answer
//     in between. OnExit and OnEnter cannot move (moving_).
// S3  No state is left while a handler is suspended that messages wait for: it may hold a reference to
//     the state. It moves by what it returns, which is its end.
#ifndef TROUPE_ACTORS_INTERNAL_MACHINE_CORE_H_
#define TROUPE_ACTORS_INTERNAL_MACHINE_CORE_H_

#include <cstdint>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/set_aside.h"
#include "troupe/actors/timer_handle.h"

namespace troupe::internal {

// What a machine's class does in each of its states; one constant per class. state_dispatch.h
struct MachineHooks {
  using Hook = void (*)(void* machine, Context& self);

  const Hook* enter;  // by the state's place in the list
  const Hook* exit;
  TimerHandle (*start_timeout)(void* machine, Context& self, absl::Duration after, uint64_t epoch);
};

class MachineCore {
 public:
  uint64_t epoch() const { return epoch_; }
  SetAside& postponed() { return postponed_; }

 protected:
  explicit MachineCore(uint32_t postponed) : postponed_(postponed) {}
  MachineCore(MachineCore&&) = default;
  ~MachineCore() = default;

  bool begun() const { return hooks_ != nullptr; }
  void Begin(void* machine, const MachineHooks& hooks) {
    machine_ = machine;
    hooks_ = &hooks;
  }
  void Enter(uint32_t state, Context& self) { Call(hooks_->enter, state, self); }
  void Exit(uint32_t state, Context& self);
  void StartTimeout(absl::Duration after, Context& self);
  void CheckMayMove(const Context& self) const;  // S2, S3: throws std::logic_error

 private:
  void Call(const MachineHooks::Hook* hooks, uint32_t state, Context& self);

  void* machine_ = nullptr;
  const MachineHooks* hooks_ = nullptr;  // once it has begun
  uint64_t epoch_ = 1;
  TimerHandle timeout_;
  SetAside postponed_;
  bool moving_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MACHINE_CORE_H_
