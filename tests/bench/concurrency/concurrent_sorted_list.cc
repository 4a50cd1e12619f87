// Many add to and look into one sorted linked list, which an actor holds.
#include <algorithm>
#include <forward_list>
#include <iterator>
#include <variant>
#include <vector>

#include "troupe/tests/bench/concurrency/client.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"

namespace troupe::bench {
namespace {

constexpr int64_t kValues = 65'536;

struct Add {
  using Reply = int64_t;
  int64_t value;
  bool Fits(int64_t answer) const { return answer == value; }
};
struct Contains {
  using Reply = int64_t;
  int64_t value;
  bool Fits(int64_t answer) const { return answer == 0 || answer == 1; }
};
struct GetSize {
  using Reply = int64_t;
  int64_t at_least;
  bool Fits(int64_t answer) const { return answer >= at_least; }
};

struct Contents {
  std::vector<int64_t> values;
  int64_t requests = 0;
};
struct GetContents {
  using Reply = Contents;
};

class SortedList {
 public:
  int64_t On(Add add) {
    ++requests_;
    auto before = values_.before_begin();
    for (auto at = values_.begin(); at != values_.end() && *at <= add.value; ++at) before = at;
    return *values_.insert_after(before, add.value);
  }
  int64_t On(Contains contains) {
    ++requests_;
    auto at = values_.begin();
    while (at != values_.end() && *at < contains.value) ++at;
    return at != values_.end() && *at == contains.value;
  }
  // A list does not know its size: it counts.
  int64_t On(GetSize) {
    ++requests_;
    return std::distance(values_.begin(), values_.end());
  }
  Contents On(GetContents) { return {{values_.begin(), values_.end()}, requests_}; }

 private:
  std::forward_list<int64_t> values_;
  int64_t requests_ = 0;
};

// How many of 100 requests are not Contains.
struct Mix {
  int64_t add_percent;
  int64_t size_percent;
};

// What one entity asks for: the same in every run.
class Requests {
 public:
  Requests(int64_t entity, Mix mix) : random_(static_cast<uint64_t>(entity)), mix_(mix) {}

  std::variant<Add, Contains, GetSize> Next() {
    const int64_t percent = random_.Below(100);
    if (percent < mix_.size_percent) return GetSize{added_};
    const int64_t value = random_.Below(kValues);
    if (percent >= mix_.size_percent + mix_.add_percent) return Contains{value};
    ++added_;
    return Add{value};
  }

 private:
  RandomNumbers random_;
  const Mix mix_;
  int64_t added_ = 0;  // the list has these, at least
};

// What the list must have in the end, whatever the order was.
std::vector<int64_t> WantedValues(int64_t entities, int64_t n, Mix mix) {
  std::vector<int64_t> values;
  for (int64_t entity = 0; entity < entities; ++entity) {
    Requests requests(entity, mix);
    for (int64_t i = 0; i < n; ++i) {
      const auto request = requests.Next();
      if (const Add* const add = std::get_if<Add>(&request)) values.push_back(add->value);
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

absl::Status Check(const absl::StatusOr<Contents>& got, int64_t requests,
                   const std::vector<int64_t>& values) {
  if (!got.ok()) return got.status();
  return Expect({{"requests", got->requests, requests},
                 {"size", std::ssize(got->values), std::ssize(values)},
                 {"values added, in order", got->values == values, true}});
}

}  // namespace

// ENTITIES send requests to one sorted linked list, MESSAGES times each, the next when the answer is
// there: WRITE% of them add a random value, SIZE% have it count its values, the others
// ask whether it has a random value. op = request, 2 messages.
absl::StatusOr<Result> ConcurrentSortedList(Arguments& arguments) {
  const int64_t entities = arguments.Number(0, 20);
  const int64_t n = arguments.Number(1, 8000);
  const Mix mix{arguments.Number(2, 10), arguments.Number(3, 1)};
  if (mix.add_percent > 100 || mix.size_percent > 100 - mix.add_percent) {
    return absl::InvalidArgumentError("more than 100 percent of writes and counts");
  }
  return MeasureClients<SortedList>(
      arguments, entities, n, [&](int64_t entity) { return Requests(entity, mix); },
      [&](ActorRef<SortedList> list) {
        return Check(list.Ask(GetContents{}).Wait(), entities * n, WantedValues(entities, n, mix));
      });
}

}  // namespace troupe::bench
