// Asked<M>: a request that has come to a Probe, and the duty to answer it.
#ifndef TROUPE_TESTING_ASKED_H_
#define TROUPE_TESTING_ASKED_H_

#include <type_traits>

#include "troupe/actors/internal/envelope.h"
#include "troupe/actors/reply.h"

namespace troupe::testing {

// What Probe::Expect returns where M is a question (has a Reply type). The test answers when it
// likes, or never:
//
//   absl::StatusOr<Asked<Charge>> asked = bank.Expect<Charge>();
//   asked->reply.Send(absl::UnavailableError("closed on Sundays"));
//
// As with every Reply, letting go of it without an answer tells the asker so (kAborted): keep the
// Asked while silence is what the test is about. `reply` is false where the message was sent rather
// than asked, and where ReplyWith has answered already.
template <class M>
struct Asked {
  M message;
  Reply<typename M::Reply> reply;
};

}  // namespace troupe::testing

namespace troupe::internal {

// What a Probe records of an M and hands to the test.
template <class M>
struct TakenOf : std::type_identity<M> {};
template <Askable M>
struct TakenOf<M> : std::type_identity<testing::Asked<M>> {};
template <class M>
using Taken = typename TakenOf<M>::type;

}  // namespace troupe::internal

#endif  // TROUPE_TESTING_ASKED_H_
