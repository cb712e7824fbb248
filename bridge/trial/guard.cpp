// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/guard.h"

#include <fmt/format.h>

#include <map>

#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {

std::unique_ptr<Guard> Guard::make(GuardKind kind) {
  switch (kind) {
    case GuardKind::kNone:
      return nullptr;
    case GuardKind::kColumnSums:
      return std::make_unique<ColumnSums>();
  }
  return nullptr;
}

std::string ColumnSums::find(const GemmShape& layer,
                             std::span<const AccumulatorDelta> changes) const {
  std::map<std::pair<std::int64_t, std::int64_t>, std::int32_t> sums;  // by group and column
  for (const AccumulatorDelta& change : changes) {
    const GemmShape::OutputPlace place = layer.output_place(change.index);
    std::int32_t& sum = sums[{place.group, place.column}];
    sum = sim::wrapped(std::int64_t{sum} + change.delta);
  }
  for (const auto& [column, sum] : sums) {
    if (sum != 0) {
      return fmt::format("the sum of column {} of group {} is off by {}", column.second,
                         column.first, sum);
    }
  }
  return "";
}

}  // namespace tilestrike::bridge
