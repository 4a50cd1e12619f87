// ./bazelw run //examples:bank
//
// Transfers between accounts: asking from inside an actor, refusing with a Status, and learning
// that an actor has failed.
#include <iostream>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>

#include "troupe/troupe.h"

struct Deposit {
  using Reply = void;  // answered without a value: with an absl::Status
  int cents;
};
struct Withdraw {
  using Reply = void;
  int cents;
};
struct Balance {
  using Reply = int;
};

class Account {
 public:
  // What may well happen is a Status.
  absl::Status On(Withdraw w) {
    if (w.cents > cents_) return absl::FailedPreconditionError("insufficient funds");
    cents_ -= w.cents;
    return absl::OkStatus();
  }
  // What must not happen is an exception. It ends this actor, and no other.
  void On(Deposit d) {
    if (d.cents > 1'000'000) throw std::overflow_error("more than the vault can hold");
    cents_ += d.cents;
  }
  int On(Balance) { return cents_; }

 private:
  int cents_ = 0;
};
using AccountRef = troupe::ActorRef<Account>;

struct Open {
  using Reply = AccountRef;
  std::string owner;
};
struct Transfer {
  using Reply = void;
  AccountRef from, to;
  int cents;
};

class Bank {
 public:
  AccountRef On(const Open& open, troupe::Context& self) {
    AccountRef account = self.Spawn<Account>();  // a child: it ends when the bank does
    self.Watch(account);                         // when it ends, the bank gets a Down
    owners_[account] = open.owner;
    return account;
  }

  // Then() does not wait: the bank serves others until the answer comes and the lambda runs. So the
  // answer to the transfer is given later, which is why this handler takes a Reply.
  void On(Transfer t, troupe::Reply<void> reply, troupe::Context& self) {
    t.from.Ask(Withdraw{t.cents})
        .Then(self, [this, t, reply = std::move(reply)](absl::Status status,
                                                        troupe::Context& self) mutable {
          status.ok() ? PayIn(t, std::move(reply), self) : reply.Send(std::move(status));
        });
  }

  void On(const troupe::Down& down, troupe::Context& self) {
    std::cout << "the account of " << owners_[down.who] << " has " << troupe::ToString(down.reason)
              << " (" << down.status.message() << "), so the bank closes\n";
    self.Stop();
  }

 private:
  void PayIn(Transfer t, troupe::Reply<void> reply, troupe::Context& self) {
    t.to.Ask(Deposit{t.cents})
        .Then(self, [t, reply = std::move(reply)](absl::Status status) mutable {
          if (!status.ok()) t.from.Send(Deposit{t.cents});  // back to where it came from
          reply.Send(std::move(status));
        });
  }

  std::unordered_map<troupe::AnyRef, std::string> owners_;
};

int main() {
  troupe::System system;
  auto bank = system.Spawn<Bank>();
  AccountRef alice = *bank.Ask(Open{"Alice"}).Wait();
  AccountRef bob = *bank.Ask(Open{"Bob"}).Wait();

  alice.Send(Deposit{10'000});
  for (int cents : {7'000, 7'000, 2'000}) {
    absl::Status status = bank.Ask(Transfer{alice, bob, cents}).Wait();
    std::cout << "Alice gives Bob " << cents << ": " << status << "\n";
  }
  std::cout << "Bob has " << *bob.Ask(Balance{}).Wait() << "\n";

  bob.Send(Deposit{2'000'000});
  system.Join(bank).IgnoreError();
  std::cout << "Alice opens another account: " << bank.Ask(Open{"Alice"}).Wait().status() << "\n";
}
