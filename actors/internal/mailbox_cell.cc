#include "troupe/actors/internal/mailbox_cell.h"

#include <algorithm>

#include "absl/container/inlined_vector.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/actors/internal/incarnation.h"
#include "troupe/actors/internal/mailbox_duties.h"

namespace troupe::internal {
namespace {

// Of all shares the one with the highest number has the key: if a share comes or goes, only keys that
// it gets or had move. (Thaler and Ravishankar, "Using name-based mappings to increase hit rates",
// 1998.) The mixing is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014).
uint64_t Scramble(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}
uint64_t NumberOf(uint64_t key, uint32_t share) {
  return Scramble(Scramble(key + 0x9E3779B97F4A7C15u) + share * 0x9E3779B97F4A7C15u);
}

}  // namespace

void Mail::GoBack() { from_.cell->PutBack(from_.incarnation, share_, *envelope_, stamp_); }

// ---- beginning

MailboxCell::MailboxCell(ActorSpace& space) : space_(space), print_key_(space.print_key()) {}

MailboxCell::~MailboxCell() {
  if (intake_open_) CloseIntake();
  for (MailLane& lane : lanes_) {
    MailStamp stamp;
    while (!lane.empty()) Discard(lane.TakeFirst(stamp), Lost::kReceiverGone);
  }
}

void MailboxCell::Open(uint64_t incarnation, MailboxSpec spec) {
  Duties duties(*this);
  const Holder lock(*this);
  incarnation_ = incarnation;
  draining_ = false;
  spec_ = std::move(spec);
  lanes_.assign(1, MailLane());
  shares_ = last_share_ = last_served_ = 0;
  intake_.Begin();
  random_ = Scramble(spec_.seed);
  has_sender_ = false;
  sent_ = dropped_ = 0;
  // Relaxed, both: read as guesses, but under the lock.
  received_.store(0, std::memory_order_relaxed);
  warned_ = false;
  holds_mail_.store(spec_.capacity > 0, std::memory_order_relaxed);
  AddShareLocked(duties);
}

// ---- the short way in

bool MailboxCell::has_intake() const {
  return one_lane() && spec_.receivers != Receivers::kExclusivePair;
}

// If nobody can tell (B7).
void MailboxCell::OpenIntake() {
  if (incarnation_ == 0 || draining_ || warned_ || !has_intake()) return;
  if (receivers_.first() != nullptr || senders_.first() != nullptr) return;
  if (lanes_.front().depth() >= most_by_intake()) return;
  intake_open_ = true;
  intake_.Open(incarnation_, lanes_.front(), most_by_intake());
}

void MailboxCell::CloseIntake() {
  intake_open_ = false;
  sent_ += intake_.Close(lanes_.front());
}

// What comes for one who has nothing. It stays open, so the senders do not notice.
void MailboxCell::CollectIntake() {
  if (intake_.LooksLike() > 0) sent_ += intake_.Collect(lanes_.front(), most_by_intake());
}

// The receiver is about to come for all of it, and would be held up by whoever takes its lock for one more.
bool MailboxCell::IntakeIsEmptiedSoon() {
  return intake_.LooksFull() && !space_.scheduler().host_driven() &&
         senders_glances_.Look([this] { return intake_.Room(); });
}

// ---- sending

MailboxCell::PutResult MailboxCell::Put(uint64_t incarnation, Envelope& e, PutMode mode,
                                        bool until_taken, MailWaiter* waiter) {
  if (!until_taken) {
    if (intake_.Put(incarnation, e, NowMs())) return PutResult::kTaken;
    if (IntakeIsEmptiedSoon() && intake_.Put(incarnation, e, NowMs())) return PutResult::kTaken;
  }
  Duties duties(*this);
  const Holder lock(*this);
  if (!is_open(incarnation) || draining_) {
    duties.Refuse(e, DeadLetterReason::kNoSuchActor, incarnation, mode);
    return PutResult::kClosed;
  }
  try {
    return PutLocked(e, mode, until_taken, waiter, duties);
  } catch (...) {  // before it was placed
    ++dropped_;
    duties.Refuse(e, DeadLetterReason::kDroppedNewest, incarnation, mode);
    return PutResult::kNotCopied;
  }
}

MailboxCell::PutResult MailboxCell::PutLocked(Envelope& e, PutMode mode, bool until_taken,
                                              MailWaiter* waiter, Duties& duties) {
  if (!MaySend(e) || (until_taken && spec_.receivers == Receivers::kAll)) {
    ++dropped_;
    duties.Refuse(e, DeadLetterReason::kNotAllowed, incarnation_, mode);
    return PutResult::kNotAllowed;
  }
  if (until_taken && waiter == nullptr) {
    return HandOver(*LaneFor(e), e, NextStamp(NowMs()), duties) ? PutResult::kTaken
                                                                : PutResult::kWaits;
  }
  if (waiter != nullptr) {
    waiter->message = &e;
    waiter->stamp.since_ms = NowMs();
    waiter->until_taken = until_taken;
  }
  if (Place(e, until_taken ? waiter : nullptr, duties)) {
    return until_taken && waiter->state == MailWaiter::State::kInLane ? PutResult::kWaits
                                                                      : PutResult::kTaken;
  }
  if (spec_.when_full == WhenFull::kBlock && mode == PutMode::kMayWait) {
    if (waiter != nullptr) senders_.Add(*waiter, MailWaiter::State::kForRoom);
    return PutResult::kWaits;
  }
  if (spec_.when_full == WhenFull::kDropOldest && spec_.capacity > 0) {
    MakeRoom(e, duties);
    Place(e, until_taken ? waiter : nullptr, duties);
    return until_taken ? PutResult::kWaits : PutResult::kTaken;
  }
  const bool drops =
      spec_.when_full == WhenFull::kDropNewest || spec_.when_full == WhenFull::kDropOldest;
  ++dropped_;
  duties.Refuse(e, drops ? DeadLetterReason::kDroppedNewest : DeadLetterReason::kFull, incarnation_,
                mode);
  return drops ? PutResult::kDropped : PutResult::kFull;
}

bool MailboxCell::MaySend(const Envelope& e) {
  if (spec_.receivers != Receivers::kExclusivePair) return true;
  if (!std::exchange(has_sender_, true)) sender_ = e.sender;
  return sender_ == e.sender;
}

bool MailboxCell::one_lane() const {
  return spec_.receivers != Receivers::kByKey && spec_.receivers != Receivers::kAll;
}

MailLane* MailboxCell::LaneOf(uint32_t share) {
  if (one_lane()) return &lanes_.front();
  const auto lane = std::find_if(lanes_.begin(), lanes_.end(),
                                 [share](const MailLane& l) { return l.share == share; });
  return lane != lanes_.end() ? &*lane : nullptr;
}

// kAll: any of them; PlaceInAll has the rest.
MailLane* MailboxCell::LaneFor(Envelope& e) {
  if (spec_.receivers != Receivers::kByKey) return &lanes_.front();
  const uint64_t key = spec_.key(e);
  return &*std::max_element(lanes_.begin(), lanes_.end(),
                            [key](const MailLane& a, const MailLane& b) {
                              return NumberOf(key, a.share) < NumberOf(key, b.share);
                            });
}

// `sender` waits until it is taken. False: there is no room.
bool MailboxCell::Place(Envelope& e, MailWaiter* sender, Duties& duties) {
  if (spec_.receivers != Receivers::kAll) return PlaceIn(*LaneFor(e), e, sender, duties);
  for (MailLane& lane : lanes_) {
    if (lane.depth() >= spec_.capacity) return false;
  }
  PlaceInAll(e, duties);
  return true;
}

bool MailboxCell::PlaceIn(MailLane& lane, Envelope& e, MailWaiter* sender, Duties& duties) {
  const MailStamp stamp = NextStamp(sender != nullptr ? sender->stamp.since_ms : NowMs());
  if (HandOver(lane, e, stamp, duties)) return true;
  if (lane.depth() >= spec_.capacity) return false;
  Append(lane, e, stamp, sender, duties);
  return true;
}

// All copies are made before the first is placed: making one may throw.
void MailboxCell::PlaceInAll(Envelope& e, Duties& duties) {
  absl::InlinedVector<Envelope*, 8> copies{&e};
  try {
    while (copies.size() < lanes_.size()) copies.push_back(spec_.copy(e));
  } catch (...) {
    for (size_t i = 1; i < copies.size(); ++i) Discard(*copies[i], Lost::kReceiverFailed);
    throw;
  }
  for (size_t i = 0; i < lanes_.size(); ++i) PlaceIn(lanes_[i], *copies[i], nullptr, duties);
}

// Gives it to one who waits for it.
bool MailboxCell::HandOver(MailLane& lane, Envelope& e, MailStamp stamp, Duties& duties) {
  while (MailWaiter* const w = NextReceiver(lane)) {
    receivers_.Remove(*w);
    if (w->mail_slot->Claim()) {
      if (spec_.receivers == Receivers::kRoundRobin) last_served_ = w->share;
      ++sent_;
      CountReceived(1);
      duties.Give(*w->mail_slot, Mail({this, incarnation_}, w->share, e, stamp));
      return true;
    }
    w->mail_slot->Release();  // it has been served elsewhere (B4)
  }
  return false;
}

MailWaiter* MailboxCell::NextReceiver(const MailLane& lane) {
  MailWaiter* w = receivers_.first();
  if (w == nullptr) [[likely]]
    return nullptr;
  if (!one_lane()) {
    while (w != nullptr && w->share != lane.share) w = w->next;
    return w;
  }
  if (spec_.receivers == Receivers::kRandom) {
    random_ += 0x9E3779B97F4A7C15u;
    for (uint64_t n = Scramble(random_) % receivers_.size(); n > 0; --n) w = w->next;
  } else if (spec_.receivers == Receivers::kRoundRobin) {
    // The next share after the one that was served last, in the circle of all numbers.
    const auto distance = [after = last_served_ + 1](const MailWaiter* r) {
      return r->share - after;
    };
    for (MailWaiter* other = w->next; other != nullptr; other = other->next) {
      if (distance(other) < distance(w)) w = other;
    }
  }
  return w;
}

void MailboxCell::Append(MailLane& lane, Envelope& e, MailStamp stamp, MailWaiter* sender,
                         Duties& duties) {
  lane.Append(e, stamp, sender);
  ++sent_;
  if (lane.depth() >= spec_.warn_at && !warned_) [[unlikely]] {
    warned_ = true;
    if (spec_.on_warning) duties.Warn(spec_.on_warning, StatsLocked());
  }
}

// The lanes that are full, or more than that (B5), and that `for_this` has to go to, lose what is
// oldest.
void MailboxCell::MakeRoom(Envelope& for_this, Duties& duties) {
  const auto drop_oldest = [&](MailLane& lane) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    while (lane.depth() >= spec_.capacity) {
      MailStamp stamp;
      ++dropped_;
      duties.Lose(TakeOut(lane, stamp, LostStatus(Lost::kReceiverFull), duties),
                  DeadLetterReason::kDroppedOldest, incarnation_);
    }
  };
  if (spec_.receivers != Receivers::kAll) return drop_oldest(*LaneFor(for_this));
  for (MailLane& lane : lanes_) drop_oldest(lane);
}

