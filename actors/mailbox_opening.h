// MailboxOpening: what System and Context can do with mailboxes. The mailboxes themselves are in
// mailbox.h and names that are bound late in named_sender.h, which whoever calls one of these includes.
#ifndef TROUPE_ACTORS_MAILBOX_OPENING_H_
#define TROUPE_ACTORS_MAILBOX_OPENING_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

namespace internal {
class ActorSpace;
}
template <class M>
class Sender;
template <class M>
class Receiver;
template <class M>
class NamedSender;
template <class M>
struct MailboxOptions;
template <class M>
struct OpenedMailbox;

// Thread safety  As the System, or the Context.
// Cost           A lock of the whole System: for the control path.
template <class Owner>
class MailboxOpening {
 public:
  // The send right and the receive right of a new mailbox.
  //
  //   auto [jobs, inbox] = system.OpenMailbox<Job>("jobs", {.capacity = 64});
  //   auto [ticks, clock] = self.OpenMailbox<Tick>();
  //
  // A name is for FindMailbox, and for people; none need be given. It is no secret, but a right for
  // whoever has the System or a Context: to send to the mailbox, to give its name to another one, and to
  // receive from one of the system's own that nobody receives from. So one that two are to have for
  // themselves has no name, and its rights go from hand to hand. A name that is taken counts as a
  // mistake of the program's here: where others may want the same one open without it, and
  // BindMailbox, which has a status. Throws std::invalid_argument if another mailbox has the name, for a
  // key without kByKey or the other way round, for kAll with a capacity of 0 or messages that cannot be
  // copied, and for a warn_at of 0. (With a capacity of 0 kDropOldest drops the newest: no other waits.)
  // During and after Shutdown both are nobody's.
  template <class M>
  OpenedMailbox<M> OpenMailbox(std::string_view name = {}, MailboxOptions<M> options = {});
  // Of one without a name: OpenMailbox<Tick>({.capacity = 1}).
  template <class M>
  OpenedMailbox<M> OpenMailbox(MailboxOptions<M> options);

  // The right to send to the mailbox of that name. kNotFound; kFailedPrecondition: it is for other
  // messages.
  template <class M>
  absl::StatusOr<Sender<M>> FindMailbox(std::string_view name);

  // Gives the name to the mailbox of `to`, which may have others. Of several who bind it at once one
  // is OK; kAlreadyExists: a mailbox that has not ended has the name, be it this one. The name is free
  // once that mailbox has ended. kInvalidArgument: the name is empty, or `to` is of nobody's mailbox.
  //
  //   auto [jobs, inbox] = system.OpenMailbox<Job>();
  //   if (!system.BindMailbox("jobs", jobs).ok()) jobs = *system.FindMailbox<Job>("jobs");
  template <class M>
  absl::Status BindMailbox(std::string_view name, const Sender<M>& to);

  // The same, but whichever mailbox has the name loses it. Never kAlreadyExists. Who looks the name up
  // from now on, and who has a NamedSender of it, sends there; who has a Sender of the old mailbox does
  // not notice.
  template <class M>
  absl::Status RebindMailbox(std::string_view name, const Sender<M>& to);

  // Whichever mailbox has the name when something is sent (named_sender.h); none need have it yet.
  // For the empty name: of a name that no mailbox ever has.
  template <class M>
  NamedSender<M> FindMailboxLate(std::string_view name);

  // The receive right of a mailbox of the system's own (MailboxOwner::kSystem), with the backlog,
  // after whoever had it last is gone. kNotFound, kFailedPrecondition as FindMailbox, and
  // kFailedPrecondition if somebody has it: he may Share it.
  template <class M>
  absl::StatusOr<Receiver<M>> AttachReceiver(std::string_view name);

 protected:
  MailboxOpening() = default;
  MailboxOpening(const MailboxOpening&) = default;
  MailboxOpening& operator=(const MailboxOpening&) = default;
  ~MailboxOpening() = default;

 private:
  internal::ActorSpace& space() { return static_cast<Owner&>(*this).space(); }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_MAILBOX_OPENING_H_
