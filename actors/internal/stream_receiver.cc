#include "troupe/actors/internal/stream_receiver.h"

#include <utility>

namespace troupe::internal {

StreamReceiver::StreamReceiver(std::vector<std::unique_ptr<StreamOrigin>> origins, uint32_t window)
    : window_(window), inputs_(origins.size()) {
  for (size_t i = 0; i < origins.size(); ++i) inputs_[i].origin = std::move(origins[i]);
}

StreamReceiver::~StreamReceiver() {
  if (opened_) return;
  for (const Input& input : inputs_) {
    if (input.from.node) input.from.node.Send(StreamLeave{input.from.output});
  }
}

void StreamReceiver::Launch(StreamSpawner& spawner) {
  for (Input& input : inputs_) input.from = std::exchange(input.origin, nullptr)->Launch(spawner);
}

void StreamReceiver::Open(StreamTurn& turn) {
  opened_ = true;
  for (uint32_t i = 0; i < inputs_.size(); ++i) {
    const StreamOrigin::Place& from = inputs_[i].from;
    turn.self.Watch(from.node);
    from.node.Send(StreamSubscribe{turn.self.ref(&turn.node), from.output, i, window_});
  }
}

void StreamReceiver::Complete(uint32_t i) {
  Input& input = inputs_[i];
  input.over = true;
  input.from.node.Send(StreamLeave{input.from.output});  // behind all demand: node.h, N3
}

bool StreamReceiver::NoteDown(const Down& down) {
  for (Input& input : inputs_) {
    if (input.over || input.from.node != down.who) continue;
    input.over = true;
    input.status = StreamStatusOf(down);
    if (input.status.ok()) {
      input.status = absl::AbortedError("the stream was stopped before it had completed");
    }
    return true;
  }
  return false;
}

void StreamReceiver::Settle() {
  for (Input& input : inputs_) {
    if (input.taken < handful() || input.over) continue;  // node.h, N2
    input.from.node.Send(StreamDemand{input.from.output, std::exchange(input.taken, 0)});
  }
}

}  // namespace troupe::internal