// ---- receiving

MailboxCell::TakeResult MailboxCell::Take(uint64_t incarnation, uint32_t share, Mail& mail,
                                          MailWaiter* waiter) {
  Duties duties(*this);
  const Holder lock(*this, Intake::kAsItIs);
  MailLane* const lane = is_open(incarnation) ? LaneOf(share) : nullptr;
  if (lane == nullptr) return TakeResult::kClosed;
  if (intake_open_ && lane->empty()) {  // else the oldest is here (B7)
    waiter == nullptr ? CollectIntake() : CloseIntake();
  }
  if (spec_.receivers == Receivers::kOneAtATime && IsBusy()) return TakeResult::kBusy;
  if (!HasMail(*lane)) {
    if (draining_) return TakeResult::kClosed;
    if (waiter == nullptr) return TakeResult::kEmpty;
    receivers_.Add(*waiter, MailWaiter::State::kForMail);
    return TakeResult::kWaits;
  }
  if (waiter != nullptr && !waiter->mail_slot->Claim()) {  // B4
    waiter->mail_slot->Release();
    return TakeResult::kWaits;
  }
  MailStamp stamp;
  Envelope& e = TakeFirst(*lane, stamp, duties);
  Mail taken({this, incarnation}, share, e, stamp);
  CountReceived(1);
  if (spec_.receivers == Receivers::kRoundRobin) last_served_ = share;
  EndIfDrained(duties);
  if (waiter != nullptr) {
    duties.Give(*waiter->mail_slot, std::move(taken));
  } else {
    mail = std::move(taken);
  }
  return TakeResult::kMail;
}

