// Verdict: in what a System and a model of its mailboxes differ.
#ifndef TROUPE_TESTS_SIMULATION_MAILBOX_VERDICT_H_
#define TROUPE_TESTS_SIMULATION_MAILBOX_VERDICT_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <sstream>
#include <string>

#include "absl/status/status.h"
#include "tests/simulation/mailbox_model.h"
#include "troupe/troupe.h"

namespace troupe {

class Verdict {
 public:
  using Letters = std::array<uint64_t, kDeadLetterReasons>;
  using Outcomes = std::map<int, MailboxModel::Outcome>;

  bool wrong() const { return !text_.empty(); }
  const std::string& text() const { return text_; }

  template <class T>
  void Expect(const std::string& what, const T& is, const T& should) {
    if (is == should) return;
    std::ostringstream text;
    text << what << " is " << is << " and should be " << should << "; ";
    text_ += text.str();
  }
  // `turned`: else some who wait may have been served elsewhere and not know it.
  void ExpectStats(size_t mailbox, const MailboxStats& is, const MailboxStats& should,
                   bool turned) {
    const auto compare = [&](const char* what, uint64_t a, uint64_t b) {
      if (a != b) Expect(what + (" of mailbox " + std::to_string(mailbox)), a, b);
    };
    compare("depth", is.depth, should.depth);
    compare("sent", is.sent, should.sent);
    compare("received", is.received, should.received);
    compare("dropped", is.dropped, should.dropped);
    compare("waiting senders", is.waiting_senders, should.waiting_senders);
    compare("capacity", is.capacity, should.capacity);
    compare("closed", is.closed, should.closed);
    if (turned) compare("waiting receivers", is.waiting_receivers, should.waiting_receivers);
  }
  void ExpectLetters(const Letters& are, const Letters& should) {
    for (size_t i = 0; i < are.size(); ++i) {
      if (are[i] == should[i]) continue;
      Expect("letters (" + std::string(ToString(static_cast<DeadLetterReason>(i))) + ")", are[i],
             should[i]);
    }
  }

  // Of operations, by their numbers.
  void ExpectOutcomes(const Outcomes& are, const Outcomes& should) {
    if (are == should) return;
    for (const auto& [op, outcome] : should) {
      const auto found = are.find(op);
      const auto is =
          found != are.end() ? found->second : MailboxModel::Outcome{absl::StatusCode::kUnknown};
      const std::string what = "operation " + std::to_string(op);
      Expect(what + "'s status", absl::StatusCodeToString(is.code),
             absl::StatusCodeToString(outcome.code));
      Expect(what + "'s message", is.message, outcome.message);
    }
    Expect("the number of ended operations", are.size(), should.size());
  }

 private:
  std::string text_;
};

}  // namespace troupe

#endif  // TROUPE_TESTS_SIMULATION_MAILBOX_VERDICT_H_
