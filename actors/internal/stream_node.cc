#include "troupe/actors/internal/stream_node.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <stdexcept>

#include "troupe/actors/internal/actor_cell.h"

namespace troupe::internal {
namespace {

// After so many steps a node that always has more to do lets others run.
constexpr int kStepsPerTurn = 64;

}  // namespace

void ValidateStreamActor(const ActorOptions& options) {
  if (options.capacity != kUnbounded) {
    throw std::invalid_argument(
        "Troupe: a stream's actors take no capacity, since windows bound their mailboxes");
  }
}

void ValidateStreamWindow(uint32_t window) {
  if (window == 0) throw std::invalid_argument("Troupe: a stream's window must be at least 1");
}

absl::Status StreamStatusOf(const Down& down) {
  return down.reason == ExitReason::kFailed ? down.status : absl::OkStatus();
}

// ---- StreamTurn

StreamStep StreamTurn::Fail(absl::Status status) const {
  failure = std::move(status);
  return StreamStep::kEnd;
}

StreamStep StreamTurn::FailAsCaught() const { return Fail(StatusOf(std::current_exception())); }

void StreamTurn::WakeAfter(absl::Duration delay) const {
  self.SendAfter(delay, self.ref(&node), StreamResume{});
}

// ---- StreamOutputs

void StreamOutputs::Open(const StreamSubscribe& m) {
  outputs_[m.output] = {.state = State::kLive,
                        .subscriber = m.subscriber,
                        .input = m.input,
                        .credit = m.window,
                        .parcel = std::max(m.window / 2, 1u)};
}

bool StreamOutputs::CloseFor(const AnyRef& subscriber) {
  for (Output& o : outputs_) {
    if (o.state != State::kLive || o.subscriber != subscriber) continue;
    o.state = State::kGone;
    return true;
  }
  return false;
}

bool StreamOutputs::all_gone() const {
  return std::ranges::all_of(outputs_, [](const Output& o) { return o.state == State::kGone; });
}

size_t StreamOutputs::Room() const {
  uint32_t room = std::numeric_limits<uint32_t>::max();
  for (const Output& o : outputs_) {
    if (o.state == State::kAwaited) return 0;
    if (o.state == State::kLive) room = std::min({room, o.credit, o.parcel});
  }
  return room;
}

void StreamOutputs::Complete() {
  for (const Output& o : outputs_) {
    if (o.state == State::kLive) o.subscriber.Send(StreamComplete{o.input});
  }
}

// ---- StreamNode

void StreamNode::OnStart(Context& self) {
  StreamTurn turn{self, *this, failure_};
  body_->head().Open(turn);
  Drive(self);
}

void StreamNode::On(const StreamSubscribe& m, Context& self) {
  outputs_.Open(m);
  self.Watch(m.subscriber);
  if (over_) return m.subscriber.Send(StreamComplete{m.input}), void();
  Drive(self);
}

void StreamNode::On(StreamDemand m, Context& self) {
  outputs_.Grant(m);
  Drive(self);
}

void StreamNode::On(StreamLeave m, Context& self) {
  outputs_.Close(m.output);
  EndIfAbandoned(absl::OkStatus(), self);
}

void StreamNode::On(StreamParcel m, Context& self) {
  body_->head().Arrive(std::move(m));
  Drive(self);
}

void StreamNode::On(StreamComplete m, Context& self) {
  body_->head().Complete(m.input);
  Drive(self);
}

void StreamNode::On(StreamResume, Context& self) {
  resuming_ = false;
  Drive(self);
}

void StreamNode::On(StreamAwaitRoom, Reply<void> reply) {
  body_->head().AwaitRoom(std::move(reply));
}

void StreamNode::On(const Down& down, Context& self) {
  if (outputs_.CloseFor(down.who)) {
    EndIfAbandoned(StreamStatusOf(down), self);
  } else if (body_->head().NoteDown(down)) {
    Drive(self);
  }
}

void StreamNode::Drive(Context& self) {
  StreamTurn turn{self, *this, failure_};
  for (int steps = 0; steps < kStepsPerTurn; ++steps) {
    if (over_) return;
    const StreamStep step = body_->Step(turn);
    if (step == StreamStep::kEnd) return End(self);
    body_->head().Settle();
    if (step == StreamStep::kDry) return;
  }
  if (!std::exchange(resuming_, true)) self.ref(this).Send(StreamResume{});
}

void StreamNode::End(Context& self) {
  over_ = true;
  if (!failure_.ok()) return self.Fail(failure_);
  if (outputs_.none()) return self.Stop();
  outputs_.Complete();  // and then waits (N3)
}

// A node to which nobody listens any more ends as the last of them did.
void StreamNode::EndIfAbandoned(const absl::Status& why, Context& self) {
  if (!outputs_.all_gone()) return Drive(self);  // perhaps that one had held up the others
  if (why.ok() || over_) return self.Stop();
  self.Fail(why);
}

}  // namespace troupe::internal
