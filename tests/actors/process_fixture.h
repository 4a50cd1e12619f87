// ProcessTest: what the tests of processes have in common.
#ifndef TROUPE_TESTS_ACTORS_PROCESS_FIXTURE_H_
#define TROUPE_TESTS_ACTORS_PROCESS_FIXTURE_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/process.h"
#include "troupe/troupe.h"

namespace troupe {

using Notes = std::vector<std::string>;

struct Order {
  std::string item;
};
struct Ack {
  int number;
};
struct Question {
  using Reply = int;
  int number = 0;
};
struct Go {};

// Sends to a process when told to, under its own name.
class Poster {
 public:
  explicit Poster(Recipient<Order, Ack> to) : to_(to) {}
  void On(Order order) { to_.Send(std::move(order)); }
  void On(Ack ack) { to_.Send(ack); }

 private:
  Recipient<Order, Ack> to_;
};

class ProcessTest : public Simulated {
 protected:
  using Both = Process<Order, Ack>;

  // A sender whose messages have come when this returns.
  ActorRef<Poster> SpawnSender(ActorRef<Both> to) { return system_.Spawn<Poster>(to); }
  template <class To, class M>
  void Deliver(const To& to, M message) {
    to.Send(std::move(message));
    Run();
  }
  uint64_t QueuedFor(const AnyRef& who) {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.ref == who) return actor.queued;
    }
    return 999;
  }
  std::vector<std::string_view> LostTypes(DeadLetterReason reason) const {
    std::vector<std::string_view> types;
    for (const DeadLetter& letter : letters_) {
      if (letter.reason == reason) {
        types.push_back(letter.message_type.substr(letter.message_type.rfind(':') + 1));
      }
    }
    return types;
  }
  Down Join(const AnyRef& who) { return system_.Join(who).value_or(Down{}); }

  Notes& notes_ = Keep<Notes>();
};

struct Noted {
  Noted(Notes& n, std::string w) : notes(n), what(std::move(w)) {}
  Noted(const Noted&) = delete;
  ~Noted() { notes.push_back(what); }
  Notes& notes;
  std::string what;
};

// Bodies that note what they receive.
inline Task<> NotesOrders(Process<Order, Ack>& self, Notes* notes) {
  for (;;) {
    auto [order, from] = co_await self.Receive<Order>();
    notes->push_back(order.item + (from ? " of somebody" : " of nobody"));
  }
}

inline Task<> NotesWithin(Process<Order, Ack>& self, absl::Duration timeout, Notes* notes) {
  for (;;) {
    auto order = co_await self.Receive<Order>(timeout);
    notes->push_back(order.ok() ? order->message.item
                                : std::string(absl::StatusCodeToString(order.status().code())));
    if (!order.ok()) (void)co_await self.Receive<Ack>();
  }
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_PROCESS_FIXTURE_H_
