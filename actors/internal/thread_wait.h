// ThreadWait: how a plain thread looks for a while before it sleeps.
#ifndef TROUPE_ACTORS_INTERNAL_THREAD_WAIT_H_
#define TROUPE_ACTORS_INTERNAL_THREAD_WAIT_H_

#include "absl/time/time.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/patience.h"

namespace troupe::internal {

// A plain thread that has found nothing, before it lets itself be linked as a waiter: each message would
// be handed over by itself then, with a wake-up.
class ThreadWait {
 public:
  ThreadWait(const MailboxId& at, Patience& patience)
      : at_(at), patience_(patience), since_(Patience::Clock::now()) {}
  ThreadWait(const ThreadWait&) = delete;
  ThreadWait& operator=(const ThreadWait&) = delete;
  // At the end, but for one that came with the end of the mailbox: its System may be gone by now.
  void Learn() { patience_.Learn(Patience::Clock::now() - since_); }

  // True: it had better try again.
  bool MailSoon(absl::Duration timeout) const;
  bool RoomSoon() const;

 private:
  bool MayLook() const;

  const MailboxId at_;
  Patience& patience_;
  const Patience::Clock::time_point since_;
};
bool MailSoon(const MailboxId& at);  // in a coroutine: likewise

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_THREAD_WAIT_H_
