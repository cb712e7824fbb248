// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The strike process `low_voltage`: which cells of a chip fail when its supply is lowered
// (docs/strike_processes.md). Every cell of an array has a failure voltage that is drawn once per
// chip, so a cell that fails at one voltage fails at every lower one, too.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/field_table.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/parameter_source.h"

namespace tilestrike::sim {

/// Failure voltages are normal over the cells of all chips. The defaults are assumptions
/// (low_voltage_sources()).
struct LowVoltageConfig {
  double voltage = 0.55;    // supply, V
  double median = 0.437;    // of failure voltages, V
  double sigma = 0.0318;    // of failure voltages, V
  double correlated = 0.1;  // share of failures that come with a weak row or column
  double in_rows = 0.5;     // of these, share that comes with rows
  double density = 0.1;     // share of a weak row's or column's cells that fail with it
  double ones = 0.5;        // share of failing cells that read 1; the others read 0
  friend bool operator==(const LowVoltageConfig&, const LowVoltageConfig&) = default;
};

FieldTable<LowVoltageConfig> low_voltage_fields();

/// Where the defaults come from, for reports; the voltage has none.
std::span<const ParameterSource> low_voltage_sources();

/// Share of all cells, over all chips, that fail at `voltage`; it falls as the voltage rises.
double failing_share(const LowVoltageConfig& config, double voltage);
/// The voltage at which that share fails; share in (0, 1).
double voltage_of_share(const LowVoltageConfig& config, double share);

/// A cell that is stuck at `value` as long as the supply is low.
struct FailingCell {
  CodewordBit bit;
  bool value = false;
  /// The cell fails where more than this share of all cells does, hence its failure voltage:
  /// voltage_of_share(config, share).
  double share = 0.0;
};

/// One array of one chip. Nothing is held of its cells.
class LowVoltageArray {
 public:
  /// Chip `chip` of a campaign's seed; `array` tells its arrays apart. The geometry must outlive
  /// it.
  LowVoltageArray(const ArrayGeometry& geometry, const LowVoltageConfig& config, std::uint64_t seed,
                  std::uint64_t chip, std::uint64_t array);

  /// The cells that fail at `voltage`, sorted by codeword, then bit. Takes time and memory for the
  /// cells that it gives, not for those that there are.
  std::vector<FailingCell> failing(double voltage) const;

 private:
  struct Failure {  // of a cell by its number, by one of the causes
    std::uint64_t index;
    double share;
  };
  enum class Line { kRow, kColumn };
  void add_own(double share, std::vector<Failure>& failures) const;
  void add_lines(Line line, double share, std::vector<Failure>& failures) const;

  const ArrayGeometry* geometry_;
  LowVoltageConfig config_;
  std::uint64_t own_seed_, row_seed_, column_seed_, value_seed_;
};

}  // namespace tilestrike::sim
