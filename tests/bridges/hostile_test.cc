// A peer that speaks the protocol by hand, and wrongly: it is cut off, with a reason, and nobody else is.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/bridges/raw_peer.h"
#include "tests/bridges/watching.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/credit.h"
#include "troupe/runtime/bridges/internal/hello.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Note {
  std::string text;
};
struct Question {
  using Reply = std::string;
  std::string text;
};
struct Introduce {
  Recipient<Note> whom;
};

struct Wrapped {
  std::string text;
  Recipient<Note> whom;
};
struct Wrap {
  using Reply = Wrapped;
  uint32_t length;
  Recipient<Wrapped> to;
};
// The last two as a RawPeer writes and reads them.
struct RawWrapped {
  std::string text;
  internal::WireRef whom;
};
struct RawWrap {
  uint32_t length;
  internal::WireRef to;
};

class Desk {
 public:
  explicit Desk(std::atomic<int>& notes) : notes_(notes) {}
  void OnStart(Context& self) {
    clerk_ = self.Spawn([](const Note&) {});
  }
  void On(const Note&) { notes_.fetch_add(1); }
  std::string On(const Question& q) { return q.text; }
  void On(Introduce) {}
  Wrapped On(const Wrap& m) {
    if (m.to) m.to.Send(Wrapped{std::string(m.length, 'x'), clerk_});
    return {std::string(m.length, 'x'), m.to ? Recipient<Note>() : clerk_};
  }

 private:
  std::atomic<int>& notes_;
  Recipient<Note> clerk_;
};

class HostileTest : public testing::Test {
 protected:
  HostileTest() {
    const auto desk = system_.Spawn<Desk>(notes_);
    EXPECT_TRUE((node_.Publish<Note, Question, Introduce, Wrap>("desk", desk).ok()));
    EXPECT_TRUE(node_.Listen("unix://" + path_).ok());
  }
  ~HostileTest() override { ExpectServed<Question>(path_); }

  internal::WireRef FindDesk(RawPeer& peer) {
    return peer.Meet<Note, Question, Introduce, Wrap>("desk");
  }

  const std::string path_ = absl::StrCat("/tmp/troupe-hostile-test-", ::getpid());
  std::atomic<int> notes_ = 0;
  System system_;
  Node node_{system_, {.max_frame = 65536, .window = 4096, .max_imports = 10}};
};

TEST_F(HostileTest, WhoDoesNotSayHelloFirstIsCutOff) {
  RawPeer peer(path_);
  peer.Send({.kind = FrameKind::kFind}, "");
  EXPECT_EQ(peer.AwaitBye(), "protocol: no Hello");
}

TEST_F(HostileTest, WhoSaysAnotherVersionIsToldWhich) {
  RawPeer peer(path_);
  internal::Hello hello = RawPeer::Hello();
  hello.version = 7;
  peer.Send({.kind = FrameKind::kHello}, Encode(hello));
  EXPECT_EQ(peer.AwaitBye(), "protocol: version 7 there, 2 here");
}

TEST_F(HostileTest, WhoSaysHelloTwiceIsCutOff) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.SendHello();
  EXPECT_EQ(peer.AwaitBye(), "protocol: a second Hello");
}

TEST_F(HostileTest, WhoAnnouncesAFrameThatIsTooLongIsCutOffBeforeItComes) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.Send(std::string("\xff\xff\xff\x7f", 4));
  EXPECT_NE(peer.AwaitBye().find("with a limit of 65536"), std::string::npos);
}

TEST_F(HostileTest, AStrangerSaysHelloAndNothingLong) {
  RawPeer stranger(path_);
  stranger.Send(std::string("\x00\x20\x00\x00", 4));  // 8 KiB are to come
  EXPECT_TRUE(absl::StrContains(stranger.AwaitBye(), "limit of 4096"));
}

