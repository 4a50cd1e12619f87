#include "tests/simulation/mailbox_model.h"

#include <algorithm>
#include <array>

namespace troupe {

using absl::StatusCode;

// ---- who gets it

MailboxModel::Lane* MailboxModel::LaneOf(Box& box, uint32_t share) {
  if (box.one_lane()) return &box.lanes[0];
  for (Lane& lane : box.lanes) {
    if (lane.share == share) return &lane;
  }
  return nullptr;
}

MailboxModel::Lane& MailboxModel::LaneFor(Box& box, const Message& message) {
  if (box.choice.receivers != Receivers::kByKey) return box.lanes[0];
  constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;
  const auto rank = [&](const Lane& lane) {
    return Mix(Mix(static_cast<uint64_t>(message.key) + kStep) + lane.share * kStep);
  };
  return *std::max_element(box.lanes.begin(), box.lanes.end(),
                           [&](const Lane& a, const Lane& b) { return rank(a) < rank(b); });
}

// Of those who wait for what is in the lane; their number if nobody does.
size_t MailboxModel::NextReceiver(const Box& box, const Lane& lane) const {
  size_t next = box.receivers.size();
  const auto turn = [&](size_t i) { return box.receivers[i].share - box.last_served - 1; };
  for (size_t i = 0; i < box.receivers.size(); ++i) {
    if (!box.one_lane() && box.receivers[i].share != lane.share) continue;
    const bool is_first = next == box.receivers.size();
    if (is_first || (box.choice.receivers == Receivers::kRoundRobin && turn(i) < turn(next))) {
      next = i;
    }
  }
  return next;
}

bool MailboxModel::HandOver(Box& box, Lane& lane, const Message& message) {
  size_t next = NextReceiver(box, lane);
  if (next == box.receivers.size()) return false;
  if (box.choice.receivers == Receivers::kRandom) {
    box.random += 0x9E3779B97F4A7C15u;
    next = Mix(box.random) % box.receivers.size();
  }
  const Waiting receiver = box.receivers[next];
  box.last_served = receiver.share;
  ++box.sent;
  ++box.received;
  Op& op = ops_[receiver.op];
  op.from = {NumberOf(box), receiver.share};
  op.mail = message;
  op.mail->waiting_op = kNo;
  Settle(receiver.op, {StatusCode::kOk, message.id});
  return true;
}

// ---- sending

SendResult MailboxModel::TrySend(int to, Message message) {
  const Telling telling(*this);
  const Put put = Accept(boxes_[to], message, false, kNo, false);
  using enum SendResult;
  return std::array{
      kQueued, kFull, kDropped, kClosed, kNotAllowed, kFull}[static_cast<size_t>(put)];
}

void MailboxModel::Send(int op, int actor, int to, Message message, bool until_taken) {
  const Telling telling(*this);
  ops_[op] = {.actor = actor};
  const Put put = Accept(boxes_[to], message, true, op, until_taken);
  if (put != Put::kWaits) Settle(op, {StatusOf(put)});
}

// Whoever has it owes the answer; until then the asker waits, and the message does not.
void MailboxModel::Ask(int op, int actor, int to, Message message) {
  const Telling telling(*this);
  ops_[op] = {.actor = actor};
  message.ask = op;
  const Put put = Accept(boxes_[to], message, false, kNo, false);
  if (put != Put::kTaken) Settle(op, {StatusOf(put)});
}
void MailboxModel::Answer(const Message& message) {
  if (message.ask != kNo) Settle(message.ask, {StatusCode::kOk, message.id});
}

StatusCode MailboxModel::StatusOf(Put put) {
  using enum StatusCode;
  return std::array{kOk,          kResourceExhausted, kResourceExhausted,
                    kUnavailable, kPermissionDenied,  kOk}[static_cast<size_t>(put)];
}

MailboxModel::Put MailboxModel::Accept(Box& box, Message message, bool may_wait, int op,
                                       bool until_taken) {
  if (box.ended || box.closed) {
    Lose(DeadLetterReason::kNoSuchActor);
    return Put::kClosed;
  }
  if (box.choice.receivers == Receivers::kExclusivePair && !box.sender) box.sender = message.sender;
  if ((box.sender && *box.sender != message.sender) ||
      (until_taken && box.choice.receivers == Receivers::kAll)) {
    ++box.dropped;
    Lose(DeadLetterReason::kNotAllowed);
    return Put::kNotAllowed;
  }
  message.waiting_op = until_taken ? op : kNo;
  const uint64_t received = box.received;
  const auto placed = [&] {
    return until_taken && box.received == received ? Put::kWaits : Put::kTaken;
  };
  if (PlaceAnywhere(box, message)) return placed();
  if (box.choice.when_full == WhenFull::kBlock && may_wait) {
    box.senders.push_back({op, 0, message, until_taken});
    return Put::kWaits;
  }
  if (box.choice.when_full == WhenFull::kDropOldest && box.choice.capacity > 0) {
    for (Lane& lane : box.lanes) {
      if (box.choice.receivers != Receivers::kAll && &lane != &LaneFor(box, message)) continue;
      while (lane.mail.size() >= box.choice.capacity) {
        const Message oldest = lane.mail.front();
        lane.mail.pop_front();
        ++box.dropped;
        Lose(DeadLetterReason::kDroppedOldest);
        Refuse(oldest, StatusCode::kResourceExhausted);
      }
    }
    PlaceAnywhere(box, message);
    return placed();
  }
  ++box.dropped;
  if (box.choice.when_full == WhenFull::kBlock || box.choice.when_full == WhenFull::kFail) {
    Lose(DeadLetterReason::kFull);
    return Put::kFull;
  }
  Lose(DeadLetterReason::kDroppedNewest);
  return Put::kDropped;
}

bool MailboxModel::PlaceAnywhere(Box& box, Message& message) {
  if (box.choice.receivers != Receivers::kAll) return PlaceIn(box, LaneFor(box, message), message);
  for (const Lane& lane : box.lanes) {
    if (lane.mail.size() >= box.choice.capacity) return false;
  }
  for (Lane& lane : box.lanes) {
    PlaceIn(box, lane, message);
    message.ask = kNo;  // of the copies none is owed an answer
  }
  return true;
}

bool MailboxModel::PlaceIn(Box& box, Lane& lane, Message message) {
  message.order = ++last_order_;
  if (HandOver(box, lane, message)) return true;
  if (lane.mail.size() >= box.choice.capacity) return false;
  lane.mail.push_back(message);
  ++box.sent;
  return true;
}

void MailboxModel::Admit(Box& box) {
  for (size_t i = 0; i < box.senders.size();) {
    const Waiting sender = box.senders[i];
    Message message = sender.message;
    const uint64_t received = box.received;
    if (!PlaceAnywhere(box, message)) {
      if (box.choice.receivers != Receivers::kByKey) return;
      ++i;
      continue;
    }
    box.senders.erase(box.senders.begin() + static_cast<ptrdiff_t>(i));
    if (!sender.until_taken || box.received != received) Settle(sender.op, {StatusCode::kOk});
  }
}

// ---- receiving

std::optional<int> MailboxModel::TryReceive(Place from) {
  const Telling telling(*this);
  std::optional<Message> taken;
  Take(from, taken, kNo);
  if (taken) Answer(*taken);
  return taken ? std::optional(taken->id) : std::nullopt;
}

void MailboxModel::Receive(int op, int actor, const std::vector<Place>& from) {
  const Telling telling(*this);
  ops_[op] = {.actor = actor, .receives = true};
  std::optional<StatusCode> first_error;  // told if none of them has mail
  const auto note = [&first_error](StatusCode error) {
    if (!first_error) first_error = error;
  };
  for (const Place& place : from) {
    if (ops_[op].outcome.has_value()) return;
    std::optional<Message> taken;
    switch (Take(place, taken, op)) {
      case Took::kMail:
        ops_[op].from = place;
        ops_[op].mail = taken;
        Settle(op, {StatusCode::kOk, taken->id});
        break;
      case Took::kClosed:
        note(StatusCode::kUnavailable);
        break;
      case Took::kBusy:
        note(StatusCode::kFailedPrecondition);
        break;
      case Took::kEmpty:
        break;
    }
  }
  if (first_error && !ops_[op].outcome.has_value()) Settle(op, {*first_error});
}

MailboxModel::Took MailboxModel::Take(Place from, std::optional<Message>& taken, int op) {
  Box& box = boxes_[from.box];
  Lane* const lane = box.ended ? nullptr : LaneOf(box, from.share);
  if (lane == nullptr) return Took::kClosed;
  if (box.choice.receivers == Receivers::kOneAtATime && !box.receivers.empty()) return Took::kBusy;
  if (!lane->mail.empty()) {
    taken = lane->mail.front();
    lane->mail.pop_front();
  } else if (box.choice.receivers != Receivers::kAll) {
    const auto sender = std::find_if(box.senders.begin(), box.senders.end(), [&](const Waiting& w) {
      return &LaneFor(box, w.message) == lane;
    });
    if (sender != box.senders.end()) {
      taken = sender->message;
      taken->order = ++last_order_;
      taken->waiting_op = sender->op;
      box.senders.erase(sender);
      ++box.sent;
    }
  }
  if (!taken) {
    if (box.closed) return Took::kClosed;
    if (op != kNo) box.receivers.push_back({op, from.share, {}});
    return Took::kEmpty;
  }
  ++box.received;
  box.last_served = from.share;
  if (taken->waiting_op != kNo) Settle(std::exchange(taken->waiting_op, kNo), {StatusCode::kOk});
  Admit(box);
  EndIfDrained(box);
  return Took::kMail;
}

void MailboxModel::PutBack(Place from, Message message) {
  const Telling telling(*this);
  Box& box = boxes_[from.box];
  Lane* lane = nullptr;
  if (!box.ended) {
    lane = box.choice.receivers == Receivers::kByKey ? &LaneFor(box, message)
                                                     : LaneOf(box, from.share);
  }
  if (lane == nullptr) {
    Refuse(message, StatusCode::kUnavailable);
    return Lose(DeadLetterReason::kStopped);
  }
  --box.sent;
  --box.received;
  if (HandOver(box, *lane, message)) return;
  Insert(*lane, message);
  ++box.sent;
}

void MailboxModel::Insert(Lane& lane, Message message) {
  const auto before = std::find_if(lane.mail.begin(), lane.mail.end(),
                                   [&](const Message& m) { return m.order > message.order; });
  lane.mail.insert(before, message);
}

// ---- giving up

void MailboxModel::Withdraw(int op, StatusCode told) {
  const Telling telling(*this);
  Withdraw(op);
  Settle(op, {told});
}

void MailboxModel::Withdraw(int op) {
  for (Box& box : boxes_) {
    std::erase_if(box.receivers, [op](const Waiting& w) { return w.op == op; });
    std::erase(box.close_watchers, op);
    size_t gone = std::erase_if(box.senders, [op](const Waiting& w) { return w.op == op; });
    for (Lane& lane : box.lanes) {
      const size_t there =
          std::erase_if(lane.mail, [op](const Message& m) { return m.waiting_op == op; });
      box.sent -= there;
      gone += there;
    }
    if (gone == 0) continue;
    const Telling telling(*this);
    ++box.dropped;
    Lose(DeadLetterReason::kExpired);
    Admit(box);
    EndIfDrained(box);
  }
}

// ---- rights

uint32_t MailboxModel::AddShare(int number) {
  const Telling telling(*this);
  Box& box = boxes_[number];
  if (box.ended) return 0;
  if (box.choice.receivers == Receivers::kExclusivePair && box.last_share != 0) return 0;
  ++box.shares;
  const uint32_t share = ++box.last_share;
  if (box.one_lane()) return share;
  if (box.shares == 1) {
    box.lanes[0].share = share;
    return share;
  }
  box.lanes.push_back({.share = share, .mail = {}});
  if (box.choice.receivers == Receivers::kByKey) {
    Redistribute(box);
    Admit(box);
  }
  return share;
}

uint32_t MailboxModel::Attach(int number) {
  Box& box = boxes_[number];
  if (box.ended || box.shares != 0) return 0;
  ++box.shares;
  const uint32_t share = ++box.last_share;
  if (!box.one_lane()) box.lanes[0].share = share;
  return share;
}

void MailboxModel::DropShare(Place right) {
  const Telling telling(*this);
  Box& box = boxes_[right.box];
  if (box.ended) return;
  TurnAway(box, right.share, StatusCode::kCancelled);
  if (--box.shares == 0) {
    if (box.choice.owner == MailboxOwner::kReceiver || box.closed) CloseBox(box, Backlog::kDrop);
    return;
  }
  if (box.one_lane()) return;
  const auto lane = std::find_if(box.lanes.begin(), box.lanes.end(),
                                 [&](const Lane& l) { return l.share == right.share; });
  if (box.choice.receivers == Receivers::kAll) {
    DropMail(box, *lane);
    box.lanes.erase(lane);
  } else {
    const std::deque<Message> orphans = std::move(lane->mail);
    box.lanes.erase(lane);
    for (const Message& m : orphans) Insert(LaneFor(box, m), m);
    for (Lane& heir : box.lanes) {
      while (!heir.mail.empty() && NextReceiver(box, heir) != box.receivers.size()) {
        const Message message = heir.mail.front();
        heir.mail.pop_front();
        --box.sent;
        HandOver(box, heir, message);
        if (message.waiting_op != kNo) Settle(message.waiting_op, {StatusCode::kOk});
      }
    }
  }
  Admit(box);
  EndIfDrained(box);
}

void MailboxModel::Redistribute(Box& box) {
  std::vector<Message> all;
  for (Lane& lane : box.lanes) {
    all.insert(all.end(), lane.mail.begin(), lane.mail.end());
    lane.mail.clear();
  }
  for (const Message& m : all) Insert(LaneFor(box, m), m);
}

// ---- the end

size_t MailboxModel::Close(int box, Backlog backlog) {
  const Telling telling(*this);
  return boxes_[box].ended ? 0 : CloseBox(boxes_[box], backlog);
}

size_t MailboxModel::CloseBox(Box& box, Backlog backlog) {
  size_t left = 0;
  for (Lane& lane : box.lanes) {
    left += lane.mail.size();
    if (backlog == Backlog::kDrop) DropMail(box, lane);
  }
  while (!box.senders.empty()) {
    const int op = box.senders.front().op;
    box.senders.pop_front();
    ++box.dropped;
    Lose(DeadLetterReason::kStopped);
    Settle(op, {StatusCode::kUnavailable});
  }
  for (const int op : std::exchange(box.close_watchers, {})) Settle(op, {StatusCode::kOk});
  TurnAway(box, 0, StatusCode::kUnavailable);
  box.closed = true;
  EndIfDrained(box);
  return left;
}

void MailboxModel::DropMail(Box& box, Lane& lane) {
  while (!lane.mail.empty()) {
    const Message message = lane.mail.front();
    lane.mail.pop_front();
    ++box.dropped;
    Lose(DeadLetterReason::kStopped);
    Refuse(message, StatusCode::kUnavailable);
  }
}

void MailboxModel::AwaitClose(int op, int actor, int box) {
  const Telling telling(*this);
  ops_[op] = {.actor = actor};
  if (boxes_[box].ended || boxes_[box].closed) return Settle(op, {StatusCode::kOk});
  boxes_[box].close_watchers.push_back(op);
}

// Those who wait for something to become of it learn that nothing will.
void MailboxModel::Refuse(const Message& message, StatusCode why) {
  if (message.waiting_op != kNo) Settle(message.waiting_op, {why});
  if (message.ask != kNo) Settle(message.ask, {why});
}

void MailboxModel::TurnAway(Box& box, uint32_t share, StatusCode why) {
  std::vector<int> ops;
  for (const Waiting& w : box.receivers) {
    if (share == 0 || w.share == share) ops.push_back(w.op);
  }
  for (const int op : ops) Settle(op, {why});
}

void MailboxModel::EndIfDrained(Box& box) {
  if (!box.closed) return;
  for (const Lane& lane : box.lanes) {
    if (!lane.mail.empty()) return;
  }
  box.ended = true;
}

// ---- turns

void MailboxModel::Settle(int number, Outcome outcome) {
  Op& op = ops_[number];
  if (op.outcome.has_value()) return;  // an answer that comes too late
  op.outcome = outcome;
  for (Box& box : boxes_) {
    std::erase_if(box.receivers, [number](const Waiting& w) { return w.op == number; });
  }
  settled_.push_back(number);
}

void MailboxModel::Tell() {
  for (const bool receivers : {true, false}) {
    for (const int op : settled_) {
      if (ops_[op].receives == receivers) arrived_[ops_[op].actor].push_back(op);
    }
  }
  settled_.clear();
}

void MailboxModel::Run(const std::vector<int>& ending) {
  for (const int actor : ending) End(actor);
  while (!arrived_.empty()) {  // their answers arrive, too
    const Telling telling(*this);
    for (const auto& [actor, ops] : std::exchange(arrived_, {})) {
      for (const int op : ops) {
        outcomes_[op] = *ops_[op].outcome;
        if (ops_[op].mail) Answer(*ops_[op].mail);
      }
    }
  }
}

// It waits no more, and what it has not looked at goes back.
void MailboxModel::End(int actor) {
  for (auto op = ops_.rbegin(); op != ops_.rend(); ++op) {
    if (op->second.actor == actor && !op->second.outcome.has_value()) {
      op->second.outcome = Outcome{StatusCode::kAborted};  // nobody is told
      Withdraw(op->first);
    }
  }
  const auto arrived = arrived_.extract(actor);
  if (arrived.empty()) return;
  for (const int op : arrived.mapped()) {
    if (ops_[op].mail) PutBack(ops_[op].from, *ops_[op].mail);
  }
}

MailboxStats MailboxModel::stats(int number) const {
  const Box& box = boxes_[number];
  if (box.ended) return {.closed = true};
  MailboxStats stats{.sent = box.sent,
                     .received = box.received,
                     .dropped = box.dropped,
                     .waiting_senders = box.senders.size(),
                     .waiting_receivers = box.receivers.size(),
                     .capacity = box.choice.capacity,
                     .closed = box.closed};
  for (const Lane& lane : box.lanes) {
    stats.depth = box.choice.receivers == Receivers::kAll
                      ? std::max<uint64_t>(stats.depth, lane.mail.size())
                      : stats.depth + lane.mail.size();
  }
  return stats;
}

}  // namespace troupe
