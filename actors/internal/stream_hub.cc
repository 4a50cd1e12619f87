#include "troupe/actors/internal/stream_hub.h"

namespace troupe::internal {

ActorRef<StreamNode> StreamHub::Launch(StreamSpawner& spawner) {
  MutexLock lock(mutex_);
  if (body_ != nullptr) {
    std::unique_ptr<StreamBody> body = std::move(body_);
    body->head().Launch(spawner);
    node_ = spawner.Spawn(options_, std::move(body), branches_);
    for (const StreamLeave& leave : left_) node_.Send(StreamLeave(leave));
  }
  return node_;
}

void StreamHub::Leave(uint32_t branch) {
  MutexLock lock(mutex_);
  if (body_ != nullptr) {
    left_.push_back({branch});
  } else if (node_) {
    node_.Send(StreamLeave{branch});
  }
}

}  // namespace troupe::internal
