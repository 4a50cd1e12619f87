// Streams: elements that go from actor to actor no faster than the slowest takes them.
//
//   using namespace troupe::stream;
//   Flow printed = From(std::vector<std::string>{"1", "two", "3"})     // a source
//                      .Async()                                        // what follows: its own actor
//                      .Map([](std::string s) { return Parse(s); })    // steps
//                      .Filter([](const Number& n) { return n.ok(); })
//                      .ForEach(system, [](Number n) { Print(n); });   // an end, which runs it all
//   system.Join(printed);
//
// A Source is a plan and nothing runs before it gets its end. Then it runs in one actor from source
// to end, with the steps as plain calls, but for those places that say otherwise:
//
//   .Async()          what follows runs in another actor, at the same time
//   Merge             each source in an actor of its own, and what follows in another
//   .Broadcast<N>()   what comes before in one actor, each branch in another
//
// Back-pressure  Where elements go from one actor to the next there is a window: no more elements are
//                on their way there, or have come and wait, than StageOptions::window. The receiver
//                grants credit, half a window at a time, as it passes elements on; a sender without
//                credit makes no more. So a stream holds at most the sum of its windows, and one
//                element in each actor that begins or ends a stream with none. An element of a batch
//                is a batch. Elements travel together, up to half a window in one message.
// Order          Kept, from the source to the end; of merged sources, that of each.
// Completion     A source that ends completes the stream, behind its elements. The actors end with
//                kNormal, and so does the Flow, when its last element has been dealt with.
// Failure        An exception of any function fails the stream, behind the elements before it: its
//                actor ends with kFailed and the exception as status, and its neighbours, and theirs,
//                with the same status. One actor that is stopped alone fails those behind it with
//                kAborted. Elements that are still under way are lost; those in mailboxes are dead
//                letters.
// Cancelling     Flow::Stop ends the stream from its end upwards, with kNormal.
// Broadcast      Each branch gets every element, the slowest governs. A branch that ends is left out,
//                and the last one to end takes the source with it.
// Merge          Fair among those that have something. The first source to fail fails the stream.
// Who owns it    The actors are top-level, or children of the actor whose Context is given. So a stream
//                ends with its actor.
// Functions      are moved into the stream's actors and run there, one element at a time: what they
//                capture must be theirs, or safe to share.
// Elements       are moved. Only Broadcast copies.
// Thread safety  A Source is used by one thread; it may be moved to another, also in a message. A Flow
//                and an Inlet are for any thread.
// Not for        work that is not a line of steps, or that must survive a failure: those are actors,
//                and supervisors.
// Cost           Source, map and end of integers, each in an actor of its own: 11 ns of processor time
//                for an element with the usual window, 81 with one of 16, 300 with one of 1 (one worker,
//                on a busy machine; tests/bench/micro/streams.cc). All in one actor: 28.
//
// The demand of the receiver as the one rule is that of Reactive Streams (reactive-streams.org, 2015);
// fused steps, and boundaries where they are asked for, are Akka Streams'; demand in halves of a window
// is that of GenStage.
#ifndef TROUPE_ACTORS_STREAM_H_
#define TROUPE_ACTORS_STREAM_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/stream_consumer.h"
#include "troupe/actors/internal/stream_hub.h"
#include "troupe/actors/internal/stream_inlet.h"
#include "troupe/actors/internal/stream_node.h"
#include "troupe/actors/internal/stream_producer.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/send_result.h"

namespace troupe::stream {

// Of an actor that gets elements from another one.
struct StageOptions {
  // Elements on their way to it. At least 1; std::invalid_argument otherwise. More makes small elements
  // cheaper (4096: half of what they cost with the default); less saves memory where they are large,
  // and time where they come slowly, since up to half a window is made before any of it is sent.
  uint32_t window = 256;
  ActorOptions actor = {};  // but no capacity: the windows are the bound
};

// A running stream, by the actor at its end: to Watch, to Join, to Stop. What kNormal in its Down
// means the one who may stop it knows: all has been dealt with, or it was stopped.
class Flow : public AnyRef {
 public:
  Flow() = default;  // nobody
  void Stop() const { internal::StopActor(*this, StopWhen::kNow); }

  explicit Flow(const AnyRef& end) : AnyRef(end) {}  // for the framework
};

template <class T>
class Source;

}  // namespace troupe::stream

namespace troupe::internal {

struct StreamAccess;

template <class Where>
class StreamSpawnerIn final : public StreamSpawner {
 public:
  explicit StreamSpawnerIn(Where& where) : where_(where) {}
  ActorRef<StreamNode> Spawn(const ActorOptions& options, std::unique_ptr<StreamBody> body,
                             uint32_t outputs) override {
    const std::shared_ptr<StreamDoor> door = body->head().door();
    const auto node =
        where_.template Spawn<StreamNode>(ActorOptions(options), std::move(body), outputs);
    if (door != nullptr) door->Attach(node);
    return node;
  }

