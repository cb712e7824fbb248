// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/memory_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/plan/binomial.h"
#include "campaigns/plan/enumerations.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

using sim::Radiation;
using sim::Stratum;

// Of the trials of a divided population, those that go by rate alone. The others strike with
// clusters that reach over several columns: each reach alike, in each half by the structures' rates
// and half evenly.
constexpr double kByRate = 0.4;
constexpr double kMostFaultyCells = 1e6;
constexpr double kAlikeDevices = 4.0;  // sizes of DRAM devices that are at most so many times apart

std::size_t number_of(Radiation radiation) { return static_cast<std::size_t>(radiation); }

double& rate_of(sim::EventRates& rates, Radiation radiation) {
  return radiation == Radiation::kNeutron ? rates.neutron
         : radiation == Radiation::kAlpha ? rates.alpha
                                          : rates.thermal;
}

std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t end = text.size(); end > 3; end -= 3) {
    text.insert(end - 3, ",");
  }
  return text;
}

/// "64 Kbit", "1 Gbit"; K is 1024.
std::string bits_text(double bits) {
  constexpr std::array kUnits = {"bit", "Kbit", "Mbit", "Gbit", "Tbit"};
  std::size_t unit = 0;
  for (; unit + 1 < kUnits.size() && bits >= 1024.0; ++unit) {
    bits /= 1024.0;
  }
  return fmt::format("{:.4g} {}", bits, kUnits[unit]);
}

}  // namespace

struct MemoryPopulation::Streams {
  Streams(std::uint64_t seed, TrialId trial)
      : structure(seed, trial.value, Purpose::kStructure),
        site(seed, trial.value, Purpose::kSite),
        bank(seed, trial.value, Purpose::kBank),
        row(seed, trial.value, Purpose::kRow),
        column(seed, trial.value, Purpose::kColumn),
        cycle(seed, trial.value, Purpose::kCycle),
        cluster(seed, trial.value, Purpose::kCluster) {}

  /// Uniform over the cells of an array; the same one in arrays that share it, as far as can be.
  sim::Cell cell(const sim::ArrayGeometry& geometry) {
    const auto below = [](RandomStream& stream, int bound) {
      return static_cast<int>(stream.nested_below(static_cast<std::uint64_t>(bound)));
    };
    return {below(bank, geometry.banks()), below(row, geometry.rows()),
            geometry.column_at(below(column, geometry.columns()))};
  }

  RandomStream structure, site, bank, row, column, cycle, cluster;
};

std::string StrikeClass::text() const {
  return reach == 0 ? "" : reach == sim::kLargeReach ? "large" : "reach " + std::to_string(reach);
}

std::string StrikeGroup::key() const {
  return std::to_string(structure) + " " + std::string(name_of(radiation)) + " " + text;
}

MemoryPopulation::MemoryPopulation(const Scenario& scenario,
                                   const std::vector<bridge::StudyMemory>& memories,
                                   std::uint64_t mesh_sites, Cycle cycles)
    : strike_(scenario.strike),
      particle_(scenario.strike.particle),
      is_particle_(campaigns::is_particle(scenario.strike)),
      is_persistent_(campaigns::is_persistent(scenario.strike)),
      memories_(memories),
      cycles_(cycles) {
  if (strike_.process == Process::kDram) {
    dram_law_ = dram_law(strike_);
  }
  for (const bridge::StudyMemory& memory : memories) {
    geometries_.emplace_back(memory.config.array());
    codes_.push_back(memory.config.ecc);
  }
  for (const std::size_t index : selected_memories(strike_, scenario.accelerator)) {
    const std::string& name = scenario.accelerator.memory[index].first;
    const auto found = std::ranges::find(memories, name, &bridge::StudyMemory::name);
    if (found == memories.end()) {
      fail(ErrorCode::kUnsupported,
           "strike.where.memory: nothing of this network is placed in the memory '" + name + "'",
           "scenario", "name other memories");
    }
    const auto memory = static_cast<std::size_t>(found - memories.begin());
    const sim::ArrayGeometry& geometry = geometries_[memory];
    const CellChoice choice = strike_.where.memory.cells;
    const std::vector<sim::MemoryContent>& holds = memories[memory].config.holds;
    const auto may_hold = [&](sim::MemoryContent content) {
      return std::ranges::find(holds, content) != holds.end();
    };
    const bool keeps_weights =
        scenario.accelerator.schedule.weights == bridge::WeightReload::kAtBoot &&
        may_hold(sim::MemoryContent::kWeights);
    structures_.push_back({name,
                           memory,
                           choice == CellChoice::kAll    ? geometry.cells()
                           : choice == CellChoice::kData ? geometry.data_cells()
                                                         : geometry.check_cells(),
                           geometry.data_cells(),
                           {},
                           keeps_weights || may_hold(sim::MemoryContent::kBacking)});
  }
  if (strike_.where.has_mesh) {
    structures_.push_back(
        {std::string(kMeshStructure), std::nullopt, mesh_sites, mesh_sites, {}, false});
  }
  for (const Structure& structure : structures_) {
    cells_ += structure.cells;
  }
  if (is_particle_) {
    add_rates(scenario);
    add_classes();
    add_groups();
    share_trials();
  } else if (strike_.per_bit > 0.0) {
    expected_ = static_cast<double>(cells_) * strike_.per_bit;
    if (expected_ > kMostFaultyCells) {
      fail(ErrorCode::kInvalidInput,
           "strike.per_bit: makes " + field_detail::real_text(expected_) + " of " +
               with_commas(cells_) + " cells faulty in each trial",
           "scenario", "lower it, or narrow 'where'");
    }
    weight_ = chance_of_any(cells_, strike_.per_bit);
  }
}

