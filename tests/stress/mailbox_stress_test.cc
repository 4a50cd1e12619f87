// Mailboxes on real threads: senders and receivers of every kind, deadlines, rights that come and go,
// actors that are stopped as they wait, every policy, asks, actors that listen, and a close in the middle.
// At the end the books are exact.
#include <array>
#include <atomic>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

#ifdef TROUPE_SANITIZER
constexpr int kEach = 300;
#else
constexpr int kEach = 1'500;
#endif
constexpr int kSenders = 5;
constexpr int kMost = kSenders * kEach;

std::atomic<int64_t> jobs_alive{0};
struct Job {
  explicit Job(int id, int sender = 0) : id(id), sender(sender) { jobs_alive.fetch_add(1); }
  Job(Job&& other) noexcept : id(other.id), sender(other.sender) { jobs_alive.fetch_add(1); }
  Job& operator=(Job&&) = default;
  ~Job() { jobs_alive.fetch_sub(1); }
  int id;
  int sender;
};

// What became of each message.
class Ledger {
 public:
  Ledger() : taken_(kMost), refused_(kMost) {}

  int Issue() { return issued_.fetch_add(1); }
  void Tell(int id, bool sent) {
    if (!sent) refused_[id].store(true);
  }
  void Take(int id) { taken_[id].fetch_add(1); }
  void Lose() { lost_.fetch_add(1); }
  void Finish() { finished_.fetch_add(1); }

  int issued() const { return issued_.load(); }
  int finished() const { return finished_.load(); }
  void ExpectExact(const std::string& round) const {
    int64_t taken = 0;
    for (int id = 0; id < issued(); ++id) {
      taken += taken_[id].load();
      EXPECT_LE(taken_[id].load(), 1) << "received twice; " << round;
      EXPECT_FALSE(refused_[id].load() && taken_[id].load() > 0)
          << "refused or timed out, and received; " << round;
    }
    EXPECT_EQ(taken + lost_.load(), issued()) << round;
    EXPECT_EQ(jobs_alive.load(), 0) << round;
  }

 private:
  std::atomic<int> issued_{0};
  std::atomic<int> finished_{0};
  std::atomic<int64_t> lost_{0};
  std::vector<std::atomic<int>> taken_;
  std::vector<std::atomic<bool>> refused_;
};

absl::Duration Moment(std::minstd_rand& random, int most_us) {
  return absl::Microseconds(random() % most_us);
}

// ---- senders

void SendFromThread(Sender<Job> out, Ledger& ledger, unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = 0; i < kEach; ++i) {
    const int id = ledger.Issue();
    switch (random() % 4) {
      case 0:
        ledger.Tell(id, out.Send(Job(id)) == SendResult::kQueued);
        break;
      case 1:
        ledger.Tell(id, out.TrySend(Job(id)) == SendResult::kQueued);
        break;
      case 2:
        ledger.Tell(id, out.Enqueue(Job(id), Moment(random, 100)).Wait().ok());
        break;
      case 3:
        ledger.Tell(id, out.Deliver(Job(id), Moment(random, 200)).Wait().ok());
        break;
    }
  }
  ledger.Finish();
}

struct Begin {};
struct SendingCoroutine {
  Sender<Job> out;
  Ledger* ledger;
  unsigned seed;
  Task<> On(Begin) {
    std::minstd_rand random(seed);
    for (int i = 0; i < kEach; ++i) {
      const int id = ledger->Issue();
      absl::Status status;
      switch (random() % 3) {
        case 0:
          status = co_await out.Enqueue(Job(id));
          break;
        case 1:
          status = co_await out.Enqueue(Job(id), Moment(random, 50));
          break;
        case 2:
          status = co_await out.Deliver(Job(id), Moment(random, 200));
          break;
      }
      ledger->Tell(id, status.ok());
    }
    ledger->Finish();
  }
};
class SendingHandler {
 public:
  SendingHandler(Sender<Job> out, Ledger& ledger) : out_(out), ledger_(ledger) {}
  void On(Begin, Context& self) { Next(self); }

 private:
  void Next(Context& self) {
    if (left_-- == 0) return ledger_.Finish();
    const int id = ledger_.Issue();
    auto pending = random_() % 2 == 0 ? out_.Enqueue(Job(id), Moment(random_, 100))
                                      : out_.Deliver(Job(id), Moment(random_, 100));
    std::move(pending).Then(self, [this, id](const absl::Status& status, Context& here) {
      ledger_.Tell(id, status.ok());
      Next(here);
    });
  }
  Sender<Job> out_;
  Ledger& ledger_;
  std::minstd_rand random_{11};
  int left_ = kEach;
};

// ---- receivers

