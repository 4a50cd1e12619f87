// ReliableSender<M> and ReliableReceiver<M>: a channel that survives the loss of connections. What goes in
// comes out once and in order, while both actors live; and if one does not, that is told.
#ifndef TROUPE_RUNTIME_BRIDGES_RELIABLE_H_
#define TROUPE_RUNTIME_BRIDGES_RELIABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/hold.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/reply.h"
#include "troupe/actors/send_result.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/reliable_inbound.h"
#include "troupe/runtime/bridges/internal/reliable_outbound.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/runtime/bridges/persistent_connection.h"
#include "troupe/runtime/bridges/reliable_port.h"

namespace troupe {

struct ReliableOptions {
  // Messages; at least 1. Well below NodeOptions::max_requests of the other node, and its capacity here.
  uint32_t window = 256;
  absl::Duration give_up_after = absl::Minutes(5);  // as long as TCP (RFC 793, user timeout)
};

// Asked of a ReliableSender: answered when all that was sent to it before has been acknowledged.
struct ReliableFlush {
  using Reply = void;
};

// The way to a receiver that has this name at the other end of the connection, whenever that is there.
inline ReliablePort FindReliable(const PersistentConnection& connection, std::string_view name) {
  return connection.FindLate<ReliableResume, ReliableSegment, ReliableEnd>(name);
}
// As Node::Publish.
inline absl::Status PublishReliable(Node& node, std::string_view name,
                                    const ReliablePort& receiver) {
  return node.Publish<ReliableResume, ReliableSegment, ReliableEnd>(name, receiver);
}

// An ordinary connection delivers at most once: what was under way when it broke is lost. This channel
// numbers the messages, keeps each until it is acknowledged, and sends again what was not when the
// connection is back; the receiver drops what it has had already. Two actors at the edge, made of asks over
// Recipients; connections and nodes know nothing of it.
//
//   // In the process that receives:
//   auto orders = system.Spawn<troupe::ReliableReceiver<Order>>(warehouse);   // a Recipient<Order>
//   absl::Status published = troupe::PublishReliable(node, "orders", orders);
//
//   // In the one that sends:
//   auto there = node.Maintain("tcp://127.0.0.1:7000");
//   auto orders = system.Spawn<troupe::ReliableSender<Order>>(
//       {.capacity = 100}, troupe::FindReliable(*there, "orders"));
//   orders.Send(Order{"pencils", 12});
//
// Where messages may be lost, or where an ask tells the asker what he has to know, take the plain
// Recipient: it costs less. Nothing is on disk: a process that ends takes with it what it has.
//
// Promise    While the sender and the receiver (the two actors) live, each message is put into the
//            mailbox of the receiver's `to` once, and in the order of the sends, however often connections
//            break in between.
// Report     If that cannot be, the sender fails with kDataLoss, and says how many messages, and from which
//            number on, are not acknowledged: of these a first part may have been handled. Each is
//            also a dead letter, and so are those that still waited in the sender and had no number yet, as
//            of any actor that ends. Watch the sender to learn of it. That is so when
//              the receiver has ended, or lives again in another process, or has forgotten the channel,
//              what it passes messages to has ended,
//              a message is longer than the other node takes, or is not what the receiver expects,
//              nothing was acknowledged for ReliableOptions::give_up_after, though something waits.
//            It is not made anew in secret: spawn another sender, which begins a new channel.
// Congestion No reason to fail: what finds no room on the way or there (kResourceExhausted), and whatever
//            else is not final (reliable_port.h), is sent again, after 10 ms at first and 1 s at last, until
//            give_up_after says that it takes too long.
// Flow       At most `window` messages are unacknowledged. Beyond that they wait in the sender's mailbox, and
//            ActorOptions::capacity and when_full say how many and what then: give it a capacity. A message is
//            acknowledged when it is in the mailbox of `to`; a bounded one with kBlock, the default, holds
//            up the channel. (One that refuses is asked again, and each refusal is a dead letter there.)
// Messages   Structs of values, as over any connection, that have no Reply. Refs in them arrive as nobody:
//            a ref belongs to one connection.
// Thread     The sender and the receiver are actors: sent to from any thread.
// Cost       Each message is encoded once and kept as bytes; a frame there and one back; two actors more on
//            the way, one of them on either side.
//
// After the reliable delivery of Akka and the go-back-N protocols of data links (Tanenbaum, "Computer
// Networks", 3.4): the number of the next message that is expected is all that a receiver has to know.
template <class M>
class ReliableSender {
 public:
  explicit ReliableSender(const ReliablePort& to, const ReliableOptions& options = {})
      : to_(to), options_(options) {}

