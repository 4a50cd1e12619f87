// What messages look like from outside, and which changes of them go unnoticed.
#include "troupe/runtime/bridges/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "troupe/runtime/bridges/codec.h"

namespace schema_test {

enum class Color : uint8_t { kRed };
struct Point {
  int32_t x = 0;
  float y = 0;
};
struct Tree {
  int64_t value = 0;
  std::vector<Tree> children;
};
class Secret {};

struct Everything {
  using Reply = std::optional<Point>;
  bool flag;
  Color color;
  uint64_t large;
  double precise;
  std::string text;
  std::vector<std::byte> bytes;
  std::set<int16_t> set;
  std::map<std::string, Point> map;
  std::array<int8_t, 3> array;
  std::tuple<bool, std::string> tuple;
  std::variant<std::monostate, Point> choice;
  std::unique_ptr<Tree> tree;
  absl::Time time;
  absl::Duration duration;
  std::chrono::milliseconds chrono;
  std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds> clock;
  Secret secret;
};
struct Bye {
  using Reply = void;
};

}  // namespace schema_test

template <>
struct troupe::Codec<schema_test::Secret> {
  static void Encode(Encoder& out, const schema_test::Secret&) { out.Nil(); }
  static bool Decode(Decoder& in, schema_test::Secret&) { return in.TakeNil(); }
};

