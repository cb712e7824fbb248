// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the trials of a scenario are drawn from, whatever it strikes. Each kind of strike is one
// class; population_of.h makes the one that a scenario asks for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/random.h"
#include "campaigns/plan/allocation.h"
#include "campaigns/plan/drawn_trial.h"
#include "campaigns/plan/strike_inputs.h"
#include "campaigns/plan/strike_times.h"
#include "campaigns/scenario/strike.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::campaigns {

class ParticlePopulation;

/// The random streams of one trial.
struct TrialStreams {
  std::uint64_t seed = 0;
  TrialId trial;
  std::optional<ImageId> image{};  // that it strikes; nothing: all in use
  RandomStream of(Purpose purpose) const { return {seed, trial.value, purpose}; }
};

/// All members, or those of one part or one layer.
struct Among {
  std::optional<std::string> part{}, layer{};
};

/// Strata with their exact weights.
using Weights = std::vector<std::pair<std::string, double>>;

/// What reports call a part of the population, and trials that struck no layer.
struct Headings {
  std::string part = "register";
  std::string without_layer = "(none on the mesh)";
};

class Population {
 public:
  virtual ~Population() = default;
  Population(const Population&) = delete;
  Population& operator=(const Population&) = delete;

  // What a trial with one fault is: one of the members, of the kinds and, where faults do not last,
  // of the times and images.
  /// Sites, cells, bits or words; of a list, trials.
  virtual std::uint64_t members() const = 0;
  /// "256 sites".
  virtual std::string text() const = 0;
  const std::vector<FaultKind>& kinds() const { return strike_.faults; }
  const StrikeTimes& times() const { return times_; }
  /// Whether faults last for all images in use: each trial is judged on them all.
  bool is_persistent() const { return is_persistent_; }
  /// Whether members are whole trials, with kinds, times and images of their own; they are struck
  /// in their order.
  virtual bool is_list() const { return false; }

  // How trials are drawn: each a function of seed and trial alone.
  /// What its trials are shared between; empty: it is not divided.
  const std::vector<Stratum>& strata() const { return strata_; }
  const Allocation& allocation() const { return allocation_; }
  /// A trial of this stratum; its number, image and scrubbers are filled in by the plan.
  virtual DrawnTrial draw(const TrialStreams& streams,
                          std::optional<std::size_t> stratum) const = 0;
  /// Member `index`, struck by itself; only where a census may go through them.
  virtual DrawnTrial member(std::uint64_t index, FaultKind kind, CycleWindow when) const;
  /// The image that a listed trial names.
  virtual std::optional<ImageId> named_image(TrialId) const { return std::nullopt; }
  /// Where the scrubbers of the study's memories are, where cells are struck.
  virtual bridge::ScrubPhases scrub_phases(const TrialStreams&) const { return {}; }

  // What a trial counts.
  /// The probability of at least one fault, which every trial has: what rates over the trials are
  /// multiplied by. 1 where the number of faults is given.
  double weight() const { return weight_; }
  /// Faults of a trial at a rate, or events of a fluence, that are expected before there is at
  /// least one.
  double expected() const { return expected_; }
  /// Whether what is expected are events, each of one fault or several.
  virtual bool expects_events() const { return false; }
  /// Of words: faults that are expected in each of them.
  virtual std::optional<double> expected_per_word() const { return std::nullopt; }
  /// Of a drawn trial in rates: weight(), what its stratum counts and, where weighing_cell() says
  /// which, what the struck cell held.
  virtual double weight_of(const DrawnTrial&, std::optional<bool>) const { return weight_; }
  /// The strata of some of the members, where rates are put together from those of the strata;
  /// none: every trial counts by itself.
  virtual Weights strata_among(const Among&) const { return {}; }
  /// What results call a drawn trial's stratum; empty: it has none.
  virtual std::string stratum_name(const DrawnTrial&) const { return ""; }
  /// The struck cell whose content just then decides how often such a trial comes; nothing: it is
  /// the same whatever a cell holds.
  virtual std::optional<CellFault> weighing_cell(const DrawnTrial&) const { return std::nullopt; }

  // What readers of results are told.
  /// What it consists of, in order: registers, tensors or memories.
  virtual std::vector<std::string> parts() const { return {}; }
  virtual Headings headings() const { return {}; }
  /// Whether results name a trial's part as its structure; else as its register, or tensor.
  virtual bool are_parts_structures() const { return false; }
  /// Whether each trial belongs to one part, when trials have that many faults on average.
  virtual bool is_told_by_part(double) const { return true; }
  /// Where one trial may strike several structures, what results call them together:
  /// "scratchpad+accumulator"; empty: a trial strikes one.
  virtual std::string joint_structure() const { return ""; }
  /// What strikes: "flip or stuck_at_0", "alpha strikes, 28nm".
  virtual std::string what() const;
  /// "transient".
  virtual std::string lasts() const;
  /// Whether parts of the accelerator are struck, by an engine, rather than numbers of the network.
  virtual bool is_on_hardware() const { return true; }
  /// Of the numbers of a network: those stores in which words may be struck, in order.
  virtual std::vector<StoreId> selected() const { return {}; }
  /// The same, as the scenario says it.
  virtual std::string selection() const { return ""; }
  /// And the formats that these are stored in: each once, that of the most words first.
  virtual std::vector<std::string> formats() const { return {}; }
  /// Whose rates and well taps strikes are drawn by; null: those of no node.
  virtual const sim::TechnologyNode* technology() const { return nullptr; }
  /// Failures that the trials stand for, in 1e9 hours; 0: they stand for no rate, or for those of
  /// the technology's events.
  virtual double device_fit() const { return 0.0; }
  virtual std::vector<std::string> warnings() const { return {}; }
  /// What might be struck and is not; by default, by strikes on registers of the mesh.
  virtual std::vector<std::string> not_modelled() const;
  /// Numbers that the trials rest on beside the scenario's; those of single particles are told
  /// with their rates.
  virtual std::vector<StrikeInput> inputs() const { return {}; }
  /// Whether trial k is one chip at every point of a sweep, rather than a strike.
  virtual bool are_trials_chips() const { return false; }

  /// Where each trial is one particle, whose rates are told in FIT by structure, radiation and
  /// stratum; null: trials are something else.
  virtual const ParticlePopulation* single_particles() const { return nullptr; }

 protected:
  Population(const StrikeConfig& strike, StrikeTimes times, bool is_persistent)
      : strike_(strike), times_(std::move(times)), is_persistent_(is_persistent) {}
  /// Of hardware: the strike says whether its faults last.
  Population(const StrikeConfig& strike, StrikeTimes times);

  const StrikeConfig& strike() const { return strike_; }
  void divide(std::vector<Stratum> strata, Allocation allocation);
  /// Of hardware: logic that nothing strikes, and these parts.
  static std::vector<std::string> unstruck_logic_and(const std::vector<std::string>& parts);
  static constexpr const char* kOffChip = "off-chip memory";
  static constexpr const char* kLatchWindows =
      "latch windows of flip-flops: every upset is taken over (what follows a flip-flop may miss "
      "it)";
  void share_by(Allocation allocation) { allocation_ = std::move(allocation); }
  void expect(double expected, double weight) {
    expected_ = expected;
    weight_ = weight;
  }

 private:
  StrikeConfig strike_;
  StrikeTimes times_;
  bool is_persistent_ = false;
  std::vector<Stratum> strata_;
  Allocation allocation_;
  double expected_ = 1.0, weight_ = 1.0;
};

}  // namespace tilestrike::campaigns
