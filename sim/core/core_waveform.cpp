// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_waveform.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/value_change_dump.h"
#include "sim/core/core_drive.h"
#include "sim/core/core_golden.h"

namespace tilestrike::sim {
namespace {

/// A word of an array, or a register.
struct Word {
  const CoreBlock* block;
  std::size_t index;
};

/// All that changes as the core runs, and the words of boot that are struck.
std::vector<Word> shown_words(const CoreSites& sites, std::span<const RegisterFault> faults) {
  std::set<std::pair<CoreStorage, std::size_t>> struck;
  for (const RegisterFault& fault : faults) {
    const CoreSite site = sites.describe(fault.site);
    struck.insert({site.storage, site.word});
  }
  std::vector<Word> words;
  for (const CoreBlock& block : sites.blocks()) {
    for (std::size_t index = 0; index < block.words; ++index) {
      if (!block.is_boot_array() || struck.contains({block.storage, index})) {
        words.push_back({&block, index});
      }
    }
  }
  return words;
}

class Dump {
 public:
  Dump(const std::string& path, const CoreSites& sites, std::vector<Word> words)
      : path_(path), file_(path), words_(std::move(words)), golden_(sites), faulty_(sites) {
    last_.resize(2 * words_.size());
  }

  void begin(const std::string& engine) {
    file_ << "$timescale 1 ns $end\n$scope module " << engine << " $end\n";
    for (const std::size_t machine : {0U, 1U}) {
      file_ << "$scope module " << (machine == 0 ? "golden" : "faulty") << " $end\n";
      for (std::size_t i = 0; i < words_.size(); ++i) {
        const CoreBlock& block = *words_[i].block;
        file_ << "$var wire " << block.bits << ' ' << vcd_code(machine * words_.size() + i) << ' '
              << block.name;
        if (block.is_array() || block.words > 1) {
          file_ << '_' << words_[i].index;
        }
        file_ << " $end\n";
      }
      file_ << "$upscope $end\n";
    }
    file_ << "$upscope $end\n$enddefinitions $end\n";
  }

  void sample(Cycle cycle, const CoreMachine& golden, const CoreMachine& faulty) {
    golden.get_state(golden_);
    faulty.get_state(faulty_);
    file_ << '#' << cycle << '\n';
    put(golden_, 0);
    put(faulty_, words_.size());
  }

  void end(Cycle cycle) {
    file_ << '#' << cycle << '\n';
    file_.close();
    if (!file_) {
      fail(ErrorCode::kMachine, "cannot write the waveform", path_, "check folder and disk");
    }
  }

 private:
  void put(const CoreState& state, std::size_t first) {
    for (std::size_t i = 0; i < words_.size(); ++i) {
      const CoreBlock& block = *words_[i].block;
      std::string change =
          vcd_change(state.word(block.storage, words_[i].index), block.bits, first + i);
      std::string& last = last_[first + i];
      if (change != last) {
        file_ << change << '\n';
        last = std::move(change);
      }
    }
  }

  std::string path_;
  std::ofstream file_;
  std::vector<Word> words_;
  CoreState golden_, faulty_;
  std::vector<std::string> last_;
};

bool are_equal(const CoreSites& sites, const CoreMachine& x, const CoreMachine& y) {
  CoreState of_x(sites), of_y(sites);
  x.get_state(of_x);
  y.get_state(of_y);
  return of_x == of_y;
}

}  // namespace

void write_core_waveform(const std::string& path, const std::string& engine, const CoreRun& run,
                         std::span<const RegisterFault> faults, CoreMachine& golden,
                         CoreMachine& faulty) {
  std::error_code ignored;  // the file says so
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const CoreSites& sites = run.core().sites();
  Cycle from = std::numeric_limits<Cycle>::max();
  for (const RegisterFault& fault : faults) {
    from = std::min(from, std::clamp<Cycle>(fault.when.from, 1, run.cycles()));
  }
  const std::int32_t tick = std::min(run.moment_of(from).tick, run.ticks() - 1);
  CoreState start(sites);
  CoreGolden(run).get(tick, start);
  golden.set_state(start);
  faulty.set_state(start);
  CoreDrive of_golden(run, golden), of_faulty(run, faulty, faults);
  of_golden.resume(tick);
  of_faulty.resume(tick);
  const CoreFaults acting(sites, faults);
  Dump dump(path, sites, shown_words(sites, faults));
  dump.begin(engine);
  Cycle cycle = run.cycle_of({tick, 1});
  for (Cycle written = 0; written < kMostEdgesInWaveform; ++written, ++cycle) {
    if (of_golden.is_over() || of_faulty.is_over()) {
      break;
    }
    const bool begins = of_faulty.next().edge == 1;
    if (begins && acting.is_over(cycle) && are_equal(sites, golden, faulty)) {
      break;
    }
    of_golden.step();
    of_faulty.step();
    dump.sample(cycle, golden, faulty);
  }
  dump.end(cycle);
}

}  // namespace tilestrike::sim
