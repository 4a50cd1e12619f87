// A barber, his waiting room, and customers who come again when it is full.
#include <deque>

#include "absl/strings/str_cat.h"
#include "troupe/tests/bench/busy_work.h"
#include "troupe/tests/bench/concurrency/concurrency.h"
#include "troupe/tests/bench/measurement.h"
#include "troupe/tests/bench/start.h"

namespace troupe::bench {
namespace {

class Customer;
class WaitingRoom;

// The books of a day. When it is over they go from the street through the waiting room to the
// barber, and each adds his lines.
struct Books {
  // The street's.
  int64_t street_work = 0;
  int64_t returned = 0;    // customers who came again
  int64_t complaints = 0;  // of customers who were not served as they should be
  // The waiting room's.
  int64_t admitted = 0;
  int64_t turned_away = 0;
  // The barber's.
  int64_t haircuts = 0;
  int64_t barber_work = 0;
};
struct GetBooks {
  using Reply = Books;
};
struct Close {
  Books books;
};

// To the waiting room.
struct Enter {
  ActorRef<Customer> customer;
};
struct Next {};
// To the barber.
struct Serve {
  ActorRef<Customer> customer;
  ActorRef<WaitingRoom> room;
};
struct Sleep {};
// To a customer.
struct Full {};
struct Wait {};
struct CutBegins {};
struct CutEnds {};
// To the street.
struct Returned {
  ActorRef<Customer> customer;
};
struct Leave {
  bool well_served;
};

class Barber {
 public:
  Barber(Measurement& measurement, RandomWork cutting)
      : measurement_(measurement), cutting_(cutting) {}
  void On(Serve serve);
  void On(Sleep) {}
  void On(Close close) {
    close.books.haircuts = books_.haircuts;
    close.books.barber_work = books_.barber_work;
    books_ = close.books;
    measurement_.End(0);
  }
  Books On(GetBooks) { return books_; }

 private:
  Measurement& measurement_;
  RandomWork cutting_;
  Books books_;
};

class WaitingRoom {
 public:
  WaitingRoom(ActorRef<Barber> barber, int64_t chairs) : barber_(barber), chairs_(chairs) {}
  void On(Enter enter, Context& self);
  void On(Next, Context& self) {
    barber_asleep_ = waiting_.empty();
    if (barber_asleep_) {
      barber_.Send(Sleep{});
    } else {
      barber_.Send(Serve{waiting_.front(), self.ref(this)});
      waiting_.pop_front();
    }
  }
  void On(Close close) {
    close.books.admitted = admitted_;
    close.books.turned_away = turned_away_;
    barber_.Send(close);
  }

 private:
  const ActorRef<Barber> barber_;
  const int64_t chairs_;
  bool barber_asleep_ = true;
  std::deque<ActorRef<Customer>> waiting_;
  int64_t admitted_ = 0;
  int64_t turned_away_ = 0;
};

class Street {
 public:
  Street(ActorRef<WaitingRoom> room, int64_t customers, RandomWork passing_time)
      : room_(room), customers_(customers), passing_time_(passing_time), left_(customers) {}
  void On(Start, Context& self);
  void On(Returned returned) {
    ++books_.returned;
    room_.Send(Enter{returned.customer});
  }
  void On(Leave leave) {
    if (!leave.well_served) ++books_.complaints;
    if (--left_ == 0) room_.Send(Close{books_});
  }

 private:
  const ActorRef<WaitingRoom> room_;
  const int64_t customers_;
  RandomWork passing_time_;
  int64_t left_;
  Books books_;
};

class Customer {
 public:
  explicit Customer(ActorRef<Street> street) : street_(street) {}
  void On(Full, Context& self) { street_.Send(Returned{self.ref(this)}); }
  void On(Wait) {}
  void On(CutBegins) { ++cuts_begun_; }
  void On(CutEnds, Context& self) {
    street_.Send(Leave{.well_served = cuts_begun_ == 1});
    self.Stop();
  }

 private:
  const ActorRef<Street> street_;
  int64_t cuts_begun_ = 0;
};

void Barber::On(Serve serve) {
  serve.customer.Send(CutBegins{});
  books_.barber_work += cutting_.Do();
  ++books_.haircuts;
  serve.customer.Send(CutEnds{});
  serve.room.Send(Next{});
}

void WaitingRoom::On(Enter enter, Context& self) {
  if (std::ssize(waiting_) == chairs_) {
    ++turned_away_;
    enter.customer.Send(Full{});
    return;
  }
  ++admitted_;
  waiting_.push_back(enter.customer);
  if (!barber_asleep_) {
    enter.customer.Send(Wait{});
  } else {
    barber_asleep_ = false;
    self.ref(this).Send(Next{});
  }
}

void Street::On(Start, Context& self) {
  for (int64_t i = 0; i < customers_; ++i) {
    room_.Send(Enter{self.Spawn<Customer>(self.ref(this))});
    books_.street_work += passing_time_.Do();
  }
}

absl::Status Check(const absl::StatusOr<Books>& books, int64_t customers, RandomWork passing_time,
                   RandomWork cutting) {
  if (!books.ok()) return books.status();
  return Expect({{"complaints", books->complaints, 0},
                 {"customers turned away", books->turned_away, books->returned},
                 {"customers admitted", books->admitted, customers},
                 {"haircuts", books->haircuts, customers},
                 {"work of the street", books->street_work, passing_time.Do(customers)},
                 {"work of the barber", books->barber_work, cutting.Do(customers)}});
}

}  // namespace

// A street makes CUSTOMERS, one every now and then, and sends them into a waiting room with ROOM
// chairs; who finds it full goes back to the street, which sends him in again. The barber serves one
// after the other and sleeps when there is none. Between two customers the street works for up to
// PRODUCTION random steps, on a haircut the barber for up to HAIRCUT. Until the last customer has left
// and all have closed. op = customer, at least 6 messages.
absl::StatusOr<Result> SleepingBarber(Arguments& arguments) {
  const int64_t customers = arguments.Number(0, 5000);
  const int64_t chairs = arguments.Number(1, 1000);
  const RandomWork passing_time(1, arguments.Number(2, 1000));
  const RandomWork cutting(2, arguments.Number(3, 1000));
  Measurement measurement;
  System system(OptionsOf(arguments));
  auto barber = system.Spawn<Barber>(measurement, cutting);
  auto room = system.Spawn<WaitingRoom>(barber, chairs);
  auto street = system.Spawn<Street>(room, customers, passing_time);
  measurement.Begin();
  street.Send(Start{});
  measurement.Await();
  const absl::StatusOr<Books> books = barber.Ask(GetBooks{}).Wait();
  if (absl::Status s = Check(books, customers, passing_time, cutting); !s.ok()) return s;
  return Result{measurement.seconds(), customers,
                absl::StrCat(" attempts=", customers + books->returned)};
}

}  // namespace troupe::bench
