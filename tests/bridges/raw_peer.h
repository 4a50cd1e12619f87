// RawPeer: a peer that speaks the protocol by hand, so that it can speak it wrongly.
#ifndef TROUPE_TESTS_BRIDGES_RAW_PEER_H_
#define TROUPE_TESTS_BRIDGES_RAW_PEER_H_

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "tests/bridges/watching.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/hello.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/troupe.h"

namespace troupe {

template <class M>
uint64_t TypeOf() {
  return MessageHash(TypeName<M>());
}
inline FrameHeader To(const internal::WireRef& whom, uint64_t type,
                      FrameKind kind = FrameKind::kMessage) {
  return {.kind = kind,
          .target = whom.id,
          .incarnation = whom.incarnation,
          .correlation = 2,
          .type = type};
}

// Whatever others have done to it, the node there answers who is honest.
template <class Question>
void ExpectServed(const std::string& path) {
  System system;
  Node node(system);
  const auto peer = node.Connect("unix://" + path, kLong).Wait();
  EXPECT_TRUE(peer.ok()) << peer.status();
  if (!peer.ok()) return;
  const auto desk = peer->template Find<Question>("desk", kLong).Wait();
  EXPECT_TRUE(desk.ok()) << desk.status();
  if (desk.ok()) {
    EXPECT_EQ(desk->Ask(Question{"well?"}, kLong).Wait().value_or("no answer"), "well?");
  }
}

// The other end, byte by byte.
class RawPeer {
 public:
  explicit RawPeer(const std::string& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::strncpy(at.sun_path, path.c_str(), sizeof(at.sun_path) - 1);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&at), sizeof(at)), 0);
  }
  ~RawPeer() { ::close(socket_); }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // What does not go any more does not matter: it has been cut off.
  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void Send(const FrameHeader& header, std::string_view payload = {}) {
    std::string bytes;
    const size_t start = BeginFrame(bytes, header);
    bytes += payload;
    EndFrame(bytes, start);
    Send(bytes);
  }
  void SendHello() { Send({.kind = FrameKind::kHello}, Encode(Hello())); }
  static internal::Hello Hello() {
    return {.node_high = 1, .node_low = 2, .name = "raw", .max_frame = 65536, .window = 65536};
  }

  void StopReading() { ::shutdown(socket_, SHUT_RD); }

  // The payload of the next frame of that kind.
  std::string Await(FrameKind kind) { return AwaitOneOf(kind, kind).second; }
  // Of one of these, and of which; empty at the end.
  std::pair<FrameKind, std::string> AwaitOneOf(FrameKind one, FrameKind other) {
    std::pair<FrameKind, std::string> found;
    bool there = false;
    while (!there) {
      char buffer[4096];
      const ssize_t got = ::recv(socket_, buffer, sizeof(buffer), 0);
      if (got <= 0) return found;
      reader_
          .Read({buffer, static_cast<size_t>(got)},
                [&](const Frame& frame) {
                  seen_.push_back(frame.header.kind);
                  const FrameKind kind = frame.header.kind;
                  if (there || (kind != one && kind != other)) return absl::OkStatus();
                  found = {kind, std::string(frame.payload)};
                  there = true;
                  return absl::OkStatus();
                })
          .IgnoreError();
    }
    return found;
  }
  // Among the frames that have come so far.
  bool HasSeen(FrameKind kind) const {
    return std::find(seen_.begin(), seen_.end(), kind) != seen_.end();
  }
  // "" if an answer comes, or why it was cut off.
  std::string AwaitAnswerOrBye() {
    const auto [kind, payload] = AwaitOneOf(FrameKind::kAnswer, FrameKind::kBye);
    return kind == FrameKind::kAnswer ? "" : Decode<std::string>(payload).value_or("no Bye");
  }
  // Why it was cut off.
  std::string AwaitBye() { return Decode<std::string>(Await(FrameKind::kBye)).value_or("no Bye"); }

  internal::WireRef Find(const std::string& name, const std::vector<uint64_t>& types,
                         bool mailbox = false) {
    struct FindPayload {
      std::string name;
      std::vector<uint64_t> types;
      bool mailbox;
    };
    Send({.kind = FrameKind::kFind, .correlation = 1}, Encode(FindPayload{name, types, mailbox}));
    const auto answer = Decode<std::pair<int, internal::WireRef>>(Await(FrameKind::kAnswer));
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->second : internal::WireRef();
  }
  // Shakes hands, and finds who is published so.
  template <class... Ms>
  internal::WireRef Meet(const std::string& name) {
    SendHello();
    return Find(name, {TypeOf<Ms>()...});
  }

 private:
  const int socket_;
  FrameReader reader_{1 << 20};
  std::vector<FrameKind> seen_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_BRIDGES_RAW_PEER_H_