 private:
  Where& where_;
};

// The part of a stream before an actor's.
template <class T>
class StreamBefore final : public StreamOrigin {
 public:
  StreamBefore(StreamProducerPtr<T> producer, ActorOptions options)
      : producer_(std::move(producer)), options_(std::move(options)) {}

  Place Launch(StreamSpawner& spawner) override {
    producer_->head().Launch(spawner);
    return {spawner.Spawn(options_, std::make_unique<StreamSender<T>>(std::move(producer_)), 1)};
  }

 private:
  StreamProducerPtr<T> producer_;
  const ActorOptions options_;
};

template <class Actor, class Message>
constexpr void RefuseStep() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_STREAM_STEP);
}
template <class Message>
constexpr void RefuseToFork() {
  static_assert(kMessage<Message>, TROUPE_ERROR_STREAM_NOT_COPYABLE);
}
template <class Message>
constexpr void RefuseToAskWith() {
  static_assert(kMessage<Message>, TROUPE_ERROR_STREAM_NOT_ASKABLE);
}

template <class M>
concept AnswersVoid = requires { requires std::is_void_v<typename M::Reply>; };

// Runs a stream as its children, and answers with what they have come to.
template <class T, class R, class F>
class StreamFold {
 public:
  struct Begin {
    using Reply = R;
  };
  StreamFold(stream::Source<T> source, R value, F fold)
      : source_(std::move(source)),
        folded_(std::make_shared<Folded>(std::move(value), std::move(fold))) {}

  void On(Begin, Reply<R> reply, Context& self) {
    reply_ = std::move(reply);
    self.Watch(std::move(source_).ForEach(
        self, [folded = folded_](T element) { folded->fold(folded->value, std::move(element)); }));
  }
  void On(const Down& down, Context& self) {
    if (down.reason == ExitReason::kNormal) {
      reply_.Send(AskResult<R>(std::move(folded_->value)));
    } else if (!down.status.ok()) {
      reply_.Send(down.status);
    }
    self.Stop();
  }

 private:
  struct Folded {  // used by the end of the stream, and by this actor when that has ended
    Folded(R v, F f) : value(std::move(v)), fold(std::move(f)) {}
    R value;
    F fold;
  };
  stream::Source<T> source_;
  const std::shared_ptr<Folded> folded_;
  Reply<R> reply_;
};

}  // namespace troupe::internal

namespace troupe::stream {

// Every function below but the last two groups' uses the Source up; std::logic_error for one that was
// used up before.
template <class T>
class [[nodiscard]] Source {
 public:
  static_assert(std::same_as<T, std::decay_t<T>> && std::move_constructible<T>,
                "Troupe: a stream's elements are movable objects.");

  // ---- steps

  // A U for each T, from `U f(T)`.
  template <class F>
  auto Map(F f) && {
    if constexpr (std::invocable<F&, T>) {
      using U = std::decay_t<std::invoke_result_t<F&, T>>;
      return Then<U, internal::StreamMapped<T, U, F>>(std::move(f));
    } else {
      internal::RefuseStep<F, T>();
      return std::move(*this);
    }
  }
  // Those for which `bool keep(const T&)` is true.
  template <class F>
  Source Filter(F keep) && {
    if constexpr (std::predicate<F&, const T&>) {
      return Then<T, internal::StreamFiltered<T, F>>(std::move(keep));
    } else {
      internal::RefuseStep<F, T>();
      return std::move(*this);
    }
  }
  // `size` elements together, the last batch perhaps fewer; and what there is when the first of them
  // has waited for `within`, if somebody wants it then. std::invalid_argument for a size of 0 and a
  // time that is not positive.
  Source<std::vector<T>> Batch(size_t size, absl::Duration within = absl::InfiniteDuration()) && {
    if (size == 0 || within <= absl::ZeroDuration()) {
      throw std::invalid_argument("Troupe: a Batch has a size and a time that are positive");
    }
    return Then<std::vector<T>, internal::StreamBatched<T>>(size, within);
  }
  // From here on in another actor.
  Source Async(StageOptions options = {}) && {
    return Receive(Origins(std::move(*this)), std::move(options));
  }
  // From here on with the elements of `other` as well.
  Source Merge(Source other, StageOptions options = {}) && {
    return Receive(Origins(std::move(*this), std::move(other)), std::move(options));
  }
  // auto [left, right] = std::move(source).Broadcast<2>();
  //
  // Each branch is run by itself, where you like, and may have any steps and be merged again. Elements
  // flow when all have been run. A branch that is destroyed instead is left out; do either before the
  // System ends. The first to be run decides who owns the source.
  template <size_t kBranches>
  std::array<Source, kBranches> Broadcast(StageOptions options = {}) && {
    if constexpr (std::copy_constructible<T>) {
      return Fork(std::make_index_sequence<kBranches>(), options);
    } else {
      internal::RefuseToFork<T>();
      return internal::Anything();
    }
  }

