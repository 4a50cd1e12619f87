#include "troupe/runtime/bridges/encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace troupe {
namespace {

constexpr size_t kMost = std::numeric_limits<uint32_t>::max();

}  // namespace

template <class T>
void Encoder::Tagged(uint8_t tag, T value) {
  std::array<char, 1 + sizeof(T)> bytes;
  bytes[0] = static_cast<char>(tag);
  for (size_t i = 0; i < sizeof(T); ++i) {  // big endian
    bytes[sizeof(T) - i] = static_cast<char>(static_cast<uint64_t>(value) >> (8 * i));
  }
  out_.append(bytes.data(), bytes.size());
}

void Encoder::Uint(uint64_t value) {
  if (value < 0x80) return Byte(static_cast<uint8_t>(value));
  if (value <= 0xff) return Tagged(0xcc, static_cast<uint8_t>(value));
  if (value <= 0xffff) return Tagged(0xcd, static_cast<uint16_t>(value));
  if (value <= 0xffffffff) return Tagged(0xce, static_cast<uint32_t>(value));
  Tagged(0xcf, value);
}

void Encoder::Int(int64_t value) {
  if (value >= 0) return Uint(static_cast<uint64_t>(value));
  if (value >= -32) return Byte(static_cast<uint8_t>(value));
  if (value >= std::numeric_limits<int8_t>::min()) return Tagged(0xd0, static_cast<int8_t>(value));
  if (value >= std::numeric_limits<int16_t>::min())
    return Tagged(0xd1, static_cast<int16_t>(value));
  if (value >= std::numeric_limits<int32_t>::min())
    return Tagged(0xd2, static_cast<int32_t>(value));
  Tagged(0xd3, value);
}

void Encoder::Float(float value) { Tagged(0xca, std::bit_cast<uint32_t>(value)); }
void Encoder::Double(double value) { Tagged(0xcb, std::bit_cast<uint64_t>(value)); }

void Encoder::String(std::string_view text) {
  text = text.substr(0, kMost);
  if (text.size() < 32) {
    Byte(static_cast<uint8_t>(0xa0 | text.size()));
  } else if (text.size() <= 0xff) {
    Tagged(0xd9, static_cast<uint8_t>(text.size()));
  } else if (text.size() <= 0xffff) {
    Tagged(0xda, static_cast<uint16_t>(text.size()));
  } else {
    Tagged(0xdb, static_cast<uint32_t>(text.size()));
  }
  out_.append(text);
}

void Encoder::Binary(std::string_view bytes) {
  bytes = bytes.substr(0, kMost);
  if (bytes.size() <= 0xff) {
    Tagged(0xc4, static_cast<uint8_t>(bytes.size()));
  } else if (bytes.size() <= 0xffff) {
    Tagged(0xc5, static_cast<uint16_t>(bytes.size()));
  } else {
    Tagged(0xc6, static_cast<uint32_t>(bytes.size()));
  }
  out_.append(bytes);
}

void Encoder::Array(size_t count) {
  count = std::min(count, kMost);
  if (count < 16) return Byte(static_cast<uint8_t>(0x90 | count));
  if (count <= 0xffff) return Tagged(0xdc, static_cast<uint16_t>(count));
  Tagged(0xdd, static_cast<uint32_t>(count));
}

void Encoder::Map(size_t count) {
  count = std::min(count, kMost);
  if (count < 16) return Byte(static_cast<uint8_t>(0x80 | count));
  if (count <= 0xffff) return Tagged(0xde, static_cast<uint16_t>(count));
  Tagged(0xdf, static_cast<uint32_t>(count));
}

}  // namespace troupe
