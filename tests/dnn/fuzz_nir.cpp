// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Fuzzer of the NIR reader: ts_fuzz_nir [--seconds N] [--seed S] [--trial K] [FILE.nir...]
//
// Each trial makes a network, or takes one of the files, changes a node, a value or an edge, or the
// bytes of the file, imports it and makes integers of it, in a process of its own. Good is a
// network or a Failure that says what and how to cure it; bad is anything else: a crash, another
// exception, a sanitizer's report, an import without end. Bad files are kept (out/fuzz); --trial K
// does trial K again, for a debugger.
//
// Our own code that walks through the file is in the process in which HDF5's library works. What it
// throws there, and what a sanitizer reports of it, is bad. A crash there is taken for one of
// HDF5's, which is no error of ours, unless an address sanitizer has seen whose it was.
#include <sys/wait.h>
#include <unistd.h>
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <limits>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/random.h"
#include "dnn/nir/nir_import.h"
#include "dnn/spiking/integer_model.h"
#include "tests/dnn/fuzz_process.h"
#include "tests/dnn/nir_files.h"

// A damaged size may ask for any amount: too much is refused, as malloc would, not reported.
extern "C" const char* __asan_default_options() {
  return "max_allocation_size_mb=3000:allocator_may_return_null=1:detect_leaks=0:"
         "quarantine_size_mb=16:exitcode=99";
}

namespace tilestrike::dnn {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr rlim_t kMostMemory = rlim_t{4} << 30;
constexpr FuzzProgram kProgram{"ts_fuzz_nir", ".nir", "[FILE.nir...]"};

/// Exit statuses, beside those of a sanitizer that has found something.
enum Ending { kImported = 40, kConverted, kRefused, kHdf5Ended, kBad };

/// Not 0: our own code is wrong, in the process in which HDF5 works, too.
volatile int& own_error() {
  static volatile int* const shared = shared_number();
  return *shared;
}

#if defined(__SANITIZE_ADDRESS__)
/// Our own code's, unless the innermost frame that is ours or HDF5's is of HDF5. Too little memory
/// is nobody's error.
void on_report(const char* report) {
  const std::string_view text = report;
  if (text.find("tilestrike::") <= text.find("libhdf5") &&
      text.find("out of memory") == std::string_view::npos) {
    own_error() = 1;
  }
}
#endif

/// Convolution, pooling and all kinds of neurons.
NirTestFile large_nir() {
  const NirTestNode conv = {"Conv2d",
                            {{"weight", floats({2, 1, 3, 3}, counted(18, -0.5, 0.1))},
                             {"bias", floats({2}, {0.25, -0.25})},
                             {"stride", integers({1, 1})},
                             {"padding", text("same")},
                             {"dilation", integers({1, 1})},
                             {"groups", number(1)},
                             {"input_shape", integers({6, 6})}}};
  const NirTestNode pool = {"AvgPool2d",
                            {{"kernel_size", integers({2, 2})},
                             {"stride", integers({2, 2})},
                             {"padding", integers({0, 0})}}};
  const NirTestNode flat = {
      "Flatten",
      {{"start_dim", number(0)}, {"end_dim", number(-1)}, {"input_type", integers({2, 3, 3})}}};
  NirTestNode lif = lif_node(1);
  return nir_line({{"input", input_node({1, 6, 6})},
                   {"conv", conv},
                   {"if", if_node(1)},
                   {"pool", pool},
                   {"flat", flat},
                   {"fc", affine_node(4, 18)},
                   {"lif", lif},
                   {"last", affine_node(3, 4)},
                   {"out_if", if_node(3)},
                   {"output", output_node({3})}});
}

double odd_number(RandomStream& stream) {
  constexpr double kOdd[] = {0,    -1,  1,    2,     1e-30, -1e30, 1e9,  3e38, 1e300, 0.5,
                             4096, 1e6, 1e18, 65536, 3,     -0.0,  1e-9, 7,    16,    255};
  const std::uint64_t which = stream.below(std::size(kOdd) + 2);
  return which < std::size(kOdd)    ? kOdd[which]
         : which == std::size(kOdd) ? std::numeric_limits<double>::quiet_NaN()
                                    : std::numeric_limits<double>::infinity();
}

/// An entry of a map, drawn.
template <class Map>
auto& any_of(Map& map, RandomStream& stream) {
  return *std::next(map.begin(), static_cast<std::int64_t>(stream.below(map.size())));
}

void change_value(NirTestValue& value, RandomStream& stream) {
  using Type = NirTestValue::Type;
  const std::uint64_t how = stream.below(4);
  if (value.type == Type::kText) {
    value = how < 2 ? text(how == 0 ? "valid" : "") : number(odd_number(stream));
  } else if (how == 0) {
    value.sizes = {static_cast<std::int64_t>(value.numbers.size())};
  } else if (how == 1) {
    value = stream.below(2) == 0 ? text("same") : number(odd_number(stream), Type::kFloat64);
  } else if (how == 2 && value.sizes.size() == 1) {
    value.numbers.push_back(odd_number(stream));
    ++value.sizes[0];
  } else {
    value.numbers[stream.below(value.numbers.size())] = odd_number(stream);
  }
}

/// Changes what the file says; the file itself is whole.
void change_meaning(NirTestFile& file, RandomStream& stream) {
  const std::uint64_t how = stream.below(8);
  auto& [name, node] = any_of(file.nodes, stream);
  if (how < 4 && !node.values.empty()) {
    change_value(any_of(node.values, stream).second, stream);
  } else if (how == 4) {
    constexpr const char* kTypes[] = {"LIF",    "IF",      "LI",        "Affine",   "Linear",
                                      "Conv2d", "Flatten", "SumPool2d", "Identity", "Input",
                                      "Output", "CubaLIF", "What"};
    node.type = kTypes[stream.below(std::size(kTypes))];
  } else if (how == 5 && !node.values.empty()) {
    node.values.erase(node.values.begin());
  } else if (how == 6 && !file.edges.empty()) {
    file.edges.erase(file.edges.begin() +
                     static_cast<std::int64_t>(stream.below(file.edges.size())));
  } else {
    file.edges.emplace_back(name, any_of(file.nodes, stream).first);
  }
}

std::string bytes_of(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// One change of the file's bytes.
void change_bytes(std::string& bytes, RandomStream& stream) {
  if (bytes.size() < 16) {
    return;
  }
  const std::size_t at = stream.below(bytes.size() - 8);
  constexpr std::uint64_t kOdd[] = {0,       1,          0xff,        0xffff,
                                    0x7fff,  0xffffffff, 0x7fffffff,  ~std::uint64_t{0},
                                    1 << 20, 1 << 30,    0x100000000, 8};
  switch (stream.below(6)) {
    case 0:
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << stream.below(8)));
      break;
    case 1:
      bytes[at] = static_cast<char>(stream.below(256));
      break;
    case 2: {
      const std::uint64_t odd = kOdd[stream.below(std::size(kOdd))];
      std::memcpy(bytes.data() + at, &odd, std::size_t{1} << stream.below(4));
      break;
    }
    case 3:
      std::memmove(bytes.data() + stream.below(bytes.size() - 8), bytes.data() + at, 8);
      break;
    case 4:
      if (stream.below(8) == 0) {
        bytes.resize(at);
      }
      break;
    default: {  // a small number, as sizes and counts are
      const std::uint64_t small = stream.below(64);
      std::memcpy(bytes.data() + at / 8 * 8, &small, 8);
    }
  }
}

