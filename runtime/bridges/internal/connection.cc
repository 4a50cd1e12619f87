#include "troupe/runtime/bridges/internal/connection.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/internal/delivery.h"
#include "troupe/runtime/bridges/internal/proxy.h"
#include "troupe/runtime/bridges/internal/ref_codec.h"
#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {
namespace {

absl::Status Violation(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("protocol: ", std::string(what)));
}

struct FindPayload {
  std::string name;
  std::vector<uint64_t> types;
  bool mailbox = false;
};
struct DownPayload {
  ExitReason reason = ExitReason::kNormal;
  uint16_t code = 0;
  std::string text;
};

// What a peer says is kept, and copied into errors and names: no more than this of it.
constexpr size_t kMostText = 256;
std::string Cut(std::string text) {
  if (text.size() > kMostText) text.resize(kMostText);
  return text;
}

// An idle connection reads no more than a Ping, and keeps no buffers.
constexpr size_t kSmallRead = 1024;

// A Hello and a Bye are no longer, and nobody has to believe a stranger more.
constexpr uint32_t kLongestGreeting = 4096;

RemoteEnd EndOf(const DownPayload& down) {
  if (down.reason == ExitReason::kNormal) return {};
  const auto code = static_cast<absl::StatusCode>(down.code);
  switch (down.reason) {
    case ExitReason::kFailed:
      return {down.reason,
              absl::Status(down.code == 0 ? absl::StatusCode::kUnknown : code, Cut(down.text))};
    case ExitReason::kShutdown:
      return {down.reason, absl::UnavailableError("its system was shut down")};
    default:
      return {down.reason, absl::NotFoundError("it had ended before it could be watched")};
  }
}

template <class T>
absl::Status DecodePayload(const Frame& frame, T& payload) {
  Decoder in(frame.payload);
  DecodeValue(in, payload);
  return in.status();
}

}  // namespace

absl::Status NodeLost(const absl::Status& why) {
  absl::Status lost = absl::UnavailableError(
      absl::StrCat("node lost: ", why.ok() ? "the connection is closed" : why.message()));
  lost.SetPayload(kNodeLost, absl::Cord());
  return lost;
}

Connection::Connection(ConnectionHost& host, std::unique_ptr<Link> link)
    : host_(host),
      options_(host.options()),
      link_(std::move(link)),
      inflow_(new Inflow(options_.window)),
      reader_(std::min(options_.max_frame, kLongestGreeting)),
      bulk_reader_(options_.max_frame),
      outbox_({.high_water = options_.outbox_high_water, .most = options_.outbox_most}) {}

bool Connection::Prepare() {
  session_ = host_.SpawnSession(shared_from_this());
  inflow_->set_session(session_);
  return static_cast<bool>(session_);
}

Connection::~Connection() { inflow_->Drop(); }

// Hello lies in the outbox, and to write it is our duty, before the peer's can arrive: whoever may then
// send something sends it behind ours (K1).
void Connection::Begin(Admission::Pass pass) {
  pass_ = std::move(pass);
  const Outbox::Pushed hello = outbox_.Push(
      Lane::kControl,
      MakeFrame({.kind = FrameKind::kHello, .lane = Lane::kControl}, Encode(host_.MakeHello())));
  link_->Start(shared_from_this());
  if (hello == Outbox::Pushed::kTakenFlush) WriteOut();
}

std::string Connection::PeerName() const {
  return peer_.name.empty() ? link_->peer() : absl::StrCat(peer_.name, " at ", link_->peer());
}

// ---- what arrives

void Connection::OnBytes(std::string_view bytes) {
  if (!WhyClosed().ok()) return;
  heard_.store(Clock::now(), std::memory_order_relaxed);  // relaxed: nothing is read by it
  absl::Status wrong = reader_.Read(bytes, [this](const Frame& frame) { return Take(frame); });
  PostArrived();
  if (!wrong.ok()) return Close(std::move(wrong));
  if (bytes.size() > kSmallRead) return;
  reader_.Shrink();
  bulk_reader_.Shrink();
}