TEST_F(HostileTest, OfALongNameLittleIsKept) {
  RawPeer peer(path_);
  internal::Hello hello = RawPeer::Hello();
  hello.name = std::string(3000, 'x');
  peer.Send({.kind = FrameKind::kHello}, Encode(hello));
  std::promise<std::string> name;
  struct Listener {
    std::promise<std::string>* name;
    void On(const PeerUp& up) { name->set_value(up.peer.name()); }
    void On(const PeerDown&) {}
  };
  peer.Send({.kind = FrameKind::kPing});
  const auto listener = system_.Spawn<Listener>(Listener{&name});
  node_.Subscribe(listener);
  EXPECT_LT(name.get_future().get().size(), 500u);
  listener.Stop();
  system_.Join(listener).IgnoreError();  // which uses `name`
}

TEST_F(HostileTest, WhoReadsNoMoreIsLostThoughItGoesOnSending) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.Await(FrameKind::kHello);
  peer.StopReading();
  while (node_.stats().connections > 0) {
    peer.Send({.kind = FrameKind::kFind, .correlation = 1},
              Encode(std::pair<std::string, std::vector<uint64_t>>("nobody", {})));
  }
}

TEST_F(HostileTest, OnlyWhatWasHandedOutCanBeReached) {
  for (int wrong = 0; wrong < 3; ++wrong) {
    RawPeer peer(path_);
    internal::WireRef desk = FindDesk(peer);
    if (wrong == 0) ++desk.id;
    if (wrong == 1) ++desk.incarnation;
    peer.Send(To(desk, wrong == 2 ? MessageHash("Secret") : TypeOf<Note>()), Encode(Note{"hi"}));
    EXPECT_NE(peer.AwaitBye().find("exported"), std::string::npos);
  }
  EXPECT_EQ(notes_.load(), 0);
}

TEST_F(HostileTest, APayloadThatIsNoSuchMessageIsTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  peer.Send(To(desk, TypeOf<Note>()), Encode(17));
  EXPECT_NE(peer.AwaitBye().find("msgpack: no array"), std::string::npos);
}

TEST_F(HostileTest, ARequestForWhatHasNoAnswerIsTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  peer.Send(To(desk, TypeOf<Note>(), FrameKind::kRequest), Encode(Note{"hi"}));
  EXPECT_EQ(peer.AwaitBye(), "a request that has no answer");
}

TEST_F(HostileTest, ARefThatIsMadeUpIsTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const internal::WireRef fake{
      .whose = internal::WireRef::Whose::kReaders, .id = 1, .incarnation = 4, .types = {}};
  peer.Send(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{fake}));
  EXPECT_NE(peer.AwaitBye().find("exported"), std::string::npos);
}

// Or else it could make the node watch its own actors again and again, for nothing.
TEST_F(HostileTest, WhoReleasesARefNotAtAllOrMoreOftenThanItWasGivenIsCutOff) {
  for (const uint64_t times : {0, 2}) {
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    peer.Send({.kind = FrameKind::kRelease,
               .target = desk.id,
               .incarnation = desk.incarnation,
               .correlation = times});
    EXPECT_EQ(peer.AwaitBye(), absl::StrCat("protocol: number 1 is released ", times, " times"));
  }
}

