// Question: an ask whose answer comes over a connection.
#ifndef TROUPE_RUNTIME_BRIDGES_INTERNAL_QUESTION_H_
#define TROUPE_RUNTIME_BRIDGES_INTERNAL_QUESTION_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "troupe/actors/reply.h"
#include "troupe/runtime/bridges/codec.h"
#include "troupe/runtime/bridges/frame.h"
#include "troupe/runtime/bridges/internal/ref_table.h"

namespace troupe::internal {

// An answer as bytes: an array of the status code, and the value or, if the code is not 0, the error's
// text.
void EncodeError(Encoder& out, const absl::Status& error);
// False: `in` is at the value. True: `error` is what was answered, or that `in` has failed.
bool DecodeError(Decoder& in, absl::Status& error);

template <class R>
void EncodeAnswer(Encoder& out, const AskResult<R>& answer) {
  if constexpr (std::is_void_v<R>) {
    if (!answer.ok()) return EncodeError(out, answer);
    out.Array(2);
    out.Uint(0);
    out.Nil();
  } else {
    if (!answer.ok()) return EncodeError(out, answer.status());
    out.Array(2);
    out.Uint(0);
    EncodeValue(out, *answer);
  }
}

template <class R>
std::string MakeAnswerFrame(uint64_t correlation, const AskResult<R>& answer,
                            RefTable* refs = nullptr) {
  std::string bytes;
  const size_t start = BeginFrame(bytes, {.kind = FrameKind::kAnswer, .correlation = correlation});
  Encoder out(bytes, refs);
  EncodeAnswer<R>(out, answer);
  EndFrame(bytes, start);
  return bytes;
}

class Question {
 public:
  virtual ~Question() = default;
  // Not OK: the bytes are no such answer; the asker has been told.
  virtual absl::Status Answer(Decoder& in) = 0;
  virtual void Fail(const absl::Status& why) = 0;
  virtual bool pending() const = 0;
};

template <class R>
class QuestionOf final : public Question {
 public:
  explicit QuestionOf(Reply<R> reply) : reply_(std::move(reply)) {}

  absl::Status Answer(Decoder& in) override {
    absl::Status error;
    if (!DecodeError(in, error)) {
      if constexpr (std::is_void_v<R>) {
        if (in.Skip()) reply_.Send();
      } else {
        R value{};
        if (DecodeValue(in, value)) reply_.Send(std::move(value));
      }
      error = in.status();
    }
    if (reply_) reply_.Send(std::move(error));
    return in.status();
  }
  void Fail(const absl::Status& why) override { reply_.Send(why); }
  bool pending() const override { return static_cast<bool>(reply_); }

 private:
  Reply<R> reply_;
};

}  // namespace troupe::internal

#endif  // TROUPE_RUNTIME_BRIDGES_INTERNAL_QUESTION_H_
