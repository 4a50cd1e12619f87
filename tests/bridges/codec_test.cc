// What messages are as bytes, and what becomes of bytes that are no message.
#include "troupe/runtime/bridges/codec.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/time/time.h"
#include "troupe/runtime/bridges/frame.h"

namespace troupe {
namespace {

enum class Color : uint8_t { kRed, kBlue };
enum class Level : int16_t { kLow = -300, kHigh = 300 };

struct Point {
  int32_t x = 1;
  int32_t y = 2;
  friend bool operator==(const Point&, const Point&) = default;
};
struct Tree {
  int64_t value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
};
struct Everything {
  bool flag = false;
  Color color = Color::kRed;
  Level level = Level::kLow;
  float real = 0;
  double precise = 0;
  uint64_t large = 0;
  int64_t small = 0;
  std::string text;
  std::vector<Point> points;
  std::vector<bool> bits;
  std::vector<std::byte> bytes;
  std::deque<int> deque;
  std::list<std::string> list;
  std::set<int> set;
  std::map<std::string, Point> map;
  std::unordered_map<int, int> hashed;
  std::array<int, 3> array{};
  std::pair<int, std::string> pair;
  std::tuple<int, bool, std::string> tuple;
  std::optional<Point> maybe;
  std::variant<std::monostate, int, Point> choice;
  std::shared_ptr<const Point> shared;
  absl::Time time;
  absl::Duration duration;
  std::chrono::milliseconds chrono{0};
  std::chrono::system_clock::time_point clock;
  Point nested;
};

template <class T>
std::string HexOf(const T& value) {
  return absl::BytesToHexString(Encode(value));
}
template <class T>
T RoundTrip(const T& value) {
  absl::StatusOr<T> back = Decode<T>(Encode(value));
  EXPECT_TRUE(back.ok()) << back.status();
  return back.ok() ? *std::move(back) : T{};
}

TEST(CodecTest, EveryKindOfFieldComesBackAsItWas) {
  Everything all;
  all.flag = true;
  all.color = Color::kBlue;
  all.level = Level::kHigh;
  all.real = 1.5F;
  all.precise = -2.25;
  all.large = std::numeric_limits<uint64_t>::max();
  all.small = std::numeric_limits<int64_t>::min();
  all.text = std::string("a\0b", 3);
  all.points = {{3, 4}, {-5, 6}};
  all.bits = {true, false, true};
  all.bytes = {std::byte{1}, std::byte{255}};
  all.deque = {1, 2};
  all.list = {"x", "y"};
  all.set = {5, 6};
  all.map = {{"a", {7, 8}}, {"b", {9, 10}}};
  all.hashed = {{1, 2}};
  all.array = {11, 12, 13};
  all.pair = {14, "fifteen"};
  all.tuple = {16, true, "seventeen"};
  all.maybe = Point{18, 19};
  all.choice = Point{20, 21};
  all.shared = std::make_shared<const Point>(Point{22, 23});
  all.time = absl::FromUnixNanos(1234567890123456789);
  all.duration = absl::Nanoseconds(-77);
  all.chrono = std::chrono::milliseconds(88);
  all.clock = std::chrono::system_clock::time_point(std::chrono::seconds(99));
  all.nested = {24, 25};
  const Everything back = RoundTrip(all);
  EXPECT_EQ(Encode(back),
            Encode(all));  // and field by field, where equality of bytes might deceive:
  EXPECT_EQ(back.text, all.text);
  EXPECT_EQ(back.large, all.large);
  EXPECT_EQ(back.small, all.small);
  EXPECT_EQ(back.map, all.map);
  EXPECT_EQ(back.choice, all.choice);
  EXPECT_EQ(back.time, all.time);
  EXPECT_EQ(back.level, all.level);
  ASSERT_NE(back.shared, nullptr);
  EXPECT_EQ(*back.shared, *all.shared);
}

TEST(CodecTest, RecursiveStructsAreTrees) {
  Tree tree{.value = 1, .children = {}, .next = std::make_unique<Tree>()};
  tree.children.push_back(Tree{.value = 2, .children = {}, .next = nullptr});
  tree.next->value = 3;
  const Tree back = RoundTrip(tree);
  ASSERT_EQ(back.children.size(), 1u);
  EXPECT_EQ(back.children[0].value, 2);
  ASSERT_NE(back.next, nullptr);
  EXPECT_EQ(back.next->value, 3);
}

TEST(CodecTest, InfiniteTimesStayInfinite) {
  EXPECT_EQ(RoundTrip(absl::InfiniteFuture()), absl::InfiniteFuture());
  EXPECT_EQ(RoundTrip(absl::InfinitePast()), absl::InfinitePast());
  EXPECT_EQ(RoundTrip(absl::InfiniteDuration()), absl::InfiniteDuration());
  EXPECT_EQ(RoundTrip(-absl::InfiniteDuration()), -absl::InfiniteDuration());
}

// As python3-msgpack writes them: packb(...).hex().
TEST(CodecTest, TheBytesAreMsgpackInItsShortestForm) {
  EXPECT_EQ(HexOf(Point{1, -1}), "9201ff");
  EXPECT_EQ(HexOf(int64_t{127}), "7f");
  EXPECT_EQ(HexOf(int64_t{128}), "cc80");
  EXPECT_EQ(HexOf(int64_t{256}), "cd0100");
  EXPECT_EQ(HexOf(int64_t{65536}), "ce00010000");
  EXPECT_EQ(HexOf(int64_t{1} << 32), "cf0000000100000000");
  EXPECT_EQ(HexOf(int64_t{-32}), "e0");
  EXPECT_EQ(HexOf(int64_t{-33}), "d0df");
  EXPECT_EQ(HexOf(int64_t{-129}), "d1ff7f");
  EXPECT_EQ(HexOf(int64_t{-32769}), "d2ffff7fff");
  EXPECT_EQ(HexOf(int64_t{-2147483649}), "d3ffffffff7fffffff");
  EXPECT_EQ(HexOf(1.5F), "ca3fc00000");
  EXPECT_EQ(HexOf(1.5), "cb3ff8000000000000");
  EXPECT_EQ(HexOf(std::string("abc")), "a3616263");
  EXPECT_EQ(HexOf(std::string(32, 'a')).substr(0, 4), "d920");
  EXPECT_EQ(HexOf(std::string(256, 'a')).substr(0, 6), "da0100");
  EXPECT_EQ(HexOf(std::vector<int>(16, 0)).substr(0, 6), "dc0010");
  EXPECT_EQ(HexOf(std::map<int, bool>{{1, true}}), "8101c3");
  EXPECT_EQ(HexOf(std::optional<int>()), "c0");
  EXPECT_EQ(HexOf(std::vector<unsigned char>{1, 2}), "c4020102");
}

// ---- evolution

struct OldOrder {
  std::string item;
};
struct NewOrder {
  std::string item;
  int count = 1;
  std::vector<std::string> notes = std::vector<std::string>(1, "none");
};

TEST(CodecTest, FieldsThatTheReaderDoesNotKnowAreSkipped) {
  const absl::StatusOr<OldOrder> old =
      Decode<OldOrder>(Encode(NewOrder{.item = "tea", .count = 3, .notes = {"a", "b"}}));
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->item, "tea");
}

TEST(CodecTest, FieldsThatAreMissingKeepTheirDefaults) {
  const absl::StatusOr<NewOrder> order = Decode<NewOrder>(Encode(OldOrder{.item = "tea"}));
  ASSERT_TRUE(order.ok()) << order.status();
  EXPECT_EQ(order->count, 1);
  EXPECT_EQ(order->notes, std::vector<std::string>{"none"});
}

// ---- a codec of one's own

class Celsius {
 public:
  Celsius() = default;
  explicit Celsius(double degrees) : degrees_(degrees) {}
  double degrees() const { return degrees_; }

