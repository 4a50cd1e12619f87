// MailIntake: the short way into a mailbox, for senders that nothing has to be decided for.
//
//   Operation    Who                               Effect
//   Put          any thread                        a message more, if the way is open and has room
//   Open         the holder of the mailbox's lock  lets so many messages in
//   Collect      the same, while it is open        hands over those that came; more may come
//   Close        the same, while it is open        hands over those that came; no more may come
//   NextOrder    the same, while it is closed      the next message's place in the order of all
//   LooksLike    any thread                        a guess how many have come
//   LooksFull    any thread                        a guess that the mailbox has room and the arrays none
//   Room         any thread                        a guess how many may come in
//
// With one lock for both ends, a sender and a receiver on two cores take it from each other for each
// message. Here the senders have a lock and lines of their own, and the receiver comes for all that has
// gathered at once, when it has nothing left: it meets a sender once for many messages. (Two locks for
// two ends: Michael and Scott, "Simple, fast, and practical non-blocking and blocking concurrent queue
// algorithms", PODC 1996. Theirs share a list, and neither end knows its length; here the bound is
// exact, since room is given to the senders in advance.)
//
// What gathers is an array of pointers and not a list: the messages lie in the senders' caches, and a
// receiver that has all pointers fetches many of them at once, where in a list each miss must end before
// the next can begin. There are two arrays, so that senders fill one while the receiver reads the other.
// They are short until one has been full: most mailboxes never hold much.
//
// Ordering     Messages have the order of their Puts; all of them come after what was in the mailbox
//              when the way was opened, and before what is put there after Close.
// Lock order   The mailbox's lock comes first: Collect and Close are called under it, and Put takes its
//              lock alone.
//
// I1  room_ is what may still come in. Open, which follows a Close, and Collect set it, Put counts it
//     down, Close makes it 0: all but Open under lock_.
// I2  From Close to Open nobody gets in. So all but room_ is guarded by the mailbox's lock then, and by
//     lock_ from Open to Close.
// I3  Of the two arrays one is being filled, under lock_. The other is the mailbox's lock's.
#ifndef TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_
#define TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
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
    MailLane::Stamp(e, {++last_order_, now_ms}, nullptr);
    batches_[filling_].came[count_] = &e;
    count_ = count_ + 1;
    room_.store(room - 1, std::memory_order_relaxed);  // relaxed: the next Put has the lock (I1)
    return true;
  }

  // `most`: may wait in the mailbox, and fewer than that do, in its `lane`.
  void Open(uint64_t incarnation, const MailLane& lane, size_t most) {
    incarnation_ = incarnation;
    const uint32_t room = RoomFor(lane, 0, most);
    opened_for_.store(room, std::memory_order_relaxed);  // relaxed: for the guesses below
    // Release: what the holders of the mailbox's lock wrote here; pairs with the acquire in Put (I2).
    room_.store(room, std::memory_order_release);
  }

  // Both append what came to `lane`, and say how many that were.
  size_t Collect(MailLane& lane, size_t most) {
    return TakeAll(lane, [&](uint32_t came) { return RoomFor(lane, came, most); });
  }
  size_t Close(MailLane& lane) {
    return TakeAll(lane, [](uint32_t) { return 0; });
  }

  uint32_t NextOrder() { return ++last_order_; }
  // A mailbox begins here.
  void Begin() {
    last_order_ = 0;
    for (Batch& batch : batches_) {
      if (batch.size != kFew) batch = Batch(kFew);
    }
  }

  uint32_t LooksLike() const {
    const uint32_t room = Room();
    const uint32_t opened_for = OpenedFor();
    return opened_for > room ? opened_for - room : 0;
  }
  bool LooksOpen() const { return OpenedFor() != 0; }
  bool LooksFull() const { return Room() == 0 && OpenedFor() == kMost; }
  uint32_t Room() const { return room_.load(std::memory_order_relaxed); }  // relaxed: see Open

 private:
  // A sender that finds so many goes through the mailbox's lock.
  static constexpr uint32_t kFew = 16;
  static constexpr uint32_t kMost = 256;
  static constexpr uint32_t kGrowth = 4;

  struct Batch {
    Batch() = default;
    explicit Batch(uint32_t n) : came(new Envelope*[n]), size(n) {}
    void Grow() {
      const uint32_t n = std::min(kGrowth * size, kMost);
      Envelope** const larger = new (std::nothrow) Envelope*[n];
      if (larger == nullptr) return;
      came.reset(larger);
      size = n;
    }

    std::unique_ptr<Envelope*[]> came;
    uint32_t size = 0;
  };

  uint32_t OpenedFor() const {
    return opened_for_.load(std::memory_order_relaxed);  // relaxed: see Open
  }
  uint32_t RoomFor(const MailLane& lane, uint32_t came, size_t most) const {
    const size_t depth = lane.depth() + came;
    const size_t size = batches_[filling_].size;
    return depth < most ? static_cast<uint32_t>(std::min(most - depth, size)) : 0;
  }

  template <class F>
  size_t TakeAll(MailLane& lane, F room_after) {
    Batch& batch = batches_[filling_];
    uint32_t count;
    {
      const ShortLockHolder lock(lock_);
      count = std::exchange(count_, 0);
      filling_ ^= 1;
      const uint32_t room = room_after(count);
      // Relaxed, both: whoever is in Put has the lock, and whoever is not looks again there (I1).
      room_.store(room, std::memory_order_relaxed);
      opened_for_.store(room, std::memory_order_relaxed);
    }
    for (uint32_t i = 0; i < count; ++i) lane.Link(*batch.came[i]);  // I3
    if (count == batch.size && count < kMost) batch.Grow();
    return count;
  }

  // No guards that Clang could check: they change with I2 and I3.
  ShortLock lock_;
  std::atomic<uint32_t> room_{0};
  std::atomic<uint32_t> opened_for_{0};
  uint32_t last_order_ = 0;
  uint32_t count_ = 0;    // of those in the array that is being filled
  uint32_t filling_ = 0;  // changed under both locks
  uint64_t incarnation_ = 0;
  alignas(64) std::array<Batch, 2> batches_;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAIL_INTAKE_H_
