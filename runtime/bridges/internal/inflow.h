// Inflow: how much a peer has sent over one connection, and how much of that has left its mailbox.
//
//   Operation   Who                       Effect
//   Take        the link's thread         so many bytes more have arrived
//   Handled     any thread                so many of them have left a mailbox; tells the session when credit
//                                         is due
//   TakeCredit  any thread                what has been handled, and the peer has not been told
//   Close       the link's thread, once   nothing arrives any more
//   Drop        the connection, last      it is not used any more but by those who still call Handled
//
// F1  A message on its way to a handler refers to its Inflow and not to its connection: to count
//     references would hand the count to and fro between two threads for every message. An Inflow
//     lives until the connection has dropped it and all that was taken is handled. Close subtracts
//     from `handled_` all that was taken, and one for the connection, which Drop adds: so it comes to 0
//     once, and whoever brought it there deletes it.
// F2  Credit is due when `handled_` comes past a multiple of the portion. Whoever does so is one thread, and
//     tells the session, which then returns all there is. So what is not returned is less than a portion,
//     at most a quarter of the window. (A sender waits for it if the rest of the window is mail that nobody reads.)
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "troupe/actors/actor_ref.h"

namespace troupe::internal {

class Session;

class Inflow {
 public:
  explicit Inflow(uint32_t window) : window_(window), portion_(window < 8 ? 1 : window / 4) {}
  Inflow(const Inflow&) = delete;
  Inflow& operator=(const Inflow&) = delete;

  void set_session(const ActorRef<Session>& session) { session_ = session; }  // before Take
  // False: that was more than its credit, or for those that need none (handover.h, H4), than twice that.
  bool Take(size_t bytes, bool ahead);
  void Handled(size_t bytes);
  uint64_t TakeCredit();
  bool is_credit_due() const { return Owed() >= portion_; }
  void Close();
  void Drop();

 private:
  ~Inflow() = default;
  int64_t Owed() const;

  const int64_t window_;
  const int64_t portion_;
  ActorRef<Session> session_;

  // ---- the link's thread
  int64_t taken_ = 0;
  int64_t known_ = 0;  // of handled_, the last time it was looked at
  bool closed_ = false;

  // ---- any thread, mostly those of handlers
  alignas(64) std::atomic<int64_t> handled_{0};
  std::atomic<int64_t> credited_{0};
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_
