// Keyboard: standard input as it is typed, read by a plain thread that may wait.
#ifndef TROUPE_EXAMPLES_CHAT_KEYBOARD_H_
#define TROUPE_EXAMPLES_CHAT_KEYBOARD_H_

#include <poll.h>
#include <sys/eventfd.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace chat {

// While it lives a terminal neither echoes what is typed nor waits for whole lines. One per process.
class Keyboard {
 public:
  Keyboard() {
    interactive_ = ::isatty(STDOUT_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0;
    if (!interactive_) return;
    termios raw = before_;
    raw.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO | ISIG | IEXTEN);
    ::tcsetattr(STDIN_FILENO, TCSANOW, &raw);
  }
  Keyboard(const Keyboard&) = delete;
  Keyboard& operator=(const Keyboard&) = delete;
  ~Keyboard() {
    if (interactive_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
    ::close(wake_);
  }

  // Whether somebody types, and sees what he types on standard output.
  bool interactive() const { return interactive_; }

  // Waits for input; at its end, what Enter and Ctrl-D would be. Nothing: Close was called.
  std::optional<std::string> Read() {
    std::array<pollfd, 2> ready{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
    std::array<char, 4096> bytes;
    while (::poll(ready.data(), ready.size(), -1) < 0) {  // a signal
    }
    if (ready[1].revents != 0) return std::nullopt;
    const ssize_t count = ::read(STDIN_FILENO, bytes.data(), bytes.size());
    if (count <= 0) return "\n\x04";
    return std::string(bytes.data(), static_cast<size_t>(count));
  }
  // From any thread: nothing is to be read any more.
  void Close() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }

 private:
  const int wake_ = ::eventfd(0, EFD_CLOEXEC);
  bool interactive_ = false;
  termios before_{};
};

}  // namespace chat

#endif  // TROUPE_EXAMPLES_CHAT_KEYBOARD_H_
