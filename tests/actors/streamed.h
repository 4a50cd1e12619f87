// Streamed: what the tests of streams have in common.
#ifndef TROUPE_TESTS_ACTORS_STREAMED_H_
#define TROUPE_TESTS_ACTORS_STREAMED_H_

#include <cstdint>
#include <optional>
#include <ranges>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/actors/simulated.h"
#include "troupe/troupe.h"

namespace troupe {

inline stream::Source<int> UpTo(int n) { return stream::From(std::views::iota(0, n)); }
inline stream::Source<int> Endless(ActorOptions actor = {}) {
  return stream::Generate([n = 0]() mutable { return std::optional<int>(n++); }, std::move(actor));
}
inline std::vector<int> Numbers(int n) {
  const auto numbers = std::views::iota(0, n);
  return {numbers.begin(), numbers.end()};
}

class Streamed : public Simulated {
 protected:
  // What becomes of `who`, once it has.
  std::optional<Down>& Watch(const AnyRef& who) {
    struct Watcher {
      AnyRef who;
      std::optional<Down>& end;
      void OnStart(Context& self) { self.Watch(who); }
      void On(Down down) { end = std::move(down); }
    };
    auto& end = Keep<std::optional<Down>>();
    (void)system_.Spawn(Watcher{who, end});
    ++watchers_;
    return end;
  }
  // Runs until nobody has anything to do.
  std::optional<Down> Watched(const AnyRef& who) {
    auto& end = Watch(who);
    Run();
    return end;
  }
  uint64_t watchers() const { return watchers_; }

  AnyRef Named(std::string_view name) const {
    for (const ActorStats& actor : system_.actors()) {
      if (actor.name == name) return actor.ref;
    }
    return {};
  }

 private:
  uint64_t watchers_ = 0;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_STREAMED_H_
