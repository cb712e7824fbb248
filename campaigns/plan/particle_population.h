// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Particles that strike memories and, by its rate, the mesh: their rates by structure and
// radiation, and the strata of their strikes with exact weights (docs/memory_strikes.md).
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/plan/memory_population.h"
#include "campaigns/plan/strike_classes.h"
#include "sim/strikes/cluster.h"
#include "sim/strikes/cluster_classes.h"
#include "sim/strikes/strike_strata.h"
#include "sim/strikes/technology_node.h"

namespace tilestrike::campaigns {

class ParticlePopulation final : public MemoryPopulation {
 public:
  /// Throws Failure: no such events, more of them in a trial than can be.
  ParticlePopulation(const Scenario& scenario, const bridge::StudyFacts& study);

  bool is_stratified() const { return is_stratified_; }
  const std::vector<StrikeClass>& classes() const { return classes_; }
  const std::vector<StrikeGroup>& groups() const { return groups_; }
  double fit() const { return fit_; }  // of all structures
  const sim::TechnologyNode& node() const { return node_; }
  /// At the scenario's voltage.
  sim::ClusterLaw law(sim::Radiation radiation) const;
  const ParticleConfig& particle() const { return strike().particle; }
  /// Above 0: several events in a trial; then there are no rates of one event.
  double fluence() const { return particle().fluence; }
  /// How much more often a cell is struck that holds a 0 than one that holds a 1, where strikes are
  /// weighted by that: one particle is a trial, and the node makes a difference.
  std::optional<double> zero_to_one() const;
  /// Nothing where strikes are not divided by it.
  std::optional<EnumeratedRates> enumerated(std::size_t structure) const;

  std::string text() const override;
  /// With a stratum: a strike of that class.
  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;
  double weight_of(const DrawnTrial& drawn, std::optional<bool> stored) const override;
  std::string stratum_name(const DrawnTrial& drawn) const override;
  std::optional<CellFault> weighing_cell(const DrawnTrial& drawn) const override;
  std::string what() const override;
  const sim::TechnologyNode* technology() const override { return &node_; }
  bool expects_events() const override { return true; }
  bool is_told_by_part(double) const override { return fluence() <= 0.0; }
  std::vector<std::string> not_modelled() const override;
  std::vector<StrikeInput> inputs() const override;
  const ParticlePopulation* single_particles() const override {
    return fluence() <= 0.0 ? this : nullptr;
  }

 private:
  struct EventStreams;
  bool is_spread() const override { return fluence() > 0.0; }
  void add_flip_flops(const bridge::StudyCores& cores, bool stays);
  void add_rates(const Scenario& scenario);
  void expect_events(double cross_section);
  void add_classes();
  void add_groups();
  void add_groups_of(std::size_t of_class);
  void share_trials();
  std::vector<double> shares_of_trials() const;
  void note_what_is_sampled();
  std::size_t group_of(std::size_t of_class, const sim::Upset& upset) const;
  /// Adds an event of a class to what the trial has struck before.
  void draw_event(std::size_t of_class, EventStreams& streams, DrawnTrial& drawn) const;

  bool is_stratified_ = false;
  std::vector<SiteId> sites_;  // of the mesh, that may be struck
  sim::TechnologyNode node_;
  std::vector<StrikeClass> classes_;
  std::vector<StrikeGroup> groups_;       // class by class
  std::vector<std::size_t> first_group_;  // of each class, and the end
  std::array<std::shared_ptr<const sim::ClusterClasses>, 3> clusters_;             // where divided
  std::array<std::unique_ptr<sim::ClusterSampler>, 3> samplers_;                   // where not
  std::vector<std::array<std::shared_ptr<const sim::StrikeStrata>, 3>> outcomes_;  // of structures
  double fit_ = 0.0;
};

}  // namespace tilestrike::campaigns
