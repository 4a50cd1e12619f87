// The codecs of AnyRef, Recipient and Sender, and of what arrives for them.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/mailbox.h"
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

template <class M>
std::array<ExportRoute, 1> RoutesOf(const Sender<M>&) {
  return {ExportRoute{.type = MessageHash(TypeName<M>()),
                      .name = TypeName<M>(),
                      .thunk = &DispatchToNobody<M>,
                      .deliver = &DeliverToMailbox<M>}};
}

inline void EncodeRef(Encoder& out, const Referent& what, std::span<const ExportRoute> routes) {
  const bool nobody = !what || out.refs() == nullptr;
  EncodeValue(out, nobody ? WireRef{} : out.refs()->Export(what, routes));
}

// False: it has failed. Nobody, if `in` belongs to no connection.
inline bool DecodeRef(Decoder& in, std::span<const uint64_t> types, RefTable::Imported& imported,
                      const MailKind* mail = nullptr) {
  WireRef ref;
  if (!DecodeValue(in, ref)) return false;
  if (ref.whose == WireRef::Whose::kNobody || in.refs() == nullptr) return true;
  absl::StatusOr<RefTable::Imported> found = in.refs()->Import(ref, types, mail);
  if (!found.ok())
    return in.Fail({found.status().message().data(), found.status().message().size()});
  imported = *std::move(found);
  return true;
}

}  // namespace internal

// An identity, to watch and to compare. It conveys no right to send.
template <>
struct Codec<AnyRef> {
  static void Encode(Encoder& out, const AnyRef& ref) { internal::EncodeRef(out, {ref}, {}); }
  static bool Decode(Decoder& in, AnyRef& ref) {
    internal::RefTable::Imported imported;
    if (!internal::DecodeRef(in, {}, imported)) return false;
    ref = imported.what.actor;
    return true;
  }
};

// The right to send these messages, from the moment the bytes have gone.
template <class... Ms>
struct Codec<Recipient<Ms...>> {
  static void Encode(Encoder& out, const Recipient<Ms...>& to) {
    internal::EncodeRef(out, {to}, internal::RoutesOf(to));
  }
  static bool Decode(Decoder& in, Recipient<Ms...>& to) {
    constexpr std::array<uint64_t, sizeof...(Ms)> kTypes{MessageHash(TypeName<Ms>())...};
    internal::RefTable::Imported imported;
    if (!internal::DecodeRef(in, kTypes, imported)) return false;
    if (imported.is_proxy) {
      to = Recipient<Ms...>(ActorRef<internal::Proxy>(imported.what.actor));
    } else if (imported.what) {
      std::array<internal::Thunk, sizeof...(Ms)> thunks;
      std::copy_n(imported.thunks.begin(), sizeof...(Ms), thunks.begin());
      to = Recipient<Ms...>(imported.what.actor, thunks);
    } else {
      to = Recipient<Ms...>();
    }
    return true;
  }
};

// The right to send to that mailbox. Over there it is a mailbox here, whose receiver is a Proxy.
template <class M>
struct Codec<Sender<M>> {
  static void Encode(Encoder& out, const Sender<M>& to) {
    internal::EncodeRef(out, {{}, to.id()}, internal::RoutesOf(to));
  }
  static bool Decode(Decoder& in, Sender<M>& to) {
    constexpr std::array<uint64_t, 1> kTypes{MessageHash(TypeName<M>())};
    constexpr internal::MailKind kMail{internal::MessageTypeFor<M>(), &internal::Proxy::Forward<M>};
    internal::RefTable::Imported imported;
    if (!internal::DecodeRef(in, kTypes, imported, &kMail)) return false;
    to = Sender<M>(imported.what.mailbox);
    return true;
  }
};

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_REF_CODEC_H_
