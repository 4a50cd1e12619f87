// Coroutine handlers: a handler that waits without holding its thread.
//
//   class Auditor {
//    public:
//     troupe::Task<absl::StatusOr<int64_t>> On(Total) {
//       int64_t sum = 0;
//       for (auto account : accounts_) {
//         absl::StatusOr<int64_t> cents = co_await account.Ask(Balance{});
//         if (!cents.ok()) co_return cents.status();
//         sum += *cents;
//       }
//       co_return sum;
//     }
//
// A handler, OnStart, or On(Down) may return Task<T> wherever it may return T, and then co_await:
//
//   co_await ref.Ask(M{...}, timeout)   the AskResult<R>; errors as PendingAsk (ask.h) tells them
//   co_await router.AskFirst(M{...})    likewise (router.h)
//   co_await AllOf(asks...)             a tuple of their results, once all are there
//   co_await AllOf(vector of asks)      a vector of them, in the order of the asks
//   co_await FirstOf(asks...)           the first answer that is not an error, of these or of a vector of
//                                       asks; not of mailboxes (ask_first.h)
//   co_await Sleep(duration)            nothing, later
//   co_await Offload(function, where)   what the function returns, run where it may block or compute
//   co_await Cancellable(wait, token)   any of these but tasks, or kCancelled: cancellable.h
//   co_await task                       what another Task yields, or throws
//   co_await ref.Enqueue(M{...})        room for it in the mailbox of an actor (enqueue.h)
//   co_await inbox.Receive()            the next message of a mailbox; Select(a, b...) of several
//   co_await jobs.Enqueue(M{...})       room for it in a mailbox. Deliver: somebody who takes it
//   co_await jobs.Closed()              the end of a mailbox (mailbox.h, select.h)
//   co_await self.Receive<M>()          the next message of a process (process.h)
//
// Where       It resumes on its own actor: never beside another handler of the same actor, on
//             whatever thread.
// Meanwhile   While a handler is suspended its actor handles no other message. They wait in order,
//             and a bounded mailbox fills up. What goes on are answers: continuations of Then and
//             handlers that were suspended before. So a handler finds what it left, but for what
//             those have done. A handler that returns ReentrantTask<T> lets messages pass: between
//             two lines with a co_await in them anything may have changed.
// Full        A Send to an actor whose full mailbox says kBlock lends the worker's place to another thread,
//             as in any handler; co_await Enqueue waits for the room without one.
// Cycles      Actors whose handlers await each other in a circle would wait until a deadline ends
//             it. The ask that closes the circle fails at once with kFailedPrecondition: "ask cycle:
//             Teller -> Bank "main" -> Teller". (Two that close it at the same time may both fail.)
//             There is no false alarm: all of them were waiting, and only a deadline or an end would
//             have helped. Found are circles of up to 64 actors of one system, each of which awaits
//             one ask in a handler that is not reentrant, or in the body of a process, and whose
//             request is not in the hands of a handler that takes the Reply. Otherwise (AllOf,
//             FirstOf, AskFirst, other systems, a RevocableRecipient in between) the deadline ends it.
//             Options::find_ask_cycles switches it off.
// Parameters  Take messages by value, not by reference; see task.h. Context& may be taken and kept:
//             it is this handler's own as long as the handler runs.
// Deadlines   A handler that answers an ask has that ask's deadline, Context::deadline(): none of
//             its own asks takes longer, and no wait at a mailbox (mailbox.h). It is not interrupted
//             itself.
// Giving up   An ask is given up by its deadline, by the end of the actor that asks, by FirstOf and
//             AskFirst once another has answered, and by a std::stop_token (Cancellable, cancellable.h);
//             whoever keeps the Reply sees that nobody waits.
// Exceptions  One that leaves the coroutine ends the actor, as from any handler.
// The end     An actor that ends cancels its suspended handlers: their local variables are
//             destroyed, innermost first, as if an exception had passed that nobody can catch.
//             Whoever asked is told kUnavailable (or kAborted, if the handler had taken the Reply).
//             OnStop cannot be a coroutine, nor a continuation given to Then.
// Cost        A block for the handler, one for each frame, and for each ask what Then costs; the
//             numbers are in runtime/notes/0012-coroutine-handlers.md.
#ifndef TROUPE_ACTORS_COROUTINE_H_
#define TROUPE_ACTORS_COROUTINE_H_

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/ask_first.h"
#include "troupe/actors/cancellable.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/coroutine_handler.h"
#include "troupe/actors/internal/mailbox_awaiter.h"  // co_await of Enqueue
#include "troupe/actors/reply.h"
#include "troupe/core/task.h"

