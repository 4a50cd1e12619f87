// FixedMailbox<T, kCapacity>: messages of a fixed size, in a ring that lies in the object itself.
//
//   troupe::FixedMailbox<Tick, 1024> ticks;            // a member, a static, a page
//   ticks.Send(Tick{7, 99.5});                         // one thread
//   absl::StatusOr<Tick> tick = ticks.Receive();       // another
//   std::optional<Tick> next = ticks.TryReceive();     // or a handler, which does not wait
//
// Take it between two that exchange small values all the time, and where nothing may be allocated: in a
// device's thread, for samples, for prices. It is not for messages with strings or vectors, nor for
// several senders or receivers, names, policies, dead letters, or co_await: that is what a mailbox is
// for (mailbox.h), which an actor also need not poll.
//
// Limits       The capacity is a power of two. What is refused is counted nowhere. A Send that waits
//              has no deadline. On the thread that turns a ManualScheduler Receive and Send sleep like
//              anywhere: what they wait for must not be up to an actor of that loop. There say Try....
// Ends         At most one thread sends at a time, and one receives; each end may pass to another thread
//              if what one did happens before what the next does. Why not several of either: it takes
//              nothing more than a store to publish a message, so a sender that dies half-way has simply
//              not sent, where it would hold up all the others if senders shared a counter. Several
//              senders take a FixedMailbox each.
// Messages     FixedSize<T>: a copy of its bytes is the message.
// Layout       Standard layout, without pointers; every index is cut to the ring before it is used,
//              whatever the other end has written. So it can lie in memory that is shared, and then
//              Try... works between processes. What waits wakes threads of its own process only.
// Order        That of the Sends. Capacity: exact.
// Visibility   All the sender did before is visible to who has received the message.
// Cost         Neither allocates nor locks. A send and a receive are each a copy, a store, and one
//              interlocked instruction, to see whether the other end sleeps; a look at the other end's
//              line is taken only when the ring seems full, or empty.
//
// A ring with free-running counters, of which each end keeps the other's as it last saw it: Lamport,
// "Specifying Concurrent Program Modules", 1983; the copies: Lee, Bu and Chandranmenon, "A Lock-Free,
// Cache-Efficient Shared Ring Buffer for Multi-Core Architectures", ANCS 2009.
//
// F1  sent_ and received_ are each written by one end alone, and 0 <= sent_ - received_ <= kCapacity
//     (modulo 2^32).
// F2  A slot belongs to the receiver from the store to sent_ that covers it to the store to received_
//     that does, and to the sender otherwise.
#ifndef TROUPE_ACTORS_FIXED_MAILBOX_H_
#define TROUPE_ACTORS_FIXED_MAILBOX_H_

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/internal/patience.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/event_count.h"
#include "troupe/core/futex.h"

namespace troupe {

namespace internal {

// The language forbids to make, while compiling, a T out of bytes if there is a pointer, a reference or
// a union anywhere in it.
template <class T>
concept MadeOfBytes = requires {
  typename std::bool_constant<(
      static_cast<void>(std::bit_cast<T>(std::array<std::byte, sizeof(T)>{})), true)>;
};

}  // namespace internal

// A type whose bytes say it all: trivially copyable, and nowhere in it a pointer or a reference, which
// would mean nothing elsewhere; nor a union or a bit-field, where one cannot tell. If it has
// constructors one of them must be constexpr.
template <class T>
concept FixedSize = std::is_trivially_copyable_v<T> && internal::MadeOfBytes<T>;

template <class T, size_t kCapacity>
class FixedMailbox {
  static_assert(
      FixedSize<T>,
      "Troupe: a message of a FixedMailbox must be trivially copyable, without pointers, "
      "references, unions and bit-fields (and have a constexpr constructor, if any); take a "
      "mailbox (mailbox.h) for others.");
  static_assert(std::has_single_bit(kCapacity) && kCapacity <= uint32_t{1} << 31,
                "Troupe: the capacity of a FixedMailbox must be a power of two, at most 2^31.");

 public:
  FixedMailbox() = default;
  FixedMailbox(const FixedMailbox&) = delete;
  FixedMailbox& operator=(const FixedMailbox&) = delete;

  static constexpr size_t capacity() { return kCapacity; }

  // ---- the sender

