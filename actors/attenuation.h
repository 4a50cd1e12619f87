// Attenuation: how the holder of a right to send makes a weaker one of it, to give away.
#ifndef TROUPE_ACTORS_ATTENUATION_H_
#define TROUPE_ACTORS_ATTENUATION_H_

#include <cstdint>

#include "absl/time/time.h"

namespace troupe {

template <class... Ms>
class RevocableRecipient;

inline constexpr uint32_t kUnlimited = ~uint32_t{0};

// What a weaker right is good for.
struct RightLimits {
  // At most so many messages in any span of `per`: the bound is exact, and no burst goes beyond it.
  // A one-time right has 1 message per absl::InfiniteDuration().
  uint32_t messages = kUnlimited;
  absl::Duration per = absl::Seconds(1);
  // By the clock of the system; what has not been passed on by then never will be.
  absl::Time expires = absl::InfiniteFuture();
};

// What Recipient and Sender can do with their right. All return a RevocableRecipient, which says what
// it means (revocable_recipient.h). The right at hand stays as it is.
//
//   peer.Send(Use{account.Only<Deposit>().Limit(100, absl::Seconds(1))});
//
// Whoever has an attenuated right can attenuate it again, and not make it stronger. Each call puts one
// more hop in the way: for several limits at once say Attenuate. Limits that nothing could meet (no
// messages, no time) throw std::invalid_argument.
template <class Right, class... Ms>
class Attenuation {
 public:
  RevocableRecipient<Ms...> Attenuate(RightLimits limits = {}) const;
  RevocableRecipient<Ms...> Limit(uint32_t messages, absl::Duration per) const;
  RevocableRecipient<Ms...> Expires(absl::Time at) const;
  RevocableRecipient<Ms...> Expires(absl::Duration after) const;

 protected:
  Attenuation() = default;
  Attenuation(const Attenuation&) = default;
  Attenuation& operator=(const Attenuation&) = default;
  ~Attenuation() = default;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ATTENUATION_H_
