// Box: a rectangle in the plane and its four corners.
#ifndef TROUPE_TESTS_BENCH_PARALLELISM_BOX_H_
#define TROUPE_TESTS_BENCH_PARALLELISM_BOX_H_

#include <cmath>
#include <cstdint>

namespace troupe::bench {

struct Point {
  double x;
  double y;
};
inline double Distance(Point a, Point b) {
  const double x = a.x - b.x;
  const double y = a.y - b.y;
  return std::sqrt(x * x + y * y);
}

struct Box {
  Point low;
  Point high;

  Point Middle() const { return {(low.x + high.x) / 2, (low.y + high.y) / 2}; }
  // Corner 0 is low in x and y, 1 high in x, 2 high in y, 3 high in both.
  int64_t CornerOf(Point p) const {
    return (p.x >= Middle().x ? 1 : 0) + (p.y >= Middle().y ? 2 : 0);
  }
  Box Corner(int64_t corner) const {
    const Point middle = Middle();
    const bool right = corner % 2 == 1;
    const bool up = corner / 2 == 1;
    return {{right ? middle.x : low.x, up ? middle.y : low.y},
            {right ? high.x : middle.x, up ? high.y : middle.y}};
  }
};

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_PARALLELISM_BOX_H_
