// Directory: the users by their nicknames, and the rooms by theirs.
#ifndef TROUPE_EXAMPLES_CHAT_DIRECTORY_H_
#define TROUPE_EXAMPLES_CHAT_DIRECTORY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "examples/chat/feed.h"
#include "examples/chat/messages.h"
#include "examples/chat/room.h"
#include "examples/chat/text.h"
#include "examples/chat/user.h"
#include "troupe/troupe.h"

namespace chat {

class Directory {
 public:
  static constexpr size_t kMaxUsers = 5000;
  static constexpr size_t kMaxRooms = 1000;

  absl::StatusOr<Session> On(Enter m, troupe::Context& self) {
    if (absl::Status bad = CheckName("a nickname", m.nick); !bad.ok()) return bad;
    if (!m.screen) return absl::InvalidArgumentError("a user has a screen");
    const std::string key = absl::AsciiStrToLower(m.nick);
    if (guests_.contains(key)) return Taken(m.nick);
    if (guests_.size() >= kMaxUsers)
      return absl::ResourceExhaustedError("there are too many users");
    const auto user = self.Spawn<User>(self.ref(this), m.screen);
    self.Watch(user);
    guests_.emplace(key, Guest{user, std::move(m.nick), m.screen, Feed(m.screen)});
    return Session(user);
  }
  void On(const troupe::Down& down) {
    std::erase_if(guests_, [&](const auto& guest) { return guest.second.user == down.who; });
    std::erase_if(places_, [&](const auto& place) { return place.second.room == down.who; });
  }

  absl::Status On(const Rename& m, troupe::Context& self) {
    const auto guest = Sender(self);
    if (guest == guests_.end()) return absl::NotFoundError("you are not here");
    const auto other = guests_.find(absl::AsciiStrToLower(m.nick));
    if (other != guests_.end() && other != guest) return Taken(m.nick);
    auto entry = guests_.extract(guest);
    entry.key() = absl::AsciiStrToLower(m.nick);
    entry.mapped().nick = m.nick;
    guests_.insert(std::move(entry));
    return absl::OkStatus();
  }

  absl::Status On(const Tell& m, troupe::Context& self) {
    const auto from = Sender(self);
    const auto to = guests_.find(absl::AsciiStrToLower(m.nick));
    if (from == guests_.end() || to == guests_.end()) {
      return absl::NotFoundError(absl::StrCat("nobody here is called ", m.nick));
    }
    to->second.feed.Show({.when = self.Now(), .from = from->second.nick, .text = m.text});
    return absl::OkStatus();
  }

  // All who enter a room come through here. So one that is empty, after as many as have been sent there,
  // stays empty, and ends.
  void On(const FindRoom& m, troupe::Reply<RoomRef> reply, troupe::Context& self) {
    const auto guest = Sender(self);
    if (guest == guests_.end()) return reply.Send(absl::NotFoundError("you are not here"));
    if (!places_.contains(m.room)) {
      if (places_.size() >= kMaxRooms) {
        return reply.Send(absl::ResourceExhaustedError("there are too many rooms"));
      }
      places_[m.room].room = self.Spawn<Room>(m.room, self.ref(this));
      self.Watch(places_[m.room].room);
    }
    Place& place = places_[m.room];
    ++place.sent;
    place.room.Send(
        Admit{guest->second.user, guest->second.nick, guest->second.screen, std::move(reply)});
  }
  void On(const Emptied& m) {
    const auto place = places_.find(m.room);
    if (place == places_.end() || place->second.sent != m.admitted) return;
    place->second.room.Stop();
    places_.erase(place);
  }

  std::vector<std::string> On(ListRooms) const {
    std::vector<std::string> names;
    for (const auto& [name, place] : places_) names.push_back(name);
    return names;
  }

 private:
  struct Guest {
    troupe::ActorRef<User> user;
    std::string nick;
    Screen screen;
    Feed feed;  // of what is said to this user alone
  };
  struct Place {
    troupe::ActorRef<Room> room;
    uint64_t sent = 0;
  };

  static absl::Status Taken(std::string_view nick) {
    return absl::AlreadyExistsError(absl::StrCat("somebody is called ", std::string(nick)));
  }
  std::map<std::string, Guest>::iterator Sender(const troupe::Context& self) {
    return std::find_if(guests_.begin(), guests_.end(),
                        [&](const auto& guest) { return guest.second.user == self.sender(); });
  }

  std::map<std::string, Guest> guests_;  // by nickname, and places by name, in lower case
  std::map<std::string, Place> places_;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_DIRECTORY_H_
