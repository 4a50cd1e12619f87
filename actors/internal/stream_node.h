// StreamNode: the actor that a stretch of a stream runs in (stream.h), and what nodes say to each
// other.
//
//   downstream -> upstream                       upstream -> downstream
//   StreamSubscribe  here I am, with a window    StreamParcel    some elements
//   StreamDemand     so many more                StreamComplete  there are no more
//   StreamLeave      I need you no more
//
// A node watches both neighbours: failure and Stop travel as Down, in either direction. A Down comes
// behind all that its actor sent, so failure is in order, too.
//
// N1  Of one edge: credit upstream + elements on their way + elements that wait downstream, or have
//     been taken there and not yet been passed on = window, less what the next StreamDemand will
//     return. So no more than a window of elements is ever between two nodes.
// N2  Demand returns half a window at once, and at least one element, so it never waits for more than
//     the window holds: no edge stands still with credit on neither side.
// N3  A node that has completed stays until each subscriber has left or ended: Demand that is on its
//     way then finds it, and is no dead letter.
// N4  Every node ends: upstream of one that ended it has nobody to send to, downstream it has been
//     told. Nothing but a user's function can hold up a stream.
#ifndef TROUPE_ACTORS_INTERNAL_STREAM_NODE_H_
#define TROUPE_ACTORS_INTERNAL_STREAM_NODE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/reply.h"

namespace troupe::internal {

class StreamNode;

// Elements on their way. (A vector of bool has no bools in it.)
template <class T>
using StreamRun = std::conditional_t<std::same_as<T, bool>, std::deque<bool>, std::vector<T>>;
struct StreamElements {
  virtual ~StreamElements() = default;
};
template <class T>
struct StreamElementsOf final : StreamElements {
  StreamRun<T> run;
};

struct StreamSubscribe {
  ActorRef<StreamNode> subscriber;
  uint32_t output;  // of the node that gets this
  uint32_t input;   // of the subscriber
  uint32_t window;
};
struct StreamDemand {
  uint32_t output;
  uint32_t elements;
};
struct StreamLeave {
  uint32_t output;
};
struct StreamParcel {
  uint32_t input;
  std::unique_ptr<StreamElements> elements;
};
struct StreamComplete {
  uint32_t input;
};
struct StreamResume {};  // to itself, and from an inlet: there may be something to do
struct StreamAwaitRoom {
  using Reply = void;
};

// What a node's step has come to.
enum class StreamStep : uint8_t {
  kMore,  // call again
  kDry,   // nothing to do before the next message
  kEnd,   // the last element has gone; StreamTurn::failure says how it ended
};

struct StreamTurn {
  // In a catch block: the stream ends with the exception that was caught.
  StreamStep FailAsCaught() const;
  StreamStep Fail(absl::Status status) const;
  void WakeAfter(absl::Duration delay) const;

  Context& self;
  StreamNode& node;
  absl::Status& failure;
};

// Spawns nodes where a stream is run.
class StreamSpawner;

// What somebody outside of a stream pushes through; he has to know whom to ask for room.
class StreamDoor {
 public:
  virtual ~StreamDoor() = default;
  virtual void Attach(ActorRef<StreamNode> node) = 0;
};

// Where a node's elements come from: the innermost of the steps that it runs.
class StreamHead {
 public:
  virtual ~StreamHead() = default;
  virtual void Launch(StreamSpawner&) {}  // spawns what comes before; the node itself comes after
  virtual std::shared_ptr<StreamDoor> door() { return nullptr; }
  virtual void Open(StreamTurn&) {}  // the node has started
  virtual void Arrive(StreamParcel) {}
  virtual void Complete(uint32_t /*input*/) {}
  virtual bool NoteDown(const Down&) { return false; }  // true: it was one of the inputs
  virtual void AwaitRoom(Reply<void>) {}
  // What has been pulled so far has been passed on.
  virtual void Settle() {}
  // So many may be pulled by a node that sends them nowhere.
  virtual size_t handful() const { return 1; }
};

// What a node does with them.
class StreamBody {
 public:
  virtual ~StreamBody() = default;
  virtual StreamStep Step(StreamTurn& turn) = 0;
  virtual StreamHead& head() = 0;
};

class StreamSpawner {
 public:
  virtual ~StreamSpawner() = default;
  virtual ActorRef<StreamNode> Spawn(const ActorOptions& options, std::unique_ptr<StreamBody> body,
                                     uint32_t outputs) = 0;
};

// The subscribers of a node. All get the same elements, so the slowest governs.
class StreamOutputs {
 public:
  explicit StreamOutputs(uint32_t count) : outputs_(count) {}

  void Open(const StreamSubscribe& m);
  void Grant(const StreamDemand& m) { outputs_[m.output].credit += m.elements; }
  void Close(uint32_t output) { outputs_[output].state = State::kGone; }
  bool CloseFor(const AnyRef& subscriber);  // false: it is none

  bool none() const { return outputs_.empty(); }
  bool all_gone() const;
  // How many elements may be sent now, in one parcel: half a window at most, so that the subscriber
  // has something to do while the next one is made.
  size_t Room() const;
  // `make` is called once for each subscriber, for a parcel of `elements`; with `true` for the last.
  template <class Make>
  void Send(size_t elements, Make make) {
    size_t live = 0;
    for (const Output& o : outputs_) live += o.state == State::kLive;
    for (Output& o : outputs_) {
      if (o.state != State::kLive) continue;
      o.credit -= static_cast<uint32_t>(elements);
      o.subscriber.Send(StreamParcel{o.input, make(--live == 0)});
    }
  }
  void Complete();

 private:
  enum class State : uint8_t { kAwaited, kLive, kGone };
  struct Output {
    State state = State::kAwaited;
    ActorRef<StreamNode> subscriber;
    uint32_t input = 0;
    uint32_t credit = 0;
    uint32_t parcel = 0;
  };
  std::vector<Output> outputs_;
};

class StreamNode {
 public:
  StreamNode(std::unique_ptr<StreamBody> body, uint32_t outputs)
      : body_(std::move(body)), outputs_(outputs) {}

  void OnStart(Context& self);
  void On(const StreamSubscribe& m, Context& self);
  void On(StreamDemand m, Context& self);
  void On(StreamLeave m, Context& self);
  void On(StreamParcel m, Context& self);
  void On(StreamComplete m, Context& self);
  void On(StreamResume, Context& self);
  void On(StreamAwaitRoom, Reply<void> reply);
  void On(const Down& down, Context& self);

  StreamOutputs& outputs() { return outputs_; }
  // Steps as long as there is something to do; then, or after many, lets others have their turn.
  void Drive(Context& self);

 private:
  void End(Context& self);
  void EndIfAbandoned(const absl::Status& why, Context& self);

  const std::unique_ptr<StreamBody> body_;
  StreamOutputs outputs_;
  absl::Status failure_;
  bool over_ = false;      // the last element has gone (N3)
  bool resuming_ = false;  // a StreamResume to itself is on its way
};

// Throw std::invalid_argument.
void ValidateStreamActor(const ActorOptions& options);
void ValidateStreamWindow(uint32_t window);

// How an end reads to a neighbour: OK if it was no failure.
absl::Status StreamStatusOf(const Down& down);

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_STREAM_NODE_H_