 private:
  double degrees_ = 0;
};

}  // namespace

template <>
struct Codec<Celsius> {
  static void Encode(Encoder& out, const Celsius& c) { out.Double(c.degrees()); }
  static bool Decode(Decoder& in, Celsius& c) {
    double degrees;
    if (!in.Double(degrees)) return false;
    if (degrees < -273.15) return in.Fail("below absolute zero");
    c = Celsius(degrees);
    return true;
  }
};

namespace {

struct Weather {
  Celsius outside;
};

TEST(CodecTest, ATypeMayHaveItsOwnForm) {
  EXPECT_EQ(RoundTrip(Weather{Celsius(21.5)}).outside.degrees(), 21.5);
  const absl::Status error = Decode<Weather>(Encode(std::vector<double>{-300})).status();
  EXPECT_EQ(error.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(error.message().find("below absolute zero"), absl::string_view::npos) << error;
}

// ---- hostile bytes

template <class T>
absl::Status Refusal(const std::string& hex) {
  return Decode<T>(absl::HexStringToBytes(hex)).status();
}

TEST(CodecTest, BytesThatAreSomethingElseAreRefused) {
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(Refusal<Point>("").code(), kInvalid);
  EXPECT_EQ(Refusal<Point>("01").code(), kInvalid);          // no array
  EXPECT_EQ(Refusal<Point>("92a178a179").code(), kInvalid);  // strings
  EXPECT_EQ(Refusal<Point>("920102ff").code(), kInvalid);    // more than one value
  EXPECT_EQ(Refusal<Point>("9201").code(), kInvalid);        // cut off
  EXPECT_EQ(Refusal<uint8_t>("cd0100").code(), kInvalid);    // out of range
  EXPECT_EQ(Refusal<uint64_t>("ff").code(), kInvalid);       // negative
  EXPECT_EQ(Refusal<int64_t>("cfffffffffffffffff").code(), kInvalid);
  EXPECT_EQ(Refusal<bool>("01").code(), kInvalid);
  EXPECT_EQ(Refusal<std::string>("c403616263").code(), kInvalid);  // binary
  EXPECT_EQ((Refusal<std::variant<int, bool>>("920201").code()), kInvalid);
  EXPECT_EQ(Refusal<Everything>("c1").code(), kInvalid);  // never used
}

TEST(CodecTest, ACountIsNotBelievedBeyondTheBytesThatAreThere) {
  EXPECT_FALSE(Refusal<std::vector<int>>("ddffffffff").ok());
  EXPECT_FALSE((Refusal<std::map<int, int>>("dfffffffff01").ok()));
  EXPECT_FALSE(Refusal<std::string>("dbffffffff61").ok());
  EXPECT_FALSE(Refusal<std::vector<unsigned char>>("c6ffffffff61").ok());
}

struct Huge {
  std::array<char, 4096> text{};
};

TEST(CodecTest, MemoryIsTakenOnlyAsFarAsTheBytesJustifyIt) {
  std::string bytes;
  Encoder out(bytes);
  out.Array(10000);
  for (int i = 0; i < 10000; ++i) out.Array(0);  // one byte for each element of 4,096
  EXPECT_NE(Decode<std::vector<Huge>>(bytes).status().message().find("justify"),
            absl::string_view::npos);
}

TEST(CodecTest, WhatNestsTooDeeplyIsRefusedAndWhatIsSkippedMayNest) {
  std::string deep;
  Encoder out(deep);
  for (int i = 0; i < 1000; ++i) {
    out.Array(3);
    out.Int(1);
    out.Array(0);
  }
  out.Nil();
  EXPECT_NE(Decode<Tree>(deep).status().message().find("nested"), absl::string_view::npos);
  std::string skipped;
  Encoder skip(skipped);
  skip.Array(2);
  skip.String("tea");
  for (int i = 0; i < 100000; ++i) skip.Array(1);
  skip.Nil();
  EXPECT_TRUE(Decode<OldOrder>(skipped).ok());
}

// Whatever is done to valid bytes: decoding ends, and what it accepts can be written again.
TEST(CodecTest, SpoiledBytesAreAcceptedOrRefusedAndNothingElse) {
  std::mt19937 random(20240607);
  Everything all;
  all.points.resize(3);
  all.map["key"] = {};
  all.maybe.emplace();
  all.text = "some text";
  const std::string valid = Encode(all);
  int refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = valid;
    for (int n = 1 + static_cast<int>(random() % 4); n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    const absl::StatusOr<Everything> back = Decode<Everything>(bytes);
    if (!back.ok()) {
      ++refused;
      EXPECT_EQ(back.status().code(), absl::StatusCode::kInvalidArgument);
    } else {
      EXPECT_TRUE(Decode<Everything>(Encode(*back)).ok());
    }
  }
  EXPECT_GT(refused, 1000);
}

// ---- frames

std::string FrameWith(const std::string& payload, FrameHeader header = {}) {
  std::string bytes;
  const size_t start = BeginFrame(bytes, header);
  bytes += payload;
  EndFrame(bytes, start);
  return bytes;
}

TEST(FrameTest, FramesComeOutAsTheyWentInHoweverTheStreamIsCut) {
  const std::string stream = FrameWith("first", {.kind = FrameKind::kRequest,
                                                 .target = 0x0102030405060708,
                                                 .incarnation = ~uint64_t{0},
                                                 .correlation = 3,
                                                 .type = 4,
                                                 .timeout_ms = 5}) +
                             FrameWith("") +
                             FrameWith(std::string(1000, 'x'), {.lane = Lane::kControl});
  for (size_t piece : {size_t{1}, size_t{7}, size_t{43}, size_t{44}, size_t{100}, stream.size()}) {
    FrameReader reader(4096);
    std::vector<std::pair<FrameHeader, std::string>> frames;
    for (size_t at = 0; at < stream.size(); at += piece) {
      ASSERT_TRUE(reader
                      .Read(std::string_view(stream).substr(at, piece),
                            [&](const Frame& frame) {
                              frames.emplace_back(frame.header, frame.payload);
                              return absl::OkStatus();
                            })
                      .ok());
    }
    ASSERT_EQ(frames.size(), 3u);
    EXPECT_EQ(frames[0].second, "first");
    EXPECT_EQ(frames[0].first.kind, FrameKind::kRequest);
    EXPECT_EQ(frames[0].first.target, 0x0102030405060708u);
    EXPECT_EQ(frames[0].first.incarnation, ~uint64_t{0});
    EXPECT_EQ(frames[0].first.correlation, 3u);
    EXPECT_EQ(frames[0].first.type, 4u);
    EXPECT_EQ(frames[0].first.timeout_ms, 5u);
    EXPECT_EQ(frames[1].second, "");
    EXPECT_EQ(frames[2].first.lane, Lane::kControl);
    EXPECT_EQ(frames[2].second.size(), 1000u);
  }
}

TEST(FrameTest, WhatIsNoFrameIsRefusedBeforeItIsThere) {
  auto read = [](std::string bytes) {
    return FrameReader(1000).Read(bytes, [](const Frame&) { return absl::OkStatus(); });
  };
  const std::string good = FrameWith("");
  EXPECT_TRUE(read(good).ok());
  EXPECT_FALSE(read(absl::HexStringToBytes("ffffffff")).ok());  // longer than the limit
  EXPECT_FALSE(read(absl::HexStringToBytes("01000000")).ok());  // shorter than a header
  for (const auto& [at, byte] :
       {std::pair(4, 0), {4, kLastFrameKind + 1}, {4, 255}, {5, 3}, {6, 1}, {7, 128}}) {
    std::string bad = good;
    bad[at] = static_cast<char>(byte);
    EXPECT_FALSE(read(bad).ok()) << at;
  }
}

TEST(FrameTest, ATypeIsKnownByTheHashOfItsName) {
  EXPECT_EQ(MessageHash(""), 0xcbf29ce484222325u);
  EXPECT_EQ(MessageHash("bank::Deposit"), MessageHash("bank::Deposit"));
  EXPECT_EQ(MessageHash("a"), 0xaf63dc4c8601ec8cu);  // of the FNV reference
}

}  // namespace
}  // namespace troupe
