// Inflow: how much a peer has sent over one connection, and how much of that has left its mailbox; an Account,
// the same for one target.
//
//   Operation   Who                       Effect
//   Take        the link's thread         so many bytes more have arrived for a target
//   Handled     any thread                so many of them have left a mailbox; tells the session when credit
//                                         is due
//   NoteBlocked the link's thread         the peer waits for the credit of a target
//   TakeCredit  any thread                what has been handled, and the peer has not been told
//   Close       the link's thread, once   nothing arrives any more
//   Drop        the connection, last      it is not used any more but by those who still call Handled
//
// F1  A message on its way to a handler refers to its account and not to its connection: to count
//     references would hand the count to and fro between two threads for every message. An Inflow
//     lives until the connection has dropped it and all that was taken is handled. Close subtracts
//     from `handled_` all that was taken, and one for the connection, which Drop adds: so it comes to 0
//     once, and whoever brought it there deletes it. Accounts are part of it: one of which all has been returned
//     may become another target's, but is no other object's memory while anybody is in Handled.
// F2  Credit is due when `handled_` comes past a multiple of the portion. Whoever does so is one thread, and
//     tells the session, which then returns all there is. So what is not returned is less than a portion, at most
//     a quarter of the window, and what was handled while its account was just being linked.
// F3  An account with something owed is in the list of `owing_`, or its first byte's Handled is about to link
//     it. Who takes the list takes all of it, and reads of an account what he needs before he
//     takes what it owes: then it may be linked again. What it has credited he adds last: then it may be reused.
// F4  A peer that waits for a target says so behind what it sent there, and once until credit for that comes. It is
//     due then when half of what that target has outstanding is handled; if it says that nothing goes at
//     all (target 0), as soon as anything is. NoteBlocked writes what is due and then looks at what is owed;
//     Handled adds to what is owed, links, and then looks at what is due. All these are seq_cst, so
//     one of them sees both. TakeCredit resets what is due before it takes what is owed; that is then told to the peer,
//     which says once more that it waits, if it does. So no wait is forgotten, whatever overtakes what.
//     (tests/models/credit.pml)
// F5  `asked_` is set by who has told the session, and reset by TakeCredit before it takes. Who finds it
//     set is seen by that TakeCredit.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "troupe/actors/actor_ref.h"
#include "troupe/runtime/bridges/internal/credit.h"

namespace troupe::internal {

class Session;

class Inflow {
 public:
  class Account;

  explicit Inflow(uint32_t window) : window_(window), portion_(window < 8 ? 1 : window / 4) {}
  Inflow(const Inflow&) = delete;
  Inflow& operator=(const Inflow&) = delete;

  void set_session(const ActorRef<Session>& session) { session_ = session; }  // before Take
  // nullptr: that was more than its credit, or for those that need none (handover.h, H4), than twice that.
  // Whether its shares of the window are fair is the peer's affair: ours is how much it is in all.
  Account* Take(uint64_t target, size_t bytes, bool ahead);
  void NoteBlocked(uint64_t target);
  std::vector<Credit> TakeCredit();
  bool is_credit_due() const { return asked_.load() || Owed() >= portion_; }
  void Close();
  void Drop();

 private:
  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  ~Inflow() = default;
  int64_t Owed() const;
  Account& AccountOf(uint64_t target);
  Account& NewAccount(uint64_t target);
  bool Ask() { return !asked_.exchange(true); }  // F5: true, the session has not been told yet
  void Link(Account& account);
  bool is_beyond(int64_t now, int64_t more) const;

  const int64_t window_;
  const int64_t portion_;
  ActorRef<Session> session_;
  std::atomic<bool> is_exhausted_{false};  // F4, target 0

  // ---- the link's thread
  alignas(64) int64_t taken_ = 0;
  int64_t known_ = 0;  // of handled_, the last time it was looked at
  bool closed_ = false;
  Account* last_ = nullptr;  // a stream is to one
  absl::flat_hash_map<uint64_t, Account*> accounts_;
  size_t sweep_at_ = 16;
  std::vector<Account*> unused_;
  std::deque<Account>
      storage_;  // twice as many, at most, as ever had something outstanding at once

  // ---- any thread, mostly those of handlers
  alignas(64) std::atomic<int64_t> handled_{0};
  std::atomic<int64_t> credited_{0};
  std::atomic<Account*> owing_{nullptr};  // F3
  std::atomic<bool> asked_{false};
};

class alignas(64) Inflow::Account {
 public:
  explicit Account(Inflow& inflow) : inflow_(inflow) {}
  void Handled(size_t bytes);

 private:
  friend class Inflow;  // of which it is a part

  Inflow& inflow_;
  // ---- any thread, mostly those of handlers
  std::atomic<int64_t> owed_{0};
  std::atomic<int64_t> due_{kNever};  // F4
  std::atomic<int64_t> credited_{0};
  Account* next_ = nullptr;  // who links it, and then who has taken the list

  // ---- the link's thread
  alignas(64) int64_t taken_ = 0;
  uint64_t target_ = 0;  // changed when it is not in use
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_INFLOW_H_
