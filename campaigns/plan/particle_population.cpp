// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/particle_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/plan/binomial.h"
#include "campaigns/plan/enumerations.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

using sim::Radiation;

// Of the trials of a divided population, those that go by rate alone. The others strike with
// clusters that reach over several columns: each reach alike, in each half by the structures' rates
// and half evenly.
constexpr double kByRate = 0.4;

std::size_t number_of(Radiation radiation) { return static_cast<std::size_t>(radiation); }

double& rate_of(sim::EventRates& rates, Radiation radiation) {
  return radiation == Radiation::kNeutron ? rates.neutron
         : radiation == Radiation::kAlpha ? rates.alpha
                                          : rates.thermal;
}

}  // namespace

std::string StrikeClass::text() const {
  return reach == 0 ? "" : reach == sim::kLargeReach ? "large" : "reach " + std::to_string(reach);
}

std::string StrikeGroup::key() const {
  return std::to_string(structure) + " " + std::string(name_of(radiation)) + " " + text;
}

struct ParticlePopulation::EventStreams {
  explicit EventStreams(const TrialStreams& streams)
      : structure(streams.of(Purpose::kStructure)),
        site(streams.of(Purpose::kSite)),
        cycle(streams.of(Purpose::kCycle)),
        cluster(streams.of(Purpose::kCluster)),
        place(streams),
        image(streams.image) {}
  RandomStream structure, site, cycle, cluster;
  PlaceStreams place;
  std::optional<ImageId> image;
};

ParticlePopulation::ParticlePopulation(const Scenario& scenario, const bridge::StudyFacts& study)
    : MemoryPopulation(scenario, study) {
  if (strike().where.has_mesh) {
    sites_ = selected_sites(strike().where.mesh, study.sites);
    add_structure(
        {std::string(kMeshStructure), std::nullopt, sites_.size(), sites_.size(), {}, false});
  }
  if (study.cores) {
    add_flip_flops(*study.cores, scenario.accelerator.chip.reload == bridge::CoreReload::kAtBoot);
  }
  add_rates(scenario);
  add_classes();
  add_groups();
  share_trials();
}

/// Registers of cores, and arrays that are made of flip-flops.
void ParticlePopulation::add_flip_flops(const bridge::StudyCores& cores, bool stays) {
  const CoreSelection& selection = strike().where.core;
  bool outlives = false;
  for (std::size_t core = 0; core < cores.cores(); ++core) {
    for (const sim::CoreBlock& block : cores.sites.blocks()) {
      const sim::CoreField& field = cores.sites.fields()[block.field];
      if (block.cells != sim::CoreCells::kFlipFlop || !selection.has(block, field)) {
        continue;
      }
      outlives = outlives || (stays && sim::is_written_at_boot(block.storage));
      for (std::uint64_t site = 0; site < block.size(); ++site) {
        sites_.push_back(cores.id_of(core, SiteId(block.first + site)));
      }
    }
  }
  if (!sites_.empty()) {
    add_structure({kFlipFlops, std::nullopt, sites_.size(), sites_.size(), {}, outlives});
  }
}

void ParticlePopulation::add_rates(const Scenario& scenario) {
  ErrorList errors;
  const auto node = find_node(scenario.accelerator.node, "accelerator.node", {}, errors);
  errors.throw_if_any();
  node_ = *node;
  if (particle().rate_in_band) {
    node_.neutron_rate = {sim::neutron_rate_in_band(node_, *particle().rate_in_band),
                          "A:the scenario's place in the band of " + node_.neutron_low.source,
                          Provenance::kAssumed};
  }
  const sim::EventRates of_cells = sim::memory_rates(node_, surroundings_of(particle()));
  const sim::EventRates of_flip_flops = sim::flip_flop_rates(node_, surroundings_of(particle()));
  const double by_voltage = voltage_factor(particle(), node_);
  double cross_section = 0.0;
  for (std::size_t i = 0; i < structures().size(); ++i) {
    const Structure& structure = structures()[i];
    const sim::EventRates& rates = structure.memory ? of_cells : of_flip_flops;
    sim::EventRates fit;
    for (const Radiation radiation : kRadiations) {
      const bool is_meant = fluence() > 0.0 ? radiation == Radiation::kNeutron
                                            : particle().radiation.value_or(radiation) == radiation;
      rate_of(fit, radiation) =
          is_meant ? by_voltage * sim::fit_of(rates.of(radiation), structure.cells) : 0.0;
    }
    set_fit(i, fit);
    fit_ += fit.total();
    cross_section +=
        by_voltage * sim::neutron_cross_section(node_) * static_cast<double>(structure.cells);
  }
  if (fit_ <= 0.0) {
    fail(ErrorCode::kInvalidInput, "strike.radiation: no such events at " + node_.name, "scenario",
         "name another node or leave 'radiation' out");
  }
  if (fluence() > 0.0) {
    expect_events(cross_section);
  }
}

