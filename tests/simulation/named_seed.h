// NamedSeed: the seed that a program of random operations came from is on stderr however it ends.
#ifndef TROUPE_TESTS_SIMULATION_NAMED_SEED_H_
#define TROUPE_TESTS_SIMULATION_NAMED_SEED_H_

#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef TROUPE_SANITIZER
#include <sanitizer/common_interface_defs.h>
#endif

namespace troupe {

// While one exists, a signal that ends the process, be it a crash, an assertion, or the SIGTERM of a
// test runner that has waited long enough, and the report of a sanitizer name the seed.
//
//   const NamedSeed named(seed);
//
// One at a time.
class NamedSeed {
 public:
  explicit NamedSeed(uint64_t seed) {
    [[maybe_unused]] static const bool once = Install();
    Current() = seed;
  }
  NamedSeed(const NamedSeed&) = delete;
  NamedSeed& operator=(const NamedSeed&) = delete;
  ~NamedSeed() { Current() = 0; }

 private:
  static constexpr std::array kDeadly{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTERM};

  // A handler has no other way to it than a global.
  static std::atomic<uint64_t>& Current() {
    static std::atomic<uint64_t> seed = 0;
    return seed;
  }
  static std::array<struct sigaction, kDeadly.size()>& Before() {
    static std::array<struct sigaction, kDeadly.size()> before;
    return before;
  }

  static bool Install() {
    Current();
    struct sigaction ours{};
    ours.sa_sigaction = &OnSignal;
    ours.sa_flags = SA_SIGINFO;
    for (size_t i = 0; i < kDeadly.size(); ++i) sigaction(kDeadly[i], &ours, &Before()[i]);
#ifdef TROUPE_SANITIZER
    __sanitizer_set_death_callback(&Say);
#endif
    return true;
  }
  // Then whoever had the signal before has it. A fault comes again by itself, with its address.
  static void OnSignal(int signal, siginfo_t* info, void*) {
    Say();
    for (size_t i = 0; i < kDeadly.size(); ++i) {
      if (kDeadly[i] == signal) sigaction(signal, &Before()[i], nullptr);
    }
    if (info->si_code <= 0) raise(signal);  // somebody sent it
  }
  // Calls only what a signal handler may.
  static void Say() {
    const uint64_t seed = Current();
    if (seed == 0) return;
    std::array<char, 64> text{"seed "};
    char* const digits = text.data() + std::strlen(text.data());
    char* end = std::to_chars(digits, text.data() + text.size() - 1, seed).ptr;
    *end++ = '\n';
    [[maybe_unused]] const auto written =
        write(STDERR_FILENO, text.data(), static_cast<size_t>(end - text.data()));
  }
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_NAMED_SEED_H_