namespace troupe {

template <>
inline constexpr bool kOutlivesTask<Context&> = true;  // the handler's own

// As a handler's return type: while it is suspended its actor goes on handling messages.
template <class T = void>
class [[nodiscard]] ReentrantTask : public Task<T> {
 public:
  static constexpr bool kReentrant = true;
  explicit ReentrantTask(Task<T> task) noexcept : Task<T>(std::move(task)) {}
};

namespace internal {

template <class T>
struct CoroutineHandler<ReentrantTask<T>> : TaskHandler<ReentrantTask<T>> {};

// One ask, or something else that has a Result and a Then.
template <class Ask>
class AskAwaiter : public TaskAwaitable {
 public:
  using Result = typename Ask::Result;

  explicit AskAwaiter(Ask&& ask) : ask_(ask) {}

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) {
    HandlerRun& run = HandlerRun::SuspendAt(by.promise());
    auto resume = [this, &run](Result&& result) {
      result_.emplace(std::move(result));
      run.Continue();
    };
    if constexpr (requires { std::move(ask_).ThenAlone(run.context(), resume); }) {
      if (run.waits_alone()) return std::move(ask_).ThenAlone(run.context(), resume);
    }
    std::move(ask_).Then(run.context(), resume);
  }
  Result await_resume() { return *std::move(result_); }

 private:
  Ask& ask_;  // lives in the coroutine's frame, as this does
  std::optional<Result> result_;
};

// The awaiters of several asks are noexcept, as RegisterAwaited is: were some of them sent and an
// exception left the coroutine, their answers would find nobody. Out of memory ends the process.
template <class... Asks>
class AllOfAwaiter : public TaskAwaitable {
 public:
  explicit AllOfAwaiter(Asks&&... asks) : asks_(std::move(asks)...) {}

  // For the framework: of asks that `change` makes of these.
  template <class Change>
  auto Changed(Change change) && {
    return std::apply(
        [&](Asks&... asks) {
          return AllOfAwaiter<std::invoke_result_t<Change&, Asks>...>(change(std::move(asks))...);
        },
        asks_);
  }

  bool await_ready() const noexcept { return sizeof...(Asks) == 0; }
  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) {
    BeginAll(HandlerRun::SuspendAt(by.promise()), std::index_sequence_for<Asks...>());
  }
  std::tuple<typename Asks::Result...> await_resume() {
    return std::apply([](auto&... results) { return std::tuple(*std::move(results)...); },
                      results_);
  }

 private:
  template <size_t... kIs>
  void BeginAll(HandlerRun& run, std::index_sequence<kIs...>) noexcept {
    (std::move(std::get<kIs>(asks_))
         .Then(run.context(),
               [this, &run](typename Asks::Result&& result) {
                 std::get<kIs>(results_).emplace(std::move(result));
                 if (--open_ == 0) run.Continue();
               }),
     ...);
  }

  std::tuple<Asks...> asks_;
  std::tuple<std::optional<typename Asks::Result>...> results_;
  size_t open_ = sizeof...(Asks);
};

template <class Ask>
class AllOfVectorAwaiter : public TaskAwaitable {
 public:
  using Result = typename Ask::Result;

  explicit AllOfVectorAwaiter(std::vector<Ask> asks)
      : asks_(std::move(asks)), results_(asks_.size()), open_(asks_.size()) {}

