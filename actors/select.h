// Select: receives from whichever of several mailboxes has something first.
#ifndef TROUPE_ACTORS_SELECT_H_
#define TROUPE_ACTORS_SELECT_H_

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/internal/compile_error.h"
#include "troupe/actors/internal/mail.h"
#include "troupe/actors/internal/mail_waiter.h"
#include "troupe/actors/internal/mailbox_waits.h"
#include "troupe/actors/internal/reply_slot.h"
#include "troupe/actors/mailbox.h"
#include "troupe/actors/received.h"

namespace troupe {

namespace internal {

// Waits at all of them with one slot (B4 of mailbox_cell.h), but for nobody's. What cannot be waited
// for is told when none of them has had anything.
void BeginSelect(std::span<const MailSource> sources, ReplySlotOf<Mail>& slot,
                 std::span<MailWaiter> waiters);
absl::Status NobodyToSelect();

template <class R>
concept ReceivesMail = requires(R& from) {
  typename R::Message;
  { from.source() } -> std::same_as<MailSource>;
};

template <class Message>
constexpr void RefuseToSelect() {
  static_assert(ReceivesMail<Message> || kMessage<Message>, TROUPE_ERROR_SELECT);
}

}  // namespace internal

// Made by Select.
template <class... Ms>
class [[nodiscard]] PendingSelect {
 public:
  using Value = std::variant<Received<Ms>...>;
  using Result = absl::StatusOr<Value>;

  // The same with a deadline; without one it waits for ever, but in a handler that answers an ask no
  // longer than that one's (Context::deadline()).
  PendingSelect Within(absl::Duration timeout) && {
    timeout_ = timeout;
    return *this;
  }

  // The errors are those of PendingReceive. That of one mailbox ends the Select, though others could
  // still be waited for, and SelectErrorIndex says of which it is. kUnavailable without an index: all
  // Receivers are nobody's.
  Result Wait() && {
    if (absl::Status refused = internal::MayWaitHere(); !refused.ok()) return refused;
    if (auto now = TryNow()) return *std::move(now);
    const auto somebody = std::find_if(sources_.begin(), sources_.end(), &IsSomebodys);
    return Opened(
        internal::WaitForMailbox<internal::Mail, kCount>(
            &somebody->id.cell->space(), timeout_,
            [this](auto& slot, auto& waits) { BeginSelect(sources_, slot, waits.all()); }),
        sources_);
  }

  template <class F>
    requires std::invocable<F&, absl::StatusOr<std::variant<Received<Ms>...>>> ||
             std::invocable<F&, absl::StatusOr<std::variant<Received<Ms>...>>, Context&>
  void Then(Context& self, F then) && {
    internal::ContinueFromMailbox<internal::Mail, kCount>(
        self, timeout_,
        internal::AfterFirst(
            [sources = sources_](absl::StatusOr<internal::Mail>&& mail) {
              return Opened(std::move(mail), sources);
            },
            std::move(then)),
        [this](auto& slot, auto& waits) { BeginSelect(sources_, slot, waits.all()); });
  }

  // For the framework.
  explicit PendingSelect(const std::array<internal::MailSource, sizeof...(Ms)>& sources)
      : sources_(sources) {}
  // Nothing: it would have to wait.
  std::optional<Result> TryNow() {
    if (std::none_of(sources_.begin(), sources_.end(), &IsSomebodys)) {
      return internal::NobodyToSelect();
    }
    return TryNowAt(std::index_sequence_for<Ms...>());
  }

 private:
  static constexpr size_t kCount = sizeof...(Ms);
  using Sources = std::array<internal::MailSource, kCount>;

  static bool IsSomebodys(const internal::MailSource& from) { return from.id.cell != nullptr; }

  template <size_t... kIs>
  std::optional<Result> TryNowAt(std::index_sequence<kIs...>) {
    std::optional<Result> result;
    (void)(TryOne<kIs, Ms>(result) || ...);
    return result;
  }
  // True: mail. The first error is kept until all have been asked.
  template <size_t kI, class M>
  bool TryOne(std::optional<Result>& result) {
    if (!IsSomebodys(sources_[kI])) return false;
    auto now = PendingReceive<M>(sources_[kI].id, sources_[kI].share, timeout_).TryNow();
    if (!now.has_value()) return false;
    if (now->ok()) {
      result.emplace(Value(std::in_place_index<kI>, **std::move(now)));
    } else if (!result.has_value()) {
      result.emplace(internal::ErrorAt(kI, now->status()));
    }
    return now->ok();
  }

  static Result Opened(absl::StatusOr<internal::Mail> mail, const Sources& sources) {
    if (!mail.ok()) return mail.status();
    return OpenedAt(*std::move(mail), sources, std::index_sequence_for<Ms...>());
  }
  template <size_t... kIs>
  static Result OpenedAt(internal::Mail mail, const Sources& sources, std::index_sequence<kIs...>) {
    std::optional<Value> value;
    (void)((sources[kIs] == mail.source() &&
            (value.emplace(std::in_place_index<kIs>, internal::Open<Ms>(mail.Unpack())), true)) ||
           ...);
    return *std::move(value);
  }

  Sources sources_;
  absl::Duration timeout_ = absl::InfiniteDuration();
};

// Of an error of a Select: the index of the mailbox that it is of. Nothing for one that is of none, such
// as kDeadlineExceeded.
std::optional<size_t> SelectErrorIndex(const absl::Status& error);

// Yields a std::variant of what was received; its index() tells from which. If several have something
// the first named is served, so put what matters most first; and what is there goes before the end of
// another. Receivers that are nobody's are left out, so a loop can go on with those that are left:
//
//   for (;;) {
//     auto next = co_await Select(orders_, inbox_);
//     if (next.ok()) {
//       std::visit([&](auto& received) { Handle(received.message); }, *next);
//       continue;
//     }
//     const std::optional<size_t> ended = SelectErrorIndex(next.status());
//     if (ended == 0) orders_ = {};
//     else if (ended == 1) inbox_ = {};
//     else co_return;  // both
//   }
//
// A message is taken from one of them and from no other, also if the Select times out or is called
// off. Takes one to eight Receivers, or ends of channels (channel.h). Several may be rights to one
// mailbox, but with kOneAtATime, which refuses the second.
template <internal::ReceivesMail... Rs>
PendingSelect<typename Rs::Message...> Select(Rs&... from) {
  static_assert(sizeof...(Rs) >= 1 && sizeof...(Rs) <= 8,
                "Troupe: Select takes one to eight Receivers.");
  return PendingSelect<typename Rs::Message...>({from.source()...});
}

// Anything else does not compile, and one sentence says why.
template <class... Rs>
  requires((internal::ReceivesMail<std::remove_reference_t<Rs>> || ...) &&
           !(internal::ReceivesMail<std::remove_reference_t<Rs>> && ...))
internal::RefusedAsk Select(Rs&&...) {
  (internal::RefuseToSelect<std::remove_cvref_t<Rs>>(), ...);
  return {};
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
