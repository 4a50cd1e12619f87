// The positive control: every feature once, in every form that has a refused neighbour in this folder. Compiles
// without a warning.
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "troupe/runtime/manual_scheduler.h"
#include "troupe/runtime/task_arena_scheduler.h"
#include "troupe/troupe.h"

namespace {

struct Deposit {
  int64_t cents;
};
struct Balance {
  using Reply = int64_t;
};
struct Close {
  using Reply = void;
};
struct Owner {
  using Reply = std::string;
};
struct Cheque {  // move-only, and neither default-constructible nor an aggregate
  explicit Cheque(int64_t cents) : amount(std::make_unique<int64_t>(cents)) {}
  std::unique_ptr<int64_t> amount;
};
struct Receipt {  // move-only, and a question
  using Reply = std::unique_ptr<int64_t>;
  std::unique_ptr<int64_t> amount;
};
struct Large {
  char bytes[300];
};
struct Tick {};
struct Audit {};
struct Stored {  // a stream's element that is asked with
  using Reply = void;
  int64_t cents;
};

// All shapes of a handler.
class Account {
 public:
  explicit Account(std::string owner) : owner_(std::move(owner)) {}
  Account(std::string owner, int64_t cents) : owner_(std::move(owner)), cents_(cents) {}

  void OnStart(troupe::Context& self) { self.SendAfter(absl::Seconds(1), self.ref(this), Tick{}); }
  void OnStop(troupe::Context&) {}

  void On(Deposit d) { cents_ += d.cents; }
  void On(const Large&, troupe::Context&) {}
  void On(Cheque&& cheque) noexcept { cents_ += *cheque.amount; }
  int64_t On(Balance) const { return cents_; }
  absl::StatusOr<std::string> On(const Owner&, troupe::Context&) {
    if (owner_.empty()) return absl::NotFoundError("no owner");
    return owner_;
  }
  void On(Close, troupe::Reply<void> reply, troupe::Context& self) {
    reply.Send();
    self.Stop();
  }
  void On(Receipt receipt, troupe::Reply<std::unique_ptr<int64_t>> reply) {
    reply.Send(std::move(receipt.amount));
  }
  void On(Tick) {}

 private:
  std::string owner_;
  int64_t cents_ = 0;
};

class Sink {  // a second class for the same Recipient
 public:
  void OnStart() {}
  void OnStop() {}
  void On(Deposit, troupe::Context& self) {
    if (self.sender()) self.Fail(absl::InternalError("not from an actor"));
  }
};

class Auditor {
 public:
  explicit Auditor(troupe::Recipient<Balance, Deposit> account) : account_(account) {}

  void On(Audit, troupe::Context& self) {
    auto child = self.Spawn<Account>({.name = "child", .capacity = 8}, "child");
    self.Spawn([](Deposit) {});
    self.Spawn({.name = "function"}, [](Deposit) {});
    self.Watch(child);
    self.Unwatch(child);
    self.Link(child);
    self.Unlink(child);
    self.Watch(account_);
    account_.Send(Deposit{1});
    account_.TrySend(Deposit{1});
    account_.Ask(Balance{}).Then(self, [this](absl::StatusOr<int64_t> cents) {
      if (cents.ok()) sum_ += *cents;
    });
    account_.Ask(Balance{}, absl::Seconds(1))
        .Then(self, [](absl::StatusOr<int64_t>, troupe::Context& again) { again.Stop(); });
    child.Ask(Close{}).Then(self, [](absl::Status) {});
    every_ = self.SendEvery(absl::Seconds(1), self.ref(this), Audit{});
    self.SendAfter(self.Now() - absl::UnixEpoch(), account_, Deposit{2});
    self.SendAfter(absl::Seconds(1), child, Cheque(3));
    sum_ += self.Blocking([] { return 1; });
    if (sum_ < 0) throw std::runtime_error("in debt");
    child.Stop(troupe::StopWhen::kDrained);
  }
  void On(troupe::Down down, troupe::Context&) {
    if (down.reason != troupe::ExitReason::kNormal) every_.Cancel();
  }

