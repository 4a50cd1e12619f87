// Sends at the wrong end of a channel.
#include "troupe/troupe.h"

struct Request {};
struct Answer {};

void Use(troupe::ChannelEnd<Request, Answer>& mine) { mine.Send(Answer{}); }
