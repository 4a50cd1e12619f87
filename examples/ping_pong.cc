// ./bazelw run //examples:ping_pong
//
// Two actors play a ball back and forth: messages that carry the address for the answer.
#include <iostream>
#include <string>
#include <utility>

#include "troupe/troupe.h"

// A Recipient<Ball> is anybody who takes a Ball. A player knows no more about the other than that.
struct Ball {
  int hits_left;
  troupe::Recipient<Ball> from;
};

class Player {
 public:
  explicit Player(std::string sound) : sound_(std::move(sound)) {}

  // A handler that takes a Context can do more than answer: here, name itself and stop itself.
  void On(const Ball& ball, troupe::Context& self) {
    std::cout << sound_ << " " << ball.hits_left << "\n";
    if (ball.hits_left == 0) {
      self.Stop();
    } else {
      ball.from.Send(Ball{ball.hits_left - 1, self.ref(this)});
    }
  }

 private:
  std::string sound_;
};

int main() {
  troupe::System system;
  auto ping = system.Spawn<Player>("ping");
  auto pong = system.Spawn<Player>("pong");

  // Both players print without a lock: only who has the ball does, and what a sender did before
  // Send is visible to the receiver.
  ping.Send(Ball{6, pong});

  // Ping gets every even ball, so also the last one, and stops. Join waits for that.
  if (system.Join(ping).ok()) std::cout << "game over\n";
}
