// A node that is talked to by whoever: it shakes hands or refuses, takes frames or cuts the peer off, and
// when the link is closed nothing is left of the connection. All on one thread, over a link that is an
// array of bytes.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/fuzz/expect.h"
#include "troupe/core/type_name.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/credit.h"
#include "troupe/runtime/bridges/internal/hello.h"
#include "troupe/runtime/bridges/internal/ref_table.h"
#include "troupe/runtime/bridges/link.h"
#include "troupe/runtime/bridges/node.h"
#include "troupe/testing/test_system.h"
#include "troupe/troupe.h"

namespace troupe {
namespace {

struct Note {
  std::string text;
};
struct Question {
  using Reply = std::string;
  std::string text;
};
struct Introduce {
  Recipient<Note, Question> whom;
};
// An answer that is a ref.
struct WhoAreYou {
  using Reply = Recipient<Note>;
};

// Rights to mailboxes, in both directions.
struct Lend {
  Sender<Note> to;
};
struct TakeOver {
  Receiver<Note> notes;
};
struct Fetch {
  using Reply = Receiver<Note>;
};
// From here: the input ends.
struct Forget {};

class Desk {
 public:
  void On(const Note& note) { last_ = note.text; }
  std::string On(const Question& q) { return q.text + last_; }
  void On(Introduce m, Context& self) {
    m.whom.Send(Note{"hello"});
    if (m.whom) self.Watch(m.whom);
    m.whom.Ask(Question{"who?"}).Then(self, [this](absl::StatusOr<std::string> answer) {
      if (answer.ok()) last_ = *std::move(answer);
    });
  }
  Recipient<Note> On(WhoAreYou, Context& self) { return *self.self().As<Desk>(); }
  void On(const Down&) {}
  void On(Lend m) { m.to.TrySend(Note{"hello"}); }
  void On(TakeOver m) { notes_ = std::move(m.notes); }
  Receiver<Note> On(Fetch, Context& self) {
    auto [notes, inbox] = self.OpenMailbox<Note>();
    for (int i = 0; i < 3; ++i) notes.Send(Note{"left"});
    return std::move(inbox);
  }
  void On(Forget) { notes_ = {}; }

 private:
  std::string last_;
  Receiver<Note> notes_;
};

// What the fuzzed side holds of its link, and what has been written to it.
class FuzzedEnd {
 public:
  // `takes_all`: the peer reads; or else no more than a few bytes.
  explicit FuzzedEnd(bool takes_all) : takes_(takes_all ? SIZE_MAX : 300) {}

  bool closed() const { return why_.has_value(); }
  void Start(std::shared_ptr<LinkEvents> events) { events_ = std::move(events); }
  size_t Write(std::string_view bytes) {
    if (closed()) return 0;
    const size_t taken = std::min(bytes.size(), takes_);
    takes_ -= takes_ == SIZE_MAX ? 0 : taken;
    written_ += bytes.substr(0, taken);
    return taken;
  }
  void Close(absl::Status why) {
    if (!closed()) why_ = std::move(why);
  }

  void Say(std::string_view bytes) {
    if (!closed()) events_->OnBytes(bytes);
  }
  void End() {
    Close(absl::UnavailableError("the input ends"));
    std::exchange(events_, nullptr)->OnClosed(*why_);
  }
  std::string TakeWritten() { return std::exchange(written_, {}); }

 private:
  size_t takes_;
  std::shared_ptr<LinkEvents> events_;
  std::string written_;
  std::optional<absl::Status> why_;
};

class FuzzedLink final : public Link {
 public:
  explicit FuzzedLink(std::shared_ptr<FuzzedEnd> end) : end_(std::move(end)) {}
  void Start(std::shared_ptr<LinkEvents> events) override { end_->Start(std::move(events)); }
  size_t Write(std::span<const std::string_view> parts) override {
    size_t taken = 0;
    for (std::string_view part : parts) {
      const size_t now = end_->Write(part);
      taken += now;
      if (now < part.size()) break;
    }
    return taken;
  }
  void AwaitWritable() override {}  // never
  void Close(absl::Status why) override { end_->Close(std::move(why)); }
  std::string peer() const override { return "fuzzer"; }

 private:
  const std::shared_ptr<FuzzedEnd> end_;
};

// Made once, for all inputs, since it starts a thread: what is left of one input would show in the next.
struct World {
  World() {
    const absl::Status published =
        node.Publish<Note, Question, Introduce, WhoAreYou, Lend, TakeOver, Fetch>("desk", desk);
    EXPECT_OR_ABORT(published.ok());
    system.RunUntilIdle();
    actors = system.stats().live;
  }

