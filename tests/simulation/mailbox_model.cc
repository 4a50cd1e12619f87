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
  box.receivers.erase(box.receivers.begin() + static_cast<ptrdiff_t>(next));
  if (ops_[receiver.op].outcome) return HandOver(box, lane, message);  // served elsewhere
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
  ops_[op] = {.actor = actor, .at = from};
  std::optional<Outcome> first_error;  // told if none of them has mail
  for (const Place& place : from) {
    if (ops_[op].outcome.has_value()) {
      LinkInVain(place, op);
      continue;
    }
    const auto note = [&](StatusCode error) {
      if (!first_error) first_error = TurnedAway(op, place, error);
    };
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
  if (first_error && !ops_[op].outcome.has_value()) Settle(op, *first_error);
}

// Who waits at several mailboxes and is served by one is in the lists of the others until he learns of it,
// also of those that he comes to later. Only where a receiver is drawn can anybody tell.
void MailboxModel::LinkInVain(Place from, int op) {
  Box& box = boxes_[from.box];
  if (box.choice.receivers != Receivers::kRandom || box.ended || box.closed) return;
  if (box.lanes[0].mail.empty() && box.senders.empty())
    box.receivers.push_back({op, from.share, {}});
}
void MailboxModel::Forget(int op) {
  for (Box& box : boxes_) {
    std::erase_if(box.receivers, [op](const Waiting& w) { return w.op == op; });
  }
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

// ---- turns

void MailboxModel::Settle(int number, Outcome outcome) {
  Op& op = ops_[number];
  if (op.outcome.has_value()) return;  // an answer that comes too late
  op.outcome = outcome;
  for (Box& box : boxes_) {
    if (box.choice.receivers == Receivers::kRandom) continue;  // see LinkInVain
    std::erase_if(box.receivers, [number](const Waiting& w) { return w.op == number; });
  }
  settled_.push_back(number);
}

void MailboxModel::Tell() {
  for (const bool receivers : {true, false}) {
    for (const int op : settled_) {
      if (!ops_[op].at.empty() == receivers) arrived_[ops_[op].actor].push_back(op);
    }
  }
  settled_.clear();
}

void MailboxModel::Learn(int number) {
  const auto found = ops_.find(number);
  if (found == ops_.end()) return;
  const Op& op = found->second;
  const auto arrived = arrived_.find(op.actor);
  if (arrived == arrived_.end() || std::erase(arrived->second, number) == 0) return;
  if (arrived->second.empty()) arrived_.erase(arrived);
  const Telling telling(*this);
  Forget(number);
  outcomes_[number] = *op.outcome;
  if (op.mail) Answer(*op.mail);
}

void MailboxModel::Run() {
  while (!arrived_.empty()) Learn(arrived_.begin()->second.front());
}

// It waits no more, and what it has not looked at goes back.
void MailboxModel::End(int actor) {
  for (auto op = ops_.rbegin(); op != ops_.rend(); ++op) {
    if (op->second.actor != actor) continue;
    if (op->second.outcome.has_value()) {
      Forget(op->first);
    } else {
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
