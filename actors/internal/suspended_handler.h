// SuspendedHandler: a handler that has returned without having come to its end, a coroutine's. What
// the actor needs to know of it; coroutine_handler.h has the rest.
//
// Touched by its actor's running thread alone, but for the destructor of the actor space.
// H1  It is in its actor's list (ActorAnnex::suspended) from its first suspension until it has come to its
//     end or is cancelled.
// H2  While one that is not reentrant is in the list, the actor defers messages. So there is at most
//     one such: another would have to be begun by a message. Answers do not wait: the handler itself
//     waits for one, and continuations and reentrant handlers may run meanwhile.
// H3  An actor that ends cancels all of them (E2), and then its asks: so what their destructors begin
//     is cancelled, too. No answer comes to one that is gone, since handling it takes this thread.
#ifndef TROUPE_ACTORS_INTERNAL_SUSPENDED_HANDLER_H_
#define TROUPE_ACTORS_INTERNAL_SUSPENDED_HANDLER_H_

#include <cstddef>

#include "troupe/actors/context.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

class SuspendedHandler {
 public:
  SuspendedHandler(const SuspendedHandler&) = delete;
  SuspendedHandler& operator=(const SuspendedHandler&) = delete;
  virtual ~SuspendedHandler() = default;

  // The handler's own context: valid as long as the handler runs.
  Context& context() { return context_; }
  // While it waits its actor answers nothing.
  bool waits_alone() const { return waits_alone_; }

  // Unwinds and destroys it. Whoever asked is told that the receiver is gone.
  void Cancel() {
    Leave();
    Unwind();
    delete this;
  }

  static void* operator new(size_t bytes) { return AllocateNode(bytes); }
  static void operator delete(void* handler, size_t bytes) { FreeNode(handler, bytes); }

 protected:
  // What `self` says of the message at hand is kept.
  SuspendedHandler(const Context& self, bool reentrant, bool waits_alone)
      : context_(self), reentrant_(reentrant), waits_alone_(waits_alone) {}

  virtual void Unwind() = 0;

  bool entered() const { return entered_; }
  void Enter();  // the list
  void Leave();

 private:
  Context context_;
  SuspendedHandler* newer_ = nullptr;
  SuspendedHandler* older_ = nullptr;
  const bool reentrant_;
  const bool waits_alone_;
  bool entered_ = false;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_SUSPENDED_HANDLER_H_