void MemoryPopulation::add_rates(const Scenario& scenario) {
  ErrorList errors;
  const auto node = find_node(scenario.accelerator.node, "accelerator.node", {}, errors);
  errors.throw_if_any();
  node_ = *node;
  if (particle_.rate_in_band) {
    node_.neutron_rate = {sim::neutron_rate_in_band(node_, *particle_.rate_in_band),
                          "A:the scenario's place in the band of " + node_.neutron_low.source,
                          Provenance::kAssumed};
  }
  const sim::EventRates of_cells = sim::memory_rates(node_, surroundings_of(particle_));
  const sim::EventRates of_flip_flops = sim::flip_flop_rates(node_, surroundings_of(particle_));
  const double by_voltage = voltage_factor(particle_, node_);
  double cross_section = 0.0;
  for (Structure& structure : structures_) {
    const sim::EventRates& rates = structure.memory ? of_cells : of_flip_flops;
    for (const Radiation radiation : kRadiations) {
      const bool is_meant = particle_.fluence > 0.0
                                ? radiation == Radiation::kNeutron
                                : particle_.radiation.value_or(radiation) == radiation;
      rate_of(structure.fit, radiation) =
          is_meant ? by_voltage * sim::fit_of(rates.of(radiation), structure.cells) : 0.0;
    }
    fit_ += structure.fit.total();
    cross_section +=
        by_voltage * sim::neutron_cross_section(node_) * static_cast<double>(structure.cells);
  }
  if (fit_ <= 0.0) {
    fail(ErrorCode::kInvalidInput, "strike.radiation: no such events at " + node_.name, "scenario",
         "name another node or leave 'radiation' out");
  }
  if (particle_.fluence <= 0.0) {
    return;
  }
  expected_ = particle_.fluence * cross_section;
  if (expected_ > kMostPoissonMean) {
    fail(ErrorCode::kInvalidInput,
         "strike.fluence: causes " + field_detail::real_text(expected_) +
             " events per trial on average",
         "scenario",
         "lower it, so that there are at most " + field_detail::real_text(kMostPoissonMean));
  }
  weight_ = -std::expm1(-expected_);
}

sim::ClusterLaw MemoryPopulation::law(Radiation radiation) const {
  const double voltage = particle_.voltage > 0.0 ? particle_.voltage : node_.vdd.value;
  return sim::cluster_law(node_, radiation, voltage, particle_.heavy_tail);
}