void ParticlePopulation::expect_events(double cross_section) {
  const double events = fluence() * cross_section;
  if (events > kMostPoissonMean) {
    fail(ErrorCode::kInvalidInput,
         "strike.fluence: causes " + field_detail::real_text(events) +
             " events per trial on average",
         "scenario",
         "lower it, so that there are at most " + field_detail::real_text(kMostPoissonMean));
  }
  expect(events, -std::expm1(-events));
}

sim::ClusterLaw ParticlePopulation::law(Radiation radiation) const {
  const double voltage = particle().voltage > 0.0 ? particle().voltage : node_.vdd.value;
  return sim::cluster_law(node_, radiation, voltage, particle().heavy_tail);
}

void ParticlePopulation::add_classes() {
  is_stratified_ = particle().strata != StrataChoice::kOff && fluence() <= 0.0;
  for (const Radiation radiation : kRadiations) {
    if (is_stratified_) {
      clusters_[number_of(radiation)] = sim::cluster_classes(law(radiation));
    } else {
      samplers_[number_of(radiation)] = std::make_unique<sim::ClusterSampler>(law(radiation));
    }
  }
  for (std::size_t i = 0; i < structures().size(); ++i) {
    const Structure& structure = structures()[i];
    for (const Radiation radiation : kRadiations) {
      const double fit = structure.fit.of(radiation);
      if (fit <= 0.0) {
        continue;
      }
      if (!is_stratified_ || !structure.memory) {
        classes_.push_back({i, radiation, 0, fit});
        continue;
      }
      for (int reach = 1; reach <= sim::kLargeReach; ++reach) {
        const double probability = clusters_[number_of(radiation)]->probability(reach);
        if (probability > 0.0) {
          classes_.push_back({i, radiation, reach, fit * probability});
        }
      }
    }
  }
}

void ParticlePopulation::add_groups() {
  outcomes_.resize(structures().size());
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    first_group_.push_back(groups_.size());
    add_groups_of(c);
  }
  first_group_.push_back(groups_.size());
}

void ParticlePopulation::add_groups_of(std::size_t of_class) {
  using sim::Stratum;
  const StrikeClass& each = classes_[of_class];
  const std::optional<std::size_t>& memory = structures()[each.structure].memory;
  const bool is_bare = memory && code(*memory) == sim::EccKind::kNone;
  StrikeGroup group{each.structure, each.radiation, of_class, std::nullopt, each.text(), each.fit};
  // Nothing is detected without check bits; but a core may hang, or say that a tick came too early.
  group.can_be_due = !is_bare || are_on_cores();
  if (each.reach == 0 || is_bare) {
    groups_.push_back(group);
    return;
  }
  auto& outcomes = outcomes_[each.structure][number_of(each.radiation)];
  if (outcomes == nullptr) {
    const int tap_rows = static_cast<int>(node_.tap_rows.value);
    outcomes = enumerated_strata(
        {law(each.radiation), geometry(*memory).config(), code(*memory), tap_rows});
  }
  const double in_structure = structures()[each.structure].fit.of(each.radiation);
  for (std::size_t s = 0; s < sim::kStrata; ++s) {
    const auto stratum = static_cast<Stratum>(s);
    group.stratum = stratum;
    group.text = stratum == Stratum::kLarge
                     ? each.text()
                     : each.text() + " " + std::string(sim::name_of(stratum));
    group.fit = in_structure * outcomes->probability(each.reach, stratum);
    group.can_be_silent = stratum != Stratum::kRight && stratum != Stratum::kDetected;
    group.can_be_due =
        stratum != Stratum::kRight && (stratum != Stratum::kSilent || are_on_cores());
    if (group.fit > 0.0) {
      groups_.push_back(group);
    }
  }
}

