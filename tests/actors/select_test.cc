// Waiting for several mailboxes at once, Select and ListenTo, and channels.
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

class SelectTest : public Simulated {};

// ---- Select

struct Selecting {
  Receiver<Job> jobs;
  Receiver<Note> notes;
  Words* seen;
  absl::Duration timeout = absl::InfiniteDuration();
  Task<> On(Begin) {
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

TEST_F(SelectTest, SelectTakesFromWhicheverHasSomething) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  Begun<Begin>(Selecting{std::move(job_inbox), std::move(note_inbox), &seen});
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

TEST_F(SelectTest, ASelectThatTimedOutEatsNothing) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  auto second = *job_inbox.Share();
  Begun<Begin>(Selecting{std::move(job_inbox), std::move(note_inbox), &seen, absl::Seconds(1)});
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
  Task<> On(Begin) {
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

TEST_F(SelectTest, ALoopGoesOnWithTheMailboxesThatHaveNotEnded) {
  auto& seen = Keep<Words>();
  auto [jobs, job_inbox] = system_.OpenMailbox<Job>();
  auto [notes, note_inbox] = system_.OpenMailbox<Note>();
  auto close_jobs = *job_inbox.Share();
  auto close_notes = *note_inbox.Share();
  Begun<Begin>(Persistent{std::move(job_inbox), std::move(note_inbox), &seen});
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
TEST_F(SelectTest, WhatIsThereGoesBeforeTheEndOfAnother) {
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  auto ended = system_.OpenMailbox<Job>().receiver;
  ended.Close(Backlog::kDrop);
  for (const char* text : {"a", "b", "c"}) notes.Send(Note{text});
  EXPECT_EQ(std::get<1>(*Select(ended, inbox).Wait()).message.text, "a");
  auto& seen = Keep<Words>();
  Begun<Begin>([&seen, &ended, &inbox = inbox](Begin, Context& self) {
    Select(ended, inbox).Then(self, [&seen](auto next) {
      seen.push_back(std::get<1>(*next).message.text);
    });
  });
  EXPECT_EQ(seen, Words{"b"});
  Begun<Begin>(Persistent{std::move(ended), std::move(inbox), &seen});
  EXPECT_EQ(seen, (Words{"b", "c", "UNAVAILABLE 0"}));
}

TEST_F(SelectTest, ASelectOfNobodysReceiversHasNothingToWaitFor) {
  Receiver<Job> nobodys;
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  const auto none = Select(nobodys).Wait();
  EXPECT_EQ(none.status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(SelectErrorIndex(none.status()), std::nullopt);
  const auto late = Select(nobodys, inbox).Within(absl::Milliseconds(1)).Wait();
  EXPECT_EQ(late.status().code(), StatusCode::kDeadlineExceeded) << "the other is waited for";
  EXPECT_EQ(SelectErrorIndex(late.status()), std::nullopt);
}

TEST_F(SelectTest, ASelectTellsTheRightsToOneMailboxApart) {
  auto [jobs, a] = system_.OpenMailbox<Job>("", {.receivers = Receivers::kAll});
  auto b = *a.Share();
  auto& seen = Keep<Numbers>();
  jobs.Send(Job{1});
  EXPECT_TRUE(a.TryReceive().has_value());
  EXPECT_EQ(Select(a, b).Wait()->index(), 1u) << "at once";
  jobs.Send(Job{2});
  EXPECT_TRUE(b.TryReceive().has_value());
  EXPECT_TRUE(a.TryReceive().has_value());
  Begun<Begin>([&seen, &a = a, &b](Begin, Context& self) {
    Select(b, a).Then(self, [&seen](auto next) { seen.push_back(int(next->index())); });
  });
  jobs.Send(Job{3});  // whose copies go to the rights in the order in which these were made
  Run();
  EXPECT_EQ(seen, Numbers{1}) << "a's, whom it is told of second";
}

TEST_F(SelectTest, APlainThreadSelects) {
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

class ListenTest : public SelectTest {
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

// Of its own mail, and one that is on its way, urgent is no word.
TEST_F(ListenTest, PriorityIsAmongTheFurtherMailboxesAndNotOverItsOwnMail) {
  auto actor = Spawn();
  Run();
  actor.Send(Job{1});
  jobs_.sender.Send(Job{2});
  jobs_.sender.Send(Job{4});
  urgent_.sender.Send(Note{"u"});
  actor.Send(Job{3});
  Run();
  EXPECT_EQ(seen_, (Words{"1", "3", "2", "u", "4"}));
}

// ---- channels

class ChannelTest : public SelectTest {};

TEST_F(ChannelTest, AChannelHasTwoEnds) {
  auto [client, server] = OpenChannel<Job, Note>(system_);
  client.Send(Job{7});
  EXPECT_EQ(server.TryReceive()->message.number, 7);
  server.Send(Note{"seven"});
  EXPECT_EQ(client.TryReceive()->message.text, "seven");
}

TEST_F(ChannelTest, AnEndLearnsThatTheOtherIsGone) {
  auto [client, server] = OpenChannel<Job, Note>(system_);
  server.Send(Note{"last"});
  server = {};
  EXPECT_EQ(client.Send(Job{1}), SendResult::kClosed);
  EXPECT_TRUE(client.Closed().Wait().ok());
  EXPECT_EQ(client.TryReceive()->message.text, "last");
  EXPECT_EQ(client.Receive().Wait().status().code(), StatusCode::kUnavailable);
}

TEST_F(ChannelTest, AnEndTravelsInAMessage) {
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

// Squares what comes from either client, for whom it came from.
struct Serving {
  ChannelEnd<Note, Job> a;
  ChannelEnd<Note, Job> b;
  static void Answer(ChannelEnd<Note, Job>& client, int number) {
    client.Send(Note{std::to_string(number * number)});
  }
};

TEST_F(ChannelTest, AServerWaitsForSeveralClients) {
  struct Server : Serving {
    Task<> On(Begin) {
      for (;;) {
        auto next = co_await Select(a, b);
        if (next.ok()) {
          const bool is_a = next->index() == 0;
          const int number =
              is_a ? std::get<0>(*next).message.number : std::get<1>(*next).message.number;
          Answer(is_a ? a : b, number);
          continue;
        }
        const std::optional<size_t> gone = SelectErrorIndex(next.status());
        if (!gone.has_value()) co_return;
        (gone == 0 ? a : b) = {};
      }
    }
  };
  auto [alice, to_alice] = OpenChannel<Job, Note>(system_);
  auto [bob, to_bob] = OpenChannel<Job, Note>(system_);
  Begun<Begin>(Server{{std::move(to_alice), std::move(to_bob)}});
  bob.Send(Job{3});
  Run();
  alice.Send(Job{2});
  Run();
  EXPECT_EQ(alice.TryReceive()->message.text, "4");
  EXPECT_EQ(bob.TryReceive()->message.text, "9");
  alice = {};
  Run();
  bob.Send(Job{4});
  Run();
  EXPECT_EQ(bob.TryReceive()->message.text, "16") << "one is gone, the other is not";
}

TEST_F(ChannelTest, AnActorListensToItsEndsAndSendsByThem) {
  struct Server {
    std::optional<ChannelEnd<Note, Job>> job_client;
    std::optional<ChannelEnd<Job, Note>> note_client;
    void OnStart(Context& self) { ListenTo(this, self, *job_client, *note_client); }
    void On(Job job) { job_client->Send(Note{std::to_string(job.number)}); }
    void On(Note note) { note_client->Send(Job{static_cast<int>(note.text.size())}); }
  };
  auto [jobs, job_end] = OpenChannel<Job, Note>(system_);
  auto [notes, note_end] = OpenChannel<Note, Job>(system_);
  auto server = system_.Spawn(Server{std::move(job_end), std::move(note_end)});
  Run();
  notes.Send(Note{"seven"});
  jobs.Send(Job{7});
  Run();
  EXPECT_EQ(jobs.TryReceive()->message.text, "7");
  EXPECT_EQ(notes.TryReceive()->message.number, 5);
  server.Stop();
  Run();
  EXPECT_EQ(jobs.Send(Job{8}), SendResult::kClosed) << "both ends learn of it";
  EXPECT_EQ(notes.Receive().Wait().status().code(), StatusCode::kUnavailable);
}

TEST_F(ChannelTest, AnEndHasStatsOfBothDirections) {
  auto [client, server] = OpenChannel<Job, Note>(system_, 4);
  client.Send(Job{1});
  client.Send(Job{2});
  EXPECT_EQ(client.out_stats().depth, 2u);
  EXPECT_EQ(client.in_stats().sent, 0u);
  EXPECT_EQ(server.in_stats().depth, 2u);
  EXPECT_EQ(server.in_stats().capacity, 4u);
  server.TryReceive();
  EXPECT_EQ(client.out_stats().received, 1u);
  server = {};
  EXPECT_TRUE(client.out_stats().closed);
}

}  // namespace
}  // namespace troupe
