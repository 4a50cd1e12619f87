// StartThread: how Troupe starts a thread in somebody else's process.
#ifndef TROUPE_RUNTIME_INTERNAL_THREAD_H_
#define TROUPE_RUNTIME_INTERNAL_THREAD_H_

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace troupe::internal {

// The thread has every signal blocked but those that a fault of its own raises, so that the host's
// handlers run on the host's threads. `name` (15 characters at most) is what top and gdb show.
// Throws std::system_error if the system has no more threads.
std::thread StartThread(const std::string& name, std::function<void()> body);

// The CPUs on which the calling thread may run, as the kernel numbers them.
std::vector<int> AllowedCpus();
// How many of them. Unlike std::thread::hardware_concurrency it sees taskset and a container's CPU set.
int AllowedCpuCount();
// From here on the calling thread runs on these alone; an empty list changes nothing. Nor does one of
// which nothing is allowed any more: where a thread runs is a wish, its work is not.
void RunOnlyOn(const std::vector<int>& cpus);

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_INTERNAL_THREAD_H_