// Those who have been served elsewhere (B4) wait no more, though they may not know it yet.
bool MailboxCell::IsBusy() {
  while (MailWaiter* const w = receivers_.first()) {
    if (w->mail_slot->pending()) return true;
    receivers_.Remove(*w);
    w->mail_slot->Release();
  }
  return false;
}

// Also what a sender holds that finds no room in this mailbox: with a capacity of 0 there is nothing
// else to be had.
bool MailboxCell::HasMail(MailLane& lane) {
  return !lane.empty() || FirstSenderFor(lane) != nullptr;
}

// kAll: who waits there waits for room with each of them, and is not served by one.
MailWaiter* MailboxCell::FirstSenderFor(MailLane& lane) {
  if (spec_.receivers == Receivers::kAll) return nullptr;
  MailWaiter* w = senders_.first();
  if (spec_.receivers == Receivers::kByKey) {
    while (w != nullptr && LaneFor(*w->message) != &lane) w = w->next;
  }
  return w;
}

// The lane HasMail.
Envelope& MailboxCell::TakeFirst(MailLane& lane, MailStamp& stamp, Duties& duties) {
  if (lane.empty()) {
    MailWaiter& sender = *FirstSenderFor(lane);
    senders_.Remove(sender);
    stamp = NextStamp(sender.stamp.since_ms);
    ++sent_;
    duties.Tell(sender, absl::OkStatus());
    return *sender.message;
  }
  Envelope& first = TakeOut(lane, stamp, absl::OkStatus(), duties);
  if (senders_.first() != nullptr) AdmitSenders(duties);
  return first;
}

