// A stream of bytes is cut into the same frames however it arrives, and a frame that was read can be
// written again: or it is refused, at the same place.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "tests/fuzz/expect.h"
#include "troupe/runtime/bridges/frame.h"

namespace troupe {
namespace {

constexpr uint32_t kMaxFrame = 4096;

struct Result {
  std::vector<std::string> frames;  // written again
  absl::StatusCode code = absl::StatusCode::kOk;

  friend bool operator==(const Result&, const Result&) = default;
};

// `piece`: how many bytes arrive at once; at least 1.
Result Read(std::string_view bytes, size_t piece) {
  Result result;
  FrameReader reader(kMaxFrame);
  while (!bytes.empty() && result.code == absl::StatusCode::kOk) {
    const std::string arrived(bytes.substr(0, piece));  // of its own, so that ASan knows its end
    bytes.remove_prefix(arrived.size());
    result.code = reader
                      .Read(arrived,
                            [&](const Frame& frame) {
                              result.frames.push_back(MakeFrame(frame.header, frame.payload));
                              return absl::OkStatus();
                            })
                      .code();
  }
  return result;
}

void Check(std::string_view bytes) {
  if (bytes.empty()) return;
  const size_t piece = 1 + static_cast<unsigned char>(bytes.front());
  bytes.remove_prefix(1);
  const Result whole = Read(bytes, kMaxFrame);
  EXPECT_OR_ABORT(Read(bytes, piece) == whole);
  std::string again;
  for (const std::string& frame : whole.frames) again += frame;
  EXPECT_OR_ABORT(bytes.substr(0, again.size()) == again);
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::Check({reinterpret_cast<const char*>(data), size});
  return 0;
}
