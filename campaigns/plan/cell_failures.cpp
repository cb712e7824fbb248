// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/cell_failures.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/random.h"

namespace tilestrike::campaigns {
namespace {

FaultKind stuck_at(bool value) { return value ? FaultKind::kStuckAt1 : FaultKind::kStuckAt0; }

}  // namespace

CellFailures fail_at_low_voltage(std::span<const bridge::StudyMemory> memories,
                                 std::span<const std::size_t> selected,
                                 const sim::LowVoltageConfig& config, std::uint64_t seed,
                                 std::uint64_t trial) {
  TS_CHECK(!selected.empty(), "a process needs a memory");
  CellFailures failures;
  failures.memory = selected.front();
  for (const std::size_t memory : selected) {
    const sim::ArrayGeometry geometry(memories[memory].config.array());
    const sim::LowVoltageArray array(geometry, config, seed, trial, memory);
    for (const sim::FailingCell& cell : array.failing(config.voltage)) {
      if (failures.cells++ == 0) {
        failures.memory = memory;
        failures.struck = geometry.cell_of(cell.bit);
      }
      if (cell.bit.codeword.value < memories[memory].used_codewords) {
        failures.faults.push_back({memory, cell.bit, stuck_at(cell.value), CycleWindow{}});
      }
    }
  }
  failures.about = std::to_string(failures.cells) + " cells fail at " +
                   field_detail::real_text(config.voltage) + " V";
  return failures;
}

CellFailures fail_in_dram(std::span<const bridge::StudyMemory> memories,
                          std::span<const std::size_t> selected, const sim::DramConfig& config,
                          const sim::DramEventLaw& law, CycleWindow when, std::uint64_t seed,
                          std::uint64_t trial) {
  TS_CHECK(!selected.empty(), "a process needs a memory");
  CellFailures failures;
  failures.memory = selected[RandomStream(seed, trial, Purpose::kChip).below(selected.size())];
  const bridge::StudyMemory& memory = memories[failures.memory];
  const sim::ArrayGeometry geometry(memory.config.array());
  const sim::DramEvent event = law.draw(geometry, seed, trial);
  const sim::DramUpset upset(event, geometry, config);
  failures.struck = event.struck;
  failures.cells = upset.cells();
  failures.about = std::string(sim::name_of(event.mode)) + " of device " +
                   std::to_string(upset.device()) +
                   (event.is_permanent ? ", permanent" : ", transient");
  std::optional<sim::CodewordId> codeword = upset.next(sim::CodewordId(0));
  while (codeword && codeword->value < memory.used_codewords) {
    const sim::BitString values = event.is_permanent ? upset.values(*codeword) : sim::BitString();
    upset.struck(*codeword).for_each([&](int bit) {
      const FaultKind kind = event.is_permanent ? stuck_at(values.test(bit)) : FaultKind::kFlip;
      failures.faults.push_back({failures.memory, {*codeword, bit}, kind, when});
    });
    codeword = upset.next(sim::CodewordId(codeword->value + 1));
  }
  return failures;
}

}  // namespace tilestrike::campaigns
