// WordTable: how often each word occurs. A word is a run of ASCII letters; case does not count.
#ifndef TROUPE_EXAMPLES_WORD_TABLE_H_
#define TROUPE_EXAMPLES_WORD_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"

class WordTable {
 public:
  using Entry = std::pair<std::string, int64_t>;

  void Add(std::string_view text) {
    std::string word;
    for (char c : text) {
      if (absl::ascii_isalpha(c)) {
        word += absl::ascii_tolower(c);
      } else if (!word.empty()) {
        ++counts_[word];
        word.clear();
      }
    }
    if (!word.empty()) ++counts_[word];
  }

  void Add(const WordTable& other) {
    for (const auto& [word, count] : other.counts_) counts_[word] += count;
  }

  // The most frequent words, most frequent first, equally frequent ones in alphabetical order.
  std::vector<Entry> Top(size_t n) const {
    std::vector<Entry> top(std::min(n, counts_.size()));
    std::partial_sort_copy(counts_.begin(), counts_.end(), top.begin(), top.end(),
                           [](const auto& a, const auto& b) {
                             return a.second != b.second ? a.second > b.second : a.first < b.first;
                           });
    return top;
  }

 private:
  absl::flat_hash_map<std::string, int64_t> counts_;
};

#endif  // TROUPE_EXAMPLES_WORD_TABLE_H_
