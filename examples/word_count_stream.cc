// ./bazelw run //examples:word_count_stream
// ./bazelw run //examples:word_count_stream -- FILE_OR_DIRECTORY...
//
// Counts words in text files, as a stream, and prints the 20 most frequent ones.
//
//    this thread:  blocks of text  ->  an actor: a table of each  ->  an actor: all in one table
//
// Each arrow is a window of 4. When counting is slower than reading, the windows fill up and the
// reader waits for room: there are never more than 8 blocks at once, however large the files.
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "examples/text_files.h"
#include "examples/word_table.h"
#include "troupe/troupe.h"

WordTable TableOf(const std::string& text) {
  WordTable table;
  table.Add(text);
  return table;
}

int main(int argc, char** argv) {
  const char* user_folder = std::getenv("BUILD_WORKING_DIRECTORY");
  if (user_folder != nullptr) std::filesystem::current_path(user_folder);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) arguments = {"/usr/share/common-licenses"};

  WordTable words;
  std::atomic<int> held{0};  // blocks that were read and are not yet in `words`
  troupe::System system;
  auto [inlet, blocks] = troupe::stream::OpenInlet<std::string>({.window = 4});
  troupe::stream::Flow counted = std::move(blocks)
                                     .Map(&TableOf)
                                     .Async({.window = 4})
                                     .ForEach(system, [&](const WordTable& table) {
                                       words.Add(table);
                                       --held;
                                     });

  int read = 0, most_held = 0;
  for (const std::string& file : TextFiles(arguments)) {
    const absl::Status status = ReadInBlocks(file, [&](std::string block) {
      most_held = std::max(most_held, ++held - 1);  // but the one that is still in hand
      ++read;
      while (inlet.TryPush(std::move(block)) == troupe::SendResult::kFull) {
        (void)inlet.Room().Wait();
      }
    });
    if (!status.ok()) std::cerr << "skipped: " << status.message() << "\n";
  }
  inlet.Close();
  (void)system.Join(counted);  // until the last block is in

  for (const auto& [word, count] : words.Top(20)) std::cout << count << " " << word << "\n";
  std::cerr << read << " blocks, at most " << most_held << " at once\n";
}
