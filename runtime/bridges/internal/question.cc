#include "troupe/runtime/bridges/internal/question.h"

#include <string>

#include "absl/strings/string_view.h"

namespace troupe::internal {

void EncodeError(Encoder& out, const absl::Status& error) {
  out.Array(2);
  out.Uint(static_cast<uint64_t>(error.code()));
  out.String({error.message().data(), error.message().size()});
}

bool DecodeError(Decoder& in, absl::Status& error) {
  size_t count = 0;
  uint64_t code = 0;
  if (!in.Array(count) || count != 2 || !in.Uint(code)) {
    if (in.ok()) in.Fail("no answer");
    error = in.status();
    return true;
  }
  if (code == 0) return false;
  std::string_view text;
  if (code > static_cast<uint64_t>(absl::StatusCode::kUnauthenticated)) {
    in.Fail("an unknown status code");
  } else if (in.String(text)) {
    error = absl::Status(static_cast<absl::StatusCode>(code), {text.data(), text.size()});
    return true;
  }
  error = in.status();
  return true;
}

}  // namespace troupe::internal
