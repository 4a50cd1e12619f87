// SchemaOf: the form of messages as text, to keep beside the sources. CheckSchema: whether those who speak
// the old form and those who speak the new one understand each other.
//
//   // messages.schema is what SchemaOf printed when the program was last released.
//   TEST(MessagesTest, AreUnderstoodByTheLastRelease) {
//     const std::string now = troupe::SchemaOf<Deposit, Balance>();
//     EXPECT_TRUE(troupe::CheckSchema(ReadFile("messages.schema"), now).ok()) << now;
//   }
//
// One line for each place in a message, below the name by which nodes know it:
//
//   bank::Transfer: message
//   bank::Transfer/0: string
//   bank::Transfer/1: list
//   bank::Transfer/1/element: struct
//   bank::Transfer/1/element/0: int64
//   bank::Transfer/reply: bool
//
// So a review of the file's change shows what has changed. examples/chat has such a file and such a test.
#ifndef TROUPE_RUNTIME_BRIDGES_SCHEMA_H_
#define TROUPE_RUNTIME_BRIDGES_SCHEMA_H_

#include <boost/pfr/core.hpp>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/internal/serializable.h"

namespace troupe {

// `after` is understood where `before` is spoken, and the other way round, as far as the rules of codec.h
// go: struct fields may have been added at the end, integers may have become wider (or signed and wider),
// float double, and a message or an alternative of a variant may be new. Whoever sends what is new (or a
// number that is too large for the old type) must know that its reader is new.
//
// kFailedPrecondition: a line for each place that is gone or has become something else.
// kInvalidArgument: a line of either is none that SchemaOf writes.
absl::Status CheckSchema(std::string_view before, std::string_view after);

// The messages, in this order, and what asks of them are answered with. What has a Codec of its own is
// known by the name of its type only.
template <class... Ms>
std::string SchemaOf();

namespace internal {

class SchemaWriter {
 public:
  template <class M>
  void AddMessage() {
    const std::string path(TypeName<M>());
    Line(path, "message");
    AddFields<M>(path);
    if constexpr (requires { typename M::Reply; }) {
      if constexpr (std::is_void_v<typename M::Reply>) {
        Line(path + "/reply", "nothing");
      } else {
        Add<typename M::Reply>(path + "/reply");
      }
    }
  }

  std::string TakeText() { return std::move(text_); }

 private:
  void Line(std::string_view path, std::string_view kind) {
    absl::StrAppend(&text_, std::string(path), ": ", std::string(kind), "\n");
  }

  template <class T>
  static std::string NumberName() {
    if constexpr (std::is_enum_v<T>) {
      return NumberName<std::underlying_type_t<T>>();
    } else if constexpr (std::same_as<T, bool>) {
      return "bool";
    } else if constexpr (std::is_floating_point_v<T>) {
      return std::same_as<T, float> ? "float" : "double";
    } else {
      return absl::StrCat(std::is_signed_v<T> ? "int" : "uint", 8 * sizeof(T));
    }
  }

  // "int64 of 1/1000 s"
  template <class D>
  static std::string TicksName() {
    return absl::StrCat(NumberName<typename D::rep>(), " of ", D::period::num, "/", D::period::den,
                        " s");
  }

  template <class T>
  void Add(const std::string& path) {
    CheckSerializable<T>();
    if constexpr (OwnCodec<T>) {
      Line(path, absl::StrCat("codec of ", std::string(TypeName<T>())));
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      Line(path, NumberName<T>());
    } else if constexpr (std::same_as<T, std::string>) {
      Line(path, "string");
    } else if constexpr (std::same_as<T, absl::Time>) {
      Line(path, "time");
    } else if constexpr (std::same_as<T, absl::Duration>) {
      Line(path, "duration");
    } else if constexpr (kIsDuration<T>) {
      Line(path, TicksName<T>());
    } else if constexpr (kIsTimePoint<T>) {
      Line(path, "since 1970, " + TicksName<typename T::duration>());
    } else if constexpr (std::same_as<T, std::monostate>) {
      Line(path, "nil");
    } else if constexpr (kIsVariant<T>) {
      Line(path, "one of");
      [&]<size_t... Is>(std::index_sequence<Is...>) {
        (Add<std::variant_alternative_t<Is, T>>(absl::StrCat(path, "/", Is)), ...);
      }(std::make_index_sequence<std::variant_size_v<T>>());
    } else if constexpr (kIsTuple<T>) {
      Line(path, "struct");
      [&]<size_t... Is>(std::index_sequence<Is...>) {
        (Add<std::remove_cv_t<std::tuple_element_t<Is, T>>>(absl::StrCat(path, "/", Is)), ...);
      }(std::make_index_sequence<std::tuple_size_v<T>>());
    } else if constexpr (requires { typename PointeeOf<T>::type; }) {
      Line(path, "optional");
      Add<typename PointeeOf<T>::type>(path + "/value");
    } else if constexpr (BytesLike<T>) {
      Line(path, "bytes");
    } else if constexpr (MapLike<T>) {
      Line(path, "map");
      Add<typename T::key_type>(path + "/key");
      Add<typename T::mapped_type>(path + "/value");
    } else if constexpr (ArrayLike<T>) {
      Line(path, absl::StrCat("array ", std::tuple_size_v<T>));
      Add<typename T::value_type>(path + "/element");
    } else if constexpr (Sequence<T>) {
      Line(path, "list");
      Add<typename T::value_type>(path + "/element");
    } else if constexpr (IsSerializable<T>()) {
      AddStruct<T>(path);
    }
  }

  // A type that contains itself is told by how many structs further out it was begun.
  template <class T>
  void AddStruct(const std::string& path) {
    for (size_t i = 0; i < open_.size(); ++i) {
      if (open_[open_.size() - 1 - i] == TypeName<T>()) {
        return Line(path, absl::StrCat("the struct ", i + 1, " further out"));
      }
    }
    Line(path, "struct");
    AddFields<T>(path);
  }
  template <class T>
  void AddFields(const std::string& path) {
    if constexpr (OwnCodec<T>) {
      Line(path + "/0", absl::StrCat("codec of ", std::string(TypeName<T>())));
    } else {
      open_.push_back(TypeName<T>());
      [&]<size_t... Is>(std::index_sequence<Is...>) {
        (Add<boost::pfr::tuple_element_t<Is, T>>(absl::StrCat(path, "/", Is)), ...);
      }(std::make_index_sequence<boost::pfr::tuple_size_v<T>>());
      open_.pop_back();
    }
  }

  std::vector<std::string_view> open_;
  std::string text_;
};

}  // namespace internal

template <class... Ms>
std::string SchemaOf() {
  internal::SchemaWriter writer;
  (writer.AddMessage<Ms>(), ...);
  return writer.TakeText();
}

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_SCHEMA_H_
