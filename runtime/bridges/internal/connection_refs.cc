// The refs of a Connection: what is exported and imported.
#include <algorithm>
#include <source_location>
#include <utility>

#include "troupe/actors/internal/handler.h"
#include "troupe/actors/internal/waiting_thread.h"
#include "troupe/actors/mailbox.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/delivery.h"
#include "troupe/runtime/bridges/internal/proxy.h"
#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {

WireRef Connection::Export(const Referent& what, std::span<const ExportRoute> routes) {
  {
    MutexLock lock(mutex_);
    if (const auto id = imported_.find(what); id != imported_.end()) {  // it goes home
      WireRef ref{.whose = WireRef::Whose::kReaders,
                  .id = id->second,
                  .incarnation = imports_.find(id->second)->second.incarnation,
                  .is_mailbox = what.is_mailbox()};
      for (const ExportRoute& route : routes) ref.types.push_back(route.type);
      return ref;
    }
  }
  ExportTable::Added added = exports_.Add(what, routes);
  if (added.is_new) session_.Send(WatchExported{what});
  if (added.entries > options_.max_exports) {
    Close(absl::ResourceExhaustedError("the peer keeps too many refs of this node"));
  }
  return std::move(added.ref);
}

void Connection::Withdraw(uint64_t id, uint64_t incarnation) {
  exports_.Release(id, incarnation, 1).IgnoreError();
}

absl::StatusOr<RefTable::Imported> Connection::ImportOwn(const WireRef& ref,
                                                         std::span<const uint64_t> types) {
  const absl::StatusOr<ExportTable::Entry> entry = exports_.Get(ref.id, ref.incarnation);
  // Its release has gone before a frame that waited, or came in pieces: nobody now.
  if (absl::IsNotFound(entry.status())) return Imported{};
  if (!entry.ok()) return entry.status();
  if (entry->who.is_mailbox() != ref.is_mailbox) {
    return absl::InvalidArgumentError("protocol: an actor is no mailbox, and no mailbox an actor");
  }
  Imported imported{.what = entry->who};
  for (const uint64_t type : types) {
    const absl::StatusOr<ExportRoute> route = entry->RouteFor(type);
    if (!route.ok()) return route.status();
    imported.thunks.push_back(route->thunk);
  }
  return imported;
}

absl::StatusOr<RefTable::Imported> Connection::Import(const WireRef& ref,
                                                      std::span<const uint64_t> types,
                                                      const MailKind* mail) {
  if (ref.is_mailbox != (mail != nullptr)) {
    return absl::InvalidArgumentError(ref.is_mailbox
                                          ? "protocol: a mailbox where an actor is meant"
                                          : "protocol: an actor where a mailbox is meant");
  }
  if (ref.whose == WireRef::Whose::kReaders) return ImportOwn(ref, types);
  if (ref.whose != WireRef::Whose::kWriters)
    return absl::InvalidArgumentError("protocol: a ref that is nobody's");
  for (const uint64_t type : types) {
    if (std::find(ref.types.begin(), ref.types.end(), type) == ref.types.end()) {
      return absl::InvalidArgumentError(
          "protocol: a ref without the right to send all that its type says");
    }
  }
  const ActorRef<Proxy> proxy = ProxyOf(ref.id, ref.incarnation);
  if (!proxy) return absl::ResourceExhaustedError("too many refs from this peer");
  if (mail == nullptr) return Imported{.what = {proxy}, .is_proxy = true};
  absl::StatusOr<MailboxId> mailbox = MailboxTo(proxy, ref.id, *mail);
  if (!mailbox.ok()) return mailbox.status();
  return Imported{.what = {{}, *mailbox}, .is_proxy = true};
}

// As with proxies, nobody else makes the same one meanwhile. If the proxy has ended, or the system does,
// it is one that is closed.
absl::StatusOr<MailboxId> Connection::MailboxTo(const ActorRef<Proxy>& proxy, uint64_t id,
                                                const MailKind& kind) {
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (entry != imports_.end() && entry->second.mailbox.cell != nullptr) {
      if (entry->second.message == kind.message) return entry->second.mailbox;
      return absl::InvalidArgumentError("protocol: a mailbox for messages of two types");
    }
  }
  const MailboxId made = OpenMailboxIn(
      *SpaceOf(session_),
      {.capacity = options_.capacity, .when_full = options_.when_full, .message = kind.message});
  if (made.cell == nullptr) return made;
  AnyReceiver receiver(made, MailboxCell::kFirstShare);
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (entry == imports_.end()) return made;
    entry->second.mailbox = made;
    entry->second.message = kind.message;
    imported_[Referent{{}, made}] = id;
  }
  PostNotice(proxy, *EnvelopeOf<TakeMail>::Make(ThunkFor<Proxy, TakeMail>(),
                                                TakeMail{std::move(receiver), kind.forward},
                                                std::source_location::current()));
  return made;
}

// The link's thread alone imports, so nobody else makes the same proxy meanwhile. The entry is there
// before the proxy, which asks for its end when it starts.
ActorRef<Proxy> Connection::ProxyOf(uint64_t id, uint64_t incarnation) {
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (entry != imports_.end()) {
      ++entry->second.received;
      return entry->second.proxy;
    }
    if (closed_ || imports_.size() >= options_.max_imports) return {};
    ImportEntry& made = imports_[id];
    made.incarnation = incarnation;
    made.received = 1;
    if (const auto ended = early_ends_.find(id); ended != early_ends_.end()) {
      made.end = std::move(ended->second);
      early_ends_.erase(ended);
    }
  }
  const ActorRef<Proxy> proxy = host_.SpawnProxy(shared_from_this(), id, incarnation);
  MutexLock lock(mutex_);
  const auto entry = imports_.find(id);
  if (entry == imports_.end()) return proxy;  // it has ended meanwhile
  if (!proxy) {
    imports_.erase(entry);
    return proxy;
  }
  entry->second.proxy = proxy;
  imported_[Referent{proxy}] = id;
  return proxy;
}

void Connection::WhenEnded(uint64_t id, Reply<RemoteEnd> reply) {
  std::optional<RemoteEnd> end;
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (closed_ || entry == imports_.end()) return;  // dropped: told kAborted
    if (!entry->second.end) {
      entry->second.when_ended = std::move(reply);
      return;
    }
    end = entry->second.end;
  }
  reply.Send(*std::move(end));
}

void Connection::EndImport(uint64_t id, RemoteEnd end) {
  Reply<RemoteEnd> reply;
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (entry == imports_.end()) {  // it has been released, or is yet to come
      if (early_ends_.size() < options_.max_imports) early_ends_.emplace(id, std::move(end));
      return;
    }
    entry->second.end = end;
    reply = std::move(entry->second.when_ended);
  }
  if (reply) reply.Send(std::move(end));
}

void Connection::ForgetImport(uint64_t id, uint64_t incarnation) {
  Reply<RemoteEnd> dropped;  // outside the lock
  uint64_t received = 0;
  {
    MutexLock lock(mutex_);
    const auto entry = imports_.find(id);
    if (entry == imports_.end()) return;
    dropped = std::move(entry->second.when_ended);
    received = entry->second.received;
    imported_.erase(Referent{entry->second.proxy});
    imported_.erase(Referent{{}, entry->second.mailbox});
    imports_.erase(entry);
  }
  StopWaiting(id);
  Push(Lane::kOrdinary,
       MakeFrame({.kind = FrameKind::kRelease,
                  .target = id,
                  .incarnation = incarnation,
                  .correlation = received}),
       /*here=*/false, /*target=*/id);  // behind what was sent to it
}

}  // namespace troupe::internal
