// MailboxSpec: the MailboxOptions of one mailbox, without the type of its messages.
#ifndef TROUPE_ACTORS_INTERNAL_MAILBOX_SPEC_H_
#define TROUPE_ACTORS_INTERNAL_MAILBOX_SPEC_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/internal/message_type.h"
#include "troupe/actors/mailbox_options.h"
#include "troupe/actors/send_result.h"

namespace troupe::internal {

// What a message type must tell, and the choices of one mailbox, without their types.
struct MailboxSpec {
  // What each message asks for comes first, in one line that nobody writes.
  uint32_t capacity = kUnbounded;
  uint32_t warn_at = kUnbounded;
  WhenFull when_full = WhenFull::kBlock;
  Receivers receivers = Receivers::kFirstCome;
  MailboxOwner owner = MailboxOwner::kReceiver;
  uint64_t seed = 1;
  MessageType message = nullptr;
  std::string name;
  Envelope* (*copy)(Envelope&) = nullptr;  // kAll
  std::function<uint64_t(Envelope&)> key;  // kByKey
  std::function<void(const MailboxStats&)> on_warning;
};

template <class M>
Envelope* CopyOf(Envelope& base) {
  auto& e = static_cast<EnvelopeOf<M>&>(base);
  auto* copy = EnvelopeOf<M>::Make(e.thunk, M(e.message), e.where);
  copy->sender = e.sender;
  return copy;
}

template <class M>
MailboxSpec SpecOf(std::string_view name, MailboxOptions<M> options) {
  MailboxSpec spec{.capacity = options.capacity,
                   .warn_at = options.warn_at,
                   .when_full = options.when_full,
                   .receivers = options.receivers,
                   .owner = options.owner,
                   .seed = options.seed,
                   .message = MessageTypeFor<M>(),
                   .name = std::string(name),
                   .on_warning = std::move(options.on_warning)};
  if constexpr (std::copy_constructible<M>) spec.copy = &CopyOf<M>;
  if (options.key) {
    spec.key = [key = std::move(options.key)](Envelope& e) {
      return key(static_cast<EnvelopeOf<M>&>(e).message);
    };
  }
  return spec;
}

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_MAILBOX_SPEC_H_
