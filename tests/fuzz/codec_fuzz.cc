// Whatever decodes can be encoded, and that decodes to the same: for a message with every kind of field.
// The bytes themselves need not be the same: an integer may have been written in more of them, and fields
// at the end may be missing, or unknown.
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tests/fuzz/expect.h"
#include "troupe/runtime/bridges/codec.h"

namespace troupe {
namespace {

enum class Color : uint8_t { kRed, kBlue };

struct Point {
  int32_t x = 1;
  int32_t y = 2;
};
struct Tree {
  int64_t value = 0;
  std::vector<Tree> children;
  std::unique_ptr<Tree> next;
};
struct Numbers {
  bool flag = false;
  Color color = Color::kRed;
  int8_t tiny = 0;
  uint16_t port = 0;
  int64_t small = 0;
  uint64_t large = 0;
  float real = 0;
  double precise = 0;
  absl::Time time;
  absl::Duration duration;
  std::chrono::milliseconds chrono{0};
  std::chrono::system_clock::time_point clock;
};
struct Containers {
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
};
struct Choices {
  std::pair<int, std::string> pair;
  std::tuple<int, bool, std::string> tuple;
  std::optional<Point> maybe;
  std::variant<std::monostate, int, Point> choice;
  std::shared_ptr<const Point> shared;
  std::vector<std::optional<std::vector<std::string>>> nested;
};
struct Everything {
  Numbers numbers;
  Containers containers;
  Choices choices;
  Tree tree;
};

template <class T>
void Check(std::string_view bytes) {
  const absl::StatusOr<T> value = Decode<T>(bytes);
  if (!value.ok()) {
    EXPECT_OR_ABORT(value.status().code() == absl::StatusCode::kInvalidArgument);
    return;
  }
  const std::string first = Encode(*value);
  const absl::StatusOr<T> back = Decode<T>(first);
  EXPECT_OR_ABORT(back.ok());
  // Of a hash table the order is not: but its size is.
  EXPECT_OR_ABORT(Encode(*back).size() == first.size());
}

void CheckAll(std::string_view bytes) {
  if (bytes.empty()) return;
  const std::string copy(bytes.substr(1));  // of its own, so that ASan knows its end
  switch (bytes.front() & 7) {
    case 0:
      return Check<Numbers>(copy);
    case 1:
      return Check<Containers>(copy);
    case 2:
      return Check<Choices>(copy);
    case 3:
      return Check<Tree>(copy);
    default:
      return Check<Everything>(copy);
  }
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::CheckAll({reinterpret_cast<const char*>(data), size});
  return 0;
}