// As often as it was sent, a ref is released. What is longer than the peer takes is not sent.
TEST_F(HostileTest, ARefInAFrameThatIsNotSentWasNotGiven) {
  const internal::WireRef reader{.whose = internal::WireRef::Whose::kWriters,
                                 .id = 1,
                                 .incarnation = 1,
                                 .types = {TypeOf<Wrapped>()}};
  for (const bool by_answer : {true, false}) {
    SCOPED_TRACE(by_answer);
    const uint64_t refused = node_.stats().refused;
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    internal::WireRef clerk;
    const auto send = [&](uint32_t length) {
      peer.Send(To(desk, TypeOf<Wrap>(), by_answer ? FrameKind::kRequest : FrameKind::kMessage),
                Encode(RawWrap{length, by_answer ? internal::WireRef() : reader}));
    };
    send(70'000);
    if (by_answer) peer.Await(FrameKind::kAnswer);  // it is too long
    send(1);
    if (by_answer) {
      const auto answer = Decode<std::pair<int, RawWrapped>>(peer.Await(FrameKind::kAnswer));
      ASSERT_TRUE(answer.ok()) << answer.status();
      clerk = answer->second.whom;
    } else {
      const auto message = Decode<RawWrapped>(peer.Await(FrameKind::kMessage));
      ASSERT_TRUE(message.ok()) << message.status();
      clerk = message->whom;
    }
    peer.Send({.kind = FrameKind::kRelease,
               .target = clerk.id,
               .incarnation = clerk.incarnation,
               .correlation = 1});
    peer.Send(To(clerk, TypeOf<Note>()), Encode(Note{"are you still there?"}));
    peer.AwaitBye();  // or the end without it, if an answer is just being written
    while (node_.stats().refused == refused) std::this_thread::yield();
    EXPECT_TRUE(absl::StrContains(node_.stats().last_refusal, "nobody was exported as number"));
  }
}

TEST_F(HostileTest, RefsBeyondTheLimitAreTheEnd) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  for (uint64_t id = 1; id <= 11; ++id) {
    const internal::WireRef ref{.whose = internal::WireRef::Whose::kWriters,
                                .id = id,
                                .incarnation = id,
                                .types = {TypeOf<Note>()}};
    peer.Send(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{ref}));
  }
  EXPECT_NE(peer.AwaitBye().find("too many refs"), std::string::npos);
}

TEST_F(HostileTest, WhoSendsMoreThanItsCreditIsCutOff) {
  std::promise<void> go;
  std::shared_future<void> may_go = go.get_future().share();
  const auto slow = system_.Spawn(ActorOptions{.placement = Placement::kDedicatedThread},
                                  [may_go](const Note&) { may_go.wait(); });
  ASSERT_TRUE(node_.Publish<Note>("slow", slow).ok());
  RawPeer peer(path_);
  peer.SendHello();
  const internal::WireRef to = peer.Find("slow", {TypeOf<Note>()});
  for (int i = 0; i < 100; ++i)
    peer.Send(To(to, TypeOf<Note>()), Encode(Note{std::string(100, 'x')}));
  EXPECT_EQ(peer.AwaitBye(), "protocol: more messages than its credit");
  go.set_value();
}

// ---- credit

TEST_F(HostileTest, WhoReturnsWhatWasNotSentThereIsCutOff) {
  using Returned = std::vector<internal::Credit>;
  const internal::WireRef reader{.whose = internal::WireRef::Whose::kWriters,
                                 .id = 5,
                                 .incarnation = 1,
                                 .types = {TypeOf<Wrapped>()}};
  const auto returns = [&](const std::function<Returned(uint64_t bytes)>& what) {
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    peer.Send(To(desk, TypeOf<Wrap>()), Encode(RawWrap{10, reader}));
    const size_t bytes = kFrameHeaderSize + peer.Await(FrameKind::kMessage).size();
    peer.Send({.kind = FrameKind::kCredit, .lane = Lane::kControl}, Encode(what(bytes)));
    peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"on?"}));
    return peer.AwaitAnswerOrBye();
  };
  const std::string wrong = "protocol: credit for what was not sent";
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{5, bytes}}; }), "");
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{5, 1}, {5, bytes - 1}}; }), "");
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{5, bytes + 1}}; }), wrong);
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{5, bytes}, {5, 1}}; }), wrong);
  EXPECT_EQ(returns([](uint64_t) { return Returned{{5, ~uint64_t{0}}}; }), wrong);
  EXPECT_EQ(returns([](uint64_t) { return Returned{{5, 0}}; }), wrong);
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{6, bytes}}; }), wrong);
  EXPECT_EQ(returns([](uint64_t bytes) { return Returned{{0, bytes}}; }), wrong);
}

TEST_F(HostileTest, CreditThatIsNoListIsTheEnd) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.Send({.kind = FrameKind::kCredit}, Encode(10));
  EXPECT_NE(peer.AwaitBye().find("msgpack: no array"), std::string::npos);
}

