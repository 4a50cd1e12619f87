// Producers and consumers, and a bounded buffer between them.
#include <algorithm>
#include <bit>
#include <cmath>
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/finish.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

// So many logarithms to make one item, and as many to consume it.
constexpr int64_t kCost = 25 * 100;

double Process(double item) {
  RandomNumbers random(kCost);
  for (int64_t i = 0; i < kCost; ++i) {
    item += std::log(0.01 + static_cast<double>(random.Below(1000)) / 1000);
  }
  return item;
}

// Of the bits of items: exact, and the same in whatever order they come.
class Checksum {
 public:
  void Add(double item) { sum_ += std::bit_cast<uint64_t>(item); }
  int64_t Times(int64_t n) const { return static_cast<int64_t>(sum_ * static_cast<uint64_t>(n)); }

 private:
  uint64_t sum_ = 0;
};

struct Put {
  using Reply = void;  // go on and make the next one
  double item;
};
struct Take {
  using Reply = std::optional<double>;  // nothing: there will be no more
};
struct Leave {};  // a producer has made its last item
struct GetPeak {
  using Reply = int64_t;
};

class Buffer {
 public:
  // A producer whose item finds so many others waiting has to wait, too.
  Buffer(int64_t limit, int64_t producers) : limit_(limit), producers_left_(producers) {}

  void On(Put put, Reply<void> producer) {
    items_.push_back(put.item);
    HandOut();
    const int64_t waiting = std::ssize(items_);
    peak_ = std::max(peak_, waiting);
    if (waiting < limit_) return producer.Send();
    producers_.push_back(std::move(producer));
  }
  void On(Take, Reply<std::optional<double>> consumer) {
    consumers_.push_back(std::move(consumer));
    HandOut();
  }
  void On(Leave) {
    --producers_left_;
    HandOut();
  }
  int64_t On(GetPeak) { return peak_; }

 private:
  void HandOut() {
    for (; !items_.empty() && !consumers_.empty(); items_.pop_front(), consumers_.pop_front()) {
      consumers_.front().Send(items_.front());
      LetOneProduce();
    }
    if (producers_left_ > 0) return;
    for (; !consumers_.empty(); consumers_.pop_front()) consumers_.front().Send(std::nullopt);
  }
  void LetOneProduce() {
    if (producers_.empty()) return;
    producers_.front().Send();
    producers_.pop_front();
  }

  const int64_t limit_;
  int64_t producers_left_;
  int64_t peak_ = 0;
  std::deque<double> items_;
  std::deque<Reply<void>> producers_;
  std::deque<Reply<std::optional<double>>> consumers_;
};

class Producer {
 public:
  Producer(ActorRef<Buffer> buffer, int64_t items) : buffer_(buffer), left_(items) {}

  void On(Start, Context& self) { Produce(self); }

 private:
  void Produce(Context& self) {
    if (left_-- == 0) {
      buffer_.Send(Leave{});
      return;
    }
    item_ = Process(item_);
    // Were it refused, the checksum would miss it.
    buffer_.Ask(Put{item_}, absl::InfiniteDuration())
        .Then(self, [this](const absl::Status&, Context& me) { Produce(me); });
  }

  const ActorRef<Buffer> buffer_;
  int64_t left_;
  double item_ = 0;
};

class Consumer {
 public:
  Consumer(Finish& finish, ActorRef<Buffer> buffer) : finish_(finish), buffer_(buffer) {}

  void On(Start, Context& self) { TakeNext(self); }

 private:
  using Item = absl::StatusOr<std::optional<double>>;

  void TakeNext(Context& self) {
    buffer_.Ask(Take{}, absl::InfiniteDuration()).Then(self, [this](Item item, Context& me) {
      if (!item.ok() || !item->has_value()) return finish_.Done(checksum_.Times(1));
      checksum_.Add(**item);
      consumed_ = Process(consumed_ + **item);
      TakeNext(me);
    });
  }

  Finish& finish_;
  const ActorRef<Buffer> buffer_;
  double consumed_ = 0;
  Checksum checksum_;
};

// All producers make the same items.
Checksum ItemsOfOne(int64_t n) {
  Checksum checksum;
  double item = 0;
  for (int64_t i = 0; i < n; ++i) checksum.Add(item = Process(item));
  return checksum;
}

}  // namespace

// PRODUCERS make ITEMS each and put them into a buffer, CONSUMERS take them out; both work on every
// item for a while. A producer waits when the items in the buffer and those that other producers may
// be making come to BUFFER, a consumer when there is nothing to take. op = item, 4 messages.
absl::StatusOr<Result> BoundedBuffer(Arguments& arguments) {
  const int64_t size = arguments.Number(0, 50);
  const int64_t producers = arguments.Number(1, 40);
  const int64_t consumers = arguments.Number(2, 40);
  const int64_t items = arguments.Number(3, 1000);
  if (size <= producers) return absl::InvalidArgumentError("BUFFER must exceed PRODUCERS");
  Measurement measurement;
  Finish finish(measurement, consumers);
  System system(OptionsOf(arguments));
  auto buffer = system.Spawn<Buffer>(size - producers, producers);
  measurement.Begin();
  for (int64_t i = 0; i < consumers; ++i) system.Spawn<Consumer>(finish, buffer).Send(Start{});
  for (int64_t i = 0; i < producers; ++i) system.Spawn<Producer>(buffer, items).Send(Start{});
  const int64_t checksum = measurement.Await();
  const absl::StatusOr<int64_t> peak = buffer.Ask(GetPeak{}).Wait();
  if (!peak.ok()) return peak.status();
  const absl::Status checked =
      Expect({{"checksum of the items", checksum, ItemsOfOne(items).Times(producers)},
              {"items beyond the bound", std::max<int64_t>(*peak - size, 0), 0}});
  if (!checked.ok()) return checked;
  return Result{measurement.seconds(), producers * items, ""};
}

}  // namespace troupe::bench
