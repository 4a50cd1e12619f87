// Task<T>: a coroutine that yields a T later. Knows no actor: whoever runs the outermost task is its
// TaskOwner, and what a task can wait for is the business of the layers above.
//
//   Task<int> Sum(Recipient<Get> a, Recipient<Get> b) {
//     absl::StatusOr<int> x = co_await a.Ask(Get{});     // suspends this coroutine, not the thread
//     absl::StatusOr<int> y = co_await b.Ask(Get{});
//     co_return x.value_or(0) + y.value_or(0);
//   }
//   ... int sum = co_await Sum(a, b);                    // what it threw comes out here
//
// A task begins when it is awaited, at most once, and runs on its owner's thread of the moment. One
// that is never awaited does nothing, and the compiler warns.
//
// Parameters   The coroutine's frame keeps its parameters, but not what a reference among them
//              refers to, nor a lambda's captures; both are usually gone when it resumes. So
//              reference parameters and lambdas with captures are refused at compile time. What the
//              compiler cannot tell from the object of a member function is let through: a reference
//              as the first parameter of a free function, and the captures of a generic lambda. See
//              to it that they outlive the task.
// Depth        A task that awaits another hands over to it without growing the stack (symmetric
//              transfer), and so it returns and so it is cancelled: a chain may be a million deep.
// Cost         One block from the node pool (node_pool.h) for the frame.
// Threads      One at a time; the owner sees to it.
//
// T1  The frames of one chain have one owner and are linked from the innermost outwards.
// T2  While the owner waits, the innermost frame is suspended at an awaiter which has told the owner
//     so (TaskOwner::suspended), and all others at the co_await of the next.
//
// The shape is Lewis Baker's (cppcoro; "Understanding symmetric transfer", 2020).
#ifndef TROUPE_CORE_TASK_H_
#define TROUPE_CORE_TASK_H_

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#error "Troupe: coroutines need clang 14 or GCC 13; GCC 12 has a bug in co_await (ARCHITECTURE.md)."
#else

#include <concepts>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <type_traits>
#include <utility>
#include <variant>

#include "troupe/core/node_pool.h"

namespace troupe {

struct TaskFrame;

// Whoever runs a task to its end. The awaiter at which a chain suspends notes the innermost frame
// here, and arranges for a later call of Resume.
class TaskOwner {
 public:
  TaskOwner() = default;
  TaskOwner(const TaskOwner&) = delete;
  TaskOwner& operator=(const TaskOwner&) = delete;

  void SuspendedAt(TaskFrame& innermost) { suspended_ = &innermost; }
  void Resume();

  // Destroys a suspended chain, innermost frame first: as if its stack were unwound.
  void DestroySuspended();

 private:
  TaskFrame* suspended_ = nullptr;
};

// What all tasks' frames have in common.
struct TaskFrame {
  TaskOwner* owner = nullptr;
  TaskFrame* awaiter = nullptr;  // the frame that awaits this one; nullptr: the outermost
  std::coroutine_handle<> self;
  TaskFrame** held_by = nullptr;  // whoever destroys this frame; told if somebody else does

  static void* operator new(size_t bytes) { return AllocateNode(bytes); }
  static void operator delete(void* frame, size_t bytes) { FreeNode(frame, bytes); }

  struct HandOver {
    bool await_ready() const noexcept { return false; }
    template <std::derived_from<TaskFrame> Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) const noexcept {
      TaskFrame* const next = done.promise().awaiter;
      return next != nullptr ? next->self : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  HandOver final_suspend() const noexcept { return {}; }

  void DestroyWhole() {
    if (held_by != nullptr) *held_by = nullptr;
    self.destroy();
  }
};

inline void TaskOwner::Resume() { suspended_->self.resume(); }

inline void TaskOwner::DestroySuspended() {
  TaskFrame* frame = std::exchange(suspended_, nullptr);
  while (frame != nullptr) std::exchange(frame, frame->awaiter)->DestroyWhole();
}

// An awaiter derives from this to be awaitable in a Task: it suspends by telling the owner.
struct TaskAwaitable {};

// Whether a parameter of type P may be used after a suspension. A layer above says so of types whose
// objects outlive the task.
template <class P>
inline constexpr bool kOutlivesTask = !std::is_reference_v<P>;
// The same of a parameter of a member function of `Object`, a reference type.
template <class Object, class P>
inline constexpr bool kOutlivesTaskOf = kOutlivesTask<P>;

template <class T>
class TaskPromise;

template <class T = void>
class [[nodiscard]] Task {
 public:
  using Value = T;
  static constexpr bool kReentrant = false;  // what that means is for the layer above

  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (frame_ != nullptr) frame_->self.destroy();
  }

  class Awaiter;
  Awaiter operator co_await() && noexcept { return Awaiter(std::exchange(frame_, nullptr)); }

  // ---- for the owner, instead of co_await

  // Runs it up to its first suspension. From here on the task must not move.
  void Start(TaskOwner& owner) {
    frame_->owner = &owner;
    frame_->held_by = &frame_;
    frame_->self.resume();
  }
  bool done() const { return frame_ == nullptr || frame_->self.done(); }
  T TakeResult();  // once done; throws what the coroutine threw

