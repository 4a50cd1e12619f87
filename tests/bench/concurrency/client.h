// Client: an actor that asks another for one thing after the other; and what many of them take.
#ifndef TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_
#define TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_

#include <cstdint>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "troupe/tests/bench/arguments.h"
#include "troupe/tests/bench/finish.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"
#include "troupe/tests/bench/workload.h"
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

// Measures `clients` of one Server, each with its requests_of(number), and then judges what the
// server has come to: check(server). op = request, 2 messages.
template <class Server, class RequestsOf, class Check>
absl::StatusOr<Result> MeasureClients(Arguments& arguments, int64_t clients, int64_t n,
                                      RequestsOf requests_of, Check check) {
  using Each = Client<Server, decltype(requests_of(clients))>;
  Measurement measurement;
  Finish finish(measurement, clients);
  System system(OptionsOf(arguments));
  auto server = system.Spawn<Server>();
  std::vector<ActorRef<Each>> all;
  for (int64_t i = 0; i < clients; ++i) {
    all.push_back(system.Spawn<Each>(finish, server, requests_of(i), n));
  }
  measurement.Begin();
  for (const auto& client : all) client.Send(Start{});
  if (absl::Status s = Expect("wrong answers", measurement.Await(), 0); !s.ok()) return s;
  if (absl::Status s = check(server); !s.ok()) return s;
  return Result{measurement.seconds(), clients * n, ""};
}

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_CONCURRENCY_CLIENT_H_