 private:
  troupe::Recipient<Balance, Deposit> account_;
  troupe::TimerHandle every_;
  int64_t sum_ = 0;
};

struct Shut {};
struct Open {
  absl::Duration timeout = absl::Seconds(1);
};

// All shapes of a state's handler.
class Bank {
 public:
  void OnStart(troupe::Context& self) {
    self.SendWhenIdle(absl::Minutes(1), self.ref(this), Tick{});
    self.HibernateWhenIdle(absl::Minutes(2), this);
  }
  void OnHibernate() {}
  void OnEnter(Open&) {}
  void OnExit(Open&, troupe::Context&) {}

  Open On(Shut&, Audit) { return {}; }
  Shut On(Open&, troupe::StateTimeout) { return {}; }
  troupe::Postponed On(Shut&, const Cheque&);
  void On(const Open&, Cheque&& cheque, troupe::Context& self) {
    if (*cheque.amount == 0) return (void)stash_.Add(std::move(cheque), self);
    state.Become(Shut{}, self);
  }
  int64_t On(Open&, Balance) { return stash_.size(); }
  Shut On(Open&, Close, troupe::Reply<void> reply, troupe::Context& self) {
    stash_.PutBack(self);
    reply.Send();
    return {};
  }
  void On(Shut&, Receipt receipt, troupe::Reply<std::unique_ptr<int64_t>> reply,
          troupe::Context& self) {
    stash_.Add(std::move(receipt), std::move(reply), self);
  }
  void On(Shut&, troupe::Down) {}
  void On(Tick, troupe::Context& self) {
    if (state.If<Open>() != nullptr) state.SetTimeout(absl::Seconds(2), self);
  }

  troupe::StateMachine<Shut, Open> state{{.postponed = 5}};

