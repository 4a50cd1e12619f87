// Ends a stream with an actor that cannot answer.
#include <utility>

#include "troupe/troupe.h"

struct Deposit {
  int cents;
};

void Use(troupe::System& system, troupe::stream::Source<Deposit> source,
         troupe::Recipient<Deposit> store) {
  (void)std::move(source).To(system, store);
}
