// Decoder: reads msgpack that nobody has checked. Who writes a codec of his own (codec.h) calls this;
// others call Decode().
#ifndef TROUPE_RUNTIME_BRIDGES_DECODER_H_
#define TROUPE_RUNTIME_BRIDGES_DECODER_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

namespace troupe {

namespace internal {
class RefTable;
}

// Reads one value after the other. Each function returns false if the bytes are something else, and
// from then on everything does; status() says what was wrong first, and where.
//
//   troupe::Decoder in(bytes);
//   size_t count;
//   uint64_t n;
//   std::string_view text;
//   if (!in.Array(count) || count != 2 || !in.Uint(n) || !in.String(text)) return in.status();
//
// Hostile bytes  Nothing is read beyond the end; a count of elements is never more than the bytes that
//                are left; values nest kMaxDepth deep at most (Nested); and what is decoded may not take more
//                memory than the bytes justify (Charge), 64 times their size. No recursion of its own.
// Thread safety  None. What String and Binary yield lies in the bytes that were given.
class Decoder {
 public:
  static constexpr int kMaxDepth = 32;

  explicit Decoder(std::string_view bytes, internal::RefTable* refs = nullptr)
      : rest_(bytes), size_(bytes.size()), budget_(64 * bytes.size() + 4096), refs_(refs) {}

  bool ok() const { return status_.ok(); }
  const absl::Status& status() const { return status_; }  // kInvalidArgument
  bool AtEnd() const { return rest_.empty(); }
  size_t remaining() const { return rest_.size(); }

  bool TakeNil();  // true: the next was nil, and has been read. False is no error
  bool Bool(bool& value);
  bool Int(int64_t& value);  // also reads what fits of Uint, and the other way round
  bool Uint(uint64_t& value);
  bool Double(double& value);  // also integers
  bool String(std::string_view& text);
  bool Binary(std::string_view& bytes);
  bool Array(size_t& count);
  bool Map(size_t& count);
  bool Skip();  // one value, whatever it is

  // The value in hand has no meaning for its type.
  bool Fail(std::string_view what);
  // Before memory is taken for decoded values.
  bool Charge(size_t bytes);

  // Around what is inside of an array or map.
  class Nested {
   public:
    explicit Nested(Decoder& in) : in_(in) { ++in_.depth_; }
    ~Nested() { --in_.depth_; }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    bool ok() const { return in_.depth_ <= kMaxDepth || in_.Fail("nested too deeply"); }

   private:
    Decoder& in_;
  };

  internal::RefTable* refs() const { return refs_; }

 private:
  bool Tag(uint8_t& tag);
  template <class T>
  bool Number(T& value);
  bool Bytes(size_t count, std::string_view& bytes);
  bool Sized(uint8_t tag, int form, std::string_view& bytes, std::string_view wrong);
  bool Counted(uint8_t tag, uint8_t shortest, int form, size_t& count, size_t values_each);
  bool Integer(int64_t& value, bool& is_unsigned);

  std::string_view rest_;
  const size_t size_;
  size_t budget_;
  int depth_ = 0;
  internal::RefTable* const refs_;
  absl::Status status_;
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_DECODER_H_