 private:
  troupe::Stash<Bank> stash_{10};
};

void UseMachine(troupe::System& system) {
  auto bank = system.Spawn<Bank>();
  bank.Send(Audit{});
  bank.Send(Cheque(5));
  bank.Send(Tick{});
  absl::Status closed = bank.Ask(Close{}).Wait();
  absl::StatusOr<std::unique_ptr<int64_t>> back = bank.Ask(Receipt{}).Wait();
  troupe::Recipient<Balance, Cheque> recipient = bank;
  absl::StatusOr<int64_t> cents = recipient.Ask(Balance{}).Wait();
}

void UseRefs(troupe::ActorRef<Account> account) {
  account.Send(Deposit{5});
  account.Send(Large{});
  account.Send(Cheque(5));
  if (account.TrySend(Deposit{5}) != troupe::SendResult::kQueued) return;
  absl::StatusOr<int64_t> cents = account.Ask(Balance{}).Wait();
  absl::StatusOr<std::string> owner = account.Ask(Owner{}, absl::InfiniteDuration()).Wait();
  absl::StatusOr<std::unique_ptr<int64_t>> back = account.Ask(Receipt{}).Wait();
  absl::Status closed = account.Ask(Close{}).Wait();

  troupe::Recipient<Deposit, Balance> both = account;
  troupe::Recipient<Deposit> one = both;
  one = troupe::ActorRef<Sink>();
  one.Send(Deposit{5});
  cents = both.Ask(Balance{}).Wait();

  troupe::AnyRef any = account;
  std::optional<troupe::ActorRef<Account>> again = any.As<Account>();
  if (again.has_value() && *again == account && any) std::cout << any << any.ToString();
  absl::flat_hash_set<troupe::AnyRef> set = {any};
  std::unordered_set<troupe::AnyRef> other_set = {any};
}

void UseSystem(troupe::System& system) {
  auto account = system.Spawn<Account>("Ann", 5);
  system.Spawn<Auditor>({.name = "auditor",
                         .capacity = 64,
                         .when_full = troupe::WhenFull::kDropOldest,
                         .placement = troupe::Placement::kDedicatedThread},
                        account);
  auto function =
      system.Spawn([sum = int64_t{0}](Deposit d) mutable { std::cout << (sum += d.cents); });
  function.Send(Deposit{5});
  troupe::Recipient<Deposit> recipient = function;
  auto constant = system.Spawn([](const Large&, troupe::Context&) noexcept {});
  constant.Send(Large{});
  auto answering = system.Spawn({.name = "five"}, [](Balance) -> int64_t { return 5; });
  absl::StatusOr<int64_t> five = answering.Ask(Balance{}).Wait();
  auto later = system.Spawn([](Balance, troupe::Reply<int64_t> reply) { reply.Send(5); });
  five = later.Ask(Balance{}).Wait();

  troupe::TimerHandle handle = system.SendEvery(absl::Seconds(1), account, Deposit{1});
  handle.Cancel();
  system.SendAfter(absl::Seconds(1), recipient, Deposit{1});

  account.Stop();
  absl::StatusOr<troupe::Down> down = system.Join(account, absl::Seconds(1));
  if (down.ok()) std::cout << ToString(down->reason) << down->status << down->who;
  const troupe::SystemStats stats = system.stats();
  for (const troupe::WorkerStats& worker : stats.workers) std::cout << worker.turns;
  for (const troupe::ActorStats& actor : system.actors()) std::cout << actor.type << actor.queued;
  const troupe::ShutdownReport report = system.Shutdown(absl::Seconds(1));
  std::cout << report.ToString() << stats.dead_letters_total();
}

void UseRights(troupe::System& system, troupe::ActorRef<Account> account) {
  const auto lent =
      account.Only<Deposit, Balance>().Attenuate({.messages = 5, .per = absl::Seconds(1)});
  const troupe::Recipient<Deposit> weaker = lent.Only<Deposit>().Limit(1, absl::Hours(1));
  weaker.Expires(absl::Seconds(5)).Revoke();
  lent.Expires(absl::InfiniteFuture()).Send(Deposit{1});
  const troupe::DirectLink<Deposit, Balance> link(account, lent);
  link.Send(Deposit{1});
  if (link.TrySend(Deposit{1}) == troupe::SendResult::kQueued) std::cout << link.ToString();
  if (link.Ask(Balance{}).Wait().ok()) weaker.Send(Deposit{1});

  (void)system.OpenMailbox<Deposit>({.capacity = 4});
  auto [deposits, inbox] = system.OpenMailbox<Deposit>("deposits");
  deposits.Limit(5, absl::Seconds(1)).Send(Deposit{1});
  system.SendAfter(absl::Seconds(1), deposits, Deposit{1});
  system.SendEvery(absl::Seconds(1), deposits, Deposit{1});
  const troupe::NamedSender<Deposit> by_name = system.FindMailboxLate<Deposit>("deposits");
  system.RebindMailbox("deposits", deposits).IgnoreError();
  by_name.Send(Deposit{1});
  if (by_name.Deliver(Deposit{1}).Wait().ok()) by_name.TrySend(Deposit{1});
}

void UseRouting(troupe::System& system, troupe::ActorRef<Account> account) {
  system.Bind<Deposit, Balance>("bank/alice", account).IgnoreError();
  system.Rebind<Cheque>("bank/alice", troupe::Recipient<Cheque>(account)).IgnoreError();
  const auto alice = system.FindLate<Deposit, Cheque>("bank/alice");
  alice.Send(Deposit{1});
  troupe::NamedRecipient<Cheque>(alice).TrySend(Cheque(1));
  const absl::StatusOr<troupe::Recipient<Cheque>> found = system.Find<Cheque>("bank/alice");
  if (found.ok()) found->Send(Cheque(1));
  system.Unbind("bank/alice");

  troupe::Group<Deposit, Cheque, Balance> group(troupe::Random{.seed = 7});
  group.Add(account);
  const troupe::Router<Deposit, Cheque, Balance> router = group;
  router.Send(Cheque(5));
  const Deposit deposit{5};
  if (router.TrySend(deposit) == troupe::SendResult::kQueued) router.Broadcast(deposit);
  absl::StatusOr<int64_t> cents = router.Ask(Balance{}).Wait();
  cents = router.AskFirst(Balance{}, absl::Seconds(1)).Wait();
  troupe::Group<Deposit, Owner> by_key(troupe::ByKey([](const auto& m) {
    if constexpr (requires { m.cents; }) {
      return std::to_string(m.cents);
    } else {
      return "owner";
    }
  }));
  by_key.Add(account);
  by_key.Remove(account);
  auto pool = troupe::SpawnPool<Account, Deposit, Owner>(
      system, troupe::SmallestMailbox{}, {.size = 1, .max_size = 2, .worker = {.capacity = 8}},
      "Bob", int64_t{5});
  if (pool.Broadcast(Deposit{5}) == pool.size()) std::cout << troupe::AnyRef(pool);
  pool.Stop();

  auto topic = troupe::SpawnTopic<Deposit>(system, {.name = "deposits"});
  topic.Subscribe(account, troupe::Retained::kDeliver);
  topic.Publish(deposit);
  topic.Unsubscribe(account);
  auto logger = system.Spawn([](troupe::DeadLetter) {});
  system.events().Subscribe<troupe::DeadLetter>(logger);
  system.events().Unsubscribe<troupe::DeadLetter>(logger);
  const troupe::Recipient<Deposit> publisher = topic;
  publisher.Send(deposit);
  topic.Stop();
}

void UseStreams(troupe::System& system, troupe::Recipient<Stored> store) {
  namespace stream = troupe::stream;
  auto [inlet, cheques] = stream::OpenInlet<Cheque>({.window = 4, .actor = {.name = "cheques"}});
  if (inlet.TryPush(Cheque(5)) == troupe::SendResult::kFull) inlet.Room().Wait().IgnoreError();
  inlet.Close();
  auto cents = stream::From(std::vector<int64_t>{1, 2})
                   .Async({.window = 8})
                   .Merge(std::move(cheques).Map([](Cheque cheque) { return *cheque.amount; }));
  auto [left, right] = std::move(cents).Broadcast<2>();
  const stream::Flow flow = std::move(left)
                                .Filter([](int64_t n) { return n > 0; })
                                .Map([](int64_t n) { return Stored{n}; })
                                .To(system, store, 4);
  std::move(right).Batch(2, absl::Seconds(1)).ForEach(system, [](std::vector<int64_t>) {});
  auto none = stream::Generate([] { return std::optional<int64_t>(); }, {.dispatcher = "disk"});
  const auto sum = std::move(none).Fold(system, int64_t{0}, [](int64_t& s, int64_t n) { s += n; });
  std::vector<stream::Source<bool>> bools;
  bools.push_back(stream::From(std::vector<bool>{true}));
  std::cout << stream::Merge(std::move(bools)).Collect(system).Wait()->size();
  flow.Stop();
}

}  // namespace