namespace troupe {
namespace {

TEST(SchemaTest, HasALineForEachPlaceInAMessageAndItsAnswer) {
  EXPECT_EQ((SchemaOf<schema_test::Everything, schema_test::Bye>()),
            R"(schema_test::Everything: message
schema_test::Everything/0: bool
schema_test::Everything/1: uint8
schema_test::Everything/2: uint64
schema_test::Everything/3: double
schema_test::Everything/4: string
schema_test::Everything/5: bytes
schema_test::Everything/6: list
schema_test::Everything/6/element: int16
schema_test::Everything/7: map
schema_test::Everything/7/key: string
schema_test::Everything/7/value: struct
schema_test::Everything/7/value/0: int32
schema_test::Everything/7/value/1: float
schema_test::Everything/8: array 3
schema_test::Everything/8/element: int8
schema_test::Everything/9: struct
schema_test::Everything/9/0: bool
schema_test::Everything/9/1: string
schema_test::Everything/10: one of
schema_test::Everything/10/0: nil
schema_test::Everything/10/1: struct
schema_test::Everything/10/1/0: int32
schema_test::Everything/10/1/1: float
schema_test::Everything/11: optional
schema_test::Everything/11/value: struct
schema_test::Everything/11/value/0: int64
schema_test::Everything/11/value/1: list
schema_test::Everything/11/value/1/element: the struct 1 further out
schema_test::Everything/12: time
schema_test::Everything/13: duration
schema_test::Everything/14: int64 of 1/1000 s
schema_test::Everything/15: since 1970, int64 of 1/1000000 s
schema_test::Everything/16: codec of schema_test::Secret
schema_test::Everything/reply: optional
schema_test::Everything/reply/value: struct
schema_test::Everything/reply/value/0: int32
schema_test::Everything/reply/value/1: float
schema_test::Bye: message
schema_test::Bye/reply: nothing
)");
}

struct Change {
  const char* before;
  const char* after;
};
std::string Schema(const std::string& fields) { return "bank::M: message\n" + fields; }

TEST(SchemaTest, WhatMayChangeIsUnderstood) {
  const std::vector<Change> changes = {
      {"bank::M/0: int32\n", "bank::M/0: int32\n"},
      {"bank::M/0: int32\n", "bank::M/0: int32\nbank::M/1: string\n"},  // a field at the end
      {"", "bank::N: message\nbank::N/0: bool\n"},                      // another message
      {"bank::M/0: int32\n", "bank::M/0: int64\n"},
      {"bank::M/0: uint8\n", "bank::M/0: uint64\n"},
      {"bank::M/0: uint8\n", "bank::M/0: int16\n"},
      {"bank::M/0: float\n", "bank::M/0: double\n"},
      {"bank::M/0: array 3\nbank::M/0/element: bool\n",
       "bank::M/0: array 4\nbank::M/0/element: bool\n"},
      {"bank::M/0: one of\nbank::M/0/0: nil\n",
       "bank::M/0: one of\nbank::M/0/0: nil\nbank::M/0/1: bool\n"},
  };
  for (const auto& [before, after] : changes) {
    EXPECT_EQ(CheckSchema(Schema(before), Schema(after)), absl::OkStatus()) << before << after;
  }
}

TEST(SchemaTest, WhatMustNotChangeIsRefusedWithThePlace) {
  const std::vector<Change> changes = {
      {"bank::M/0: int32\nbank::M/1: bool\n", "bank::M/0: int32\n"},
      {"bank::M/0: int64\n", "bank::M/0: int32\n"},
      {"bank::M/0: uint32\n", "bank::M/0: int32\n"},  // 3,000,000,000
      {"bank::M/0: int8\n", "bank::M/0: uint64\n"},   // -1
      {"bank::M/0: double\n", "bank::M/0: float\n"},
      {"bank::M/0: string\n", "bank::M/0: bytes\n"},
      {"bank::M/0: string\nbank::M/1: bool\n", "bank::M/0: bool\nbank::M/1: string\n"},
      {"bank::M/0: array 3\n", "bank::M/0: array 2\n"},
      {"bank::M/0: int64 of 1/1000 s\n", "bank::M/0: int64 of 1/1 s\n"},
      {"bank::M/0: list\nbank::M/0/element: struct\nbank::M/0/element/0: bool\n",
       "bank::M/0: list\nbank::M/0/element: struct\n"},
      {"bank::M/0: struct\n", "bank::M/0: the struct 1 further out\n"},
      {"bank::M/reply: nothing\n", "bank::M/reply: bool\n"},
      {"bank::M/0: codec of a::Color\n", "bank::M/0: codec of b::Color\n"},
  };
  for (const auto& [before, after] : changes) {
    const absl::Status changed = CheckSchema(Schema(before), Schema(after));
    EXPECT_EQ(changed.code(), absl::StatusCode::kFailedPrecondition) << before << after;
    EXPECT_THAT(std::string(changed.message()), testing::HasSubstr("bank::M/"));
  }
}

TEST(SchemaTest, TheErrorSaysAllThatIsWrong) {
  EXPECT_EQ(
      CheckSchema("bank::M: message\nbank::M/0: bool\nbank::M/1: string\nbank::N: message\n",
                  "bank::M: message\nbank::M/0: string\n")
          .message(),
      "bank::M/0: bool has become string\nbank::M/1: string is gone\nbank::N: message is gone");
}

TEST(SchemaTest, TextThatIsNoSchemaIsRefused) {
  for (const char* text : {"bank::M\n", ": message\n", "<html>\n"}) {
    EXPECT_EQ(CheckSchema(text, Schema("")).code(), absl::StatusCode::kInvalidArgument) << text;
    EXPECT_EQ(CheckSchema("", text).code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

// The rules are those by which messages are read.
struct OldNews {
  int32_t number = 0;
};
struct NewNews {
  int64_t number = 0;
  std::string text = "none";
};
TEST(SchemaTest, WhatIsUnderstoodIsReadEitherWay) {
  const absl::StatusOr<NewNews> later = Decode<NewNews>(Encode(OldNews{7}));
  ASSERT_TRUE(later.ok()) << later.status();
  EXPECT_EQ(later->number, 7);
  EXPECT_EQ(later->text, "none");
  const absl::StatusOr<OldNews> earlier = Decode<OldNews>(Encode(NewNews{8, "new"}));
  ASSERT_TRUE(earlier.ok()) << earlier.status();
  EXPECT_EQ(earlier->number, 8);
  EXPECT_EQ(Decode<OldNews>(Encode(NewNews{int64_t{1} << 40, ""})).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace troupe
