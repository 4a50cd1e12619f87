// Encoder: writes msgpack. Who writes a codec of his own (codec.h) calls this; others call Encode().
#ifndef TROUPE_RUNTIME_BRIDGES_ENCODER_H_
#define TROUPE_RUNTIME_BRIDGES_ENCODER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

namespace internal {
class RefTable;
}

// Appends to a string, in the shortest form that msgpack has for each value. What begins with Array
// or Map is followed by that many values, or pairs of them.
//
//   std::string bytes;
//   troupe::Encoder out(bytes);
//   out.Array(2);
//   out.Uint(7);
//   out.String("seven");
//
// Thread safety  None; `out` must outlive it.
// Errors         None. A string or array of 2^32 elements or more has no form in msgpack: it is cut,
//                and no frame would take it.
class Encoder {
 public:
  // `refs`: how the refs in a message are written; nullptr where there is no connection, and then
  // they are refs to nobody.
  explicit Encoder(std::string& out, internal::RefTable* refs = nullptr) : out_(out), refs_(refs) {}

  void Nil() { Byte(0xc0); }
  void Bool(bool value) { Byte(value ? 0xc3 : 0xc2); }
  void Int(int64_t value);
  void Uint(uint64_t value);
  void Float(float value);
  void Double(double value);
  void String(std::string_view text);
  void Binary(std::string_view bytes);
  void Array(size_t count);
  void Map(size_t count);

  internal::RefTable* refs() const { return refs_; }

 private:
  void Byte(uint8_t byte) { out_.push_back(static_cast<char>(byte)); }
  template <class T>
  void Tagged(uint8_t tag, T value);

  std::string& out_;
  internal::RefTable* const refs_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_ENCODER_H_
