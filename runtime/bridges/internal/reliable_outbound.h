// ReliableOutbound: the actor that numbers, keeps and sends what a ReliableSender is given.
//
// S1  unacknowledged_ has the messages first_, first_ + 1, ... that have not been acknowledged; each keeps its
//     number as long as the channel lives.
// S2  Within one attempt they are sent in order, each once, after Resume has said where to begin. An attempt
//     ends with the first failure. Answers of earlier attempts still acknowledge: what was taken stays taken.
// S3  Whatever is not acknowledged when the channel ends is reported: in the status, and as dead letters.
// S4  At most window_ messages are here: those that are kept and those for which room was promised.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_OUTBOUND_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_OUTBOUND_H_

#include <cstdint>
#include <deque>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/reply.h"
#include "troupe/runtime/bridges/reliable_port.h"

namespace troupe::internal {

class ReliableOutbound {
 public:
  struct Put {
    std::string message;  // encoded
  };
  // Answered with a number of Puts that are allowed; the one before must have been used up.
  struct AwaitRoom {
    using Reply = uint32_t;
  };
  struct Flush {
    Reply<void> reply;
  };
  struct TryAgain {};
  struct Check {};

  // `lose`: makes a dead letter of what a Put had.
  ReliableOutbound(const ReliablePort& to, uint64_t type, void (*lose)(std::string_view encoded),
                   uint32_t window, absl::Duration give_up_after);

  void OnStart(Context& self);
  void OnStop();
  void On(Put m, Context& self);
  void On(AwaitRoom, Reply<uint32_t> reply);
  void On(Flush m);
  void On(TryAgain, Context& self) { Resume(self); }
  void On(Check, Context& self);
  void On(const Down& down, Context& self);

 private:
  void Resume(Context& self);
  void SendNumber(uint64_t number, Context& self);
  void Acknowledge(uint64_t next, Context& self);
  void GiveRoom();
  void Broken(const absl::Status& why, Context& self);
  void GiveUp(const absl::Status& why, Context& self);

  const ReliablePort to_;
  const uint64_t channel_;
  const uint64_t type_;
  void (*const lose_)(std::string_view);
  const uint32_t window_;
  const absl::Duration give_up_after_;

  std::deque<std::vector<unsigned char>> unacknowledged_;  // S1
  uint64_t first_ = 1;
  uint32_t promised_ = 0;  // S4
  Reply<uint32_t> wants_room_;
  std::deque<std::pair<uint64_t, Reply<void>>> flushes_;  // when first_ is beyond the number

  bool fresh_ = true;        // nothing was ever sent
  uint64_t attempt_ = 0;     // S2
  bool is_open_ = false;     // this attempt's Resume has been answered
  int failures_ = 0;         // since something was acknowledged
  bool is_checked_ = false;  // a Check is under way
  absl::Time progress_;      // when something was acknowledged, or the first message came
  std::mt19937_64 random_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_RELIABLE_OUTBOUND_H_
