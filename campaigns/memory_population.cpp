// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/memory_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <mutex>
#include <set>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/binomial.h"
#include "campaigns/library.h"

namespace tilestrike::campaigns {
namespace {

using sim::Radiation;
using sim::Stratum;

// Of the trials of a divided population: for every structure the same part, and for strikes that
// ECC makes good, which only check that it does.
constexpr double kEqualShare = 0.2;
constexpr double kCheckShare = 0.05;
constexpr double kMostFaultyCells = 1e6;
constexpr double kAlikeDevices = 4.0;  // sizes of DRAM devices that are at most so many times apart

std::size_t number_of(Radiation radiation) { return static_cast<std::size_t>(radiation); }

double& rate_of(sim::EventRates& rates, Radiation radiation) {
  return radiation == Radiation::kNeutron ? rates.neutron
         : radiation == Radiation::kAlpha ? rates.alpha
                                          : rates.thermal;
}

/// Adds `part` of the trials to groups that satisfy `is_meant`, by their rates. Whether any does.
template <class IsMeant>
bool share_by_rate(std::vector<StrikeGroup>& groups, double part, const IsMeant& is_meant) {
  double all = 0.0;
  for (const StrikeGroup& group : groups) {
    all += is_meant(group) ? group.fit : 0.0;
  }
  for (StrikeGroup& group : groups) {
    if (all > 0.0 && is_meant(group)) {
      group.share += part * group.fit / all;
    }
  }
  return all > 0.0;
}

/// What strata depend on.
struct StrataKey {
  sim::ClusterLaw law;
  sim::ArrayConfig array;
  sim::EccKind ecc = sim::EccKind::kNone;
  int tap_rows = 0;
  friend bool operator==(const StrataKey&, const StrataKey&) = default;
};

/// Enumerating them takes a good part of a second: the last ones are kept, for the next point of a
/// sweep and the next trial that is replayed.
std::shared_ptr<const sim::StrikeStrata> strata_of(const StrataKey& key) {
  constexpr std::size_t kMostKept = 12;
  static std::mutex mutex;
  static std::deque<std::pair<StrataKey, std::shared_ptr<const sim::StrikeStrata>>> kept;
  const std::lock_guard lock(mutex);
  for (const auto& [known, strata] : kept) {
    if (known == key) {
      return strata;
    }
  }
  const sim::EccCode& code = sim::EccCode::make(key.ecc, key.array.data_bits);
  kept.emplace_back(
      key, std::make_shared<const sim::StrikeStrata>(key.law, sim::ArrayGeometry(key.array),
                                                     key.tap_rows, sim::judge_by(code)));
  if (kept.size() > kMostKept) {
    kept.pop_front();
  }
  return kept.back().second;
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
        cycle(seed, trial.value, Purpose::kCycle),
        cluster(seed, trial.value, Purpose::kCluster) {}
  RandomStream structure, site, cycle, cluster;
};

std::string StrikeGroup::key() const {
  return std::to_string(structure) + " " + std::string(name_of(radiation)) + " " +
         (stratum ? std::string(sim::name_of(*stratum)) : "");
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
    structures_.push_back({name,
                           memory,
                           choice == CellChoice::kAll    ? geometry.cells()
                           : choice == CellChoice::kData ? geometry.data_cells()
                                                         : geometry.check_cells(),
                           {}});
  }
  if (strike_.where.has_mesh) {
    structures_.push_back({std::string(kMeshStructure), std::nullopt, mesh_sites, {}});
  }
  for (const Structure& structure : structures_) {
    cells_ += structure.cells;
  }
  if (is_particle_) {
    add_rates(scenario);
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
  const sim::EventRates of_cells = sim::memory_rates(node_, particle_.altitude);
  const sim::EventRates of_flip_flops = sim::flip_flop_rates(node_, particle_.altitude);
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

void MemoryPopulation::add_groups() {
  const double voltage = particle_.voltage > 0.0 ? particle_.voltage : node_.vdd.value;
  const int tap_rows = static_cast<int>(node_.tap_rows.value);
  const bool has_ecc = std::ranges::any_of(structures_, [&](const Structure& structure) {
    return structure.memory && codes_[*structure.memory] != sim::EccKind::kNone;
  });
  is_stratified_ = particle_.strata == StrataChoice::kOn ||
                   (particle_.strata == StrataChoice::kAuto && has_ecc && particle_.fluence <= 0.0);
  for (const Radiation radiation : kRadiations) {
    samplers_[number_of(radiation)] = std::make_unique<sim::ClusterSampler>(
        sim::cluster_law(node_, radiation, voltage, particle_.heavy_tail));
  }
  for (std::size_t i = 0; i < structures_.size(); ++i) {
    const Structure& structure = structures_[i];
    for (const Radiation radiation : kRadiations) {
      const double fit = structure.fit.of(radiation);
      if (fit <= 0.0) {
        continue;
      }
      StrikeGroup group{i, radiation, std::nullopt, fit};
      const bool is_bare = structure.memory && codes_[*structure.memory] == sim::EccKind::kNone;
      group.can_be_due = !is_bare;  // nothing is detected without check bits
      if (!is_stratified_ || !structure.memory || is_bare) {
        groups_.push_back(group);
        strata_.push_back(nullptr);
        continue;
      }
      const sim::ArrayGeometry& geometry = geometries_[*structure.memory];
      const auto strata =
          strata_of({sim::cluster_law(node_, radiation, voltage, particle_.heavy_tail),
                     geometry.config(), codes_[*structure.memory], tap_rows});
      for (std::size_t s = 0; s < sim::kStrata; ++s) {
        const auto stratum = static_cast<Stratum>(s);
        group.stratum = stratum;
        group.fit = fit * strata->probability(stratum);
        group.can_be_silent = stratum != Stratum::kRight && stratum != Stratum::kDetected;
        group.can_be_due = stratum != Stratum::kRight && stratum != Stratum::kSilent;
        if (group.fit > 0.0) {
          groups_.push_back(group);
          strata_.push_back(strata);
        }
      }
    }
  }
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

/// Each outcome, silent and due, gets half of the trials; within it they go by rate, which is best
/// where nothing is known of what the network makes of them. All of it is fixed before the first
/// trial.
void MemoryPopulation::share_trials() {
  if (!is_stratified_) {
    double sum = 0.0;
    for (StrikeGroup& group : groups_) {
      sum += group.fit;
      groups_up_to_.push_back(sum);
      group.share = group.fit / fit_;
    }
    return;
  }
  std::vector<Enumerated> of_structures(structures_.size());
  for (const StrikeGroup& group : groups_) {
    of_structures[group.structure].silent += group.can_be_silent ? group.fit : 0.0;
    of_structures[group.structure].due += group.can_be_due ? group.fit : 0.0;
  }
  for (StrikeGroup& group : groups_) {
    const Enumerated& all = of_structures[group.structure];
    group.is_silent_sampled = group.can_be_silent && all.silent >= kLeastSampledFit;
    group.is_due_sampled = group.can_be_due && all.due >= kLeastSampledFit;
  }
  const auto may_be_silent = [](const StrikeGroup& group) { return group.is_silent_sampled; };
  const auto may_be_due = [](const StrikeGroup& group) { return group.is_due_sampled; };
  std::set<std::size_t> open;  // structures of which something is sampled
  for (const StrikeGroup& group : groups_) {
    if (may_be_silent(group) || may_be_due(group)) {
      open.insert(group.structure);
    }
  }
  share_by_rate(groups_, 1.0 - kEqualShare, may_be_silent);
  share_by_rate(groups_, 1.0 - kEqualShare, may_be_due);
  for (const std::size_t structure : open) {
    const double part = kEqualShare / static_cast<double>(open.size());
    share_by_rate(groups_, part, [&](const StrikeGroup& group) {
      return group.structure == structure && may_be_silent(group);
    });
    share_by_rate(groups_, part, [&](const StrikeGroup& group) {
      return group.structure == structure && may_be_due(group);
    });
  }
  double sampled = 0.0;
  for (const StrikeGroup& group : groups_) {
    sampled += group.share;
  }
  const auto is_harmless = [](const StrikeGroup& group) {
    return !group.can_be_silent && !group.can_be_due;
  };
  const double checked = sampled > 0.0 ? kCheckShare / (1.0 - kCheckShare) * sampled : 1.0;
  if (!share_by_rate(groups_, checked, is_harmless) && sampled == 0.0) {
    share_by_rate(groups_, 1.0, [](const StrikeGroup&) { return true; });
  }
  double all = 0.0;
  for (const StrikeGroup& group : groups_) {
    all += group.share;
  }
  double sum = 0.0;
  for (StrikeGroup& group : groups_) {
    group.share /= all;
    group.weight = group.share > 0.0 ? group.fit / fit_ / group.share : 0.0;
    sum += group.share;
    groups_up_to_.push_back(sum);
  }
}

std::size_t MemoryPopulation::group_of(TrialId trial) const {
  TS_CHECK(is_stratified_, "a population that is divided");
  // The multiples of the golden ratio modulo 1: of n trials in a row each group gets its share of
  // n, to within a few, whatever n is.
  const std::uint64_t turn = (trial.value + 1) * 0x9E3779B97F4A7C15ULL;
  const double unit = static_cast<double>(turn >> 11) * 0x1.0p-53 * groups_up_to_.back();
  const auto found = std::upper_bound(groups_up_to_.begin(), groups_up_to_.end(), unit);
  std::size_t group =
      std::min(static_cast<std::size_t>(found - groups_up_to_.begin()), groups_.size() - 1);
  while (groups_[group].share == 0.0) {
    --group;  // by rounding, at the very end
  }
  return group;
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

bridge::CellFault MemoryPopulation::cell_fault(std::uint64_t index) const {
  for (const Structure& structure : structures_) {
    if (index >= structure.cells) {
      index -= structure.cells;
      continue;
    }
    const sim::ArrayGeometry& geometry = geometries_[*structure.memory];
    bridge::CellFault fault;
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
    const bridge::CellFault& fault = drawn.cells[i].fault;
    const bool is_new = i == 0 || drawn.cells[i - 1].fault.memory != fault.memory ||
                        drawn.cells[i - 1].fault.bit.codeword != fault.bit.codeword;
    drawn.codewords += is_new ? 1 : 0;
  }
}

void MemoryPopulation::draw_event(std::size_t number, Streams& streams, DrawnStrike& drawn) const {
  const StrikeGroup& group = groups_[number];
  const Structure& structure = structures_[group.structure];
  const auto cycle = static_cast<Cycle>(streams.cycle.below(static_cast<std::uint64_t>(cycles_)));
  const bool is_first = !drawn.group.has_value();
  sim::Cell struck;
  if (!structure.memory) {
    drawn.site = streams.site.below(structure.cells);
  } else {
    const sim::ArrayGeometry& geometry = geometries_[*structure.memory];
    sim::Upset upset;
    if (strata_[number]) {
      strata_[number]->draw(*group.stratum, streams.cluster, struck, upset);
    } else {
      sim::Cluster cluster;
      samplers_[number_of(group.radiation)]->draw(streams.cluster, cluster);
      struck = geometry.cell_at(streams.site.below(geometry.cells()));
      sim::place_cluster(cluster, struck, geometry, static_cast<int>(node_.tap_rows.value), upset);
    }
    for (const sim::CodewordBit& bit : upset.bits()) {
      drawn.cells.push_back({{*structure.memory, bit, FaultKind::kFlip, {cycle, cycle + 1}}, true});
    }
  }
  if (is_first) {
    drawn.group = number;
    drawn.structure = group.structure;
    drawn.radiation = group.radiation;
    drawn.weight = group.weight;
    drawn.struck = struck;
    drawn.cycle = cycle;
  }
}

DrawnStrike MemoryPopulation::draw_particle(std::uint64_t seed, TrialId trial) const {
  Streams streams(seed, trial);
  DrawnStrike drawn;
  if (is_stratified_) {
    draw_event(group_of(trial), streams, drawn);
    finish(drawn);
    return drawn;
  }
  if (particle_.fluence > 0.0) {
    RandomStream count(seed, trial.value, Purpose::kCount);
    drawn.events = static_cast<std::int64_t>(poisson_at_least_one(expected_, count.unit()));
  }
  for (std::int64_t event = 0; event < drawn.events; ++event) {
    const double unit = streams.structure.unit() * groups_up_to_.back();
    const auto found = std::upper_bound(groups_up_to_.begin(), groups_up_to_.end(), unit);
    draw_event(
        std::min(static_cast<std::size_t>(found - groups_up_to_.begin()), groups_.size() - 1),
        streams, drawn);
  }
  drawn.weight = weight_;
  finish(drawn);
  return drawn;
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
  for (const std::uint64_t index : draw_without_replacement(site, cells_, count)) {
    DrawnCell cell;
    cell.fault = cell_fault(index);
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
  const bridge::CellFault& first = drawn.cells.front().fault;
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
  for (const bridge::CellFault& fault : failures.faults) {
    drawn.cells.push_back({fault, true});
  }
  finish(drawn);
  drawn.struck = failures.struck;
  drawn.about = failures.about;
  drawn.failing = failures.cells;
  drawn.cycle = when.from;
  drawn.first =
      bridge::CellFault{failures.memory, geometries_[failures.memory].bit_at(failures.struck),
                        is_persistent_ ? FaultKind::kStuckAt0 : FaultKind::kFlip, when};
  for (const bridge::CellFault& fault : failures.faults) {
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