void MemoryPopulation::add_classes() {
  is_stratified_ = particle_.strata != StrataChoice::kOff && particle_.fluence <= 0.0;
  for (const Radiation radiation : kRadiations) {
    if (is_stratified_) {
      clusters_[number_of(radiation)] = sim::cluster_classes(law(radiation));
    } else {
      samplers_[number_of(radiation)] = std::make_unique<sim::ClusterSampler>(law(radiation));
    }
  }
  for (std::size_t i = 0; i < structures_.size(); ++i) {
    const Structure& structure = structures_[i];
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

void MemoryPopulation::add_groups() {
  strata_.resize(structures_.size());
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const StrikeClass& each = classes_[c];
    const std::optional<std::size_t>& memory = structures_[each.structure].memory;
    const bool is_bare = memory && codes_[*memory] == sim::EccKind::kNone;
    first_group_.push_back(groups_.size());
    StrikeGroup group{each.structure, each.radiation, c, std::nullopt, each.text(), each.fit};
    group.can_be_due = !is_bare;  // nothing is detected without check bits
    if (each.reach == 0 || is_bare) {
      groups_.push_back(group);
      continue;
    }
    auto& strata = strata_[each.structure][number_of(each.radiation)];
    if (strata == nullptr) {
      const int tap_rows = static_cast<int>(node_.tap_rows.value);
      strata = enumerated_strata(
          {law(each.radiation), geometries_[*memory].config(), codes_[*memory], tap_rows});
    }
    const double in_structure = structures_[each.structure].fit.of(each.radiation);
    for (std::size_t s = 0; s < sim::kStrata; ++s) {
      const auto stratum = static_cast<Stratum>(s);
      group.stratum = stratum;
      group.text = stratum == Stratum::kLarge
                       ? each.text()
                       : each.text() + " " + std::string(sim::name_of(stratum));
      group.fit = in_structure * strata->probability(each.reach, stratum);
      group.can_be_silent = stratum != Stratum::kRight && stratum != Stratum::kDetected;
      group.can_be_due = stratum != Stratum::kRight && stratum != Stratum::kSilent;
      if (group.fit > 0.0) {
        groups_.push_back(group);
      }
    }
  }
  first_group_.push_back(groups_.size());
}

std::size_t MemoryPopulation::group_of(std::size_t of_class, const sim::Upset& upset) const {
  const std::size_t first = first_group_[of_class];
  const StrikeClass& each = classes_[of_class];
  const auto& strata = strata_[each.structure][number_of(each.radiation)];
  if (!groups_[first].stratum || each.reach == sim::kLargeReach) {
    return first;
  }
  const Stratum stratum = strata->stratum_of(upset);
  for (std::size_t group = first; group < first_group_[of_class + 1]; ++group) {
    if (groups_[group].stratum == stratum) {
      return group;
    }
  }
  TS_CHECK(false, "a strike that the enumeration has met");
  return first;
}

bool MemoryPopulation::strikes_several() const {
  const bool has_several_cells =
      strike_.process == Process::kUniform && (strike_.count > 1 || strike_.per_bit > 0.0);
  return structures_.size() > 1 &&
         (strike_.process == Process::kLowVoltage || has_several_cells || particle_.fluence > 0.0);
}

std::string MemoryPopulation::structure_name(const DrawnStrike& drawn) const {
  if (!strikes_several()) {
    return structures_[drawn.structure].name;
  }
  std::vector<std::string> names;
  for (const Structure& structure : structures_) {
    names.push_back(structure.name);
  }
  return join(names, "+");
}

std::optional<double> MemoryPopulation::zero_to_one() const {
  const bool is_weighted = is_particle_ && particle_.stored_values && particle_.fluence <= 0.0 &&
                           node_.zero_to_one.value != 1.0;
  return is_weighted ? std::optional(node_.zero_to_one.value) : std::nullopt;
}

std::optional<MemoryPopulation::Enumerated> MemoryPopulation::enumerated(
    std::size_t structure) const {
  const std::optional<std::size_t>& memory = structures_[structure].memory;
  if (!memory || (!is_stratified_ && codes_[*memory] != sim::EccKind::kNone)) {
    return std::nullopt;
  }
  Enumerated all;
  for (const StrikeGroup& group : groups_) {
    if (group.structure == structure) {
      all.silent += group.can_be_silent ? group.fit : 0.0;
      all.due += group.can_be_due ? group.fit : 0.0;
    }
  }
  return all;
}

/// All of it is fixed before the first trial, and looks at data cells alone: check bits change no
/// trial's class.
void MemoryPopulation::share_trials() {
  if (!is_stratified_) {
    double sum = 0.0;
    for (StrikeClass& each : classes_) {
      sum += each.fit;
      classes_up_to_.push_back(sum);
      each.share = each.fit / fit_;
    }
    return;
  }
  std::vector<double> rates;
  std::map<int, std::vector<std::size_t>> far;  // classes by reach, beyond one column
  double all = 0.0;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    const Structure& structure = structures_[classes_[c].structure];
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
  allocation_ = Allocation(std::move(shares));
  std::vector<Enumerated> of_outcomes(structures_.size());
  for (const StrikeGroup& group : groups_) {
    of_outcomes[group.structure].silent += group.can_be_silent ? group.fit : 0.0;
    of_outcomes[group.structure].due += group.can_be_due ? group.fit : 0.0;
  }
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    classes_[c].share = allocation_.share(c);
  }
  for (StrikeGroup& group : groups_) {
    const Enumerated& outcomes = of_outcomes[group.structure];
    group.is_sampled = classes_[group.of_class].share > 0.0;
    group.is_silent_sampled =
        group.is_sampled && group.can_be_silent && outcomes.silent >= kLeastSampledFit;
    group.is_due_sampled = group.is_sampled && group.can_be_due && outcomes.due >= kLeastSampledFit;
  }
}

