// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Fuzzer of the .pt2 reader: ts_fuzz_pt2 --seconds N --seed S [--trial K] ARCHIVE|FOLDER...
//
// Each trial damages one of the archives, imports it and, where that works, runs the network on one
// image, in a process of its own. Good is an answer or a Failure that says what and how to cure it;
// bad is anything else: a crash, another exception, a sanitizer's report, an import without end.
// Bad copies are kept (out/fuzz); --trial K does trial K again, in this process, for a debugger.
#include <ATen/Parallel.h>
#include <ATen/ops/zeros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "tests/dnn/changed_archive.h"
#include "tests/dnn/fuzz_process.h"
#include "tests/dnn/mutate_archive.h"

// A damaged size may ask for any amount: too much is refused, as malloc would, not reported.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=1024:allocator_may_return_null=1:detect_leaks=0:"
         "quarantine_size_mb=16:exitcode=99";
}

namespace tilestrike::dnn {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kMostElements = 1 << 20;  // of the image that is run
constexpr rlim_t kMostMemory = rlim_t{8} << 30;
constexpr FuzzProgram kProgram{"ts_fuzz_pt2", ".pt2", "ARCHIVE|FOLDER...", true};

enum Ending { kAnswered, kImportRefused, kRunRefused, kTooLarge, kBad };
constexpr const char* kEndings[] = {"answered", "refused by import", "refused by the run",
                                    "too large to run"};

/// What the parent sees of a child that is stopped.
enum Phase : int { kImporting, kRunning };

FuzzOptions parse(int count, char** words) {
  FuzzOptions options = parse_options(kProgram, count, words);
  if (options.files.empty()) {
    misused(kProgram, "no archive is named");
  }
  std::sort(options.files.begin(), options.files.end());
  return options;
}

/// A Failure must say what is wrong and what to do about it.
Ending judged(const Failure& failure, Ending ending) {
  for (const Error& error : failure.errors()) {
    if (error.what.empty() || error.cure.empty()) {
      std::cerr << "an error without a cure: " << error.text() << '\n';
      return kBad;
    }
  }
  return ending;
}

Ending try_archive(const std::string& path, volatile int& phase) {
  phase = kImporting;
  std::unique_ptr<const Network> network;
  try {
    network = std::make_unique<const Network>(import_pt2(path));
  } catch (const Failure& failure) {
    return judged(failure, kImportRefused);
  } catch (const std::exception& error) {
    std::cerr << "import throws what is no Failure: " << error.what() << '\n';
    return kBad;
  }
  phase = kRunning;
  for (const ValueId id : network->inputs) {
    std::int64_t elements = 1;
    for (const std::int64_t size : network->info(id).sizes) {
      if (std::abs(size) > kMostElements || (elements *= std::abs(size)) > kMostElements) {
        return kTooLarge;
      }
    }
  }
  try {
    Executor(*network).run(zeros_for(*network, 1));
    return kAnswered;
  } catch (const Failure& failure) {
    return judged(failure, kRunRefused);
  } catch (const std::exception& error) {
    std::cerr << "the run throws what is no Failure: " << error.what() << '\n';
    return kBad;
  }
}

/// The archive of a trial, damaged; says how.
std::string make_trial(const FuzzOptions& options, std::uint64_t trial, const std::string& path) {
  RandomStream stream(options.seed, trial, Purpose::kTest);
  const std::string& archive = options.files[stream.below(options.files.size())];
  return archive + ", " + write_damaged(archive, path, stream);
}

int fuzz(const FuzzOptions& options) {
  fs::create_directories(kFuzzFolder);
  const std::string path = passing_path(kProgram);
  volatile int* const phase = shared_number();
  std::vector<std::uint64_t> counts(std::size(kEndings), 0);
  std::uint64_t stopped = 0, bad = 0, trial = 0;
  const auto start = Clock::now();
  for (; Clock::now() - start < std::chrono::duration<double>(options.seconds); ++trial) {
    const std::string damage = make_trial(options, trial, path);
    const pid_t child = fork();
    TS_CHECK(child >= 0, "a process for the trial");
    if (child == 0) {
      _exit(try_archive(path, *phase));
    }
    const auto [status, is_stopped] = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) < std::size(kEndings)) {
      ++counts[WEXITSTATUS(status)];
    } else if (is_stopped && *phase == kRunning) {
      ++stopped;  // a network may be as slow as its author likes
    } else {
      ++bad;
      keep_bad(path, kept_path(kProgram, options, trial), trial, damage, status, is_stopped);
    }
  }
  fs::remove(path);
  std::cout << trial << " trials of " << options.files.size() << " archives, seed " << options.seed
            << ':';
  for (std::size_t i = 0; i < counts.size(); ++i) {
    std::cout << ' ' << counts[i] << ' ' << kEndings[i] << ',';
  }
  std::cout << ' ' << stopped << " stopped while running, " << bad << " bad" << std::endl;
  return bad == 0 ? 0 : 1;
}

int repeat(const FuzzOptions& options) {
  fs::create_directories(kFuzzFolder);
  const auto trial = static_cast<std::uint64_t>(options.trial);
  const std::string path = kept_path(kProgram, options, trial);
  std::cout << make_trial(options, trial, path) << ", " << path << std::endl;
  int phase = kImporting;
  const Ending ending = try_archive(path, phase);
  std::cout << (ending == kBad ? "bad" : kEndings[ending]) << std::endl;
  return ending == kBad ? 1 : 0;
}

}  // namespace
}  // namespace tilestrike::dnn

int main(int count, char** words) {
  using namespace tilestrike::dnn;
  at::set_num_threads(1);  // threads do not survive a fork
  limit_memory(kMostMemory);
  try {
    const FuzzOptions options = parse(count, words);
    return options.trial >= 0 ? repeat(options) : fuzz(options);
  } catch (const tilestrike::Failure& failure) {
    std::cerr << failure.what() << '\n';
    return failure.exit_code();
  }
}
