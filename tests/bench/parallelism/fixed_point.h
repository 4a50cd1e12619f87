// FixedPoint: a number, not negative, with 32 bits before the point and any number of them behind.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_FIXED_POINT_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_FIXED_POINT_H_

#include <algorithm>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::bench {

// All operands have the same number of limbs (of 32 bits) behind the point. Results are rounded
// down; those that would be negative or too large wrap.
class FixedPoint {
 public:
  FixedPoint(uint32_t whole, size_t limbs) : limbs_(limbs + 1) { limbs_[0] = whole; }

  FixedPoint& operator+=(const FixedPoint& other) {
    uint64_t carry = 0;
    for (size_t i = limbs_.size(); i-- > 0;) {
      carry += uint64_t{limbs_[i]} + other.limbs_[i];
      limbs_[i] = static_cast<uint32_t>(carry);
      carry >>= 32;
    }
    return *this;
  }

  FixedPoint& operator-=(const FixedPoint& other) {
    uint64_t borrow = 0;
    for (size_t i = limbs_.size(); i-- > 0;) {
      const uint64_t difference = uint64_t{limbs_[i]} - other.limbs_[i] - borrow;
      limbs_[i] = static_cast<uint32_t>(difference);
      borrow = difference >> 63;
    }
    return *this;
  }

  FixedPoint& operator/=(uint32_t divisor) {
    uint64_t rest = 0;
    for (uint32_t& limb : limbs_) {
      rest = rest << 32 | limb;
      limb = static_cast<uint32_t>(rest / divisor);
      rest %= divisor;
    }
    return *this;
  }

  FixedPoint& operator>>=(size_t bits) {
    const size_t whole = std::min(bits / 32, limbs_.size());
    limbs_.insert(limbs_.begin(), whole, 0);
    limbs_.resize(limbs_.size() - whole);
    return *this /= uint32_t{1} << bits % 32;
  }

  // The largest limb comes first.
  friend auto operator<=>(const FixedPoint&, const FixedPoint&) = default;

 private:
  std::vector<uint32_t> limbs_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_FIXED_POINT_H_