std::size_t MemoryPopulation::class_of(TrialId trial) const {
  TS_CHECK(is_stratified_, "a population that is divided");
  return allocation_.stratum_of(trial);
}

int MemoryPopulation::place_of(const DrawnStrike& drawn) const {
  const std::optional<std::size_t>& memory = structures_[drawn.structure].memory;
  return memory ? geometries_[*memory].number_of_column(drawn.struck.column) : 0;
}

std::string MemoryPopulation::text() const {
  std::vector<std::string> parts;
  for (const Structure& structure : structures_) {
    parts.push_back(structure.name + " " + with_commas(structure.cells));
  }
  if (strike_.process == Process::kLowVoltage) {
    return "chips of " + join(parts, " + ") + " cells";
  }
  if (dram_law_) {
    return std::to_string(strike_.dram.device.devices * static_cast<int>(structures_.size())) +
           " devices of " + join(parts, " + ") + " cells, " +
           field_detail::real_text(dram_law_->fit_per_device()) + " FIT each";
  }
  std::string text = join(parts, " + ") + (strike_.where.has_mesh ? " cells and sites" : " cells");
  if (is_particle_ && structures_.size() > 1) {
    text += ", by rate";
  }
  return text;
}

CellFault MemoryPopulation::cell_fault(std::uint64_t index) const {
  for (const Structure& structure : structures_) {
    if (index >= structure.cells) {
      index -= structure.cells;
      continue;
    }
    const sim::ArrayGeometry& geometry = geometries_[*structure.memory];
    CellFault fault;
    fault.memory = *structure.memory;
    if (strike_.where.memory.cells == CellChoice::kAll) {
      fault.bit = geometry.bit_at(geometry.cell_at(index));
      return fault;
    }
    const bool is_data = strike_.where.memory.cells == CellChoice::kData;
    const auto bits = static_cast<std::uint64_t>(is_data ? geometry.config().data_bits
                                                         : geometry.config().check_bits);
    const int first = is_data ? 0 : geometry.config().data_bits;
    fault.bit = {sim::CodewordId(index / bits), first + static_cast<int>(index % bits)};
    return fault;
  }
  TS_CHECK(false, "a cell beyond the structures");
  return {};
}

void MemoryPopulation::finish(DrawnStrike& drawn) const {
  const auto place = [](const DrawnCell& cell) {
    return std::tuple(cell.fault.memory, cell.fault.bit);
  };
  std::ranges::stable_sort(drawn.cells, {}, place);
  // Two events in one cell: the first is kept.
  const auto same = std::ranges::unique(drawn.cells, {}, place);
  drawn.cells.erase(same.begin(), same.end());
  drawn.codewords = 0;
  for (std::size_t i = 0; i < drawn.cells.size(); ++i) {
    const CellFault& fault = drawn.cells[i].fault;
    const bool is_new = i == 0 || drawn.cells[i - 1].fault.memory != fault.memory ||
                        drawn.cells[i - 1].fault.bit.codeword != fault.bit.codeword;
    drawn.codewords += is_new ? 1 : 0;
  }
}