// Each costs a look, and of what is handled the credit is returned once.
TEST_F(HostileTest, WhoSaysAgainAndAgainThatItWaitsGetsItsCreditAndNoMore) {
  RawPeer peer(path_);
  const internal::WireRef desk = FindDesk(peer);
  const auto blocked = [&](uint64_t target) {
    for (int i = 0; i < 1000; ++i) peer.Send({.kind = FrameKind::kBlocked, .target = target});
  };
  for (const uint64_t target : {uint64_t{0}, desk.id, desk.id + 1, ~uint64_t{0}}) blocked(target);
  const std::string note = Encode(Note{"hi"});
  peer.Send(To(desk, TypeOf<Note>()), note);
  blocked(desk.id);
  const auto credit = Decode<std::vector<internal::Credit>>(peer.Await(FrameKind::kCredit));
  ASSERT_TRUE(credit.ok()) << credit.status();
  ASSERT_EQ(credit->size(), 1u);
  EXPECT_EQ(credit->front().target, desk.id);
  EXPECT_EQ(credit->front().bytes, kFrameHeaderSize + note.size());
  for (const uint64_t target : {uint64_t{0}, desk.id}) blocked(target);
  peer.Send(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"on?"}));
  EXPECT_FALSE(peer.Await(FrameKind::kAnswer).empty());
}

// Half of what it has outstanding, and not what it claims.
TEST_F(HostileTest, WhoWaitsIsToldWhenHalfIsHandledAndNotForEachMessage) {
  auto [notes, inbox] = system_.OpenMailbox<Note>();
  ASSERT_TRUE(node_.PublishMailbox("notes", notes).ok());
  RawPeer peer(path_);
  peer.SendHello();
  const internal::WireRef to = peer.Find("notes", {TypeOf<Note>()}, /*mailbox=*/true);
  const std::string note = Encode(Note{"hi"});
  for (int i = 0; i < 10; ++i) peer.Send(To(to, TypeOf<Note>()), note);
  peer.Send({.kind = FrameKind::kBlocked, .target = to.id});
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(inbox.Receive(kLong).Wait().ok());
  const auto credit = Decode<std::vector<internal::Credit>>(peer.Await(FrameKind::kCredit));
  ASSERT_TRUE(credit.ok()) << credit.status();
  ASSERT_EQ(credit->size(), 1u);
  EXPECT_EQ(credit->front().target, to.id);
  EXPECT_EQ(credit->front().bytes, 5 * (kFrameHeaderSize + note.size()));
}

TEST_F(HostileTest, AnAnswerToNoQuestionIsTheEnd) {
  RawPeer peer(path_);
  peer.SendHello();
  peer.Send({.kind = FrameKind::kAnswer, .correlation = 99}, Encode(1));
  EXPECT_EQ(peer.AwaitBye(), "protocol: an answer to no question");
}

TEST_F(HostileTest, WhoSaysNothingIsGivenUp) {
  System system;
  Node node(system,
            {.handshake_timeout = absl::Milliseconds(1), .heartbeat_interval = absl::Hours(1)});
  const std::string path = path_ + "-silent";
  ASSERT_TRUE(node.Listen("unix://" + path).ok());
  RawPeer peer(path);
  EXPECT_EQ(peer.AwaitBye(), "the peer does not say Hello");
  while (node.stats().half_open > 0) std::this_thread::yield();
}

TEST_F(HostileTest, WhoIsToOpenTheConnectionAndDoesNotIsGivenUp) {
  System system;
  Node node(system,
            {.handshake_timeout = absl::Milliseconds(1), .heartbeat_interval = absl::Hours(1)});
  const std::string path = path_ + "-undecided";
  ASSERT_TRUE(node.Listen("unix://" + path).ok());
  RawPeer peer(path);
  internal::Hello hello = RawPeer::Hello();
  hello.node_high = ~uint64_t{0};  // greater than the node's
  peer.Send({.kind = FrameKind::kHello}, Encode(hello));
  EXPECT_NE(peer.AwaitBye().find("or the peer says only Hello"), std::string::npos);
}

