// Select: receives from whichever of several mailboxes has something first.
#ifndef TROUPE_ACTORS_SELECT_H_
#define TROUPE_ACTORS_SELECT_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/internal/mailbox_cell.h"
#include "troupe/actors/internal/mailbox_waits.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/received.h"

namespace troupe {

namespace internal {

// One receive right, without its type.
struct MailSource {
  MailboxId id;
  uint32_t share = 0;
};

enum class Nobodys : uint8_t { kClosed, kSkip };

// Waits at all of them with one slot (B4 of mailbox_cell.h).
template <size_t kCount>
void BeginSelect(const std::array<MailSource, kCount>& sources, ReplySlotOf<Mail>& slot,
                 MailboxWaits<kCount>& waits, Nobodys nobodys = Nobodys::kClosed) {
  for (size_t i = 1; i < kCount; ++i) slot.Retain();
  for (size_t i = 0; i < kCount; ++i) {
    if (sources[i].id.cell == nullptr && nobodys == Nobodys::kSkip) {
      slot.Release();
    } else {
      BeginReceive(sources[i].id, sources[i].share, slot, waits[i]);
    }
  }
}

}  // namespace internal

// Made by Select.
template <class... Ms>
class [[nodiscard]] PendingSelect {
 public:
  using Value = std::variant<Received<Ms>...>;
  using Result = absl::StatusOr<Value>;

  // The same with a deadline; without one it waits for ever.
  PendingSelect Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return *this;
  }

  // The errors are those of PendingReceive, of whichever of the mailboxes has one first: that some
  // are closed ends a Select, as a message would.
  Result Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    if (auto now = TryNow()) return *std::move(now);
    return Opened(internal::WaitForMailbox<internal::Mail, kCount>(
                      &sources_[0].id.cell->space(), timeout_,
                      [this](auto& slot, auto& waits) { BeginSelect(sources_, slot, waits); }),
                  sources_);
  }

  template <class F>
    requires std::invocable<F&, absl::StatusOr<std::variant<Received<Ms>...>>> ||
             std::invocable<F&, absl::StatusOr<std::variant<Received<Ms>...>>, Context&>
  void Then(Context& self, F then) && {
    auto open = [then = std::move(then), sources = sources_](absl::StatusOr<internal::Mail>&& mail,
                                                             Context& here) mutable {
      if constexpr (std::invocable<F&, Result, Context&>) {
        then(Opened(std::move(mail), sources), here);
      } else {
        then(Opened(std::move(mail), sources));
      }
    };
    internal::ContinueFromMailbox<internal::Mail, kCount>(
        self, timeout_, std::move(open),
        [this](auto& slot, auto& waits) { BeginSelect(sources_, slot, waits); });
  }

  // For the framework.
  explicit PendingSelect(const std::array<internal::MailSource, sizeof...(Ms)>& sources)
      : sources_(sources) {}
  // Nothing: it would have to wait.
  std::optional<Result> TryNow() { return TryNowAt(std::index_sequence_for<Ms...>()); }

 private:
  static constexpr size_t kCount = sizeof...(Ms);
  using Sources = std::array<internal::MailSource, kCount>;

  template <size_t... kIs>
  std::optional<Result> TryNowAt(std::index_sequence<kIs...>) {
    std::optional<Result> result;
    (void)(TryOne<kIs, Ms>(result) || ...);
    return result;
  }
  template <size_t kI, class M>
  bool TryOne(std::optional<Result>& result) {
    auto now = PendingReceive<M>(sources_[kI].id, sources_[kI].share, timeout_).TryNow();
    if (!now.has_value()) return false;
    if (now->ok()) {
      result.emplace(Value(std::in_place_index<kI>, **std::move(now)));
    } else {
      result.emplace(now->status());
    }
    return true;
  }

  static Result Opened(absl::StatusOr<internal::Mail> mail, const Sources& sources) {
    if (!mail.ok()) return mail.status();
    return OpenedAt(*std::move(mail), sources, std::index_sequence_for<Ms...>());
  }
  template <size_t... kIs>
  static Result OpenedAt(internal::Mail mail, const Sources& sources, std::index_sequence<kIs...>) {
    std::optional<Value> value;
    (void)((sources[kIs].id == mail.from() &&
            (value.emplace(std::in_place_index<kIs>, internal::Open<Ms>(mail.Unpack())), true)) ||
           ...);
    return *std::move(value);
  }

  Sources sources_;
  absl::Duration timeout_ = absl::InfiniteDuration();
};

// Yields a std::variant of what was received; its index() tells from which. If several have something
// the first named is served, so put what matters most first.
//
//   switch (auto next = co_await Select(orders, inbox).Within(absl::Seconds(1)); ...)
//
// A message is taken from one of them and from no other, also if the Select times out or is called
// off. Takes one to eight.
template <class... Ms>
PendingSelect<Ms...> Select(Receiver<Ms>&... from) {
  static_assert(sizeof...(Ms) >= 1 && sizeof...(Ms) <= 8,
                "Troupe: Select takes one to eight Receivers.");
  return PendingSelect<Ms...>({internal::MailSource{from.id(), from.share()}...});
}

}  // namespace troupe

#if defined(__clang__) || __GNUC__ >= 13  // see core/task.h
#include "troupe/actors/internal/mailbox_awaiter.h"
namespace troupe {
template <class... Ms>
auto operator co_await(PendingSelect<Ms...>&& select) {
  return internal::MailboxAwaiter<PendingSelect<Ms...>, typename PendingSelect<Ms...>::Result>(
      std::move(select));
}
}  // namespace troupe
#endif

#endif  // TROUPE_ACTORS_SELECT_H_
