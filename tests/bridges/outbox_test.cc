// What leaves a connection, in which order and when: the outbox alone, with a link that is turned by hand.
#include "troupe/runtime/bridges/internal/outbox.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/link.h"
#include "troupe/troupe.h"

namespace troupe::internal {
namespace {

// Takes so many bytes as it is told.
class HandLink : public Link {
 public:
  void Start(std::shared_ptr<LinkEvents>) override {}
  size_t Write(std::span<const std::string_view> parts) override {
    if (const auto what = std::exchange(meanwhile, nullptr)) what();
    size_t taken = 0;
    for (std::string_view part : parts) {
      part = part.substr(0, room);
      bytes += part;
      taken += part.size();
      room -= part.size();
    }
    return taken;
  }
  void AwaitWritable() override { ++awaited; }
  void Close(absl::Status) override {}
  std::string peer() const override { return "by hand"; }

  // The targets of the frames that have arrived, in order; the bulk stream is read as a reader does.
  std::vector<uint64_t> Arrived() {
    std::vector<uint64_t> targets;
    auto take = [&](const Frame& frame) {
      targets.push_back(frame.header.target);
      return absl::OkStatus();
    };
    EXPECT_TRUE(reader_
                    .Read(std::exchange(bytes, {}),
                          [&](const Frame& frame) {
                            if (frame.header.kind != FrameKind::kBulk) return take(frame);
                            EXPECT_LE(frame.payload.size(), Outbox::kBulkPiece);
                            return bulk_.Read(frame.payload, take);
                          })
                    .ok());
    return targets;
  }

  size_t room = 0;
  int awaited = 0;
  std::string bytes;
  std::function<void()> meanwhile;  // done by others during the next Write

 private:
  FrameReader reader_{1 << 24};
  FrameReader bulk_{1 << 24};
};

constexpr size_t kLarge = 10 * Outbox::kBulkPiece;
using Targets = std::vector<uint64_t>;
constexpr uint64_t kOfBye = 99;
std::string Bye() { return MakeFrame({.kind = FrameKind::kBye, .target = kOfBye}); }

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() { outbox_.Open(1 << 30); }

  Outbox::Offered Offer(uint64_t target, size_t size = 100) {
    std::string frame = MakeFrame({.kind = FrameKind::kMessage, .target = target},
                                  std::string(size, static_cast<char>('a' + target)));
    return outbox_.Offer(frame, target);
  }
  // The link takes so many bytes more.
  bool Write(size_t bytes) {
    link_.room = bytes;
    return outbox_.WriteOut(link_) == Outbox::Written::kAll;
  }

