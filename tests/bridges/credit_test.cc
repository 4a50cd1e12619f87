// Credit of each receiver: one that is not read holds up nobody else. The window of a sender alone, and then two
// nodes.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <future>
#include <map>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/internal/send_window.h"
#include "troupe/runtime/bridges/memory_link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

using internal::SendWindow;

// ---- the window alone: waiters that nobody answers

class SendWindowTest : public ::testing::Test {
 protected:
  static constexpr int64_t kWindow = 1'000'000;
  static constexpr int64_t kSize = 50;

  SendWindowTest() { window_.Open(kWindow); }

  // As many messages as go, and then it waits. Returns their bytes.
  int64_t Fill(uint64_t target, int64_t most = kWindow) {
    int64_t taken = 0;
    while (taken < most && window_.TryTake(target, kSize, /*ahead=*/false)) taken += kSize;
    if (taken < most) Wait(target);
    return taken;
  }
  std::vector<uint64_t> Wait(uint64_t target) {
    SendWindow::Due due;
    window_.Wait(target, {}, due);
    return due.say;
  }
  // How many go on, and what is said.
  std::pair<size_t, std::vector<uint64_t>> Return(uint64_t target, int64_t bytes) {
    SendWindow::Due due;
    EXPECT_TRUE(window_.Return(target, static_cast<uint64_t>(bytes)));
    window_.Wake(due);
    return {due.answer.size(), due.say};
  }

  SendWindow window_;
};

using Said = std::vector<uint64_t>;

TEST_F(SendWindowTest, OneThatIsNotReadHasHalfOfTheWindow) { EXPECT_EQ(Fill(1), kWindow / 2); }

TEST_F(SendWindowTest, HoweverManyAreNotReadAnEqualShareIsLeft) {
  int64_t left = kWindow;
  for (uint64_t target = 1; target <= 100; ++target) {
    left -= Fill(target);
    EXPECT_GE(left,
              kWindow / static_cast<int64_t>(target + 1) - static_cast<int64_t>(target) * kSize);
    EXPECT_TRUE(window_.MayTake(target + 1));
    EXPECT_FALSE(window_.MayTake(target));
  }
}

TEST_F(SendWindowTest, ALargeMessageGoesToWhoeverHasNothingOutstanding) {
  EXPECT_TRUE(window_.TryTake(1, 10 * kWindow, /*ahead=*/false));
  EXPECT_FALSE(window_.MayTake(2));  // which is what the window was for
  EXPECT_EQ(Wait(2), Said{0});
  EXPECT_TRUE(Wait(3).empty());  // that has been said
  EXPECT_EQ(Return(1, 9 * kWindow), std::pair(size_t{0}, Said{0}));
  EXPECT_EQ(Return(1, kWindow / 2), std::pair(size_t{2}, Said{}));
}

TEST_F(SendWindowTest, WhatGoesAheadCountsAndDoesNotWait) {
  Fill(1);
  EXPECT_TRUE(window_.TryTake(1, kWindow, /*ahead=*/true));
  EXPECT_FALSE(window_.MayTake(2));
  EXPECT_EQ(Return(1, kWindow).first, 0u);
  EXPECT_TRUE(window_.MayTake(2));
}

TEST_F(SendWindowTest, OfOneThatWaitsIsSaidSoAgainWhenSomethingWasReturnedForIt) {
  Fill(1);
  EXPECT_EQ(Wait(1), Said{1});
  EXPECT_EQ(Fill(2, kSize), kSize);
  EXPECT_EQ(Return(2, kSize), std::pair(size_t{0}, Said{}));  // that was not for it
  // It is not as much as others, who wait, have got since.
  for (const uint64_t target : {3, 4, 5}) Fill(target);
  EXPECT_EQ(Return(1, kSize), std::pair(size_t{0}, Said{1}));
}

TEST_F(SendWindowTest, WhenOneWaitsNoMoreOthersMay) {
  Fill(1);
  Fill(2);
  SendWindow::Due due;
  window_.Forget(1, due);
  EXPECT_EQ(due.answer.size(), 1u);  // nobody is there any more
  window_.Wake(due);
  EXPECT_EQ(due.answer.size(), 2u);  // what 1 has is still outstanding, but it is not congested
}

TEST_F(SendWindowTest, WhatIsNotOutstandingCannotBeReturned) {
  EXPECT_FALSE(window_.Return(1, 1));
  Fill(1, 2 * kSize);
  EXPECT_FALSE(window_.Return(1, 0));
  EXPECT_FALSE(window_.Return(1, 2 * kSize + 1));
  EXPECT_FALSE(window_.Return(2, 1));
  EXPECT_TRUE(window_.Return(1, 2 * kSize));
  EXPECT_FALSE(window_.Return(1, 1));
}