  // ---- ends. `where` is a System, or a Context, whose actor then owns the stream.

  // Calls f(T) or f(T, Context&), in the stream's last actor.
  template <class Where, class F>
  Flow ForEach(Where& where, F f) && {
    if constexpr (std::invocable<F&, T> || std::invocable<F&, T, Context&>) {
      return Run(where, std::make_unique<internal::StreamCaller<T, F>>(Take(), std::move(f)));
    } else {
      internal::RefuseStep<F, T>();
      return {};
    }
  }
  // Asks `to` with each element, with at most `window` asks at once; so T needs `using Reply = void;`.
  // An answer that is an error, or that will not come, fails the stream.
  template <class Where>
  Flow To(Where& where, std::type_identity_t<Recipient<T>> to, uint32_t window = 16) && {
    if constexpr (internal::AnswersVoid<T>) {
      internal::ValidateStreamWindow(window);
      return Run(where, std::make_unique<internal::StreamAsker<T>>(Take(), to, window));
    } else {
      internal::RefuseToAskWith<T>();
      return {};
    }
  }
  // What `void f(R& value, T element)` makes of `init`; the stream's failure, if it fails. Runs when the
  // PendingAsk is waited for, continued or awaited, which you must do.
  template <class Where, class R, class F>
  PendingAsk<R> Fold(Where& where, R init, F f) && {
    using Folder = internal::StreamFold<T, R, F>;
    return where.template Spawn<Folder>(std::move(*this), std::move(init), std::move(f))
        .Ask(typename Folder::Begin(), absl::InfiniteDuration());
  }
  // All elements: for tests and for streams that are short.
  //
  //   absl::StatusOr<std::vector<int>> all = From(...).Map(...).Collect(system).Wait();
  template <class Where>
  PendingAsk<std::vector<T>> Collect(Where& where) && {
    return std::move(*this).Fold(where, std::vector<T>(), [](std::vector<T>& all, T element) {
      all.push_back(std::move(element));
    });
  }

 private:
  friend internal::StreamAccess;
  template <class U>
  friend class Source;
  using OriginList = std::vector<std::unique_ptr<internal::StreamOrigin>>;

  Source(internal::StreamProducerPtr<T> producer, ActorOptions actor)
      : producer_(std::move(producer)), actor_(std::move(actor)) {
    internal::ValidateStreamActor(actor_);
  }

  internal::StreamProducerPtr<T> Take() {
    if (producer_ == nullptr) {
      throw std::logic_error("Troupe: this stream's Source has been used before");
    }
    return std::move(producer_);
  }
  template <class U, class Step, class... Args>
  Source<U> Then(Args&&... args) {
    return Source<U>(std::make_unique<Step>(Take(), std::forward<Args>(args)...),
                     std::move(actor_));
  }
  static void AddOrigin(OriginList& origins, Source source) {
    auto producer = source.Take();
    origins.push_back(
        std::make_unique<internal::StreamBefore<T>>(std::move(producer), std::move(source.actor_)));
  }
  template <class... Sources>
  static OriginList Origins(Sources... sources) {
    OriginList origins;
    (AddOrigin(origins, std::move(sources)), ...);
    return origins;
  }
  static Source Receive(OriginList origins, StageOptions options) {
    internal::ValidateStreamWindow(options.window);
    return Source(std::make_unique<internal::StreamReceived<T>>(std::move(origins), options.window),
                  std::move(options.actor));
  }
  template <size_t... kIs>
  auto Fork(std::index_sequence<kIs...>, const StageOptions& options) {
    auto hub = std::make_shared<internal::StreamHub>(
        std::make_unique<internal::StreamBroadcaster<T>>(Take()), std::move(actor_),
        uint32_t{sizeof...(kIs)});
    const auto branch = [&](uint32_t i) {
      OriginList origins;
      origins.push_back(std::make_unique<internal::StreamBranch>(hub, i));
      return Receive(std::move(origins), options);
    };
    return std::array<Source, sizeof...(kIs)>{branch(kIs)...};
  }
  template <class Where>
  Flow Run(Where& where, std::unique_ptr<internal::StreamBody> body) {
    internal::StreamSpawnerIn<Where> spawner(where);
    body->head().Launch(spawner);
    return Flow(spawner.Spawn(actor_, std::move(body), 0));
  }

