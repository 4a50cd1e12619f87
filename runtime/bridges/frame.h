// Frame: what goes over a link, one after the other. PROTOCOL.md says the same for who writes another
// implementation.
#ifndef TROUPE_RUNTIME_BRIDGES_FRAME_H_
#define TROUPE_RUNTIME_BRIDGES_FRAME_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace troupe {

inline constexpr uint16_t kProtocolVersion = 2;

enum class FrameKind : uint8_t {
  kHello = 1,    // the first frame of either side
  kBye = 2,      // the last one: why
  kPing = 3,     // a sign of life
  kCredit = 4,   // so many bytes of messages have been handled, by which actors
  kFind = 5,     // who has a name; answered by kAnswer
  kMessage = 6,  // a message for an actor
  kRequest = 7,  // likewise; answered by kAnswer
  kAnswer = 8,   // correlation: that of the request
  kDown = 9,     // target, an actor of the sender's, has ended
  // Target, an actor of the reader's, is not used any more; correlation: how often it had been given.
  kRelease = 10,
  kBulk = 11,     // the next bytes of the bulk stream, which is frames again
  kBlocked = 12,  // who sends to target waits for its credit; 0: for any
};
inline constexpr uint8_t kLastFrameKind = 12;

// Order holds within a lane. What stands in the control lane may go before what waits in others. Bulk is
// for frames too large to wait for: they are one stream, of which a piece goes between others.
enum class Lane : uint8_t {
  kControl = 0,
  kOrdinary = 1,
  kBulk = 2,
};

inline constexpr uint32_t kNoTimeout = 0xffffffff;

struct FrameHeader {
  FrameKind kind = FrameKind::kPing;
  Lane lane = Lane::kOrdinary;
  uint64_t target = 0;       // the number of an actor in the table of who exports it
  uint64_t incarnation = 0;  // what must belong to that number
  uint64_t correlation = 0;
  uint64_t type = 0;                 // of the message: MessageHash of its name
  uint32_t timeout_ms = kNoTimeout;  // how long the asker waits
};

struct Frame {
  FrameHeader header;
  std::string_view payload;  // msgpack
};

inline constexpr uint32_t kShortestMaxFrame = 1024;  // that a node may ask for
inline constexpr size_t kFrameHeaderSize = 44;       // with the length of the rest in front

// 64-bit FNV-1a. A message is known on the wire by the hash of its qualified name, "bank::Deposit".
constexpr uint64_t MessageHash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return hash;
}

// A frame is written in two steps, so that its payload is encoded in place.
//
//   const size_t start = BeginFrame(out, header);
//   EncodeValue(encoder, message);                 // appends to `out`
//   EndFrame(out, start);
//
// `outside`: so many bytes of payload follow that are not in `out`.
size_t BeginFrame(std::string& out, const FrameHeader& header);
void EndFrame(std::string& out, size_t start, size_t outside = 0);
// The same for a payload that is there.
std::string MakeFrame(const FrameHeader& header, std::string_view payload = {});

// Cuts a stream of bytes into frames. It copies and keeps of the stream what does not yet make a frame,
// and nothing that a length only promises; frames that arrive whole are read where they lie.
//
// Thread safety  None.
class FrameReader {
 public:
  explicit FrameReader(uint32_t max_frame) : max_frame_(max_frame) {}

  // Between two reads, or by `take`: for the frames that follow.
  void set_max_frame(uint32_t max_frame) { max_frame_ = max_frame; }

  // Calls `take` for each frame that is complete; the frame is valid during the call. If that says that
  // something is wrong, or the bytes are no frames, returns it; then the stream is of no use any more.
  absl::Status Read(std::string_view bytes, const std::function<absl::Status(const Frame&)>& take);

  // Gives its memory back, if no frame is begun. Until then it is kept for the next one.
  void Shrink();

 private:
  absl::Status ReadFrames(std::string_view& bytes,
                          const std::function<absl::Status(const Frame&)>& take);
  absl::Status ReadBegun(std::string_view& bytes,
                         const std::function<absl::Status(const Frame&)>& take);
  absl::StatusOr<size_t> SizeOf(std::string_view begun) const;

  uint32_t max_frame_;  // of header and payload
  std::string begun_;   // less than a frame
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_FRAME_H_