void MemoryPopulation::draw_event(std::size_t of_class, Streams& streams,
                                  DrawnStrike& drawn) const {
  const StrikeClass& each = classes_[of_class];
  const Structure& structure = structures_[each.structure];
  const auto cycle = static_cast<Cycle>(streams.cycle.below(static_cast<std::uint64_t>(cycles_)));
  const bool is_first = !drawn.group.has_value();
  sim::Cell struck;
  sim::Upset upset;
  sim::Cluster cluster;
  if (!structure.memory) {
    drawn.site = streams.site.below(structure.cells);
  } else {
    const sim::ArrayGeometry& geometry = geometries_[*structure.memory];
    if (each.reach == 0) {
      samplers_[number_of(each.radiation)]->draw(streams.cluster, cluster);
    } else {
      clusters_[number_of(each.radiation)]->draw(each.reach, streams.cluster, cluster);
    }
    struck = streams.cell(geometry);
    sim::place_cluster(cluster, struck, geometry, static_cast<int>(node_.tap_rows.value), upset);
    sim::sort_by_codeword(upset);
    for (const sim::CodewordBit& bit : upset.bits()) {
      drawn.cells.push_back({{*structure.memory, bit, FaultKind::kFlip, {cycle, cycle + 1}}, true});
    }
  }
  if (is_first) {
    drawn.group = group_of(of_class, upset);
    drawn.structure = each.structure;
    drawn.radiation = each.radiation;
    drawn.weight = is_stratified_ ? each.fit / fit_ / each.share : 1.0;
    drawn.struck = struck;
    drawn.cluster.assign(cluster.cells().begin(), cluster.cells().end());
    drawn.cycle = cycle;
  }
}

DrawnStrike MemoryPopulation::draw_particle(std::uint64_t seed, TrialId trial) const {
  Streams streams(seed, trial);
  DrawnStrike drawn;
  if (is_stratified_) {
    draw_event(class_of(trial), streams, drawn);
    finish(drawn);
    return drawn;
  }
  if (particle_.fluence > 0.0) {
    RandomStream count(seed, trial.value, Purpose::kCount);
    drawn.events = static_cast<std::int64_t>(poisson_at_least_one(expected_, count.unit()));
  }
  for (std::int64_t event = 0; event < drawn.events; ++event) {
    const double unit = streams.structure.unit() * classes_up_to_.back();
    const auto found = std::upper_bound(classes_up_to_.begin(), classes_up_to_.end(), unit);
    draw_event(
        std::min(static_cast<std::size_t>(found - classes_up_to_.begin()), classes_.size() - 1),
        streams, drawn);
  }
  drawn.weight = weight_;
  finish(drawn);
  return drawn;
}

// The same cell wherever arrays share it.
CellFault MemoryPopulation::one_cell(Streams& streams) const {
  double unit = streams.structure.unit() * static_cast<double>(cells_);
  auto structure = structures_.begin();
  for (; structure + 1 != structures_.end() && unit >= static_cast<double>(structure->cells);
       ++structure) {
    unit -= static_cast<double>(structure->cells);
  }
  const sim::ArrayGeometry& geometry = geometries_[*structure->memory];
  CellFault fault;
  fault.memory = *structure->memory;
  fault.bit = geometry.bit_at(streams.cell(geometry));
  return fault;
}

DrawnStrike MemoryPopulation::draw_uniform(std::uint64_t seed, TrialId trial) const {
  RandomStream site(seed, trial.value, Purpose::kSite);
  RandomStream cycle(seed, trial.value, Purpose::kCycle);
  RandomStream kind(seed, trial.value, Purpose::kKind);
  DrawnStrike drawn;
  auto count = static_cast<std::uint64_t>(strike_.count);
  if (strike_.per_bit > 0.0) {
    RandomStream number(seed, trial.value, Purpose::kCount);
    count = binomial_at_least_one(cells_, strike_.per_bit, number.unit());
  }
  drawn.weight = weight_;
  std::vector<CellFault> struck;
  if (count == 1 && strike_.where.memory.cells == CellChoice::kAll) {
    Streams streams(seed, trial);
    struck.push_back(one_cell(streams));
  } else {
    for (const std::uint64_t index : draw_without_replacement(site, cells_, count)) {
      struck.push_back(cell_fault(index));
    }
  }
  for (const CellFault& fault : struck) {
    DrawnCell cell;
    cell.fault = fault;
    cell.fault.kind = strike_.faults[kind.below(strike_.faults.size())];
    cell.acts = kind.below(2) == 0 || cell.fault.kind != FaultKind::kRandom;
    if (is_persistent_) {
      cell.fault.when =
          strike_.lasts.kind == Lasts::Kind::kWindow ? strike_.lasts.window : CycleWindow{};
    } else {
      const auto from = static_cast<Cycle>(cycle.below(static_cast<std::uint64_t>(cycles_)));
      cell.fault.when = {from, from + 1};
    }
    drawn.cells.push_back(cell);
  }
  finish(drawn);
  const CellFault& first = drawn.cells.front().fault;
  drawn.struck = geometries_[first.memory].cell_of(first.bit);
  drawn.cycle = first.when.from;
  const auto of_first =
      std::ranges::find(structures_, std::optional(first.memory), &Structure::memory);
  drawn.structure = static_cast<std::size_t>(of_first - structures_.begin());
  return drawn;
}

