// What the server of a chat and its clients say to each other: plain structs, which cross a socket as
// they are.
#ifndef TROUPE_EXAMPLES_CHAT_MESSAGES_H_
#define TROUPE_EXAMPLES_CHAT_MESSAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "troupe/troupe.h"

namespace chat {

// What a client shows. Without a room it was said to this user alone; from nobody, it is something
// that has happened in the room.
struct Line {
  absl::Time when;
  std::string room;
  std::string from;
  std::string text;
  uint64_t number = 0;  // see Feed
};
using Screen = troupe::Recipient<Line>;

// What a user may do. An error is an answer, too, and says why not.
struct Join {
  using Reply = void;
  std::string room;
};
struct Leave {
  using Reply = void;
  std::string room;
};
struct Say {
  using Reply = void;
  std::string room;
  std::string text;
};
struct Tell {
  using Reply = void;
  std::string nick;
  std::string text;
};
struct Rename {
  using Reply = void;
  std::string nick;
};
struct ListRooms {
  using Reply = std::vector<std::string>;
};
struct ListMembers {
  using Reply = std::vector<std::string>;
  std::string room;
};
struct Quit {
  using Reply = void;
};

// Who has this is that user: nobody else can speak in his name.
using Session = troupe::Recipient<Join, Leave, Say, Tell, Rename, ListRooms, ListMembers, Quit>;

// The one message for which the server is published, as "chat". The user stays as long as his screen.
struct Enter {
  using Reply = Session;
  std::string nick;
  Screen screen;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_MESSAGES_H_
