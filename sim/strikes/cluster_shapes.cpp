// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/cluster_shapes.h"

#include <algorithm>
#include <unordered_map>

#include "sim/strikes/row_effects.h"

namespace tilestrike::sim {
namespace {

/// A shape's cells in order, a byte each.
using ShapeKey = unsigned __int128;

struct ShapeKeyHash {
  std::size_t operator()(ShapeKey key) const {
    const auto low = static_cast<std::uint64_t>(key);
    const auto high = static_cast<std::uint64_t>(key >> 64);
    std::uint64_t mixed = (low ^ (high * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL;
    mixed ^= mixed >> 32;
    return static_cast<std::size_t>(mixed * 0xD6E8FEB86659FD93ULL);
  }
};

ShapeKey key_of(const ClusterShape& shape) {
  ShapeKey key = 0;
  for (const ClusterCell cell : shape.used()) {
    key = key << 8 | static_cast<unsigned>(cell.row << 4 | cell.column);
  }
  return key;
}

/// `shape` with one cell more, next to one of it.
ClusterShape grown(const ClusterShape& shape, ClusterCell cell) {
  ClusterShape larger;
  const auto down = static_cast<std::int16_t>(cell.row < 0 ? 1 : 0);
  const auto right = static_cast<std::int16_t>(cell.column < 0 ? 1 : 0);
  bool is_in = false;
  const auto add = [&](ClusterCell old, double struck) {
    const auto at = static_cast<std::size_t>(larger.size++);
    larger.cells[at] = {static_cast<std::int16_t>(old.row + down),
                        static_cast<std::int16_t>(old.column + right)};
    larger.struck[at] = struck;
  };
  for (std::size_t i = 0; i < shape.used().size(); ++i) {
    if (!is_in && cell < shape.cells[i]) {
      add(cell, 0.0);
      is_in = true;
    }
    add(shape.cells[i], shape.struck[i]);
  }
  if (!is_in) {
    add(cell, 0.0);
  }
  return larger;
}

struct Step {
  ClusterCell cell;
  double weight;
};

/// The cells onto which a shape may grow, each once, with the weights of the steps there.
std::vector<Step> steps_of(const ClusterShape& shape, double word_line_share) {
  std::vector<Step> steps;
  for (const ClusterCell from : shape.used()) {
    for (const auto& [rows, columns] : {std::pair{0, 1}, {0, -1}, {1, 0}, {-1, 0}}) {
      const double weight = rows == 0 ? word_line_share : 1.0 - word_line_share;
      const ClusterCell cell{static_cast<std::int16_t>(from.row + rows),
                             static_cast<std::int16_t>(from.column + columns)};
      const auto used = shape.used();
      if (weight == 0.0 || std::find(used.begin(), used.end(), cell) != used.end()) {
        continue;
      }
      const auto known = std::find_if(steps.begin(), steps.end(),
                                      [&](const Step& step) { return step.cell == cell; });
      if (known == steps.end()) {
        steps.push_back({cell, weight});
      } else {
        known->weight += weight;
      }
    }
  }
  return steps;
}

/// Adds the part of the shape that rows `from` to `to` (with it) are, which has this weight.
void add_rows(const ShapeRows& shape, int from, int to, double weight, RowEffects& effects,
              EventProbabilities& sums) {
  int cells = 0;
  std::array<const std::uint8_t*, kMostEnumeratedCells> loud{};
  std::array<int, kMostEnumeratedCells> first{};
  std::size_t louds = 0;
  for (auto row = static_cast<std::size_t>(from); row <= static_cast<std::size_t>(to); ++row) {
    cells += shape.cells[row];
    const MaskEffects& mask = effects.of(shape.masks[row]);
    if (!mask.is_quiet) {
      loud[louds] = mask.flags.data();
      first[louds++] = shape.first[row];
    }
  }
  sums.several_cells += cells >= 2 ? weight : 0.0;
  if (louds == 0) {
    return;
  }
  std::array<int, 4> counts{};
  int silent_only = 0;
  const int period = effects.period();
  for (int place = 0; place < period; ++place) {
    std::uint8_t flags = 0;
    for (std::size_t i = 0; i < louds; ++i) {
      flags |= loud[i][(place + first[i]) % period];
    }
    for (std::size_t flag = 0; flag < counts.size(); ++flag) {
      counts[flag] += flags >> flag & 1;
    }
    silent_only += (flags & (kDetectedFlag | kSilentFlag)) == kSilentFlag ? 1 : 0;
  }
  const double each = weight / period;
  sums.several_bits += each * counts[0];
  sums.three_bits += each * counts[1];
  sums.detected += each * counts[2];
  sums.silent += each * counts[3];
  sums.silent_only += each * silent_only;
}

void add_shape(const ClusterShape& shape, double weight, int tap_rows, RowEffects& effects,
               EventProbabilities& sums) {
  const ShapeRows rows(shape);
  // The struck cell's codeword lies in its row, which no well tap cuts.
  for (std::size_t i = 0; i < shape.used().size(); ++i) {
    const ClusterCell cell = shape.cells[i];
    const auto row = static_cast<std::size_t>(cell.row);
    const MaskEffects& mask = effects.of(rows.masks[row]);
    const auto column = static_cast<std::size_t>(cell.column - rows.first[row]);
    sums.detected_in_struck += weight * shape.struck[i] * mask.detected_share[column];
    sums.silent_in_struck += weight * shape.struck[i] * mask.silent_share[column];
  }
  if (tap_rows == 0) {
    add_rows(rows, 0, rows.rows - 1, weight * shape.probability(), effects, sums);
    return;
  }
  // Which rows are left, by the struck cell's row and its place between two taps.
  std::array<std::array<double, kMostEnumeratedCells>, kMostEnumeratedCells> left{};
  for (int struck = 0; struck < rows.rows; ++struck) {
    for (int place = 0; place < tap_rows; ++place) {
      const int from = std::max(0, struck - place);
      const int to = std::min(rows.rows - 1, struck + tap_rows - 1 - place);
      left[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)] +=
          rows.struck[static_cast<std::size_t>(struck)] / tap_rows;
    }
  }
  for (int from = 0; from < rows.rows; ++from) {
    for (int to = from; to < rows.rows; ++to) {
      const double share = left[static_cast<std::size_t>(from)][static_cast<std::size_t>(to)];
      if (share > 0.0) {
        add_rows(rows, from, to, weight * share, effects, sums);
      }
    }
  }
}

}  // namespace

double ClusterShape::probability() const {
  double sum = 0.0;
  for (std::size_t i = 0; i < used().size(); ++i) {
    sum += struck[i];
  }
  return sum;
}

std::vector<std::vector<ClusterShape>> enumerate_shapes(double word_line_share, int most) {
  TS_CHECK(1 <= most && most <= kMostEnumeratedCells, "so many cells are not enumerated");
  std::vector<std::vector<ClusterShape>> shapes(1);
  shapes[0].emplace_back();
  shapes[0][0].size = 1;
  shapes[0][0].struck[0] = 1.0;
  while (static_cast<int>(shapes.size()) < most) {
    std::vector<ClusterShape> larger;
    std::unordered_map<ShapeKey, std::size_t, ShapeKeyHash> index;
    for (const ClusterShape& shape : shapes.back()) {
      const std::vector<Step> steps = steps_of(shape, word_line_share);
      double sum = 0.0;
      for (const Step& step : steps) {
        sum += step.weight;
      }
      for (const Step& step : steps) {
        const ClusterShape next = grown(shape, step.cell);
        const auto [known, is_new] = index.emplace(key_of(next), larger.size());
        if (is_new) {
          larger.push_back(next);
          larger.back().struck.fill(0.0);
        }
        ClusterShape& sums = larger[known->second];
        for (std::size_t i = 0; i < next.used().size(); ++i) {
          sums.struck[i] += next.struck[i] * step.weight / sum;
        }
      }
    }
    shapes.push_back(std::move(larger));
  }
  return shapes;
}

JudgeCodeword judge_by(const EccCode& code) {
  return [&code](std::span<const int> bits) {
    const ErrorEffect effect = code.decode_error(bits);
    if (effect.status == EccStatus::kDetected) {
      return ReadResult::kDetected;
    }
    return effect.data_error.any() ? ReadResult::kSilent : ReadResult::kRight;
  };
}

EventProbabilities enumerate_events(const ClusterLaw& law, const CodewordLayout& layout,
                                    const JudgeCodeword& judge) {
  const std::vector<double> sizes = size_probabilities(law);
  const int most = std::min(static_cast<int>(sizes.size()), kMostEnumeratedCells);
  const auto shapes = enumerate_shapes(law.word_line_share, most);
  RowEffects effects(layout, judge);
  EventProbabilities sums;
  for (std::size_t n = 0; n < sizes.size(); ++n) {
    if (n >= shapes.size()) {
      sums.not_enumerated += sizes[n];
    } else if (sizes[n] > 0.0) {
      for (const ClusterShape& shape : shapes[n]) {
        add_shape(shape, sizes[n], layout.tap_rows, effects, sums);
      }
    }
  }
  return sums;
}

}  // namespace tilestrike::sim
