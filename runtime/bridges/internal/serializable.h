// IsSerializable: which types have a form as bytes, and the sentence for one that has none.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_SERIALIZABLE_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_SERIALIZABLE_H_

#include <boost/pfr/core.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/time/time.h"
#include "troupe/runtime/bridges/decoder.h"
#include "troupe/runtime/bridges/encoder.h"

namespace troupe {

template <class T>
struct Codec;
template <class A>
class ActorRef;

namespace internal {

template <class T>
concept OwnCodec = requires(Encoder& out, Decoder& in, const T& c, T& t) {
  Codec<T>::Encode(out, c);
  { Codec<T>::Decode(in, t) } -> std::convertible_to<bool>;
};

template <class T>
inline constexpr bool kIsDuration = false;
template <class Rep, class Period>
inline constexpr bool kIsDuration<std::chrono::duration<Rep, Period>> = std::is_arithmetic_v<Rep>;
template <class T>
inline constexpr bool kIsTimePoint = false;
template <class D>
inline constexpr bool kIsTimePoint<std::chrono::time_point<std::chrono::system_clock, D>> = true;
template <class T>
inline constexpr bool kIsVariant = false;
template <class... Ts>
inline constexpr bool kIsVariant<std::variant<Ts...>> = true;
template <class T>
inline constexpr bool kIsTuple = false;
template <class... Ts>
inline constexpr bool kIsTuple<std::tuple<Ts...>> = true;
template <class A, class B>
inline constexpr bool kIsTuple<std::pair<A, B>> = true;
// What may be there or not.
template <class T>
struct PointeeOf {};
template <class T>
struct PointeeOf<std::optional<T>> : std::type_identity<T> {};
template <class T>
struct PointeeOf<std::unique_ptr<T>> : std::type_identity<T> {};
template <class T>
struct PointeeOf<std::shared_ptr<const T>> : std::type_identity<T> {};

template <class T>
concept MapLike = requires {
  typename T::mapped_type;
  typename T::key_type;
};
template <class T>
concept ArrayLike = requires(T& t) {
  typename T::value_type;
  std::tuple_size<T>::value;
  t.begin();
};
template <class T>
concept Sequence = requires(T& t, typename T::value_type v) {
  t.begin();
  t.size();
  t.insert(t.end(), std::move(v));
  t.clear();
};
template <class T>
concept BytesLike = Sequence<T> &&
                    (std::same_as<typename T::value_type, std::byte> ||
                     std::same_as<typename T::value_type, unsigned char>) &&
                    requires(T& t) { t.data(); };
template <class T>
concept Plain = std::is_class_v<T> && std::is_aggregate_v<T>;

template <class T>
constexpr bool IsSerializable();
template <class Message, size_t... Is>
constexpr bool FieldsAreSerializable(std::index_sequence<Is...>) {
  return (IsSerializable<boost::pfr::tuple_element_t<Is, Message>>() && ...);
}
template <class T, size_t... Is>
constexpr bool AllOfTuple(std::index_sequence<Is...>) {
  return (IsSerializable<std::remove_cv_t<std::tuple_element_t<Is, T>>>() && ...);
}
template <class T>
constexpr bool AllOfVariant() {
  return []<size_t... Is>(std::index_sequence<Is...>) {
    return (IsSerializable<std::variant_alternative_t<Is, T>>() && ...);
  }(std::make_index_sequence<std::variant_size_v<T>>());
}

// A recursive type is taken to be what its other fields are: a container or pointer is not looked into.
template <class T>
constexpr bool IsSerializable() {
  if constexpr (OwnCodec<T>) {
    return true;
  } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T> || kIsDuration<T> ||
                       kIsTimePoint<T> || std::same_as<T, std::string> ||
                       std::same_as<T, absl::Time> || std::same_as<T, absl::Duration> ||
                       std::same_as<T, std::monostate>) {
    return true;
  } else if constexpr (kIsVariant<T>) {
    return AllOfVariant<T>();
  } else if constexpr (kIsTuple<T>) {
    return AllOfTuple<T>(std::make_index_sequence<std::tuple_size_v<T>>());
  } else if constexpr (requires { typename PointeeOf<T>::type; }) {
    return true;
  } else if constexpr (ArrayLike<T> || MapLike<T> || Sequence<T>) {
    return true;
  } else if constexpr (Plain<T>) {
    if constexpr (!std::is_default_constructible_v<T>) {
      return false;
    } else {
      return FieldsAreSerializable<T>(std::make_index_sequence<boost::pfr::tuple_size_v<T>>());
    }
  } else {
    return false;
  }
}

template <class Message, size_t kIndex, class Field>
inline constexpr bool kMessageAndField = IsSerializable<Field>();
template <class Message, size_t kIndex, class Field>
constexpr void RefuseField() {
  static_assert(kMessageAndField<Message, kIndex, Field>,
                "Troupe: a message that leaves the process cannot have this field: in Message, the "
                "field of type Field, number kIndex from 0, has no form as bytes; make it a value "
                "or a plain struct of values, or give it a troupe::Codec.");
}
// What an ActorRef is good for is a class, with all its handlers and the right to stop it: that a peer
// does not know, and is not to be given by the way.
template <class T>
inline constexpr bool kIsActorRef = false;
template <class A>
inline constexpr bool kIsActorRef<ActorRef<A>> = true;
template <class T>
inline constexpr bool kMayLeave = !kIsActorRef<T>;
template <class Message, size_t kIndex, class Field>
inline constexpr bool kMayLeaveAsField = kMayLeave<Field>;
template <class Message, size_t kIndex, class Field>
constexpr void RefuseActorRef() {
  static_assert(
      kMayLeaveAsField<Message, kIndex, Field>,
      "Troupe: an ActorRef does not leave the process, since it names a class: in Message, "
      "make the field of type Field, number kIndex from 0, a troupe::Recipient<M...> of the "
      "messages that may be sent there; an ActorRef converts to it.");
}
template <class Message>
inline constexpr bool kMessageIsSerializable = IsSerializable<Message>();

// Names the innermost field that is the reason.
template <class Message>
constexpr void CheckSerializable() {
  if constexpr (!IsSerializable<Message>()) {
    if constexpr (Plain<Message> && std::is_default_constructible_v<Message>) {
      []<size_t... Is>(std::index_sequence<Is...>) {
        (
            [] {
              using Field = boost::pfr::tuple_element_t<Is, Message>;
              if constexpr (!IsSerializable<Field>()) {
                if constexpr (kIsActorRef<Field>) {
                  RefuseActorRef<Message, Is, Field>();
                } else if constexpr (Plain<Field>) {
                  CheckSerializable<Field>();
                } else {
                  RefuseField<Message, Is, Field>();
                }
              }
            }(),
            ...);
      }(std::make_index_sequence<boost::pfr::tuple_size_v<Message>>());
    } else if constexpr (kIsActorRef<Message>) {  // in a container, say
      static_assert(
          kMayLeave<Message>,
          "Troupe: an ActorRef does not leave the process, since it names a class: send a "
          "troupe::Recipient<M...> of the messages that may be sent there; an ActorRef "
          "converts to it.");
    } else {
      static_assert(kMessageIsSerializable<Message>,
                    "Troupe: Message leaves the process and has no form as bytes; make it a "
                    "default-constructible plain struct of values, or give it a troupe::Codec.");
    }
  }
}

}  // namespace internal

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_SERIALIZABLE_H_
