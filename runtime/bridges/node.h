// Node: what makes the actors of a System reachable from other processes, and theirs from here.
#ifndef TROUPE_RUNTIME_BRIDGES_NODE_H_
#define TROUPE_RUNTIME_BRIDGES_NODE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/recipient.h"
#include "troupe/runtime/bridges/internal/handover.h"
#include "troupe/runtime/bridges/internal/ref_codec.h"
#include "troupe/runtime/bridges/link.h"
#include "troupe/runtime/bridges/node_options.h"
#include "troupe/runtime/bridges/peer.h"
#include "troupe/runtime/bridges/persistent_connection.h"

namespace troupe {

class System;

namespace internal {
class NodeCore;
class NodeActor;
}  // namespace internal

namespace internal {
struct Dial {
  using Reply = Peer;
  std::string address;
};
struct AttachLink {
  using Reply = Peer;
  std::unique_ptr<Link> link;
};
}  // namespace internal

struct ListenOptions {
  // Let a tcp:// address be one that other machines reach, where anybody can connect, and read and change
  // what is said. Refused unless asked for. (tls:// needs it not.)
  bool plaintext_beyond_loopback = false;
};

//   troupe::System system;
//   troupe::Node node(system, {.name = "bank"});
//   absl::Status published = node.Publish<Deposit, Balance>("bank/alice", account);
//   absl::StatusOr<std::string> at = node.Listen("unix:///run/bank.sock");
//
// and in another process:
//
//   troupe::Node node(system);
//   absl::StatusOr<troupe::Peer> bank = node.Connect("unix:///run/bank.sock").Wait();
//   absl::StatusOr<troupe::Recipient<Deposit, Balance>> alice =
//       bank->Find<Deposit, Balance>("bank/alice").Wait();
//   alice->Send(Deposit{100});
//   absl::StatusOr<int64_t> cents = alice->Ask(Balance{}).Wait();
//
// A remote actor is reached by an ordinary Recipient, whose place() tells where it is. In this process it is an
// actor whose handlers write to the connection, so what is said of Recipients holds, with these differences:
//
// Messages     Structs of values, see codec.h. Recipients, AnyRefs and Senders in them go along, and give the
//              reader the right to send there, and no more than that; Receivers move there. Not ActorRefs: they
//              name the class, and so work in their own process only.
// Send         kQueued: it will be sent, if the connection lives so long. The capacity and policy are
//              NodeOptions::capacity and when_full, towards each remote actor.
// Delivery     At most once. What was under way when a connection breaks is lost, and that it broke is
//              announced: pending asks fail and proxies end at once (IsNodeLost). reliable.h sends again. At the other side a message
//              that finds a bounded mailbox full is refused whatever its policy, as by TrySend: a dead letter
//              there, and an ask learns kResourceExhausted. One that is longer than the other node takes
//              (NodeOptions::max_frame) is a dead letter here, and an ask learns kInvalidArgument.
// Order        From one sender to one remote actor: that of the Sends. But what an actor sends to one
//              remote actor, and its answer to another's ask, and the Down that tells of its end, have no
//              order among each other.
// Large ones   A message of more than 66 KiB travels in pieces of 64 KiB, and what is sent to others meanwhile, or
//              answered, or a sign of life, goes between them; what follows it to the same actor goes behind it.
//              Up to NodeOptions::max_frame there; beyond that it is a dead letter here, and an ask learns
//              kInvalidArgument. It is in memory as a whole at both ends: gigabytes are better sent as many messages.
// Slow peers   A message leaves the sender's side only if the receiver's side has room for it, within
//              NodeOptions::window for each connection, which is given back when a handler begins with it. So
//              neither side keeps more than its options say; what does not fit waits in the mailbox of the
//              remote actor here, and then its policy says what becomes of it.
//              A receiver that reads nothing, an actor or a mailbox, holds up nobody else: it has half of the
//              window at most, and of k of them 1/(k + 1) is left to others. A message that is larger than what is
//              left takes all of that, and then the others wait until it is received.
// Memory       An idle connection keeps no buffers. With glibc's malloc the first Node makes the process keep
//              some MiB more of freed memory before it goes back to the system (event_loop.cc says why);
//              mallopt or MALLOC_TRIM_THRESHOLD_ set by the program stand.
// Deadlines    Travel with an ask, as a duration, so clocks need not agree; Context::deadline() tells them.
// Sender       Context::sender() is nobody. Who wants an answer asks, or sends a Recipient along.
// Watch        As ever. A Down names as class and name those of the proxy; kShutdown there is kFailed here.
// Connections  One for each pair of nodes (and what each has proved to be: one over tls:// is not answered
//              with one over tcp://). It does not come back, unless Maintain dials again; refs that
//              came over it do not, unless FindLate made them (persistent_connection.h).
// Identity     One actor has one ref on each connection, so refs that have come over the same one can be
//              compared. A ref that goes back to its own node is that actor's own ref there.
// Mailboxes    A Sender from there sends to that mailbox. In this process it is a mailbox of its own, with
//              NodeOptions::capacity and when_full, that is emptied towards the other one: Deliver waits
//              until a message leaves it, and stats() tells of what is in it. There a message is as one
//              by Deliver, which waits for room unless it is an ask: the mailbox's own policy decides, and the
//              credit comes back when somebody has received it. So nobody fills a mailbox that is not read
//              beyond the window. (With kAll it comes back when the message is in.) Closing it there closes it here,
//              and so does the loss of the node, which is what those who wait are then told (IsNodeLost).
//              With kExclusivePair all on a connection are one sender.
// Receivers    A Receiver in a message goes with the backlog, and senders do not notice. The mailbox stays; its
//              messages follow, with their asks, 16 at most ahead of what has been received there, where
//              they are in a mailbox of their own: stats() and shares are of that one, and so is what Close
//              counts. The new owner's end is that of the mailbox, as ever, and so is the loss of his node: then
//              what has not gone is dead letters, and what has gone and was not received is lost with it. (One
//              of the system's keeps what has not gone, for AttachReceiver.) If the node of the mailbox is
//              lost, what has come can be received, and then it is closed. With kOneAtATime an owner over
//              there is one who receives all the time.
// Passing on   A ref from one node may be sent to a third, as if it were of this one. What is sent by it comes
//              by here, is decoded and encoded again, and keeps the order of its sender; it is bounded by the
//              windows on its way, whatever this node's capacity (of a Sender: when_full says what becomes of
//              what finds no room here). Nobody has to trust, or be able to dial, more than before; but it
//              ends with this node, or its connections (IsNodeLost). A ref that goes home by the way it came
//              is the actor's own; by another way it leads round, and is another ref. A Receiver leads over
//              all the nodes where it has been.
//
// Nothing can be reached from outside but what is published, or handed out in a message. A peer that breaks
// the protocol, exceeds a limit or sends bytes that are not what they should be is cut off, with a reason.
//
// Thread safety  All functions from any thread.
// Ownership      Keeps no actor alive. Must be destroyed before its System; the destructor closes all
//                connections and waits until their last events have been handled. Not to be destroyed in a
//                handler. A host name that is being looked up is not waited for: its thread ends by itself, as
//                late as resolv.conf says, for the C library's resolver cannot be interrupted.
// Threads        Sockets are served by a worker of the System that has nothing else to do: what arrives is then
//                handled where it was read, and nobody has to be woken. By a thread of the node's when the
//                workers have much to do, or none comes for a millisecond (what arrives just when one has begun
//                a long handler waits that long); for a System on another scheduler; and for all nodes of a
//                System but the oldest. Or by the host (NodeOptions::io_context).
class Node {
 public:
  explicit Node(System& system, NodeOptions options = {});
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node();

