// Session: the actor of one connection. It writes what has gathered (so the sends of an activation leave
// together, when that activation is over), watches the actors that were exported, and its end is the
// sign that the peer is lost.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SESSION_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SESSION_H_

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/reply.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/ref_codec.h"

namespace troupe::internal {

struct Flush {};
struct ReturnCredit {};
struct WatchExported {
  Referent who;
};
struct LinkLost {
  absl::Status why;
};
struct AwaitRoom {
  using Reply = void;
  uint64_t target;
  bool ahead;
};
struct AwaitEnd {
  using Reply = RemoteEnd;
  uint64_t id;
};
template <class... Ms>
struct FindRemote {
  using Reply = Recipient<Ms...>;
  std::string name;
};
template <class M>
struct FindRemoteMailbox {
  using Reply = Sender<M>;
  std::string name;
};

class Session {
 public:
  explicit Session(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  void On(Flush) { connection_->WriteOut(); }
  void On(ReturnCredit) { connection_->SendCredit(); }
  void On(WatchExported m, Context& self) {
    m.who.is_mailbox() ? AwaitClose(m.who.mailbox, self) : self.Watch(m.who.actor);
  }
  void On(const Down& down) { connection_->TellDown({down.who}, down.reason, down.status); }
  void On(AwaitRoom m, Reply<void> reply) {
    connection_->WhenRoom(m.target, m.ahead, std::move(reply));
  }
  void On(AwaitEnd m, Reply<RemoteEnd> reply) { connection_->WhenEnded(m.id, std::move(reply)); }
  void On(const LinkLost& m, Context& self) { self.Fail(m.why); }
  void OnStop() { connection_->Close(absl::CancelledError("the system is shutting down")); }

  template <class... Ms>
  void On(FindRemote<Ms...> m, Reply<Recipient<Ms...>> reply) {
    constexpr std::array<uint64_t, sizeof...(Ms)> kTypes{MessageHash(TypeName<Ms>())...};
    connection_->Find(m.name, kTypes, /*mailbox=*/false,
                      std::make_unique<QuestionOf<Recipient<Ms...>>>(std::move(reply)));
  }
  template <class M>
  void On(FindRemoteMailbox<M> m, Reply<Sender<M>> reply) {
    constexpr std::array<uint64_t, 1> kTypes{MessageHash(TypeName<M>())};
    connection_->Find(m.name, kTypes, /*mailbox=*/true,
                      std::make_unique<QuestionOf<Sender<M>>>(std::move(reply)));
  }

 private:
  void AwaitClose(const MailboxId& mailbox, Context& self) {
    if (!awaited_.insert(mailbox.incarnation).second) return;
    PendingClose(mailbox, absl::InfiniteDuration()).Then(self, [this, mailbox](absl::Status) {
      awaited_.erase(mailbox.incarnation);
      connection_->TellDown({{}, mailbox}, ExitReason::kNormal, absl::OkStatus());
    });
  }

  const std::shared_ptr<Connection> connection_;
  absl::flat_hash_set<uint64_t> awaited_;  // the mailboxes whose end is to be told
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SESSION_H_
