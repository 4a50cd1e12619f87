// TimedMail: a message that a timer will send to a mailbox.
#ifndef TROUPE_ACTORS_INTERNAL_TIMED_MAIL_H_
#define TROUPE_ACTORS_INTERNAL_TIMED_MAIL_H_

#include <source_location>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/timed_message.h"

namespace troupe {

template <class M>
class Sender;

namespace internal {

class TimedMail : public TimedMessage {
 protected:
  explicit TimedMail(const MailboxId& mailbox) : mailbox_(mailbox) {}

 private:
  bool Send() override;

  const MailboxId mailbox_;
};

template <class M>
struct TimedFor<Sender<M>> {
  static TimedMessage* Once(const Sender<M>& to, M message, std::source_location where) {
    return new OneMessage<M, TimedMail>(&DispatchToNobody<M>, std::move(message), where, to.id());
  }
  static TimedMessage* Repeated(const Sender<M>& to, M message, std::source_location where) {
    return new RepeatedMessage<M, TimedMail>(&DispatchToNobody<M>, std::move(message), where,
                                             to.id());
  }
  static AnyRef Who(const Sender<M>&) { return AnyRef(); }  // no actor
};

}  // namespace internal
}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_TIMED_MAIL_H_
