#include "troupe/runtime/bridges/frame.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace troupe {
namespace {

template <class T>
void Put(char*& at, T value) {  // little endian
  for (size_t i = 0; i < sizeof(T); ++i) *at++ = static_cast<char>(value >> (8 * i));
}
template <class T>
T Get(const char*& at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<T>(static_cast<T>(static_cast<unsigned char>(*at++)) << (8 * i));
  }
  return value;
}

absl::Status Malformed(std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("malformed frame: ", std::string(what)));
}

absl::Status ReadHeader(const char* at, FrameHeader& header) {
  const auto kind = Get<uint8_t>(at);
  const auto lane = Get<uint8_t>(at);
  const auto flags = Get<uint16_t>(at);
  if (kind < 1 || kind > kLastFrameKind) return Malformed(absl::StrCat("of unknown kind ", kind));
  if (lane > static_cast<uint8_t>(Lane::kBulk))
    return Malformed(absl::StrCat("in unknown lane ", lane));
  if (flags != 0) return Malformed("flags that this version does not know");
  header.kind = static_cast<FrameKind>(kind);
  header.lane = static_cast<Lane>(lane);
  header.target = Get<uint64_t>(at);
  header.incarnation = Get<uint64_t>(at);
  header.correlation = Get<uint64_t>(at);
  header.type = Get<uint64_t>(at);
  header.timeout_ms = Get<uint32_t>(at);
  return absl::OkStatus();
}

constexpr size_t kLengthSize = sizeof(uint32_t);
constexpr size_t kSmallBuffer = 4096;

}  // namespace

size_t BeginFrame(std::string& out, const FrameHeader& header) {
  const size_t start = out.size();
  out.resize(start + kFrameHeaderSize);
  char* at = out.data() + start + kLengthSize;
  Put(at, static_cast<uint8_t>(header.kind));
  Put(at, static_cast<uint8_t>(header.lane));
  Put(at, uint16_t{0});
  Put(at, header.target);
  Put(at, header.incarnation);
  Put(at, header.correlation);
  Put(at, header.type);
  Put(at, header.timeout_ms);
  return start;
}

void EndFrame(std::string& out, size_t start, size_t outside) {
  char* at = out.data() + start;
  Put(at, static_cast<uint32_t>(out.size() - start - kLengthSize + outside));
}

std::string MakeFrame(const FrameHeader& header, std::string_view payload) {
  std::string bytes;
  const size_t start = BeginFrame(bytes, header);
  bytes += payload;
  EndFrame(bytes, start);
  return bytes;
}

// The size of the frame that begins with these bytes, of which there are at least kLengthSize.
absl::StatusOr<size_t> FrameReader::SizeOf(std::string_view begun) const {
  const char* at = begun.data();
  const size_t size = kLengthSize + Get<uint32_t>(at);
  if (size < kFrameHeaderSize) return Malformed("shorter than a header");
  if (size > max_frame_) {
    return Malformed(absl::StrCat("of ", size, " bytes, with a limit of ", max_frame_));
  }
  return size;
}

absl::Status FrameReader::ReadFrames(std::string_view& bytes,
                                     const std::function<absl::Status(const Frame&)>& take) {
  while (bytes.size() >= kLengthSize) {
    const absl::StatusOr<size_t> size = SizeOf(bytes);
    if (!size.ok()) return size.status();
    if (bytes.size() < *size) break;
    Frame frame;
    if (absl::Status wrong = ReadHeader(bytes.data() + kLengthSize, frame.header); !wrong.ok()) {
      return wrong;
    }
    frame.payload = bytes.substr(kFrameHeaderSize, *size - kFrameHeaderSize);
    if (absl::Status wrong = take(frame); !wrong.ok()) return wrong;
    bytes.remove_prefix(*size);
  }
  return absl::OkStatus();
}

// Of `bytes` goes into begun_ what its frame lacks, and no more.
absl::Status FrameReader::ReadBegun(std::string_view& bytes,
                                    const std::function<absl::Status(const Frame&)>& take) {
  auto fill = [&](size_t size) {
    const size_t count = std::min(size - std::min(size, begun_.size()), bytes.size());
    begun_.append(bytes.substr(0, count));
    bytes.remove_prefix(count);
    return begun_.size() >= size;
  };
  if (!fill(kLengthSize)) return absl::OkStatus();
  const absl::StatusOr<size_t> size = SizeOf(begun_);
  if (!size.ok()) return size.status();
  if (!fill(*size)) return absl::OkStatus();
  std::string_view frame = begun_;
  absl::Status status = ReadFrames(frame, take);
  begun_.clear();
  return status;
}

absl::Status FrameReader::Read(std::string_view bytes,
                               const std::function<absl::Status(const Frame&)>& take) {
  if (!begun_.empty()) {
    absl::Status wrong = ReadBegun(bytes, take);
    if (!wrong.ok() || !begun_.empty()) return wrong;
  }
  if (absl::Status wrong = ReadFrames(bytes, take); !wrong.ok()) return wrong;
  begun_.assign(bytes);
  return absl::OkStatus();
}

void FrameReader::Shrink() {
  if (begun_.empty() && begun_.capacity() > kSmallBuffer) std::string().swap(begun_);
}

}  // namespace troupe
