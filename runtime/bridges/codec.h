// Codec: what a message is as bytes. A plain struct needs nothing: it is written as the msgpack array
// of its fields.
#ifndef TROUPE_RUNTIME_BRIDGES_CODEC_H_
#define TROUPE_RUNTIME_BRIDGES_CODEC_H_

#include <boost/pfr/core.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/runtime/bridges/decoder.h"
#include "troupe/runtime/bridges/encoder.h"
#include "troupe/runtime/bridges/internal/serializable.h"

namespace troupe {

// Specialised for a type whose bytes are to be something else than its fields, or which has none:
//
//   template <>
//   struct troupe::Codec<Color> {
//     static void Encode(troupe::Encoder& out, const Color& c) { out.Uint(c.rgb()); }
//     static bool Decode(troupe::Decoder& in, Color& c) {      // false: after in.Fail("why")
//       uint64_t rgb;
//       if (!in.Uint(rgb)) return false;
//       c = Color(rgb);
//       return true;
//     }
//   };
//
// It reads one value and writes one. Decode is given a default-constructed object, which after a
// failure is destroyed, whatever is in it.
template <class T>
struct Codec;  // declared in serializable.h, too

// Appends `value` to what `out` writes. Of these types:
//
//   bool, integers, enums, float, double       as such; an enum as its number
//   std::string                                string; must not be a string_view: nobody would own it
//   std::vector, deque, list, set ... array    array; of std::byte or unsigned char: binary
//   std::map and its like                      map
//   std::pair, std::tuple                      array
//   optional, unique_ptr, shared_ptr<const T>  nil, or the value
//   std::variant                               array of the index and the value
//   absl::Duration, absl::Time                 integer: nanoseconds, since 1970 in UTC. The largest and
//                                              smallest stand for infinity
//   std::chrono durations, system_clock times  integer (or float): their count, in their own unit
//   plain structs (aggregates without base)    array of their fields, in order
//   Recipient, AnyRef, Sender, Receiver        a capability, see node.h
//   whatever has a Codec
//
// With GCC 12 a field has no braced list of strings as its default ({"a"}): the compiler crashes in Boost.PFR.
//
// Evolution: a reader skips fields at the end of a struct that it does not know, and leaves those that
// are missing there as their default member initializers say. So fields are added at the end, and never
// removed, moved or given another type; an integer may become a wider one, and a variant get alternatives at
// its end, if nobody sends what is new to an old reader, who refuses it. CheckSchema (schema.h) sees to it.
template <class T>
void EncodeValue(Encoder& out, const T& value);

// False: `in` has failed, and says why. What was decoded until then is in `value`.
template <class T>
bool DecodeValue(Decoder& in, T& value);

template <class T>
std::string Encode(const T& value) {
  std::string bytes;
  Encoder out(bytes);
  EncodeValue(out, value);
  return bytes;
}

// kInvalidArgument: these bytes are no T, or there is more than one value.
template <class T>
absl::StatusOr<T> Decode(std::string_view bytes) {
  Decoder in(bytes);
  T value{};
  if (DecodeValue(in, value) && !in.AtEnd()) in.Fail("more than one value");
  if (!in.ok()) return in.status();
  return value;
}

// ---- the two functions, type by type

namespace internal {

template <class T>
constexpr int64_t NanosecondsOf(const T& value) {
  if constexpr (std::same_as<T, absl::Time>) {
    return absl::ToInt64Nanoseconds(value - absl::UnixEpoch());  // infinity stays, as the largest
  } else {
    return absl::ToInt64Nanoseconds(value);
  }
}
inline absl::Duration DurationOf(int64_t nanoseconds) {
  if (nanoseconds == std::numeric_limits<int64_t>::max()) return absl::InfiniteDuration();
  if (nanoseconds == std::numeric_limits<int64_t>::min()) return -absl::InfiniteDuration();
  return absl::Nanoseconds(nanoseconds);
}

template <class T>
bool DecodeInteger(Decoder& in, T& value) {
  if constexpr (std::is_signed_v<T>) {
    int64_t number;
    if (!in.Int(number)) return false;
    value = static_cast<T>(number);
    return value == number || in.Fail("an integer out of range");
  } else {
    uint64_t number;
    if (!in.Uint(number)) return false;
    value = static_cast<T>(number);
    return value == number || in.Fail("an integer out of range");
  }
}

template <class T>
bool DecodeOne(Decoder& in, T& value) {
  return in.Charge(sizeof(T)) && DecodeValue(in, value);
}

template <class T>
bool DecodeMap(Decoder& in, T& map) {
  size_t count;
  if (!in.Map(count)) return false;
  const Decoder::Nested nested(in);
  if (!nested.ok()) return false;
  for (; count > 0; --count) {
    typename T::key_type key{};
    typename T::mapped_type mapped{};
    if (!DecodeOne(in, key) || !DecodeOne(in, mapped)) return false;
    map.emplace(std::move(key), std::move(mapped));
  }
  return true;
}

template <class T>
bool DecodeSequence(Decoder& in, T& sequence) {
  size_t count;
  if (!in.Array(count)) return false;
  const Decoder::Nested nested(in);
  if (!nested.ok()) return false;
  for (; count > 0; --count) {
    typename T::value_type element{};
    if (!DecodeOne(in, element)) return false;
    sequence.insert(sequence.end(), std::move(element));
  }
  return true;
}

// Fields that are missing stay as they are; what follows is skipped.
template <class Each>
bool DecodeFields(Decoder& in, size_t fields, Each each) {
  size_t count;
  if (!in.Array(count)) return false;
  const Decoder::Nested nested(in);
  if (!nested.ok()) return false;
  if (!each(count)) return false;
  for (; count > fields; --count) {
    if (!in.Skip()) return false;
  }
  return true;
}

template <class T>
bool DecodeStruct(Decoder& in, T& value) {
  return DecodeFields(in, boost::pfr::tuple_size_v<T>, [&](size_t count) {
    bool ok = true;
    if constexpr (boost::pfr::tuple_size_v<T> > 0) {
      boost::pfr::for_each_field(value, [&](auto& field, size_t index) {
        if (ok && index < count) ok = DecodeValue(in, field);
      });
    }
    return ok;
  });
}

template <class T>
bool DecodeTuple(Decoder& in, T& value) {
  return DecodeFields(in, std::tuple_size_v<T>, [&](size_t count) {
    size_t index = 0;
    return std::apply(
        [&](auto&... field) { return ((index++ >= count || DecodeValue(in, field)) && ...); },
        value);
  });
}

template <class T>
bool DecodeVariant(Decoder& in, T& value) {
  size_t count;
  uint64_t index;
  if (!in.Array(count)) return false;
  if (count != 2) return in.Fail("no variant");
  const Decoder::Nested nested(in);
  if (!nested.ok() || !in.Uint(index)) return false;
  bool found = false;
  bool ok = true;
  [&]<size_t... Is>(std::index_sequence<Is...>) {
    (void)((Is == index &&
            (found = true, ok = DecodeValue(in, value.template emplace<Is>()), true)) ||
           ...);
  }(std::make_index_sequence<std::variant_size_v<T>>());
  return found ? ok : in.Fail("an alternative that the variant does not have");
}

template <class T>
bool DecodePointee(Decoder& in, T& value) {
  using Pointee = typename PointeeOf<T>::type;
  if (in.TakeNil()) {
    value = {};
    return true;
  }
  const Decoder::Nested nested(in);
  if (!nested.ok() || !in.Charge(sizeof(Pointee))) return false;
  if constexpr (requires { value.emplace(); }) {
    return DecodeValue(in, value.emplace());
  } else {
    auto pointee = std::make_unique<Pointee>();
    if (!DecodeValue(in, *pointee)) return false;
    value = std::move(pointee);
    return true;
  }
}

}  // namespace internal

template <class T>
void EncodeValue(Encoder& out, const T& value) {
  internal::CheckSerializable<T>();
  auto all = [&out](const auto& elements) {
    for (const auto& element : elements) EncodeValue(out, element);
  };
  if constexpr (internal::OwnCodec<T>) {
    Codec<T>::Encode(out, value);
  } else if constexpr (std::same_as<T, bool>) {
    out.Bool(value);
  } else if constexpr (std::is_enum_v<T>) {
    EncodeValue(out, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T>) {
    std::is_signed_v<T> ? out.Int(static_cast<int64_t>(value))
                        : out.Uint(static_cast<uint64_t>(value));
  } else if constexpr (std::same_as<T, float>) {
    out.Float(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    out.Double(static_cast<double>(value));
  } else if constexpr (std::same_as<T, std::string>) {
    out.String(value);
  } else if constexpr (std::same_as<T, absl::Time> || std::same_as<T, absl::Duration>) {
    out.Int(internal::NanosecondsOf(value));
  } else if constexpr (internal::kIsDuration<T>) {
    EncodeValue(out, value.count());
  } else if constexpr (internal::kIsTimePoint<T>) {
    EncodeValue(out, value.time_since_epoch());
  } else if constexpr (std::same_as<T, std::monostate>) {
    out.Nil();
  } else if constexpr (internal::kIsVariant<T>) {
    out.Array(2);
    out.Uint(value.index());
    std::visit([&out](const auto& alternative) { EncodeValue(out, alternative); }, value);
  } else if constexpr (internal::kIsTuple<T>) {
    out.Array(std::tuple_size_v<T>);
    std::apply([&out](const auto&... field) { (EncodeValue(out, field), ...); }, value);
  } else if constexpr (requires { typename internal::PointeeOf<T>::type; }) {
    value ? EncodeValue(out, *value) : out.Nil();
  } else if constexpr (internal::BytesLike<T>) {
    out.Binary({reinterpret_cast<const char*>(value.data()), value.size()});
  } else if constexpr (internal::MapLike<T>) {
    out.Map(value.size());
    for (const auto& [key, mapped] : value) {
      EncodeValue(out, key);
      EncodeValue(out, mapped);
    }
  } else if constexpr (internal::ArrayLike<T> || internal::Sequence<T>) {
    out.Array(value.size());
    all(value);
  } else if constexpr (internal::IsSerializable<T>()) {
    out.Array(boost::pfr::tuple_size_v<T>);
    if constexpr (boost::pfr::tuple_size_v<T> > 0) {
      boost::pfr::for_each_field(value, [&out](const auto& field) { EncodeValue(out, field); });
    }
  }
}

template <class T>
bool DecodeValue(Decoder& in, T& value) {
  internal::CheckSerializable<T>();
  if constexpr (internal::OwnCodec<T>) {
    return Codec<T>::Decode(in, value);
  } else if constexpr (std::same_as<T, bool>) {
    return in.Bool(value);
  } else if constexpr (std::is_enum_v<T>) {
    std::underlying_type_t<T> number{};
    if (!DecodeValue(in, number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::is_integral_v<T>) {
    return internal::DecodeInteger(in, value);
  } else if constexpr (std::is_floating_point_v<T>) {
    double number;
    if (!in.Double(number)) return false;
    value = static_cast<T>(number);
    return true;
  } else if constexpr (std::same_as<T, std::string>) {
    std::string_view text;
    if (!in.String(text)) return false;
    value = std::string(text);  // assign to an empty one takes twice the instructions
    return true;
  } else if constexpr (std::same_as<T, absl::Time> || std::same_as<T, absl::Duration>) {
    int64_t nanoseconds;
    if (!in.Int(nanoseconds)) return false;
    const absl::Duration duration = internal::DurationOf(nanoseconds);
    if constexpr (std::same_as<T, absl::Time>) {
      value = absl::UnixEpoch() + duration;
    } else {
      value = duration;
    }
    return true;
  } else if constexpr (internal::kIsDuration<T>) {
    typename T::rep count{};
    if (!DecodeValue(in, count)) return false;
    value = T(count);
    return true;
  } else if constexpr (internal::kIsTimePoint<T>) {
    typename T::duration since{};
    if (!DecodeValue(in, since)) return false;
    value = T(since);
    return true;
  } else if constexpr (std::same_as<T, std::monostate>) {
    return in.TakeNil() || in.Fail("no nil");
  } else if constexpr (internal::kIsVariant<T>) {
    return internal::DecodeVariant(in, value);
  } else if constexpr (internal::kIsTuple<T>) {
    return internal::DecodeTuple(in, value);
  } else if constexpr (requires { typename internal::PointeeOf<T>::type; }) {
    return internal::DecodePointee(in, value);
  } else if constexpr (internal::BytesLike<T>) {
    std::string_view bytes;
    if (!in.Binary(bytes)) return false;
    const auto* first = reinterpret_cast<const typename T::value_type*>(bytes.data());
    value.assign(first, first + bytes.size());
    return true;
  } else if constexpr (internal::MapLike<T>) {
    return internal::DecodeMap(in, value);
  } else if constexpr (internal::ArrayLike<T>) {
    return internal::DecodeFields(in, value.size(), [&](size_t count) {
      for (auto& element : value) {
        if (count == 0) break;
        if (!DecodeValue(in, element)) return false;
        --count;
      }
      return true;
    });
  } else if constexpr (internal::Sequence<T>) {
    return internal::DecodeSequence(in, value);
  } else if constexpr (internal::IsSerializable<T>()) {
    return internal::DecodeStruct(in, value);
  } else {
    return false;
  }
}

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_CODEC_H_
