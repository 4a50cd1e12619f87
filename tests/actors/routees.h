// RouterTest and GroupTest: what the tests of routers have in common.
#ifndef TROUPE_TESTS_ACTORS_ROUTEES_H_
#define TROUPE_TESTS_ACTORS_ROUTEES_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "troupe/actors/router.h"
#include "troupe/actors/routing.h"
#include "troupe/troupe.h"

namespace troupe {

using RouterTest = Simulated;
using Counts = std::vector<int>;

struct Job {
  int n = 0;
};
struct Parcel {  // move-only
  std::unique_ptr<int> content;
};
struct Query {
  using Reply = std::string;
  int key = 0;
};
struct Hold {
  using Reply = int;
};
struct End {};

// What each routee got.
using Log = std::vector<std::vector<int>>;

class Routee {
 public:
  Routee(Log& log, size_t me) : log_(log), me_(me) {}
  void On(Job job) { log_[me_].push_back(job.n); }
  void On(Parcel parcel) { log_[me_].push_back(*parcel.content); }
  std::string On(Query) { return std::to_string(me_); }
  void On(End, Context& self) { self.Stop(); }

 private:
  Log& log_;
  const size_t me_;
};

using JobGroup = Group<Job, Parcel, Query>;

class GroupTest : public Simulated {
 protected:
  // A routee that writes into log_[its number].
  ActorRef<Routee> Make(const ActorOptions& options = {}) {
    log_.emplace_back();
    routees_.push_back(system_.Spawn<Routee>(options, log_, log_.size() - 1));
    return routees_.back();
  }
  void Fill(const JobGroup& group, int routees) {
    for (int i = 0; i < routees; ++i) ASSERT_TRUE(group.Add(Make()));
  }
  Counts GotEach() {
    Run();
    Counts counts;
    for (const auto& got : log_) counts.push_back(static_cast<int>(got.size()));
    return counts;
  }

  Log& log_ = Keep<Log>();
  std::vector<ActorRef<Routee>> routees_;
};

// A key that all the messages above have.
inline auto ByNumber() {
  return ByKey([](const auto& m) {
    if constexpr (requires { m.n; }) {
      return m.n;
    } else if constexpr (requires { m.key; }) {
      return m.key;
    } else {
      return *m.content;
    }
  });
}

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_ROUTEES_H_
