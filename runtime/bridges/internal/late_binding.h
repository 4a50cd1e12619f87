// LateBinding: the actor in front of whoever has a name at the other end of a connection that comes and
// goes. Messages pass with their envelope, as they do with a Caretaker: an answer does not come by here.
//
// B1  It is bound, or looks for somebody: it waits for a peer, has asked one, or waits to ask again.
// B2  If messages are to wait, it holds itself from the first that finds it unbound until it is bound. So they
//     stay in the mailbox, in order, and capacity and deadlines are the mailbox's.
// B3  So it does while the mailbox of the one it is bound to is full. It waits for room by looking again, and
//     never in a Send: that would hold up a worker.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_LATE_BINDING_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_LATE_BINDING_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/hold.h"
#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/recipient.h"
#include "troupe/runtime/bridges/internal/redial.h"
#include "troupe/runtime/bridges/peer.h"

namespace troupe::internal {

class LateBinding {
 public:
  struct Target {
    AnyRef who;
    std::vector<Thunk> thunks;
  };
  using Then = std::function<void(absl::StatusOr<Target>, Context&)>;
  using Finding = std::function<void(const Peer&, Context&, Then)>;

  LateBinding(const ActorRef<Redial>& connection, Finding find, bool messages_wait);

  void OnStart(Context& self);
  void On(const Down& down, Context& self);
  void Pass(Envelope& e, size_t which, Context& self);

  // The thunk of a message of this actor's whose own thunk is at kWhich.
  template <class M, size_t kWhich>
  static void PassOn(Envelope& e, Delivery& d) {
    auto& envelope = static_cast<EnvelopeOf<M>&>(e);
    if (d.verb != Delivery::Verb::kHandle) return envelope.Lose(d);
    if constexpr (Askable<M>) envelope.reply.TakeOut();
    static_cast<LateBinding*>(d.actor)->Pass(e, kWhich, *d.self);
  }

 private:
  // `but_not`: a peer that has been asked; it is asked again after `patience`.
  void AwaitPeerAndFind(const AnyRef& but_not, absl::Duration patience, Context& self);
  void FindAt(const Peer& peer, Context& self);
  void FindAgainLater(const AnyRef& at, Context& self);
  void Bind(Target target, const AnyRef& at, Context& self);
  bool PassToTarget(Envelope& e, size_t which);  // false: it is full
  void LookForRoom(Context& self);

  const ActorRef<Redial> connection_;
  const Finding find_;
  const bool messages_wait_;
  std::mt19937_64 random_;
  int failures_ = 0;

  Target target_;     // B1: nobody, or bound
  AnyRef at_;         // Peer::ref of target_
  absl::Time since_;  // of target_
  Hold* hold_ = nullptr;
};

AnyRef SpawnLateBinding(const ActorRef<Redial>& connection, LateBinding::Finding find,
                        bool messages_wait, ActorOptions options);

template <class... Ms, size_t... kIs>
Recipient<Ms...> RecipientOfLateBinding(const AnyRef& binding, std::index_sequence<kIs...>) {
  if (!binding) return {};
  return Recipient<Ms...>(binding, {&LateBinding::PassOn<Ms, kIs>...});
}

template <class... Ms>
Recipient<Ms...> SpawnLateBinding(const ActorRef<Redial>& connection, std::string_view name,
                                  bool messages_wait, uint32_t capacity, WhenFull when_full) {
  auto find = [name = std::string(name)](const Peer& peer, Context& self, LateBinding::Then then) {
    peer.Find<Ms...>(name).Then(
        self,
        [then = std::move(then)](const absl::StatusOr<Recipient<Ms...>>& found, Context& now) {
          if (!found.ok()) return then(found.status(), now);
          then(LateBinding::Target{*found, {found->template ThunkOf<Ms>()...}}, now);
        });
  };
  return RecipientOfLateBinding<Ms...>(
      SpawnLateBinding(connection, std::move(find), messages_wait,
                       {.name = std::string(name), .capacity = capacity, .when_full = when_full}),
      std::index_sequence_for<Ms...>());
}

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_LATE_BINDING_H_
