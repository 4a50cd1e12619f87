// Sends a message that is not given up, and so would be copied.
#include <string>

#include "troupe/troupe.h"

struct Document {
  std::string text;
};

class Printer {
 public:
  void On(const Document&) {}
};

void Use(troupe::ActorRef<Printer> printer, const Document& document) { printer.Send(document); }
