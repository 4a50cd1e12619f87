// MailIntake: the short way into a mailbox, for senders that nothing has to be decided for.
//
//   Operation    Who                              Effect
//   Put          any thread                       a message more, if the way is open and has room
//   Open         the holder of the mailbox's lock  lets so many messages in
//   Close        the same                         lets in no more; hands over those that came
//   NextOrder    the same, while it is closed     the next message's place in the order of all
//   LooksEmpty   any thread                       a guess whether nothing has come
//
// With one lock for both ends, a sender and a receiver on two cores take it from each other for each
// message. Here the senders have a lock and a line of their own, and the receiver comes for all that
// has gathered at once, when it has nothing left: it meets a sender once for many messages. (Two locks
// for two ends: Michael and Scott, "Simple, fast, and practical non-blocking and blocking concurrent
// queue algorithms", PODC 1996. Theirs meet in a dummy node, so neither end knows the depth; here the
// bound is exact, since room is given to the senders in advance.)
//
// Ordering     Messages have the order of their Puts; all of them come after what was in the mailbox
//              when the way was opened, and before what is put there after Close.
// Lock order   The mailbox's lock comes first: Open and Close are called under it, and Put takes its
//              lock alone.
//
// I1  room_ is what may still come in. It rises from 0 in Open alone, which follows a Close; Put counts
//     it down under lock_, and Close makes it 0 there.
// I2  From Close to Open nobody gets in. So all but room_ is guarded by the mailbox's lock then, and by
//     lock_ from Open to Close.
// I3  The mailbox opens the way only while no sender can tell the difference: see
//     MailboxCell::OpenIntake.
#ifndef TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_
#define TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_

#include <atomic>
#include <cstdint>
#include <utility>

#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mail_lane.h"
#include "troupe/core/short_lock.h"

namespace troupe::internal {

class alignas(128) MailIntake {
 public:
  // False: it has to go through the mailbox's lock. `incarnation`: as in MailboxCell::Put.
  bool Put(uint64_t incarnation, Envelope& e, uint32_t now_ms) {
    // Relaxed: a guess, to spare those who cannot get in the lock.
    if (room_.load(std::memory_order_relaxed) == 0) return false;
    const ShortLockHolder lock(lock_);
    // Acquire: pairs with the release in Open (I2).
    const uint32_t room = room_.load(std::memory_order_acquire);
    if (room == 0 || incarnation != incarnation_) return false;
    lane_.Append(e, {++last_order_, now_ms}, nullptr);
    room_.store(room - 1, std::memory_order_relaxed);  // relaxed: the next Put has the lock (I1)
    return true;
  }

  void Open(uint64_t incarnation, uint32_t room) {
    incarnation_ = incarnation;
    opened_for_.store(room, std::memory_order_relaxed);  // relaxed: for the guess in LooksEmpty
    // Release: what the holders of the mailbox's lock wrote here; pairs with the acquire in Put (I2).
    room_.store(room, std::memory_order_release);
  }

  // Appends what came to `lane`. How many that were.
  size_t Close(MailLane& lane) {
    const ShortLockHolder lock(lock_);
    // Relaxed, both: whoever is in Put has the lock, and whoever is not looks again there (I1).
    room_.store(0, std::memory_order_relaxed);
    opened_for_.store(0, std::memory_order_relaxed);
    const size_t came = lane_.depth();
    lane.Splice(lane_);
    return came;
  }

  uint32_t NextOrder() { return ++last_order_; }
  void StartOrder() { last_order_ = 0; }

  bool LooksEmpty() const {
    // Relaxed: see Open.
    return room_.load(std::memory_order_relaxed) == opened_for_.load(std::memory_order_relaxed);
  }
  bool LooksOpen() const { return opened_for_.load(std::memory_order_relaxed) != 0; }  // likewise

 private:
  // No guards that Clang could check: they change with I2.
  ShortLock lock_;
  std::atomic<uint32_t> room_{0};
  std::atomic<uint32_t> opened_for_{0};
  uint32_t last_order_ = 0;
  uint64_t incarnation_ = 0;
  MailLane lane_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_
