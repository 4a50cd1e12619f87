// ReplySlot: where the answer of one ask goes, settled exactly once.
//
//   Operation   Who                        Effect
//   Settle      the holder of the Reply    if nobody was first: store the result, tell the asker
//   Expire      the asker                  the same, when the deadline has passed
//   Refuse      the asker                  the same, if it will not wait
//   TakeOut     the holder of the Reply    says that the answer may come from anywhere (wait_edge.h)
//   Claim       also the asker             true for the one who may write the result
//   Fulfil      who has claimed it         store the result, tell the asker
//   Release     every holder               the last one destroys the slot
//
// R1  The state goes kPending -> kClaimed -> kReady or kExpired, each step at most once.
// R2  Only the thread that moved kPending -> kClaimed writes the result; nobody reads it before
//     kReady or kExpired.
// R3  The asker is told at most once, after that.
// R4  The Reply holds a reference and the asker one. With the answer the Reply's passes to the asker,
//     so whoever is told kReady holds both and needs no atomic instruction to know it; told kExpired
//     he holds his own.
#ifndef TROUPE_ACTORS_INTERNAL_REPLY_SLOT_H_
#define TROUPE_ACTORS_INTERNAL_REPLY_SLOT_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace troupe::internal {

template <class R>
struct ReplyResultOf : std::type_identity<absl::StatusOr<R>> {};
template <>
struct ReplyResultOf<void> : std::type_identity<absl::Status> {};
template <class R>
using ReplyResult = typename ReplyResultOf<R>::type;

// Why a request will not be answered; each becomes a status of its own.
enum class Lost : uint8_t {
  kReceiverGone,    // kUnavailable: it had ended, or ended with the request still queued
  kReceiverFull,    // kResourceExhausted
  kReceiverFailed,  // kInternal: its handler threw
  kReplyDropped,    // kAborted
  kNotHandled,      // kFailedPrecondition: a state machine, in a state that has no handler for it
  kNotAllowed,      // kPermissionDenied: the asker has no right to ask, or has none any more
  kOverLimit,       // kResourceExhausted: he has, but not so often
  kTimedOut,        // kDeadlineExceeded
};
absl::Status LostStatus(Lost why);
// What a Status is as the answer to a request for a value: itself if it is an error. OK is a
// mistake of the handler's, which the asker is told; absl::StatusOr would end the process.
absl::Status ErrorAnswer(absl::Status status);
absl::Status ReceiverFailed(const char* what);  // kReceiverFailed with the exception's text
// One that shares nothing, for another thread: references to a shared one are counted inside of libabsl,
// where ThreadSanitizer does not see it and reports the last one's delete.
absl::Status OwnCopy(const absl::Status& status);

class ReplySlot {
 public:
  static constexpr uint32_t kPending = 0;
  static constexpr uint32_t kClaimed = 1;
  static constexpr uint32_t kReady = 2;
  static constexpr uint32_t kExpired = 3;  // ready, and the result is that the deadline has passed,
                                           // or that the asker does not wait for it

  // By hand rather than virtual: a vtable pointer would have to come first, where an awaited reply
  // has its Envelope.
  struct Kind {
    void (*on_ready)(ReplySlot&);  // tell the asker; once, by the thread that settled. May destroy
    void (*destroy)(ReplySlot&);
    absl::Time (*deadline)(const ReplySlot&);  // fixed before the request is sent
    void (*take_out)(ReplySlot&) = nullptr;    // nullptr: of no interest to the asker
  };

  ReplySlot(const ReplySlot&) = delete;
  ReplySlot& operator=(const ReplySlot&) = delete;

  // acq_rel: what the winner does to the result stays behind this; nothing is read through it.
  bool Claim() {
    uint32_t expected = kPending;
    return state_.compare_exchange_strong(expected, kClaimed, std::memory_order_acq_rel,
                                          std::memory_order_relaxed);
  }
  // Relaxed: a hint for the receiver, who may be late.
  bool pending() const { return state_.load(std::memory_order_relaxed) == kPending; }
  // acquire: pairs with the release in MarkReady(); the result is visible (R2).
  bool ready() const { return state_.load(std::memory_order_acquire) >= kReady; }
  // Relaxed: as pending().
  bool expired() const { return state_.load(std::memory_order_relaxed) == kExpired; }
  absl::Time deadline() const { return kind_->deadline(*this); }
  void TakeOut() {
    if (kind_->take_out != nullptr) kind_->take_out(*this);
  }

  // Relaxed: the caller holds a reference already.
  void Retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Release(uint32_t references = 1) {
    // acq_rel: what every other holder did happens before the destruction by the last one.
    if (references_.fetch_sub(references, std::memory_order_acq_rel) == references) {
      kind_->destroy(*this);
    }
  }

 protected:
  ReplySlot(const Kind& kind, uint32_t references) : references_(references), kind_(&kind) {}
  ~ReplySlot() = default;

  // release: publishes the result; pairs with the acquire in ready().
  void MarkReady(uint32_t state = kReady) { state_.store(state, std::memory_order_release); }

  std::atomic<uint32_t> state_{kPending};
  std::atomic<uint32_t> references_;
  const Kind* const kind_;
};

template <class R>
class ReplySlotOf : public ReplySlot {
  static_assert(
      std::is_void_v<R> || std::is_nothrow_move_constructible_v<R>,
      "Troupe: a reply type must be movable without throwing; declare its move constructor "
      "noexcept, or answer with a std::unique_ptr to it.");

 public:
  // Consumes the caller's reference (R4).
  void Settle(ReplyResult<R>&& result) {
    if (!Offer(std::move(result), kReady)) Release();
  }
  // For one who must be the first before he gives the result away: after a Claim that said true.
  // Consumes the reference.
  void Fulfil(ReplyResult<R>&& result, uint32_t state = kReady) {
    result_.emplace(std::move(result));
    MarkReady(state);
    kind_->on_ready(*this);
  }
  // Keeps it. `why` is not OK.
  void Refuse(absl::Status why) { Offer(std::move(why), kExpired); }

 protected:
  ReplySlotOf(const Kind& kind, uint32_t references) : ReplySlot(kind, references) {}
  ~ReplySlotOf() = default;

  bool Offer(ReplyResult<R>&& result, uint32_t state) {
    if (!Claim()) return false;
    Fulfil(std::move(result), state);
    return true;
  }

  std::optional<ReplyResult<R>> result_;  // empty until kClaimed
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_REPLY_SLOT_H_
