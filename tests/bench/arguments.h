// Arguments of a benchmark program: numbers by position, options as key=value.
#ifndef TROUPE_TESTS_BENCH_ARGUMENTS_H_
#define TROUPE_TESTS_BENCH_ARGUMENTS_H_

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace troupe::bench {

class Arguments {
 public:
  // Numbers are positive; an option may be given once. An error says what is wrong with which word.
  static absl::StatusOr<Arguments> Parse(const std::vector<std::string>& words);

  // An error if there are more numbers than `most`, or an option that is not among `known`.
  absl::Status Allow(size_t most, std::initializer_list<std::string_view> known) const;

  // The number at that position, or `fallback`. Remembers which numbers were in force.
  int64_t Number(size_t position, int64_t fallback);
  int64_t NumberOption(const std::string& key, int64_t fallback) const;
  std::string Option(const std::string& key, const std::string& fallback) const;

  const std::vector<int64_t>& numbers() const { return numbers_; }
  // The numbers in force, as a result line shows them: "100,5000000".
  std::string Numbers() const;

 private:
  std::vector<int64_t> numbers_;
  std::map<std::string, std::string> options_;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_ARGUMENTS_H_
