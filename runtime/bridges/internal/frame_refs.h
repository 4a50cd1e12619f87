// FrameRefs: the refs that have been written into one frame, as long as it is not certain that it leaves.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_FRAME_REFS_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_FRAME_REFS_H_

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/actors/any_ref.h"
#include "troupe/actors/exit.h"
#include "troupe/runtime/bridges/internal/connection.h"
#include "troupe/runtime/bridges/internal/ref_table.h"

namespace troupe::internal {

// What a frame exports that is never sent nobody would release. So who writes one does it with this, and
// then says Sent or Withdraw. Without refs it costs nothing.
//
// Thread safety  None.
class FrameRefs final : public RefTable {
 public:
  explicit FrameRefs(Connection& connection) : connection_(connection) {}

  AnyRef connection() const override { return connection_.connection(); }
  WireRef Export(const Referent& what, std::span<const ExportRoute> routes) override {
    WireRef ref = connection_.Export(what, routes);
    if (ref.whose == WireRef::Whose::kWriters) exported_.emplace_back(ref.id, ref.incarnation);
    return ref;
  }
  absl::StatusOr<Imported> Import(const WireRef& ref, std::span<const uint64_t> types,
                                  const MailKind* mail) override {
    return connection_.Import(ref, types, mail);
  }
  void NoteHandedOver(const AnyRef& outlet) override { handed_over_.push_back(outlet); }

  void Sent() {
    exported_.clear();
    handed_over_.clear();
  }
  // And rights that were to go along end, as with any message that is lost.
  void Withdraw() {
    if (exported_.empty()) return;
    for (const AnyRef& outlet : std::exchange(handed_over_, {})) {
      StopActor(outlet, StopWhen::kNow);
    }
    for (const auto& [id, incarnation] : std::exchange(exported_, {})) {
      connection_.Withdraw(id, incarnation);
    }
  }

 private:
  Connection& connection_;
  std::vector<std::pair<uint64_t, uint64_t>> exported_;  // numbers and incarnations
  std::vector<AnyRef> handed_over_;                      // some of them
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_FRAME_REFS_H_
