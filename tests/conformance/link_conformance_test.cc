// What every Link promises (link.h), run on each implementation. A new one is added to Makers().
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/certificates.h"
#include "troupe/runtime/bridges/internal/socket_dialer.h"
#include "troupe/runtime/bridges/internal/socket_listener.h"
#include "troupe/runtime/bridges/link.h"
#include "troupe/runtime/bridges/memory_link.h"

namespace troupe {
namespace {

using Ends = std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>>;

using Loop = std::shared_ptr<internal::EventLoop>;

Ends MakeSockets(const Loop& loop, const std::string& address) {
  std::promise<std::unique_ptr<Link>> accepted;
  std::promise<std::unique_ptr<Link>> dialled;
  auto listener = internal::ListenSocket(loop, *internal::ParseAddress(address), false,
                                         [&](auto link) { accepted.set_value(*std::move(link)); });
  EXPECT_TRUE(listener.ok()) << listener.status();
  internal::DialSocket(loop, *internal::ParseAddress((*listener)->address()),
                       absl::InfiniteDuration(),
                       [&](auto link) { dialled.set_value(*std::move(link)); });
  auto there = accepted.get_future().get();
  return {dialled.get_future().get(), std::move(there)};
}

Ends OverTls(Ends plain) {
  Authority authority;
  const auto credentials = authority.Credentials();
  return {credentials->Connect(std::move(plain.first), "localhost"),
          credentials->Accept(std::move(plain.second))};
}

struct Maker {
  const char* name;
  std::function<Ends(const Loop&)> make;
  bool hosts = false;  // the loop
  friend std::ostream& operator<<(std::ostream& out, const Maker& m) { return out << m.name; }
};
std::function<Ends(const Loop&)> AtAddress(const std::string& address) {
  return [address](const Loop& loop) { return MakeSockets(loop, address); };
}
std::vector<Maker> Makers() {
  const std::string unix_path = absl::StrCat("unix:///tmp/troupe-link-test-", ::getpid());
  return {{"Memory", [](const Loop&) { return MakeMemoryLink(1000); }},
          {"Unix", AtAddress(unix_path)},
          {"Tcp", AtAddress("tcp://127.0.0.1:0")},
          {"TcpInAHostsContext", AtAddress("tcp://127.0.0.1:0"), /*hosts=*/true},
          {"Tls", [](const Loop& loop) { return OverTls(MakeSockets(loop, "tls://localhost:0")); }},
          {"TlsInAHostsContext",
           [](const Loop& loop) { return OverTls(MakeSockets(loop, "tls://localhost:0")); },
           /*hosts=*/true},
          {"TlsOverMemory", [](const Loop&) { return OverTls(MakeMemoryLink(1000)); }}};
}

// Notes what it is told, and waits for it.
class Notes : public LinkEvents {
 public:
  void OnBytes(std::string_view bytes) override {
    std::unique_lock<std::mutex> lock(mutex_);
    may_read_.wait(lock, [this] { return !paused_; });
    EXPECT_FALSE(closed_) << "bytes after OnClosed";
    bytes_ += bytes;
    changed_.notify_all();
  }
  void OnWritable() override {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(closed_) << "OnWritable after OnClosed";
    ++writable_;
    changed_.notify_all();
  }
  void OnClosed(const absl::Status& why) override {
    const std::lock_guard<std::mutex> lock(mutex_);
    EXPECT_FALSE(closed_) << "closed twice";
    closed_ = why;
    changed_.notify_all();
  }

  std::string AwaitBytes(size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return bytes_.size() >= count; });
    return bytes_;
  }
  absl::Status AwaitClosed() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return closed_.has_value(); });
    return *closed_;
  }
  void AwaitWritable() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return writable_ > 0; });
    --writable_;
  }
  void Pause(bool paused) {
    const std::lock_guard<std::mutex> lock(mutex_);
    paused_ = paused;
    may_read_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::condition_variable may_read_;
  bool paused_ = false;
  std::string bytes_;
  int writable_ = 0;
  std::optional<absl::Status> closed_;
};

