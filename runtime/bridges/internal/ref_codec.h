// The codecs of AnyRef and Recipient, and of what arrives for them.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/recipient.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/internal/delivery.h"
#include "troupe/runtime/bridges/internal/proxy.h"
#include "troupe/runtime/bridges/internal/ref_table.h"

namespace troupe {

namespace internal {

template <class... Ms>
std::array<ExportRoute, sizeof...(Ms)> RoutesOf(const Recipient<Ms...>& to) {
  return {ExportRoute{.type = MessageHash(TypeName<Ms>()),
                      .name = TypeName<Ms>(),
                      .thunk = to.template ThunkOf<Ms>(),
                      .deliver = &Deliver<Ms>}...};
}

inline void EncodeRef(Encoder& out, const AnyRef& ref, std::span<const ExportRoute> routes) {
  const bool nobody = !ref || out.refs() == nullptr;
  EncodeValue(out, nobody ? WireRef{} : out.refs()->Export(ref, routes));
}

// False: it has failed. Nobody, if `in` belongs to no connection.
inline bool DecodeRef(Decoder& in, std::span<const uint64_t> types, RefTable::Imported& imported) {
  WireRef ref;
  if (!DecodeValue(in, ref)) return false;
  if (ref.whose == WireRef::Whose::kNobody || in.refs() == nullptr) return true;
  absl::StatusOr<RefTable::Imported> found = in.refs()->Import(ref, types);
  if (!found.ok())
    return in.Fail({found.status().message().data(), found.status().message().size()});
  imported = *std::move(found);
  return true;
}

}  // namespace internal

// An identity, to watch and to compare. It conveys no right to send.
template <>
struct Codec<AnyRef> {
  static void Encode(Encoder& out, const AnyRef& ref) { internal::EncodeRef(out, ref, {}); }
  static bool Decode(Decoder& in, AnyRef& ref) {
    internal::RefTable::Imported imported;
    if (!internal::DecodeRef(in, {}, imported)) return false;
    ref = imported.ref;
    return true;
  }
};

// The right to send these messages, from the moment the bytes have gone.
template <class... Ms>
struct Codec<Recipient<Ms...>> {
  static void Encode(Encoder& out, const Recipient<Ms...>& to) {
    internal::EncodeRef(out, to, internal::RoutesOf(to));
  }
  static bool Decode(Decoder& in, Recipient<Ms...>& to) {
    constexpr std::array<uint64_t, sizeof...(Ms)> kTypes{MessageHash(TypeName<Ms>())...};
    internal::RefTable::Imported imported;
    if (!internal::DecodeRef(in, kTypes, imported)) return false;
    if (imported.is_proxy) {
      to = Recipient<Ms...>(ActorRef<internal::Proxy>(imported.ref));
    } else if (imported.ref) {
      std::array<internal::Thunk, sizeof...(Ms)> thunks;
      std::copy_n(imported.thunks.begin(), sizeof...(Ms), thunks.begin());
      to = Recipient<Ms...>(imported.ref, thunks);
    } else {
      to = Recipient<Ms...>();
    }
    return true;
  }
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_
