#include "troupe/actors/internal/post_batch.h"

#include <utility>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"

namespace troupe::internal {
namespace {

Envelope* Reversed(Envelope* newest) {
  Envelope* oldest = nullptr;
  while (newest != nullptr) {
    Envelope* const older = static_cast<Envelope*>(newest->next);
    newest->next = oldest;
    oldest = std::exchange(newest, older);
  }
  return oldest;
}

}  // namespace

void ActorCell::PostAll(const AnyRef& to, Envelope& newest, Envelope& oldest, size_t count) {
  ActorCell& cell = *to.cell_;
  // Acquire: as in PostHere.
  BoundedQueue* const bounded = cell.bounded_.load(std::memory_order_acquire);
  if (bounded == nullptr) {
    switch (cell.queue_.PushAll(newest, oldest, count)) {
      case PushResult::kMustSchedule:
        return cell.ScheduleNow();
      case PushResult::kQueued:
        return;
      case PushResult::kClosed:
        break;
    }
  }
  oldest.next = nullptr;
  for (Envelope* e = Reversed(&newest); e != nullptr;) {
    Envelope& first = *std::exchange(e, static_cast<Envelope*>(e->next));
    if (bounded != nullptr) {
      PostBounded(to, *bounded, first, PostMode::kNeverBlock);
    } else {
      cell.space().Lose(first, DeadLetterReason::kNoSuchActor, to);
    }
  }
}

void PostBatch::Post() {
  for (Envelope* e = newest_; e != nullptr; e = static_cast<Envelope*>(e->next)) {
    e->address = ActorCell::IncarnationOf(to_);
  }
  ActorCell::PostAll(to_, *std::exchange(newest_, nullptr), *std::exchange(oldest_, nullptr),
                     std::exchange(count_, 0));
}

}  // namespace troupe::internal
