// Place: where somebody is, as seen from here.
#ifndef TROUPE_CORE_PLACE_H_
#define TROUPE_CORE_PLACE_H_

#include <cstdint>
#include <string_view>

namespace troupe {

// In the order of what a message there costs.
enum class Place : uint8_t {
  kNowhere,  // nobody, or one who has ended
  kThisProcess,
  kThisComputer,   // another process of it
  kOtherComputer,  // or one that is reached as if it were
};

constexpr std::string_view PlaceName(Place place) {
  switch (place) {
    case Place::kNowhere:
      return "nowhere";
    case Place::kThisProcess:
      return "this process";
    case Place::kThisComputer:
      return "this computer";
    case Place::kOtherComputer:
      return "another computer";
  }
  return "unknown";
}

}  // namespace troupe

#endif  // TROUPE_CORE_PLACE_H_
