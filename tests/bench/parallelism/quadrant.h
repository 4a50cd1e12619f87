// Quadrant: a part of a town, and the actor that serves the customers in it.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_QUADRANT_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_QUADRANT_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "troupe/tests/bench/parallelism/box.h"
#include "troupe/troupe.h"

namespace troupe::bench {

struct TownCustomer {
  int64_t number;
  Point at;
};
// To the source of the customers: the last one has been let in.
struct NextCustomer {};

// From below: in this corner of yours a facility has been opened.
struct FacilityOpened {
  int64_t corner;
  Point at;
};
// From above: there is a facility on the other side of the middle.
struct FacilityNearby {
  Point at;
};

// From above: no more customers come. It is answered from below.
struct CloseQuadrant {};
struct QuadrantClosed {
  int64_t facilities = 0;
  int64_t customers = 0;
  int64_t sum_of_numbers = 0;
};

// Asked when all is closed, for the check: do those who serve know the facilities they must?
struct Knowledge {
  int64_t open = 0;     // quadrants with a facility
  int64_t serving = 0;  // quadrants with customers
  int64_t known = 0;    // facilities that those know, all together
  int64_t wanted = 0;   // and that they must
};
struct Audit {
  using Reply = Knowledge;
};

// Serves the customers in its box from the nearest facility that it knows. When that has cost too
// much, it opens one in its middle and leaves its customers to four smaller quadrants.
class Quadrant {
 public:
  Quadrant(Recipient<FacilityOpened, QuadrantClosed> parent, Recipient<NextCustomer> source,
           int64_t corner, Box box, double limit, std::vector<Point> facilities,
           std::vector<TownCustomer> customers)
      : parent_(parent),
        source_(source),
        corner_(corner),
        box_(box),
        limit_(limit),
        facilities_(std::move(facilities)) {
    facilities_.push_back(box_.Middle());
    for (const TownCustomer& customer : customers) Serve(customer);
  }

  void On(TownCustomer customer, Context& self) {
    if (is_open()) {
      children_[box_.CornerOf(customer.at)].Send(customer);
    } else {
      Serve(customer);
      if (cost_ > limit_) Open(self);
    }
    if (source_) source_.Send(NextCustomer{});
  }
  void On(FacilityOpened opened) {
    parent_.Send(FacilityOpened{corner_, opened.at});
    children_[3 - opened.corner].Send(FacilityNearby{opened.at});
  }
  void On(FacilityNearby nearby) {
    facilities_.push_back(nearby.at);
    for (const auto& child : children_) child.Send(nearby);
  }
  void On(CloseQuadrant close) {
    for (const auto& child : children_) child.Send(close);
    if (!is_open()) parent_.Send(Summary());
  }
  void On(QuadrantClosed closed) {
    below_.facilities += closed.facilities;
    below_.customers += closed.customers;
    below_.sum_of_numbers += closed.sum_of_numbers;
    if (++closed_children_ == std::ssize(children_)) parent_.Send(Summary());
  }
  void On(Audit audit, Reply<Knowledge> reply, Context& self) {
    if (!is_open()) return reply.Send(Knowledge{0, 1, std::ssize(facilities_), 1});
    audit_ = std::move(reply);
    for (int64_t i = 0; i < 4; ++i) {
      children_[i].Ask(audit).Then(self, [this, i](absl::StatusOr<Knowledge> part) {
        part.ok() ? Learn(i, *part) : audit_.Send(part.status());
      });
    }
  }

 private:
  bool is_open() const { return !children_.empty(); }

  void Serve(const TownCustomer& customer) {
    double nearest = std::numeric_limits<double>::infinity();
    for (const Point at : facilities_) nearest = std::min(nearest, Distance(at, customer.at));
    cost_ += nearest;
    customers_.push_back(customer);
  }

  void Open(Context& self) {
    parent_.Send(FacilityOpened{corner_, box_.Middle()});
    std::array<std::vector<TownCustomer>, 4> parts;
    for (const TownCustomer& customer : std::exchange(customers_, {})) {
      parts[box_.CornerOf(customer.at)].push_back(customer);
    }
    for (int64_t i = 0; i < 4; ++i) {
      children_.push_back(self.Spawn<Quadrant>(self.ref(this), Recipient<NextCustomer>(), i,
                                               box_.Corner(i), limit_, facilities_,
                                               std::move(parts[i])));
    }
  }

  QuadrantClosed Summary() const {
    QuadrantClosed all = below_;
    all.facilities += is_open() ? 1 : 0;
    all.customers += std::ssize(customers_);
    for (const TownCustomer& customer : customers_) all.sum_of_numbers += customer.number;
    return all;
  }

  // Who serves in a corner must know the facility here and those in the opposite corner.
  void Learn(int64_t corner, const Knowledge& part) {
    parts_[corner] = part;
    if (++learned_ < 4) return;
    Knowledge all{.open = 1};
    for (int64_t i = 0; i < 4; ++i) {
      all.open += parts_[i].open;
      all.serving += parts_[i].serving;
      all.known += parts_[i].known;
      all.wanted += parts_[i].wanted + parts_[i].serving * (1 + parts_[3 - i].open);
    }
    audit_.Send(all);
  }

  const Recipient<FacilityOpened, QuadrantClosed> parent_;
  const Recipient<NextCustomer> source_;  // nobody, but in the outermost quadrant
  const int64_t corner_;
  const Box box_;
  const double limit_;
  std::vector<Point> facilities_;
  std::vector<TownCustomer> customers_;
  double cost_ = 0;
  std::vector<ActorRef<Quadrant>> children_;
  QuadrantClosed below_;
  int64_t closed_children_ = 0;
  Reply<Knowledge> audit_;
  std::array<Knowledge, 4> parts_;
  int learned_ = 0;
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_QUADRANT_H_
