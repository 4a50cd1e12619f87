// A server on Asio that was there before Troupe: connections are objects on its io_context, and what they
// are asked is answered by actors, on other threads. The loop never waits for an actor, nor an actor for it.
//
//   ./bazelw run //examples:asio_server            two clients, and what they are told
//   ./bazelw run //examples:asio_server -- 7000    serves; try  nc 127.0.0.1 7000
//
// It counts words. "add WORD" says how often that has come, "total" how many words have.

#include <array>
#include <asio.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "troupe/troupe.h"

namespace {

using asio::ip::tcp;

// ---- actors: they know nothing of sockets

struct Add {
  using Reply = int64_t;
  std::string word;
};
struct Total {
  using Reply = int64_t;
};

// Some of the words.
class Shelf {
 public:
  int64_t On(const Add& add) { return ++counts_[add.word]; }
  int64_t On(Total) const {
    return std::accumulate(counts_.begin(), counts_.end(), int64_t{0},
                           [](int64_t sum, const auto& count) { return sum + count.second; });
  }

 private:
  std::map<std::string, int64_t> counts_;
};

// The way back to a connection. Called at most once, on whatever thread.
using Answer = std::function<void(std::string)>;

struct Line {
  std::string text;
  Answer answer;
};

// Where the lines of all connections come in.
class Desk {
 public:
  void On(Line line, troupe::Context& self) {
    if (line.text == "total") return AskAll(std::move(line.answer), self);
    if (!absl::StartsWith(line.text, "add ")) return line.answer("add WORD, or total");
    Add add{line.text.substr(4)};
    const auto shelf = shelves_[std::hash<std::string>()(add.word) % shelves_.size()];
    shelf.Ask(std::move(add))
        .Then(self, [answer = std::move(line.answer)](absl::StatusOr<int64_t> count) {
          answer(count.ok() ? absl::StrCat(*count) : std::string(count.status().message()));
        });
  }
  void OnStart(troupe::Context& self) {
    for (auto& shelf : shelves_) shelf = self.Spawn<Shelf>();
  }

 private:
  void AskAll(Answer answer, troupe::Context& self) {
    struct Sum {
      Answer answer;
      size_t open;
      int64_t total = 0;
    };
    auto sum = std::make_shared<Sum>(Sum{std::move(answer), shelves_.size()});
    for (const auto& shelf : shelves_) {
      shelf.Ask(Total{}).Then(self, [sum](absl::StatusOr<int64_t> total) {
        sum->total += total.value_or(0);
        if (--sum->open == 0) sum->answer(absl::StrCat(sum->total));
      });
    }
  }

  std::array<troupe::ActorRef<Shelf>, 4> shelves_;
};

// ---- the server: it knows of the actors that there is a Recipient<Line>

constexpr size_t kLongestLine = 1024;

// Reads a line, has it answered, writes the answer, and so on: who asks faster than he is answered waits in
// his own socket.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, troupe::Recipient<Line> desk)
      : socket_(std::move(socket)), desk_(desk) {}

  void ReadNext() {
    asio::async_read_until(socket_, asio::dynamic_buffer(received_, kLongestLine), '\n',
                           [me = shared_from_this()](std::error_code error, size_t length) {
                             if (!error)
                               me->Ask(length);  // or else nobody needs this any more, and it goes
                           });
  }

 private:
  void Ask(size_t length) {
    std::string text = received_.substr(0, length - 1);
    received_.erase(0, length);
    const troupe::SendResult sent =
        desk_.Send(Line{std::move(text), [me = shared_from_this()](std::string answer) {
                          // From the actor's thread to the loop's.
                          asio::post(me->socket_.get_executor(),
                                     [me, answer = std::move(answer)] { me->Write(answer); });
                        }});
    if (sent != troupe::SendResult::kQueued) Write("closed");
  }
  void Write(const std::string& answer) {
    to_write_ = answer + "\n";
    asio::async_write(socket_, asio::buffer(to_write_),
                      [me = shared_from_this()](std::error_code error, size_t) {
                        if (!error) me->ReadNext();
                      });
  }

  tcp::socket socket_;
  const troupe::Recipient<Line> desk_;
  std::string received_;
  std::string to_write_;
};

class Server {
 public:
  // On loopback: whoever connects is served.
  Server(asio::io_context& loop, uint16_t port, troupe::Recipient<Line> desk)
      : acceptor_(loop, tcp::endpoint(asio::ip::address_v4::loopback(), port)),
        pause_(loop),
        desk_(desk) {
    AcceptNext();
  }
  uint16_t port() const { return acceptor_.local_endpoint().port(); }

 private:
  void AcceptNext() {
    acceptor_.async_accept([this](std::error_code error, tcp::socket socket) {
      if (error) return AcceptLater();
      std::make_shared<Connection>(std::move(socket), desk_)->ReadNext();
      AcceptNext();
    });
  }
  // Out of descriptors, perhaps: not at once again, and again.
  void AcceptLater() {
    pause_.expires_after(std::chrono::milliseconds(100));
    pause_.async_wait([this](std::error_code) { AcceptNext(); });
  }

  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  const troupe::Recipient<Line> desk_;
};

// ---- a client for the demonstration

class Client {
 public:
  explicit Client(uint16_t port) {
    socket_.connect(tcp::endpoint(asio::ip::address_v4::loopback(), port));
  }
  void Say(const std::string& line) {
    asio::write(socket_, asio::buffer(line + "\n"));
    asio::read_until(socket_, asio::dynamic_buffer(received_), '\n');
    const size_t end = received_.find('\n');
    std::cout << line << " -> " << received_.substr(0, end) << "\n";
    received_.erase(0, end + 1);
  }

 private:
  asio::io_context loop_;
  tcp::socket socket_{loop_};
  std::string received_;
};

void Demonstrate(uint16_t port) {
  Client one(port);
  Client other(port);
  one.Say("add apple");
  one.Say("add pear");
  other.Say("add apple");
  other.Say("total");
  one.Say("subtract apple");
}

}  // namespace

int main(int argc, char** argv) {
  uint32_t port = 0;
  if (argc > 1 && (!absl::SimpleAtoi(argv[1], &port) || port == 0 || port > 65535)) {
    std::cerr << "usage: asio_server [PORT]\n";
    return 2;
  }
  try {
    asio::io_context loop;
    troupe::System system;  // goes before the loop, which an actor may still be answering to
    Server server(loop, static_cast<uint16_t>(port), system.Spawn<Desk>());
    asio::signal_set signals(loop, SIGINT, SIGTERM);
    signals.async_wait([&](std::error_code, int) { loop.stop(); });
    std::thread demonstration([&] {
      if (argc > 1) return;
      Demonstrate(server.port());
      loop.stop();
    });
    loop.run();
    demonstration.join();
  } catch (const std::exception& error) {
    std::cerr << "asio_server: " << error.what() << "\n";
    return 1;
  }
}