// The first, for good: a sender that waits until it is taken is told what became of it.
Envelope& MailboxCell::TakeOut(MailLane& lane, MailStamp& stamp, absl::Status told,
                               Duties& duties) {
  MailWaiter* const sender = MailLane::SenderOf(lane.first());
  Envelope& first = lane.TakeFirst(stamp);
  NoteShrunk(lane);
  if (sender != nullptr) duties.Tell(*sender, std::move(told));
  return first;
}

void MailboxCell::NoteShrunk(const MailLane& lane) {
  if (warned_ && lane.depth() < spec_.warn_at / 2) warned_ = false;
}

// In the order in which they came; with kByKey one that has no room does not keep those behind it
// from other lanes.
void MailboxCell::AdmitSenders(Duties& duties) {
  MailWaiter* next;
  for (MailWaiter* w = senders_.first(); w != nullptr; w = next) {
    next = w->next;
    bool placed;
    absl::Status told;
    try {
      placed = Place(*w->message, w->until_taken ? w : nullptr, duties);
    } catch (...) {  // copying it
      placed = true;
      told = LostStatus(Lost::kReceiverFailed);
      ++dropped_;
      duties.Lose(*w->message, DeadLetterReason::kDroppedNewest, incarnation_);
    }
    if (!placed) {
      if (one_lane() || spec_.receivers == Receivers::kAll) return;
      continue;
    }
    const bool in_lane = w->state == MailWaiter::State::kInLane;
    senders_.Remove(*w, in_lane ? MailWaiter::State::kInLane : MailWaiter::State::kUnlinked);
    if (!in_lane) duties.Tell(*w, std::move(told));
  }
}

