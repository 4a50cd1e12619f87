// Asks, in a handler, with a message that has no reply type.
#include <cstdint>

#include "troupe/troupe.h"

struct Balance {};
struct Audit {};

class Account {
 public:
  void On(Balance) {}
};

class Auditor {
 public:
  explicit Auditor(troupe::Recipient<Balance> account) : account_(account) {}
  void On(Audit, troupe::Context& self) {
    account_.Ask(Balance{}).Then(self, [](absl::StatusOr<int64_t> cents) { (void)cents; });
  }

 private:
  troupe::Recipient<Balance> account_;
};

void Use(troupe::ActorRef<Auditor> auditor) { auditor.Send(Audit{}); }
