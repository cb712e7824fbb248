// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What strikes on memories are drawn from: structures with their rates, the strata of particles'
// strikes with exact weights, and trial k as a function of (seed, k) alone
// (docs/memory_strikes.md).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "base/random.h"
#include "bridge/study/study.h"
#include "campaigns/plan/allocation.h"
#include "campaigns/plan/cell_failures.h"
#include "campaigns/scenario/scenario.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/cluster_classes.h"
#include "sim/strikes/rates.h"
#include "sim/strikes/strike_strata.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::campaigns {

inline constexpr std::array<sim::Radiation, 3> kRadiations{
    sim::Radiation::kNeutron, sim::Radiation::kAlpha, sim::Radiation::kThermal};

/// Rates below this are not sampled: what they can do at most is told instead.
inline constexpr double kLeastSampledFit = 1e-6;

/// A memory or the mesh's registers.
struct Structure {
  std::string name;
  std::optional<std::size_t> memory;  // of Study::memories(); nothing: the mesh
  std::uint64_t cells = 0;            // all that `where` means
  std::uint64_t data_cells = 0;       // of these, without check bits
  sim::EventRates fit;                // particles: events in 1e9 hours, by what strikes
  bool outlives = false;              // some of its contents stay for later inferences
};

/// Strikes that are drawn alike: of one structure, one radiation and clusters of one reach. Neither
/// ECC nor interleaving changes the shares of the trials, so that trial k is the same strike.
struct StrikeClass {
  std::size_t structure = 0;
  sim::Radiation radiation = sim::Radiation::kNeutron;
  int reach = 0;             // sim::ClusterClasses; 0: any, of the mesh or of what is not divided
  double fit = 0.0;          // events in 1e9 hours
  double share = 0.0;        // of the trials; 0: it is not sampled
  std::string text() const;  // "reach 3"
};

/// Strikes of a class that have in common what ECC makes of them, with their exact rate: what is
/// estimated apart.
struct StrikeGroup {
  std::size_t structure = 0;
  sim::Radiation radiation = sim::Radiation::kNeutron;
  std::size_t of_class = 0;
  std::optional<sim::Stratum> stratum;  // nothing: without ECC, or not divided
  std::string text;                     // "reach 3 detected"; empty: not divided
  double fit = 0.0;                     // events in 1e9 hours
  // What can come of it at all, by what its codewords would be read as. A strike of which an error
  // is detected at a read is a due, whatever else it does.
  bool can_be_silent = true;
  bool can_be_due = true;
  // Whether that is sampled: where it is too rare, the enumerated bound is told.
  bool is_sampled = true;
  bool is_silent_sampled = true;
  bool is_due_sampled = true;
  std::string key() const;  // structure number, radiation and text
};

/// A struck cell.
struct DrawnCell {
  CellFault fault;   // of kind kRandom as it was asked for
  bool acts = true;  // false: the random value is the one that the cell has
};

/// A strike on memories, or on the mesh by its rate.
struct DrawnStrike {
  std::size_t structure = 0;  // of the first event
  std::optional<std::size_t> group;
  std::optional<sim::Radiation> radiation;
  std::uint64_t site = 0;  // the mesh is struck: number of the site, and the cycle
  Cycle cycle = 0;
  sim::Cell struck;                       // of the first event
  std::vector<sim::ClusterCell> cluster;  // around it, before any cell is cut off
  std::vector<DrawnCell> cells;           // sorted by memory, then bit; no cell twice
  std::int64_t codewords = 0;             // that they belong to
  std::optional<CellFault> first;         // of failures: the struck cell, whether it acts or not
  std::string about;                      // ... what has failed, and ...
  std::uint64_t failing = 0;              // ... how many cells, also where nothing ever lies
  std::int64_t events = 1;
  double weight = 1.0;
};

class MemoryPopulation {
 public:
  /// Throws Failure where the scenario does not fit the study. `mesh_sites` are those of `where`.
  MemoryPopulation(const Scenario& scenario, const std::vector<bridge::StudyMemory>& memories,
                   std::uint64_t mesh_sites, Cycle cycles);

  bool is_particle() const { return is_particle_; }
  bool is_stratified() const { return is_stratified_; }
  /// Several events in a trial; then there are no rates of one event.
  double fluence() const { return particle_.fluence; }
  /// Events of a trial of a fluence, faulty cells at a rate per bit; else 1.
  double expected() const { return expected_; }
  /// P(at least one of these), which a trial stands for; else 1.
  double weight() const { return weight_; }

