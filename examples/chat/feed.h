// Feed: the lines of one room on their way to one screen.
#ifndef TROUPE_EXAMPLES_CHAT_FEED_H_
#define TROUPE_EXAMPLES_CHAT_FEED_H_

#include <cstdint>
#include <utility>

#include "examples/chat/messages.h"

namespace chat {

// Waits for nobody: what a screen does not take in time is dropped, on whatever part of the way has no
// room. The lines are numbered from 1, so who reads again sees how many he has missed.
class Feed {
 public:
  explicit Feed(Screen screen) : screen_(screen) {}

  void Show(Line line) {
    line.number = ++shown_;
    screen_.TrySend(std::move(line));
  }

 private:
  Screen screen_;
  uint64_t shown_ = 0;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_FEED_H_
