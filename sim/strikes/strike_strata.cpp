// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/strike_strata.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "sim/strikes/row_effects.h"

namespace tilestrike::sim {
namespace {

using Share = std::array<std::array<double, kMostEnumeratedCells>, kMostEnumeratedCells>;

Stratum stratum_of_flags(std::uint8_t flags) {
  const bool is_detected = (flags & kDetectedFlag) != 0;
  const bool is_silent = (flags & kSilentFlag) != 0;
  if (is_silent) {
    return is_detected ? Stratum::kBoth : Stratum::kSilent;
  }
  return is_detected ? Stratum::kDetected : Stratum::kRight;
}

/// Flags of rows `from` to `to` (with it) of a shape whose column 0 lies in column `place` of a
/// bank, which may be beyond its edges.
std::uint8_t flags_at(const ShapeRows& shape, int from, int to, int place, int columns,
                      RowEffects& effects) {
  std::uint8_t flags = 0;
  for (auto row = static_cast<std::size_t>(from); row <= static_cast<std::size_t>(to); ++row) {
    int first = place + shape.first[row];
    unsigned mask = shape.masks[row];
    if (first < 0) {
      mask >>= -first;
      first = 0;
    }
    const int room = columns - first;
    if (room <= 0) {
      continue;
    }
    mask &= (1U << std::min(room, kMostEnumeratedCells)) - 1;
    if (mask == 0) {
      continue;
    }
    const int gap = std::countr_zero(mask);
    flags |=
        effects.of(mask >> gap).flags[static_cast<std::size_t>((first + gap) % effects.period())];
  }
  return flags;
}

/// Share of strikes that leave rows `from` to `to` of a shape, by its rows' shares of struck cells.
Share kept_rows(const std::array<double, kMostEnumeratedCells>& struck, int rows,
                const Share& room) {
  Share kept{};
  for (int row = 0; row < rows; ++row) {
    const double share = struck[static_cast<std::size_t>(row)];
    for (int above = 0; share > 0.0 && above < kMostEnumeratedCells; ++above) {
      for (int below = 0; below < kMostEnumeratedCells; ++below) {
        const int from = std::max(0, row - above);
        const int to = std::min(rows - 1, row + below);
        kept[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] +=
            share * room[static_cast<std::size_t>(above)][static_cast<std::size_t>(below)];
      }
    }
  }
  return kept;
}

}  // namespace

std::string_view name_of(Stratum stratum) {
  constexpr std::array<std::string_view, kStrata> kNames = {"right", "detected", "silent", "both",
                                                            "large"};
  return kNames[static_cast<std::size_t>(stratum)];
}

StrikeStrata::StrikeStrata(const ClusterLaw& law, const ArrayGeometry& geometry, int tap_rows,
                           JudgeCodeword judge)
    : geometry_(geometry), judge_(std::move(judge)) {
  const std::shared_ptr<const ClusterClasses> classes = cluster_classes(law);
  const int block = tap_rows > 0 ? tap_rows : geometry.rows();
  for (int row = 0; row < geometry.rows(); ++row) {
    const int first = row / block * block;
    const int end = std::min(geometry.rows(), first + block);
    const auto above = static_cast<std::size_t>(std::min(row - first, kMostEnumeratedCells - 1));
    const auto below = static_cast<std::size_t>(std::min(end - 1 - row, kMostEnumeratedCells - 1));
    room_[above][below] += 1.0 / geometry.rows();
  }
  RowEffects effects({geometry.codeword_bits(), geometry.interleave(), 0}, judge_);
  const std::vector<double>& sizes = classes->sizes();
  for (std::size_t n = 0; n < classes->shapes().size(); ++n) {
    for (const ClusterShape& shape : classes->shapes()[n]) {
      if (sizes[n] > 0.0) {
        add(shape, sizes[n], effects);
      }
    }
  }
  probabilities_[kLargeReach][static_cast<std::size_t>(Stratum::kLarge)] =
      classes->probability(kLargeReach);
}

double StrikeStrata::probability(Stratum stratum) const {
  double sum = 0.0;
  for (int reach = 1; reach <= kLargeReach; ++reach) {
    sum += probability(reach, stratum);
  }
  return sum;
}

void StrikeStrata::add(const ClusterShape& shape, double weight, RowEffects& effects) {
  const ShapeRows rows(shape);
  const int columns = geometry_.columns();
  const int period = effects.period();
  std::array<double, kStrata> sums{};
  const auto for_each_range = [&](const Share& kept, const auto& visit) {
    for (int from = 0; from < rows.rows; ++from) {
      for (int to = from; to < rows.rows; ++to) {
        const double share = kept[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
        if (share > 0.0) {
          visit(from, to, share);
        }
      }
    }
  };
  // Where all of its columns lie within the bank, places repeat with the period.
  const int inside = columns - rows.columns + 1;
  for_each_range(kept_rows(rows.struck, rows.rows, room_), [&](int from, int to, double share) {
    const bool is_quiet = std::all_of(&rows.masks[static_cast<std::size_t>(from)],
                                      &rows.masks[static_cast<std::size_t>(to)] + 1,
                                      [&](unsigned mask) { return effects.of(mask).is_quiet; });
    if (is_quiet) {
      sums[0] += share * std::max(inside, 0);
      return;
    }
    for (int place = 0; place < std::min(inside, period); ++place) {
      const int times = (inside - 1 - place) / period + 1;
      const std::uint8_t flags = flags_at(rows, from, to, place, columns, effects);
      sums[static_cast<std::size_t>(stratum_of_flags(flags))] += share * times;
    }
  });
  // Elsewhere it lies across an edge, with its struck cell within.
  const auto add_across_edge = [&](int place) {
    std::array<double, kMostEnumeratedCells> struck{};
    for (std::size_t i = 0; i < shape.used().size(); ++i) {
      const int column = place + shape.cells[i].column;
      if (0 <= column && column < columns) {
        struck[static_cast<std::size_t>(shape.cells[i].row)] += shape.struck[i];
      }
    }
    for_each_range(kept_rows(struck, rows.rows, room_), [&](int from, int to, double share) {
      const std::uint8_t flags = flags_at(rows, from, to, place, columns, effects);
      sums[static_cast<std::size_t>(stratum_of_flags(flags))] += share;
    });
  };
  for (int place = 1 - rows.columns; place < 0; ++place) {
    add_across_edge(place);
  }
  for (int place = std::max(inside, 0); place < columns; ++place) {
    add_across_edge(place);
  }
  for (std::size_t stratum = 0; stratum < kStrata; ++stratum) {
    probabilities_[static_cast<std::size_t>(reach_of(shape))][stratum] +=
        weight * sums[stratum] / columns;
  }
}

Stratum StrikeStrata::stratum_of(const Upset& upset) const {
  std::array<int, kMostClusterCells> bits;
  std::uint8_t flags = 0;
  for (std::size_t i = 0; i < upset.bits().size();) {
    const CodewordId codeword = upset.bits()[i].codeword;
    std::size_t count = 0;
    for (; i < upset.bits().size() && upset.bits()[i].codeword == codeword; ++i) {
      bits[count++] = upset.bits()[i].bit;
    }
    const ReadResult result = judge_({bits.data(), count});
    flags |= result == ReadResult::kDetected ? kDetectedFlag : 0;
    flags |= result == ReadResult::kSilent ? kSilentFlag : 0;
  }
  return stratum_of_flags(flags);
}

}  // namespace tilestrike::sim