 private:
  friend class TaskPromise<T>;  // makes it
  explicit Task(TaskFrame* frame) noexcept : frame_(frame) {}

  TaskFrame* frame_;  // nullptr: moved from, or destroyed by its owner
};

namespace task_internal {

template <class Awaited>
concept IsAwaitable = std::derived_from<Awaited, TaskAwaitable> || requires(Awaited&& awaited) {
  { std::forward<Awaited>(awaited).operator co_await() } -> std::derived_from<TaskAwaitable>;
} || requires(Awaited&& awaited) {
  { operator co_await(std::forward<Awaited>(awaited)) } -> std::derived_from<TaskAwaitable>;
};

// The result of a coroutine, or what it threw.
template <class T>
class Outcome {
 public:
  void SetException() noexcept { value_.template emplace<2>(std::current_exception()); }
  T Take() {
    if (value_.index() == 2) std::rethrow_exception(std::move(std::get<2>(value_)));
    return std::move(std::get<1>(value_));
  }

 protected:
  std::variant<std::monostate, T, std::exception_ptr> value_;
};

template <>
class Outcome<void> {
 public:
  void SetException() noexcept { thrown_ = std::current_exception(); }
  void Take() {
    if (thrown_ != nullptr) std::rethrow_exception(std::move(thrown_));
  }

 private:
  std::exception_ptr thrown_;
};

template <class T>
class Returning : public Outcome<T> {
 public:
  template <class U = T>
    requires std::constructible_from<T, U>
  void return_value(U&& value) {
    this->value_.template emplace<1>(std::forward<U>(value));
  }
};
template <>
class Returning<void> : public Outcome<void> {
 public:
  void return_void() const noexcept {}
};

}  // namespace task_internal

template <class T>
class TaskPromise : public TaskFrame, public task_internal::Returning<T> {
 public:
  void unhandled_exception() noexcept { this->SetException(); }

  template <class Awaited>
  decltype(auto) await_transform(Awaited&& awaited) const noexcept {
    static_assert(task_internal::IsAwaitable<std::remove_reference_t<Awaited>>,
                  "Troupe: a Task awaits asks, tasks, and what troupe/actors/coroutine.h offers; "
                  "anything else would have nobody to resume it.");
    return std::forward<Awaited>(awaited);
  }

 protected:
  static Task<T> TaskOf(TaskFrame& frame) noexcept { return Task<T>(&frame); }
};

template <class T>
T Task<T>::TakeResult() {
  return static_cast<TaskPromise<T>*>(frame_)->Take();
}

template <class T>
class [[nodiscard]] Task<T>::Awaiter : public TaskAwaitable {
 public:
  explicit Awaiter(TaskFrame* task) noexcept : task_(task) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  ~Awaiter() {
    if (task_ != nullptr) task_->self.destroy();
  }

  bool await_ready() const noexcept { return false; }
  template <std::derived_from<TaskFrame> Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> by) noexcept {
    task_->awaiter = &by.promise();
    task_->owner = by.promise().owner;
    task_->held_by = &task_;
    return task_->self;
  }
  T await_resume() { return static_cast<TaskPromise<T>*>(task_)->Take(); }

 private:
  TaskFrame* task_;
};

namespace task_internal {

// The call operator of a lambda, which the compiler passes to coroutine_traits as its object.
template <class Object>
concept HasCallOperator = requires { &std::remove_cvref_t<Object>::operator(); };

template <class... Parameters>
inline constexpr bool kAllOutliveTask = true;
template <class First, class... Rest>
inline constexpr bool kAllOutliveTask<First, Rest...> =
    (std::is_lvalue_reference_v<First> || kOutlivesTask<First>) &&
    (kOutlivesTaskOf<First, Rest> && ...);

template <class... Parameters>
inline constexpr bool kCaptures = false;
template <class First, class... Rest>
inline constexpr bool kCaptures<First, Rest...> =
    HasCallOperator<First> && std::is_reference_v<First> &&
    !std::is_empty_v<std::remove_cvref_t<First>>;

// The promise of a coroutine that returns `Returned`, a Task or a class derived from one; the first
// of its parameters is the object, if it has one.
template <class Returned, class... Parameters>
struct PromiseFor : TaskPromise<typename Returned::Value> {
  Returned get_return_object() noexcept {
    // Here, because a lambda's type is complete only behind its body, and so that nothing but this
    // is wrong with the function.
    static_assert(
        kAllOutliveTask<Parameters...>,
        "Troupe: a coroutine takes its parameters by value: what a reference refers to may "
        "be gone when it resumes. (troupe::Context& is fine.)");
    static_assert(!kCaptures<Parameters...>,
                  "Troupe: a lambda with captures cannot be a coroutine: they may be gone when it "
                  "resumes. Write a class with a member function, or pass them as parameters.");
    this->self = std::coroutine_handle<PromiseFor>::from_promise(*this);
    return Returned(this->TaskOf(*this));
  }
};

}  // namespace task_internal
}  // namespace troupe

template <class T, class... Parameters>
struct std::coroutine_traits<troupe::Task<T>, Parameters...> {
  using promise_type = troupe::task_internal::PromiseFor<troupe::Task<T>, Parameters...>;
};

#endif  // GCC 12
#endif  // TROUPE_CORE_TASK_H_
