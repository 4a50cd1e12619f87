// PersistentConnection: a connection that is dialled again when it is lost, and names that are found again
// then.
#ifndef TROUPE_RUNTIME_BRIDGES_PERSISTENT_CONNECTION_H_
#define TROUPE_RUNTIME_BRIDGES_PERSISTENT_CONNECTION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/send_result.h"
#include "troupe/actors/supervisor_options.h"
#include "troupe/runtime/bridges/internal/late_binding.h"
#include "troupe/runtime/bridges/internal/redial.h"
#include "troupe/runtime/bridges/peer.h"

namespace troupe {

struct MaintainOptions {
  // What lies between the loss of a connection, or a try that failed, and the next try. It begins with
  // `min` again after a connection that stood for longer than `reset_after`. `min` is at least 1 ms.
  Backoff backoff = {.min = absl::Milliseconds(100)};
  absl::Duration reset_after = absl::Seconds(10);
  absl::Duration dial_timeout = kDefaultAskTimeout;  // of one try
  // Of the jitter, for tests. Unset: drawn at random.
  std::optional<uint64_t> seed = std::nullopt;
};

// What becomes of a message for a late-bound name while nobody can be found by it.
enum class WhenAbsent : uint8_t {
  kWait,  // it waits in the mailbox of the Recipient, with those that come after it
  kFail,  // it is a dead letter, and an ask fails with kUnavailable at once
};

struct FindLateOptions {
  WhenAbsent when_absent = WhenAbsent::kWait;
  // Of that mailbox, as ActorOptions::capacity and when_full. kBlock would hold up senders for as long
  // as the other node is away.
  uint32_t capacity = 1024;
  WhenFull when_full = WhenFull::kFail;
};

// Node::Maintain makes one. An actor of its own dials, watches the connection, and dials again, with
// exponential backoff and jitter, until it is told to stop or the Node is destroyed.
//
//   absl::StatusOr<troupe::PersistentConnection> bank = node.Maintain("unix:///run/bank.sock");
//   troupe::Recipient<Deposit, Balance> alice = bank->FindLate<Deposit, Balance>("bank/alice");
//   alice.Send(Deposit{100});          // waits until the bank is there, and is sent then
//
// What it does not do: what was under way when a connection broke is lost, as with any connection, and that it
// broke is announced; for messages that must get there take a ReliableSender (reliable.h). Refs found before
// stay dead (IsNodeLost): only a late-bound one finds its actor again.
//
// Both sides may maintain a connection with each other: there is one, whoever has dialled it (node.h).
//
// Thread safety  A value: copy it to any thread and use it there.
// Ownership      None: that it is dialled goes on without it.
// Errors         What cannot be dialled is tried again for ever; who wants to give up has Connected's
//                timeout. Once it has been stopped, or the Node has gone, asks fail (kAborted, kUnavailable).
// Lifetime       Valid while the System lives.
class PersistentConnection {
 public:
  PersistentConnection() = default;  // with nobody

  // The node at the other end, as soon as there is a connection. As any ask.
  PendingAsk<Peer> Connected(absl::Duration timeout = kDefaultAskTimeout) const {
    return redial_.Ask(internal::AwaitPeer{}, timeout);
  }

  // As Node::Subscribe, of this connection alone. What a subscriber has to say anew to whoever is there now
  // is said when PeerUp comes.
  void Subscribe(const Recipient<PeerUp, PeerDown>& subscriber) const {
    redial_.Send(internal::SubscribeToPeers{subscriber});
  }
  void Unsubscribe(const AnyRef& subscriber) const {
    redial_.Send(internal::UnsubscribeFromPeers{subscriber});
  }

  // Whoever has this name at the other end, for these messages, found again whenever the connection has come
  // back or he has ended. It is an ordinary Recipient, of a small actor in front of the remote one.
  //
  // Policy    Nobody is there: FindLateOptions. Neither is silent: what waits can be seen by the sender
  //           once the mailbox is full, and by an ask's deadline.
  //           While the one who was found has a full mailbox here (NodeOptions::capacity), messages wait in
  //           that of the name, too, which looks for room every millisecond. No worker is held up.
  // Identity  From one message to the next it may be another actor, in another process, that knows nothing of
  //           the messages before. Whoever must know watches the connection (Subscribe).
  // Follows   The end of an actor, not another's being published while the first one lives.
  // Order     That of the Sends, as long as it is the same actor. What was sent before a loss may be
  //           lost, and what was sent after it not.
  // End       With the PersistentConnection: what waits then is a dead letter, and watchers are told.
  // Cost      An actor of some 500 bytes; one hop more than a Recipient that Find returns.
  template <class... Ms>
  Recipient<Ms...> FindLate(std::string_view name, FindLateOptions options = {}) const {
    return internal::SpawnLateBinding<Ms...>(redial_, name,
                                             options.when_absent == WhenAbsent::kWait,
                                             options.capacity, options.when_full);
  }

  // For Watch: the end of it, with kNormal. Not that of one connection.
  AnyRef ref() const { return redial_; }

  // Nothing is dialled any more. A connection that stands stays: that is Peer::Disconnect's.
  void Stop() const { redial_.Stop(); }

  // For the framework.
  explicit PersistentConnection(ActorRef<internal::Redial> redial) : redial_(redial) {}

 private:
  ActorRef<internal::Redial> redial_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_PERSISTENT_CONNECTION_H_