// W3 and W4, from a fixed seed: after Wake nobody waits who may go, and of who waits the peer knows.
TEST_F(SendWindowTest, NobodyWaitsWhoMayGoOnAndOfAllOthersThePeerKnows) {
  std::mt19937 random(7);
  std::map<uint64_t, int64_t> outstanding;
  std::set<uint64_t> waiting, known;
  int64_t free = kWindow;
  const auto may = [&](uint64_t target) {
    const auto others = static_cast<int64_t>(waiting.size() - waiting.count(target));
    return outstanding[target] * (1 + others) < free;
  };
  for (int step = 0; step < 20'000; ++step) {
    const uint64_t target = 1 + random() % 20;
    SendWindow::Due due;
    if (random() % 3 > 0) {
      const int64_t size = 1 + static_cast<int64_t>(random()) % (kWindow / 10);
      if (waiting.contains(target)) continue;
      ASSERT_EQ(window_.MayTake(target), may(target));
      if (window_.TryTake(target, static_cast<size_t>(size), /*ahead=*/false)) {
        outstanding[target] += size;
        free -= size;
      } else {
        waiting.insert(target);
        window_.Wait(target, {}, due);
      }
    } else if (outstanding[target] > 0) {
      const int64_t size = 1 + static_cast<int64_t>(random()) % outstanding[target];
      ASSERT_TRUE(window_.Return(target, static_cast<uint64_t>(size)));
      outstanding[target] -= size;
      free += size;
      known.erase(target);
      known.erase(0);
      window_.Wake(due);
    }
    for (size_t woken = due.answer.size(); woken > 0; --woken) {  // those with the least
      const uint64_t first =
          *std::min_element(waiting.begin(), waiting.end(), [&](uint64_t a, uint64_t b) {
            return std::pair(outstanding[a], a) < std::pair(outstanding[b], b);
          });
      ASSERT_TRUE(may(first));
      waiting.erase(first);
      known.erase(first);
    }
    known.insert(due.say.begin(), due.say.end());
    for (const uint64_t one : waiting) {
      ASSERT_FALSE(may(one));
      ASSERT_TRUE(known.contains(outstanding[one] > 0 ? one : 0)) << one;
    }
  }
}

// ---- two nodes

struct Job {
  uint32_t number;
  std::string text = std::string(30, 'x');
};
constexpr uint32_t kJobFrame = 44 + 1 + 1 + 1 + 30;  // at least
uint32_t FrameOf(uint32_t number) { return kJobFrame + (number < 128 ? 0 : number < 256 ? 1 : 2); }

struct Done {
  using Reply = uint32_t;
};
// In order, and how many.
class Worker {
 public:
  void On(const Job& job) { in_order_ &= job.number == done_++; }
  uint32_t On(Done) { return in_order_ ? done_ : 0; }

 private:
  uint32_t done_ = 0;
  bool in_order_ = true;
};

struct Ends {
  bool tcp;
  bool sender_dials;
};

// One node sends: to a worker, and to mailboxes that nobody reads until the test does.
class ReceiversTest : public testing::TestWithParam<Ends> {
 protected:
  static constexpr uint32_t kWindow = 16 << 10;
  static constexpr uint32_t kCapacity = 8;

  struct Box {
    Sender<Job> to;
    Receiver<Job> from;  // there
    uint32_t sent = 0;
    uint32_t read = 0;

    // Until no more is taken for now.
    void Fill() {
      while (to.TrySend(Job{sent}) == SendResult::kQueued) ++sent;
    }
    uint64_t has_arrived() const { return read + from.stats().depth; }
    void ExpectAll() {
      for (; read < sent; ++read) {
        const auto job = from.Receive(kLong).Wait();
        ASSERT_TRUE(job.ok()) << read << " of " << sent << ": " << job.status();
        ASSERT_EQ(job->message.number, read);
      }
    }
  };

  ReceiversTest()
      : there_(there_system_, {.window = kWindow}),
        here_(here_system_, {.capacity = kCapacity, .when_full = WhenFull::kFail}) {
    EXPECT_TRUE((there_.Publish<Job, Done>("worker", there_system_.Spawn<Worker>()).ok()));
  }

