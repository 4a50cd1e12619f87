#include "troupe/actors/internal/set_aside.h"

#include <stdexcept>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"

namespace troupe::internal {

SetAside::SetAside(uint32_t capacity) : capacity_(capacity) {
  if (capacity == 0) throw std::invalid_argument("Troupe: a stash has a capacity of at least 1");
}

bool SetAside::Add(Envelope& e) {
  ActorCell& cell = *ActorCell::Current();
  if (size_ == capacity_) {
    cell.space().Lose(e, DeadLetterReason::kFull, cell.ref());
    return false;
  }
  cell.KeepQueued();
  messages_.Append(e);
  ++size_;
  return true;
}

bool SetAside::AddNew(Envelope& e, const AnyRef& sender) {
  e.address = ActorCell::IncarnationOf(ActorCell::CurrentRef());
  e.sender = sender;
  return Add(e);
}

void SetAside::PutBack() {
  if (messages_.empty()) return;
  size_ = 0;
  ActorCell::Current()->PutBack(messages_);
}

// The actor object goes. What becomes of messages in its mailbox now, becomes of these (E4).
SetAside::~SetAside() {
  if (!messages_.empty() && !ActorCell::Current()->shut()) PutBack();
  Envelope* e = messages_.TakeBefore(nullptr);  // what is left: its system goes, too
  while (e != nullptr) {
    Discard(*std::exchange(e, static_cast<Envelope*>(e->next)), Lost::kReceiverGone);
  }
}

}  // namespace troupe::internal
