// Router<M...>: sends each message to one of several actors, chosen on the sender's thread.
// Group<M...>: a router whose actors somebody else owns.
#ifndef TROUPE_ACTORS_ROUTER_H_
#define TROUPE_ACTORS_ROUTER_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/ask.h"
#include "troupe/actors/ask_first.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/route_table.h"
#include "troupe/actors/recipient.h"
#include "troupe/actors/routing.h"
#include "troupe/actors/send_result.h"

namespace troupe {

namespace internal {
template <class Actor, class Message>
constexpr void RefuseToRoute() {
  static_assert(kActorAndMessage<Actor, Message>, TROUPE_ERROR_ROUTER_LACKS_MESSAGE);
}
template <class Message>
constexpr void RefuseToSendCopies() {
  static_assert(kMessage<Message>, TROUPE_ERROR_BROADCAST_NOT_COPYABLE);
}
}  // namespace internal

// The actors behind a router are its routees. They share a table, and the sender looks up in it who
// gets the message: no actor and no mailbox is in between, so a router is no bottleneck, and what
// one sender sends to one routee arrives in the order of the Sends.
//
//   troupe::Group<Job> group(troupe::SmallestMailbox{});     // or SpawnPool, see pool.h
//   group.Add(system.Spawn<Worker>());
//   troupe::Router<Job> router = group;                      // to hand out: can send, not change
//   router.Send(Job{7});
//
// Use a router where any routee will do, or where the key says which. Where each message has to go
// through one actor that decides with more knowledge, write that actor. Where the receivers come
// and go and the sender does not care, see topic.h.
//
// A timer sends to a ref, not through a router: let the actor that wants it send to itself, and then
// through the router.
//
// Thread safety  A value: copy it to any thread. One copy may also be used by several threads, but
//                give each sender its own: a copy is what costs (a shared count), and then nothing
//                that a Send writes is shared with other senders but the routee's mailbox.
// Ownership      Copies share the table. They keep no actor alive.
// Order          From one sender to one routee: that of the Sends. What goes to two routees has no
//                order, not even with the same key if a routee came or went in between.
// Errors         No routee: what a Send to an ended actor says, kClosed (and a dead letter, if the
//                sender is an actor); an Ask fails with kUnavailable at once. A routee that has ended
//                is taken out of the table by whoever comes across it, and the message goes to
//                another; if it ends just then, the message is its dead letter. A full routee does
//                what its WhenFull says; the message goes to no other.
// Lifetime       Valid while the Systems of its routees live.
// Cost           24 bytes. Send: ActorRef's, and some 10 ns to choose by RoundRobin or Random
//                (2.2 GHz), 20 by ByKey among 4; and a look at the routee's incarnation, which is a
//                cache miss if it runs on another core.
template <class... Ms>
class Router {
 public:
  static_assert(sizeof...(Ms) > 0, "Troupe: a Router carries at least one message type.");

