// PostBatch: messages from elsewhere for one actor after the other, put into its mailbox several at a time.
//
// Who posts and who handles on another core hand the mailbox's cache line to and fro, at the price of a small
// message each time. So what is there already is posted together: the first alone, so that the actor can begin, then
// two, four, up to kMost. Nothing waits for what has not come yet: whoever adds flushes when he has no more,
// and before he does anything else that is to come after these messages.
//
// Order          as if each was posted when it was added, provided that all for that actor come this way.
// Thread safety  one thread at a time.
#ifndef TROUPE_ACTORS_INTERNAL_POST_BATCH_H_
#define TROUPE_ACTORS_INTERNAL_POST_BATCH_H_

#include <algorithm>
#include <cstddef>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/internal/envelope.h"

namespace troupe::internal {

class PostBatch {
 public:
  PostBatch() = default;
  PostBatch(const PostBatch&) = delete;
  PostBatch& operator=(const PostBatch&) = delete;
  ~PostBatch() { Flush(); }

  // From nobody; never waits: what finds no room is a dead letter, as with PostMessage.
  void Add(const AnyRef& to, Envelope& e) {
    if (to != to_) {
      Flush();
      to_ = to;
    }
    e.next = newest_;
    newest_ = &e;
    if (oldest_ == nullptr) oldest_ = &e;
    if (++count_ < most_) return;
    const size_t most = std::min(2 * most_, kMost);
    Flush();
    most_ = most;
  }
  // Also: what is added next is the first.
  void Flush() {
    if (count_ != 0) Post();
    most_ = 1;
  }

 private:
  static constexpr size_t kMost = 32;

  void Post();

  AnyRef to_;
  Envelope* newest_ = nullptr;  // leads by `next` to the oldest
  Envelope* oldest_ = nullptr;
  size_t count_ = 0;
  size_t most_ = 1;
};

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_POST_BATCH_H_
