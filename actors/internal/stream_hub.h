// StreamHub: a broadcast before and while it runs. The first branch that is run launches its node;
// branches that are never run leave it.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_HUB_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_HUB_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/stream_node.h"
#include "troupe/actors/internal/stream_receiver.h"
#include "troupe/core/mutex.h"

namespace troupe::internal {

class StreamHub {  // any thread
 public:
  StreamHub(std::unique_ptr<StreamBody> body, ActorOptions options, uint32_t branches)
      : options_(std::move(options)), branches_(branches), body_(std::move(body)) {}

  ActorRef<StreamNode> Launch(StreamSpawner& spawner);
  void Leave(uint32_t branch);

 private:
  const ActorOptions options_;
  const uint32_t branches_;
  Mutex mutex_;
  std::unique_ptr<StreamBody> body_ ABSL_GUARDED_BY(mutex_);  // until it is launched
  std::vector<StreamLeave> left_ ABSL_GUARDED_BY(mutex_);     // likewise
  ActorRef<StreamNode> node_ ABSL_GUARDED_BY(mutex_);
};

class StreamBranch final : public StreamOrigin {
 public:
  StreamBranch(std::shared_ptr<StreamHub> hub, uint32_t branch)
      : hub_(std::move(hub)), branch_(branch) {}
  ~StreamBranch() override {
    if (hub_ != nullptr) hub_->Leave(branch_);
  }

  Place Launch(StreamSpawner& spawner) override {
    return {std::exchange(hub_, nullptr)->Launch(spawner), branch_};
  }

 private:
  std::shared_ptr<StreamHub> hub_;  // until it is launched
  const uint32_t branch_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_HUB_H_
