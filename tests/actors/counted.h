// Counted: how many of its kind there are, so that a test can say that nothing was leaked or
// destroyed twice.
#ifndef TROUPE_TESTS_ACTORS_COUNTED_H_
#define TROUPE_TESTS_ACTORS_COUNTED_H_

#include <atomic>
#include <cstdint>

namespace troupe {

// `Tag` keeps the counts of two tests apart.
template <class Tag>
class Counted {
 public:
  Counted() { constructed_.fetch_add(1); }
  Counted(const Counted&) { constructed_.fetch_add(1); }
  Counted(Counted&&) noexcept { constructed_.fetch_add(1); }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { destroyed_.fetch_add(1); }

  static int64_t constructed() { return constructed_.load(); }
  static int64_t alive() { return constructed_.load() - destroyed_.load(); }

 private:
  static inline std::atomic<int64_t> constructed_{0};
  static inline std::atomic<int64_t> destroyed_{0};
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_COUNTED_H_
