// FirstAnswer: the slots of the requests of a scatter-gather; the first good answer to any of them
// settles the slot of the one who asked.
//
// References: one for each request's Reply, one for whoever sends the requests, one for the asker
// (AskedSeveral). The asker's slot is held until the race is decided (reply_slot.h, R4).
// G1  The asker's slot is settled once, by the first good answer; or, once all have failed, by the
//     last error. (A deadline may have come before.)
// G2  After a good answer the others are claimed: their Reply says that nobody waits any more, and
//     what they answer goes nowhere.
// G3  An asker who gives up decides the race, unless all have answered: those who have not are
//     dropped, and so are their requests if nobody has looked at them yet.
#ifndef TROUPE_ACTORS_INTERNAL_FIRST_ANSWER_H_
#define TROUPE_ACTORS_INTERNAL_FIRST_ANSWER_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/internal/answer_race.h"
#include "troupe/actors/internal/reply_slot.h"

namespace troupe::internal {

template <class R>
class FirstAnswer {
 public:
  // Takes over a reference to `asker`.
  static FirstAnswer& Make(ReplySlotOf<R>& asker, size_t requests) {
    return *new FirstAnswer(asker, requests);
  }
  FirstAnswer(const FirstAnswer&) = delete;
  FirstAnswer& operator=(const FirstAnswer&) = delete;

  ReplySlotOf<R>* SlotOf(size_t request) { return &slots_[request]; }

  // By the asker (G3).
  void GiveUp() {
    bool any = false;
    for (size_t i = 0; i < requests_; ++i) any |= slots_[i].Drop();
    if (any && race_.Decides(true)) asker_.Release();
  }

  // Relaxed: the caller holds a reference already.
  void Retain() { references_.fetch_add(1, std::memory_order_relaxed); }

  void Release() {
    // acq_rel: what every other holder did happens before the destruction by the last one.
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }

 private:
  class Slot final : public ReplySlotOf<R> {
   public:
    Slot() : ReplySlotOf<R>(kKind, 1) {}
    FirstAnswer* all = nullptr;
    ReplyResult<R> TakeResult() { return std::move(*this->result_); }
    bool Drop() {
      if (!this->Claim()) return false;
      this->MarkReady(ReplySlot::kExpired);  // without a result: nobody looks for one
      return true;
    }

   private:
    static void OnReady(ReplySlot& slot) {
      auto& me = static_cast<Slot&>(slot);
      me.all->Report(me.TakeResult());
      slot.Release();
    }
    static void Destroy(ReplySlot& slot) { static_cast<Slot&>(slot).all->Release(); }
    static absl::Time Deadline(const ReplySlot& slot) {
      return static_cast<const Slot&>(slot).all->deadline_;
    }
    static constexpr ReplySlot::Kind kKind{&OnReady, &Destroy, &Deadline};
  };

  FirstAnswer(ReplySlotOf<R>& asker, size_t requests)
      : asker_(asker),
        deadline_(asker.deadline()),
        slots_(std::make_unique<Slot[]>(requests)),
        requests_(requests),
        race_(requests),
        references_(requests + 1) {
    for (size_t i = 0; i < requests_; ++i) slots_[i].all = this;
  }

  void Report(ReplyResult<R> result) {
    const bool good = result.ok();
    if (race_.Decides(good)) asker_.Settle(std::move(result));  // G1
    if (!good) return;
    for (size_t i = 0; i < requests_; ++i) slots_[i].Claim();  // G2
  }

  ReplySlotOf<R>& asker_;  // until the race is decided
  const absl::Time deadline_;
  std::unique_ptr<Slot[]> slots_;
  const size_t requests_;
  AnswerRace race_;
  std::atomic<size_t> references_;
};

// The asker's reference: in his Continuation, or beside his WaitingThread. Used by him alone, but for
// the destructor.
template <class R>
class AskedSeveral {
 public:
  AskedSeveral() = default;
  AskedSeveral(const AskedSeveral&) = delete;
  AskedSeveral& operator=(const AskedSeveral&) = delete;
  ~AskedSeveral() {
    if (first_ != nullptr) first_->Release();
  }
  void Hold(FirstAnswer<R>& first) {  // once, before a request is sent
    first.Retain();
    first_ = &first;
  }
  void Withdraw() {
    if (first_ != nullptr) first_->GiveUp();
  }
  absl::Status TimedOut() const { return LostStatus(Lost::kTimedOut); }
  void WithdrawOthers() {}  // G2

 private:
  FirstAnswer<R>* first_ = nullptr;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_FIRST_ANSWER_H_
