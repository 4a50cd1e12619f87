// What the bank and its customers say to each other. Plain structs: they cross a socket as they are.
#ifndef TROUPE_EXAMPLES_REMOTE_BANK_BANK_H_
#define TROUPE_EXAMPLES_REMOTE_BANK_BANK_H_

#include <cstdint>
#include <string>

#include "troupe/troupe.h"

namespace bank {

struct Deposit {
  int64_t cents;
};
struct Balance {
  using Reply = int64_t;
};
// Who has an account's Recipient may use the account; nobody else can reach it.
using Account = troupe::Recipient<Deposit, Balance>;
struct OpenAccount {
  using Reply = Account;
  std::string owner;
};

}  // namespace bank

#endif  // TROUPE_EXAMPLES_REMOTE_BANK_BANK_H_
