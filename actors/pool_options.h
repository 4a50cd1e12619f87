// PoolOptions: how many workers a pool has, what they are, and how many may fail.
#ifndef TROUPE_ACTORS_POOL_OPTIONS_H_
#define TROUPE_ACTORS_POOL_OPTIONS_H_

#include <string>

#include "absl/time/time.h"
#include "troupe/actors/actor_options.h"

namespace troupe {

// What is out of range throws std::invalid_argument from SpawnPool.
struct PoolOptions {
  // Workers at the start; at least 1.
  int size = 1;

  // More than `size`: an elastic pool. Every resize_period it counts the messages that wait and
  // those that are being handled, and has as many workers as there are backlog_per_worker of them,
  // but no fewer than `size` and no more than `max_size`. More come at once, fewer one at a time:
  // a worker that is to go gets no new messages, handles those it has, and ends.
  int max_size = 0;
  int backlog_per_worker = 16;
  absl::Duration resize_period = absl::Seconds(1);

  // A worker that fails is replaced at once by a new one in its place. More failures than this
  // within the period fail the pool, so that what is broken for good does not go round for ever
  // (intensity and period of an Erlang supervisor). 0: the first failure does.
  int max_restarts = 10;
  absl::Duration restart_period = absl::Seconds(10);

  // Of each worker. Its capacity is per worker, and so is its dedicated thread.
  ActorOptions worker = {};

  // Of the pool actor, in stats and reports.
  std::string name = {};
};

}  // namespace troupe

#endif  // TROUPE_ACTORS_POOL_OPTIONS_H_
