// Outbox: the frames of one connection that have not left, and what the peer still takes.
//
//   Operation   Who                       Effect
//   Offer       any thread                a message: taken, if there is room for it and credit
//   Push        any thread                any other frame: taken, unless closed
//   AddCredit   any thread                the peer takes so many more bytes of messages; at first none
//   WhenRoom    any thread                answers `waiter` when Offer is worth another try
//   WriteOut    who has to flush          gives the link what is there
//   Close       any thread                nothing is taken any more; waiters are answered
//
// O1  There is one who has to flush, or nothing to be flushed. Offer and Push say to the one who makes
//     it non-empty that he must see to it; WriteOut says when the duty is over, or that the link will
//     call for it (OnWritable).
// O2  `writing_` and `offset_` belong to who has to flush.
// O3  What waits is bounded: messages by high_water and one frame more, the rest by `most`, beyond which
//     the connection is closed (overfull).
// O4  A message is taken only if there is credit. So the peer has at most its window and one frame more of
//     messages that it has not handled.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "troupe/actors/reply.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/link.h"

namespace troupe::internal {

class Outbox {
 public:
  struct Limits {
    size_t high_water = 1 << 20;
    size_t most = 64 << 20;
  };
  enum class Offered : uint8_t { kTaken, kTakenFlush, kNoRoom, kClosed };
  enum class Pushed : uint8_t { kTaken, kTakenFlush, kClosed, kOverfull };

  explicit Outbox(Limits limits) : limits_(limits) {}

  [[nodiscard]] Offered Offer(std::string_view message);
  [[nodiscard]] Pushed Push(Lane lane, std::string_view frame);
  void AddCredit(uint64_t bytes);
  void WhenRoom(Reply<void> waiter);
  void Close();

  // True: all is written, and the duty is over. False: the link has been told to call OnWritable.
  bool WriteOut(Link& link);
  bool above_high_water() const;
  bool empty() const;  // all that was taken has been given to the link

 private:
  bool HasRoom() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return credit_ > 0 && bytes_ < limits_.high_water;
  }
  bool Append(Lane lane, std::string_view frame) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool Refill();
  void Written(size_t bytes);
  std::vector<Reply<void>> TakeWaiters() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;                                         // bytes_ may be asked for
  std::array<std::string, 2> waiting_ ABSL_GUARDED_BY(mutex_);  // by lane
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // waiting_, and what is left of writing_
  int64_t credit_ ABSL_GUARDED_BY(mutex_) = 0;
  bool flushing_ ABSL_GUARDED_BY(mutex_) = false;  // O1
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Reply<void>> waiters_ ABSL_GUARDED_BY(mutex_);

  std::array<std::string, 2> writing_;  // O2
  size_t offset_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_