  Outbox outbox_{{.high_water = 1 << 20, .most = 2 << 20}};
  HandLink link_;
};

TEST_F(OutboxTest, OneIsToFlushAndFramesLeaveInOrderHoweverLittleIsTaken) {
  EXPECT_EQ(Offer(1), Outbox::Offered::kTakenFlush);
  EXPECT_EQ(Offer(2), Outbox::Offered::kTaken);
  EXPECT_EQ(Offer(3, 20'000), Outbox::Offered::kTaken);
  EXPECT_EQ(Offer(4), Outbox::Offered::kTaken);
  int turns = 0;
  while (!Write(77)) {
    EXPECT_EQ(link_.awaited, ++turns);
  }
  EXPECT_TRUE(outbox_.empty());
  EXPECT_EQ(link_.Arrived(), (Targets{1, 2, 3, 4}));
  EXPECT_EQ(Offer(5), Outbox::Offered::kTakenFlush);
}

TEST_F(OutboxTest, ALargeFrameGoesInPiecesAndOthersDoNotWaitForIt) {
  std::ignore = Offer(1, kLarge);
  EXPECT_FALSE(Write(1000));  // a piece has begun
  std::ignore = Offer(2);
  EXPECT_FALSE(Write(Outbox::kBulkPiece + 1000));
  EXPECT_EQ(link_.Arrived(), Targets{2});
  EXPECT_FALSE(Write(kLarge / 2));
  std::ignore = outbox_.Push(Lane::kControl, MakeFrame({.kind = FrameKind::kPing, .target = 3}));
  EXPECT_TRUE(Write(2 * kLarge));
  EXPECT_EQ(link_.Arrived(), (Targets{3, 1}));
  EXPECT_TRUE(outbox_.empty());
}

TEST_F(OutboxTest, WhatFollowsALargeFrameToTheSameTargetArrivesBehindIt) {
  std::ignore = Offer(1, kLarge);
  std::ignore = Offer(1);
  std::ignore = Offer(2);
  std::string release = MakeFrame({.kind = FrameKind::kRelease, .target = 1});
  EXPECT_EQ(outbox_.Push(Lane::kOrdinary, release, 1), Outbox::Pushed::kTaken);
  EXPECT_TRUE(Write(2 * kLarge));
  EXPECT_EQ(link_.Arrived(), (Targets{2, 1, 1, 1}));
}

TEST_F(OutboxTest, OnceALargeFrameHasLeftItsTargetIsAsAnyOther) {
  std::ignore = Offer(1, kLarge);
  std::ignore = Offer(2, kLarge);
  EXPECT_FALSE(Write(kLarge + Outbox::kBulkPiece));  // the first has, the second has not
  EXPECT_EQ(link_.Arrived(), Targets{1});
  std::ignore = Offer(1);
  std::ignore = Offer(2);
  EXPECT_TRUE(Write(2 * kLarge));
  EXPECT_EQ(link_.Arrived(), (Targets{1, 2, 2}));
}

TEST_F(OutboxTest, OfCreditAndRoomIsTakenNoMoreThanThereIs) {
  Outbox poor({.high_water = 1000, .most = 2000});
  std::string message = MakeFrame({.kind = FrameKind::kMessage}, std::string(700, 'x'));
  const std::string same = message;
  EXPECT_EQ(poor.Offer(message, 1), Outbox::Offered::kNoRoom);  // no credit
  EXPECT_EQ(message, same);
  poor.Open(1000);
  EXPECT_EQ(poor.Offer(message, 1), Outbox::Offered::kTakenFlush);
  EXPECT_TRUE(message.empty());
  message = same;
  EXPECT_EQ(poor.Offer(message, 2),
            Outbox::Offered::kTaken);  // the last one may be more than there is
  message = same;
  EXPECT_EQ(poor.Offer(message, 1), Outbox::Offered::kNoRoom);
  EXPECT_EQ(poor.Push(Lane::kOrdinary, message), Outbox::Pushed::kOverfull);
  EXPECT_EQ(poor.Close(Bye()), Outbox::LastFrame::kTakenFlush);
  EXPECT_EQ(poor.Offer(message, 1), Outbox::Offered::kClosed);
  EXPECT_EQ(poor.Push(Lane::kControl, message), Outbox::Pushed::kClosed);
}

TEST_F(OutboxTest, TheLastFrameIsWrittenByWhoeverIsWritingAndThatIsSaidToHim) {
  std::ignore = Offer(1);
  link_.room = kLarge;
  link_.meanwhile = [&] { EXPECT_EQ(outbox_.Close(Bye()), Outbox::LastFrame::kTaken); };
  EXPECT_EQ(outbox_.WriteOut(link_), Outbox::Written::kLast);
  EXPECT_EQ(link_.Arrived(), (Targets{1, kOfBye}));
  EXPECT_EQ(outbox_.Close(Bye()), Outbox::LastFrame::kCannotGo);
}

TEST_F(OutboxTest, WhoClosesDoesNotWaitForWhoHasPromisedToFlush) {
  std::ignore = Offer(1);  // kTakenFlush: somebody will
  EXPECT_EQ(outbox_.Close(Bye()), Outbox::LastFrame::kTakenFlush);
  link_.room = kLarge;
  EXPECT_EQ(outbox_.WriteOut(link_), Outbox::Written::kLast);
  EXPECT_EQ(link_.Arrived(), Targets{kOfBye});  // and nothing behind it
  EXPECT_TRUE(outbox_.empty());
  EXPECT_EQ(outbox_.WriteOut(link_), Outbox::Written::kAll);  // he finds that it is done
}

TEST_F(OutboxTest, WhoeverWritesTheOthersFindNothingToDo) {
  std::ignore = Offer(1);
  link_.room = kLarge;
  link_.meanwhile = [&] {
    EXPECT_EQ(outbox_.WriteOut(link_), Outbox::Written::kAll);
    EXPECT_EQ(Offer(2), Outbox::Offered::kTaken);
  };
  EXPECT_EQ(outbox_.WriteOut(link_), Outbox::Written::kAll);
  EXPECT_EQ(link_.Arrived(), (Targets{1, 2}));
}

TEST_F(OutboxTest, NobodyWaitsWithTheEndForAPeerThatReadsNothing) {
  std::ignore = Offer(1);
  EXPECT_FALSE(Write(10));
  EXPECT_EQ(outbox_.Close(Bye()), Outbox::LastFrame::kCannotGo);

  Outbox other({.high_water = 1000, .most = 2000});
  std::ignore = other.Push(Lane::kControl, MakeFrame({.kind = FrameKind::kPing}));
  EXPECT_EQ(other.Close(Bye()), Outbox::LastFrame::kTakenFlush);
  link_.room = 10;
  EXPECT_EQ(other.WriteOut(link_), Outbox::Written::kLast);
  EXPECT_EQ(link_.awaited, 1);  // the first time
}

TEST_F(OutboxTest, MemoryOfFramesThatHaveLeftIsUsedAgainAndGivenUpWhenNobodyNeedsIt) {
  constexpr size_t kFrame = 50'000;
  std::ignore = Offer(1, kFrame);
  EXPECT_LT(outbox_.TakeBuffer(kFrame).capacity(), kFrame);  // it has not left yet
  EXPECT_TRUE(Write(kLarge));
  std::ignore = Offer(1);  // who flushes gives back what he has written
  EXPECT_TRUE(Write(kLarge));
  std::string buffer = outbox_.TakeBuffer(kFrame);
  EXPECT_GE(buffer.capacity(), kFrame);
  EXPECT_TRUE(buffer.empty());

  std::ignore = Offer(1, kFrame);
  EXPECT_TRUE(Write(kLarge));
  outbox_.Shrink();  // it has been used since the last time
  std::ignore = Offer(1, 44);
  EXPECT_TRUE(Write(kLarge));
  outbox_.Shrink();  // by nothing large
  EXPECT_LT(outbox_.TakeBuffer(kFrame).capacity(), kFrame);
}

}  // namespace
}  // namespace troupe::internal
