#include "troupe/actors/internal/machine_core.h"

#include <stdexcept>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/state_dispatch.h"

namespace troupe::internal {

void MachineCore::Exit(uint32_t state, Context& self) {
  if (begun()) Call(hooks_->exit, state, self);
  ++epoch_;
  std::exchange(timeout_, {}).Cancel();
}

void MachineCore::Call(const MachineHooks::Hook* hooks, uint32_t state, Context& self) {
  if (hooks[state] == nullptr) return;
  struct Moving {
    bool& moving;
    ~Moving() { moving = false; }
  } moving{moving_};
  moving_ = true;
  hooks[state](machine_, self);
}

void MachineCore::StartTimeout(absl::Duration after, Context& self) {
  ++epoch_;
  timeout_.Cancel();
  if (!begun()) throw std::logic_error("Troupe: a state has its timeout from when it is entered");
  timeout_ = hooks_->start_timeout(machine_, self, after, epoch_);
}

void MachineCore::CheckMayMove(const Context& self) const {
  if (moving_) throw std::logic_error("Troupe: OnEnter and OnExit cannot move to another state");
  if (ActorCell::Of(self.self())->defers()) {
    throw std::logic_error(
        "Troupe: a state cannot be left while one of its handlers is suspended; let that coroutine "
        "return the next state");
  }
}

void LoseUnhandled(Envelope& e) {
  ActorCell& receiver = *ActorCell::Current();
  receiver.space().Lose(e, DeadLetterReason::kUnhandled, receiver.ref());
}

}  // namespace troupe::internal