// Until the mailbox is closed. Now and then it has a second right, to which it pays little heed.
struct ReceivingCoroutine {
  Receiver<Job> in;
  Ledger* ledger;
  unsigned seed;
  Task<> On(Begin) {
    std::minstd_rand random(seed);
    Receiver<Job> second;
    for (;;) {
      absl::StatusOr<Received<Job>> job = co_await in.Receive(Moment(random, 100));
      if (job.ok()) ledger->Take(job->message.id);
      if (absl::IsUnavailable(job.status())) co_return;
      if (random() % 16 == 0) {
        auto share = in.Share();
        if (share.ok()) second = *std::move(share);
      }
      if (auto more = second.TryReceive()) ledger->Take(more->message.id);
      if (random() % 16 == 0) second = Receiver<Job>();
    }
  }
};

struct Round {
  uint32_t capacity;
  Receivers receivers;
  bool closes;
  Backlog backlog;
  std::string ToString() const {
    return "capacity " + std::to_string(capacity) + ", receivers " +
           std::to_string(static_cast<int>(receivers)) + (closes ? ", closes" : "") +
           (backlog == Backlog::kDrop ? ", drops" : ", drains");
  }
};

void Play(const Round& round) {
  Ledger ledger;
  {
    System system({.workers = 3, .on_dead_letter = [&ledger](const DeadLetter& letter) {
                     if (letter.message_type.ends_with("Job")) ledger.Lose();
                   }});
    MailboxOptions<Job> options{.capacity = round.capacity, .receivers = round.receivers};
    if (round.receivers == Receivers::kByKey) {
      options.key = [](const Job& job) { return static_cast<uint64_t>(job.id % 17); };
    }
    auto [out, inbox] = system.OpenMailbox<Job>("", std::move(options));
    std::vector<std::thread> threads;
    for (unsigned i = 1; i <= 2; ++i) {
      threads.emplace_back([&ledger, out = out, i] { SendFromThread(out, ledger, i); });
    }
    for (unsigned i = 3; i <= 4; ++i) {
      system.Spawn<SendingCoroutine>(SendingCoroutine{out, &ledger, i}).Send(Begin());
    }
    system.Spawn<SendingHandler>(out, ledger).Send(Begin());
    std::minstd_rand random(5);
    std::vector<ActorRef<ReceivingCoroutine>> readers;
    const auto spawn_reader = [&, &in = inbox] {
      auto share = in.Share();
      auto reader = system.Spawn<ReceivingCoroutine>(
          ReceivingCoroutine{share.ok() ? *std::move(share) : Receiver<Job>(), &ledger,
                             static_cast<unsigned>(random())});
      reader.Send(Begin());
      return reader;
    };
    for (int i = 0; i < 3; ++i) readers.push_back(spawn_reader());
    const auto receive = [&, &in = inbox] {
      auto job = in.Receive(Moment(random, 100)).Wait();
      if (job.ok()) ledger.Take(job->message.id);
      return !absl::IsUnavailable(job.status());
    };
    while (ledger.finished() < kSenders) {
      receive();
      if (random() % 8 == 0) {
        ActorRef<ReceivingCoroutine>& reader = readers[random() % readers.size()];
        reader.Stop();
        reader = spawn_reader();
      }
      if (round.closes && ledger.issued() > kMost / 2) inbox.Close(round.backlog);
    }
    for (std::thread& thread : threads) thread.join();
    inbox.Close(round.backlog);
    while (receive()) {
    }
    for (const auto& reader : readers) {
      reader.Stop();
      EXPECT_TRUE(system.Join(reader, absl::Minutes(5)).ok());
    }
    EXPECT_EQ(out.stats().waiting_senders, 0u);
    EXPECT_EQ(out.stats().waiting_receivers, 0u);
  }
  ledger.ExpectExact(round.ToString());
}

TEST(MailboxStressTest, EveryMessageIsReceivedOnceOrLostForAReason) {
  for (const Receivers receivers :
       {Receivers::kFirstCome, Receivers::kRandom, Receivers::kRoundRobin, Receivers::kByKey}) {
    for (const uint32_t capacity : {0u, 1u, 3u, 70u, kUnbounded}) {
      const bool closes = (capacity + static_cast<uint32_t>(receivers)) % 2 == 0;
      Play({capacity, receivers, closes, capacity == 3 ? Backlog::kDrop : Backlog::kDrain});
    }
  }
}

// ---- Select

struct SelectingCoroutine {
  Receiver<Job> first;
  Receiver<Job> second;
  Ledger* ledger;
  Task<> On(Begin) {
    std::minstd_rand random(3);
    for (;;) {
      auto next = co_await Select(first, second).Within(Moment(random, 60));
      if (next.ok()) {
        ledger->Take(std::visit([](const auto& job) { return job.message.id; }, *next));
      } else if (absl::IsUnavailable(next.status())) {
        co_return;
      }
    }
  }
};

