// Mailboxes and coroutines, Select, ListenTo and channels: what waits without a thread.
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "tests/actors/simulated.h"

namespace troupe {
namespace {

using absl::StatusCode;
using Numbers = std::vector<int>;
using Words = std::vector<std::string>;

struct Job {
  int number;
};
struct Note {
  std::string text;
};
struct Begin {};

class MailboxCoroutineTest : public Simulated {
 protected:
  // An actor whose one handler is `body`, begun.
  template <class F>
  auto Begin(F body) {
    auto actor = system_.Spawn(std::move(body));
    actor.Send(troupe::Begin{});
    Run();
    return actor;
  }
};

// Receives until something is wrong, and notes that.
struct Reader {
  Receiver<Job> inbox;
  Numbers* seen;
  absl::Duration timeout = absl::InfiniteDuration();
  Task<> On(Begin) {
    for (;;) {
      absl::StatusOr<Received<Job>> job = co_await inbox.Receive(timeout);
      if (!job.ok()) {
        seen->push_back(-static_cast<int>(job.status().code()));
        co_return;
      }
      seen->push_back(job->message.number);
    }
  }
};

struct Writer {
  Sender<Job> out;
  std::vector<StatusCode>* told;
  int count;
  bool deliver = false;
  Task<> On(Begin) {
    for (int i = 1; i <= count; ++i) {
      absl::Status status = deliver ? co_await out.Deliver(Job{i}) : co_await out.Enqueue(Job{i});
      told->push_back(status.code());
    }
  }
};

TEST_F(MailboxCoroutineTest, AReceiverWaitsForWhatComesLater) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begin(Reader{std::move(inbox), &seen});
  EXPECT_EQ(jobs.stats().waiting_receivers, 1u);
  for (int i = 1; i <= 1000; ++i) jobs.Send(Job{i});
  Run();
  ASSERT_EQ(seen.size(), 1000u);
  EXPECT_EQ(seen.back(), 1000);
}

TEST_F(MailboxCoroutineTest, AReceiverThatNeverHasToWaitLetsOthersRun) {
  auto& seen = Keep<Numbers>();
  auto& other = Keep<Numbers>();
  constexpr int kMany = 100'000;  // several turns
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  for (int i = 1; i <= kMany; ++i) jobs.Send(Job{i});
  auto reader = system_.Spawn(Reader{std::move(inbox), &seen});
  auto bystander = system_.Spawn([&](int) { other.push_back(static_cast<int>(seen.size())); });
  reader.Send(troupe::Begin{});
  bystander.Send(0);
  while (other.empty()) ASSERT_TRUE(loop_.RunOne());
  EXPECT_LT(other.front(), kMany);
  Run();
  EXPECT_EQ(seen.size(), size_t{kMany});
}

TEST_F(MailboxCoroutineTest, ADeadlineEndsAReceive) {
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begin(Reader{std::move(inbox), &seen, absl::Seconds(1)});
  Advance(absl::Milliseconds(900));
  jobs.Send(Job{1});
  Advance(absl::Milliseconds(900));
  EXPECT_EQ(seen, Numbers{1});
  Advance(absl::Milliseconds(200));
  EXPECT_EQ(seen, (Numbers{1, -static_cast<int>(StatusCode::kDeadlineExceeded)}));
}

TEST_F(MailboxCoroutineTest, AWriterIsHeldBackByAFullMailbox) {
  for (const uint32_t capacity : {0u, 1u, 3u}) {
    auto& told = Keep<std::vector<StatusCode>>();
    auto& seen = Keep<Numbers>();
    auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = capacity});
    Begin(Writer{jobs, &told, 6});
    EXPECT_EQ(told.size(), capacity);
    EXPECT_EQ(jobs.stats().waiting_senders, 1u);
    Begin(Reader{std::move(inbox), &seen});
    EXPECT_EQ(told, std::vector<StatusCode>(6, StatusCode::kOk));
    EXPECT_EQ(seen, (Numbers{1, 2, 3, 4, 5, 6}));
  }
}

TEST_F(MailboxCoroutineTest, ADeliveryIsDoneWhenItIsTaken) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begin(Writer{jobs, &told, 2, true});
  for (size_t i = 1; i <= 2; ++i) {
    EXPECT_EQ(told.size(), i - 1);
    EXPECT_TRUE(inbox.TryReceive().has_value());
    Run();
    EXPECT_EQ(told.size(), i);
  }
}

