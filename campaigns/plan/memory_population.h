// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on the cells of memories: what all of them have in common (docs/memory_strikes.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/study/study.h"
#include "campaigns/plan/population.h"
#include "campaigns/scenario/scenario.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/rates.h"

namespace tilestrike::campaigns {

/// "2,621,440".
std::string with_commas(std::uint64_t number);

/// A memory or the mesh's registers.
struct Structure {
  std::string name;
  std::optional<std::size_t> memory;  // of Study::memories(); nothing: the mesh
  std::uint64_t cells = 0;            // all that `where` means
  std::uint64_t data_cells = 0;       // of these, without check bits
  sim::EventRates fit;                // particles: events in 1e9 hours, by what strikes
  bool outlives = false;              // some of its contents stay for later inferences
};

/// A scrubber has run for ever, and does not wait for inferences. Each memory has a stream of its
/// own, so that another's scrubber makes no difference.
bridge::ScrubPhases drawn_scrub_phases(const std::vector<bridge::StudyMemory>& memories,
                                       const TrialStreams& streams);

class MemoryPopulation : public Population {
 public:
  const std::vector<Structure>& structures() const { return structures_; }
  const std::vector<bridge::StudyMemory>& memories() const { return memories_; }
  /// A trial that may strike several structures at once, a chip, several cells or a fluence, is one
  /// of all of them.
  bool strikes_several() const { return structures_.size() > 1 && is_spread(); }
  /// Number of a cell's column in its memory, the same in arrays that differ in check bits alone.
  int place_of(const DrawnStrike& drawn) const;

  std::uint64_t members() const override { return cells_; }  // cells, of all structures
  std::string text() const override { return cells_text() + " cells"; }
  bridge::ScrubPhases scrub_phases(const TrialStreams& streams) const override {
    return drawn_scrub_phases(memories_, streams);
  }
  double weight_of(const DrawnTrial& drawn, std::optional<bool>) const override {
    return drawn.strike->weight;
  }
  std::vector<std::string> parts() const override;
  std::string joint_structure() const override;
  Headings headings() const override {
    return {"structure", has_cores_ ? "(no core)" : "(none reads it)"};
  }
  bool are_on_cores() const { return has_cores_; }
  bool are_parts_structures() const override { return true; }
  std::vector<std::string> not_modelled() const override;
  std::vector<std::string> warnings() const override { return missed_windows_; }

 protected:
  /// Throws Failure where the scenario does not fit the study.
  MemoryPopulation(const Scenario& scenario, const bridge::StudyFacts& study);

  /// Whether a trial may strike all structures at once.
  virtual bool is_spread() const { return false; }
  const sim::ArrayGeometry& geometry(std::size_t memory) const { return geometries_[memory]; }
  sim::EccKind code(std::size_t memory) const { return memories_[memory].config.ecc; }
  std::size_t structure_of(std::size_t memory) const;
  std::string cells_text() const;  // "scratchpad 2,097,152 + mesh 27,248"
  void add_structure(const Structure& structure);
  void set_fit(std::size_t structure, const sim::EventRates& fit) {
    structures_[structure].fit = fit;
  }
  /// Sorts the cells, leaves none twice, and counts their codewords.
  static void finish(DrawnStrike& drawn);
  /// The trial that strikes these cells, and says which of them is the first.
  DrawnTrial trial_of(DrawnStrike drawn) const;

 private:
  void add_core_arrays(const Scenario& scenario, const bridge::StudyCores& cores);

  std::vector<bridge::StudyMemory> memories_;  // of the study
  bool has_cores_ = false;                     // they are arrays of neuromorphic cores
  std::vector<std::string> missed_windows_;
  std::vector<sim::ArrayGeometry> geometries_;
  std::vector<Structure> structures_;
  std::uint64_t cells_ = 0;
};

/// Where in a memory: the streams of a trial's bank, row and column.
class PlaceStreams {
 public:
  explicit PlaceStreams(const TrialStreams& streams)
      : bank_(streams.of(Purpose::kBank)),
        row_(streams.of(Purpose::kRow)),
        column_(streams.of(Purpose::kColumn)) {}
  /// Uniform over the cells of an array; the same one in arrays that share it, as far as can be.
  sim::Cell cell(const sim::ArrayGeometry& geometry);

 private:
  RandomStream bank_, row_, column_;
};

}  // namespace tilestrike::campaigns