// Two wait at the same two mailboxes, each in its own order, and a thread besides.
TEST(MailboxStressTest, ASelectTakesFromOneMailboxWhoeverSelectsInWhicheverOrder) {
  for (const uint32_t capacity : {0u, 2u}) {
    Ledger ledger;
    {
      System system({.workers = 3, .on_dead_letter = [&ledger](const DeadLetter& letter) {
                       if (letter.message_type.ends_with("Job")) ledger.Lose();
                     }});
      auto [to_a, a] = system.OpenMailbox<Job>("", {.capacity = capacity});
      auto [to_b, b] = system.OpenMailbox<Job>("", {.capacity = capacity});
      const auto spawn = [&](Receiver<Job> first, Receiver<Job> second) {
        auto actor = system.Spawn<SelectingCoroutine>(
            SelectingCoroutine{std::move(first), std::move(second), &ledger});
        actor.Send(Begin());
        return actor;
      };
      auto forth = spawn(*a.Share(), *b.Share());
      auto back = spawn(*b.Share(), *a.Share());
      std::vector<std::thread> threads;
      threads.emplace_back([&ledger, out = to_a] { SendFromThread(out, ledger, 1); });
      threads.emplace_back([&ledger, out = to_b] { SendFromThread(out, ledger, 2); });
      system.Spawn<SendingCoroutine>(SendingCoroutine{to_a, &ledger, 3}).Send(Begin());
      system.Spawn<SendingCoroutine>(SendingCoroutine{to_b, &ledger, 4}).Send(Begin());
      std::minstd_rand random(9);
      while (ledger.finished() < 4) {
        auto next = Select(a, b).Within(Moment(random, 60)).Wait();
        if (next.ok()) {
          ledger.Take(std::visit([](const auto& job) { return job.message.id; }, *next));
        }
        if (random() % 8 == 0) {
          forth.Stop();
          forth = spawn(*a.Share(), *b.Share());
        }
      }
      for (std::thread& thread : threads) thread.join();
      a.Close(Backlog::kDrop);
      b.Close(Backlog::kDrop);
      for (const auto& actor : {forth, back}) {
        actor.Stop();
        EXPECT_TRUE(system.Join(actor, absl::Minutes(5)).ok());
      }
    }
    ledger.ExpectExact("capacity " + std::to_string(capacity));
  }
}

// ---- every policy, asks, and actors that listen

std::atomic<int64_t> questions_alive{0};
std::atomic<int64_t> questions_copied{0};
struct Question {
  using Reply = int;
  explicit Question(int number) : number(number) { questions_alive.fetch_add(1); }
  Question(const Question& other) : number(other.number) {
    questions_alive.fetch_add(1);
    questions_copied.fetch_add(1);
  }
  Question(Question&& other) noexcept : number(other.number) { questions_alive.fetch_add(1); }
  ~Question() { questions_alive.fetch_sub(1); }
  int number;
};
struct Books {
  std::atomic<int> issued{0};
  std::atomic<int> finished{0};
  std::atomic<int64_t> taken{0};
  std::atomic<int64_t> lost{0};

  int Answer(const Question& question) {
    taken.fetch_add(1);
    return 2 * question.number;
  }
  static void Check(int number, const absl::StatusOr<int>& answer) {
    if (answer.ok()) EXPECT_EQ(*answer, 2 * number);
  }
};
using Two = std::array<Sender<Question>, 2>;

void AskFromThread(Two out, Books& books, unsigned seed) {
  std::minstd_rand random(seed);
  for (int i = 0; i < kEach / 4; ++i) {
    const Sender<Question>& to = out[random() % 2];
    const int number = books.issued.fetch_add(1);
    if (random() % 3 == 0) {
      Books::Check(number, to.Ask(Question(number), Moment(random, 300)).Wait());
    } else {
      random() % 2 == 0 ? to.Send(Question(number)) : to.TrySend(Question(number));
    }
  }
  books.finished.fetch_add(1);
}
struct AskingHandler {
  Two out;
  Books* books;
  int left = kEach / 4;
  std::minstd_rand random{7};
  void On(Begin, Context& self) { Next(self); }
  void Next(Context& self) {
    if (left-- == 0) {
      books->finished.fetch_add(1);
      return;
    }
    const int number = books->issued.fetch_add(1);
    out[random() % 2]
        .Ask(Question(number), Moment(random, 300))
        .Then(self, [this, number](const absl::StatusOr<int>& answer, Context& here) {
          Books::Check(number, answer);
          Next(here);
        });
  }
};
struct Attentive {
  Receiver<Question> first;
  Receiver<Question> second;
  Books* books;
  void OnStart(Context& self) { ListenTo(this, self, std::move(first), std::move(second)); }
  int On(const Question& question) { return books->Answer(question); }
};

