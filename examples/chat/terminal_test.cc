// What a client does with what is typed and with what it is shown.
#include "examples/chat/terminal.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "examples/chat/line_editor.h"
#include "examples/chat/messages.h"
#include "examples/chat/text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

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

}  // namespace
}  // namespace chat
