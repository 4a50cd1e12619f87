#include "troupe/runtime/bridges/decoder.h"

#include <bit>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"

namespace troupe {

bool Decoder::Fail(std::string_view what) {
  if (status_.ok()) {
    status_ = absl::InvalidArgumentError(absl::StrCat(
        "msgpack: ", std::string(what), " before byte ", size_ - rest_.size(), " of ", size_));
  }
  rest_ = {};  // so that nothing more is read
  return false;
}

bool Decoder::Charge(size_t bytes) {
  if (bytes > budget_) return Fail("more memory is claimed than these bytes justify");
  budget_ -= bytes;
  return true;
}

bool Decoder::Bytes(size_t count, std::string_view& bytes) {
  if (count > rest_.size()) return Fail("the end");
  bytes = rest_.substr(0, count);
  rest_.remove_prefix(count);
  return true;
}

bool Decoder::Tag(uint8_t& tag) {
  std::string_view byte;
  if (!Bytes(1, byte)) return false;
  tag = static_cast<uint8_t>(byte[0]);
  return true;
}

template <class T>
bool Decoder::Number(T& value) {
  std::string_view bytes;
  if (!Bytes(sizeof(T), bytes)) return false;
  uint64_t number = 0;
  for (char byte : bytes) number = number << 8 | static_cast<uint8_t>(byte);
  value = static_cast<T>(number);
  return true;
}

bool Decoder::TakeNil() {
  if (rest_.empty() || static_cast<uint8_t>(rest_[0]) != 0xc0) return false;
  rest_.remove_prefix(1);
  return true;
}

bool Decoder::Bool(bool& value) {
  uint8_t tag;
  if (!Tag(tag)) return false;
  if (tag != 0xc2 && tag != 0xc3) return Fail("no bool");
  value = tag == 0xc3;
  return true;
}

// As its 64 bits, and whether they are to be read without a sign.
bool Decoder::Integer(int64_t& value, bool& is_unsigned) {
  uint8_t tag;
  if (!Tag(tag)) return false;
  is_unsigned = tag < 0x80 || (tag >= 0xcc && tag <= 0xcf);
  auto read = [&]<class T>(T number) {
    if (!Number(number)) return false;
    value = static_cast<int64_t>(number);
    return true;
  };
  if (tag < 0x80 || tag >= 0xe0) {
    value = static_cast<int8_t>(tag);
    return true;
  }
  switch (tag) {
    case 0xcc:
      return read(uint8_t{});
    case 0xcd:
      return read(uint16_t{});
    case 0xce:
      return read(uint32_t{});
    case 0xcf:
      return read(uint64_t{});
    case 0xd0:
      return read(int8_t{});
    case 0xd1:
      return read(int16_t{});
    case 0xd2:
      return read(int32_t{});
    case 0xd3:
      return read(int64_t{});
    default:
      return Fail("no integer");
  }
}

bool Decoder::Int(int64_t& value) {
  bool is_unsigned;
  if (!Integer(value, is_unsigned)) return false;
  return !is_unsigned || value >= 0 || Fail("an integer out of range");
}

bool Decoder::Uint(uint64_t& value) {
  int64_t bits;
  bool is_unsigned;
  if (!Integer(bits, is_unsigned)) return false;
  value = static_cast<uint64_t>(bits);
  return is_unsigned || bits >= 0 || Fail("an integer out of range");
}

bool Decoder::Double(double& value) {
  const uint8_t tag = rest_.empty() ? 0 : static_cast<uint8_t>(rest_[0]);
  if (tag == 0xca || tag == 0xcb) rest_.remove_prefix(1);
  if (tag == 0xca) {
    uint32_t bits;
    if (!Number(bits)) return false;
    value = std::bit_cast<float>(bits);
    return true;
  }
  if (tag == 0xcb) {
    uint64_t bits;
    if (!Number(bits)) return false;
    value = std::bit_cast<double>(bits);
    return true;
  }
  int64_t bits;
  bool is_unsigned;
  if (!Integer(bits, is_unsigned)) return false;
  value =
      is_unsigned ? static_cast<double>(static_cast<uint64_t>(bits)) : static_cast<double>(bits);
  return true;
}

// `form`: the tag of the form whose size has 8 bits; the next two are those with 16 and 32.
bool Decoder::Sized(uint8_t tag, int form, std::string_view& bytes, std::string_view wrong) {
  const auto read = [&]<class Size>(Size size) { return Number(size) && Bytes(size, bytes); };
  switch (tag - form) {
    case 0:
      return read(uint8_t{});
    case 1:
      return read(uint16_t{});
    case 2:
      return read(uint32_t{});
    default:
      return Fail(wrong);
  }
}

bool Decoder::String(std::string_view& text) {
  uint8_t tag;
  if (!Tag(tag)) return false;
  if ((tag & 0xe0) == 0xa0) return Bytes(tag & 0x1f, text);
  return Sized(tag, 0xd9, text, "no string");
}

bool Decoder::Binary(std::string_view& bytes) {
  uint8_t tag;
  return Tag(tag) && Sized(tag, 0xc4, bytes, "no binary");
}

// `form`: the tag of the form with 16 bits; the next is that with 32.
bool Decoder::Counted(uint8_t tag, uint8_t shortest, int form, size_t& count, size_t values_each) {
  if ((tag & 0xf0) == shortest) {
    count = tag & 0x0f;
  } else if (tag == form) {
    uint16_t count16;
    if (!Number(count16)) return false;
    count = count16;
  } else if (tag == form + 1) {
    uint32_t count32;
    if (!Number(count32)) return false;
    count = count32;
  } else {
    return Fail(values_each == 1 ? "no array" : "no map");
  }
  return count * values_each <= rest_.size() || Fail("more elements than bytes");
}

bool Decoder::Array(size_t& count) {
  uint8_t tag;
  return Tag(tag) && Counted(tag, 0x90, 0xdc, count, 1);
}

bool Decoder::Map(size_t& count) {
  uint8_t tag;
  return Tag(tag) && Counted(tag, 0x80, 0xde, count, 2);
}

bool Decoder::Skip() {
  std::string_view skipped;
  for (size_t values = 1; values > 0; --values) {
    if (rest_.empty()) return Fail("the end");
    const auto tag = static_cast<uint8_t>(rest_[0]);
    size_t count;
    bool is_unsigned;
    int64_t number;
    double real;
    if (tag < 0x80 || tag >= 0xe0 || (tag >= 0xcc && tag <= 0xd3)) {
      if (!Integer(number, is_unsigned)) return false;
    } else if ((tag & 0xf0) == 0x80 || tag == 0xde || tag == 0xdf) {
      if (!Map(count)) return false;
      values += 2 * count;
    } else if ((tag & 0xf0) == 0x90 || tag == 0xdc || tag == 0xdd) {
      if (!Array(count)) return false;
      values += count;
    } else if ((tag & 0xe0) == 0xa0 || (tag >= 0xd9 && tag <= 0xdb)) {
      if (!String(skipped)) return false;
    } else if (tag >= 0xc4 && tag <= 0xc6) {
      if (!Binary(skipped)) return false;
    } else if (tag == 0xca || tag == 0xcb) {
      if (!Double(real)) return false;
    } else if (tag == 0xc0 || tag == 0xc2 || tag == 0xc3) {
      rest_.remove_prefix(1);
    } else {
      return Fail("an extension type");  // which Troupe never writes
    }
  }
  return true;
}

}  // namespace troupe