/// A network that is made; `which` below 4.
NirTestFile made(std::uint64_t which) {
  NirTestFile file = which % 2 == 0 ? small_nir() : large_nir();
  file.is_old = which >= 2;
  return file;
}

/// The bytes of what a trial begins with: a network that is made, or a file that is given.
const std::string& bytes_of(const FuzzOptions& options, std::uint64_t which,
                            const std::string& path) {
  static std::map<std::uint64_t, std::string> known;  // HDF5 takes its time to write
  std::string& bytes = known[which];
  if (bytes.empty() && which < 4) {
    made(which).write(path);
  }
  if (bytes.empty()) {
    bytes = bytes_of(which < 4 ? path : options.files[which - 4]);
  }
  return bytes;
}

/// Writes the file of a trial; says what it is.
std::string make_trial(const FuzzOptions& options, std::uint64_t trial, const std::string& path) {
  RandomStream stream(options.seed, trial, Purpose::kTest);
  const std::uint64_t which = stream.below(4 + options.files.size());
  std::string about = which < 4 ? "network " + std::to_string(which) : options.files[which - 4];
  if (which < 4 && stream.below(4) == 0) {
    NirTestFile file = made(which);
    for (std::uint64_t i = 0; i <= stream.below(3); ++i) {
      change_meaning(file, stream);
    }
    file.write(path);
    return about + " of another meaning";
  }
  std::string bytes = bytes_of(options, which, path);
  const std::uint64_t changes = 1 + stream.below(stream.below(4) == 0 ? 64 : 4);
  for (std::uint64_t i = 0; i < changes; ++i) {
    change_bytes(bytes, stream);
  }
  std::ofstream(path, std::ios::binary) << bytes;
  return about + ", changed " + std::to_string(changes) + " times";
}

