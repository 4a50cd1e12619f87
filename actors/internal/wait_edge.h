// WaitEdge: whom an actor waits for and cannot go on without, where everybody can read it. So an ask
// that closes a cycle of actors which await each other is known to, and fails at once.
//
//   Operation   Who                               Effect
//   Prepare     the asker's running thread        before the request is sent: a number for this wait
//   Enter       the asker's running thread        after that: the edge can be seen, unless it has
//                                                 been left already
//   Leave       whoever settles the ask, or takes the edge is there no more
//               its request out of line
//   Look        any thread                        the edge as it is, if there is one
//
// A wait is shown if a handler that is not reentrant, or the body of a process, awaits one ask of an
// actor of the same system: then its actor handles no message until that ask is settled.
//
// W1  Numbers only grow, from one actor of a cell to the next, too. `entered` is written by the
//     asker alone. `left` is the greatest number that anybody has left; several may leave one wait,
//     each late. An edge is there if entered > left.
// W2  Enter comes when the request is in the mailbox, or is lost and the ask settled. So there is
//     no edge for a request that a full mailbox or an ended receiver refuses.
// W3  Whoever settles an ask leaves its wait first. A handler that may answer from elsewhere (it
//     takes the Reply, is reentrant, or is a process that receives) leaves it before it is called. An
//     actor that ends its asks leaves the wait, though somebody else may be settling it. So while
//     there is an edge, its actor lives and is suspended, and its request waits behind, or is being
//     answered by, what the receiver is suspended in, if the receiver has an edge, too.
// W4  The target is read after `entered` and before `left`: of an edge that is there then, it is its
//     own. For that of a later wait is written when this one has been left, and releases that.
// W5  While there is an edge, its target is the actor that was asked: it lived when the request was
//     sent, or the asker would not Enter; and one that ends settles what is in its mailbox before its
//     cell can be another's.
//
// The search (ask_cycle.h) goes from edge to edge, back to where it began, and then a second time. If
// every edge has the number that it had and is there still, all of them were there at the moment
// between the two rounds (W1). So by W3 each of these actors was waiting for the next, and none would
// have gone on but by a deadline, an end, or a full mailbox that drops its oldest: there is no false
// alarm.
// And none is missed: of the actors in a cycle the last one to Enter, in the order of all seq_cst
// operations, looks later than the others have entered, and finds them all, twice.
//
// The double collect is that of Afek, Attiya, Dolev, Gafni, Merritt and Shavit ("Atomic snapshots of
// shared memory", JACM 1993); that edges to what one waits for show a deadlock, Chandy's and Misra's
// (PODC 1982). tests/models/ask_cycle.pml is a model of this.
#ifndef TROUPE_ACTORS_INTERNAL_WAIT_EDGE_H_
#define TROUPE_ACTORS_INTERNAL_WAIT_EDGE_H_

#include <atomic>
#include <cstdint>

namespace troupe::internal {

class ActorCell;

// Beside a cell (slab.h): all zero bytes at first, never constructed or destroyed.
class alignas(32) WaitEdge {
 public:
  struct Seen {
    uint64_t number = 0;  // 0: there is no edge
    ActorCell* target = nullptr;

    friend bool operator==(const Seen&, const Seen&) = default;
  };

  uint64_t Prepare(ActorCell* target) {
    // Relaxed: our own. release: what we know, that the wait before has been left; pairs with the
    // acquire in Look (W4).
    const uint64_t number = entered_.load(std::memory_order_relaxed) + 1;
    target_.store(target, std::memory_order_release);
    return number;
  }
  void Enter(uint64_t number) { entered_.store(number); }  // seq_cst: none is missed

  void Leave(uint64_t number) {
    uint64_t left = left_.load(std::memory_order_relaxed);  // relaxed: a guess
    while (left < number && !left_.compare_exchange_weak(left, number)) {
    }
  }

  // Cheaper than Look where there is none.
  bool there() const { return entered_.load() > left_.load(); }
  Seen Look() const {
    Seen seen;
    seen.number = entered_.load();
    seen.target = target_.load(std::memory_order_acquire);  // pairs with Prepare
    return left_.load() < seen.number ? seen : Seen();
  }

 private:
  std::atomic<uint64_t> entered_;
  std::atomic<uint64_t> left_;
  std::atomic<ActorCell*> target_;
};

static_assert(sizeof(WaitEdge) == 32, "two to a cache line: often those of an asker and the asked");

}  // namespace troupe::internal

#endif  // TROUPE_ACTORS_INTERNAL_WAIT_EDGE_H_