  // For the framework: as AllOfAwaiter's.
  template <class Change>
  auto Changed(Change change) && {
    std::vector<std::invoke_result_t<Change&, Ask>> asks;
    asks.reserve(asks_.size());
    for (Ask& ask : asks_) asks.push_back(change(std::move(ask)));
    return AllOfVectorAwaiter<std::invoke_result_t<Change&, Ask>>(std::move(asks));
  }

  bool await_ready() const noexcept { return asks_.empty(); }
  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) noexcept {
    HandlerRun& run = HandlerRun::SuspendAt(by.promise());
    for (size_t i = 0; i < asks_.size(); ++i) {
      std::move(asks_[i]).Then(run.context(), [this, &run, i](Result&& result) {
        results_[i].emplace(std::move(result));
        if (--open_ == 0) run.Continue();
      });
    }
  }
  std::vector<Result> await_resume() {
    std::vector<Result> results;
    results.reserve(results_.size());
    for (std::optional<Result>& result : results_) results.push_back(*std::move(result));
    return results;
  }

 private:
  std::vector<Ask> asks_;
  std::vector<std::optional<Result>> results_;
  size_t open_;
};

class SleepAwaiter : public TaskAwaitable {
 public:
  using Result = absl::Status;  // of Then: OK, unless it is given up

  explicit SleepAwaiter(absl::Duration duration) : duration_(duration) {}

  bool await_ready() const noexcept { return duration_ <= absl::ZeroDuration(); }
  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) const {
    HandlerRun& run = HandlerRun::SuspendAt(by.promise());
    Begin(run.context(), [&run](absl::Status) { run.Continue(); });
  }
  void await_resume() const noexcept {}

  template <class F>
  void Then(Context& self, F then) && {
    const auto slept = [](absl::Status how) {
      return absl::IsDeadlineExceeded(how) ? absl::OkStatus() : how;
    };
    Begin(self, AfterFirst(slept, std::move(then)));
  }

 private:
  // An ask that nobody is asked, so that its deadline is all that can come of it.
  template <class F>
  void Begin(const Context& self, F then) const {
    auto& awaited = Continuation<void, F>::Make(self.self(), std::move(then));
    RegisterSleep(awaited, duration_);
    awaited.Release();  // the reference that a request would have
  }

  absl::Duration duration_;
};

template <class Result>
struct Offered : std::type_identity<Result> {};  // as a reply type
template <class T>
struct Offered<absl::StatusOr<T>> : std::type_identity<T> {};
template <>
struct Offered<absl::Status> : std::type_identity<void> {};

// The child that runs an offloaded function.
template <class F>
class Offloaded {
 public:
  using Result = std::invoke_result_t<F&>;
  struct Run {
    using Reply = typename Offered<Result>::type;
  };
  Offloaded(F function, bool here) : function_(std::move(function)), here_(here) {}
  Result On(Run, Context& self) {
    return here_ ? function_() : self.Blocking(std::move(function_));
  }

 private:
  F function_;
  const bool here_;  // on threads that were chosen for it
};

template <class F>
class OffloadAwaiter : public TaskAwaitable {
 public:
  using Child = Offloaded<F>;
  using Result = AskResult<typename Child::Run::Reply>;

  OffloadAwaiter(F function, ActorOptions where)
      : function_(std::move(function)), where_(std::move(where)) {}

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<TaskFrame> Promise>
  void await_suspend(std::coroutine_handle<Promise> by) {
    HandlerRun& run = HandlerRun::SuspendAt(by.promise());
    std::move(*this).Then(run.context(), [this, &run](Result&& result) {
      result_.emplace(std::move(result));
      run.Continue();
    });
  }
  Result await_resume() { return *std::move(result_); }

  template <class Resume>
  void Then(Context& self, Resume resume) && {
    const bool here = !where_.dispatcher.empty() || where_.placement != Placement::kPool;
    const ActorRef<Child> child = self.template Spawn<Child>(where_, std::move(function_), here);
    // Stopped from here, since a request that has expired never gets to it.
    const auto stop = [child](Result&& result) {
      child.Stop();
      return std::move(result);
    };
    [&]() noexcept {  // as RegisterAwaited is: a child that nobody asks would never end
      child.Ask(typename Child::Run(), absl::InfiniteDuration())
          .Then(self, AfterFirst(stop, std::move(resume)));
    }();
  }

