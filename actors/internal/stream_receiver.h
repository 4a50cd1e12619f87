// StreamReceiver: the head of a node whose elements come from other nodes, without their type.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_RECEIVER_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_RECEIVER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/stream_node.h"

namespace troupe::internal {

// Spawns the node before, when the stream is run, and says by which of its outputs it is reached.
class StreamOrigin {
 public:
  struct Place {
    ActorRef<StreamNode> node;
    uint32_t output = 0;
  };
  virtual ~StreamOrigin() = default;
  virtual Place Launch(StreamSpawner& spawner) = 0;
};

class StreamReceiver : public StreamHead {
 public:
  StreamReceiver(std::vector<std::unique_ptr<StreamOrigin>> origins, uint32_t window);
  ~StreamReceiver() override;  // tells those before it, if its node has never started

  void Launch(StreamSpawner& spawner) override;
  void Open(StreamTurn& turn) override;
  void Complete(uint32_t input) override;
  bool NoteDown(const Down& down) override;
  void Settle() override;
  size_t handful() const override { return std::max<size_t>(window_ / 2, 1); }

 protected:
  struct Input {
    std::unique_ptr<StreamOrigin> origin;  // until it is launched
    StreamOrigin::Place from;
    uint32_t taken = 0;  // for the next StreamDemand
    bool over = false;   // nothing more will come
    absl::Status status;
  };
  std::vector<Input>& inputs() { return inputs_; }

 private:
  const uint32_t window_;
  std::vector<Input> inputs_;
  bool opened_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_RECEIVER_H_
