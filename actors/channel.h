// OpenChannel, ChannelEnd<Out, In>: a link of exactly two, one at either end.
#ifndef TROUPE_ACTORS_CHANNEL_H_
#define TROUPE_ACTORS_CHANNEL_H_

#include <concepts>
#include <cstdint>
#include <optional>
#include <source_location>
#include <utility>

#include "absl/time/time.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/mailbox_options.h"
#include "troupe/actors/received.h"
#include "troupe/actors/send_result.h"

namespace troupe {

// One end: sends Outs and receives Ins, which the other end sends.
//
//   auto [client, server] = troupe::OpenChannel<Request, Answer>(system);
//   client.Send(Request{7});
//   absl::StatusOr<troupe::Received<Answer>> answer = co_await client.Receive();
//
// An end has one owner: it can be moved, also in a message, and cannot be copied or shared, so nobody
// else can send or receive here. If one end is destroyed the other learns of it: what was sent before
// can still be received, then receives are kUnavailable, and sends kClosed at once.
//
// It has two mailboxes (mailbox.h), one for each direction, and sending, receiving, waiting and giving up
// are as with these. Who has several ends waits for all of them by Select, or, in an actor, by ListenTo,
// which takes the right to receive out of the end and leaves that to send:
//
//   auto next = co_await Select(alice_, bob_);                          // select.h
//   void OnStart(Context& self) { ListenTo(this, self, alice_, bob_); } // listen.h; alice_.Send(...)
//
// What it has not: a name and an owner, policies (a full direction lets its sender wait), asks, shares,
// attenuated rights, and Close; and an end cannot go to another node.
template <class Out, class In>
class ChannelEnd {
 public:
  using Message = In;

  ChannelEnd() = default;                  // of no channel
  ChannelEnd(const ChannelEnd&) = delete;  // std::move it: each end has one owner
  ChannelEnd(ChannelEnd&& other) noexcept
      : out_(std::exchange(other.out_, {})), in_(std::move(other.in_)) {}
  ChannelEnd& operator=(ChannelEnd&& other) noexcept {
    if (this != &other) {
      Close();
      out_ = std::exchange(other.out_, {});
      in_ = std::move(other.in_);
    }
    return *this;
  }
  ~ChannelEnd() { Close(); }

  SendResult Send(Out message, std::source_location where = std::source_location::current()) {
    return out_.Send(std::move(message), where);
  }
  SendResult TrySend(Out&& message, std::source_location where = std::source_location::current()) {
    return out_.TrySend(std::move(message), where);
  }
  SendResult TrySend(const Out& message,
                     std::source_location where = std::source_location::current())
    requires std::copy_constructible<Out>
  {
    return out_.TrySend(message, where);
  }
  PendingSend Enqueue(Out message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) {
    return out_.Enqueue(std::move(message), timeout, where);
  }
  PendingSend Deliver(Out message, absl::Duration timeout = absl::InfiniteDuration(),
                      std::source_location where = std::source_location::current()) {
    return out_.Deliver(std::move(message), timeout, where);
  }
  PendingReceive<In> Receive(absl::Duration timeout = absl::InfiniteDuration()) {
    return in_.Receive(timeout);
  }
  std::optional<Received<In>> TryReceive() { return in_.TryReceive(); }
  // Until the other end is destroyed.
  PendingClose Closed(absl::Duration timeout = absl::InfiniteDuration()) const {
    return out_.Closed(timeout);
  }
  // Of the messages that go out, and of those that come in; after ListenTo has the right to receive it
  // is the other end's out_stats.
  MailboxStats out_stats() const { return out_.stats(); }
  MailboxStats in_stats() const { return in_.stats(); }
  explicit operator bool() const { return static_cast<bool>(out_); }

  // For the framework.
  ChannelEnd(Sender<Out> out, Receiver<In> in) : out_(out), in_(std::move(in)) {
    internal::Refer(out_.id());
  }
  internal::MailSource source() { return in_.source(); }
  Receiver<In> TakeReceiver() { return std::move(in_); }

 private:
  void Close() {
    if (!out_) return;
    internal::CloseForSending(out_.id());
    internal::Unrefer(out_.id());
  }

  Sender<Out> out_;
  Receiver<In> in_;
};

// `where` is a System or a Context. `capacity` is for each direction; 0 makes both sides meet.
template <class A, class B, class Opener>
std::pair<ChannelEnd<A, B>, ChannelEnd<B, A>> OpenChannel(Opener& where,
                                                          uint32_t capacity = kUnbounded) {
  auto there = where.template OpenMailbox<A>("", {.capacity = capacity});
  auto back = where.template OpenMailbox<B>("", {.capacity = capacity});
  return {ChannelEnd<A, B>(there.sender, std::move(back.receiver)),
          ChannelEnd<B, A>(back.sender, std::move(there.receiver))};
}

}  // namespace troupe

#endif  // TROUPE_ACTORS_CHANNEL_H_
