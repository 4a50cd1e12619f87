// What a client does with what is typed, and with what it is shown and told.
#include "examples/chat/terminal.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "examples/chat/commands.h"
#include "examples/chat/line_editor.h"
#include "examples/chat/messages.h"
#include "examples/chat/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "troupe/testing/probe.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace chat {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kNone[] = "\xEF\xBF\xBD";

TEST(TextTest, WhatATerminalWouldObeyIsReplaced) {
  EXPECT_EQ(Printable("a\tb"), "a b");
  EXPECT_EQ(Printable("\x1b[2Jx\n\r\a"), std::string(kNone) + "[2Jx" + kNone + kNone + kNone);
  EXPECT_EQ(Printable(std::string("a\0b", 3)), std::string("a") + kNone + "b");
  EXPECT_EQ(Printable("\x7f"), kNone);
  EXPECT_EQ(Printable("\xC2\x9B"), kNone);  // CSI as one character
  EXPECT_EQ(Printable("\xE2\x80\xAE"
                      "abc"),
            std::string(kNone) + "abc");        // from right to left
  EXPECT_EQ(Printable("\xE2\x80\xA8"), kNone);  // an end of line
}

TEST(TextTest, TextOfAllLanguagesPasses) {
  for (const std::string text : {"", "plain", "gr\xC3\xBC\xC3\x9F", "\xE4\xBD\xA0\xE5\xA5\xBD",
                                 "\xF0\x9F\x8E\xAD", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_EQ(Printable(text), text);
  }
}

TEST(TextTest, EachByteThatIsNotUtf8IsReplaced) {
  const std::string bad[] = {"\x80", "\xBF", "\xC0", "\xC1", "\xF5", "\xFF", "\xC3", "\xE4"};
  for (const std::string& text : bad) {
    EXPECT_EQ(Printable("a" + text + "b"), std::string("a") + kNone + "b");
  }
  const std::string two = std::string(kNone) + kNone, three = two + kNone, four = three + kNone;
  EXPECT_EQ(Printable("\xC0\xAF"), two);           // '/' in two bytes
  EXPECT_EQ(Printable("\xE0\x80\xAF"), three);     // and in three
  EXPECT_EQ(Printable("\xED\xA0\x80"), three);     // half of a surrogate pair
  EXPECT_EQ(Printable("\xF0\x80\x80\xAF"), four);  // '/' in four
  EXPECT_EQ(Printable("\xF4\x90\x80\x80"), four);  // beyond the last character
  EXPECT_EQ(Printable("\xE4\xBD"), two);           // cut off
}

TEST(LineEditorTest, GivesTheLinesThatAreComplete) {
  LineEditor editor;
  EXPECT_THAT(editor.Type("hello\nwor"), ElementsAre("hello"));
  EXPECT_EQ(editor.line(), "wor");
  EXPECT_THAT(editor.Type("ld\r\n"), ElementsAre("world", ""));
}

TEST(LineEditorTest, CorrectsWhatIsTyped) {
  LineEditor editor;
  EXPECT_THAT(editor.Type("gr\xC3\xBC\x7f"
                          "een tea\x17pot\n"),
              ElementsAre("green pot"));
  EXPECT_THAT(editor.Type("all of it\x15\x7f\x17"
                          "x\n"),
              ElementsAre("x"));
  EXPECT_THAT(editor.Type("a\x1b[D\x1b[3~\x1bOAb\x1b"
                          "xc\n"),
              ElementsAre("abc"));
}

TEST(LineEditorTest, TheEndOfInputIsQuit) {
  LineEditor editor;
  EXPECT_THAT(editor.Type("half\x04 a line\n\x04"), ElementsAre("half a line", "/quit"));
  EXPECT_THAT(editor.Type("half\x03"), ElementsAre("/quit"));
}

TEST(LineEditorTest, KeepsNoMoreOfALineThanItsLimit) {
  LineEditor editor;
  EXPECT_THAT(editor.Type(std::string(1 << 20, 'x')), IsEmpty());
  EXPECT_EQ(editor.line().size(), LineEditor::kLongest);
  EXPECT_GT(LineEditor::kLongest, kMaxText);  // so the server refuses it, with a reason
}

TEST(LineEditorTest, ShowsTheEndOfALineInWholeCharacters) {
  LineEditor editor;
  editor.Type("a\xC3\xBC\xE4\xBD\xA0z");
  EXPECT_EQ(editor.Tail(9), editor.line());
  EXPECT_EQ(editor.Tail(3), "\xC3\xBC\xE4\xBD\xA0z");
  EXPECT_EQ(editor.Tail(2), "\xE4\xBD\xA0z");
  EXPECT_EQ(editor.Tail(0), "");
}

class TranscriptTest : public ::testing::Test {
 protected:
  // Without the time.
  std::string Format(Line line) {
    const std::string text = transcript_.Format(line);
    const size_t time = text.rfind(absl::FormatTime("%H:%M ", line.when, absl::LocalTimeZone()));
    return time == std::string::npos ? "no time: " + text
                                     : text.substr(0, time) + text.substr(time + 6);
  }
  Transcript transcript_{/*coloured=*/false};
};

TEST_F(TranscriptTest, TellsWhereAndByWhomSomethingWasSaid) {
  EXPECT_EQ(Format({.room = "garden", .from = "bob", .text = "hello", .number = 1}),
            "#garden bob: hello");
  EXPECT_EQ(Format({.room = "garden", .text = "bob has left", .number = 2}),
            "#garden * bob has left");
  EXPECT_EQ(Format({.from = "bob", .text = "psst", .number = 1}), "bob to you: psst");
}

TEST_F(TranscriptTest, TellsHowManyMessagesWereMissed) {
  EXPECT_EQ(Format({.room = "a", .from = "bob", .text = "x", .number = 1}), "#a bob: x");
  EXPECT_EQ(Format({.room = "b", .from = "bob", .text = "x", .number = 3}),
            "* 2 messages missed\n#b bob: x");
  EXPECT_EQ(Format({.room = "a", .from = "bob", .text = "x", .number = 5}),
            "* 3 messages missed\n#a bob: x");
  EXPECT_EQ(Format({.room = "a", .from = "bob", .text = "x", .number = 6}), "#a bob: x");
  EXPECT_EQ(Format({.room = "a", .from = "bob", .text = "x", .number = 1}), "#a bob: x");  // again
}

TEST_F(TranscriptTest, DoesNotTrustTheServer) {
  EXPECT_EQ(Format({.room = "\x1b", .from = "\n", .text = "\a", .number = 1}),
            std::string("#") + kNone + " " + kNone + ": " + kNone);
}

TEST_F(TranscriptTest, ColoursANicknameAlwaysTheSame) {
  Transcript coloured(true);
  const Line line{.room = "garden", .from = "bob", .text = "x", .number = 1};
  const std::string text = coloured.Format(line);
  EXPECT_NE(text.find("\x1b["), std::string::npos);
  EXPECT_EQ(text, coloured.Format(line));
}

class CommandsTest : public ::testing::Test {
 protected:
  CommandsTest() {
    server_.ReplyWith<Join>(absl::OkStatus());
    server_.ReplyWith<Leave>(absl::OkStatus());
    server_.ReplyWith<Say>([](const Say& m) { return absl::NotFoundError(m.room + "?" + m.text); });
    server_.ReplyWith<Tell>(
        [](const Tell& m) { return absl::NotFoundError(m.nick + "?" + m.text); });
    server_.ReplyWith<ListMembers>(std::vector<std::string>{"alice", "bob"});
    server_.ReplyWith<Quit>(absl::OkStatus());
  }
  troupe::testing::TestSystem system_;
  troupe::testing::Probe<Join, Leave, Say, Tell, Rename, ListRooms, ListMembers, Quit> server_{
      system_};
  Commands commands_{server_.ref()};
};

TEST_F(CommandsTest, PlainTextIsSaidInTheRoomThatWasJoinedLast) {
  EXPECT_EQ(commands_.Run("hello"), "* you are in no room; /join ROOM enters one");
  EXPECT_EQ(commands_.Run("/join #Garden"), "");
  EXPECT_EQ(commands_.Run("/join pond"), "");
  EXPECT_EQ(commands_.Run("hello /all"), "* pond?hello /all");
  EXPECT_EQ(commands_.Run("/join garden"), "");
  EXPECT_EQ(commands_.Run("hello"), "* garden?hello");
  EXPECT_EQ(commands_.Run("/leave"), "* you have left #garden");
  EXPECT_EQ(commands_.Run("hello"), "* pond?hello");
}

TEST_F(CommandsTest, AnAnswerIsShown) {
  EXPECT_EQ(commands_.Run("/who"), "* alice bob");
  EXPECT_EQ(commands_.Run("/msg bob how are you"), "* bob?how are you");
  EXPECT_EQ(commands_.Run("/msg bob"), "* bob?");
  EXPECT_EQ(commands_.Run("/msg"), "* ?");
  EXPECT_EQ(commands_.Run("/dance now"), "* no such command: /dance; /help lists them");
  EXPECT_EQ(commands_.Run(""), "");
}

TEST_F(CommandsTest, AnErrorOfTheServerReachesNoTerminalRaw) {
  commands_.Run("/join garden");
  EXPECT_EQ(commands_.Run("\x1b[2J"), std::string("* garden?") + kNone + "[2J");
}

TEST_F(CommandsTest, QuitIsTheEnd) {
  EXPECT_FALSE(commands_.ended());
  EXPECT_EQ(commands_.Run("/quit"), "");
  EXPECT_TRUE(commands_.ended());
  EXPECT_TRUE(server_.Expect<Quit>().ok());
}

}  // namespace
}  // namespace chat
