// LineEditor: the line that is being typed.
#ifndef TROUPE_EXAMPLES_CHAT_LINE_EDITOR_H_
#define TROUPE_EXAMPLES_CHAT_LINE_EDITOR_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace chat {

// Takes what a keyboard or a pipe sends: text, Backspace, Ctrl-U (all), Ctrl-W (a word). Ctrl-C, and
// Ctrl-D on an empty line, are "/quit". Sequences that begin with ESC, such as arrows, do nothing. Of a line
// it keeps kLongest bytes, which is more than a server takes.
class LineEditor {
 public:
  static constexpr size_t kLongest = 4096;

  // The lines that are complete now.
  std::vector<std::string> Type(std::string_view bytes) {
    std::vector<std::string> lines;
    for (const char c : bytes) {
      if (!Escape(c)) Type(c, lines);
    }
    return lines;
  }
  const std::string& line() const { return line_; }
  // Its end, of so many characters at most.
  std::string_view Tail(size_t characters) const {
    size_t begin = line_.size();
    while (begin > 0 && characters > 0) {
      if (!IsInside(line_[--begin])) --characters;
    }
    while (begin < line_.size() && IsInside(line_[begin])) ++begin;
    return std::string_view(line_).substr(begin);
  }

 private:
  static bool IsInside(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }  // of UTF-8

  void Type(char c, std::vector<std::string>& lines) {
    constexpr char kCtrlC = 3, kCtrlD = 4, kBackspace = 8, kCtrlU = 21, kCtrlW = 23, kDelete = 127;
    if (c == '\n' || c == '\r') {
      lines.push_back(std::exchange(line_, {}));
    } else if (c == kCtrlC || (c == kCtrlD && line_.empty())) {
      line_.clear();
      lines.push_back("/quit");
    } else if (c == kBackspace || c == kDelete) {
      line_.resize(LastCharacter());
    } else if (c == kCtrlU) {
      line_.clear();
    } else if (c == kCtrlW) {
      line_.resize(line_.find_last_not_of(' ') + 1);
      line_.resize(line_.find_last_of(' ') + 1);
    } else if (line_.size() < kLongest && c != kCtrlD) {
      line_ += c;
    }
  }
  size_t LastCharacter() const {
    size_t at = line_.size();
    while (at > 0 && IsInside(line_[--at])) {
    }
    return at;
  }

  // Whether `c` belongs to a sequence: ESC, a character, and after '[' or 'O' all up to a letter or '~'.
  bool Escape(char c) {
    switch (escape_) {
      case Sequence::kNone:
        if (c == '\x1b') escape_ = Sequence::kBegun;
        return c == '\x1b';
      case Sequence::kBegun:
        escape_ = c == '[' || c == 'O' ? Sequence::kInside : Sequence::kNone;
        return true;
      case Sequence::kInside:
        if (c >= '@' && c <= '~') escape_ = Sequence::kNone;
        return true;
    }
    return false;
  }

  enum class Sequence : uint8_t { kNone, kBegun, kInside };
  Sequence escape_ = Sequence::kNone;
  std::string line_;
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_LINE_EDITOR_H_
