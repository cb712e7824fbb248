// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What fuzzers share: their options, processes that may not end, files that are kept.
#pragma once

#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::dnn {

inline constexpr char kFuzzFolder[] = "out/fuzz";

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kHasSanitizer = true;  // it maps more than any limit
#else
inline constexpr bool kHasSanitizer = false;
#endif

struct FuzzProgram {
  const char* name;
  const char* extension;  // of its files
  const char* files;      // in its usage
  bool takes_folders = false;
};

struct FuzzOptions {
  double seconds = 60.0;
  std::uint64_t seed = 1;
  std::int64_t trial = -1;
  std::vector<std::string> files;
};

[[noreturn]] inline void misused(const FuzzProgram& program, const std::string& what) {
  fail(ErrorCode::kInvalidInput, what, program.name,
       std::string("usage: ") + program.name + " [--seconds N] [--seed S] [--trial K] " +
           program.files);
}

inline void add_files(const FuzzProgram& program, const std::string& word,
                      std::vector<std::string>& files) {
  if (program.takes_folders && std::filesystem::is_directory(word)) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(word)) {
      if (entry.path().extension() == program.extension) {
        files.push_back(entry.path());
      }
    }
  } else if (std::filesystem::is_regular_file(word)) {
    files.push_back(word);
  } else {
    misused(program, "there is no " + word);
  }
}

inline FuzzOptions parse_options(const FuzzProgram& program, int count, char** words) {
  FuzzOptions options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (!word.starts_with("--")) {
      add_files(program, word, options.files);
      continue;
    }
    const auto number = i + 1 < count ? parse_real(words[++i]) : std::nullopt;
    if (!number || *number < 0) {
      misused(program, word + " needs a number");
    }
    if (word == "--seconds") {
      options.seconds = *number;
    } else if (word == "--seed") {
      options.seed = static_cast<std::uint64_t>(*number);
    } else if (word == "--trial") {
      options.trial = static_cast<std::int64_t>(*number);
    } else {
      misused(program, "unknown option " + word);
    }
  }
  return options;
}

inline void limit_memory(rlim_t most) {
  if (!kHasSanitizer) {
    const rlimit limit{most, most};
    setrlimit(RLIMIT_AS, &limit);
  }
}

/// A number, 0 at first, that this process and those that it forks share.
inline volatile int* shared_number() {
  void* const page =
      mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  TS_CHECK(page != MAP_FAILED, "a page of shared memory");
  return static_cast<volatile int*>(page);
}

/// Waits for the child; a status as waitpid() has it, and whether it had to be stopped.
inline std::pair<int, bool> wait_for(pid_t child) {
  constexpr auto kPatience = std::chrono::seconds(20);
  const auto end = std::chrono::steady_clock::now() + kPatience;
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return {status, true};
    }
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  return {status, false};
}

/// The file of the trial that is made now.
inline std::string passing_path(const FuzzProgram& program) {
  return std::string(kFuzzFolder) + "/trial-" + std::to_string(getpid()) + program.extension;
}

/// That of a trial that is kept.
inline std::string kept_path(const FuzzProgram& program, const FuzzOptions& options,
                             std::uint64_t trial) {
  return std::string(kFuzzFolder) + "/seed" + std::to_string(options.seed) + "-trial" +
         std::to_string(trial) + program.extension;
}

/// Copies the file of a bad trial to where it is kept, and tells how its process ended.
inline void keep_bad(const std::string& path, const std::string& kept, std::uint64_t trial,
                     const std::string& about, int status, bool is_stopped) {
  std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
  std::cerr << "BAD: trial " << trial << " (" << about << "): "
            << (is_stopped            ? "import without end"
                : WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                      : "see above")
            << "; kept as " << kept << std::endl;
}

}  // namespace tilestrike::dnn
