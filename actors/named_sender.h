// NamedSender<M>: the right to send to whichever mailbox has a name when a message is sent.
#ifndef TROUPE_ACTORS_NAMED_SENDER_H_
#define TROUPE_ACTORS_NAMED_SENDER_H_

#include <concepts>
#include <memory>
#include <source_location>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mailbox_name.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/mailbox_opening.h"
#include "troupe/actors/send_result.h"

namespace troupe {

// FindMailboxLate (mailbox_opening.h) makes one. It is to a Sender what a NamedRecipient is to a
// Recipient: it looks up the name at each send, so it follows RebindMailbox, and may be made before
// the first mailbox of that name is opened.
//
//   troupe::NamedSender<Job> jobs = system.FindMailboxLate<Job>("jobs");
//   auto [old_jobs, inbox] = system.OpenMailbox<Job>("jobs");
//   jobs.Send(Job{1});                                     // to the inbox
//   auto [new_jobs, next] = system.OpenMailbox<Job>();
//   system.RebindMailbox("jobs", new_jobs).IgnoreError();
//   jobs.Send(Job{2});                                     // to the next one
//   old_jobs.Send(Job{3});                                 // still to the inbox
//
// What is in a mailbox when it loses its name stays there.
//
// Thread safety  A value: copy it to any thread and use it there; one may also be shared.
// Ownership      Keeps no mailbox open.
// Order          From one sender to one mailbox: that of the sends. Once one went to the new mailbox no
//                later one by that sender goes to the old.
// Errors         No mailbox of messages M has the name: as by a Sender of nobody's mailbox, kClosed or
//                kUnavailable.
// Lifetime       Valid while the System lives.
// Cost           16 bytes. Each send: Sender's, and a short lock that all who use the name share. A copy
//                writes a count that copies share.
template <class M>
class NamedSender {
 public:
  NamedSender() = default;  // of a name that no mailbox ever has

  // Whose name it is now; nobody's, if no mailbox has it.
  Sender<M> sender() const {
    if (name_ == nullptr) return Sender<M>();
    return Sender<M>(name_->Get(internal::MessageTypeFor<M>()));
  }

  // As those of Sender, which say what they return. What waits stays with the mailbox that had the
  // name when it began.
  SendResult Send(M message, std::source_location where = std::source_location::current()) const {
    return sender().Send(std::move(message), where);
  }
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    return sender().TrySend(std::move(message), where);
  }
  SendResult TrySend(const M& message,
                     std::source_location where = std::source_location::current()) const
    requires std::copy_constructible<M>
  {
    return sender().TrySend(message, where);
  }
  PendingSend Enqueue(M message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) const {
    return sender().Enqueue(std::move(message), timeout, where);
  }
  PendingSend Deliver(M message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) const {
    return sender().Deliver(std::move(message), timeout, where);
  }
  auto Ask(M message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const
    requires internal::Askable<M>
  {
    return sender().Ask(std::move(message), timeout, where);
  }

  // For the framework.
  explicit NamedSender(std::shared_ptr<internal::MailboxName> name) : name_(std::move(name)) {}

 private:
  std::shared_ptr<internal::MailboxName> name_;  // nullptr: of no name
};

namespace internal {
absl::Status BindMailboxName(ActorSpace& space, std::string_view name, const MailboxId& to,
                             MessageType message);
absl::Status RebindMailboxName(ActorSpace& space, std::string_view name, const MailboxId& to,
                               MessageType message);
std::shared_ptr<MailboxName> SlotOfMailboxName(ActorSpace& space, std::string_view name);
}  // namespace internal

template <class Owner>
template <class M>
absl::Status MailboxOpening<Owner>::BindMailbox(std::string_view name, const Sender<M>& to) {
  return internal::BindMailboxName(space(), name, to.id(), internal::MessageTypeFor<M>());
}

template <class Owner>
template <class M>
absl::Status MailboxOpening<Owner>::RebindMailbox(std::string_view name, const Sender<M>& to) {
  return internal::RebindMailboxName(space(), name, to.id(), internal::MessageTypeFor<M>());
}

template <class Owner>
template <class M>
NamedSender<M> MailboxOpening<Owner>::FindMailboxLate(std::string_view name) {
  return NamedSender<M>(internal::SlotOfMailboxName(space(), name));
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_NAMED_SENDER_H_
