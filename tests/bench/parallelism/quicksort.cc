// Quicksort by a tree of actors.
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/parallelism/parallelism.h"
#include "troupe/tests/bench/parallelism/sorting.h"

namespace troupe::bench {
namespace {

using Numbers = std::vector<int64_t>;

enum class Side { kLess, kGreater };

struct Unsorted {
  Numbers numbers;
};
struct Sorted {
  Side side;
  Numbers numbers;
};

class Sorter {
 public:
  Sorter(Recipient<Sorted> parent, Side side, int64_t limit)
      : parent_(parent), side_(side), limit_(limit) {}

  void On(Unsorted unsorted, Context& self) {
    equal_ = std::move(unsorted.numbers);
    if (std::ssize(equal_) < limit_) {
      std::sort(equal_.begin(), equal_.end());
      Tell(self);
    } else {
      Divide(self);
    }
  }
  void On(Sorted sorted, Context& self) {
    (sorted.side == Side::kLess ? less_ : greater_) = std::move(sorted.numbers);
    if (--missing_ > 0) return;
    less_.insert(less_.end(), equal_.begin(), equal_.end());
    less_.insert(less_.end(), greater_.begin(), greater_.end());
    equal_ = std::move(less_);
    Tell(self);
  }

 private:
  // Leaves what is equal to the pivot here and gives the rest to two children.
  void Divide(Context& self) {
    const int64_t pivot = equal_[equal_.size() / 2];
    Give(Side::kLess, [pivot](int64_t n) { return n < pivot; }, self);
    Give(Side::kGreater, [pivot](int64_t n) { return n > pivot; }, self);
    std::erase_if(equal_, [pivot](int64_t n) { return n != pivot; });
  }
  template <class Predicate>
  void Give(Side side, Predicate belongs, Context& self) {
    Numbers numbers;
    std::copy_if(equal_.begin(), equal_.end(), std::back_inserter(numbers), belongs);
    self.Spawn<Sorter>(self.ref(this), side, limit_).Send(Unsorted{std::move(numbers)});
  }
  void Tell(Context& self) {
    parent_.Send(Sorted{side_, std::move(equal_)});
    self.Stop();
  }

  const Recipient<Sorted> parent_;
  const Side side_;
  const int64_t limit_;
  int missing_ = 2;
  Numbers less_;
  Numbers equal_;
  Numbers greater_;
};

}  // namespace

// Sorts N numbers. An actor divides what it gets by a pivot between two new ones and puts together
// what they answer, or sorts less than LIMIT numbers itself. Checks the result against std::sort.
// op = number.
absl::StatusOr<Result> Quicksort(Arguments& arguments) {
  const int64_t n = arguments.Number(0, 1'000'000);
  const int64_t limit = arguments.Number(1, 2'048);
  Numbers numbers = RandomValues(n, 60, 1024);
  Numbers sorted;
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto receiver = system.Spawn([&sorted, &measurement](Sorted result) {
    sorted = std::move(result.numbers);
    measurement.End(std::ssize(sorted));
  });
  auto root = system.Spawn<Sorter>(receiver, Side::kLess, limit);
  Unsorted unsorted{numbers};
  measurement.Begin();
  root.Send(std::move(unsorted));
  if (absl::Status s = Expect("numbers", measurement.Await(), n); !s.ok()) return s;
  std::sort(numbers.begin(), numbers.end());
  if (sorted != numbers) return absl::InternalError("not sorted");
  return Result{measurement.seconds(), n, ""};
}

}  // namespace troupe::bench