// Before anything else is done that may follow from them, or ends what they refer to.
void Connection::PostArrived() {
  arrived_.Flush();
  last_route_.reset();
}

absl::Status Connection::Take(const Frame& frame) {
  const FrameKind kind = frame.header.kind;
  if (kind != FrameKind::kMessage && kind != FrameKind::kRequest) PostArrived();
  if (kind == FrameKind::kBye) {
    std::string why;
    if (absl::Status wrong = DecodePayload(frame, why); !wrong.ok()) return wrong;
    return absl::UnavailableError(absl::StrCat("the peer says: ", Cut(std::move(why))));
  }
  if ((kind == FrameKind::kHello) == met_.load(std::memory_order_relaxed)) {  // ours to write
    return Violation(kind == FrameKind::kHello ? "a second Hello" : "no Hello");
  }
  if ((kind == FrameKind::kBulk) != (frame.header.lane == Lane::kBulk)) {
    return Violation("bulk that is in another lane, or something else in that of bulk");
  }
  if (!heard_more_ && kind != FrameKind::kHello) {
    heard_more_ = true;
    host_.OnHeard(shared_from_this());
  }
  switch (kind) {
    case FrameKind::kHello:
      return TakeHello(frame);
    case FrameKind::kCredit:
      return TakeCredit(frame);
    case FrameKind::kBlocked:
      inflow_->NoteBlocked(frame.header.target);
      return absl::OkStatus();
    case FrameKind::kFind:
      return TakeFind(frame);
    case FrameKind::kMessage:
    case FrameKind::kRequest:
      return TakeMessage(frame);
    case FrameKind::kAnswer:
      return TakeAnswer(frame);
    case FrameKind::kDown:
      return TakeDown(frame);
    case FrameKind::kRelease:
      return TakeRelease(frame);
    case FrameKind::kBulk:
      return TakeBulk(frame);
    case FrameKind::kBye:
    case FrameKind::kPing:
      break;
  }
  return absl::OkStatus();
}

// Pieces of one stream, in order: there is one frame at most that has begun and is not complete.
absl::Status Connection::TakeBulk(const Frame& frame) {
  return bulk_reader_.Read(frame.payload, [this](const Frame& inner) -> absl::Status {
    if (inner.header.lane != Lane::kOrdinary) return Violation("bulk that is not ordinary");
    return Take(inner);
  });
}

absl::Status Connection::TakeHello(const Frame& frame) {
  if (absl::Status wrong = DecodePayload(frame, peer_); !wrong.ok()) return wrong;
  if (peer_.magic != kHelloMagic) return Violation("this is no Hello");
  if (peer_.version != kProtocolVersion) {
    return absl::FailedPreconditionError(
        absl::StrCat("protocol: version ", peer_.version, " there, ", kProtocolVersion, " here"));
  }
  if (peer_.max_frame < kShortestMaxFrame || peer_.window == 0)
    return Violation("a Hello with absurd limits");
  peer_.name = Cut(std::move(peer_.name));
  reader_.set_max_frame(options_.max_frame);
  identity_ = link_->identity();
  pass_.reset();
  met_.store(true, std::memory_order_relaxed);  // a flag; others learn of peer_ by the host's lock
  outbox_.Open(peer_.window);
  host_.OnMet(shared_from_this());
  return absl::OkStatus();
}

absl::Status Connection::TakeFind(const Frame& frame) {
  FindPayload find;
  if (absl::Status wrong = DecodePayload(frame, find); !wrong.ok()) return wrong;
  const uint64_t correlation = frame.header.correlation;
  const std::shared_ptr<const Published> published = host_.FindPublished(find.name);
  if (published == nullptr) {
    AnswerError(correlation,
                absl::NotFoundError(absl::StrCat("nobody is published as \"", find.name, "\"")));
    return absl::OkStatus();
  }
  const auto routes = published->RoutesFor(identity_, find.name, find.types, find.mailbox);
  if (!routes.ok()) {
    AnswerError(correlation, routes.status());
    return absl::OkStatus();
  }
  Push(Lane::kOrdinary, MakeAnswerFrame<WireRef>(correlation, Export(published->who, *routes)),
       /*here=*/true);
  return absl::OkStatus();
}