  // Peers may find `who`, an ActorRef or Recipient, by this name and send it these messages. Replaces
  // whoever had the name; who has found him already keeps him. kInvalidArgument: the name is empty, `who`
  // is nobody, or two of the messages have names of the same hash.
  template <class... Ms>
  absl::Status Publish(std::string_view name, const std::type_identity_t<Recipient<Ms...>>& who,
                       PublishOptions options = {}) {
    const auto routes = internal::RoutesOf(who);
    return PublishRoutes(
        name,
        {.who = {who}, .routes = {routes.begin(), routes.end()}, .options = std::move(options)});
  }
  // The same for a mailbox, which peers find with FindMailbox: the right to send to it.
  //
  //   auto [jobs, inbox] = system.OpenMailbox<Job>();
  //   absl::Status published = node.PublishMailbox("jobs", jobs);
  //   ...
  //   absl::StatusOr<troupe::Sender<Job>> jobs = peer->FindMailbox<Job>("jobs").Wait();
  template <class M>
  absl::Status PublishMailbox(std::string_view name, const Sender<M>& to,
                              PublishOptions options = {}) {
    const auto routes = internal::RoutesOf(to);
    return PublishRoutes(name, {.who = {{}, to.id()},
                                .routes = {routes.begin(), routes.end()},
                                .options = std::move(options)});
  }
  // False: nobody had it.
  bool Unpublish(std::string_view name);

