#include "troupe/runtime/bridges/internal/peer_table.h"

#include <algorithm>

#include "troupe/actors/internal/reply_slot.h"

namespace troupe::internal {

void PeerTable::Add(const SharedConnection& connection, Reply<Peer> asker, bool dialled) {
  entries_.emplace(connection, Entry{.asker = std::move(asker), .dialled = dialled});
}

PeerTable::Duties PeerTable::Met(const SharedConnection& connection) {
  Duties duties;
  const auto entry = entries_.find(connection);
  if (entry == entries_.end()) return duties;
  const Who node{Peer(connection).id(), Peer(connection).identity()};
  entry->second.node = node;
  if (node.id == own_) {
    entry->second.state = State::kClosing;
    duties.close.emplace_back(connection, absl::FailedPreconditionError("it is this node itself"));
    return duties;
  }
  entry->second.state = State::kWaiting;
  Meeting& meeting = meetings_[node];
  meeting.others.push_back(connection);
  if (meeting.current == nullptr) {
    if (decides(node)) MakeCurrent(connection, duties);  // T2
  } else if (meeting.current->WhyClosed().ok()) {
    duties.test.push_back(meeting.current);                       // T5
    if (entry->second.dialled) CloseFurther(connection, duties);  // T4
  }
  return duties;
}

PeerTable::Duties PeerTable::Heard(const SharedConnection& connection) {
  Duties duties;
  const auto entry = entries_.find(connection);
  if (entry == entries_.end() || entry->second.state != State::kWaiting) return duties;
  const Who node = entry->second.node;
  if (decides(node)) return duties;
  entry->second.state = State::kOpen;  // T2
  duties.open.push_back(connection);
  if (meetings_[node].current == nullptr) MakeCurrent(connection, duties);
  return duties;
}

PeerTable::Duties PeerTable::Ended(const SharedConnection& connection, const absl::Status& why) {
  Duties duties;
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return duties;
  Entry entry = std::move(found->second);
  entries_.erase(found);
  duties.answers.emplace_back(std::move(entry.asker), OwnCopy(why));
  const auto meeting = meetings_.find(entry.node);
  if (meeting == meetings_.end()) return duties;  // it had not come so far
  if (meeting->second.current == connection) {
    meeting->second.current = nullptr;
    const Peer peer(connection);
    events_.emplace_back(PeerDown{.id = peer.id(), .name = peer.name(), .why = OwnCopy(why)});
    MakeNextCurrent(entry.node, duties);
  } else {
    std::erase(meeting->second.others, connection);
  }
  if (meeting->second.current == nullptr && meeting->second.others.empty()) {
    meetings_.erase(meeting);
  }
  return duties;
}

void PeerTable::MakeNextCurrent(const Who& node, Duties& duties) {
  const State wanted = decides(node) ? State::kWaiting : State::kOpen;
  const auto& others = meetings_[node].others;
  const auto next = std::find_if(others.begin(), others.end(), [&](const SharedConnection& other) {
    return entries_.find(other)->second.state == wanted;
  });
  if (next != others.end()) MakeCurrent(SharedConnection(*next), duties);
}

void PeerTable::MakeCurrent(const SharedConnection& connection, Duties& duties) {
  Entry& entry = entries_.find(connection)->second;
  if (entry.state == State::kWaiting) duties.open.push_back(connection);
  entry.state = State::kCurrent;
  Meeting& meeting = meetings_[entry.node];
  meeting.current = connection;
  std::erase(meeting.others, connection);
  events_.emplace_back(PeerUp{Peer(connection)});
  duties.answers.emplace_back(std::move(entry.asker), Peer(connection));
  for (const SharedConnection& other : meeting.others) {
    const Entry& further = entries_.find(other)->second;
    if (further.dialled && further.state == State::kWaiting) CloseFurther(other, duties);  // T4
  }
}

void PeerTable::CloseFurther(const SharedConnection& connection, Duties& duties) {
  Entry& entry = entries_.find(connection)->second;
  entry.state = State::kClosing;
  duties.close.emplace_back(connection, absl::CancelledError("there is a connection already"));
  duties.answers.emplace_back(std::move(entry.asker), Peer(meetings_[entry.node].current));
}

std::vector<SharedConnection> PeerTable::all() const {
  std::vector<SharedConnection> all;
  for (const auto& [connection, entry] : entries_) all.push_back(connection);
  return all;
}

std::vector<Peer> PeerTable::current() const {
  std::vector<Peer> current;
  for (const auto& [node, meeting] : meetings_) {
    if (meeting.current != nullptr) current.emplace_back(meeting.current);
  }
  return current;
}

}  // namespace troupe::internal
