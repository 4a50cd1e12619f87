// Room: who is in it, what has been said lately, and everybody is shown what is said next.
#ifndef TROUPE_EXAMPLES_CHAT_ROOM_H_
#define TROUPE_EXAMPLES_CHAT_ROOM_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "examples/chat/feed.h"
#include "examples/chat/messages.h"
#include "troupe/troupe.h"

namespace chat {

// What its members say to a room. Who sends is whom it is from.
using RoomRef = troupe::Recipient<Leave, Say, Rename, ListMembers>;

struct Admit {
  troupe::AnyRef user;
  std::string nick;
  Screen screen;
  troupe::Reply<RoomRef> reply;
};
// Told to whoever admits: nobody is in the room any more, after so many Admits.
struct Emptied {
  std::string room;
  uint64_t admitted;
};

class Room {
 public:
  static constexpr size_t kHistory = 50;

  Room(std::string name, troupe::Recipient<Emptied> owner)
      : name_(std::move(name)), owner_(owner) {}

  void On(Admit m, troupe::Context& self) {
    ++admitted_;
    m.reply.Send(RoomRef(self.ref(this)));
    if (Find(m.user) != members_.end()) return;
    self.Watch(m.user);
    Member& member = members_.emplace_back(Member{m.user, std::move(m.nick), Feed(m.screen)});
    for (const Line& line : history_) member.feed.Show(line);
    Announce(absl::StrCat(member.nick, " has joined"), self);
  }

  absl::Status On(const Say& m, troupe::Context& self) {
    const auto member = Find(self.sender());
    if (member == members_.end()) return absl::FailedPreconditionError("you are not in this room");
    history_.push_back({.when = self.Now(), .room = name_, .from = member->nick, .text = m.text});
    Show(history_.back());
    if (history_.size() > kHistory) history_.pop_front();
    return absl::OkStatus();
  }

  void On(const Rename& m, troupe::Context& self) {
    const auto member = Find(self.sender());
    if (member == members_.end()) return;
    Announce(absl::StrCat(member->nick, " is now ", m.nick), self);
    member->nick = m.nick;
  }

  std::vector<std::string> On(const ListMembers&) const {
    std::vector<std::string> nicks;
    for (const Member& member : members_) nicks.push_back(member.nick);
    return nicks;
  }

  void On(const Leave&, troupe::Context& self) {
    self.Unwatch(self.sender());
    Remove(self.sender(), "has left", self);
  }
  void On(const troupe::Down& down, troupe::Context& self) {
    const bool quit = down.reason == troupe::ExitReason::kNormal;
    Remove(down.who, quit ? "has quit" : "is gone: the connection is lost", self);
  }

 private:
  struct Member {
    troupe::AnyRef user;
    std::string nick;
    Feed feed;
  };

  std::vector<Member>::iterator Find(const troupe::AnyRef& user) {
    return std::ranges::find(members_, user, &Member::user);
  }
  void Show(const Line& line) {
    for (Member& member : members_) member.feed.Show(line);
  }
  void Announce(std::string text, troupe::Context& self) {
    Show({.when = self.Now(), .room = name_, .text = std::move(text)});
  }
  void Remove(const troupe::AnyRef& user, std::string_view how, troupe::Context& self) {
    const auto member = Find(user);
    if (member == members_.end()) return;
    const std::string text = absl::StrCat(member->nick, " ", std::string(how));
    members_.erase(member);
    Announce(text, self);
    if (members_.empty()) owner_.Send(Emptied{name_, admitted_});
  }

  const std::string name_;
  const troupe::Recipient<Emptied> owner_;
  std::vector<Member> members_;  // in the order in which they came
  std::deque<Line> history_;
  uint64_t admitted_ = 0;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_ROOM_H_
