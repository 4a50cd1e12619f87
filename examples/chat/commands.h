// Commands: what the lines mean that are typed.
#ifndef TROUPE_EXAMPLES_CHAT_COMMANDS_H_
#define TROUPE_EXAMPLES_CHAT_COMMANDS_H_

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "examples/chat/messages.h"
#include "examples/chat/text.h"
#include "troupe/troupe.h"

namespace chat {

inline constexpr char kHelp[] =
    "* /join ROOM   enter a room, or go back to it   /leave [ROOM]   /rooms   /who [ROOM]\n"
    "* /msg NICK TEXT   to one person   /nick NAME   /help   /quit\n"
    "* all else is said in the room of the prompt";

// Waits for the answer to one before it does the next: for a plain thread.
class Commands {
 public:
  explicit Commands(Session session) : session_(session) {}

  // Returns what to tell the user, if anything.
  std::string Run(const std::string& line) {
    if (line.empty()) return "";
    if (line[0] != '/') return Say(line);
    const std::pair<std::string, std::string> words = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    const auto& [verb, rest] = words;
    if (verb == "/join") return JoinRoom(Room(rest));
    if (verb == "/leave") return LeaveRoom(Room(rest));
    if (verb == "/who") return List(session_.Ask(ListMembers{Room(rest)}).Wait());
    if (verb == "/rooms") return List(session_.Ask(ListRooms{}).Wait());
    if (verb == "/nick") return Told(session_.Ask(Rename{rest}).Wait(), "you are now " + rest);
    if (verb == "/msg") return Whisper(rest);
    if (verb == "/help") return kHelp;
    if (verb == "/quit") return End();
    return absl::StrCat("* no such command: ", Printable(verb), "; /help lists them");
  }

  const std::string& room() const { return rooms_.back(); }  // where plain text goes, or ""
  bool ended() const { return ended_; }

 private:
  // What an answer is to the user: the error, or else `success`.
  static std::string Told(const absl::Status& status, const std::string& success = "") {
    const std::string words = status.ok() ? success : std::string(status.message());
    return words.empty() ? "" : absl::StrCat("* ", Printable(words));
  }
  static std::string List(const absl::StatusOr<std::vector<std::string>>& names) {
    return Told(names.status(), names.ok() ? absl::StrJoin(*names, " ") : "");
  }
  std::string Room(std::string name) const {
    if (name.starts_with('#')) name.erase(0, 1);
    return name.empty() ? room() : absl::AsciiStrToLower(name);
  }

  std::string Say(const std::string& text) {
    if (room().empty()) return "* you are in no room; /join ROOM enters one";
    return Told(session_.Ask(chat::Say{room(), text}).Wait());
  }
  std::string JoinRoom(const std::string& room) {
    const absl::Status joined = session_.Ask(Join{room}).Wait();
    if (joined.ok()) {
      std::erase(rooms_, room);
      rooms_.push_back(room);
    }
    return Told(joined);
  }
  std::string LeaveRoom(const std::string& room) {
    const absl::Status left = session_.Ask(Leave{room}).Wait();
    if (left.ok()) std::erase(rooms_, room);
    return Told(left, absl::StrCat("you have left #", room));
  }
  std::string Whisper(const std::string& words) {
    const std::pair<std::string, std::string> to = absl::StrSplit(words, absl::MaxSplits(' ', 1));
    return Told(session_.Ask(Tell{to.first, to.second}).Wait(),
                absl::StrCat("to ", to.first, ": ", to.second));
  }
  std::string End() {
    ended_ = true;
    session_.Ask(Quit{}).Wait().IgnoreError();  // lost or not, it is over
    return "";
  }

  const Session session_;
  std::vector<std::string> rooms_{""};  // entered; the last one is where plain text goes
  bool ended_ = false;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_COMMANDS_H_
