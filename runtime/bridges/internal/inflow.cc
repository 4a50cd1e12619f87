#include "troupe/runtime/bridges/internal/inflow.h"

#include "troupe/runtime/bridges/internal/session.h"

namespace troupe::internal {

bool Inflow::Take(size_t bytes, bool ahead) {
  const int64_t most = ahead ? 2 * window_ : window_;
  if (taken_ - known_ > most) {
    known_ = handled_.load(std::memory_order_relaxed);  // relaxed: a count
    if (taken_ - known_ > most) return false;
  }
  taken_ += static_cast<int64_t>(bytes);
  return true;
}

void Inflow::Handled(size_t bytes) {
  const auto more = static_cast<int64_t>(bytes);
  // F1: once they are added this may be gone.
  const ActorRef<Session> session = session_;
  const int64_t portion = portion_;
  // acq_rel: whoever deletes it does so after all others have done with it; pairs with itself.
  const int64_t now = handled_.fetch_add(more, std::memory_order_acq_rel) + more;
  if (now == 0) delete this;
  if (now > 0 && now / portion != (now - more) / portion) session.Send(ReturnCredit{});
}

int64_t Inflow::Owed() const {
  // relaxed: counts. Negative after Close.
  return handled_.load(std::memory_order_relaxed) - credited_.load(std::memory_order_relaxed);
}

uint64_t Inflow::TakeCredit() {
  // relaxed, all of it: counts, and each byte of handled_ is between two values of credited_ once.
  int64_t before = credited_.load(std::memory_order_relaxed);
  for (;;) {
    const int64_t now = handled_.load(std::memory_order_relaxed);
    if (now <= before) return 0;
    if (credited_.compare_exchange_weak(before, now, std::memory_order_relaxed)) {
      return static_cast<uint64_t>(now - before);
    }
  }
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
