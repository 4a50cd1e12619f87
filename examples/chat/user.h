// User: what one client may do, as an actor. Its ref is the client's session.
#ifndef TROUPE_EXAMPLES_CHAT_USER_H_
#define TROUPE_EXAMPLES_CHAT_USER_H_

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "examples/chat/messages.h"
#include "examples/chat/room.h"
#include "examples/chat/text.h"
#include "troupe/troupe.h"

namespace chat {

// What a user asks of the directory, which knows by the sender who it is.
struct FindRoom {
  using Reply = RoomRef;
  std::string room;
};
using DirectoryRef = troupe::Recipient<FindRoom, Tell, Rename, ListRooms>;

// Checks what the client says, and passes it on to who is concerned. It waits for the answer before it
// looks at the next message, so a client is not faster than those it talks to: what it sends beyond
// that stays at its own side of the connection.
class User {
 public:
  static constexpr size_t kMaxRooms = 20;

  User(DirectoryRef directory, Screen screen) : directory_(directory), screen_(screen) {}

  void OnStart(troupe::Context& self) { self.Watch(screen_); }
  // Directory and rooms watch this actor, and so they learn how it went.
  void On(const troupe::Down&, troupe::Context& self) {
    self.Fail(absl::UnavailableError("the client is gone"));
  }
  void On(Quit, troupe::Context& self) { self.Stop(); }

  troupe::Task<absl::Status> On(Join m) {
    if (absl::Status bad = CheckName("a room", m.room); !bad.ok()) co_return bad;
    absl::AsciiStrToLower(&m.room);
    if (rooms_.contains(m.room)) co_return absl::OkStatus();
    if (rooms_.size() >= kMaxRooms) {
      co_return absl::ResourceExhaustedError(absl::StrCat("you are in ", kMaxRooms, " rooms"));
    }
    const absl::StatusOr<RoomRef> room = co_await directory_.Ask(FindRoom{m.room});
    if (room.ok()) rooms_.emplace(m.room, *room);
    co_return room.status();
  }
  troupe::Task<absl::Status> On(Leave m) {
    const absl::StatusOr<RoomRef> room = Find(m.room);
    if (!room.ok()) co_return room.status();
    rooms_.erase(m.room);
    co_return co_await room->Ask(std::move(m));
  }
  troupe::Task<absl::Status> On(Say m) {
    if (absl::Status bad = CheckText(m.text); !bad.ok()) co_return bad;
    const absl::StatusOr<RoomRef> room = Find(m.room);
    if (!room.ok()) co_return room.status();
    co_return co_await room->Ask(std::move(m));
  }
  troupe::Task<absl::StatusOr<std::vector<std::string>>> On(ListMembers m) {
    const absl::StatusOr<RoomRef> room = Find(m.room);
    if (!room.ok()) co_return room.status();
    co_return co_await room->Ask(std::move(m));
  }
  troupe::Task<absl::StatusOr<std::vector<std::string>>> On(ListRooms m) {
    co_return co_await directory_.Ask(m);
  }
  troupe::Task<absl::Status> On(Tell m) {
    if (absl::Status bad = CheckText(m.text); !bad.ok()) co_return bad;
    co_return co_await directory_.Ask(std::move(m));
  }
  troupe::Task<absl::Status> On(Rename m) {
    if (absl::Status bad = CheckName("a nickname", m.nick); !bad.ok()) co_return bad;
    if (absl::Status taken = co_await directory_.Ask(Rename(m)); !taken.ok()) co_return taken;
    for (const auto& [name, room] : rooms_) room.Send(Rename(m));
    co_return absl::OkStatus();
  }

 private:
  // `name` becomes what the room is called there.
  absl::StatusOr<RoomRef> Find(std::string& name) const {
    absl::AsciiStrToLower(&name);
    const auto room = rooms_.find(name);
    if (room != rooms_.end()) return room->second;
    return absl::FailedPreconditionError("you are not in this room");
  }

  const DirectoryRef directory_;
  const Screen screen_;
  std::map<std::string, RoomRef> rooms_;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_USER_H_
