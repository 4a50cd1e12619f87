// Connection: one link to one peer, from the handshake to its end.
//
//   Operation                  Who                Effect
//   Begin                      its maker, once    says Hello and listens
//   OnBytes, OnWritable, ...   the link's thread  takes frames
//   Offer, AddQuestion         a proxy            sends a message or a request
//   PushAnswer, SendCredit     any thread         what a delivered message leads to
//   WriteOut                   the session        writes what has gathered, see Outbox
//   Open                       any thread         the node has chosen it, see PeerTable
//   Tick                       the loop           heartbeat
//   EndHandshake               the loop           closes it, if that is not over
//   AskSignOfLife              any thread         the peer is to send something soon
//   EndUnlessHeard             the loop           closes it, if nothing has come since then
//   Drain                      Node::Drain        lets what is queued go, and then says Bye
//   Close                      any thread         says why, and ends everything that depends on it
//
// K1  Nothing but Hello and Bye is taken or sent before the peer's Hello.
// K2  When it closes, every question is answered (node lost), every proxy ends, and the session ends:
//     whoever waits for somebody over there learns so at once.
// K3  The host is used by the link's thread, and not after OnClosed.
// K4  Between the peer's Hello and Open nothing is sent but Bye, and answers to a peer that goes on early:
//     what comes after Hello is the word that this connection is the one.
//
// Its actors: the session (session.h), one per connection, and a proxy (proxy.h) for each remote actor.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_CONNECTION_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_CONNECTION_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/post_batch.h"
#include "troupe/actors/reply.h"
#include "troupe/core/mutex.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/admission.h"
#include "troupe/runtime/bridges/internal/export_table.h"
#include "troupe/runtime/bridges/internal/hello.h"
#include "troupe/runtime/bridges/internal/inflow.h"
#include "troupe/runtime/bridges/internal/outbox.h"
#include "troupe/runtime/bridges/internal/published.h"
#include "troupe/runtime/bridges/internal/question.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/link.h"
#include "troupe/runtime/bridges/node_options.h"
#include "troupe/runtime/bridges/peer_identity.h"