TEST_F(MailboxCoroutineTest, AnActorThatEndsWaitsNoLonger) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto& seen = Keep<Numbers>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>("", {.capacity = 0});
  auto second = *inbox.Share();
  auto writer = Begin(Writer{jobs, &told, 1});
  writer.Stop();
  Run();
  EXPECT_EQ(jobs.stats().waiting_senders, 0u);
  auto reader = Begin(Reader{std::move(inbox), &seen});
  EXPECT_EQ(jobs.stats().waiting_receivers, 1u);
  reader.Stop();
  Run();
  EXPECT_EQ(jobs.stats().waiting_receivers, 0u);
  EXPECT_TRUE(told.empty());
  EXPECT_TRUE(seen.empty());
}

struct Mourner {
  Sender<Job> watched;
  std::vector<StatusCode>* told;
  Task<> On(Begin) {
    told->push_back((co_await watched.Closed(absl::Seconds(1))).code());
    told->push_back((co_await watched.Closed()).code());
  }
};

TEST_F(MailboxCoroutineTest, HoldersOfASendRightAreToldOfTheEnd) {
  auto& told = Keep<std::vector<StatusCode>>();
  auto [jobs, inbox] = system_.OpenMailbox<Job>();
  Begin(Mourner{jobs, &told});
  Advance(absl::Seconds(2));
  EXPECT_EQ(told, std::vector<StatusCode>{StatusCode::kDeadlineExceeded});
  inbox = Receiver<Job>();
  Run();
  EXPECT_EQ(told.back(), StatusCode::kOk);
}

struct Square {
  using Reply = int;
  int number;
};
struct Squarer {
  Receiver<Square> inbox;
  Task<> On(Begin) {
    for (;;) {
      auto request = co_await inbox.Receive();
      if (!request.ok()) co_return;
      request->reply.Send(request->message.number * request->message.number);
    }
  }
};
struct Asking {
  Sender<Square> whom;
  Numbers* seen;
  Task<> On(Begin) {
    for (int i = 1; i <= 3; ++i) seen->push_back((co_await whom.Ask(Square{i})).value_or(-1));
  }
};

TEST_F(MailboxCoroutineTest, AnAskThroughAMailboxIsAwaited) {
  auto& seen = Keep<Numbers>();
  auto [squares, inbox] = system_.OpenMailbox<Square>();
  Begin(Asking{squares, &seen});
  Begin(Squarer{std::move(inbox)});
  EXPECT_EQ(seen, (Numbers{1, 4, 9}));
}

// ---- Select

struct Selecting {
  Receiver<Job> jobs;
  Receiver<Note> notes;
  Words* seen;
  absl::Duration timeout = absl::InfiniteDuration();
  Task<> On(troupe::Begin) {
    for (;;) {
      auto next = co_await Select(jobs, notes).Within(timeout);
      if (!next.ok()) {
        seen->push_back(std::string(absl::StatusCodeToString(next.status().code())));
        co_return;
      }
      seen->push_back(next->index() == 0 ? std::to_string(std::get<0>(*next).message.number)
                                         : std::get<1>(*next).message.text);
    }
  }
};

TEST_F(MailboxCoroutineTest, SelectTakesFromWhicheverHasSomething) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  Begin(Selecting{std::move(job_inbox), std::move(note_inbox), &seen});
  notes.Send(Note{"a"});
  Run();
  jobs.Send(Job{1});
  Run();
  EXPECT_EQ(seen, (Words{"a", "1"}));
  notes.Send(Note{"b"});
  notes.Send(Note{"c"});
  jobs.Send(Job{2});
  Run();
  EXPECT_EQ(seen, (Words{"a", "1", "b", "2", "c"})) << "what is named first comes first";
  EXPECT_EQ(jobs.stats().waiting_receivers + notes.stats().waiting_receivers, 2u);
}

TEST_F(MailboxCoroutineTest, ASelectThatTimedOutEatsNothing) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  auto second = *job_inbox.Share();
  Begin(Selecting{std::move(job_inbox), std::move(note_inbox), &seen, absl::Seconds(1)});
  Advance(absl::Seconds(2));
  EXPECT_EQ(seen, Words{"DEADLINE_EXCEEDED"});
  jobs.Send(Job{1});
  EXPECT_TRUE(second.TryReceive().has_value());
  EXPECT_EQ(jobs.stats().waiting_receivers + notes.stats().waiting_receivers, 0u);
}

