#include "troupe/actors/internal/reply_slot.h"

#include <string>

namespace troupe::internal {

absl::Status LostStatus(Lost why) {
  switch (why) {
    case Lost::kReceiverGone:
      return absl::UnavailableError("ask: the receiver has ended");
    case Lost::kReceiverFull:
      return absl::ResourceExhaustedError("ask: the receiver's mailbox is full");
    case Lost::kReceiverFailed:
      return absl::InternalError("ask: the receiver failed while handling the request");
    case Lost::kReplyDropped:
      return absl::AbortedError("ask: the receiver dropped the Reply without answering");
    case Lost::kNotHandled:
      return absl::FailedPreconditionError(
          "ask: the state that the receiver is in does not handle the request");
    case Lost::kNotAllowed:
      return absl::PermissionDeniedError(
          "ask: there is no right to, or it has been revoked, has expired, or ended with the "
          "receiver");
    case Lost::kOverLimit:
      return absl::ResourceExhaustedError("ask: more messages than the right allows");
    case Lost::kTimedOut:
      return absl::DeadlineExceededError("ask: no answer before the deadline");
  }
  return absl::UnknownError("ask: lost");
}

absl::Status ErrorAnswer(absl::Status status) {
  if (!status.ok()) return status;
  return absl::InternalError("ask: the receiver answered OK where a value was asked for");
}

absl::Status ReceiverFailed(const char* what) {
  const absl::Status status = LostStatus(Lost::kReceiverFailed);
  return absl::Status(status.code(), std::string(status.message()) + ": " + what);
}

absl::Status OwnCopy(const absl::Status& status) {
  absl::Status copy(status.code(), status.message());
  status.ForEachPayload([&](absl::string_view type_url, const absl::Cord& payload) {
    copy.SetPayload(type_url, payload);
  });
  return copy;
}

}  // namespace troupe::internal
