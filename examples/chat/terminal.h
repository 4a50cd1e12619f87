// Terminal: the client's screen and the line that is typed below it, as one actor, so neither tears the
// other. Its handlers write, which may block: it needs a thread of its own.
#ifndef TROUPE_EXAMPLES_CHAT_TERMINAL_H_
#define TROUPE_EXAMPLES_CHAT_TERMINAL_H_

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/chat/keyboard.h"
#include "examples/chat/line_editor.h"
#include "examples/chat/messages.h"
#include "examples/chat/text.h"
#include "troupe/troupe.h"

namespace chat {

// Answered with the lines that are complete now.
struct Typed {
  using Reply = std::vector<std::string>;
  std::string bytes;
};
// The client's own word; and the room in which the next line is typed.
struct Note {
  std::string text;
  std::string room;
};
// When this one ends there is nothing more to show, and so the terminal ends.
struct Attend {
  troupe::AnyRef session;
};

// Lines of a room as people read them.
class Transcript {
 public:
  explicit Transcript(bool coloured) : coloured_(coloured) {}

  std::string Format(const Line& line) {
    std::string text = Missed(line);
    absl::StrAppend(&text, absl::FormatTime("%H:%M", line.when, absl::LocalTimeZone()), " ");
    if (!line.room.empty()) absl::StrAppend(&text, "#", Printable(line.room), " ");
    if (line.from.empty()) return absl::StrCat(text, "* ", Printable(line.text));
    return absl::StrCat(text, Coloured(Printable(line.from)), line.room.empty() ? " to you" : "",
                        ": ", Printable(line.text));
  }

 private:
  std::string Missed(const Line& line) {
    uint64_t& last = last_[line.room];
    const uint64_t missed = line.number > last + 1 ? line.number - last - 1 : 0;
    last = line.number;
    return missed == 0 ? "" : absl::StrCat("* ", missed, " messages missed\n");
  }
  std::string Coloured(const std::string& nick) const {
    if (!coloured_) return nick;
    return absl::StrCat("\x1b[", 31 + std::hash<std::string>()(nick) % 6, "m", nick, "\x1b[0m");
  }

  const bool coloured_;
  std::map<std::string, uint64_t> last_;  // number shown, by room
};

class Terminal {
 public:
  explicit Terminal(Keyboard& keyboard)
      : keyboard_(keyboard), transcript_(::isatty(STDOUT_FILENO) == 1) {}

  void On(const Line& line) { Print(transcript_.Format(line)); }
  void On(const Note& note) {
    room_ = note.room;
    Print(note.text);
  }
  std::vector<std::string> On(const Typed& typed) {
    std::vector<std::string> lines = editor_.Type(typed.bytes);
    Print("");
    return lines;
  }
  void On(Attend m, troupe::Context& self) { self.Watch(m.session); }
  void On(const troupe::Down& down, troupe::Context& self) {
    const bool quit = down.reason == troupe::ExitReason::kNormal;
    Print(quit ? "* bye" : absl::StrCat("* the server is gone: ", Message(down.status)));
    keyboard_.Close();
    self.Stop();
  }
  void OnStop() {
    if (keyboard_.interactive()) Write("\r\x1b[K");
  }

 private:
  static std::string Message(const absl::Status& status) {
    return Printable(std::string(status.message()));
  }

  // `text`, unless it is empty, above the line that is being typed.
  void Print(std::string text) {
    if (!text.empty()) text += '\n';
    if (keyboard_.interactive()) {
      const std::string prompt = room_.empty() ? "> " : absl::StrCat("#", room_, "> ");
      text = absl::StrCat("\r\x1b[K", text, prompt,
                          Printable(editor_.Tail(Width() - std::min(Width(), prompt.size() + 1))));
    }
    Write(text);
  }
  static size_t Width() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : 80;
  }
  static void Write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
      if (written <= 0) return;  // nobody looks any more
      text.remove_prefix(static_cast<size_t>(written));
    }
  }

  Keyboard& keyboard_;
  LineEditor editor_;
  Transcript transcript_;
  std::string room_;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_TERMINAL_H_
