// The files that a command line means, and their text in blocks.
#ifndef TROUPE_EXAMPLES_TEXT_FILES_H_
#define TROUPE_EXAMPLES_TEXT_FILES_H_

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"

// The regular files in a directory, in order. Symbolic links are followed; a file that is there
// under several names is taken once.
inline std::vector<std::string> FilesIn(const std::filesystem::path& directory) {
  std::error_code error;
  std::set<std::string> files;
  std::filesystem::directory_iterator entry(directory, error);
  while (!error && entry != std::filesystem::directory_iterator()) {
    std::error_code dangling;
    if (entry->is_regular_file(dangling)) files.insert(canonical(entry->path(), dangling).string());
    entry.increment(error);
  }
  if (error) std::cerr << directory.string() << ": " << error.message() << "\n";
  return {files.begin(), files.end()};
}

// Directories are replaced by the files in them; everything else is taken for a file.
inline std::vector<std::string> TextFiles(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  for (const std::string& argument : arguments) {
    std::error_code missing;
    if (std::filesystem::is_directory(argument, missing)) {
      std::ranges::copy(FilesIn(argument), std::back_inserter(files));
    } else {
      files.push_back(argument);
    }
  }
  return files;
}

// Calls take(block) for one piece of the file after the other, none of them empty. No word is cut
// in two, so a block is larger than usual if a word is.
template <class Take>
absl::Status ReadInBlocks(const std::string& path, Take take) {
  constexpr size_t kBlock = 64 << 10;
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::ErrnoToStatus(errno, path);
  std::string block;
  while (file) {
    const size_t kept = block.size();
    block.resize(kept + kBlock);
    file.read(block.data() + kept, kBlock);
    if (file.bad()) return absl::ErrnoToStatus(errno, path);
    block.resize(kept + static_cast<size_t>(file.gcount()));

    size_t end = block.size();
    while (file && end > 0 && absl::ascii_isalpha(block[end - 1])) --end;
    std::string cut_word = block.substr(end);
    block.resize(end);
    if (!block.empty()) take(std::move(block));
    block = std::move(cut_word);
  }
  return absl::OkStatus();
}

#endif  // TROUPE_EXAMPLES_TEXT_FILES_H_
