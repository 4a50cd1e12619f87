// P. Two threads of one process. A. send(message) and receive(message), and what a message may be.
#include <latch>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/message_passing/message_passing.h"

namespace troupe {
namespace {

struct Meet {
  std::latch* both;
  Recipient<Job> other;
};
struct Talker {
  int number;
  Sender<Job> seen;
  std::thread::id* thread;
  void On(const Meet& meet) {
    *thread = std::this_thread::get_id();
    meet.both->arrive_and_wait();
    meet.other.Send(Job{number});
  }
  void On(Job job) { seen.Send(std::move(job)); }
};

TEST_F(MessagePassing, P1_ActorsOnTwoThreadsOfAProcessTalk) {
  System system({.workers = 2});
  auto [sent, seen] = system.OpenMailbox<Job>();
  std::thread::id threads[2];
  std::latch both(2);
  auto p = system.Spawn(Talker{1, sent, &threads[0]});
  auto q = system.Spawn(Talker{2, sent, &threads[1]});
  p.Send(Meet{&both, q});
  q.Send(Meet{&both, p});
  EXPECT_EQ(seen.Receive().Wait()->message.number + seen.Receive().Wait()->message.number, 3);
  EXPECT_NE(threads[0], threads[1]);
}

struct Begin {};

TEST_F(MessagePassing, R9_SendAndReceiveArePrimitivesForActors) {
  struct Echo {
    Receiver<Job> in;
    Sender<Job> out;
    Task<> On(Begin) {
      while (true) {
        auto job = co_await in.Receive();
        if (!job.ok()) co_return;
        out.Send(Job{job->message.number + 1});
      }
    }
  };
  auto [there, in] = system_.OpenMailbox<Job>();
  auto [back, answers] = system_.OpenMailbox<Job>();
  system_.Spawn<Echo>(Echo{std::move(in), back}).Send(Begin());
  there.Send(Job{1});
  there.Send(Job{10});
  Run();
  EXPECT_EQ(Drain(answers), (Numbers{2, 11}));
}

TEST_F(MessagePassing, R9_SendAndReceiveArePrimitivesForPlainThreads) {
  System system({.workers = 1});
  auto [there, in] = system.OpenMailbox<Job>();
  auto [back, answers] = system.OpenMailbox<Job>();
  constexpr int kCount = 100;
  std::thread echo([&in = in, out = back] {
    for (int i = 0; i < kCount; ++i) out.Send(Job{in.Receive().Wait()->message.number + 1});
  });
  for (int i = 1; i <= kCount; ++i) {
    there.Send(Job{i});
    EXPECT_EQ(answers.Receive().Wait()->message.number, i + 1);
  }
  echo.join();
}

struct Page {
  std::string text;
  std::vector<std::string> notes;
};
struct Document {
  std::string title;
  std::map<std::string, Page> pages;
  std::variant<int, std::string> edition;
  std::optional<std::unique_ptr<int>> seal;
};

TEST_F(MessagePassing, R12_AMessageMayHaveAnySizeAndAnyParts) {
  auto [out, in] = system_.OpenMailbox<Document>();
  Document document{.title = "t", .pages = {}, .edition = "second", .seal = {}};
  document.pages["first"] = {std::string(100'000, 'x'), {"a", "b"}};
  document.seal = std::make_unique<int>(7);
  out.Send(std::move(document));
  const Document got = std::move(in.TryReceive()->message);
  EXPECT_EQ(got.pages.at("first").text.size(), 100'000u);
  EXPECT_EQ(got.pages.at("first").notes, (Words{"a", "b"}));
  EXPECT_EQ(std::get<std::string>(got.edition), "second");
  EXPECT_EQ(**got.seal, 7);
}

}  // namespace
}  // namespace troupe
