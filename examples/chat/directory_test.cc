// Rooms and users: no process, no socket, no thread, and time as the test says.
#include "examples/chat/directory.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "examples/chat/messages.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/matchers.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace chat {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using troupe::testing::IsOk;
using troupe::testing::IsOkAndHolds;
using troupe::testing::Probe;
using troupe::testing::StatusIs;

class DirectoryTest : public ::testing::Test {
 protected:
  // A user with a screen.
  struct Client {
    Client(DirectoryTest& test, const std::string& nick) : screen(test.system_, nick) {
      session = test.Enters(nick, screen.ref()).value_or(Session());
    }
    // "room from: text" of all lines that have come.
    std::vector<std::string> Lines() {
      std::vector<std::string> lines;
      for (const Line& line : screen.ReceiveAll<Line>()) {
        lines.push_back(absl::StrCat(line.room, " ", line.from, ": ", line.text));
      }
      return lines;
    }
    Probe<Line> screen;
    Session session;
  };

  absl::StatusOr<Session> Enters(const std::string& nick, Screen screen) {
    return directory_.Ask(Enter{nick, screen}).Wait();
  }
  std::vector<std::string> Rooms(const Client& client) {
    return client.session.Ask(ListRooms{}).Wait().value();
  }

  troupe::testing::TestSystem system_;
  troupe::ActorRef<Directory> directory_ = system_.Spawn<Directory>();
};

TEST_F(DirectoryTest, WhatIsSaidInARoomIsShownToAllWhoAreInIt) {
  Client alice(*this, "alice"), bob(*this, "bob"), carol(*this, "carol");
  ASSERT_THAT(alice.session.Ask(Join{"Garden"}).Wait(), IsOk());
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(bob.session.Ask(Say{"GARDEN", "hello"}).Wait(), IsOk());
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined", "garden : bob has joined",
                                         "garden bob: hello"));
  EXPECT_THAT(bob.Lines(), ElementsAre("garden : bob has joined", "garden bob: hello"));
  EXPECT_THAT(carol.Lines(), IsEmpty());
}

TEST_F(DirectoryTest, OnlyWhoIsInARoomCanSpeakLeaveOrLookThere) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(alice.session.Ask(ListMembers{"garden"}).Wait(), IsOkAndHolds(ElementsAre("alice")));
  const auto refused = StatusIs(absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(bob.session.Ask(Say{"garden", "hello"}).Wait(), refused);
  EXPECT_THAT(bob.session.Ask(Leave{"garden"}).Wait(), refused);
  EXPECT_THAT(bob.session.Ask(ListMembers{"garden"}).Wait(), refused);
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(bob.session.Ask(Leave{"garden"}).Wait(), IsOk());
  EXPECT_THAT(bob.session.Ask(Say{"garden", "hello"}).Wait(), refused);
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined", "garden : bob has joined",
                                         "garden : bob has left"));
}

TEST_F(DirectoryTest, WhoJoinsIsShownWhatWasSaidLately) {
  Client alice(*this, "alice");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  for (size_t i = 1; i <= Room::kHistory + 5; ++i) {
    system_.Advance(absl::Minutes(1));
    ASSERT_THAT(alice.session.Ask(Say{"garden", absl::StrCat(i)}).Wait(), IsOk());
  }
  Client bob(*this, "bob");
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  const std::vector<Line> lines = bob.screen.ReceiveAll<Line>();
  ASSERT_EQ(lines.size(), Room::kHistory + 1);  // and that bob has joined
  EXPECT_EQ(lines[0].text, "6");
  EXPECT_EQ(lines[0].when, absl::UnixEpoch() + absl::Minutes(6));
  EXPECT_EQ(lines[Room::kHistory - 1].text, absl::StrCat(Room::kHistory + 5));
}

TEST_F(DirectoryTest, JoiningTwiceIsJoiningOnce) {
  Client alice(*this, "alice");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(alice.session.Ask(Join{"Garden"}).Wait(), IsOk());
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined"));
}

TEST_F(DirectoryTest, LinesOfARoomAreNumberedForEachScreen) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(alice.session.Ask(Say{"garden", "hello"}).Wait(), IsOk());
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(alice.session.Ask(Tell{"bob", "psst"}).Wait(), IsOk());
  std::vector<std::string> numbers;
  for (const Line& line : bob.screen.ReceiveAll<Line>()) {
    numbers.push_back(absl::StrCat(line.text, " ", line.number));
  }
  EXPECT_THAT(numbers, ElementsAre("hello 1", "bob has joined 2", "psst 1"));
}

TEST_F(DirectoryTest, ANicknameBelongsToOneUserWhateverItsCase) {
  Client alice(*this, "alice"), bob(*this, "bob");
  const auto taken = StatusIs(absl::StatusCode::kAlreadyExists);
  EXPECT_THAT(Enters("Alice", bob.screen.ref()), taken);
  EXPECT_THAT(bob.session.Ask(Rename{"ALICE"}).Wait(), taken);
  EXPECT_THAT(alice.session.Ask(Rename{"Alice"}).Wait(), IsOk());  // her own
  EXPECT_THAT(alice.session.Ask(Rename{"eve"}).Wait(), IsOk());
  EXPECT_THAT(bob.session.Ask(Rename{"alice"}).Wait(), IsOk());
}