  Peer Connect() {
    struct Listener {
      std::promise<Peer>* met;
      void On(const PeerUp& up) { met->set_value(up.peer); }
      void On(const PeerDown&) {}
    };
    std::promise<Peer> met;
    const auto listener = here_system_.Spawn<Listener>(Listener{&met});
    here_.Subscribe(listener);
    GetParam().sender_dials ? Dial(here_, there_) : Dial(there_, here_);
    Peer peer = met.get_future().get();
    listener.Stop();
    here_system_.Join(listener).IgnoreError();  // which uses `met`
    return peer;
  }
  static void Dial(Node& from, Node& to) {
    if (GetParam().tcp) {
      const absl::StatusOr<std::string> at = to.Listen("tcp://127.0.0.1:0");
      ASSERT_TRUE(at.ok()) << at.status();
      EXPECT_TRUE(from.Connect(*at, kLong).Wait().ok());
    } else {
      auto [one, other] = MakeMemoryLink();
      to.Serve(std::move(other));
      EXPECT_TRUE(from.Attach(std::move(one), kLong).Wait().ok());
    }
  }

  std::vector<Box> OpenBoxes(const Peer& peer, size_t count) {
    std::vector<Box> boxes;
    for (size_t i = 0; i < count; ++i) {
      auto [sender, receiver] = there_system_.OpenMailbox<Job>();
      const std::string name = absl::StrCat("box ", ++boxes_);
      EXPECT_TRUE(there_.PublishMailbox(name, sender).ok());
      absl::StatusOr<Sender<Job>> to = peer.FindMailbox<Job>(name, kLong).Wait();
      EXPECT_TRUE(to.ok()) << to.status();
      boxes.push_back({*std::move(to), std::move(receiver)});
    }
    return boxes;
  }
  // As many as the first one gets that is not read.
  static uint64_t Half() {
    uint32_t jobs = 0;
    for (uint32_t bytes = 0; bytes < kWindow - bytes; ++jobs) bytes += FrameOf(jobs);
    return jobs;
  }
  static void FillHalf(Box& box) {
    EXPECT_TRUE(Eventually([&] {
      box.Fill();
      return box.from.stats().depth == Half();
    })) << box.from.stats().depth;
  }
  // Several windows of it, and all are done.
  static void Work(const Peer& peer, uint32_t jobs = 2000) {
    const auto worker = peer.Find<Job, Done>("worker", kLong).Wait();
    ASSERT_TRUE(worker.ok()) << worker.status();
    const uint32_t before = worker->Ask(Done{}, kLong).Wait().value_or(0);
    for (uint32_t i = before; i < before + jobs; ++i) {
      ASSERT_TRUE(Eventually([&] { return worker->TrySend(Job{i}) == SendResult::kQueued; }));
    }
    EXPECT_TRUE(Eventually([&] {  // an ask does not wait for room in the mailbox here
      return worker->Ask(Done{}, kLong).Wait().value_or(0) == before + jobs;
    }));
  }

  System there_system_;
  System here_system_;
  Node there_;
  Node here_;
  int boxes_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Everywhere, ReceiversTest,
                         testing::Values(Ends{false, true}, Ends{false, false}, Ends{true, true},
                                         Ends{true, false}),
                         [](const testing::TestParamInfo<Ends>& info) {
                           return absl::StrCat(
                               info.param.tcp ? "Tcp" : "Memory",
                               info.param.sender_dials ? "SenderDials" : "ReceiverDials");
                         });

TEST_P(ReceiversTest, AnActorThatNeverReadsHoldsUpNobodyElse) {
  std::promise<void> go;
  std::atomic<uint32_t> handled = 0;
  const auto stuck = there_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                         [&, may_go = go.get_future().share()](const Job&) {
                                           may_go.wait();
                                           ++handled;
                                         });
  ASSERT_TRUE(there_.Publish<Job>("stuck", stuck).ok());
  const Peer peer = Connect();
  const auto to = peer.Find<Job>("stuck", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  uint32_t sent = 0;
  const auto fill = [&] {
    while (to->TrySend(Job{sent}) == SendResult::kQueued) ++sent;
  };
  EXPECT_TRUE(Eventually([&] {  // one is in the handler, and its credit is less than a portion
    fill();
    return sent >= Half() + kCapacity;
  }));
  Work(peer);
  fill();
  Work(peer);
  EXPECT_EQ(handled, 0u);
  go.set_value();
  EXPECT_TRUE(Eventually([&] { return handled == sent; }));
}

TEST_P(ReceiversTest, FiveMailboxesThatNobodyReadsHoldUpNobodyElseAndLoseNothing) {
  const Peer peer = Connect();
  auto boxes = OpenBoxes(peer, 5);
  FillHalf(boxes[0]);
  for (Box& box : boxes) box.Fill();
  Work(peer);
  for (Box& box : boxes) box.Fill();
  Work(peer);
  for (Box& box : boxes) box.ExpectAll();
}