// O4 of the peer: it holds back what exceeds our window.
absl::Status Connection::TakeMessage(const Frame& frame) {
  const size_t bytes = kFrameHeaderSize + frame.payload.size();
  Inflow::Account* const account =
      inflow_->Take(frame.header.target, bytes, GoesAhead(frame.header.type));
  if (account == nullptr) return Violation("more messages than its credit");
  absl::Status wrong = DeliverMessage(frame, *account);
  if (!wrong.ok()) account->Handled(bytes);  // there is no envelope that would say so
  return wrong;
}

// A stream is to one: the table, and its lock, are for the first of a read. (Who withdraws the export meanwhile
// comes too late for all of it.)
absl::StatusOr<const std::pair<Referent, ExportRoute>*> Connection::RouteOf(
    const FrameHeader& header) {
  if (!last_route_ || last_route_->id != header.target ||
      last_route_->incarnation != header.incarnation || last_route_->type != header.type) {
    auto found = exports_.Find(header.target, header.incarnation, header.type);
    if (!found.ok()) return found.status();
    last_route_ = {header.target, header.incarnation, header.type, *std::move(found)};
  }
  return &last_route_->found;
}

absl::Status Connection::DeliverMessage(const Frame& frame, Inflow::Account& account) {
  const FrameHeader& header = frame.header;
  const auto found = RouteOf(header);
  if (!found.ok()) return found.status();
  const auto& [who, route] = **found;
  const bool refused = header.kind == FrameKind::kRequest && !BeginRequest();
  if (refused) {
    AnswerError(header.correlation,
                absl::ResourceExhaustedError("ask: too many of this node are not answered"));
  }
  return route.deliver({*this, frame, account, arrived_, who, route.thunk, refused});
}

absl::Status Connection::TakeAnswer(const Frame& frame) {
  std::unique_ptr<Question> question;
  {
    MutexLock lock(mutex_);
    if (frame.header.correlation > last_question_) return Violation("an answer to no question");
    const auto entry = questions_.find(frame.header.correlation);
    if (entry == questions_.end()) return absl::OkStatus();  // nobody waits for it any more
    question = std::move(entry->second);
    questions_.erase(entry);
  }
  Decoder in(frame.payload, this);
  return question->Answer(in);
}

absl::Status Connection::TakeDown(const Frame& frame) {
  DownPayload down;
  if (absl::Status wrong = DecodePayload(frame, down); !wrong.ok()) return wrong;
  EndImport(frame.header.target, EndOf(down));
  return absl::OkStatus();
}

absl::Status Connection::TakeRelease(const Frame& frame) {
  const FrameHeader& header = frame.header;
  const absl::StatusOr<Referent> who =
      exports_.Release(header.target, header.incarnation, header.correlation);
  if (!who.ok()) return who.status();
  if (*who) session_.Send(WatchExported{*who});  // it is to be told of the end once more
  return absl::OkStatus();
}

void Connection::TellDown(const Referent& who, ExitReason reason, const absl::Status& status) {
  const std::optional<ExportTable::Entry> entry = exports_.Of(who);
  if (!entry) return;
  const DownPayload payload{.reason = reason,
                            .code = static_cast<uint16_t>(status.code()),
                            .text = std::string(status.message())};
  Push(Lane::kOrdinary,
       MakeFrame({.kind = FrameKind::kDown, .target = entry->id, .incarnation = entry->incarnation},
                 Encode(payload)),
       /*here=*/false);
}

// ---- what is sent

void Connection::WriteOut() {
  switch (outbox_.WriteOut(*link_)) {
    case Outbox::Written::kAll:
      if (inflow_->is_credit_due()) SendCredit();  // held back while the peer did not read
      break;
    case Outbox::Written::kLater:
      break;
    case Outbox::Written::kLast:
      link_->Close(WhyClosed());
      break;
  }
}