  // kQueued, kClosed. Waits while it is full; in a handler, which must not wait: kFull.
  SendResult Send(const T& message) {
    SendResult result = TrySend(message);
    if (result == SendResult::kFull && internal::MayWaitHere().ok()) {
      internal::LookFor(kLooking, [this] { return kCapacity - depth(); });
      const auto is_done = [&] { return (result = TrySend(message)) != SendResult::kFull; };
      if (!is_done()) room_.Await(is_done);
    }
    return result;
  }
  // kQueued, kFull, kClosed.
  SendResult TrySend(const T& message) {
    // Relaxed: whoever has been told of the Close has the order from there.
    if (closed_.load(std::memory_order_relaxed) != 0) return SendResult::kClosed;
    const uint32_t sent = sent_.load(std::memory_order_relaxed);  // relaxed: our own (F1)
    if (sent - received_seen_ >= kCapacity) {
      // Acquire: the receiver is done with the slots; pairs with the release in TryReceive (F2).
      received_seen_ = received_.load(std::memory_order_acquire);
      if (sent - received_seen_ >= kCapacity) return SendResult::kFull;
    }
    slots_[sent % kCapacity] = std::bit_cast<Slot>(message);
    sent_.store(sent + 1,
                std::memory_order_release);  // release: the slot; pairs with TryReceive (F2)
    mail_.NotifyOne();
    return SendResult::kQueued;
  }

  // ---- the receiver

  // kDeadlineExceeded    nothing came in time
  // kUnavailable         it is closed, and nothing is left
  // kFailedPrecondition  in a handler, if there is nothing now
  absl::StatusOr<T> Receive(absl::Duration timeout = absl::InfiniteDuration()) {
    std::optional<T> message;
    bool ended = false;
    const auto look = [&] {
      // Acquire: what was sent before Close; pairs with the release there. So it comes first.
      ended = closed_.load(std::memory_order_acquire) != 0;
      message = TryReceive();
      return message.has_value() || ended;
    };
    if (!look()) {
      if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
      if (timeout > absl::ZeroDuration()) internal::LookFor(kLooking, [this] { return depth(); });
      if (!look()) mail_.Await(look, SteadyDeadline(timeout));
    }
    if (message.has_value()) return *message;
    if (ended) return absl::UnavailableError("the mailbox is closed");
    return absl::DeadlineExceededError("no message before the deadline");
  }
  // What is there now, or nothing.
  std::optional<T> TryReceive() {
    const uint32_t received = received_.load(std::memory_order_relaxed);  // relaxed: our own (F1)
    if (received == sent_seen_) {
      // Acquire: the slots; pairs with the release in TrySend (F2).
      sent_seen_ = sent_.load(std::memory_order_acquire);
      if (received == sent_seen_) return std::nullopt;
    }
    const T message = std::bit_cast<T>(slots_[received % kCapacity]);
    // Release: we are done with the slot; pairs with the acquire in TrySend (F2).
    received_.store(received + 1, std::memory_order_release);
    room_.NotifyOne();
    return message;
  }

  // ---- any thread

  // Sends are kClosed from now on, and what is there can still be received. A Send at the same time may
  // still succeed.
  void Close() {
    closed_.store(1, std::memory_order_release);  // release: pairs with the acquire in Receive
    mail_.NotifyAll();
    room_.NotifyAll();
  }
  // A guess while others use it.
  size_t depth() const {
    // Relaxed: see above.
    return sent_.load(std::memory_order_relaxed) - received_.load(std::memory_order_relaxed);
  }

 private:
  struct alignas(T) Slot {
    std::array<std::byte, sizeof(T)> bytes;
  };

  // The other end is usually some 100 ns away, and a sleep takes 50 times that.
  static constexpr std::chrono::microseconds kLooking{5};

  // The sender's line.
  alignas(128) std::atomic<uint32_t> sent_{0};
  uint32_t received_seen_ = 0;
  EventCount mail_;  // tells the receiver
  // The receiver's line.
  alignas(128) std::atomic<uint32_t> received_{0};
  uint32_t sent_seen_ = 0;
  EventCount room_;  // tells the sender
  // Hardly ever written.
  alignas(128) std::atomic<uint32_t> closed_{0};
  alignas(128) std::array<Slot, kCapacity> slots_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_FIXED_MAILBOX_H_
