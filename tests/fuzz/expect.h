// For fuzzers: what must hold for every input.
#ifndef TROUPE_TESTS_FUZZ_EXPECT_H_
#define TROUPE_TESTS_FUZZ_EXPECT_H_

#include <cstdio>
#include <cstdlib>

// Ends the process, which is how a fuzzer learns of it, with the place and the condition.
#define EXPECT_OR_ABORT(condition)                                                        \
  do {                                                                                    \
    if (!(condition)) {                                                                   \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                       \
    }                                                                                     \
  } while (false)

#endif  // TROUPE_TESTS_FUZZ_EXPECT_H_