// Goes on with what is left until all have ended.
struct Persistent {
  Receiver<Job> jobs;
  Receiver<Note> notes;
  Words* seen;
  Task<> On(troupe::Begin) {
    for (;;) {
      auto next = co_await Select(jobs, notes);
      if (next.ok()) {
        seen->push_back(next->index() == 0 ? std::to_string(std::get<0>(*next).message.number)
                                           : std::get<1>(*next).message.text);
        continue;
      }
      seen->push_back(std::string(absl::StatusCodeToString(next.status().code())));
      const std::optional<size_t> ended = SelectErrorIndex(next.status());
      if (!ended.has_value()) co_return;
      seen->back() += " " + std::to_string(*ended);
      ended == 0 ? void(jobs = {}) : void(notes = {});
    }
  }
};

TEST_F(MailboxCoroutineTest, ALoopGoesOnWithTheMailboxesThatHaveNotEnded) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  auto close_jobs = *job_inbox.Share();
  auto close_notes = *note_inbox.Share();
  Begin(Persistent{std::move(job_inbox), std::move(note_inbox), &seen});
  close_jobs.Close(Backlog::kDrop);
  Run();
  EXPECT_EQ(seen, Words{"UNAVAILABLE 0"}) << "it waited";
  notes.Send(Note{"a"});
  Run();
  notes.Send(Note{"b"});
  close_notes.Close(Backlog::kDrain);
  Run();
  EXPECT_EQ(seen, (Words{"UNAVAILABLE 0", "a", "b", "UNAVAILABLE 1", "UNAVAILABLE"}));
}

// Each of the three ways to wait asks for itself.
TEST_F(MailboxCoroutineTest, WhatIsThereGoesBeforeTheEndOfAnother) {
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  auto ended = system_.OpenMailbox<Job>().receiver;
  ended.Close(Backlog::kDrop);
  for (const char* text : {"a", "b", "c"}) notes.Send(Note{text});
  EXPECT_EQ(std::get<1>(*Select(ended, inbox).Wait()).message.text, "a");
  auto& seen = Keep<Words>();
  Begin([&seen, &ended, &inbox = inbox](troupe::Begin, Context& self) {
    Select(ended, inbox).Then(self, [&seen](auto next) {
      seen.push_back(std::get<1>(*next).message.text);
    });
  });
  EXPECT_EQ(seen, Words{"b"});
  Begin(Persistent{std::move(ended), std::move(inbox), &seen});
  EXPECT_EQ(seen, (Words{"b", "c", "UNAVAILABLE 0"}));
}

TEST_F(MailboxCoroutineTest, ASelectOfNobodysReceiversHasNothingToWaitFor) {
  Receiver<Job> nobodys;
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  const auto none = Select(nobodys).Wait();
  EXPECT_EQ(none.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(SelectErrorIndex(none.status()), std::nullopt);
  const auto late = Select(nobodys, inbox).Within(absl::Milliseconds(1)).Wait();
  EXPECT_EQ(late.status().code(), StatusCode::kDeadlineExceeded) << "the other is waited for";
  EXPECT_EQ(SelectErrorIndex(late.status()), std::nullopt);
}

TEST_F(MailboxCoroutineTest, ASelectTellsTheRightsToOneMailboxApart) {
  auto [jobs, a] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kAll});
  auto b = *a.Share();
  auto& seen = Keep<Numbers>();
  jobs.Send(Job{1});
  EXPECT_TRUE(a.TryReceive().has_value());
  EXPECT_EQ(Select(a, b).Wait()->index(), 1u) << "at once";
  jobs.Send(Job{2});
  EXPECT_TRUE(b.TryReceive().has_value());
  EXPECT_TRUE(a.TryReceive().has_value());
  Begin([&seen, &a = a, &b](troupe::Begin, Context& self) {
    Select(b, a).Then(self, [&seen](auto next) { seen.push_back(int(next->index())); });
  });
  jobs.Send(Job{3});  // whose copies go to the rights in the order in which these were made
  Run();
  EXPECT_EQ(seen, Numbers{1}) << "a's, whom it is told of second";
}