int main() {
  troupe::System system(
      {.workers = 2,
       .messages_per_turn = 10,
       .time_per_turn = absl::Microseconds(50),
       .max_blocking_threads = 4,
       .dispatchers = {{.name = "disk", .kind = troupe::DispatcherKind::kBlocking, .workers = 4},
                       {.name = "pinned", .cpus = {0}}},
       .shutdown_timeout = absl::Seconds(1),
       .on_dead_letter =
           [](const troupe::DeadLetter& letter) {
             std::cout << ToString(letter.reason) << letter.message_type << letter.target
                       << letter.where.line();
           },
       .find_ask_cycles = false});
  UseSystem(system);
  UseMachine(system);
  UseRights(system, system.Spawn<Account>("Bea"));
  UseRouting(system, system.Spawn<Account>("Cleo"));
  UseRefs({});
  UseStreams(system, system.Spawn([](Stored) {}));
  for (const troupe::DispatcherStats& d : system.stats().dispatchers) std::cout << d.name;
  troupe::ManualScheduler loop({.start = absl::UnixEpoch(), .seed = 7});
  loop.set_on_ready([] {});
  troupe::System manual({.scheduler = &loop});
  loop.RunOne();
  loop.RunUntilIdle();
  loop.Advance(absl::Seconds(1));
  loop.AdvanceTo(loop.next_deadline());
  return loop.idle() ? 0 : 1;
}
