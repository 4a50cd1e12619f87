// Listening and dialling: addresses, who does not answer, and a node that goes away meanwhile.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

class DialTest : public testing::Test {
 protected:
  System bank_system_;
  System client_system_;
  Node bank_{bank_system_};
  Node client_{client_system_};
};

TEST_F(DialTest, ItListensBeyondLoopbackOnlyIfAskedByName) {
  EXPECT_EQ(bank_.Listen("tcp://0.0.0.0:0").status().code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(bank_.Listen("tcp://0.0.0.0:0", {.plaintext_beyond_loopback = true}).ok());
  EXPECT_TRUE(bank_.Listen("tcp://127.0.0.1:0").ok());
}

TEST_F(DialTest, AnAddressThatIsNoneIsRefusedWithASentence) {
  for (const char* bad : {"", "bank", "unix://", "tcp://:1", "tcp://host", "tcp://host:x",
                          "tcp://::1:5", "tcp://host:65536"}) {
    EXPECT_EQ(bank_.Listen(bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
    EXPECT_EQ(client_.Connect(bad, kLong).Wait().status().code(),
              absl::StatusCode::kInvalidArgument)
        << bad;
  }
  const absl::Status nobody = client_.Connect("unix:///nobody/listens/here", kLong).Wait().status();
  EXPECT_EQ(nobody.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(nobody.message(), "unix:///nobody/listens/here: connect: No such file or directory");
}

// Listens, and has as many who wait to be accepted as it takes: who else connects gets no answer.
class BlackHole {
 public:
  BlackHole() {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&at);
    socklen_t size = sizeof(at);
    EXPECT_EQ(::bind(listener_, address, size), 0);
    EXPECT_EQ(::listen(listener_, 0), 0);
    EXPECT_EQ(::getsockname(listener_, address, &size), 0);
    port_ = ntohs(at.sin_port);
    for (int& client : clients_) {
      client = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
      ::connect(client, address, size);
    }
  }
  ~BlackHole() {
    for (const int client : clients_) ::close(client);
    ::close(listener_);
  }
  std::string address() const { return absl::StrCat("tcp://127.0.0.1:", port_); }

 private:
  const int listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
  std::array<int, 4> clients_;
  int port_ = 0;
};

size_t OpenSockets() {
  size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code closed_meanwhile;
    const std::string what = std::filesystem::read_symlink(entry, closed_meanwhile).string();
    count += absl::StartsWith(what, "socket:");
  }
  return count;
}

TEST_F(DialTest, WhoDoesNotAnswerIsNotDialledForLongerThanTheAskLasts) {
  const BlackHole hole;
  const size_t before = OpenSockets();
  EXPECT_EQ(client_.Connect(hole.address(), absl::Milliseconds(100)).Wait().status().code(),
            absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(Eventually([before] { return OpenSockets() == before; }));
}

// Where a dial has come to when it asks for TLS.
class SlowCredentials final : public LinkCredentials {
 public:
  explicit SlowCredentials(std::function<void()> wait) : wait_(std::move(wait)) {}
  std::unique_ptr<Link> Accept(std::unique_ptr<Link> plain) const override { return plain; }
  std::unique_ptr<Link> Connect(std::unique_ptr<Link> plain, std::string_view) const override {
    wait_();
    return plain;
  }

 private:
  const std::function<void()> wait_;
};

TEST_F(DialTest, ADialThatEndsWhileItsNodeIsDestroyedIsRefused) {
  const absl::StatusOr<std::string> at = bank_.Listen("tcp://127.0.0.1:0");
  ASSERT_TRUE(at.ok()) << at.status();
  std::promise<void> dialled;
  const auto is_there = [this] {
    const std::vector<ActorStats> all = client_system_.actors();
    return std::any_of(all.begin(), all.end(),
                       [](const ActorStats& a) { return a.name == "dialler"; });
  };
  auto node = std::make_unique<Node>(
      client_system_, NodeOptions{.name = "dialler", .tls = std::make_shared<SlowCredentials>([&] {
                                                       dialled.set_value();
                                                       EXPECT_TRUE(Eventually([&] {
                                                         return !is_there();
                                                       }));  // it is going away
                                                     })});
  EXPECT_TRUE(is_there());
  auto answer = std::async(std::launch::async, [to = "tls" + at->substr(3), &dialler = *node] {
    return dialler.Connect(to, kLong).Wait();
  });
  dialled.get_future().wait();
  node.reset();
  EXPECT_EQ(answer.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(Eventually([this] { return bank_.stats().connections == 0; }));
}

TEST_F(DialTest, AFileThatIsNoSocketIsLeftAlone) {
  const std::string path = absl::StrCat("/tmp/troupe-dial-test-", ::getpid(), ".txt");
  std::ofstream(path) << "notes";
  EXPECT_TRUE(absl::IsUnavailable(bank_.Listen("unix://" + path).status()));
  std::string kept;
  std::ifstream(path) >> kept;
  EXPECT_EQ(kept, "notes");
  ::unlink(path.c_str());
}

}  // namespace
}  // namespace troupe