std::size_t ParticlePopulation::group_of(std::size_t of_class, const sim::Upset& upset) const {
  const std::size_t first = first_group_[of_class];
  const StrikeClass& each = classes_[of_class];
  const auto& outcomes = outcomes_[each.structure][number_of(each.radiation)];
  if (!groups_[first].stratum || each.reach == sim::kLargeReach) {
    return first;
  }
  const sim::Stratum stratum = outcomes->stratum_of(upset);
  for (std::size_t group = first; group < first_group_[of_class + 1]; ++group) {
    if (groups_[group].stratum == stratum) {
      return group;
    }
  }
  TS_CHECK(false, "a strike that the enumeration has met");
  return first;
}

/// All of it is fixed before the first trial, and looks at data cells alone: check bits change no
/// trial's class.
std::vector<double> ParticlePopulation::shares_of_trials() const {
  std::vector<double> rates;
  std::map<int, std::vector<std::size_t>> far;  // classes by reach, beyond one column
  double all = 0.0;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const Structure& structure = structures()[classes_[c].structure];
    const double rate = classes_[c].fit * static_cast<double>(structure.data_cells) /
                        static_cast<double>(structure.cells);
    rates.push_back(rate < kLeastSampledFit ? 0.0 : rate);
    all += rates.back();
    if (rates.back() > 0.0 && classes_[c].reach > 1) {
      far[classes_[c].reach].push_back(c);
    }
  }
  if (all <= 0.0) {  // all of it is too rare: the campaign is asked for nevertheless
    for (std::size_t c = 0; c < classes_.size(); ++c) {
      rates[c] = classes_[c].fit;
      all += rates[c];
    }
  }
  std::vector<double> shares;
  for (const double rate : rates) {
    shares.push_back((far.empty() ? 1.0 : kByRate) * rate / all);
  }
  for (const auto& [reach, classes] : far) {
    const double of_reach = (1.0 - kByRate) / static_cast<double>(far.size());
    double sum = 0.0;
    for (const std::size_t c : classes) {
      sum += rates[c];
    }
    for (const std::size_t c : classes) {
      shares[c] += of_reach * (0.5 * rates[c] / sum + 0.5 / static_cast<double>(classes.size()));
    }
  }
  return shares;
}

void ParticlePopulation::share_trials() {
  std::vector<double> weights;
  for (StrikeClass& each : classes_) {
    each.share = each.fit / fit_;
    weights.push_back(each.share);
  }
  if (!is_stratified_) {
    std::vector<double> rates;
    for (const StrikeClass& each : classes_) {
      rates.push_back(each.fit);
    }
    share_by(Allocation::proportional(std::move(rates)));
    return;
  }
  std::vector<Stratum> strata;
  for (const StrikeClass& each : classes_) {
    const std::string reach = each.text();
    strata.push_back({structures()[each.structure].name + " " +
                          std::string(name_of(each.radiation)) + (reach.empty() ? "" : " " + reach),
                      each.share});
  }
  divide(std::move(strata), Allocation::fixed(std::move(weights), shares_of_trials()));
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    classes_[c].share = allocation().share(c);
  }
  note_what_is_sampled();
}

void ParticlePopulation::note_what_is_sampled() {
  std::vector<EnumeratedRates> of_outcomes(structures().size());
  for (const StrikeGroup& group : groups_) {
    of_outcomes[group.structure].silent += group.can_be_silent ? group.fit : 0.0;
    of_outcomes[group.structure].due += group.can_be_due ? group.fit : 0.0;
  }
  for (StrikeGroup& group : groups_) {
    const EnumeratedRates& outcomes = of_outcomes[group.structure];
    group.is_sampled = classes_[group.of_class].share > 0.0;
    group.is_silent_sampled =
        group.is_sampled && group.can_be_silent && outcomes.silent >= kLeastSampledFit;
    group.is_due_sampled = group.is_sampled && group.can_be_due && outcomes.due >= kLeastSampledFit;
  }
}

std::optional<double> ParticlePopulation::zero_to_one() const {
  const bool is_weighted =
      particle().stored_values && fluence() <= 0.0 && node_.zero_to_one.value != 1.0;
  return is_weighted ? std::optional(node_.zero_to_one.value) : std::nullopt;
}

double ParticlePopulation::weight_of(const DrawnTrial& drawn, std::optional<bool> stored) const {
  const double weight = drawn.strike->weight;
  return stored ? weight * sim::stored_value_weight(*zero_to_one(), *stored) : weight;
}

