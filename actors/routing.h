// Routing<M...>: how a router chooses who gets a message: RoundRobin, Random, SmallestMailbox, ByKey.
#ifndef TROUPE_ACTORS_ROUTING_H_
#define TROUPE_ACTORS_ROUTING_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/route_table.h"

namespace troupe {

// Each in turn. Each copy of a router goes round by itself, every new one a place further on, so
// senders share no counter.
struct RoundRobin {};

// Any of them, as likely as any other. The same seed gives the same choices; each copy of a router
// draws a sequence of its own from it.
struct Random {
  uint64_t seed = 0;
};

// Whoever has least to do: messages in the mailbox, and one if a handler is running, or suspended and
// keeps them waiting; among equals each in turn. It looks at the routees until it finds an idle one: 10 ns each, more if that actor
// runs on another core just then. For work of uneven length; where all takes the same time
// RoundRobin is cheaper and as good.
struct SmallestMailbox {};

// Messages with the same key to the same routee: for routees that each hold a part of the state.
//
//   troupe::ByKey([](const auto& m) { return m.account; })
//
// `key` takes a const M& of each message type of the router and returns an integer, an enum or a
// string. It is called on the sender's thread, by several threads at once; what it throws comes out
// of the Send. The choice depends on the key and the routees' places alone, so it is the same in
// every run and for every copy of the router.
//
// Places are numbered; a newcomer takes the lowest free number. The choice is rendezvous hashing
// (highest random weight; Thaler and Ravishankar, IEEE/ACM ToN 6(1), 1998): each key ranks all
// places, and goes to the first that is taken. So when a routee goes only its own keys move, to all
// others alike, and when one comes it takes 1/n of each one's. One that comes in the place of one
// that went takes over that one's keys and no others. No ring has to be rebuilt, and shares are even
// without virtual nodes; it costs 3 ns per routee and message.
template <class F>
auto ByKey(F key);

namespace internal {

template <class F>
struct KeyFunction {
  F key;
};

template <class F, class M>
concept KeyOf = requires(const F& f, const M& m) { f(m); } &&
                (std::convertible_to<std::invoke_result_t<const F&, const M&>, std::string_view> ||
                 std::integral<std::remove_cvref_t<std::invoke_result_t<const F&, const M&>>> ||
                 std::is_enum_v<std::remove_cvref_t<std::invoke_result_t<const F&, const M&>>>);

template <class F, class Message>
constexpr void RefuseKey() {
  static_assert(kMessage<Message>, TROUPE_ERROR_NO_KEY);
}

template <class F, class M>
constexpr KeyThunk KeyThunkFor() {
  if constexpr (KeyOf<F, M>) {
    return [](const void* f, const void* m) -> uint64_t {
      const auto& key = (*static_cast<const F*>(f))(*static_cast<const M*>(m));
      if constexpr (std::convertible_to<decltype(key), std::string_view>) {
        return HashText(key);
      } else {
        return static_cast<uint64_t>(key);
      }
    };
  } else {
    RefuseKey<F, M>();
    return nullptr;
  }
}

}  // namespace internal

template <class F>
auto ByKey(F key) {
  return internal::KeyFunction<F>{std::move(key)};
}

// One of the above, for a router of these messages. A value.
template <class... Ms>
class Routing {
 public:
  Routing() : Routing(RoundRobin()) {}
  Routing(RoundRobin)
      : plan_{internal::RoutingStrategy::kRoundRobin} {}  // NOLINT: implicit by design
  Routing(Random random)                                  // NOLINT
      : plan_{internal::RoutingStrategy::kRandom, random.seed} {}
  Routing(SmallestMailbox) : plan_{internal::RoutingStrategy::kSmallestMailbox} {}  // NOLINT
  template <class F>
  Routing(internal::KeyFunction<F> by)  // NOLINT
      : plan_{internal::RoutingStrategy::kByKey,
              0,
              std::make_shared<const F>(std::move(by.key)),
              {internal::KeyThunkFor<F, Ms>()...}} {}

  // For the framework.
  const internal::RoutingPlan& plan() const { return plan_; }

 private:
  internal::RoutingPlan plan_;
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_ROUTING_H_
