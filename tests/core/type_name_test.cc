#include "troupe/core/type_name.h"

#include "gtest/gtest.h"

namespace bank {
struct Deposit {};
class Account {
 public:
  struct Statement {};
};
enum class Currency {};
}  // namespace bank

struct Global {};

namespace troupe {
namespace {

// The same literals on every compiler: that is what the test is about.
TEST(TypeNameTest, IsTheQualifiedNameAsWrittenInTheSource) {
  EXPECT_EQ(TypeName<bank::Deposit>(), "bank::Deposit");
  EXPECT_EQ(TypeName<bank::Account>(), "bank::Account");
  EXPECT_EQ(TypeName<bank::Account::Statement>(), "bank::Account::Statement");
  EXPECT_EQ(TypeName<bank::Currency>(), "bank::Currency");
  EXPECT_EQ(TypeName<Global>(), "Global");
}

TEST(TypeNameTest, WorksForBuiltInTypesOfAnyLength) {
  EXPECT_EQ(TypeName<int>(), "int");
  EXPECT_EQ(TypeName<double>(), "double");
  EXPECT_EQ(TypeName<void>(), "void");
}

TEST(TypeNameTest, IsKnownAtCompileTime) {
  static_assert(TypeName<bank::Deposit>() == "bank::Deposit");
  static_assert(TypeName<bank::Deposit>() != TypeName<Global>());
}

}  // namespace
}  // namespace troupe
