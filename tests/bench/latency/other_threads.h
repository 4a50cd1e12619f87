// AwaitOtherThreadsAsleep: until this process does nothing but what the calling thread does.
#ifndef TROUPE_TESTS_BENCH_LATENCY_OTHER_THREADS_H_
#define TROUPE_TESTS_BENCH_LATENCY_OTHER_THREADS_H_

namespace troupe::bench {

// Sleeps itself for at least a millisecond, then looks at what the kernel says of every other
// thread. A worker that still looks for work, or waits for a processor, does not sleep.
void AwaitOtherThreadsAsleep();

}  // namespace troupe::bench

#endif  // TROUPE_TESTS_BENCH_LATENCY_OTHER_THREADS_H_
