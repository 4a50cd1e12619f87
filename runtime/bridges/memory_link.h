// MemoryLink: the two ends of a link inside one process, for tests.
#ifndef TROUPE_RUNTIME_BRIDGES_MEMORY_LINK_H_
#define TROUPE_RUNTIME_BRIDGES_MEMORY_LINK_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "troupe/runtime/bridges/link.h"

namespace troupe {

// `capacity`: how many bytes either end takes before the other has read them; at least 1. One thread
// serves both ends, and ends with the later of them.
std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> MakeMemoryLink(size_t capacity = 65536);

}  // namespace troupe

#endif  // TROUPE_RUNTIME_BRIDGES_MEMORY_LINK_H_