std::optional<CellFault> ParticlePopulation::weighing_cell(const DrawnTrial& drawn) const {
  const DrawnStrike& event = *drawn.strike;
  if (event.cells.empty() || !zero_to_one()) {
    return std::nullopt;
  }
  return CellFault{*event.memory,
                   geometry(*event.memory).bit_at(event.struck),
                   FaultKind::kFlip,
                   {event.cycle, event.cycle + 1}};
}

std::optional<EnumeratedRates> ParticlePopulation::enumerated(std::size_t structure) const {
  const std::optional<std::size_t>& memory = structures()[structure].memory;
  if (!memory || (!is_stratified_ && code(*memory) != sim::EccKind::kNone)) {
    return std::nullopt;
  }
  EnumeratedRates all;
  for (const StrikeGroup& group : groups_) {
    if (group.structure == structure) {
      all.silent += group.can_be_silent ? group.fit : 0.0;
      all.due += group.can_be_due ? group.fit : 0.0;
    }
  }
  return all;
}

std::string ParticlePopulation::text() const {
  return cells_text() + (sites_.empty() ? " cells" : " cells and sites") +
         (structures().size() > 1 ? ", by rate" : "");
}

std::string ParticlePopulation::what() const {
  std::string text = particle().radiation ? std::string(name_of(*particle().radiation)) + " strikes"
                                          : "strikes of particles";
  if (fluence() > 0.0) {
    text +=
        fmt::format(" at {:g} n/cm2 per inference ({:.3g} events expected)", fluence(), expected());
  }
  if (particle().voltage > 0.0) {
    text += fmt::format(" at {:g} V", particle().voltage);
  }
  return text + ", " + node_.name;
}

std::string ParticlePopulation::stratum_name(const DrawnTrial& drawn) const {
  return groups_[*drawn.strike->group].text;
}

void ParticlePopulation::draw_event(std::size_t of_class, EventStreams& streams,
                                    DrawnTrial& drawn) const {
  const StrikeClass& each = classes_[of_class];
  const Structure& structure = structures()[each.structure];
  DrawnStrike& strike = *drawn.strike;
  const CycleWindow when = times().draw(streams.cycle, streams.image);
  const bool is_first = !strike.group.has_value();
  sim::Cell struck;
  sim::Upset upset;
  sim::Cluster cluster;
  if (!structure.memory) {
    const std::uint64_t site = streams.site.below(structure.cells);
    drawn.faults.push_back({{sites_[site], FaultKind::kFlip, when}, true});
  } else {
    if (each.reach == 0) {
      samplers_[number_of(each.radiation)]->draw(streams.cluster, cluster);
    } else {
      clusters_[number_of(each.radiation)]->draw(each.reach, streams.cluster, cluster);
    }
    const sim::ArrayGeometry& array = geometry(*structure.memory);
    struck = streams.place.cell(array);
    sim::place_cluster(cluster, struck, array, static_cast<int>(node_.tap_rows.value), upset);
    sim::sort_by_codeword(upset);
    for (const sim::CodewordBit& bit : upset.bits()) {
      strike.cells.push_back({{*structure.memory, bit, FaultKind::kFlip, when}, true});
    }
  }
  if (is_first) {
    strike.group = group_of(of_class, upset);
    strike.structure = each.structure;
    strike.memory = structure.memory;
    strike.radiation = each.radiation;
    strike.struck = struck;
    strike.cluster.assign(cluster.cells().begin(), cluster.cells().end());
    strike.cycle = when.from;
  }
}

DrawnTrial ParticlePopulation::draw(const TrialStreams& streams,
                                    std::optional<std::size_t> stratum) const {
  EventStreams events(streams);
  DrawnTrial drawn;
  DrawnStrike& strike = drawn.strike.emplace();
  strike.weight = weight() * allocation().weight(stratum);
  if (stratum) {
    draw_event(*stratum, events, drawn);
  } else {
    if (fluence() > 0.0) {
      RandomStream count = streams.of(Purpose::kCount);
      strike.events = static_cast<std::int64_t>(poisson_at_least_one(expected(), count.unit()));
    }
    for (std::int64_t event = 0; event < strike.events; ++event) {
      draw_event(allocation().stratum_at(events.structure.unit()), events, drawn);
    }
  }
  finish(strike);
  return drawn;
}

}  // namespace tilestrike::campaigns
