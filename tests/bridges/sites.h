// Sites: processes that send each other rights, in tests.
#ifndef TROUPE_TESTS_BRIDGES_SITES_H_
#define TROUPE_TESTS_BRIDGES_SITES_H_

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bridges/watching.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {

using Numbers = std::vector<int>;

struct Job {
  int number;
};
struct Sum {
  using Reply = int;
  int a;
  int b;
  std::string note = {};
};
// They carry a right, and are answered with the same one.
struct KeepSender {
  using Reply = Sender<Job>;
  Sender<Job> to;
};
struct KeepRecipient {
  using Reply = Recipient<Job>;
  Recipient<Job> to;
};

// The owner of a right to receive.
template <class M>
struct TakeOver {
  Receiver<M> inbox;
  std::string text = {};
};

struct Keeper {
  std::shared_ptr<std::promise<Sender<Job>>> sender;
  std::shared_ptr<std::promise<Recipient<Job>>> recipient;

  Sender<Job> On(KeepSender m) {
    if (sender != nullptr) std::exchange(sender, nullptr)->set_value(m.to);
    return m.to;
  }
  Recipient<Job> On(KeepRecipient m) {
    if (recipient != nullptr) std::exchange(recipient, nullptr)->set_value(m.to);
    return m.to;
  }
  void On(TakeOver<Job> m) { jobs->set_value(std::move(m.inbox)); }
  void On(TakeOver<Sum> m) { sums->set_value(std::move(m.inbox)); }

  std::shared_ptr<std::promise<Receiver<Job>>> jobs;
  std::shared_ptr<std::promise<Receiver<Sum>>> sums;
};
using Desk = Recipient<KeepSender, KeepRecipient, TakeOver<Job>, TakeOver<Sum>>;

// A process, as it were: a system with a node, and an actor there that keeps what it is sent.
struct Site {
  explicit Site(NodeOptions options = {}) : node(system, std::move(options)) {
    EXPECT_TRUE(
        (node.Publish<KeepSender, KeepRecipient, TakeOver<Job>, TakeOver<Sum>>("desk", keeper))
            .ok());
  }
  // Of what the tests send. (Nodes' own notices of what is over may come too late.)
  uint64_t dead_letters() const { return lost; }

  std::atomic<uint64_t> lost = 0;
  std::shared_ptr<std::promise<Sender<Job>>> sender = std::make_shared<std::promise<Sender<Job>>>();
  std::shared_ptr<std::promise<Recipient<Job>>> recipient =
      std::make_shared<std::promise<Recipient<Job>>>();
  std::shared_ptr<std::promise<Receiver<Job>>> jobs =
      std::make_shared<std::promise<Receiver<Job>>>();
  std::shared_ptr<std::promise<Receiver<Sum>>> sums =
      std::make_shared<std::promise<Receiver<Sum>>>();
  System system{{.on_dead_letter = [this](const DeadLetter& letter) {
    if (letter.message_type == TypeName<Job>() || letter.message_type == TypeName<Sum>()) ++lost;
  }}};
  ActorRef<Keeper> keeper = system.Spawn(Keeper{sender, recipient, jobs, sums});
  Node node;
};

inline Peer Connect(Site& from, Site& to) {
  auto [here, there] = MakeMemoryLink();
  to.node.Serve(std::move(there));
  absl::StatusOr<Peer> peer = from.node.Attach(std::move(here), kLong).Wait();
  EXPECT_TRUE(peer.ok()) << peer.status();
  return *std::move(peer);
}
inline Desk FindDesk(const Peer& peer) {
  auto desk =
      peer.Find<KeepSender, KeepRecipient, TakeOver<Job>, TakeOver<Sum>>("desk", kLong).Wait();
  EXPECT_TRUE(desk.ok()) << desk.status();
  return desk.value_or(Desk());
}

inline Numbers Receive(Receiver<Job>& from, int count) {
  Numbers received;
  for (int i = 0; i < count; ++i) {
    auto job = from.Receive(kLong).Wait();
    if (!job.ok()) break;
    received.push_back(job->message.number);
  }
  return received;
}
inline Numbers UpTo(int count) {
  Numbers numbers;
  for (int i = 1; i <= count; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace troupe

#endif  // TROUPE_TESTS_BRIDGES_SITES_H_
