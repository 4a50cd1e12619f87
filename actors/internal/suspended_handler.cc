#include "troupe/actors/internal/suspended_handler.h"

#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"

namespace troupe::internal {

void SuspendedHandler::Enter() {
  ActorCell& cell = *ActorCell::Of(context_.self());
  SuspendedHandler*& newest = cell.annex().suspended;
  older_ = newest;
  if (newest != nullptr) newest->newer_ = this;
  newest = this;
  entered_ = true;
  if (!reentrant_) cell.DeferMessages();
}

void SuspendedHandler::Leave() {
  ActorCell& cell = *ActorCell::Of(context_.self());
  (newer_ != nullptr ? newer_->older_ : cell.annex().suspended) = older_;
  if (older_ != nullptr) older_->newer_ = newer_;
  if (!reentrant_) cell.ResumeMessages();
}

}  // namespace troupe::internal