void Connection::Push(Lane lane, std::string frame, bool here, uint64_t target) {
  switch (outbox_.Push(lane, frame, target)) {
    case Outbox::Pushed::kTakenFlush:
      if (here) {
        WriteOut();
      } else {
        session_.Send(Flush{});
      }
      break;
    case Outbox::Pushed::kOverfull:
      Close(absl::ResourceExhaustedError("the peer does not read"));
      break;
    case Outbox::Pushed::kTaken:
    case Outbox::Pushed::kClosed:
      break;
  }
}

void Connection::PushControl(const FrameHeader& header, std::string_view payload) {
  FrameHeader control = header;
  control.lane = Lane::kControl;
  Push(Lane::kControl, MakeFrame(control, payload), /*here=*/true);
}

void Connection::PushAnswer(std::string frame) {
  Push(Lane::kOrdinary, std::move(frame), /*here=*/false);
}

void Connection::AnswerError(uint64_t correlation, const absl::Status& error) {
  Push(Lane::kOrdinary, MakeAnswerFrame<void>(correlation, error), /*here=*/true);
}

Outbox::Offered Connection::Offer(std::string& frame, uint64_t target, bool ahead) {
  const Outbox::Offered offered = outbox_.Offer(frame, target, ahead);
  if (offered == Outbox::Offered::kTakenFlush) session_.Send(Flush{});
  return offered;
}

uint64_t Connection::AddQuestion(std::unique_ptr<Question> question) {
  absl::Status why;
  {
    MutexLock lock(mutex_);
    if (questions_.size() >= options_.max_questions) {
      absl::erase_if(questions_, [](const auto& entry) { return !entry.second->pending(); });
    }
    if (closed_) {
      why = NodeLost(*closed_);
    } else if (questions_.size() >= options_.max_questions) {
      why = absl::ResourceExhaustedError("ask: too many of this connection are not answered");
    } else {
      questions_.emplace(++last_question_, std::move(question));
      return last_question_;
    }
  }
  question->Fail(why);
  return 0;
}

void Connection::FailQuestion(uint64_t correlation, const absl::Status& why) {
  std::unique_ptr<Question> question;
  {
    MutexLock lock(mutex_);
    const auto entry = questions_.find(correlation);
    if (entry == questions_.end()) return;
    question = std::move(entry->second);
    questions_.erase(entry);
  }
  question->Fail(why);
}

void Connection::Find(std::string_view name, std::span<const uint64_t> types, bool mailbox,
                      std::unique_ptr<Question> question) {
  const uint64_t correlation = AddQuestion(std::move(question));
  if (correlation == 0) return;
  const FindPayload payload{std::string(name), {types.begin(), types.end()}, mailbox};
  Push(Lane::kOrdinary,
       MakeFrame({.kind = FrameKind::kFind, .correlation = correlation}, Encode(payload)),
       /*here=*/false);
}

bool Connection::BeginRequest() {
  // Relaxed: a count.
  if (requests_.fetch_add(1, std::memory_order_relaxed) < options_.max_requests) return true;
  EndRequest();
  return false;
}

void Connection::Open() {
  open_.store(true, std::memory_order_relaxed);  // relaxed: as in Tick
  PushControl({.kind = FrameKind::kPing});       // K4
}

// ---- the end

void Connection::DrainProxies() {
  std::vector<ActorRef<Proxy>> proxies;
  std::vector<MailboxId> mailboxes;
  {
    MutexLock lock(mutex_);
    for (auto& [id, entry] : imports_) {
      if (!entry.proxy || std::exchange(entry.is_draining, true)) continue;
      if (entry.mailbox.cell != nullptr) {
        mailboxes.push_back(entry.mailbox);  // and the proxy ends when it is empty
      } else {
        proxies.push_back(entry.proxy);
      }
    }
  }
  for (const ActorRef<Proxy>& proxy : proxies) proxy.Stop(StopWhen::kDrained);
  for (const MailboxId& mailbox : mailboxes) CloseForSending(mailbox);
}

