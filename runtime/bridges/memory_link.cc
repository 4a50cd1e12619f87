#include "troupe/runtime/bridges/memory_link.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace troupe {
namespace {

// What both ends and the thread share. `mutex` guards all of it; no event is called under it.
struct Pipe {
  struct End {
    std::shared_ptr<LinkEvents> events;  // nullptr: not started, or closed
    std::string arrived;
    bool awaits_room = false;  // to write to the other end
    std::optional<absl::Status> closed;
  };

  std::mutex mutex;
  std::condition_variable changed;
  const size_t capacity;
  std::array<End, 2> ends;
  int living = 2;  // ends that have not been destroyed

  explicit Pipe(size_t bytes) : capacity(std::max<size_t>(bytes, 1)) {}

  bool Serve(int side, std::unique_lock<std::mutex>& lock);
  void Run();
};

// One event of one end, if there is something to tell it.
bool Pipe::Serve(int side, std::unique_lock<std::mutex>& lock) {
  End& end = ends[side];
  End& other = ends[1 - side];
  if (end.events == nullptr) return false;
  // Let go while the lock is free: its owner may destroy the link.
  std::shared_ptr<LinkEvents> events = end.events;
  if (!end.closed && !end.arrived.empty()) {
    const std::string bytes = std::exchange(end.arrived, {});
    changed.notify_all();
    lock.unlock();
    events->OnBytes(bytes);
    events.reset();
    lock.lock();
    return true;
  }
  if (!end.closed && end.awaits_room && other.arrived.size() < capacity && !other.closed) {
    end.awaits_room = false;
    lock.unlock();
    events->OnWritable();
    events.reset();
    lock.lock();
    return true;
  }
  if (!end.closed && other.closed) {
    end.closed = absl::UnavailableError("the other side has closed the link");
  }
  if (!end.closed) return false;
  end.events = nullptr;
  const absl::Status why = *end.closed;
  lock.unlock();
  events->OnClosed(why);
  events.reset();
  lock.lock();
  return true;
}

void Pipe::Run() {
  std::unique_lock<std::mutex> lock(mutex);
  while (living > 0 || ends[0].events != nullptr || ends[1].events != nullptr) {
    const bool first = Serve(0, lock);
    const bool second = Serve(1, lock);
    if (!first && !second && living > 0) changed.wait(lock);
  }
}

class MemoryLink : public Link {
 public:
  MemoryLink(std::shared_ptr<Pipe> pipe, int side) : pipe_(std::move(pipe)), side_(side) {}
  ~MemoryLink() override {
    const std::lock_guard<std::mutex> lock(pipe_->mutex);
    if (!mine().closed) mine().closed = absl::CancelledError("the link was destroyed");
    --pipe_->living;
    pipe_->changed.notify_all();
  }

  void Start(std::shared_ptr<LinkEvents> events) override {
    const std::lock_guard<std::mutex> lock(pipe_->mutex);
    mine().events = std::move(events);
    pipe_->changed.notify_all();
  }
  size_t Write(std::span<const std::string_view> parts) override {
    const std::lock_guard<std::mutex> lock(pipe_->mutex);
    Pipe::End& there = pipe_->ends[1 - side_];
    if (mine().closed || there.closed) return 0;
    size_t taken = 0;
    for (std::string_view part : parts) {
      part = part.substr(0, pipe_->capacity - std::min(pipe_->capacity, there.arrived.size()));
      there.arrived += part;
      taken += part.size();
    }
    pipe_->changed.notify_all();
    return taken;
  }
  void AwaitWritable() override {
    const std::lock_guard<std::mutex> lock(pipe_->mutex);
    mine().awaits_room = true;
    pipe_->changed.notify_all();
  }
  void Close(absl::Status why) override {
    const std::lock_guard<std::mutex> lock(pipe_->mutex);
    if (!mine().closed) mine().closed = std::move(why);
    pipe_->changed.notify_all();
  }
  std::string peer() const override { return "memory://"; }
  Place place() const override { return Place::kThisProcess; }

 private:
  Pipe::End& mine() { return pipe_->ends[side_]; }

  const std::shared_ptr<Pipe> pipe_;
  const int side_;
};

}  // namespace

std::pair<std::unique_ptr<Link>, std::unique_ptr<Link>> MakeMemoryLink(size_t capacity) {
  auto pipe = std::make_shared<Pipe>(capacity);
  std::thread([pipe] { pipe->Run(); }).detach();
  return {std::make_unique<MemoryLink>(pipe, 0), std::make_unique<MemoryLink>(pipe, 1)};
}

}  // namespace troupe