DrawnStrike MemoryPopulation::draw_failure(std::uint64_t seed, TrialId trial) const {
  std::vector<std::size_t> selected;
  for (const Structure& structure : structures_) {
    selected.push_back(*structure.memory);
  }
  CycleWindow when =
      strike_.lasts.kind == Lasts::Kind::kWindow ? strike_.lasts.window : CycleWindow{};
  if (!is_persistent_) {
    RandomStream cycle(seed, trial.value, Purpose::kCycle);
    when.from = static_cast<Cycle>(cycle.below(static_cast<std::uint64_t>(cycles_)));
    when.until = when.from + 1;
  }
  CellFailures failures =
      dram_law_ ? fail_in_dram(memories_, selected, strike_.dram.device, *dram_law_, when, seed,
                               trial.value)
                : fail_at_low_voltage(memories_, selected, strike_.low_voltage, seed, trial.value);
  DrawnStrike drawn;
  for (const CellFault& fault : failures.faults) {
    drawn.cells.push_back({fault, true});
  }
  finish(drawn);
  drawn.struck = failures.struck;
  drawn.about = failures.about;
  drawn.failing = failures.cells;
  drawn.cycle = when.from;
  drawn.first = CellFault{failures.memory, geometries_[failures.memory].bit_at(failures.struck),
                          is_persistent_ ? FaultKind::kStuckAt0 : FaultKind::kFlip, when};
  for (const CellFault& fault : failures.faults) {
    if (fault.memory == failures.memory && fault.bit == drawn.first->bit) {
      drawn.first = fault;
    }
  }
  const auto structure =
      std::ranges::find(structures_, std::optional(failures.memory), &Structure::memory);
  drawn.structure = static_cast<std::size_t>(structure - structures_.begin());
  return drawn;
}

double MemoryPopulation::device_fit() const {
  return dram_law_ ? dram_law_->fit_per_device() * strike_.dram.device.devices *
                         static_cast<double>(structures_.size())
                   : 0.0;
}

// The rates of a file of one's own are those of its devices, whatever their size.
std::vector<std::string> MemoryPopulation::warnings() const {
  std::vector<std::string> all;
  if (!dram_law_ || !strike_.dram.modes.empty()) {
    return all;
  }
  for (const Structure& structure : structures_) {
    const double bits = static_cast<double>(structure.cells) / strike_.dram.device.devices;
    const double ratio = bits / sim::kStudiedDeviceBits;
    if (ratio > kAlikeDevices || ratio < 1.0 / kAlikeDevices) {
      all.push_back("strike.dram: a device of '" + structure.name + "' has " + bits_text(bits) +
                    ", and those of the study behind data/dram_modes.csv have " +
                    bits_text(sim::kStudiedDeviceBits) + " (" + sim::kStudiedDeviceSource +
                    "): rates are per device, whatever its size; give the whole capacity, or "
                    "rates of such devices as 'modes'");
    }
  }
  return all;
}

DrawnStrike MemoryPopulation::member(std::uint64_t index, FaultKind kind, CycleWindow when) const {
  DrawnStrike drawn;
  DrawnCell cell;
  cell.fault = cell_fault(index);
  cell.fault.kind = kind;
  cell.fault.when = when;
  drawn.cells = {cell};
  drawn.codewords = 1;
  drawn.struck = geometries_[cell.fault.memory].cell_of(cell.fault.bit);
  drawn.cycle = when.from;
  const auto structure =
      std::ranges::find(structures_, std::optional(cell.fault.memory), &Structure::memory);
  drawn.structure = static_cast<std::size_t>(structure - structures_.begin());
  return drawn;
}

DrawnStrike MemoryPopulation::draw(std::uint64_t seed, TrialId trial) const {
  return is_particle_          ? draw_particle(seed, trial)
         : is_failure(strike_) ? draw_failure(seed, trial)
                               : draw_uniform(seed, trial);
}

}  // namespace tilestrike::campaigns
