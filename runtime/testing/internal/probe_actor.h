// ProbeActor<Ms...>: the actor behind a Probe; what comes goes into an inbox that both share.
#ifndef TROUPE_TESTING_INTERNAL_PROBE_ACTOR_H_
#define TROUPE_TESTING_INTERNAL_PROBE_ACTOR_H_

#include <functional>
#include <list>
#include <memory>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "troupe/actors/any_ref.h"
#include "troupe/actors/context.h"
#include "troupe/actors/exit.h"
#include "troupe/actors/internal/handler.h"
#include "troupe/actors/reply.h"
#include "troupe/core/type_name.h"
#include "troupe/testing/asked.h"

namespace troupe::internal {

// Something for the probe to do in a handler of its own.
struct ProbeStep {
  std::function<void(Context&)> run;
};

// What Probe::ReplyWith has said of the question M. Shared, for it may be replaced while it runs.
template <class M>
struct Script {};
template <Askable M>
struct Script<M> {
  using Answer = std::function<void(const M&, Reply<typename M::Reply>&)>;
  std::shared_ptr<Answer> answer;
};

// What has come and the test has not taken. Only the thread that turns the system touches it.
template <class... Ms>
struct ProbeInbox {
  using Message = std::variant<Taken<Ms>..., Down>;
  struct Item {
    Message message;
    std::string_view type;
    AnyRef sender;
  };

  // A list, because what is moved only cannot be assigned, as erasing from a deque does.
  std::list<Item> items;
  std::tuple<Script<Ms>...> scripts;
  bool ended = false;  // the actor

  template <class M>
  Taken<M>& Add(Taken<M> message, const AnyRef& sender) {
    items.push_back(
        Item{Message(std::in_place_type<Taken<M>>, std::move(message)), TypeName<M>(), sender});
    return std::get<Taken<M>>(items.back().message);
  }
};

// The handler of one message. `Actor` is the ProbeActor that inherits it.
template <class Actor, class M>
class ProbeHandler {
 public:
  void On(M message, Context& self) {
    static_cast<Actor*>(this)->inbox().template Add<M>(std::move(message), self.sender());
  }
};
template <class Actor, Askable M>
class ProbeHandler<Actor, M> {
 public:
  void On(M message, Reply<typename M::Reply> reply, Context& self) {
    auto& inbox = static_cast<Actor*>(this)->inbox();
    auto& asked = inbox.template Add<M>({std::move(message), std::move(reply)}, self.sender());
    const Script<M> script = std::get<Script<M>>(inbox.scripts);
    if (script.answer != nullptr) (*script.answer)(asked.message, asked.reply);
  }
};

template <class... Ms>
class ProbeActor : public ProbeHandler<ProbeActor<Ms...>, Ms>... {
 public:
  using Inbox = ProbeInbox<Ms...>;

  explicit ProbeActor(std::shared_ptr<Inbox> inbox) : inbox_(std::move(inbox)) {}
  ~ProbeActor() { inbox_->ended = true; }

  using ProbeHandler<ProbeActor, Ms>::On...;
  void On(Down down, Context&) {
    const AnyRef who = down.who;
    inbox_->template Add<Down>(std::move(down), who);
  }
  void On(ProbeStep step, Context& self) { step.run(self); }

  Inbox& inbox() { return *inbox_; }

 private:
  std::shared_ptr<Inbox> inbox_;
};

}  // namespace troupe::internal

#endif  // TROUPE_TESTING_INTERNAL_PROBE_ACTOR_H_
