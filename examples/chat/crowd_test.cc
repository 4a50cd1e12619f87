// Many clients, each with a node and so a connection of its own, of whom one does not read. Server and clients
// are two systems of this process. A thousand of them:
//
//   ./bazelw test -c opt --test_env=CROWD=1000 //examples/chat:crowd_test
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "examples/chat/directory.h"
#include "examples/chat/messages.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace chat {
namespace {

size_t Clients() {
  const char* crowd = std::getenv("CROWD");
  return crowd != nullptr ? std::strtoul(crowd, nullptr, 10) : 100;
}
const size_t kClients = Clients();
constexpr size_t kLines = 100;
constexpr uint32_t kCapacity = 16;
constexpr size_t kBytes = 16 << 10;                 // of each buffer on the way
constexpr absl::Duration kLong = absl::Minutes(4);  // a guard against hanging only

struct Seen {};
struct Await {
  using Reply = void;
  size_t seen;
};
// Counts what the readers have seen.
class Tally {
 public:
  void On(Seen) {
    if (++seen_ == awaited_) reply_.Send();
  }
  void On(Await m, troupe::Reply<void> reply) {
    if (seen_ >= m.seen) return reply.Send();
    awaited_ = m.seen;
    reply_ = std::move(reply);
  }

 private:
  size_t seen_ = 0, awaited_ = 0;
  troupe::Reply<void> reply_;
};

class Reader {
 public:
  explicit Reader(troupe::Recipient<Seen> tally) : tally_(tally) {}
  void On(const Line& line) {
    if (!line.from.empty()) tally_.Send(Seen{});
  }

 private:
  troupe::Recipient<Seen> tally_;
};

struct WakeUp {
  using Reply = void;
};
struct Score {
  using Reply = Score;
  uint64_t read = 0;
  uint64_t last_number = 0;
  std::string last_text = {};
};
// Reads nothing before the alarm rings.
class Sleeper {
 public:
  explicit Sleeper(troupe::Recipient<WakeUp> alarm) : alarm_(alarm) {}
  troupe::Task<> On(Line line) {
    if (score_.read == 0) (co_await alarm_.Ask(WakeUp{}, absl::InfiniteDuration())).IgnoreError();
    score_.read++;
    score_.last_number = line.number;
    score_.last_text = line.text;
  }
  Score On(Score) { return score_; }

 private:
  troupe::Recipient<WakeUp> alarm_;
  Score score_;
};
class Alarm {
 public:
  void On(WakeUp, troupe::Reply<void> reply) { sleeping_ = std::move(reply); }
  void On(Seen) { sleeping_.Send(); }

 private:
  troupe::Reply<void> sleeping_;
};

class CrowdTest : public testing::Test {
 protected:
  static troupe::NodeOptions Options() {
    return {.capacity = kCapacity,
            .when_full = troupe::WhenFull::kDropOldest,
            .window = kBytes,
            .outbox_high_water = kBytes,
            .outbox_most = 16 * kBytes,
            .max_connections = static_cast<uint32_t>(kClients),
            .heartbeat_timeout = absl::Hours(1)};
  }
  void SetUp() override {
    rlimit files{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
    files.rlim_cur = std::min<rlim_t>(files.rlim_max, 1000 + 10 * kClients);
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
    ASSERT_TRUE(server_.Publish<Enter>("chat", server_system_.Spawn<Directory>()).ok());
    const auto address =
        server_.Listen(absl::StrCat("unix:///tmp/troupe-crowd-", ::getpid(), ".sock"));
    ASSERT_TRUE(address.ok()) << address.status();
    address_ = *address;
  }
  // Over a connection of its own, into the room.
  Session Comes(const std::string& nick, Screen screen) {
    troupe::Node& node =
        *clients_.emplace_back(std::make_unique<troupe::Node>(client_system_, Options()));
    const absl::StatusOr<troupe::Peer> peer = node.Connect(address_, kLong).Wait();
    EXPECT_TRUE(peer.ok()) << peer.status();
    if (!peer.ok()) return {};
    const auto chat = peer->Find<Enter>("chat", kLong).Wait();
    EXPECT_TRUE(chat.ok()) << chat.status();
    if (!chat.ok()) return {};
    const auto session = chat->Ask(Enter{nick, screen}, kLong).Wait();
    EXPECT_TRUE(session.ok()) << session.status();
    if (!session.ok()) return {};
    const absl::Status joined = session->Ask(Join{"room"}, kLong).Wait();
    EXPECT_TRUE(joined.ok()) << joined;
    return *session;
  }
  uint64_t LongestQueue() const {
    uint64_t longest = 0;
    for (const troupe::ActorStats& actor : server_system_.actors()) {
      longest = std::max(longest, actor.queued);
    }
    return longest;
  }

  troupe::System server_system_;
  troupe::System client_system_;
  troupe::Node server_{server_system_, Options()};
  std::vector<std::unique_ptr<troupe::Node>> clients_;
  std::string address_;
};

TEST_F(CrowdTest, OneOfManyWhoDoesNotReadCostsTheOthersNothing) {
  const auto alarm = client_system_.Spawn<Alarm>();
  const auto tally = client_system_.Spawn<Tally>();
  const auto sleeper = client_system_.Spawn<Sleeper>(alarm);
  Comes("sleeper", sleeper);
  Session speaker;
  for (size_t i = 1; i < kClients; ++i) {
    speaker = Comes(absl::StrCat("user", i), client_system_.Spawn<Reader>(tally));
  }

  for (size_t i = 1; i <= kLines; ++i) {
    const std::string text = absl::StrCat(i, " ", std::string(500, 'x'));
    ASSERT_TRUE(speaker.Ask(Say{"room", text}, kLong).Wait().ok());
    ASSERT_TRUE(tally.Ask(Await{i * (kClients - 1)}, kLong).Wait().ok());  // all others have it
  }
  EXPECT_LE(LongestQueue(), kCapacity);

  alarm.Send(Seen{});
  Score score;
  do {
    score = sleeper.Ask(Score{}, kLong).Wait().value();
  } while (score.last_text.substr(0, 4) != absl::StrCat(kLines, " "));
  EXPECT_GT(score.read, kCapacity);
  EXPECT_LT(score.read, score.last_number);  // it can tell how many it has missed
}

}  // namespace
}  // namespace chat