TEST_F(HostileTest, WhoClaimsToBeANodeThatIsConnectedDisplacesNobody) {
  System system;
  Node honest(system);
  const auto peer = honest.Connect("unix://" + path_, kLong).Wait();
  ASSERT_TRUE(peer.ok()) << peer.status();
  const auto desk = peer->Find<Question>("desk", kLong).Wait();
  ASSERT_TRUE(desk.ok()) << desk.status();
  RawPeer liar(path_);
  internal::Hello hello = RawPeer::Hello();
  hello.node_high = honest.id().high;
  hello.node_low = honest.id().low;
  liar.Send({.kind = FrameKind::kHello}, Encode(hello));
  liar.Send({.kind = FrameKind::kPing, .lane = Lane::kControl});
  liar.Find("desk", {TypeOf<Note>()});  // so all of that has been read
  EXPECT_EQ(desk->Ask(Question{"still?"}, kLong).Wait().value_or("no answer"), "still?");
  EXPECT_EQ(honest.Connect("unix://" + path_, kLong).Wait().value_or(*peer), *peer);
}

// The numbers of a RawPeer are smaller than those of any node.
TEST_F(HostileTest, TheSideThatDecidesTakesNobodysWordForAConnectionToBeTheOne) {
  System system;
  Node node(system, {.handshake_timeout = absl::Hours(1)});  // so long the first one may be silent
  const std::string path = path_ + "-word";
  ASSERT_TRUE(node.Listen("unix://" + path).ok());
  ASSERT_TRUE(node.Publish<Note>("desk", system.Spawn([](const Note&) {})).ok());
  RawPeer second(path);
  {
    RawPeer first(path);
    first.SendHello();
    first.Await(FrameKind::kPing);  // so it is the one
    second.SendHello();
    second.Send({.kind = FrameKind::kPing, .lane = Lane::kControl});  // "this one is"
    second.Find("desk", {TypeOf<Note>()});                            // so that has been read
    EXPECT_FALSE(second.HasSeen(FrameKind::kPing));
  }
  second.Await(FrameKind::kPing);
  EXPECT_TRUE(second.HasSeen(FrameKind::kPing));
}

TEST_F(HostileTest, WhoFallsSilentIsLost) {
  System system;
  Node node(system, {.heartbeat_interval = absl::Milliseconds(1),
                     .heartbeat_timeout = absl::Milliseconds(5)});
  const std::string path = path_ + "-stuck";
  ASSERT_TRUE(node.Listen("unix://" + path).ok());
  RawPeer peer(path);
  peer.SendHello();
  EXPECT_EQ(peer.AwaitBye(), "the peer gives no sign of life");
}

// Valid sessions with some bytes changed, from a fixed seed: each ends or goes on, and the node serves
// others afterwards (the fixture's destructor).
TEST_F(HostileTest, SpoiledSessionsHarmNobody) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    RawPeer peer(path_);
    const internal::WireRef desk = FindDesk(peer);
    std::string bytes;
    auto add = [&](const FrameHeader& header, const std::string& payload) {
      const size_t start = BeginFrame(bytes, header);
      bytes += payload;
      EndFrame(bytes, start);
    };
    add(To(desk, TypeOf<Note>()), Encode(Note{"hello"}));
    add(To(desk, TypeOf<Question>(), FrameKind::kRequest), Encode(Question{"why?"}));
    add(To(desk, TypeOf<Introduce>()), Encode(std::vector<internal::WireRef>{desk}));
    add({.kind = FrameKind::kBlocked, .target = desk.id}, "");
    add({.kind = FrameKind::kRelease,
         .target = desk.id,
         .incarnation = desk.incarnation,
         .correlation = 1},
        "");
    add({.kind = FrameKind::kDown, .target = 1, .incarnation = 2}, Encode(std::vector<int>{0}));
    add({.kind = FrameKind::kCredit}, Encode(std::vector<internal::Credit>{{desk.id, 10}}));
    for (int n = static_cast<int>(random() % 5); n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<char>(random());
    }
    if (random() % 3 == 0) bytes.resize(random() % bytes.size());
    peer.Send(bytes);
  }
}

}  // namespace
}  // namespace troupe