void PlayWith(MailboxOptions<Question> options, unsigned seed) {
  Books books;
  questions_copied = 0;
  {
    System system({.workers = 3, .on_dead_letter = [&books](const DeadLetter& letter) {
                     if (letter.message_type.ends_with("Question")) books.lost.fetch_add(1);
                   }});
    auto [out, in] = system.OpenMailbox<Question>("", std::move(options));
    auto [to_side, side] = system.OpenMailbox<Question>("", {.capacity = 2});
    const Two both{out, to_side};
    std::minstd_rand random(seed);
    std::thread asks([&] { AskFromThread(both, books, seed + 1); });
    std::thread asks_too([&] { AskFromThread(both, books, seed + 2); });
    system.Spawn<AskingHandler>(AskingHandler{both, &books}).Send(Begin());
    std::vector<ActorRef<Attentive>> attentive;
    const auto spawn = [&, &in = in, &side = side] {
      auto share = in.Share();  // none of a kExclusivePair
      attentive.push_back(system.Spawn<Attentive>(
          Attentive{share.ok() ? *std::move(share) : Receiver<Question>(), *side.Share(), &books}));
    };
    spawn();
    spawn();
    const auto receive = [&](Receiver<Question>& from) {
      auto question = from.Receive(Moment(random, 100)).Wait();
      if (question.ok()) {
        const int answer = books.Answer(question->message);
        if (question->reply) question->reply.Send(answer);
      }
      return !absl::IsUnavailable(question.status());
    };
    while (books.finished < 3) {
      receive(random() % 2 == 0 ? in : side);
      if (random() % 8 == 0) {
        attentive.front().Stop();
        attentive.erase(attentive.begin());
        spawn();
      }
    }
    asks.join();
    asks_too.join();
    for (Receiver<Question>* one : {&in, &side}) {
      one->Close(random() % 2 == 0 ? Backlog::kDrop : Backlog::kDrain);
      while (receive(*one)) {
      }
    }
    for (const auto& actor : attentive) {
      actor.Stop();
      EXPECT_TRUE(system.Join(actor, absl::Minutes(5)).ok());
    }
  }
  EXPECT_EQ(books.taken + books.lost, books.issued + questions_copied) << "seed " << seed;
  EXPECT_EQ(questions_alive.load(), 0) << "seed " << seed;
}

TEST(MailboxStressTest, WhateverThePoliciesEachCopyIsReceivedOnceOrLostForAReason) {
  unsigned seed = 0;
  for (const Receivers receivers :
       {Receivers::kFirstCome, Receivers::kRoundRobin, Receivers::kByKey, Receivers::kAll,
        Receivers::kOneAtATime, Receivers::kExclusivePair}) {
    for (const WhenFull when_full :
         {WhenFull::kBlock, WhenFull::kFail, WhenFull::kDropNewest, WhenFull::kDropOldest}) {
      MailboxOptions<Question> options{
          .capacity = seed % 2 == 0 ? 1u : 40u, .when_full = when_full, .receivers = receivers};
      if (receivers == Receivers::kByKey) {
        options.key = [](const Question& q) { return static_cast<uint64_t>(q.number % 17); };
      }
      PlayWith(std::move(options), ++seed);
    }
  }
}

// ---- order

// One receiver, whose waits end early as often as not.
TEST(MailboxStressTest, WhatOneSenderSendsIsReceivedInOrder) {
  for (const uint32_t capacity : {0u, 1u, kUnbounded}) {
    System system({.workers = 2});
    auto [out, in] = system.OpenMailbox<Job>("", {.capacity = capacity});
    std::vector<std::thread> threads;
    for (int sender = 0; sender < 3; ++sender) {
      threads.emplace_back([out = out, sender] {
        for (int i = 0; i < kEach; ++i) EXPECT_TRUE(out.Enqueue(Job(i, sender)).Wait().ok());
      });
    }
    std::minstd_rand random(2);
    std::vector<int> next(threads.size());
    for (int left = 3 * kEach; left > 0;) {
      auto job = in.Receive(Moment(random, 40)).Wait();
      if (!job.ok()) continue;
      --left;
      EXPECT_EQ(job->message.id, next[job->message.sender]++);
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_FALSE(in.TryReceive().has_value());
  }
  EXPECT_EQ(jobs_alive.load(), 0);
}

}  // namespace
}  // namespace troupe
