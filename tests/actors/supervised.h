// Supervised: a test fixture for trees of SupervisedWorkers, each with a name to decide its fate by.
#ifndef TROUPE_TESTS_ACTORS_SUPERVISED_H_
#define TROUPE_TESTS_ACTORS_SUPERVISED_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"
#include "tests/actors/supervised_worker.h"
#include "troupe/troupe.h"

namespace troupe {

using Worker = ActorRef<SupervisedWorker>;

// Keeps what it hears of those it watches.
struct WatchIt {
  AnyRef who;
};
class Watcher {
 public:
  explicit Watcher(std::vector<Down>& downs) : downs_(downs) {}
  void On(WatchIt m, Context& self) { self.Watch(m.who); }
  void On(Down down) { downs_.push_back(std::move(down)); }

 private:
  std::vector<Down>& downs_;
};

class Supervised : public Simulated {
 protected:
  Worker Add(SupervisorTree& tree, const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return tree.Add<SupervisedWorker>(options, name, std::ref(log_), std::ref(FateOf(name)));
  }
  StartChild<SupervisedWorker> Later(const std::string& name, ChildOptions options = {}) {
    options.name = name;
    return StartChild<SupervisedWorker>(options, name, std::ref(log_), std::ref(FateOf(name)));
  }
  Fate& FateOf(const std::string& name) {
    for (auto& [known, fate] : fates_) {
      if (known == name) return fate;
    }
    return fates_.emplace_back(name, Keep<Fate>()).second;
  }
  ActorRef<Supervisor> Start(SupervisorTree& tree) {
    auto root = tree.Start();
    Run();
    return root;
  }
  void MakeCrash(Worker worker) {
    worker.Send(Crash{});
    Run();
  }
  std::vector<Down>& Watch(const AnyRef& who) {
    auto& downs = Keep<std::vector<Down>>();
    system_.Spawn<Watcher>(downs).Send(WatchIt{who});
    Run();
    return downs;
  }
  Log Written() { return std::exchange(log_, {}); }
  static std::vector<ChildInfo> ChildrenOf(ActorRef<Supervisor> supervisor) {
    return supervisor.Ask(WhichChildren{}).Wait().value();
  }
  static std::vector<std::string> Names(ActorRef<Supervisor> supervisor) {
    std::vector<std::string> names;
    for (const ChildInfo& child : ChildrenOf(supervisor)) {
      names.push_back(child.name);
    }
    return names;
  }
  static ChildState StateOf(ActorRef<Supervisor> supervisor, const std::string& name) {
    for (const ChildInfo& child : ChildrenOf(supervisor)) {
      if (child.name == name) return child.state;
    }
    ADD_FAILURE() << "no child " << name;
    return ChildState::kEnded;
  }

  Log& log_ = Keep<Log>();

 private:
  struct Named {
    std::string first;
    Fate& second;
    Named(std::string n, Fate& f) : first(std::move(n)), second(f) {}
  };
  std::vector<Named> fates_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_ACTORS_SUPERVISED_H_