  internal::StreamProducerPtr<T> producer_;  // nullptr: used up
  ActorOptions actor_;                       // of the actor that it will run in
};

}  // namespace troupe::stream

namespace troupe::internal {

struct StreamAccess {
  template <class T, class Producer>
  static stream::Source<T> SourceFrom(std::unique_ptr<Producer> producer, ActorOptions options) {
    return stream::Source<T>(std::move(producer), std::move(options));
  }
  template <class T>
  static stream::Source<T> Merge(std::vector<stream::Source<T>> sources,
                                 stream::StageOptions options) {
    typename stream::Source<T>::OriginList origins;
    for (auto& source : sources) stream::Source<T>::AddOrigin(origins, std::move(source));
    return stream::Source<T>::Receive(std::move(origins), std::move(options));
  }
};

}  // namespace troupe::internal

namespace troupe::stream {

// ---- sources. `actor`: of the actor that they run in.

// What `std::optional<T> next()` returns, until it returns none. A function that waits, for a file
// say, holds up the thread that runs it: see ActorOptions for where that may be.
template <class F>
auto Generate(F next, ActorOptions actor = {}) {
  using T = typename std::invoke_result_t<F&>::value_type;
  return internal::StreamAccess::SourceFrom<T>(
      std::make_unique<internal::StreamGenerator<T, F>>(std::move(next)), std::move(actor));
}

// The elements of a range, moved out of it; of a view, copied.
template <std::ranges::input_range R>
auto From(R range, ActorOptions actor = {}) {
  return Generate(internal::StreamOfRange<R>(std::move(range)), std::move(actor));
}

// All of them at once. None make an empty stream.
template <class T>
Source<T> Merge(std::vector<Source<T>> sources, StageOptions options = {}) {
  return internal::StreamAccess::Merge(std::move(sources), std::move(options));
}

// The pushing end of a stream: for an actor, or a thread, that has elements when it has them.
//
//   auto [inlet, source] = OpenInlet<int>({.window = 64});
//   ...
//   while (inlet.TryPush(std::move(x)) == SendResult::kFull) {      // x has stayed where it is
//     if (!(co_await inlet.Room()).ok()) co_return;                 // or .Then, or .Wait()
//   }
//
// A coroutine that does so, in a handler or a process, is a source.
//
// Copies share the window. When the last copy goes without Close the stream fails with kAborted: so
// it does not wait for an actor that has failed.
template <class T>
class Inlet {
 public:
  Inlet() = default;  // closed

  // kQueued: it is in the stream. kFull: `window` elements are, and `element` is as it was. kClosed:
  // after Close, and when the stream has ended.
  [[nodiscard]] SendResult TryPush(T&& element) const {
    return handle_ == nullptr ? SendResult::kClosed : handle_->inlet->TryPush(std::move(element));
  }
  // Asks for a moment when there is room. Others who push may take it first, so try again. Also OK
  // when the inlet has been closed; an error when the stream has ended, or has not been run.
  PendingAsk<void> Room() const {
    const auto node =
        handle_ == nullptr ? ActorRef<internal::StreamNode>() : handle_->inlet->node();
    return node.Ask(internal::StreamAwaitRoom{}, absl::InfiniteDuration());
  }
  // Completes the stream, or fails it, behind what was pushed. The first Close counts.
  void Close(absl::Status status = absl::OkStatus()) const {
    if (handle_ != nullptr) handle_->inlet->Close(std::move(status));
  }

  // For the framework.
  explicit Inlet(std::shared_ptr<internal::StreamInlet<T>> inlet)
      : handle_(std::make_shared<Handle>(std::move(inlet))) {}

 private:
  struct Handle {
    explicit Handle(std::shared_ptr<internal::StreamInlet<T>> i) : inlet(std::move(i)) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { inlet->Close(absl::AbortedError("every Inlet was dropped before Close")); }
    const std::shared_ptr<internal::StreamInlet<T>> inlet;
  };
  std::shared_ptr<const Handle> handle_;
};

// What is pushed before the stream runs waits for it, up to the window.
template <class T>
std::pair<Inlet<T>, Source<T>> OpenInlet(StageOptions options = {}) {
  internal::ValidateStreamWindow(options.window);
  auto inlet = std::make_shared<internal::StreamInlet<T>>(options.window);
  return {Inlet<T>(inlet),
          internal::StreamAccess::SourceFrom<T>(
              std::make_unique<internal::StreamInletReader<T>>(inlet), std::move(options.actor))};
}

}  // namespace troupe::stream

#endif  // TROUPE_ACTORS_STREAM_H_
