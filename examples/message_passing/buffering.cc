// ./bazelw run //examples/message_passing:buffering
//
// What lies between sender and receiver: nothing, so many messages, or any number of them.
#include <iostream>
#include <string>
#include <thread>
#include <utility>

#include "troupe/troupe.h"

struct Frame {
  int number;
};

// Sends five, and shows what became of them.
void Fill(troupe::System& system, const char* what, troupe::MailboxOptions<Frame> options) {
  auto [frames, screen] = system.OpenMailbox<Frame>("", std::move(options));
  std::cout << what << ":";
  for (int i = 1; i <= 5; ++i) {
    const troupe::SendResult result = frames.TrySend(Frame{i});
    std::cout << " " << troupe::ToString(result);
  }
  std::cout << "; there is";
  const troupe::MailboxStats stats = frames.stats();
  while (auto frame = screen.TryReceive()) std::cout << " " << frame->message.number;
  std::cout << " (depth " << stats.depth << ", dropped " << stats.dropped << ")\n";
}

// A thread that sends to a full mailbox sleeps until there is room.
void Wait(troupe::System& system) {
  auto [frames, screen] = system.OpenMailbox<Frame>("", {.capacity = 1});
  frames.Send(Frame{1});
  std::thread sender([to = frames] { to.Send(Frame{2}); });
  while (frames.stats().waiting_senders == 0) std::this_thread::yield();
  std::cout << "one, block: a sender waits; there is " << screen.TryReceive()->message.number;
  sender.join();  // there was room then
  std::cout << " and then " << screen.TryReceive()->message.number << "\n";
}

int main() {
  troupe::System system;
  using troupe::WhenFull;

  // Zero: a sender waits for a receiver, or is refused.
  Fill(system, "none", {.capacity = 0});
  // Bounded: while there is room a sender goes on. When there is none it waits (Send, Enqueue) or is
  // refused (TrySend), or the mailbox has another policy.
  Fill(system, "two, block", {.capacity = 2, .when_full = WhenFull::kBlock});
  Wait(system);
  Fill(system, "two, fail", {.capacity = 2, .when_full = WhenFull::kFail});
  Fill(system, "two, drop newest", {.capacity = 2, .when_full = WhenFull::kDropNewest});
  Fill(system, "two, drop oldest", {.capacity = 2, .when_full = WhenFull::kDropOldest});
  // Unbounded: a sender never waits. That is not for nothing, so the mailbox can warn.
  Fill(system, "any number", {.warn_at = 4, .on_warning = [](const troupe::MailboxStats& stats) {
                                std::cout << " (warning: " << stats.depth << " wait)";
                              }});
  // Fixed: messages of one size, in a ring of its own; nothing is allocated. For two threads.
  troupe::FixedMailbox<Frame, 2> ring;
  std::cout << "a ring of two:";
  for (int i = 1; i <= 3; ++i) std::cout << " " << troupe::ToString(ring.TrySend(Frame{i}));
  std::cout << "; there is";
  while (auto frame = ring.TryReceive()) std::cout << " " << frame->number;
  std::cout << "\n";
  std::cout << "dead letters: " << system.stats().dead_letters_total() << "\n";
}
