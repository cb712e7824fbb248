// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/cell_population.h"

#include <utility>

#include "base/error.h"
#include "campaigns/plan/binomial.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kMostFaultyCells = 1e6;

}  // namespace

CellPopulation::CellPopulation(const Scenario& scenario, const bridge::StudyFacts& study)
    : MemoryPopulation(scenario, study) {
  const double per_bit = strike().per_bit;
  if (per_bit <= 0.0 && static_cast<std::uint64_t>(strike().count) > members()) {
    fail(ErrorCode::kInvalidInput,
         "strike.count: " + std::to_string(strike().count) + " faults in different cells, of " +
             with_commas(members()) + " cells",
         "scenario", "lower 'count' or widen 'where'");
  }
  if (per_bit <= 0.0) {
    return;
  }
  const double expected = static_cast<double>(members()) * per_bit;
  if (expected > kMostFaultyCells) {
    fail(ErrorCode::kInvalidInput,
         "strike.per_bit: makes " + field_detail::real_text(expected) + " of " +
             with_commas(members()) + " cells faulty in each trial",
         "scenario", "lower it, or narrow 'where'");
  }
  expect(expected, chance_of_any(members(), per_bit));
}

CellFault CellPopulation::cell_at(std::uint64_t index) const {
  for (const Structure& structure : structures()) {
    if (index >= structure.cells) {
      index -= structure.cells;
      continue;
    }
    const sim::ArrayGeometry& array = geometry(*structure.memory);
    CellFault fault;
    fault.memory = *structure.memory;
    const CellChoice choice = strike().where.memory.cells;
    if (choice == CellChoice::kAll) {
      fault.bit = array.bit_at(array.cell_at(index));
      return fault;
    }
    const bool is_data = choice == CellChoice::kData;
    const auto bits =
        static_cast<std::uint64_t>(is_data ? array.config().data_bits : array.config().check_bits);
    const int first = is_data ? 0 : array.config().data_bits;
    fault.bit = {sim::CodewordId(index / bits), first + static_cast<int>(index % bits)};
    return fault;
  }
  TS_CHECK(false, "a cell beyond the structures");
  return {};
}

// The same cell wherever arrays share it.
CellFault CellPopulation::one_cell(const TrialStreams& streams) const {
  RandomStream structure_stream = streams.of(Purpose::kStructure);
  double unit = structure_stream.unit() * static_cast<double>(members());
  auto structure = structures().begin();
  for (; structure + 1 != structures().end() && unit >= static_cast<double>(structure->cells);
       ++structure) {
    unit -= static_cast<double>(structure->cells);
  }
  const sim::ArrayGeometry& array = geometry(*structure->memory);
  CellFault fault;
  fault.memory = *structure->memory;
  fault.bit = array.bit_at(PlaceStreams(streams).cell(array));
  return fault;
}

DrawnTrial CellPopulation::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  RandomStream site_stream = streams.of(Purpose::kSite);
  RandomStream cycle_stream = streams.of(Purpose::kCycle);
  RandomStream kind_stream = streams.of(Purpose::kKind);
  auto count = static_cast<std::uint64_t>(strike().count);
  if (strike().per_bit > 0.0) {
    RandomStream count_stream = streams.of(Purpose::kCount);
    count = binomial_at_least_one(members(), strike().per_bit, count_stream.unit());
  }
  std::vector<CellFault> struck;
  if (count == 1 && strike().where.memory.cells == CellChoice::kAll) {
    struck.push_back(one_cell(streams));
  } else {
    for (const std::uint64_t index : draw_without_replacement(site_stream, members(), count)) {
      struck.push_back(cell_at(index));
    }
  }
  DrawnStrike drawn;
  drawn.weight = weight();
  for (const CellFault& fault : struck) {
    DrawnCell cell;
    cell.fault = fault;
    cell.fault.kind = kinds()[kind_stream.below(kinds().size())];
    cell.acts = kind_stream.below(2) == 0 || cell.fault.kind != FaultKind::kRandom;
    cell.fault.when = times().draw(cycle_stream, streams.image);
    drawn.cells.push_back(cell);
  }
  return trial_of(std::move(drawn));
}

DrawnTrial CellPopulation::member(std::uint64_t index, FaultKind kind, CycleWindow when) const {
  DrawnCell cell;
  cell.fault = cell_at(index);
  cell.fault.kind = kind;
  cell.fault.when = when;
  DrawnStrike drawn;
  drawn.cells = {cell};
  return trial_of(std::move(drawn));
}

}  // namespace tilestrike::campaigns