  const std::vector<Structure>& structures() const { return structures_; }
  /// What results call a trial's structure. A trial that may strike several of them at once, a
  /// chip, several cells or a fluence, is one of all of them: "scratchpad+accumulator".
  std::string structure_name(const DrawnStrike& drawn) const;
  bool strikes_several() const;
  const std::vector<StrikeGroup>& groups() const { return groups_; }  // of particles
  double fit() const { return fit_; }                                 // of all structures
  /// Failures of DRAM devices that the trials stand for, in 1e9 hours; 0: of other processes.
  double device_fit() const;
  const std::vector<bridge::StudyMemory>& memories() const { return memories_; }
  /// What a reader of the rates must know: devices that are nothing like those that were studied.
  std::vector<std::string> warnings() const;
  const sim::TechnologyNode& node() const { return node_; }
  /// Of particles, at the scenario's voltage.
  sim::ClusterLaw law(sim::Radiation radiation) const;
  const ParticleConfig& particle() const { return particle_; }
  /// How much more often a cell is struck that holds a 0 than one that holds a 1, where strikes are
  /// weighted by that: one particle is a trial, and the node makes a difference.
  std::optional<double> zero_to_one() const;
  /// What reading codewords while they are upset could come to at most, in FIT; nothing where
  /// strikes are not divided by it.
  struct Enumerated {
    double silent = 0.0, due = 0.0;
  };
  std::optional<Enumerated> enumerated(std::size_t structure) const;

  std::uint64_t members() const { return cells_; }  // cells, of all structures
  std::string text() const;

  /// Uniform or particles: a function of seed and trial alone.
  DrawnStrike draw(std::uint64_t seed, TrialId trial) const;
  /// Member `index` of a census of single cells.
  DrawnStrike member(std::uint64_t index, FaultKind kind, CycleWindow when) const;
  const std::vector<StrikeClass>& classes() const { return classes_; }
  /// The class that a trial of a divided population belongs to.
  std::size_t class_of(TrialId trial) const;
  /// Number of a cell's column in its memory, the same in arrays that differ in check bits alone.
  int place_of(const DrawnStrike& drawn) const;

 private:
  struct Streams;
  void add_rates(const Scenario& scenario);
  void add_classes();
  void add_groups();
  void share_trials();
  std::size_t group_of(std::size_t of_class, const sim::Upset& upset) const;
  void draw_event(std::size_t of_class, Streams& streams, DrawnStrike& drawn) const;
  DrawnStrike draw_particle(std::uint64_t seed, TrialId trial) const;
  DrawnStrike draw_uniform(std::uint64_t seed, TrialId trial) const;
  DrawnStrike draw_failure(std::uint64_t seed, TrialId trial) const;
  CellFault cell_fault(std::uint64_t index) const;
  CellFault one_cell(Streams& streams) const;
  void finish(DrawnStrike& drawn) const;

  StrikeConfig strike_;
  ParticleConfig particle_;
  bool is_particle_ = false;
  bool is_persistent_ = false;
  bool is_stratified_ = false;
  std::vector<bridge::StudyMemory> memories_;  // of the study
  std::optional<sim::DramEventLaw> dram_law_;  // of the process dram
  Cycle cycles_ = 0;
  sim::TechnologyNode node_;
  std::vector<Structure> structures_;
  std::vector<sim::ArrayGeometry> geometries_;  // of the study's memories
  std::vector<sim::EccKind> codes_;
  std::vector<StrikeClass> classes_;
  Allocation allocation_;                 // of the trials to them, where they are divided
  std::vector<double> classes_up_to_;     // by FIT, else
  std::vector<StrikeGroup> groups_;       // class by class
  std::vector<std::size_t> first_group_;  // of each class, and the end
  std::array<std::shared_ptr<const sim::ClusterClasses>, 3> clusters_;  // where divided, or ...
  std::array<std::unique_ptr<sim::ClusterSampler>, 3> samplers_;        // ... else
  std::vector<std::array<std::shared_ptr<const sim::StrikeStrata>, 3>> strata_;  // of structures
  std::uint64_t cells_ = 0;
  double fit_ = 0.0;
  double expected_ = 1.0;
  double weight_ = 1.0;
};

}  // namespace tilestrike::campaigns