TEST_F(MailboxCoroutineTest, APlainThreadSelects) {
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  notes.Send(Note{"a"});
  auto next = Select(job_inbox, note_inbox).Wait();
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(std::get<1>(*next).message.text, "a");
  EXPECT_EQ(Select(job_inbox, note_inbox).Within(absl::Seconds(1)).Wait().status().code(),
            StatusCode::kDeadlineExceeded);
  EXPECT_EQ(jobs.stats().waiting_receivers + notes.stats().waiting_receivers, 0u);
}

// ---- ListenTo

struct Attentive {
  std::optional<Receiver<Note>> urgent;
  std::optional<Receiver<Job>> jobs;
  Words* seen;
  void OnStart(Context& self) { ListenTo(this, self, *std::move(urgent), *std::move(jobs)); }
  void On(Note note) { seen->push_back(note.text); }
  void On(Job job) {
    if (job.number < 0) throw std::runtime_error("bad");
    seen->push_back(std::to_string(job.number));
  }
};

class ListenTest : public MailboxCoroutineTest {
 protected:
  OpenedMailbox<Note> urgent_ = system_.OpenMailbox<Note>();
  OpenedMailbox<Job> jobs_ = system_.OpenMailbox<Job>();
  Words& seen_ = Keep<Words>();
  ActorRef<Attentive> Spawn() {
    return system_.Spawn(Attentive{std::move(urgent_.receiver), std::move(jobs_.receiver), &seen_});
  }
};

TEST_F(ListenTest, AnActorHandlesWhatComesToFurtherMailboxesByPriority) {
  for (int i = 1; i <= 2; ++i) jobs_.sender.Send(Job{i});
  urgent_.sender.Send(Note{"u"});
  auto actor = Spawn();
  Run();
  EXPECT_EQ(seen_, (Words{"u", "1", "2"}));
  actor.Send(Job{3});
  jobs_.sender.Send(Job{4});
  Run();
  EXPECT_EQ(seen_, (Words{"u", "1", "2", "3", "4"}));
}

TEST_F(ListenTest, AClosedMailboxDoesNotKeepItFromTheOthers) {
  auto closer = *urgent_.receiver.Share();
  Spawn();
  Run();
  closer.Close(Backlog::kDrop);
  Run();
  jobs_.sender.Send(Job{1});
  Run();
  EXPECT_EQ(seen_, Words{"1"});
}

TEST_F(ListenTest, WhatAnActorThatFailedDidNotHandleStaysInTheMailbox) {
  auto heir = *jobs_.receiver.Share();
  for (int i : {1, -1, 2, 3}) jobs_.sender.Send(Job{i});
  Spawn();
  Run();
  EXPECT_EQ(seen_, Words{"1"});
  EXPECT_EQ(heir.TryReceive()->message.number, 2);
  EXPECT_EQ(heir.TryReceive()->message.number, 3);
}

// ---- channels

TEST_F(MailboxCoroutineTest, AChannelHasTwoEnds) {
  auto [client, server] = OpenChannel<Job, Note>(system_);
  client.Send(Job{7});
  EXPECT_EQ(server.TryReceive()->message.number, 7);
  server.Send(Note{"seven"});
  EXPECT_EQ(client.TryReceive()->message.text, "seven");
}

TEST_F(MailboxCoroutineTest, AnEndLearnsThatTheOtherIsGone) {
  auto [client, server] = OpenChannel<Job, Note>(system_);
  server.Send(Note{"last"});
  server = {};
  EXPECT_EQ(client.Send(Job{1}), SendResult::kClosed);
  EXPECT_TRUE(client.Closed().Wait().ok());
  EXPECT_EQ(client.TryReceive()->message.text, "last");
  EXPECT_EQ(client.Receive().Wait().status().code(), StatusCode::kUnavailable);
}

TEST_F(MailboxCoroutineTest, AnEndTravelsInAMessage) {
  auto [client, server] = OpenChannel<Job, Note>(system_, 4);
  struct Serve {
    ChannelEnd<Note, Job> end;
  };
  auto actor = system_.Spawn([](Serve serve) -> Task<> {
    for (;;) {
      auto job = co_await serve.end.Receive();
      if (!job.ok()) co_return;
      serve.end.Send(Note{std::to_string(job->message.number)});
    }
  });
  client.Send(Job{1});
  actor.Send(Serve{std::move(server)});
  client.Send(Job{2});
  Run();
  EXPECT_EQ(client.TryReceive()->message.text, "1");
  EXPECT_EQ(client.TryReceive()->message.text, "2");
}

}  // namespace
}  // namespace troupe