  Router() = default;  // has no routees
  Router(const Router& other) : table_(other.table_), cursor_(NextStart()) {}
  Router(Router&& other) noexcept
      : table_(std::move(other.table_)), cursor_(other.cursor_.load(std::memory_order_relaxed)) {}
  Router& operator=(Router other) noexcept {
    table_ = std::move(other.table_);
    // Relaxed: see Cursor.
    cursor_.store(other.cursor_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    return *this;
  }

  // As ActorRef::Send: to one routee.
  template <class M>
  SendResult Send(M&& message, std::source_location where = std::source_location::current()) const {
    const internal::Route route = RouteOf(message);
    return internal::SendThrough<Router>(route.to, route.thunk, std::forward<M>(message), where);
  }
  template <class M>
  SendResult TrySend(M&& message,
                     std::source_location where = std::source_location::current()) const {
    const internal::Route route = RouteOf(message);
    return internal::TryThrough<Router>(route.to, route.thunk, std::forward<M>(message), where);
  }

  // As ActorRef::Ask: asks one routee, which is chosen by this call.
  template <class M>
  auto Ask(M&& message, absl::Duration timeout = kDefaultAskTimeout,
           std::source_location where = std::source_location::current()) const {
    using Message = std::decay_t<M>;
    if constexpr (internal::Askable<Message>) {
      const internal::Route route = RouteOf(message);
      return internal::AskThrough<Router>(route.to, route.thunk, std::forward<M>(message), timeout,
                                          where);
    } else {
      internal::RefuseToAsk<Router, Message>();
      return internal::RefusedAsk();
    }
  }

  // A copy to every routee, whatever the strategy. Returns how many have it in their mailbox; what
  // the others did not take are dead letters. A full routee with kBlock blocks the calling thread,
  // and holds up the ones behind it; TryBroadcast never blocks. Where copies are dear, broadcast a
  // std::shared_ptr<const M>. If copying throws, those before have got theirs.
  template <class M>
  size_t Broadcast(const M& message,
                   std::source_location where = std::source_location::current()) const {
    return SendCopies(message, true, where);
  }
  template <class M>
  size_t TryBroadcast(const M& message,
                      std::source_location where = std::source_location::current()) const {
    return SendCopies(message, false, where);
  }

  // Scatter, gather the first: asks every routee with a copy; see PendingAskFirst.
  template <class M>
  auto AskFirst(const M& message, absl::Duration timeout = kDefaultAskTimeout,
                std::source_location where = std::source_location::current()) const {
    if constexpr (!internal::Askable<M>) {
      internal::RefuseToAsk<Router, M>();
      return internal::RefusedAsk();
    } else if constexpr (!std::copy_constructible<M>) {
      internal::RefuseToSendCopies<M>();
      return internal::RefusedAsk();
    } else {
      const std::vector<internal::Route> routes = AllRoutesOf<M>();
      PendingAskFirst<typename M::Reply> ask(timeout);
      ask.Reserve(routes.size());
      for (const internal::Route& route : routes) {
        auto* request = internal::EnvelopeOf<M>::Make(route.thunk, M(message), where);
        ask.Add(route.to, request, &request->reply);
      }
      return ask;
    }
  }

  // How many routees there are, perhaps with some that have ended and were not come across yet.
  size_t size() const { return table_ == nullptr ? 0 : table_->size(); }

 protected:
  explicit Router(std::shared_ptr<internal::RouteTable> table)
      : table_(std::move(table)), cursor_(NextStart()) {}

  internal::RouteTable* table() const { return table_.get(); }

 private:
  template <class M>
  internal::Route RouteOf(const M& message) const {
    if constexpr (internal::kIsOneOf<M, Ms...>) {
      constexpr size_t index = internal::IndexOf<M, Ms...>();
      internal::Route route;
      if (table_ != nullptr) {
        const uint64_t key = table_->by_key() ? table_->KeyOf(index, &message) : 0;
        route = table_->Pick(index, key, cursor_);
      }
      if (!route.to) route.thunk = &internal::DispatchToNobody<M>;
      return route;
    } else {
      internal::RefuseToRoute<Router, M>();
      return {};
    }
  }

  template <class M>
  std::vector<internal::Route> AllRoutesOf() const {
    if constexpr (internal::kIsOneOf<M, Ms...>) {
      if (table_ == nullptr) return {};
      return table_->All(internal::IndexOf<M, Ms...>());
    } else {
      internal::RefuseToRoute<Router, M>();
      return {};
    }
  }

  template <class M>
  size_t SendCopies(const M& message, bool may_block, std::source_location where) const {
    if constexpr (std::copy_constructible<M>) {
      size_t queued = 0;
      for (const internal::Route& route : AllRoutesOf<M>()) {
        const SendResult result =
            may_block ? internal::SendThrough<Router>(route.to, route.thunk, M(message), where)
                      : internal::TryThrough<Router>(route.to, route.thunk, M(message), where);
        queued += result == SendResult::kQueued;
      }
      return queued;
    } else {
      internal::RefuseToSendCopies<M>();
      return 0;
    }
  }

  uint64_t NextStart() const { return table_ == nullptr ? 0 : table_->NextStart(); }

  std::shared_ptr<internal::RouteTable> table_;
  mutable internal::Cursor cursor_{0};  // mutable: where the next Send, which is const, goes
};

// A router over actors that have owners of their own, of whatever classes. Whoever holds a Group may
// change it; hand it out as a Router to those who may only send.
//
//   troupe::Group<Put, Get> shards(troupe::ByKey([](const auto& m) { return m.key; }));
//   for (auto& shard : shard_refs) shards.Add(shard);
//
// Changes take effect for the Sends that begin after them; one that another thread has begun may
// still reach a routee that was removed. Add and Remove take a lock and walk the table.
// Everything said at Router holds.
template <class... Ms>
class Group : public Router<Ms...> {
 public:
  explicit Group(Routing<Ms...> routing = {})
      : Router<Ms...>(std::make_shared<internal::RouteTable>(routing.plan(), sizeof...(Ms))) {}

  // False, and nothing is changed: `routee` is nobody, or in already.
  bool Add(const Recipient<Ms...>& routee) const {
    const internal::Thunk thunks[] = {routee.template ThunkOf<Ms>()...};
    return this->table()->Add(routee, thunks);
  }

  // False: was not in.
  bool Remove(const AnyRef& routee) const { return this->table()->Remove(routee); }
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ROUTER_H_