class LinkConformance : public testing::TestWithParam<Maker> {
 protected:
  void Start() {
    here_->Start(mine_);
    there_->Start(theirs_);
  }
  // All of it, waiting for room where there is none.
  void WriteAll(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::array<std::string_view, 2> parts{bytes.substr(0, bytes.size() / 2),
                                                  bytes.substr(bytes.size() / 2)};
      bytes.remove_prefix(here_->Write(parts));
      if (bytes.empty()) break;
      here_->AwaitWritable();
      mine_->AwaitWritable();
    }
  }

  ~LinkConformance() override {
    ends_ = {};
    loop_->Close();
    context_.stop();
    for (std::thread& thread : host_) thread.join();
  }

  asio::io_context context_;
  const asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::array<std::thread, 2> host_{std::thread([this] { context_.run(); }),
                                   std::thread([this] { context_.run(); })};
  const Loop loop_ = internal::EventLoop::Begin(GetParam().hosts ? &context_ : nullptr);
  Ends ends_ = GetParam().make(loop_);
  std::unique_ptr<Link>& here_ = ends_.first;
  std::unique_ptr<Link>& there_ = ends_.second;
  const std::shared_ptr<Notes> mine_ = std::make_shared<Notes>();
  const std::shared_ptr<Notes> theirs_ = std::make_shared<Notes>();
};

TEST_P(LinkConformance, BytesArriveInOrderAndOnceHoweverManyTheyAre) {
  Start();
  std::string all;
  for (int i = 0; all.size() < 3'000'000; ++i) all += std::to_string(i);
  WriteAll(all);
  EXPECT_EQ(theirs_->AwaitBytes(all.size()), all);
  here_->Close(absl::CancelledError("done"));
  EXPECT_FALSE(mine_->AwaitClosed().ok());
}

TEST_P(LinkConformance, APeerThatDoesNotReadIsNoticedAndNothingIsLost) {
  theirs_->Pause(true);
  Start();
  const std::string block(100'000, 'x');
  size_t taken = 0;
  size_t last;
  do {
    last = here_->Write(std::array{std::string_view(block)});
    taken += last;
  } while (last == block.size() && taken < 1'000'000'000);
  EXPECT_LT(taken, 1'000'000'000u) << "it takes without end";
  theirs_->Pause(false);
  EXPECT_EQ(theirs_->AwaitBytes(taken).size(), taken);
  here_->Close(absl::CancelledError("done"));
  EXPECT_FALSE(theirs_->AwaitClosed().ok());
}

TEST_P(LinkConformance, WhatWasWrittenBeforeTheEndArrivesBeforeTheEnd) {
  Start();
  WriteAll("last words");
  here_->Close(absl::CancelledError("done"));
  EXPECT_EQ(theirs_->AwaitClosed().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(theirs_->AwaitBytes(0), "last words");
}

TEST_P(LinkConformance, BothSidesLearnOfTheEndOnceAndWriteIsInVain) {
  Start();
  here_->Close(absl::CancelledError("done"));
  here_->Close(absl::CancelledError("again"));
  EXPECT_EQ(mine_->AwaitClosed().message(), "done");
  EXPECT_EQ(theirs_->AwaitClosed().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(here_->Write(std::array{std::string_view("x")}), 0u);
  EXPECT_EQ(there_->Write(std::array{std::string_view("x")}), 0u);
}

TEST_P(LinkConformance, OneThatIsClosedBeforeItStartsSaysSoWhenItDoes) {
  here_->Close(absl::CancelledError("early"));
  here_->Start(mine_);
  EXPECT_FALSE(mine_->AwaitClosed().ok());
  there_->Start(theirs_);
  EXPECT_FALSE(theirs_->AwaitClosed().ok());
}

TEST_P(LinkConformance, AnEndThatIsDestroyedIsClosed) {
  there_->Start(theirs_);
  here_.reset();
  EXPECT_EQ(theirs_->AwaitClosed().code(), absl::StatusCode::kUnavailable);
}

INSTANTIATE_TEST_SUITE_P(All, LinkConformance, testing::ValuesIn(Makers()),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace troupe
