#include "troupe/actors/internal/message_file.h"

#include <bit>

#include "troupe/actors/internal/actor_cell.h"
#include "troupe/actors/internal/actor_space.h"
#include "troupe/core/node_pool.h"

namespace troupe::internal {

struct MessageFile::Filed {
  static void* operator new(size_t bytes) { return AllocateObject(bytes); }
  static void operator delete(void* filed, size_t bytes) { FreeObject(filed, bytes); }

  Envelope* envelope;
  uint64_t number;  // in the order of arrival
  Filed* older;     // of its kind
  Filed* newer = nullptr;
  Filed* next = nullptr;  // of its kind and sender
  uint32_t kind;
};

namespace {

// Calls `visit` with each kind in the set.
template <class Visit>
void ForEach(uint64_t kinds, Visit visit) {
  for (; kinds != 0; kinds &= kinds - 1) visit(static_cast<uint32_t>(std::countr_zero(kinds)));
}

template <class Filed>
Filed* Older(Filed* a, Filed* b) {
  if (a == nullptr || b == nullptr) return a != nullptr ? a : b;
  return a->number < b->number ? a : b;
}

bool HasRoom(const Envelope& e) { return (e.address & kExempt) == 0; }

}  // namespace

MessageFile::~MessageFile() {
  while (Filed* filed = Oldest(all_)) Discard(*Remove(filed).envelope, Lost::kReceiverGone);
}

void MessageFile::Open() {
  cell_ = ActorCell::Current();
  cell_->HoldRoom();
}

void MessageFile::Add(Envelope& e, uint32_t kind) noexcept {
  Kind& of_kind = kinds_[kind];
  auto* const filed =
      new Filed{.envelope = &e, .number = added_++, .older = of_kind.newest, .kind = kind};
  (of_kind.newest != nullptr ? of_kind.newest->newer : of_kind.oldest) = filed;
  of_kind.newest = filed;
  Kind& chain = chains_[{e.sender, kind}];
  (chain.newest != nullptr ? chain.newest->next : chain.oldest) = filed;
  chain.newest = filed;
  cell_->KeepQueued();
}

void MessageFile::Pass(const Envelope& e) {
  if (HasRoom(e)) cell_->MakeRoom();
}

MessageFile::Filed* MessageFile::Oldest(uint64_t kinds) const {
  Filed* oldest = nullptr;
  ForEach(kinds, [&](uint32_t kind) { oldest = Older(oldest, kinds_[kind].oldest); });
  return oldest;
}

MessageFile::Taken MessageFile::Take(uint64_t kinds) { return TakeOut(Oldest(kinds)); }

MessageFile::Taken MessageFile::TakeFrom(uint64_t kinds, const AnyRef& sender) {
  Filed* oldest = nullptr;
  ForEach(kinds, [&](uint32_t kind) {
    const auto chain = chains_.find(Sender{sender, kind});
    if (chain != chains_.end()) oldest = Older(oldest, chain->second.oldest);
  });
  return TakeOut(oldest);
}

MessageFile::Taken MessageFile::TakeOut(Filed* filed) {
  if (filed == nullptr) return {};
  const Taken taken = Remove(filed);
  cell_->Dequeue();
  Pass(*taken.envelope);
  return taken;
}

// `filed` is the head of its chain (F1).
MessageFile::Taken MessageFile::Remove(Filed* filed) {
  const Taken taken{filed->envelope, filed->kind};
  Kind& of_kind = kinds_[filed->kind];
  (filed->older != nullptr ? filed->older->newer : of_kind.oldest) = filed->newer;
  (filed->newer != nullptr ? filed->newer->older : of_kind.newest) = filed->older;
  const auto chain = chains_.find(Sender{taken.envelope->sender, taken.kind});
  chain->second.oldest = filed->next;
  if (filed->next == nullptr) chains_.erase(chain);
  delete filed;
  return taken;
}

void MessageFile::Lose(Envelope& e, DeadLetterReason reason) {
  cell_->space().Lose(e, reason, cell_->ref());
}

void MessageFile::LoseAll() {
  while (Filed* filed = Oldest(all_)) Lose(*TakeOut(filed).envelope, DeadLetterReason::kStopped);
}

}  // namespace troupe::internal
