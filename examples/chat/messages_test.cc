// Clients of the last release talk to the server of today: messages.schema is what both know.
#include "examples/chat/messages.h"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <string>

#include "absl/status/status.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/runtime/bridges/schema.h"

namespace chat {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

// If this fails because a message has got more: write what it prints to messages.schema. If for another
// reason: old clients would not understand.
TEST(ChatMessagesTest, AreUnderstoodByClientsOfTheLastRelease) {
  const std::string now =
      troupe::SchemaOf<Line, Join, Leave, Say, Tell, Rename, ListRooms, ListMembers, Quit, Enter>();
  const std::string released = ReadFile("examples/chat/messages.schema");
  EXPECT_EQ(troupe::CheckSchema(released, now), absl::OkStatus());
  EXPECT_EQ(released, now);
}

}  // namespace
}  // namespace chat
