// ./bazelw run //examples:bounded_buffer
//
// Producers and consumers around a buffer with room for four. Put is answered when the item is in, Get
// when there is one: who has to wait waits for an answer, not in a thread and not with a lock. What the
// buffer cannot do now its state postpones.
#include <algorithm>
#include <deque>
#include <iostream>

#include "troupe/troupe.h"

struct Put {
  using Reply = void;
  int item;
};
struct Got {
  int item;
  size_t held;  // items in the buffer, with this one
};
struct Get {
  using Reply = Got;
};

struct Empty {};
struct Some {};
struct Full {};

class Buffer {
 public:
  static constexpr size_t kRoom = 4;
  troupe::Postponed On(Empty&, Get);
  troupe::Postponed On(Full&, const Put&);

  // Here the buffer has room, or an item.
  void On(Put m, troupe::Context& self) {
    items_.push_back(m.item);
    Settle(self);
  }
  Got On(Get, troupe::Context& self) {
    const Got got{items_.front(), items_.size()};
    items_.pop_front();
    Settle(self);
    return got;
  }

  troupe::StateMachine<Empty, Some, Full> state;

 private:
  void Settle(troupe::Context& self) {
    if (items_.empty()) return state.Become(Empty{}, self);
    if (items_.size() == kRoom) return state.Become(Full{}, self);
    if (!state.Is<Some>()) state.Become(Some{}, self);
  }

  std::deque<int> items_;
};

class Producer {
 public:
  Producer(troupe::ActorRef<Buffer> buffer, int items) : buffer_(buffer), left_(items) {}
  void OnStart(troupe::Context& self) { Produce(self); }

 private:
  void Produce(troupe::Context& self) {
    if (left_ == 0) return self.Stop();
    buffer_.Ask(Put{left_--}).Then(self, [this](absl::Status, troupe::Context& self) {
      Produce(self);
    });
  }

  troupe::ActorRef<Buffer> buffer_;
  int left_;
};

int main() {
  constexpr int kProducers = 3, kItems = 1000;
  troupe::System system;
  auto buffer = system.Spawn<Buffer>();
  for (int i = 0; i < kProducers; ++i) system.Spawn<Producer>(buffer, kItems);

  long sum = 0;
  size_t most = 0;
  for (int i = 0; i < kProducers * kItems; ++i) {
    const Got got = buffer.Ask(Get{}).Wait().value();
    sum += got.item;
    most = std::max(most, got.held);
  }
  std::cout << "consumed " << kProducers * kItems << " items, their sum is " << sum << "\n"
            << (most <= Buffer::kRoom ? "never more than " : "MORE THAN ") << Buffer::kRoom
            << " at once were in the buffer\n";
}
