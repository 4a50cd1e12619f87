// A continuation that wants to wait.
#include "troupe/troupe.h"

#ifdef __clang__

struct Read {
  using Reply = int;
};
struct Go {};

class Reader {
 public:
  explicit Reader(troupe::Recipient<Read> disk) : disk_(disk) {}
  void On(Go, troupe::Context& self) {
    disk_.Ask(Read{}).Then(self, [](absl::StatusOr<int>) -> troupe::Task<> {
      co_await troupe::Sleep(absl::Seconds(1));
    });
  }

 private:
  troupe::Recipient<Read> disk_;
};

#else  // GCC 12 has no coroutines for us, and says so
#include "troupe/core/task.h"
#endif