void MailboxCell::PutBack(uint64_t incarnation, uint32_t share, Envelope& e, MailStamp stamp) {
  Duties duties(*this);
  const Holder lock(*this);
  MailLane* lane = nullptr;
  if (is_open(incarnation)) {
    // The key may have moved meanwhile.
    lane = spec_.receivers == Receivers::kByKey ? LaneFor(e) : LaneOf(share);
  }
  if (lane == nullptr) return duties.Lose(e, DeadLetterReason::kStopped, incarnation);
  --sent_;
  CountReceived(-1);
  if (HandOver(*lane, e, stamp, duties)) return;
  lane->PutInOrder(e, stamp, nullptr);
  ++sent_;
}

// ---- not waiting any more

void MailboxCell::Withdraw(MailWaiter& w) {
  if (w.at.cell == nullptr) return;
  MailboxCell& cell = *w.at.cell;
  Duties duties(cell);
  const Holder lock(cell);
  switch (w.state) {
    case MailWaiter::State::kUnlinked:
      return;
    case MailWaiter::State::kForMail:
      cell.receivers_.Remove(w);
      w.mail_slot->Release();
      return;
    case MailWaiter::State::kForClose:
      cell.close_watchers_.Remove(w);
      w.told_slot->Release();
      return;
    case MailWaiter::State::kForRoom:
      cell.senders_.Remove(w);
      break;
    case MailWaiter::State::kInLane: {
      MailLane& lane = *cell.LaneFor(*w.message);
      lane.Remove(w);
      cell.NoteShrunk(lane);
      --cell.sent_;
      break;
    }
  }
  ++cell.dropped_;
  duties.Lose(*w.message, DeadLetterReason::kExpired, w.at.incarnation);
  w.told_slot->Release();
  if (cell.senders_.first() != nullptr) cell.AdmitSenders(duties);
  cell.EndIfDrained(duties);
}

bool MailboxCell::AwaitClose(uint64_t incarnation, MailWaiter& waiter) {
  const ShortLockHolder lock(lock_);
  if (!is_open(incarnation) || draining_) return false;
  close_watchers_.Add(waiter, MailWaiter::State::kForClose);
  return true;
}

// ---- looking

Receivers MailboxCell::receivers(uint64_t incarnation) {
  const Holder lock(*this, Intake::kAsItIs);
  return is_open(incarnation) ? spec_.receivers : Receivers::kFirstCome;
}

MailboxStats MailboxCell::stats(uint64_t incarnation) {
  const Holder lock(*this);
  if (!is_open(incarnation)) return {.closed = true};
  space_.RefreshCoarseClock();
  return StatsLocked();
}

MailboxStats MailboxCell::StatsLocked() {
  MailboxStats stats{.sent = sent_,
                     .received = received_so_far(),
                     .dropped = dropped_,
                     .waiting_senders = senders_.size(),
                     .waiting_receivers = receivers_.size(),
                     .capacity = spec_.capacity,
                     .closed = draining_};
  const uint32_t now_ms = NowMs();
  for (const MailLane& lane : lanes_) {
    stats.depth = spec_.receivers == Receivers::kAll ? std::max<uint64_t>(stats.depth, lane.depth())
                                                     : stats.depth + lane.depth();
    if (lane.empty()) continue;
    stats.oldest_age = std::max(
        stats.oldest_age, absl::Milliseconds(now_ms - MailLane::StampOf(lane.first()).since_ms));
  }
  return stats;
}

std::string MailboxCell::ToString(uint64_t incarnation) {
  const ShortLockHolder lock(lock_);
  return ToStringLocked(incarnation);
}

std::string MailboxCell::ToStringLocked(uint64_t incarnation) const {
  std::string text;
  if (is_open(incarnation)) text = spec_.name.empty() ? std::string(*spec_.message) : spec_.name;
  return text + PrintedNumber(incarnation, print_key_);
}

uint32_t MailboxCell::NowMs() const { return static_cast<uint32_t>(space_.coarse_clock().NowMs()); }

}  // namespace troupe::internal
