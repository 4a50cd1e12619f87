#include "troupe/actors/internal/supervision.h"

#include <algorithm>
#include <exception>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"
#include "troupe/actors/event_stream.h"
#include "troupe/actors/internal/actor_annex.h"
#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/backoff.h"
#include "troupe/actors/internal/incarnation.h"

namespace troupe::internal {
namespace {

void Order(const AnyRef& child, Control::Kind kind, ExitReason reason) {
  Control& order = Control::Make(kind);
  order.reason = reason;
  ActorCell::PostControl(child, order);
}

ActorCell& CellOf(Context& self) { return *ActorCell::Of(self.self()); }

}  // namespace

Supervision::Supervision(SupervisorOptions options)
    : options_(std::move(options)), random_(options_.seed.value_or(DrawIncarnation())) {
  if (options_.intensity < 0) {
    throw std::invalid_argument("Troupe: SupervisorOptions::intensity must not be negative");
  }
  if (options_.period <= absl::ZeroDuration()) {
    throw std::invalid_argument("Troupe: SupervisorOptions::period must be positive");
  }
}

// ---- children

absl::Status Supervision::Check(const ChildSpec& spec) const {
  const std::string& name = spec.options.name;
  if (!name.empty() && Find(name) != nullptr) {
    return absl::AlreadyExistsError(absl::StrCat("there is a child named \"", name, "\""));
  }
  return CheckOptions(spec.options, options_);
}

AnyRef Supervision::Add(ActorCell& me, ChildSpec spec) {
  if (absl::Status wrong = Check(spec); !wrong.ok()) {
    throw std::invalid_argument(absl::StrCat("Troupe: ", wrong.message()));
  }
  auto child = std::make_unique<Child>();
  child->spec = std::move(spec);
  child->ref = child->spec.recipe->Launch(me, child->spec);
  child->state = Is::kVacant;
  children_.push_back(std::move(child));
  return children_.back()->ref;
}

Supervision::Child* Supervision::Find(const ChildKey& key) const {
  const auto* name = std::get_if<std::string>(&key);
  const auto* ref = std::get_if<AnyRef>(&key);
  for (const auto& child : children_) {
    if (child->forgotten) continue;
    if (name != nullptr ? !name->empty() && child->spec.options.name == *name
                        : *ref && child->ref == *ref) {
      return child.get();
    }
  }
  return nullptr;
}

std::string Supervision::Label(const Child& child) const {
  const std::string& name = child.spec.options.name;
  return name.empty() ? std::string(child.spec.type->name) : absl::StrCat("\"", name, "\"");
}

absl::Duration Supervision::ShutdownOf(const Child& child) const {
  return child.spec.options.shutdown.value_or(child.spec.is_supervisor ? absl::InfiniteDuration()
                                                                       : absl::Seconds(5));
}

void Supervision::Forget(Child& child) {
  if (!child.added_later) return void(child.forgotten = true);
  std::erase_if(children_, [&](const auto& other) { return other.get() == &child; });
}

bool Supervision::IsSupervised(Context& self) const {
  ActorCell& cell = CellOf(self);
  return cell.has_annex() && cell.annex().supervised != nullptr;
}

// ---- what is next

void Supervision::Advance(Context& self) {
  if (!EndMarked(self)) return;
  if (closing_) return FinishClosing(self);
  if (parked_) return;
  StartDue(self);
  const bool all_started = std::none_of(children_.begin(), children_.end(),
                                        [](const auto& c) { return c->fresh && c->wanted; });
  if (closing_ || !starting_ || !all_started) return;
  starting_ = false;
  if (IsSupervised(self)) {
    CellOf(self).Report(ChildReport::Kind::kStarted, ExitReason::kNormal, absl::OkStatus());
  }
}

// False: some child has still time to end.
bool Supervision::EndMarked(Context& self) {
  for (size_t i = children_.size(); i-- > 0;) {
    Child& child = *children_[i];
    if (!child.stop) continue;
    if (!child.told) TellToEnd(child, self);
    if (self.Now() < child.deadline) {
      WakeAt(child.deadline, self);
      return false;
    }
  }
  return true;
}

void Supervision::TellToEnd(Child& child, Context& self) {
  const ExitReason reason =
      closing_ && reason_ == ExitReason::kShutdown ? ExitReason::kShutdown : ExitReason::kNormal;
  Order(child.ref, child.for_good ? Control::Kind::kFinish : Control::Kind::kPark, reason);
  child.told = true;
  child.state = Is::kStopping;
  child.deadline = std::min(child.deadline, self.Now() + ShutdownOf(child));
}

void Supervision::StartDue(Context& self) {
  const bool one_starts = std::any_of(children_.begin(), children_.end(),
                                      [](const auto& c) { return c->state == Is::kStarting; });
  if (one_starts) return;
  for (const auto& child : children_) {
    const bool can_start = child->state == Is::kVacant || child->state == Is::kAbsent;
    if (!child->wanted || !can_start) continue;
    if (child->due <= self.Now()) return Start(*child, self);
    WakeAt(child->due, self);
  }
}

void Supervision::Start(Child& child, Context& self) {
  try {
    if (child.state == Is::kAbsent) child.ref = child.spec.recipe->Launch(CellOf(self), child.spec);
  } catch (...) {  // no thread for a dedicated one
    const ChildReport report{.who = {},
                             .kind = ChildReport::Kind::kGone,
                             .reason = ExitReason::kFailed,
                             .status = StatusOf(std::current_exception())};
    HandleEnd(child, true, report, self);
    if (child.forget) Forget(child);
    return Advance(self);
  }
  child.state = Is::kStarting;
  child.lives = true;
  Order(child.ref, Control::Kind::kBegin, ExitReason::kNormal);
}

void Supervision::FinishClosing(Context& self) {
  const bool all_down = std::all_of(children_.begin(), children_.end(), [this](const auto& c) {
    return c->state == Is::kAbsent || (c->state == Is::kVacant && !for_good_);
  });
  if (!all_down) return;
  if (for_good_) return CellOf(self).End(reason_, status_);
  closing_ = false;
  parked_ = true;
  CellOf(self).Report(ChildReport::Kind::kEnded, reason_, status_);
}

void Supervision::WakeAt(absl::Time when, Context& self) {
  if (when >= wake_at_) return;
  wake_at_ = when;
  self.SendAfter(when - self.Now(), ActorRef<Supervisor>(self.self()), SupervisorWake{});
}

void Supervision::TakeWake(Context& self) {
  wake_at_ = absl::InfiniteFuture();
  Advance(self);
}

// ---- reports

void Supervision::Take(ChildReport report, Context& self) {
  Child* const child = Find(report.who);
  if (child == nullptr) return;
  switch (report.kind) {
    case ChildReport::Kind::kStarted:
      TakeStarted(*child, self);
      break;
    case ChildReport::Kind::kEnded:
      TakeEnd(*child, false, report, self);
      break;
    case ChildReport::Kind::kGone:
      TakeEnd(*child, true, report, self);
      break;
    case ChildReport::Kind::kStopAsked:
      TakeStopAsked(*child);
      break;
  }
  Advance(self);
}

void Supervision::TakeStarted(Child& child, Context& self) {
  if (child.state == Is::kStarting) child.state = Is::kRunning;
  child.fresh = false;
  child.started_at = self.Now();
  const bool again = std::exchange(child.has_lived, true);
  if (self.events().Wants<ChildStarted>()) {
    self.events().Publish(ChildStarted{self.self(), child.ref, child.spec.type->name,
                                       child.spec.options.name, again});
  }
  if (OnStarted told = std::exchange(child.on_started, nullptr)) told(child.ref);
}

void Supervision::TellEnd(Child& child, const ChildReport& report, Context& self) {
  if (!std::exchange(child.lives, false) || !self.events().Wants<ChildEnded>()) return;
  self.events().Publish(ChildEnded{self.self(), child.ref, child.spec.type->name,
                                   child.spec.options.name, report.reason, report.status});
}

void Supervision::TakeEnd(Child& child, bool gone, const ChildReport& report, Context& self) {
  TellEnd(child, report, self);
  const bool ordered = child.stop;
  const bool was_starting = child.state == Is::kStarting;
  if (ordered && child.for_good && !gone) {  // it will be, or is told so when its turn comes
    if (!child.told) child.state = Is::kVacant;
    return;
  }
  child.state = gone ? Is::kAbsent : Is::kVacant;
  child.stop = child.told = child.for_good = false;
  child.deadline = absl::InfiniteFuture();
  if (gone) {
    child.ref = AnyRef();
    for (Reply<void>& ended : std::exchange(child.on_ended, {})) ended.Send();
  }
  if (!ordered && !closing_) HandleEnd(child, was_starting, report, self);
  if (gone && child.forget) Forget(child);
}

// A permanent child lives again anyway.
void Supervision::TakeStopAsked(Child& child) {
  if (child.spec.options.restart == Restart::kPermanent) return;
  if (child.state == Is::kVacant) return Retire(child);
  if (IsAlive(child)) Order(child.ref, Control::Kind::kStop, ExitReason::kNormal);
}

// ---- ends that nobody ordered

void Supervision::HandleEnd(Child& child, bool was_starting, const ChildReport& report,
                            Context& self) {
  const bool failed = report.reason == ExitReason::kFailed;
  if (failed && was_starting && child.fresh) return HandleFailedStart(child, report.status, self);
  child.fresh = false;
  if (OnStarted told = std::exchange(child.on_started, nullptr)) told(child.ref);
  const Restart restart = child.spec.options.restart;
  if (restart == Restart::kPermanent || (restart == Restart::kTransient && failed)) {
    return MakeAnew(child, report.status, self);
  }
  EndIfSignificant(child, self);
  Retire(child);
}

void Supervision::HandleFailedStart(Child& child, const absl::Status& why, Context& self) {
  if (OnStarted told = std::exchange(child.on_started, nullptr)) {
    told(why);
    return Retire(child);
  }
  Close(ExitReason::kFailed,
        absl::AbortedError(
            absl::StrCat("supervisor: child ", Label(child), " did not start: ", why.ToString())),
        !IsSupervised(self));
}

void Supervision::MakeAnew(Child& child, const absl::Status& why, Context& self) {
  const absl::Time now = self.Now();
  if (!MayRestart(now)) {
    return Close(ExitReason::kFailed,
                 absl::AbortedError(absl::StrCat(
                     "supervisor: more than ", options_.intensity, " restarts in ",
                     absl::FormatDuration(options_.period), ", the last for child ", Label(child),
                     why.ok() ? "" : ": ", why.ok() ? "" : why.ToString())),
                 !IsSupervised(self));
  }
  child.wanted = true;
  child.due = now + NextDelay(child, now);
  if (options_.strategy != Strategy::kOneForOne) MarkSiblings(child);
}

void Supervision::MarkSiblings(const Child& failed) {
  bool behind = false;
  for (const auto& c : children_) {
    if (c.get() == &failed) {
      behind = true;
      continue;
    }
    if (c->forgotten || (options_.strategy == Strategy::kRestForOne && !behind)) continue;
    if (c->spec.options.restart == Restart::kTemporary) {
      Retire(*c);
      continue;
    }
    if (c->state == Is::kStopping && c->for_good) continue;  // somebody wants it to be gone
    c->stop |= IsAlive(*c);
    c->wanted = true;
    c->due = std::max(c->due, failed.due);
  }
}

// To be ended for good. A temporary one is then forgotten.
void Supervision::Retire(Child& child) {
  child.wanted = false;
  child.forget |= child.spec.options.restart == Restart::kTemporary;
  if (child.state == Is::kAbsent || child.for_good) return;
  child.for_good = child.stop = true;
  child.told = false;
}

void Supervision::EndIfSignificant(const Child& ended, Context& self) {
  if (!ended.spec.options.significant) return;
  const bool any_left = std::any_of(children_.begin(), children_.end(), [&](const auto& c) {
    return c.get() != &ended && c->spec.options.significant && (c->wanted && !c->for_good);
  });
  if (options_.auto_shutdown == AutoShutdown::kAnySignificant || !any_left) {
    Close(ExitReason::kNormal, absl::OkStatus(), !IsSupervised(self));
  }
}

// OTP's: more than `intensity` of them in the period are too many.
bool Supervision::MayRestart(absl::Time now) {
  restarts_.push_back(now);
  while (restarts_.front() < now - options_.period) restarts_.pop_front();
  return restarts_.size() <= static_cast<size_t>(options_.intensity);
}

absl::Duration Supervision::NextDelay(Child& child, absl::Time now) {
  if (now - child.started_at > options_.period) child.failures = 0;
  return DelayBeforeNextTry(child.spec.options.backoff, child.failures++, random_);
}

// ---- the supervisor's own life

void Supervision::Obey(const Control& order, Context& self) {
  switch (order.kind) {
    case Control::Kind::kBegin:
      if (parked_) Begin();
      break;
    case Control::Kind::kPark:
      if (!parked_) Close(order.reason, absl::OkStatus(), false);
      break;
    case Control::Kind::kStop:
      if (parked_ && IsSupervised(self)) {
        return CellOf(self).Report(ChildReport::Kind::kStopAsked, order.reason, absl::OkStatus());
      }
      Close(order.reason, absl::OkStatus(), !IsSupervised(self));
      break;
    default:
      Close(order.reason, absl::OkStatus(), true);
  }
  Advance(self);
}

void Supervision::Begin() {
  parked_ = false;
  starting_ = has_lived_ = true;
  restarts_.clear();
  reason_ = ExitReason::kNormal;
  status_ = absl::OkStatus();
  std::erase_if(children_, [](const auto& c) { return c->added_later; });  // those that had ended
  for (const auto& child : children_) {
    child->wanted = child->fresh = true;
    child->forget = child->forgotten = false;
    child->due = absl::InfinitePast();
    child->failures = 0;
  }
}

// The first reason stands.
void Supervision::Close(ExitReason reason, absl::Status status, bool for_good) {
  if (!closing_ && !(parked_ && has_lived_)) {
    reason_ = reason;
    status_ = std::move(status);
  }
  closing_ = true;
  for_good_ |= for_good;
  for (const auto& child : children_) MarkToClose(*child);
}

void Supervision::MarkToClose(Child& child) {
  child.wanted = false;
  if (OnStarted told = std::exchange(child.on_started, nullptr)) {
    told(absl::UnavailableError("the supervisor ends"));
  }
  child.forget |= child.added_later;
  const bool temporary = child.spec.options.restart == Restart::kTemporary;
  if (for_good_ || child.added_later || temporary) {
    const bool forget = child.forget;
    Retire(child);
    child.forget = forget;  // a temporary one lives again with its supervisor
  } else {
    child.stop |= IsAlive(child);
  }
}

// ---- requests

void Supervision::StartChild(ChildSpec spec, OnStarted on_started, Context& self) {
  if (closing_ || parked_) return on_started(absl::UnavailableError("the supervisor ends"));
  if (absl::Status wrong = Check(spec); !wrong.ok()) return on_started(wrong);
  auto child = std::make_unique<Child>();
  child->spec = std::move(spec);
  child->added_later = true;
  child->forget = false;
  child->on_started = [c = child.get(), told = std::move(on_started)](auto started) {
    if (!started.ok()) c->forget = true;
    told(std::move(started));
  };
  children_.push_back(std::move(child));
  Advance(self);
}

absl::Status Supervision::CheckEnded(const Child* child, const std::string& name) const {
  if (child == nullptr) {
    return absl::NotFoundError(absl::StrCat("there is no child named \"", name, "\""));
  }
  switch (StateOf(*child)) {
    case ChildState::kEnded:
      return absl::OkStatus();
    case ChildState::kRestarting:
      return absl::FailedPreconditionError("the child is being made anew");
    default:
      return absl::FailedPreconditionError("the child has not ended");
  }
}

void Supervision::RestartChild(const std::string& name, OnStarted on_started, Context& self) {
  Child* const child = Find(name);
  if (absl::Status wrong = CheckEnded(child, name); !wrong.ok()) return on_started(wrong);
  if (closing_ || parked_) return on_started(absl::UnavailableError("the supervisor ends"));
  child->wanted = child->fresh = true;
  child->due = absl::InfinitePast();
  child->on_started = std::move(on_started);
  Advance(self);
}

void Supervision::TerminateChild(const ChildKey& key, Reply<void> reply, Context& self) {
  Child* const child = Find(key);
  if (child == nullptr) return reply.Send(absl::NotFoundError("there is no such child"));
  if (OnStarted told = std::exchange(child->on_started, nullptr)) {
    told(absl::CancelledError("the child was terminated before it had started"));
  }
  if (child->state == Is::kAbsent) {
    child->wanted = false;
    reply.Send();
    if (child->forget) Forget(*child);
    return;
  }
  child->on_ended.push_back(std::move(reply));
  Retire(*child);
  Advance(self);
}

absl::Status Supervision::DeleteChild(const std::string& name) {
  Child* const child = Find(name);
  if (absl::Status wrong = CheckEnded(child, name); !wrong.ok()) return wrong;
  Forget(*child);
  return absl::OkStatus();
}

ChildState Supervision::StateOf(const Child& child) {
  switch (child.state) {
    case Is::kStarting:
      return ChildState::kStarting;
    case Is::kRunning:
      return child.stop ? ChildState::kStopping : ChildState::kRunning;
    case Is::kStopping:
      return ChildState::kStopping;
    case Is::kAbsent:
    case Is::kVacant:
      break;
  }
  if (child.wanted) return child.fresh ? ChildState::kStarting : ChildState::kRestarting;
  return child.state == Is::kAbsent ? ChildState::kEnded : ChildState::kStopping;
}

std::vector<ChildInfo> Supervision::WhichChildren() const {
  std::vector<ChildInfo> all;
  for (const auto& c : children_) {
    if (c->forgotten) continue;
    all.push_back(
        {c->spec.options.name, c->ref, c->spec.type->name, StateOf(*c), c->spec.is_supervisor});
  }
  return all;
}

absl::StatusOr<ChildOptions> Supervision::OptionsOf(const ChildKey& key) const {
  const Child* const child = Find(key);
  if (child == nullptr) return absl::NotFoundError("there is no such child");
  return child->spec.options;
}

ChildCounts Supervision::CountChildren() const {
  ChildCounts counts;
  for (const auto& c : children_) {
    if (c->forgotten) continue;
    ++counts.specs;
    counts.active += IsAlive(*c) || c->state == Is::kStopping;
    ++(c->spec.is_supervisor ? counts.supervisors : counts.workers);
  }
  return counts;
}

}  // namespace troupe::internal
