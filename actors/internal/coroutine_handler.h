// HandlerRun: a handler that is a coroutine, from its call to its end.
#ifndef TROUPE_ACTORS_INTERNAL_COROUTINE_HANDLER_H_
#define TROUPE_ACTORS_INTERNAL_COROUTINE_HANDLER_H_

#include <cstdint>
#include <memory>
#include <utility>

#include "troupe/actors/context.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/suspended_handler.h"
#include "troupe/actors/reply.h"
#include "troupe/core/task.h"

namespace troupe::internal {

// The owner of the handler's task. An awaiter at the bottom of a task suspends with SuspendAt and
// later calls Continue on the actor: as a rule in the continuation of an ask.
class HandlerRun : public SuspendedHandler, public TaskOwner {
 public:
  // The run that `innermost` belongs to, which from now on is suspended there.
  static HandlerRun& SuspendAt(TaskFrame& innermost) {
    HandlerRun& run = Of(innermost);
    run.SuspendedAt(innermost);
    return run;
  }
  static HandlerRun& Of(TaskFrame& innermost) { return static_cast<HandlerRun&>(*innermost.owner); }

  // Whether it may do without being suspended where it need not wait: only so often, since the turn
  // of its actor does not end meanwhile.
  bool MayGoOn() { return ++gone_on_ % kMostInARow != 0; }

  // Resumes the coroutine. If that brings it to its end, answers, and destroys this. Throws what the
  // coroutine did not catch.
  void Continue() {
    Resume();
    LeaveIfDone();
  }

 protected:
  using SuspendedHandler::SuspendedHandler;

  void LeaveIfDone() {
    if (!done()) {
      if (!entered()) Enter();
      return;
    }
    const std::unique_ptr<HandlerRun> ended(this);
    if (entered()) Leave();
    Finish();
  }

  virtual bool done() const = 0;
  virtual void Finish() = 0;  // once done

 private:
  static constexpr uint32_t kMostInARow = 128;

  uint32_t gone_on_ = 0;
};

// `Returned` is what the handler returns, a Task or a class derived from one.
template <class Returned>
class TaskRun : public HandlerRun {
 public:
  // Until it suspends, or to its end, and then `begun` is gone. Of the final class: most handlers
  // end here, and so need no virtual call.
  template <class Run>
  static void Begin(Run* begun) {
    begun->task_.Start(*begun);
    if (!begun->task_.done()) return begun->Enter();
    const std::unique_ptr<Run> ended(begun);
    begun->Finish();
  }

 protected:
  template <class Call>
  TaskRun(const Context& self, Call& call, bool waits_alone = !Returned::kReentrant)
      : HandlerRun(self, Returned::kReentrant, waits_alone), task_(call(context())) {}

  bool done() const override { return task_.done(); }
  void Unwind() override { DestroySuspended(); }

  Returned task_;
};

// Nobody waits for an answer, or the handler has taken the Reply.
template <class Returned>
class TellingRun final : public TaskRun<Returned> {
 public:
  template <class Call>
  TellingRun(const Context& self, Call call) : TaskRun<Returned>(self, call) {}

 private:
  friend TaskRun<Returned>;
  void Finish() override { (void)this->task_.TakeResult(); }
};

template <class Returned, class M>
class AnsweringRun final : public TaskRun<Returned> {
 public:
  using ReplyToAsk = Reply<typename M::Reply>;

  // Takes over `reply` if it does not throw.
  template <class Call>
  AnsweringRun(const Context& self, ReplyToAsk& reply, Call call)
      : TaskRun<Returned>(self, call), reply_(std::move(reply)) {}

 private:
  friend TaskRun<Returned>;
  void Finish() override {
    Answer<M>(reply_, [this]() -> decltype(auto) { return this->task_.TakeResult(); });
  }
  void Unwind() override {
    TaskRun<Returned>::Unwind();
    reply_.Abandon(Lost::kReceiverGone);
  }

  ReplyToAsk reply_;
};

// What handler.h asks of a type that a coroutine returns. `call` takes the Context that the handler
// is to have.
template <class Returned>
struct TaskHandler {
  static constexpr bool kIs = true;
  using Value = typename Returned::Value;

  template <class Call>
  static void Run(const Context& self, Call call) {
    TaskRun<Returned>::Begin(new TellingRun<Returned>(self, call));
  }
  template <class M, class Call>
  static void RunAnswering(const Context& self, Reply<typename M::Reply> reply, Call call) {
    if constexpr (Returned::kReentrant) reply.TakeOut();
    TaskRun<Returned>::Begin(
        TellIfThrows(reply, [&] { return new AnsweringRun<Returned, M>(self, reply, call); }));
  }
};

template <class T>
struct CoroutineHandler<Task<T>> : TaskHandler<Task<T>> {};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_COROUTINE_HANDLER_H_