  // unix://PATH, tcp://HOST:PORT, or tls://HOST:PORT (tls.h); port 0: one that is free. Returns the address,
  // with the port. It serves until the Node is destroyed. kInvalidArgument: no such address.
  // kPermissionDenied: ListenOptions. kFailedPrecondition: tls:// without NodeOptions::tls. kUnavailable:
  // what the system says.
  absl::StatusOr<std::string> Listen(std::string_view address, ListenOptions options = {});

  // Connects and shakes hands. As any ask: Wait(), Then(self, f), co_await; its errors, and
  // kInvalidArgument, kFailedPrecondition, kUnavailable as for Listen. kUnauthenticated: the other is not
  // who the address says, or nobody whom we trust, or does not trust us. kFailedPrecondition: it is this
  // node itself. Two nodes have one connection: if there is one with that node already, because it was
  // dialled before, from there, or from both sides at once, that is the answer, and this one is closed.
  // Who has not answered by the end of `timeout` is not waited for any longer, and the socket is closed.
  PendingAsk<Peer> Connect(std::string_view address,
                           absl::Duration timeout = kDefaultAskTimeout) const;

  // Connects, and again whenever the connection is lost, until it is told to stop or the Node is destroyed;
  // see persistent_connection.h. kInvalidArgument: no such address, or options out of range. kCancelled: the
  // system is shutting down.
  absl::StatusOr<PersistentConnection> Maintain(std::string_view address,
                                                const MaintainOptions& options = {});

  // The same over links of the caller's. `dial` is called by an actor, for each try, and must not block. Not
  // any more when the PersistentConnection has ended (Join its ref), or the destructor or Drain of this Node
  // has returned.
  PendingAsk<Peer> Attach(std::unique_ptr<Link> link,
                          absl::Duration timeout = kDefaultAskTimeout) const;
  void Serve(std::unique_ptr<Link> link);
  using DialLink = std::function<absl::StatusOr<std::unique_ptr<Link>>()>;
  absl::StatusOr<PersistentConnection> Maintain(DialLink dial, const MaintainOptions& options = {});

  // Tells `subscriber` of every node that comes (PeerUp, for those that are connected at once) and goes
  // (PeerDown), whoever dialled. In order, without blocking: a full mailbox loses events, as dead letters.
  // Not told of the end of this Node, or that it drains. Subscribing twice is subscribing once.
  void Subscribe(const Recipient<PeerUp, PeerDown>& subscriber);
  void Unsubscribe(const AnyRef& subscriber);

  // For a graceful end, before the destructor, by a plain thread. In this order: nobody is let in or dialled
  // any more, and Maintain has an end; what waits for remote actors is sent, and later sends to them are
  // kClosed; asks are answered, ours and theirs; what is to be written is written; each peer is told Bye, and
  // closes. Meanwhile messages from there are handled as ever. What a peer had on its way when it read Bye
  // is lost, and announced to its senders. kDeadlineExceeded: at the deadline something was left, and
  // was cut off as the destructor does. Looks every millisecond.
  absl::Status Drain(absl::Duration timeout);

  NodeId id() const;

  struct Stats {
    size_t connections = 0;
    size_t half_open = 0;  // of these, by peers that shake hands
    uint64_t refused = 0;  // peers that were cut off, or not let in
    std::string last_refusal = {};
  };
  Stats stats() const;

 private:
  absl::Status PublishRoutes(std::string_view name, internal::Published published);

  std::unique_ptr<internal::NodeCore> core_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_NODE_H_