  testing::TestSystem system;
  // A fuzzer comes more often than anybody else.
  Node node{system,
            {.max_frame = 65536,
             .window = 65536,
             .max_imports = 100,
             .max_requests = 100,
             .handshakes_per_second = 1'000'000'000,
             .handshake_burst = 1'000'000'000}};
  ActorRef<Desk> desk = system.Spawn<Desk>();
  uint64_t actors = 0;
};

internal::Hello HelloOfAPeer() {
  return {.node_high = 1, .node_low = 2, .max_frame = 65536, .window = 65536};
}

struct FindPayload {
  std::string name;
  std::vector<uint64_t> types;
};

// A Receiver as bytes.
struct RawReceiver {
  internal::WireRef outlet;
  uint64_t type = 0;
};

// The refs that the node has given away so far.
class Refs {
 public:
  void Learn(std::string_view written) {
    FrameReader reader(1 << 20);
    reader
        .Read(written,
              [this](const Frame& frame) {
                if (frame.header.kind != FrameKind::kAnswer) return absl::OkStatus();
                auto answer = Decode<std::pair<int, internal::WireRef>>(frame.payload);
                if (answer.ok()) known_.push_back(std::move(answer->second));
                auto right = Decode<std::pair<int, RawReceiver>>(frame.payload);
                if (right.ok()) known_.push_back(std::move(right->second.outlet));
                return absl::OkStatus();
              })
        .IgnoreError();
  }
  const internal::WireRef& Pick(FuzzedDataProvider& input) const {
    static const internal::WireRef nobody;
    return known_.empty() ? nobody
                          : known_[input.ConsumeIntegralInRange<size_t>(0, known_.size() - 1)];
  }

 private:
  std::vector<internal::WireRef> known_;
};

// A frame that is mostly right: its length, and often the actor it is for.
std::string NextFrame(FuzzedDataProvider& input, const Refs& refs) {
  FrameHeader header;
  header.kind = static_cast<FrameKind>(input.ConsumeIntegralInRange<int>(0, kLastFrameKind + 1));
  header.lane = static_cast<Lane>(input.ConsumeIntegralInRange<int>(0, 3));
  const internal::WireRef& ref = refs.Pick(input);
  if (input.ConsumeBool()) {
    header.target = ref.id;
    header.incarnation = ref.incarnation;
  } else {
    header.target = input.ConsumeIntegralInRange<uint64_t>(0, 4);
    header.incarnation = input.ConsumeIntegral<uint8_t>();
  }
  header.correlation =
      input.ConsumeBool() ? input.ConsumeIntegral<uint64_t>() : input.ConsumeIntegral<uint8_t>();
  header.type = input.PickValueInArray(
      {MessageHash(TypeName<Note>()), MessageHash(TypeName<Question>()),
       MessageHash(TypeName<Introduce>()), MessageHash(TypeName<WhoAreYou>()),
       MessageHash(TypeName<Lend>()), MessageHash(TypeName<TakeOver>()),
       MessageHash(TypeName<Fetch>()), MessageHash(TypeName<ReceiverAdopted>()),
       MessageHash(TypeName<MailTaken>()), uint64_t{0}});
  header.timeout_ms = input.ConsumeBool() ? kNoTimeout : input.ConsumeIntegral<uint16_t>();
  if (header.kind == FrameKind::kCredit && input.ConsumeBool()) {
    return MakeFrame(
        header,
        Encode(std::vector<internal::Credit>{{header.target, input.ConsumeIntegral<uint8_t>()}}));
  }
  return MakeFrame(header, input.ConsumeRandomLengthString(512));
}

void Check(FuzzedDataProvider input) {
  static World world;
  const bool shakes_hands = input.ConsumeBool();
  const bool raw = input.ConsumeBool();
  const auto end = std::make_shared<FuzzedEnd>(/*takes_all=*/input.ConsumeBool());
  world.node.Serve(std::make_unique<FuzzedLink>(end));
  Refs refs;
  if (shakes_hands) {
    end->Say(MakeFrame({.kind = FrameKind::kHello}, Encode(HelloOfAPeer())));
    end->Say(MakeFrame(
        {.kind = FrameKind::kFind, .correlation = 1},
        Encode(FindPayload{"desk",
                           {MessageHash(TypeName<Introduce>()), MessageHash(TypeName<Lend>()),
                            MessageHash(TypeName<TakeOver>()), MessageHash(TypeName<Fetch>())}})));
    world.system.RunUntilIdle();
  }
  while (input.remaining_bytes() > 0 && !end->closed()) {
    refs.Learn(end->TakeWritten());
    end->Say(raw ? input.ConsumeRandomLengthString(512) : NextFrame(input, refs));
    if (input.ConsumeBool()) world.system.RunUntilIdle();
  }
  end->End();
  world.desk.Send(Forget{});
  world.system.RunUntilIdle();
  world.system.TakeDeadLetters();
  EXPECT_OR_ABORT(world.node.stats().connections == 0);
  EXPECT_OR_ABORT(world.system.stats().live == world.actors);
}

}  // namespace
}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  troupe::Check(FuzzedDataProvider(data, size));
  return 0;
}
