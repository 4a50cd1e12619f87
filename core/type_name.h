// TypeName<T>(): what a type is called in the source, at compile time and without RTTI; for people
// to read in statistics and dead letters.
//
// clang and GCC give the same text for ordinary types ("bank::Deposit", "int"). They differ for
// unnamed namespaces ("(anonymous namespace)::" against "{anonymous}::"), lambdas and some template
// arguments, so it is no wire format. The text lives as long as the program.

#ifndef TROUPE_CORE_TYPE_NAME_H_
#define TROUPE_CORE_TYPE_NAME_H_

#include <cstddef>
#include <string_view>

namespace troupe {
namespace type_name_internal {

// "... Signature() [T = X]" (clang) or "... Signature() [with T = X]" (GCC). The return type is
// `auto` because GCC would append "; std::string_view = ..." after X.
template <typename T>
constexpr auto Signature() {
  return std::string_view(__PRETTY_FUNCTION__);
}

// What surrounds X is the same for every X; a type with a known name shows how long it is.
inline constexpr std::string_view kProbe = "double";
inline constexpr size_t kBefore = Signature<double>().find(kProbe);
inline constexpr size_t kAfter = Signature<double>().size() - kBefore - kProbe.size();
static_assert(kBefore != std::string_view::npos,
              "this compiler's __PRETTY_FUNCTION__ does not show template arguments");

}  // namespace type_name_internal

template <typename T>
constexpr std::string_view TypeName() {
  namespace in = type_name_internal;
  constexpr std::string_view kText = in::Signature<T>();
  return kText.substr(in::kBefore, kText.size() - in::kBefore - in::kAfter);
}

}  // namespace troupe

#endif  // TROUPE_CORE_TYPE_NAME_H_