Ending wrong(const std::string& what) {
  std::cerr << what << '\n';
  own_error() = 1;
  return kBad;
}

Ending judged(const Failure& failure, Ending ending) {
  for (const Error& error : failure.errors()) {
    if (error.what.empty() || error.where.empty() || error.cure.empty()) {
      return wrong("an error without a place or a cure: " + error.text());
    }
  }
  const std::string what = failure.errors().front().what;
  if (!what.starts_with("HDF5, at work on this file,")) {
    return ending;
  }
  // HDF5 ends a process by a signal alone, of which a sanitizer makes an exit.
  if (own_error() != 0 || (!kHasSanitizer && what.ends_with(" ended too early"))) {
    return wrong(what + ", by our own code");
  }
  return kHdf5Ended;
}

Ending try_file(const std::string& path) {
  Value settings = Value::map();
  settings.set("ticks", Value::of("8"));
  settings.set("dt", Value::of("0.001"));
  settings.set("readout", Value::of("count"));
  std::optional<SpikingModel> model;
  try {
    model = import_nir(path, settings);
  } catch (const Failure& failure) {
    return judged(failure, kRefused);
  } catch (const std::bad_alloc&) {
    return wrong("import asks for more memory than there is");
  } catch (const std::exception& error) {
    return wrong(std::string("import throws what is no Failure: ") + error.what());
  }
  try {
    const IntegerModel integer = to_integer(*model);
    for (const IntegerLayer& layer : integer.layers) {
      synapses_of(layer, layer.size() - 1);
    }
    return kConverted;
  } catch (const Failure& failure) {
    return judged(failure, kImported);
  } catch (const std::exception& error) {
    return wrong(std::string("to_integer throws what is no Failure: ") + error.what());
  }
}

int fuzz(const FuzzOptions& options) {
  fs::create_directories(kFuzzFolder);
  const std::string path = passing_path(kProgram);
  std::uint64_t counts[kBad - kImported] = {}, bad = 0, trial = 0;
  const auto start = Clock::now();
  for (; Clock::now() - start < std::chrono::duration<double>(options.seconds); ++trial) {
    const std::string about = make_trial(options, trial, path);
    own_error() = 0;
    const pid_t child = fork();
    TS_CHECK(child >= 0, "a process for the trial");
    if (child == 0) {
      _exit(try_file(path));
    }
    const auto [status, is_stopped] = wait_for(child);
    if (WIFEXITED(status) && WEXITSTATUS(status) >= kImported && WEXITSTATUS(status) < kBad) {
      ++counts[WEXITSTATUS(status) - kImported];
      continue;
    }
    ++bad;
    keep_bad(path, kept_path(kProgram, options, trial), trial, about, status, is_stopped);
  }
  fs::remove(path);
  const auto count = [&](Ending ending) { return counts[ending - kImported]; };
  std::cout << trial << " trials, seed " << options.seed << ": " << count(kConverted)
            << " became integers, " << count(kImported) << " were imported alone, "
            << count(kRefused) << " refused, on " << count(kHdf5Ended)
            << " HDF5's library crashed or did not end, " << bad << " bad" << std::endl;
  return bad == 0 && count(kConverted) > 0 && count(kRefused) > 0 ? 0 : 1;
}

int repeat(const FuzzOptions& options) {
  fs::create_directories(kFuzzFolder);
  const auto trial = static_cast<std::uint64_t>(options.trial);
  const std::string path = kept_path(kProgram, options, trial);
  std::cout << make_trial(options, trial, path) << ", " << path << std::endl;
  own_error() = 0;  // which is shared from now on
  const Ending ending = try_file(path);
  std::cout << (ending == kBad ? "bad" : "good") << std::endl;
  return ending == kBad ? 1 : 0;
}

}  // namespace

// Of the undefined-behaviour sanitizer, which our own code alone is made with.
extern "C" void __ubsan_on_report() { own_error() = 1; }

}  // namespace tilestrike::dnn

int main(int count, char** words) {
  using namespace tilestrike::dnn;
#if defined(__SANITIZE_ADDRESS__)
  __asan_set_error_report_callback(&on_report);
#endif
  limit_memory(kMostMemory);
  try {
    const FuzzOptions options = parse_options(kProgram, count, words);
    return options.trial >= 0 ? repeat(options) : fuzz(options);
  } catch (const tilestrike::Failure& failure) {
    std::cerr << failure.what() << '\n';
    return failure.exit_code();
  }
}
