// Many read from and write to one dictionary, which an actor holds.
#include <variant>

#include "absl/container/flat_hash_map.h"
#include "troupe/tests/bench/concurrency/client.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {
namespace {

constexpr int64_t kKeys = 524'287;

// A value leaves its key as the remainder, so whoever reads it can tell that it is in its place.
bool Belongs(int64_t value, int64_t key) { return value % kKeys == key; }

struct Read {
  using Reply = int64_t;
  int64_t key;
  bool Fits(int64_t answer) const { return Belongs(answer, key); }
};
struct Write {
  using Reply = int64_t;
  int64_t key;
  int64_t value;
  bool Fits(int64_t answer) const { return answer == value; }
};

// What a dictionary has been through and what it looks like now, as far as the order of the requests
// does not matter.
struct Inventory {
  int64_t reads = 0;
  int64_t writes = 0;
  int64_t sum_written = 0;
  int64_t changed = 0;    // entries that are not what they were at first
  int64_t misplaced = 0;  // entries whose value does not belong to their key
};
struct TakeInventory {
  using Reply = Inventory;
};

class Dictionary {
 public:
  Dictionary() {
    values_.reserve(kKeys);
    for (int64_t key = 0; key < kKeys; ++key) values_[key] = key;
  }
  int64_t On(Read read) {
    ++so_far_.reads;
    return values_[read.key];
  }
  int64_t On(Write write) {
    ++so_far_.writes;
    so_far_.sum_written += write.value;
    return values_[write.key] = write.value;
  }
  Inventory On(TakeInventory) {
    Inventory inventory = so_far_;
    for (const auto& [key, value] : values_) {
      if (value != key) ++inventory.changed;
      if (!Belongs(value, key)) ++inventory.misplaced;
    }
    return inventory;
  }

 private:
  absl::flat_hash_map<int64_t, int64_t> values_;
  Inventory so_far_;
};

// What one entity asks for: the same in every run.
class Requests {
 public:
  Requests(int64_t entity, int64_t write_percent)
      : random_(static_cast<uint64_t>(entity)), write_percent_(write_percent) {}

  std::variant<Read, Write> Next() {
    const bool write = random_.Below(100) < write_percent_;
    const int64_t key = random_.Below(kKeys);
    if (!write) return Read{key};
    return Write{key, key + kKeys * (1 + random_.Below(1000))};
  }

 private:
  RandomNumbers random_;
  const int64_t write_percent_;
};

// After the same requests, one at a time, to a dictionary that is no actor.
Inventory WantedInventory(int64_t entities, int64_t n, int64_t write_percent) {
  Dictionary dictionary;
  for (int64_t entity = 0; entity < entities; ++entity) {
    Requests requests(entity, write_percent);
    for (int64_t i = 0; i < n; ++i) {
      std::visit([&](auto request) { dictionary.On(request); }, requests.Next());
    }
  }
  return dictionary.On(TakeInventory{});
}

absl::Status Check(const absl::StatusOr<Inventory>& got, const Inventory& wanted) {
  if (!got.ok()) return got.status();
  return Expect({{"reads", got->reads, wanted.reads},
                 {"writes", got->writes, wanted.writes},
                 {"sum of the values written", got->sum_written, wanted.sum_written},
                 {"changed entries", got->changed, wanted.changed},
                 {"misplaced values", got->misplaced, 0}});
}

}  // namespace

// ENTITIES ask one dictionary to read or write a random entry, MESSAGES times each, the next when the
// answer is there; WRITE% of the requests are writes. op = request, 2 messages.
absl::StatusOr<Result> ConcurrentDictionary(Arguments& arguments) {
  const int64_t entities = arguments.Number(0, 20);
  const int64_t n = arguments.Number(1, 10'000);
  const int64_t write_percent = arguments.Number(2, 10);
  if (write_percent > 100) return absl::InvalidArgumentError("more than 100 percent of writes");
  return MeasureClients<Dictionary>(
      arguments, entities, n, [&](int64_t entity) { return Requests(entity, write_percent); },
      [&](ActorRef<Dictionary> dictionary) {
        return Check(dictionary.Ask(TakeInventory{}).Wait(),
                     WantedInventory(entities, n, write_percent));
      });
}

}  // namespace troupe::bench