 private:
  F function_;
  ActorOptions where_;
  std::optional<Result> result_;
};

}  // namespace internal

template <class R>
internal::AskAwaiter<PendingAsk<R>> operator co_await(PendingAsk<R>&& ask) {
  return internal::AskAwaiter<PendingAsk<R>>(std::move(ask));
}
template <class R>
internal::AskAwaiter<PendingAskFirst<R>> operator co_await(PendingAskFirst<R>&& ask) {
  return internal::AskAwaiter<PendingAskFirst<R>>(std::move(ask));
}
template <class Wait>
internal::AskAwaiter<PendingCancellable<Wait>> operator co_await(PendingCancellable<Wait>&& wait) {
  return internal::AskAwaiter<PendingCancellable<Wait>>(std::move(wait));
}
// One that is kept in a variable.
template <class R>
internal::AskAwaiter<PendingAsk<R>> operator co_await(PendingAsk<R>& ask) {
  static_assert(sizeof(R*) == 0,
                "Troupe: an ask is awaited once, and given up by that: co_await std::move(ask).");
  return internal::AskAwaiter<PendingAsk<R>>(std::move(ask));
}
// Behind the sentence that refused the ask.
internal::AskAwaiter<internal::RefusedAsk> operator co_await(internal::RefusedAsk&&);

// All asks are sent at once, of actors and of mailboxes alike; and so begins whatever else may be
// Cancellable, a receive with an ask.
template <internal::CancellableWait... Asks>
auto AllOf(Asks... asks) {
  return internal::AllOfAwaiter<Asks...>(std::move(asks)...);
}
template <internal::CancellableWait Ask>
auto AllOf(std::vector<Ask> asks) {
  return internal::AllOfVectorAwaiter<Ask>(std::move(asks));
}
// Each of them is, and the others' answers count.
template <class... Asks>
auto Cancellable(internal::AllOfAwaiter<Asks...> all, const std::stop_token& token) {
  return std::move(all).Changed(
      [&token](auto&& ask) { return Cancellable(std::forward<decltype(ask)>(ask), token); });
}
template <class Ask>
auto Cancellable(internal::AllOfVectorAwaiter<Ask> all, const std::stop_token& token) {
  return std::move(all).Changed(
      [&token](auto&& ask) { return Cancellable(std::forward<decltype(ask)>(ask), token); });
}
// By the clock of the actor's system. Not cut short by the deadline of the ask being answered.
inline auto Sleep(absl::Duration duration) { return internal::SleepAwaiter(duration); }

// Runs `function` as Context::Blocking does, beside this actor, which is suspended meanwhile. Yields
// an AskResult of what it returns, kInternal if it throws; kDeadlineExceeded once the deadline of the
// ask being answered has passed, and then it may not have run at all. `function` must own what it
// uses: an actor that ends does not interrupt it, but ends only after it.
//
// A dispatcher of its own (Options::dispatchers), or Placement::kDedicatedThread, runs it on those
// threads instead: one of the kind kBlocking bounds how many wait at a time, one of the kind kPool how
// many compute. Throws what Spawn throws if there is no such place.
//
//   auto page = co_await Offload([fd] { return ReadPage(fd); }, {.dispatcher = "disk"});
//
// A parallel algorithm has threads of its own, and `function` waits for them: with oneTBB,
// Offload([&arena, job] { return arena.execute([&] { return parallel_reduce(...); }); }).
template <class F>
auto Offload(F function, ActorOptions where = {}) {
  return internal::OffloadAwaiter<F>(std::move(function), std::move(where));
}

}  // namespace troupe

template <class T, class... Parameters>
struct std::coroutine_traits<troupe::ReentrantTask<T>, Parameters...> {
  using promise_type = troupe::task_internal::PromiseFor<troupe::ReentrantTask<T>, Parameters...>;
};

#endif  // TROUPE_ACTORS_COROUTINE_H_
