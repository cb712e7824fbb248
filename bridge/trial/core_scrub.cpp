// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/core_scrub.h"

#include <algorithm>

#include "sim/memory/array_geometry.h"
#include "sim/memory/scrub.h"

namespace tilestrike::bridge {
namespace {

/// The flips of one codeword: which bits differ, from visit to visit. Of flips it only counts that,
/// whatever is stored: codes are linear.
class ScrubbedWord {
 public:
  ScrubbedWord(std::span<const CellFault> faults, const sim::MemoryConfig& memory,
               const sim::ScrubSchedule& scrub, Cycle end)
      : faults_(faults.begin(), faults.end()), code_(memory.code()), scrub_(scrub), end_(end) {
    std::ranges::stable_sort(faults_, {}, [](const CellFault& fault) { return fault.when.from; });
  }

  /// Until a visit has seen all of them.
  void follow(ScrubbedCells& all) {
    bool is_corrected = false, is_detected = false;
    for (std::size_t next = 0; next < faults_.size();) {
      // Within a cycle the scrubber comes first.
      const Cycle visit = scrub_.next(word(), faults_[next].when.from + 1);
      for (; next < faults_.size() && faults_[next].when.from < visit; ++next) {
        wrong_.flip(faults_[next].bit.bit);
      }
      const sim::ErrorEffect found = code_.decode_error(wrong_);
      is_corrected = is_corrected || found.status == sim::EccStatus::kCorrected;
      is_detected = is_detected || found.status == sim::EccStatus::kDetected;
      for (int bit = 0; bit < code_.codeword_bits(); ++bit) {
        if (found.corrected.test(bit)) {
          wrong_.flip(bit);
          if (visit < end_) {
            all.flips.push_back(flip_of(bit, visit));
          }
        }
      }
    }
    all.corrected += is_corrected ? 1 : 0;
    all.detected += is_detected ? 1 : 0;
    for (int bit = 0; bit < code_.codeword_bits(); ++bit) {
      if (wrong_.test(bit)) {
        all.left.push_back(flip_of(bit, 0));
      }
    }
  }

 private:
  CodewordId word() const { return faults_.front().bit.codeword; }
  CellFault flip_of(int bit, Cycle cycle) const {
    return {faults_.front().memory, {word(), bit}, FaultKind::kFlip, {cycle, cycle + 1}};
  }

  std::vector<CellFault> faults_;  // by time
  const sim::EccCode& code_;
  const sim::ScrubSchedule& scrub_;
  Cycle end_;
  sim::BitString wrong_;
};

}  // namespace

ScrubbedCells scrub_cells(std::span<const CellFault> cells, const ScrubPhases& phases,
                          std::span<const std::pair<std::string, sim::MemoryConfig>> memories,
                          Cycle end) {
  ScrubbedCells all;
  for (std::size_t first = 0; first < cells.size();) {
    const std::size_t memory = cells[first].memory;
    std::size_t last = first;
    while (last < cells.size() && cells[last].memory == memory &&
           cells[last].bit.codeword == cells[first].bit.codeword) {
      ++last;
    }
    const std::span<const CellFault> word = cells.subspan(first, last - first);
    const sim::MemoryConfig& config = memories[memory].second;
    const bool are_flips = std::ranges::all_of(
        word, [](const CellFault& fault) { return fault.kind == FaultKind::kFlip; });
    if (config.scrub_cycles > 0 && memory < phases.size() && phases[memory] && are_flips) {
      const sim::ScrubSchedule scrub(
          config.scrub_cycles, sim::ArrayGeometry(config.array()).codewords(), -*phases[memory]);
      ScrubbedWord(word, config, scrub, end).follow(all);
    } else {
      all.left.insert(all.left.end(), word.begin(), word.end());
    }
    first = last;
  }
  return all;
}

}  // namespace tilestrike::bridge
