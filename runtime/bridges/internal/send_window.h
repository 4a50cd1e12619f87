// SendWindow: how much a peer still takes of messages, from all and for each of its actors.
//
//   Operation   Effect
//   Open        the window, once
//   TryTake     a message for `target` leaves, if it may
//   Wait        `waiter` is answered when one may; at most one for each target
//   Return      the peer has handled so much of it
//   Forget      nobody sends to `target` any more, so that nobody waits
//   Wake        after Return and Forget: whom to answer, and what to say to the peer
//
// Outstanding is what has been taken for a target and not been returned. A receiver that reads nothing
// keeps what is outstanding for it, so none may have all there is:
//
// W1  What is free is the window less all that is outstanding. A message for a target may leave if
//     outstanding * (1 + others that wait) < free. So one that nobody reads has at most half of the window
//     (and a message), and when k of them wait 1/(k + 1) is still free. These are dynamic thresholds
//     (Choudhury and Hahne 1998), divided by the number of queues that are congested, as in ABM (Addanki et
//     al. 2022): thresholds alone would be halved by each one that never drains.
// W2  A target with nothing outstanding may send if anything is free, however much its message is more than
//     that. So large messages get through, and what is free may be negative.
// W3  Who waits may go on when something is returned or another one waits no more, and Wake finds all who may:
//     they are kept in the order of what is outstanding for them, and if the first may not, nobody may.
// W4  A target that waits has been told to the peer since anything was last returned for it (Blocked), and the
//     connection, as target 0, if the first one has nothing outstanding. F4 of inflow.h is the other half.
// W5  A peer that returns what is not outstanding is wrong, and it is noticed.
//
// Thread safety  None: the lock of the outbox.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SEND_WINDOW_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SEND_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actors/reply.h"

namespace troupe::internal {

class SendWindow {
 public:
  // To be done when the lock has been let go.
  struct Due {
    std::vector<Reply<void>> answer;
    std::vector<uint64_t> say;  // Blocked, with these targets
  };

  void Open(uint64_t bytes) { free_ += static_cast<int64_t>(bytes); }
  bool MayTake(uint64_t target) const;
  // `ahead`: it may (handover.h, H4).
  bool TryTake(uint64_t target, size_t bytes, bool ahead);
  void Wait(uint64_t target, Reply<void> waiter, Due& due);
  // False: so much is not outstanding, or it is nothing.
  bool Return(uint64_t target, uint64_t bytes);
  void Forget(uint64_t target, Due& due);
  void Wake(Due& due);
  void WakeAll(Due& due);  // the connection is closed

 private:
  struct Target {
    int64_t outstanding = 0;
    bool waits = false;
  };
  using Place = std::pair<int64_t, uint64_t>;  // what is outstanding, target

  bool Fits(int64_t outstanding, size_t others) const {  // W1, W2
    return outstanding * static_cast<int64_t>(1 + others) < free_;
  }
  void Add(int64_t bytes, uint64_t target, Target& at);

  int64_t free_ = 0;
  // Those with something outstanding, and those that wait: less than the window has messages, and proxies.
  absl::flat_hash_map<uint64_t, Target> targets_;
  std::map<Place, Reply<void>> waiting_;  // W3
  std::vector<uint64_t> unsaid_;          // W4: waiting, and something was returned for them
  bool said_ = false;                     // W4: of target 0
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SEND_WINDOW_H_
