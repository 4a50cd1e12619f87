// Task and ReentrantTask where the compiler has no coroutines for us: a sentence for who uses them.
#ifndef TROUPE_ACTORS_INTERNAL_NO_COROUTINE_H_
#define TROUPE_ACTORS_INTERNAL_NO_COROUTINE_H_

namespace troupe {

template <class T = void>
class Task {
  static_assert(
      sizeof(T*) == 0,
      "Troupe: coroutine handlers need clang 14 or GCC 13; GCC 12 has a bug in co_await.");
};
template <class T = void>
class ReentrantTask : public Task<T> {};

}  // namespace troupe

#endif  // TROUPE_ACTORS_INTERNAL_NO_COROUTINE_H_