TEST_F(DirectoryTest, RoomsAreToldOfANewNickname) {
  Client alice(*this, "alice");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(alice.session.Ask(Rename{"eve"}).Wait(), IsOk());
  ASSERT_THAT(alice.session.Ask(Say{"garden", "hello"}).Wait(), IsOk());
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined", "garden : alice is now eve",
                                         "garden eve: hello"));
  EXPECT_THAT(alice.session.Ask(ListMembers{"garden"}).Wait(), IsOkAndHolds(ElementsAre("eve")));
}

TEST_F(DirectoryTest, APrivateMessageIsShownToOnePersonAlone) {
  Client alice(*this, "alice"), bob(*this, "bob"), carol(*this, "carol");
  EXPECT_THAT(alice.session.Ask(Tell{"Bob", "psst"}).Wait(), IsOk());
  EXPECT_THAT(bob.Lines(), ElementsAre(" alice: psst"));
  EXPECT_THAT(carol.Lines(), IsEmpty());
  EXPECT_THAT(alice.session.Ask(Tell{"dave", "psst"}).Wait(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("dave")));
}

TEST_F(DirectoryTest, WhoQuitsIsAnnouncedAndHisNicknameIsFree) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(bob.session.Ask(Quit{}).Wait(), IsOk());
  alice.screen.ExpectDown(bob.session).IgnoreError();
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined", "garden : bob has joined",
                                         "garden : bob has quit"));
  EXPECT_THAT(Enters("bob", bob.screen.ref()), IsOk());
}

TEST_F(DirectoryTest, WhoseScreenEndsIsAnnouncedAsGoneAndHisNicknameIsFree) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  bob.screen.Act([](troupe::Context& self) { self.Fail(absl::UnavailableError("node lost")); });
  EXPECT_THAT(alice.Lines(), ElementsAre("garden : alice has joined", "garden : bob has joined",
                                         "garden : bob is gone: the connection is lost"));
  EXPECT_THAT(Enters("bob", alice.screen.ref()), IsOk());
}

TEST_F(DirectoryTest, ARoomEndsWithItsLastMember) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  ASSERT_THAT(alice.session.Ask(Say{"garden", "hello"}).Wait(), IsOk());
  EXPECT_THAT(Rooms(bob), ElementsAre("garden"));
  ASSERT_THAT(alice.session.Ask(Leave{"garden"}).Wait(), IsOk());
  system_.RunUntilIdle();
  EXPECT_THAT(Rooms(bob), IsEmpty());
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(bob.Lines(), ElementsAre("garden : bob has joined"));
}

// The room says that it is empty while the next member is on his way there.
TEST_F(DirectoryTest, ARoomThatSomebodyIsOnHisWayToStays) {
  Client alice(*this, "alice"), bob(*this, "bob");
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  directory_.Send(Emptied{"garden", 0});
  ASSERT_THAT(bob.session.Ask(Join{"garden"}).Wait(), IsOk());
  EXPECT_THAT(bob.session.Ask(ListMembers{"garden"}).Wait(),
              IsOkAndHolds(ElementsAre("alice", "bob")));
}

TEST_F(DirectoryTest, BadNamesAndTextsAreRefusedWithAReason) {
  Client alice(*this, "alice");
  const auto refused = StatusIs(absl::StatusCode::kInvalidArgument);
  const std::string names[] = {"", " ", "a b", "\x1b[2J", "b\xC3\xB6ses", std::string(21, 'a')};
  for (const std::string& name : names) {
    EXPECT_THAT(Enters(name, alice.screen.ref()), refused) << name;
    EXPECT_THAT(alice.session.Ask(Rename{name}).Wait(), refused) << name;
    EXPECT_THAT(alice.session.Ask(Join{name}).Wait(), refused) << name;
  }
  EXPECT_THAT(Enters("bob", Screen()), refused);
  ASSERT_THAT(alice.session.Ask(Join{"garden"}).Wait(), IsOk());
  for (const std::string& text : {std::string(), std::string("  "), std::string(1 << 20, 'x')}) {
    EXPECT_THAT(alice.session.Ask(Say{"garden", text}).Wait(), refused) << text.size();
    EXPECT_THAT(alice.session.Ask(Tell{"alice", text}).Wait(), refused) << text.size();
  }
  EXPECT_THAT(alice.session.Ask(Say{"garden", std::string(kMaxText, 'x')}).Wait(), IsOk());
}

TEST_F(DirectoryTest, ThereAreSoManyUsersAtMost) {
  Client alice(*this, "alice");
  for (size_t i = 1; i < Directory::kMaxUsers; ++i) {
    ASSERT_THAT(Enters(absl::StrCat("user", i), alice.screen.ref()), IsOk());
  }
  EXPECT_THAT(Enters("onemore", alice.screen.ref()),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_THAT(alice.session.Ask(Quit{}).Wait(), IsOk());
  system_.RunUntilIdle();
  EXPECT_THAT(Enters("onemore", alice.screen.ref()), IsOk());
}

TEST_F(DirectoryTest, AUserIsInSoManyRoomsAtMost) {
  Client alice(*this, "alice");
  for (size_t i = 0; i < User::kMaxRooms; ++i) {
    ASSERT_THAT(alice.session.Ask(Join{absl::StrCat("room", i)}).Wait(), IsOk());
  }
  EXPECT_THAT(alice.session.Ask(Join{"onemore"}).Wait(),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_THAT(alice.session.Ask(Leave{"room0"}).Wait(), IsOk());
  EXPECT_THAT(alice.session.Ask(Join{"onemore"}).Wait(), IsOk());
}

}  // namespace
}  // namespace chat