  void OnStart(Context& self) {
    channel_ = self.Spawn<Channel>(to_, MessageHash(TypeName<M>()), &Lose, options_.window,
                                   options_.give_up_after);
    self.Watch(channel_);
  }
  void On(M message, Context& self) { Put(std::move(message), self); }
  void On(ReliableFlush, Reply<void> reply) { channel_.Send(Channel::Flush{std::move(reply)}); }
  void On(const Down& down, Context& self) {
    down.reason != ExitReason::kFailed ? self.Stop() : self.Fail(down.status);
  }

 private:
  using Channel = internal::ReliableOutbound;

  // The channel has said for how many it has room.
  void Put(M message, Context& self) {
    if (room_ > 0) {
      --room_;
      Recipient<Channel::Put>(channel_, {&Carry}).Send(Channel::Put{Encode(message)});
      return;
    }
    HoldUntil(
        self, channel_.Ask(Channel::AwaitRoom{}, absl::InfiniteDuration()),
        [this, message = std::move(message)](absl::StatusOr<uint32_t> room, Context& now) mutable {
          room_ = room.value_or(0);
          if (room_ > 0) return Put(std::move(message), now);
          Recipient<M>().Send(std::move(message));  // the channel has ended: a dead letter
        });
  }

  // An M is that also as a dead letter, and not what carries it here.
  static void Carry(internal::Envelope& e, internal::Delivery& d) {
    if (d.verb != internal::Delivery::Verb::kName) {
      return internal::ThunkFor<Channel, Channel::Put>()(e, d);
    }
    d.message_type = TypeName<M>();
  }
  static void Lose(std::string_view encoded) {
    absl::StatusOr<M> message = Decode<M>(encoded);
    if (message.ok()) Recipient<M>().Send(*std::move(message));
  }

  const ReliablePort to_;
  const ReliableOptions options_;
  ActorRef<Channel> channel_;
  uint32_t room_ = 0;
};

// Passes what comes by channels, from any number of senders, to one actor. It ends when it is stopped, or `to`
// has ended.
template <class M>
class ReliableReceiver {
 public:
  // `max_channels`: how many senders it remembers. If there are more it forgets the one that has been silent
  // longest, whose sender, if it is still there, reports that.
  explicit ReliableReceiver(const Recipient<M>& to, size_t max_channels = 1024)
      : to_(to), inbound_(MessageHash(TypeName<M>()), max_channels) {}

  void OnStart(Context& self) { self.Watch(to_); }
  void On(const Down&, Context& self) { self.Stop(); }
  absl::StatusOr<uint64_t> On(const ReliableResume& m) { return inbound_.Resume(m); }
  absl::StatusOr<uint64_t> On(const ReliableSegment& m) {
    return inbound_.Take(m, [this](std::string_view bytes) -> absl::StatusOr<SendResult> {
      absl::StatusOr<M> message = Decode<M>(bytes);
      if (!message.ok()) return message.status();
      return to_.Send(*std::move(message));
    });
  }
  void On(const ReliableEnd& m) { inbound_.End(m); }

 private:
  const Recipient<M> to_;
  internal::ReliableInbound inbound_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_RELIABLE_H_
