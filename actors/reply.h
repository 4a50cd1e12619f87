// Reply<T>: the duty to answer one ask.
#ifndef TROUPE_ACTORS_REPLY_H_
#define TROUPE_ACTORS_REPLY_H_

#include <type_traits>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/internal/reply_slot.h"

namespace troupe {

// What an ask for a T yields: absl::StatusOr<T>, or absl::Status when T is void.
template <class T>
using AskResult = internal::ReplyResult<T>;

// A handler `On(M, Reply<T>)` takes the duty to answer and may answer later: store it, move it into
// another message, or answer from a continuation. Answering is also how to reply to several asks in
// another order than they came.
//
//   class Gate {
//    public:
//     void On(Enter, troupe::Reply<Ticket> reply) { waiting_.push_back(std::move(reply)); }
//     void On(Open) { for (auto& reply : waiting_) reply.Send(Ticket{}); waiting_.clear(); }
//     ...
//
// Move-only. If the last holder lets go without answering, the asker is told so at once (kAborted).
// Thread safety: one thread at a time; it may be moved to and answered on any thread.
template <class T>
class Reply {
 public:
  Reply() = default;
  Reply(Reply&& other) noexcept : slot_(std::exchange(other.slot_, nullptr)) {}
  Reply& operator=(Reply&& other) noexcept {
    if (this != &other) {
      Abandon(internal::Lost::kReplyDropped);
      slot_ = std::exchange(other.slot_, nullptr);
    }
    return *this;
  }
  ~Reply() { Abandon(internal::Lost::kReplyDropped); }

  // Answers with a T, an absl::StatusOr<T> or an error absl::Status (for void: an absl::Status, or
  // nothing for OK). Later calls do nothing.
  void Send(AskResult<T> result) {
    if (auto* slot = std::exchange(slot_, nullptr)) slot->Settle(std::move(result));
  }
  void Send(absl::Status error)
    requires(!std::is_void_v<T>)
  {
    Send(AskResult<T>(internal::ErrorAnswer(std::move(error))));
  }
  void Send()
    requires std::is_void_v<T>
  {
    Send(absl::OkStatus());
  }

  // False when nobody waits for an answer (any more): the message was sent rather than asked, it
  // has been answered, or the asker has timed out (which it finds out between two handlers) or
  // ended. Then the work may be saved.
  explicit operator bool() const { return slot_ != nullptr && slot_->pending(); }

  // By when the asker wants the answer; InfiniteFuture if nobody waits, or for ever.
  absl::Time deadline() const {
    return slot_ != nullptr ? slot_->deadline() : absl::InfiniteFuture();
  }

  // For the framework: whether the deadline has passed, as far as the asker has noticed.
  bool expired() const { return slot_ != nullptr && slot_->expired(); }
  // For the framework: before it is given to somebody who may answer from elsewhere, or is lost.
  void TakeOut() {
    if (slot_ != nullptr) slot_->TakeOut();
  }

  // For the framework: attach the asker, or tell it why there will be no answer.
  explicit Reply(internal::ReplySlotOf<T>* slot) : slot_(slot) {}
  void Abandon(internal::Lost why) {
    if (slot_ == nullptr) [[likely]]
      return;
    Send(internal::LostStatus(why));
  }

 private:
  internal::ReplySlotOf<T>* slot_ = nullptr;  // one reference, given up by Settle
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_REPLY_H_