TEST_P(ReceiversTest, OfWhatIsNotReadBothSidesKeepNoMoreThanTheirOptionsSay) {
  const Peer peer = Connect();
  auto boxes = OpenBoxes(peer, 4);
  FillHalf(boxes[0]);
  uint64_t kept = 0;
  for (Box& box : boxes) {
    EXPECT_TRUE(Eventually([&] {
      box.Fill();
      return box.from.stats().depth > 0;
    }));
    Work(peer);
    EXPECT_LE(box.to.stats().depth, kCapacity);
  }
  for (const Box& box : boxes) kept += box.from.stats().depth;
  EXPECT_EQ(boxes[0].from.stats().depth, Half());  // it has got no more since
  EXPECT_LE(kept * kJobFrame, kWindow);
}

// Each has less outstanding than a portion of the connection's credit.
TEST_P(ReceiversTest, OneThatIsReadAgainGoesOnHoweverManyAreNot) {
  const Peer peer = Connect();
  auto boxes = OpenBoxes(peer, 20);
  for (int round = 0; round < 3; ++round) {
    for (Box& box : boxes) box.Fill();
  }
  for (size_t i = boxes.size(); i-- > 0;) {
    boxes[i].ExpectAll();
    boxes[i].Fill();
    boxes[i].ExpectAll();
    boxes[i].Fill();  // and nobody reads it any more
  }
  Work(peer);
  for (Box& box : boxes) box.ExpectAll();
}

TEST_P(ReceiversTest, AnotherConnectionBeginsWithAllOfTheWindow) {
  for (int round = 0; round < 3; ++round) {
    const Peer peer = Connect();
    auto boxes = OpenBoxes(peer, 1);
    FillHalf(boxes[0]);
    peer.Disconnect();
    EXPECT_TRUE(Eventually(
        [&] { return here_.stats().connections == 0 && there_.stats().connections == 0; }));
    EXPECT_EQ(boxes[0].from.stats().depth, Half());
  }
}

TEST_P(ReceiversTest, WhatAnEndedActorOrAClosedMailboxHadComesBack) {
  std::promise<void> go;
  const auto stuck =
      there_system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                          [may_go = go.get_future().share()](const Job&) { may_go.wait(); });
  ASSERT_TRUE(there_.Publish<Job>("stuck", stuck).ok());
  const Peer peer = Connect();
  auto boxes = OpenBoxes(peer, 3);
  FillHalf(boxes[0]);
  const auto to = peer.Find<Job>("stuck", kLong).Wait();
  ASSERT_TRUE(to.ok()) << to.status();
  while (to->TrySend(Job{0}) == SendResult::kQueued) {
  }
  stuck.Stop();
  go.set_value();
  boxes[0].from.Close(Backlog::kDrop);
  // All but a portion of the window is there again.
  EXPECT_TRUE(Eventually([&] {
    boxes[1].Fill();
    return boxes[1].from.stats().depth * (kJobFrame + 1) >= kWindow * 3 / 8;
  })) << boxes[1].from.stats().depth;
  boxes[1].ExpectAll();
}

// One has nearly all of the window, and what others read is less than a portion of credit: nobody waits for that
// but those that have nothing outstanding.
TEST(TinyWindowTest, WhatWasReadComesBackWhenOthersNeedIt) {
  constexpr uint32_t kBoxes = 20;
  System there_system, here_system;
  Node there(there_system, {.window = 1000}), here(here_system);
  auto [one, other] = MakeMemoryLink();
  there.Serve(std::move(other));
  const absl::StatusOr<Peer> peer = here.Attach(std::move(one), kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  std::vector<Receiver<Job>> from;
  for (uint32_t i = 0; i < kBoxes; ++i) {
    auto [sender, receiver] = there_system.OpenMailbox<Job>();
    ASSERT_TRUE(there.PublishMailbox(absl::StrCat(i), sender).ok());
    from.push_back(std::move(receiver));
    const auto to = peer->FindMailbox<Job>(absl::StrCat(i), kLong).Wait();
    ASSERT_TRUE(to.ok()) << to.status();
    ASSERT_EQ(to->Send(Job{i, std::string(i == 0 ? 880 : 30, 'x')}), SendResult::kQueued);
    EXPECT_TRUE(Eventually([&] { return i > 1 || from[i].stats().depth == 1; }));
  }
  for (uint32_t left = kBoxes - 1; left > 0;
       --left) {  // one by one, in the order in which they come
    EXPECT_TRUE(Eventually([&] {
      for (uint32_t i = 1; i < kBoxes; ++i) {
        if (from[i].stats().depth > 0) return from[i].Receive(kLong).Wait().ok();
      }
      return false;
    }));
  }
  EXPECT_TRUE(from[0].Receive(kLong).Wait().ok());
}

}  // namespace
}  // namespace troupe
