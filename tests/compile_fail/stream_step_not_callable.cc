// Gives a stream a step for another element.
#include <string>
#include <utility>

#include "troupe/troupe.h"

struct Deposit {
  int cents;
};
struct Trim {
  std::string operator()(std::string text) const { return text; }
};

void Use(troupe::stream::Source<Deposit> source) { (void)std::move(source).Map(Trim{}); }
