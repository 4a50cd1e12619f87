// Outbox: the frames of one connection that have not left, and what the peer still takes.
//
//   Operation   Who                       Effect
//   Offer       any thread                a message: taken, if there is room for it and credit
//   Push        any thread                any other frame: taken, unless closed
//   TakeBuffer  any thread                memory that frames have left in, for the next large one
//   Open        any thread, once          the peer has this window; until then it takes no message
//   AddCredit   any thread                the peer has handled so much
//   WhenRoom    any thread                answers `waiter` when Offer is worth another try
//   Forget      any thread                nobody offers for that target any more
//   WriteOut    who has to flush          gives the link what is there
//   Shrink      any thread, now and then  gives memory back that nobody has needed since the last time
//   Close       any thread                takes a last frame, and then nothing any more; waiters are answered
//
// O1  There is one who has to flush, or nothing to be flushed. Offer and Push say to the one who makes
//     it non-empty that he must see to it; WriteOut says when the duty is over, or that the link will
//     call for it (OnWritable). Of several who see to it, one at a time writes: the others find that it
//     is done. The last frame is written by whoever writes at that moment, else by who closes; WriteOut
//     says to the one who has written it that the link can be closed.
// O2  What is in `writing_`, `bulk_` and `parts_` belongs to who has to flush.
// O3  What waits is bounded: messages by high_water and one frame more, the rest by `most`, beyond which
//     the connection is closed (overfull).
// O4  A message is taken only if there is credit for its target (send_window.h). So the peer has at most its
//     window and one frame more of messages that it has not handled, and a target what W1 says. Who waits
//     for credit waits for that of his target; who waits for room in the outbox waits with all others.
// O5  Frames with the same target leave in the order in which they came: one that follows another which
//     is in the bulk lane still goes there, too. (Targets count from 1; 0 has no order.)
// O6  Of the bulk lane goes at most one piece, of kBulkPiece, before what has come in other lanes since.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "troupe/actors/reply.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/credit.h"
#include "troupe/runtime/bridges/internal/send_window.h"
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
  enum class Written : uint8_t {
    kAll,    // the duty is over
    kLater,  // the link has been told to call OnWritable
    kLast,   // all that ever will be: the link can be closed
  };
  enum class LastFrame : uint8_t { kTaken, kTakenFlush, kCannotGo };

  // A longer frame goes in the bulk lane: 64 KiB of data, and what surrounds it.
  static constexpr size_t kLongestOrdinary = 66 << 10;
  static constexpr size_t kBulkPiece = 64 << 10;

  explicit Outbox(Limits limits) : limits_(limits) {}

  // What is taken of `message` is gone from it; kNoRoom leaves it as it is.
  // `ahead`: it takes its credit, but does not wait for it (handover.h, H4).
  [[nodiscard]] Offered Offer(std::string& message, uint64_t target, bool ahead = false);
  // Control, or ordinary: the outbox itself finds out what is bulk.
  [[nodiscard]] Pushed Push(Lane lane, std::string& frame, uint64_t target = 0);
  [[nodiscard]] Pushed Push(Lane lane, std::string&& frame) { return Push(lane, frame); }
  // Empty, with this capacity or, if there is none, without.
  std::string TakeBuffer(size_t capacity);
  void Open(uint64_t window);
  // False: it has not been sent so much (W5). `say`: of these targets is to be said that they are Blocked.
  [[nodiscard]] bool AddCredit(std::span<const Credit> credit, std::vector<uint64_t>& say);
  void WhenRoom(uint64_t target, bool ahead, Reply<void> waiter, std::vector<uint64_t>& say);
  void Forget(uint64_t target, std::vector<uint64_t>& say);
  void Shrink();
  // kTaken: whoever writes will close the link. kCannotGo: nobody does, and the peer reads nothing.
  [[nodiscard]] LastFrame Close(std::string last);

  Written WriteOut(Link& link);
  bool above_high_water() const;
  bool empty() const;  // all that was taken has been given to the link

 private:
  using Queue = std::vector<std::string>;  // frames one behind the other, small ones in one string

  bool Append(Lane lane, std::string& frame, uint64_t target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsBulk(size_t size, uint64_t target) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string Spare(size_t capacity) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Recycle(std::string buffer) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool BeginToWrite();
  std::optional<Written> Refill();
  void CutBulk() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Advance(size_t bytes);
  std::vector<Reply<void>> TakeWaiters() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Limits limits_;
  mutable Mutex mutex_;                                   // bytes_ may be asked for
  std::array<Queue, 3> waiting_ ABSL_GUARDED_BY(mutex_);  // by lane
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;              // of it, and what is left of parts_
  SendWindow window_ ABSL_GUARDED_BY(mutex_);
  enum class Duty : uint8_t { kNone, kPromised, kWriting, kAwaitingTheLink };
  Duty duty_ ABSL_GUARDED_BY(mutex_) = Duty::kNone;  // O1
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Reply<void>> waiters_ ABSL_GUARDED_BY(mutex_);  // for room

  // O5: where in the bulk lane the last frame for a target ends, in bytes that ever came, and how many
  // of them have been cut. Empty when that lane is.
  absl::flat_hash_map<uint64_t, uint64_t> bulk_ends_ ABSL_GUARDED_BY(mutex_);
  uint64_t bulk_came_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bulk_went_ ABSL_GUARDED_BY(mutex_) = 0;

  // Empty buffers, of high_water bytes at most: fresh memory costs more than to write into it.
  std::vector<std::string> spare_ ABSL_GUARDED_BY(mutex_);
  size_t spare_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  bool was_used_ ABSL_GUARDED_BY(mutex_) = false;  // since Shrink

  // ---- O2
  Queue writing_;
  std::string piece_;                    // the header of a piece of bulk
  std::string bulk_;                     // the chunk that it is a piece of
  size_t bulk_cut_ = 0;                  // of it
  std::vector<std::string_view> parts_;  // what is left of all that, in order
  size_t first_part_ = 0;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_OUTBOX_H_
