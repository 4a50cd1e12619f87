// A test of an actor outside of Troupe's tree, without a test framework: it links nothing but
// troupe::testing.
#include <iostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/seeds.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace {

struct Greet {
  std::string whom;
};
struct Line {
  std::string text;
};

class Greeter {
 public:
  explicit Greeter(troupe::Recipient<Line> out) : out_(out) {}
  void On(Greet greet) { out_.Send(Line{"hello, " + greet.whom}); }

 private:
  troupe::Recipient<Line> out_;
};

absl::Status GreetsByName(uint64_t seed) {
  troupe::testing::TestSystem system({.seed = seed});
  troupe::testing::Probe<Line> screen(system, "screen");
  system.Spawn<Greeter>(screen.ref()).Send(Greet{"world"});
  const absl::StatusOr<Line> line = screen.Expect<Line>();
  if (!line.ok()) return line.status();
  return line->text == "hello, world" ? absl::OkStatus() : absl::InternalError(line->text);
}

}  // namespace

int main() {
  const absl::Status result = troupe::testing::ForEachSeed(10, GreetsByName);
  std::cout << result << "\n";
  return result.ok() ? 0 : 1;
}
