#include "troupe/actors/internal/route_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "troupe/actors/internal/actor_cell.h"

namespace troupe::internal {
namespace {

// The finaliser of splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
// OOPSLA 2014): neighbouring numbers become unrelated ones.
constexpr uint64_t kStep = 0x9E3779B97F4A7C15u;
uint64_t Mix(uint64_t x) {
  x += kStep;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// 0 <= result < n, without a division (Lemire, "Fast random integer generation in an interval").
size_t Below(size_t n, uint64_t random) {
  return static_cast<size_t>(static_cast<unsigned __int128>(random) * n >> 64);
}

bool HasEnded(const AnyRef& who) {
  return !ActorCell::Of(who)->IsLive(ActorCell::IncarnationOf(who));
}

// What a route is made of: its words.
enum : size_t { kCell, kIncarnation, kPlace, kThunks };

}  // namespace

// FNV-1a (Fowler, Noll, Vo), 64 bits; Mix, later, makes up for its weak high bits.
uint64_t HashText(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

uint64_t BacklogOf(const AnyRef& who) {
  const ActorCell::Snapshot now = ActorCell::Of(who)->TakeSnapshot();
  return now.ref == who ? now.queued + (now.running != nullptr) : 0;
}

// One version of the table; or, to a reader that is about to find out, bits of two (T4).
class RouteTable::View {
 public:
  View(const Words& words, size_t words_per_route, size_t size)
      : words_(words.words.get()),
        words_per_route_(words_per_route),
        size_(std::min(size, words.capacity)) {}

  size_t size() const { return size_; }
  AnyRef Ref(size_t route) const {
    return std::bit_cast<AnyRef>(std::array{At(route, kCell), At(route, kIncarnation)});
  }
  uint64_t Place(size_t route) const { return At(route, kPlace); }
  Route Get(size_t route, size_t message) const {
    return {Ref(route), std::bit_cast<Thunk>(At(route, kThunks + message))};
  }

 private:
  uint64_t At(size_t route, size_t word) const {
    return words_[route * words_per_route_ + word].load(std::memory_order_acquire);  // T2
  }

  const Word* words_;
  size_t words_per_route_;
  size_t size_;
};

RouteTable::RouteTable(RoutingPlan plan, size_t message_types)
    : plan_(std::move(plan)), words_per_route_(kThunks + message_types) {
  MutexLock lock(mutex_);
  MakeRoom();
}

// ---- senders

inline RouteTable::View RouteTable::Now() const {
  // Acquire: what the pointer leads to, and T2. In this order: a new size may be beyond old words,
  // and View cuts it off.
  const Words& words = *words_.load(std::memory_order_acquire);
  return View(words, words_per_route_, size_.load(std::memory_order_acquire));
}

template <class F>
inline auto RouteTable::Read(F read) {
  // Acquire: all changes up to this version. Pairs with the release in Change.
  const uint64_t version = version_.load(std::memory_order_acquire);
  if (version % 2 == 0) {
    auto result = read(Now());
    if (version_.load(std::memory_order_relaxed) == version) [[likely]] {  // relaxed: T2
      return result;
    }
  }
  MutexLock lock(mutex_);  // T3
  return read(Now());
}

size_t RouteTable::Choose(const View& view, uint64_t key, uint64_t step) const {
  const size_t n = view.size();
  switch (plan_.strategy) {
    case RoutingStrategy::kRoundRobin:
      return static_cast<uint32_t>(step) % static_cast<uint32_t>(n);  // half the price of 64 bits
    case RoutingStrategy::kRandom:
      return Below(n, Mix(step));
    case RoutingStrategy::kSmallestMailbox: {
      size_t best = step % n;
      uint64_t least = BacklogOf(view.Ref(best));
      for (size_t i = 1, route = best; i < n && least != 0; ++i) {
        if (++route == n) route = 0;
        const uint64_t backlog = BacklogOf(view.Ref(route));
        if (backlog < least) least = backlog, best = route;
      }
      return best;
    }
    case RoutingStrategy::kByKey: {
      // Of the random sequence that starts at the key, each place has one number.
      const uint64_t start = Mix(key);
      size_t best = 0;
      uint64_t most = 0;
      for (size_t route = 0; route < n; ++route) {
        const uint64_t weight = Mix(start + view.Place(route) * kStep);
        if (weight >= most) most = weight, best = route;
      }
      return best;
    }
  }
  return 0;
}

Route RouteTable::Pick(size_t message, uint64_t key, Cursor& cursor) {
  for (;;) {
    // Relaxed, and no interlocked step: see Cursor.
    const uint64_t step = cursor.load(std::memory_order_relaxed);
    cursor.store(step + 1, std::memory_order_relaxed);
    const Route route = Read([&](const View& view) {
      return view.size() == 0 ? Route() : view.Get(Choose(view, key, step), message);
    });
    if (!route.to || !HasEnded(route.to)) return route;
    Remove(route.to);
  }
}

Route RouteTable::At(uint64_t place) {
  return Read([&](const View& view) {
    for (size_t route = 0; route < view.size(); ++route) {
      if (view.Place(route) == place) return view.Get(route, 0);
    }
    return Route();
  });
}

std::vector<Route> RouteTable::All(size_t message) {
  std::vector<Route> routes = Read([&](const View& view) {
    std::vector<Route> all(view.size());
    for (size_t i = 0; i < all.size(); ++i) all[i] = view.Get(i, message);
    return all;
  });
  std::erase_if(routes,
                [this](const Route& route) { return HasEnded(route.to) && Remove(route.to); });
  return routes;
}

size_t RouteTable::size() const {
  // Acquire: who sees a size also sees that the change has begun, so that its next Read has it all.
  // Pairs with the release of size_ in Change.
  return size_.load(std::memory_order_acquire);
}

uint64_t RouteTable::NextStart() {
  const uint64_t copy = copies_.fetch_add(1, std::memory_order_relaxed);  // relaxed: a number
  return plan_.strategy == RoutingStrategy::kRandom ? Mix(plan_.seed ^ Mix(copy)) : copy;
}

// ---- writers

// `change` gets a function (route, word, value) that writes, and returns the new size.
template <class F>
void RouteTable::Change(F change) {
  const uint64_t version = version_.load(std::memory_order_relaxed);  // relaxed: ours, by the lock
  version_.store(version + 1, std::memory_order_relaxed);             // relaxed: T2
  Word* const words = words_.load(std::memory_order_relaxed)->words.get();
  const size_t size = change([&](size_t route, size_t word, uint64_t value) {
    words[route * words_per_route_ + word].store(value, std::memory_order_release);  // T2
  });
  size_.store(size, std::memory_order_release);  // T2
  // Release: this version. Pairs with the first acquire in Read.
  version_.store(version + 2, std::memory_order_release);
}

size_t RouteTable::FindLocked(const AnyRef& who) const {
  const View view = Now();
  size_t route = 0;
  while (route < view.size() && view.Ref(route) != who) ++route;
  return route;
}

uint64_t RouteTable::LowestFreePlace() const {
  const View view = Now();
  std::vector<bool> taken(view.size() + 1);
  for (size_t i = 0; i < view.size(); ++i) {
    if (view.Place(i) < taken.size()) taken[view.Place(i)] = true;
  }
  return static_cast<uint64_t>(std::find(taken.begin(), taken.end(), false) - taken.begin());
}

// No change to the table: the same routes in more words.
void RouteTable::MakeRoom() {
  const Words* const old = words_.load(std::memory_order_relaxed);  // relaxed: ours, by the lock
  const size_t capacity = old == nullptr ? 4 : old->capacity * 2;
  auto words = std::make_unique<Words>(
      Words{capacity, std::make_unique<Word[]>(capacity * words_per_route_)});
  for (size_t i = 0; old != nullptr && i < old->capacity * words_per_route_; ++i) {
    words->words[i].store(old->words[i].load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  kept_.push_back(std::move(words));
  words_.store(kept_.back().get(), std::memory_order_release);  // pairs with the acquire in Now
}

bool RouteTable::Add(const AnyRef& who, const Thunk* thunks) {
  MutexLock lock(mutex_);
  const size_t n = size();
  if (!who || FindLocked(who) != n) return false;
  const uint64_t place = LowestFreePlace();
  // Relaxed: changed under the lock only, as below.
  if (n == words_.load(std::memory_order_relaxed)->capacity) MakeRoom();
  const auto ref = std::bit_cast<std::array<uint64_t, 2>>(who);
  Change([&](auto write) {
    write(n, kCell, ref[0]);
    write(n, kIncarnation, ref[1]);
    write(n, kPlace, place);
    for (size_t m = 0; m < words_per_route_ - kThunks; ++m) {
      write(n, kThunks + m, std::bit_cast<uint64_t>(thunks[m]));
    }
    return n + 1;
  });
  return true;
}

void RouteTable::Assign(const AnyRef& who, std::span<const PlacedThunk> routes) {
  MutexLock lock(mutex_);
  // Relaxed, here and in Remove: changed under this lock only.
  while (words_.load(std::memory_order_relaxed)->capacity < routes.size()) MakeRoom();
  const auto ref = std::bit_cast<std::array<uint64_t, 2>>(who);
  Change([&](auto write) {
    for (size_t n = 0; n < routes.size(); ++n) {
      write(n, kCell, ref[0]);
      write(n, kIncarnation, ref[1]);
      write(n, kPlace, routes[n].place);
      write(n, kThunks, std::bit_cast<uint64_t>(routes[n].thunk));
    }
    return routes.size();
  });
}

bool RouteTable::Remove(const AnyRef& who) {
  MutexLock lock(mutex_);
  const size_t n = size();
  const size_t gone = FindLocked(who);
  if (gone == n) return false;
  // relaxed, both: only holders of mutex_ write them
  const Word* const words = words_.load(std::memory_order_relaxed)->words.get();
  Change([&](auto write) {
    for (size_t route = gone; route + 1 < n; ++route) {
      for (size_t word = 0; word < words_per_route_; ++word) {
        write(route, word,
              words[(route + 1) * words_per_route_ + word].load(std::memory_order_relaxed));
      }
    }
    return n - 1;
  });
  return true;
}

}  // namespace troupe::internal
