// Client: an actor that asks another for one thing after the other.
#ifndef TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_
#define TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_

#include <cstdint>
#include <utility>
#include <variant>

#include "absl/status/statusor.h"
#include "troupe/tests/bench/finish.h"
#include "troupe/tests/bench/start.h"
#include "troupe/troupe.h"

namespace troupe::bench {

// Asks for what `Requests` says, the next when the answer is there, n times; brings to the finish
// how many answers were wrong. Requests::Next() returns a variant of requests, each of them with
//   bool Fits(int64_t answer) const    whether this can be the answer
template <class Server, class Requests>
class Client {
 public:
  Client(Finish& finish, ActorRef<Server> server, Requests requests, int64_t n)
      : finish_(finish), server_(server), requests_(std::move(requests)), left_(n) {}

  void On(Start, Context& self) { AskNext(self); }

 private:
  void AskNext(Context& self) {
    if (left_-- == 0) return finish_.Done(wrong_answers_);
    std::visit([&](auto request) { Ask(request, self); }, requests_.Next());
  }

  template <class Request>
  void Ask(Request request, Context& self) {
    server_.Ask(request).Then(self, [this, request](absl::StatusOr<int64_t> answer, Context& me) {
      if (!answer.ok() || !request.Fits(*answer)) ++wrong_answers_;
      AskNext(me);
    });
  }

  Finish& finish_;
  const ActorRef<Server> server_;
  Requests requests_;
  int64_t left_;
  int64_t wrong_answers_ = 0;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_