namespace troupe::internal {

class Connection;
class Proxy;
class Session;

// The end of a remote actor, as its proxy learns it.
struct RemoteEnd {
  ExitReason reason = ExitReason::kNormal;
  absl::Status status;
};

// What a connection needs of its node.
class ConnectionHost {
 public:
  virtual ~ConnectionHost() = default;
  virtual const NodeOptions& options() const = 0;
  virtual Hello MakeHello() const = 0;
  virtual ActorRef<Session> SpawnSession(std::shared_ptr<Connection> connection) = 0;
  virtual ActorRef<Proxy> SpawnProxy(std::shared_ptr<Connection> connection, uint64_t id,
                                     uint64_t incarnation) = 0;
  // nullptr: nobody who is alive has that name.
  virtual std::shared_ptr<const Published> FindPublished(std::string_view name) = 0;
  virtual void OnMet(const std::shared_ptr<Connection>& connection) = 0;    // its Hello is there
  virtual void OnHeard(const std::shared_ptr<Connection>& connection) = 0;  // and another frame
  virtual void OnDown(const std::shared_ptr<Connection>& connection, const absl::Status& why) = 0;
};

class Connection final : public LinkEvents,
                         public RefTable,
                         public std::enable_shared_from_this<Connection> {
 public:
  using Clock = std::chrono::steady_clock;

  Connection(ConnectionHost& host, std::unique_ptr<Link> link);
  ~Connection() override;
  // Before anybody else knows it: makes its session. False: the system is shutting down.
  bool Prepare();
  void Begin(Admission::Pass pass);  // which it holds until the peer has shaken hands

  // ---- LinkEvents
  void OnBytes(std::string_view bytes) override;
  void OnWritable() override { WriteOut(); }
  void OnClosed(const absl::Status& why) override;

  // ---- RefTable
  AnyRef connection() const override { return session_; }
  void NoteHandedOver(const AnyRef&) override {}
  WireRef Export(const Referent& what, std::span<const ExportRoute> routes) override;
  absl::StatusOr<Imported> Import(const WireRef& ref, std::span<const uint64_t> types,
                                  const MailKind* mail) override;
  // As if it had not been exported, once: it has not been sent.
  void Withdraw(uint64_t id, uint64_t incarnation);

  // ---- for proxies and the session
  Outbox::Offered Offer(std::string& frame, uint64_t target, bool ahead);  // a message, see Outbox
  std::string TakeBuffer(size_t capacity) { return outbox_.TakeBuffer(capacity); }
  void WhenRoom(uint64_t target, bool ahead, Reply<void> waiter);
  void WhenEnded(uint64_t id, Reply<RemoteEnd> reply);
  void ForgetImport(uint64_t id, uint64_t incarnation);
  // 0: it has been told why it cannot be asked.
  uint64_t AddQuestion(std::unique_ptr<Question> question);
  void FailQuestion(uint64_t correlation, const absl::Status& why);
  void TellDown(const Referent& who, ExitReason reason, const absl::Status& status);
  void Find(std::string_view name, std::span<const uint64_t> types, bool mailbox,
            std::unique_ptr<Question> question);
  void WriteOut();  // by who has to flush, see Outbox

  // ---- for what has been delivered, any thread
  void PushAnswer(std::string frame);
  void SendCredit();
  bool BeginRequest();  // false: the peer has too many
  void EndRequest() { requests_.fetch_sub(1, std::memory_order_relaxed); }  // relaxed: a count

  void Open();
  void Tick(Clock::time_point now);
  void EndHandshake();
  void AskSignOfLife();
  void EndUnlessHeard(Clock::time_point since);
  // A step: to be called again until OnClosed, by one thread.
  void Drain();
  void Close(absl::Status why);

  const ActorRef<Session>& session() const { return session_; }
  const Hello& peer() const { return peer_; }  // once it is there, and so is the next
  const PeerIdentity& identity() const { return identity_; }
  std::string PeerName() const;
  Place place() const { return link_->place(); }
  uint32_t max_frame() const { return peer_.max_frame; }
  absl::Status WhyClosed() const;  // OK: it is not

 private:
  struct ImportEntry {
    ActorRef<Proxy> proxy;
    MailboxId mailbox = {};  // of the Senders of it, which the proxy empties
    MessageType message = nullptr;
    uint64_t incarnation = 0;
    uint64_t received = 0;  // how often; X3 of export_table.h
    std::optional<RemoteEnd> end;
    Reply<RemoteEnd> when_ended;
    bool is_draining = false;
  };

  struct LastRoute {
    uint64_t id;
    uint64_t incarnation;
    uint64_t type;
    std::pair<Referent, ExportRoute> found;
  };

  absl::Status Take(const Frame& frame);
  absl::Status TakeHello(const Frame& frame);
  absl::Status TakeCredit(const Frame& frame);
  absl::Status TakeFind(const Frame& frame);
  absl::Status TakeMessage(const Frame& frame);
  absl::StatusOr<const std::pair<Referent, ExportRoute>*> RouteOf(const FrameHeader& header);
  void PostArrived();
  absl::Status DeliverMessage(const Frame& frame, Inflow::Account& account);
  absl::Status TakeAnswer(const Frame& frame);
  absl::Status TakeDown(const Frame& frame);
  absl::Status TakeRelease(const Frame& frame);
  absl::Status TakeBulk(const Frame& frame);
  void AnswerError(uint64_t correlation, const absl::Status& error);
  void EndImport(uint64_t id, RemoteEnd end);
  void PushControl(const FrameHeader& header, std::string_view payload = {});
  void SayBlocked(std::span<const uint64_t> targets);
  void StopWaiting(uint64_t target);
  void Push(Lane lane, std::string frame, bool here, uint64_t target = 0);
  void DrainProxies();
  bool is_drained() const;
  absl::StatusOr<Imported> ImportOwn(const WireRef& ref, std::span<const uint64_t> types);
  ActorRef<Proxy> ProxyOf(uint64_t id, uint64_t incarnation);
  absl::StatusOr<MailboxId> MailboxTo(const ActorRef<Proxy>& proxy, uint64_t id,
                                      const MailKind& kind);

  ConnectionHost& host_;
  const NodeOptions options_;
  const std::unique_ptr<Link> link_;
  ActorRef<Session> session_;  // fixed by Prepare
  Inflow* const inflow_;       // F1

  // ---- the link's thread
  FrameReader reader_;
  FrameReader bulk_reader_;
  // Of the read that is being taken: messages that wait to be posted together, and where the last one went.
  PostBatch arrived_;
  std::optional<LastRoute> last_route_;
  Hello peer_;
  bool heard_more_ = false;  // than Hello
  PeerIdentity identity_;
  Admission::Pass pass_;

  std::atomic<bool> has_said_bye_{false};  // who drains

  // ---- any thread
  std::atomic<bool> met_{false};
  std::atomic<bool> open_{false};
  std::atomic<Clock::time_point> heard_{Clock::now()};
  std::atomic<uint32_t> requests_{0};
  Outbox outbox_;
  ExportTable exports_;

  mutable Mutex mutex_;  // WhyClosed
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
  uint64_t last_question_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Question>> questions_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_map<uint64_t, ImportEntry> imports_ ABSL_GUARDED_BY(mutex_);
  // Ends that came before the refs: a ref waits for credit, an end does not. At most max_imports.
  absl::flat_hash_map<uint64_t, RemoteEnd> early_ends_ ABSL_GUARDED_BY(mutex_);
  // imports_, the other way: the proxies, and the mailboxes.
  absl::flat_hash_map<Referent, uint64_t> imported_ ABSL_GUARDED_BY(mutex_);
};

// What an ask, or a Down, says that ends with the connection. IsNodeLost (node.h) knows it.
inline constexpr char kNodeLost[] = "troupe.NodeLost";
absl::Status NodeLost(const absl::Status& why);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_CONNECTION_H_
