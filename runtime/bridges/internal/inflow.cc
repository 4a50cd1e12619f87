#include "troupe/runtime/bridges/internal/inflow.h"

#include <algorithm>

#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {

// ---- what arrives

Inflow::Account* Inflow::Take(uint64_t target, size_t bytes, bool ahead) {
  const int64_t most = ahead ? 2 * window_ : window_;
  if (taken_ - known_ > most) {
    known_ = handled_.load(std::memory_order_relaxed);  // relaxed: a count
    if (taken_ - known_ > most) return nullptr;
  }
  taken_ += static_cast<int64_t>(bytes);
  if (last_ == nullptr || last_->target_ != target) last_ = &AccountOf(target);
  last_->taken_ += static_cast<int64_t>(bytes);
  return last_;
}

Inflow::Account& Inflow::AccountOf(uint64_t target) {
  const auto account = accounts_.find(target);
  return account == accounts_.end() ? NewAccount(target) : *account->second;
}

// Those that have nothing outstanding are looked for when there are twice as many as were left the last time.
Inflow::Account& Inflow::NewAccount(uint64_t target) {
  if (accounts_.size() >= sweep_at_) {
    absl::erase_if(accounts_, [this](const auto& entry) {
      Account* const account = entry.second;
      // acquire: pairs with TakeCredit, which has done with it.
      if (account->credited_.load(std::memory_order_acquire) != account->taken_) return false;
      unused_.push_back(account);
      return true;
    });
    sweep_at_ = std::max<size_t>(16, 2 * accounts_.size());
  }
  if (unused_.empty()) unused_.push_back(&storage_.emplace_back(*this));
  Account& account = *unused_.back();
  unused_.pop_back();
  account.target_ = target;
  account.due_.store(kNever);
  accounts_.emplace(target, &account);
  return account;
}

void Inflow::NoteBlocked(uint64_t target) {
  bool is_due = false;
  if (target == 0) {
    is_exhausted_.store(true);
    is_due = owing_.load() != nullptr;
  } else {
    const auto found = accounts_.find(target);
    if (found == accounts_.end()) return;  // all that was sent has been returned
    Account& account = *found->second;
    const int64_t outstanding = account.taken_ - account.credited_.load();
    if (outstanding == 0) return;  // likewise
    const int64_t half = (outstanding + 1) / 2;
    account.due_.store(half);
    is_due = account.owed_.load() >= half;
  }
  if (is_due && Ask()) session_.Send(ReturnCredit{});
}

// ---- what is handled

void Inflow::Link(Account& account) {
  account.next_ = owing_.load();
  while (!owing_.compare_exchange_weak(account.next_, &account)) {
  }
}

void Inflow::Account::Handled(size_t bytes) {
  const auto more = static_cast<int64_t>(bytes);
  Inflow& inflow = inflow_;
  // F1: once they are added to handled_ it may be gone, and the account before.
  const ActorRef<Session> session = inflow.session_;
  const int64_t portion = inflow.portion_;
  if (owed_.fetch_add(more) == 0) inflow.Link(*this);
  const bool is_due = owed_.load() >= due_.load() || inflow.is_exhausted_.load();
  const bool is_asked = is_due && inflow.Ask();
  // acq_rel: whoever deletes it does so after all others have done with it; pairs with itself.
  const int64_t now = inflow.handled_.fetch_add(more, std::memory_order_acq_rel) + more;
  if (now == 0) delete &inflow;
  if (now <= 0) return;
  if (is_asked || now / portion != (now - more) / portion) session.Send(ReturnCredit{});
}

int64_t Inflow::Owed() const {
  // relaxed: counts. Negative after Close.
  return handled_.load(std::memory_order_relaxed) - credited_.load(std::memory_order_relaxed);
}

// F3 and F4 give the order.
std::vector<Credit> Inflow::TakeCredit() {
  std::vector<Credit> credit;
  asked_.exchange(false);
  Account* next = owing_.exchange(nullptr);
  if (next == nullptr) return credit;
  is_exhausted_.store(false);
  int64_t sum = 0;
  while (next != nullptr) {
    Account& account = *next;
    next = account.next_;
    const uint64_t target = account.target_;
    account.due_.store(kNever);
    const int64_t bytes = account.owed_.exchange(0);
    account.credited_.fetch_add(bytes, std::memory_order_release);  // pairs with NewAccount
    credit.push_back({target, static_cast<uint64_t>(bytes)});
    sum += bytes;
  }
  credited_.fetch_add(sum, std::memory_order_relaxed);  // relaxed: a count
  return credit;
}

void Inflow::Close() {
  closed_ = true;
  handled_.fetch_sub(taken_ + 1, std::memory_order_acq_rel);  // as in Handled
}

void Inflow::Drop() {
  if (!closed_) Close();
  if (handled_.fetch_add(1, std::memory_order_acq_rel) + 1 == 0) delete this;  // as in Handled
}

}  // namespace troupe::internal
