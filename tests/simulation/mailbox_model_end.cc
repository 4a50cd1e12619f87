// Who gives up, receive rights that come and go, and the end of a mailbox.
#include <algorithm>
#include <deque>
#include <utility>
#include <vector>

#include "tests/simulation/mailbox_model.h"

namespace troupe {

using absl::StatusCode;

// ---- giving up

void MailboxModel::Withdraw(int op, StatusCode told) {
  const Telling telling(*this);
  Withdraw(op);
  Settle(op, {told});
}

void MailboxModel::Withdraw(int op) {
  Forget(op);
  for (Box& box : boxes_) {
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

void MailboxModel::CallOff(Place right) {
  const Telling telling(*this);
  TurnAway(boxes_[right.box], right.share, StatusCode::kCancelled);
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

// 0: all of them.
void MailboxModel::TurnAway(Box& box, uint32_t share, StatusCode why) {
  const std::deque<Waiting> all = box.receivers;
  std::erase_if(box.receivers,
                [share](const Waiting& w) { return share == 0 || w.share == share; });
  for (const Waiting& w : all) {
    if (share == 0 || w.share == share) {
      Settle(w.op, TurnedAway(w.op, {NumberOf(box), w.share}, why));
    }
  }
}

MailboxModel::Outcome MailboxModel::TurnedAway(int op, Place from, StatusCode why) const {
  const std::vector<Place>& at = ops_.at(op).at;
  if (at.size() == 1) return {why};
  const auto found =
      std::find_if(at.begin(), at.end(), [&](const Place& p) { return p.box == from.box; });
  return {why, static_cast<int>(found - at.begin())};
}

void MailboxModel::EndIfDrained(Box& box) {
  if (!box.closed) return;
  for (const Lane& lane : box.lanes) {
    if (!lane.mail.empty()) return;
  }
  box.ended = true;
}

}  // namespace troupe
