// HoldUntil: an actor that handles no message until an answer is there. What `co_await` does in a
// handler, for one that is no coroutine.
#ifndef TROUPE_ACTORS_HOLD_H_
#define TROUPE_ACTORS_HOLD_H_

#include <functional>
#include <utility>

#include "troupe/actors/ask.h"
#include "troupe/actors/context.h"
#include "troupe/actors/internal/suspended_handler.h"

namespace troupe {

namespace internal {

class Hold final : public SuspendedHandler {
 public:
  explicit Hold(const Context& self)
      : SuspendedHandler(self, /*reentrant=*/false, /*waits_alone=*/false) {
    Enter();
  }
  void End() {
    Leave();
    delete this;
  }

 private:
  void Unwind() override {}
};

}  // namespace internal

// Asks, lets messages wait, in order, and when the answer or its failure comes lets them go on and calls
// `then(answer)` or `then(answer, self)`, before any of them.
//
//   void On(Row row, troupe::Context& self) {
//     if (file_.HasRoom()) return file_.Put(std::move(row));
//     troupe::HoldUntil(self, disk_.Ask(Flushed{}), [this, row = std::move(row)](absl::Status) mutable {
//       file_.Put(std::move(row));
//     });
//   }
//
// Meanwhile   A bounded mailbox fills, and its policy says what becomes of what is sent: that is
//             back-pressure. Answers, timers of asks, Stop and Watch go on. If the actor ends, `then` is
//             destroyed without being called.
// Once        While one holds the actor, and while a coroutine handler that is not reentrant is suspended,
//             no other may: so it is called by handlers and by `then`, not by continuations of Then.
// Cost        That of Then, and a block.
// Thread      As Context: inside the handler whose `self` it is.
template <class R, class F>
void HoldUntil(Context& self, PendingAsk<R> ask, F then) {
  auto* hold = new internal::Hold(self);
  std::move(ask).Then(self,
                      [hold, then = std::move(then)](AskResult<R> answer, Context& now) mutable {
                        hold->End();
                        if constexpr (std::invocable<F&, AskResult<R>, Context&>) {
                          std::invoke(then, std::move(answer), now);
                        } else {
                          std::invoke(then, std::move(answer));
                        }
                      });
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_HOLD_H_
