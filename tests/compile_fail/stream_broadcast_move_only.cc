// Broadcasts the elements of a stream that cannot be copied.
#include <memory>
#include <utility>

#include "troupe/troupe.h"

struct Deposit {
  std::unique_ptr<int> cents;
};

void Use(troupe::stream::Source<Deposit> source) { (void)std::move(source).Broadcast<2>(); }
