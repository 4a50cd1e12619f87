// ./bazelw run //examples:quickstart
// ./bazelw run //examples:quickstart -- FILE_OR_DIRECTORY...
//
// Counts words in many files at once and prints the 20 most frequent ones.
//
//    WordCount --File--> Reader --Text--> Counter --Counted--> WordCount
//
// WordCount gives the next file to whichever reader is free, and shows the progress. Once all that
// was read has been counted it merges the counters' tables. When counters are slower than readers,
// their mailboxes fill up and the readers wait: memory stays small, however large the files.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "examples/text_files.h"
#include "examples/word_table.h"
#include "troupe/troupe.h"

struct CountWords {
  using Reply = WordTable;
  std::vector<std::string> files;
};
struct File {
  using Reply = void;  // OK: read to the end, and on its way to the counters
  std::string path;
};
struct Text {
  std::string words;
};
struct Read {
  size_t bytes;
};
struct Counted {
  size_t bytes;
};
struct TakeTable {
  using Reply = WordTable;
};
struct ShowProgress {};

class Counter {
 public:
  explicit Counter(troupe::Recipient<Counted> progress) : progress_(progress) {}

  void On(const Text& text) {
    table_.Add(text.words);
    progress_.Send(Counted{text.words.size()});
  }
  WordTable On(TakeTable) { return std::move(table_); }

 private:
  troupe::Recipient<Counted> progress_;
  WordTable table_;
};

class Reader {
 public:
  Reader(std::vector<troupe::ActorRef<Counter>> counters, troupe::Recipient<Read> progress)
      : counters_(std::move(counters)), progress_(progress) {}

  // Waiting for the disk, or for room at a counter, must not hold up other actors.
  absl::Status On(const File& file, troupe::Context& self) {
    return self.Blocking([&] {
      return ReadInBlocks(file.path, [this](std::string block) {
        progress_.Send(Read{block.size()});
        counters_[turn_++ % counters_.size()].Send(Text{std::move(block)});
      });
    });
  }

 private:
  std::vector<troupe::ActorRef<Counter>> counters_;
  troupe::Recipient<Read> progress_;
  size_t turn_ = 0;
};

class WordCount {
 public:
  void On(CountWords request, troupe::Reply<WordTable> reply, troupe::Context& self) {
    files_ = std::move(request.files);
    reply_ = std::move(reply);
    const unsigned n = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned i = 0; i < n; ++i) {
      counters_.push_back(self.Spawn<Counter>({.capacity = 4}, self.ref(this)));
      self.Watch(counters_[i]);  // should one fail, so does this actor, for it has no On(Down)
    }
    for (unsigned i = 0; i < n; ++i) ReadNext(self.Spawn<Reader>(counters_, self.ref(this)), self);
    self.SendEvery(absl::Milliseconds(100), self.ref(this), ShowProgress{});
  }

  void On(Read read) { bytes_read_ += read.bytes; }
  void On(Counted counted, troupe::Context& self) {
    bytes_counted_ += counted.bytes;
    MergeIfDone(self);
  }
  void On(ShowProgress) {
    std::cerr << "\r" << files_done_ << " of " << files_.size() << " files, "
              << (bytes_counted_ >> 10) << " KiB counted" << std::flush;
  }
  void OnStop() {
    On(ShowProgress{});
    std::cerr << "\n";
  }

 private:
  void ReadNext(troupe::ActorRef<Reader> reader, troupe::Context& self) {
    if (files_begun_ == files_.size()) return MergeIfDone(self);
    reader.Ask(File{files_[files_begun_++]}, absl::InfiniteDuration())
        .Then(self, [this, reader](absl::Status read, troupe::Context& self) {
          ++files_done_;
          if (!read.ok()) std::cerr << "\rskipped: " << read.message() << "\n";
          files_read_ += read.ok();
          ReadNext(reader, self);
        });
  }

  // A reader's Read messages come before its answer, so after the last answer bytes_read_ is final.
  void MergeIfDone(troupe::Context& self) {
    if (files_done_ < files_.size() || bytes_counted_ < bytes_read_ || !reply_) return;
    if (files_read_ == 0) return reply_.Send(absl::NotFoundError("no file could be read"));
    for (auto counter : counters_) {
      counter.Ask(TakeTable{}).Then(self, [this](absl::StatusOr<WordTable> table) {
        if (!table.ok()) return reply_.Send(table.status());
        words_.Add(*table);
        if (++tables_merged_ == counters_.size()) reply_.Send(std::move(words_));
      });
    }
  }

  std::vector<std::string> files_;
  troupe::Reply<WordTable> reply_;
  std::vector<troupe::ActorRef<Counter>> counters_;
  size_t files_begun_ = 0, files_done_ = 0, files_read_ = 0;
  size_t bytes_read_ = 0, bytes_counted_ = 0;
  size_t tables_merged_ = 0;
  WordTable words_;
};

absl::StatusOr<WordTable> Count(std::vector<std::string> files) {
  troupe::System system;
  auto word_count = system.Spawn<WordCount>();
  return word_count.Ask(CountWords{std::move(files)}, absl::InfiniteDuration()).Wait();
}

int main(int argc, char** argv) {
  // Bazel runs a program in a folder of its own, and says here which one the user is in.
  const char* user_folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (user_folder != nullptr) std::filesystem::current_path(user_folder);

  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) arguments = {"/usr/share/common-licenses"};
  absl::StatusOr<WordTable> words = Count(TextFiles(arguments));
  if (!words.ok()) {
    std::cerr << "quickstart: " << words.status().message() << "\n"
              << "usage: quickstart [FILE_OR_DIRECTORY]...\n";
    return 1;
  }
  for (const auto& [word, count] : words->Top(20)) std::cout << count << " " << word << "\n";
}