bool Connection::is_drained() const {
  {
    MutexLock lock(mutex_);
    if (!imports_.empty()) return false;
    for (const auto& [correlation, question] : questions_) {
      if (question->pending()) return false;
    }
  }
  // relaxed: a count
  return requests_.load(std::memory_order_relaxed) == 0 && outbox_.empty();
}

// The other side closes when it reads Bye. If this side did, what the system has not sent yet could be lost.
void Connection::Drain() {
  if (has_said_bye_.load(std::memory_order_relaxed)) return;  // relaxed: the exchange decides
  DrainProxies();
  if (!is_drained()) return;
  if (has_said_bye_.exchange(true, std::memory_order_relaxed)) return;  // relaxed: a flag
  if (!open_.load(std::memory_order_relaxed)) {                         // relaxed: as in Tick
    return Close(absl::CancelledError("the node is going away"));
  }
  PushControl({.kind = FrameKind::kBye}, Encode(std::string("the node is going away")));
}

void Connection::EndHandshake() {
  if (open_.load(std::memory_order_relaxed)) return;      // relaxed: nothing is read by it
  const bool met = met_.load(std::memory_order_relaxed);  // relaxed: as open_
  Close(absl::DeadlineExceededError(
      met ? "the other connection of these nodes has not ended, or the peer says only Hello"
          : "the peer does not say Hello"));
}

// A question that every node answers. By its thread, so soon.
void Connection::AskSignOfLife() {
  struct Nothing final : Question {
    absl::Status Answer(Decoder&) override { return absl::OkStatus(); }
    void Fail(const absl::Status&) override {}
    bool pending() const override { return false; }  // nobody waits for the answer itself
  };
  Find("", {}, /*mailbox=*/false, std::make_unique<Nothing>());
}

void Connection::EndUnlessHeard(Clock::time_point since) {
  if (heard_.load(std::memory_order_relaxed) >= since) return;  // relaxed: nothing is read by it
  Close(absl::DeadlineExceededError(
      "the peer has connected anew, and gives no sign of life over this connection"));
}

void Connection::Tick(Clock::time_point now) {
  if (!open_.load(std::memory_order_relaxed)) return;  // relaxed: nothing is read by it
  const auto silence = now - heard_.load(std::memory_order_relaxed);  // relaxed: as above
  if (silence > absl::ToChronoNanoseconds(options_.heartbeat_timeout)) {
    return Close(absl::DeadlineExceededError("the peer gives no sign of life"));
  }
  PushControl({.kind = FrameKind::kPing});
  outbox_.Shrink();
}

absl::Status Connection::WhyClosed() const {
  MutexLock lock(mutex_);
  return closed_ ? OwnCopy(*closed_) : absl::OkStatus();
}

void Connection::Close(absl::Status why) {
  absl::flat_hash_map<uint64_t, std::unique_ptr<Question>> questions;
  std::vector<Reply<RemoteEnd>> ends;
  {
    MutexLock lock(mutex_);
    if (closed_) return;
    closed_ = OwnCopy(why);
    questions.swap(questions_);
    for (auto& [id, entry] : imports_) ends.push_back(std::move(entry.when_ended));
  }
  switch (outbox_.Close(MakeFrame({.kind = FrameKind::kBye, .lane = Lane::kControl},
                                  Encode(std::string(why.message()))))) {
    case Outbox::LastFrame::kTaken:
      break;
    case Outbox::LastFrame::kTakenFlush:
      WriteOut();
      break;
    case Outbox::LastFrame::kCannotGo:
      link_->Close(OwnCopy(why));
      break;
  }
  for (auto& [correlation, question] : questions) question->Fail(NodeLost(why));
  ends.clear();  // dropped: told kAborted; the session tells the proxies, by its end
  session_.Send(LinkLost{NodeLost(why)});
}

void Connection::OnClosed(const absl::Status& why) {
  pass_.reset();
  inflow_->Close();
  Close(why);
  host_.OnDown(shared_from_this(), WhyClosed());
}

}  // namespace troupe::internal
