// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/cluster.h"

#include <algorithm>
#include <cmath>

namespace tilestrike::sim {
namespace {

constexpr double kWhole = 2147483648.0;  // 2^31

bool is_member(std::span<const ClusterCell> cells, ClusterCell candidate) {
  return std::find(cells.begin(), cells.end(), candidate) != cells.end();
}

}  // namespace

double multi_cell_share_at(const TechnologyNode& node, double voltage) {
  const double share = node.multi_cell_share.value;
  if (share <= 0.0 || share >= 1.0) {
    return share;
  }
  const double logit = std::log(share / (1.0 - share)) +
                       node.share_logit_per_volt.value * (node.vdd.value - voltage);
  return 1.0 / (1.0 + std::exp(-logit));
}

ClusterLaw cluster_law(const TechnologyNode& node, Radiation radiation) {
  return cluster_law(node, radiation, node.vdd.value);
}

ClusterLaw cluster_law(const TechnologyNode& node, Radiation radiation, double voltage,
                       double heavy_tail) {
  ClusterLaw law;
  const bool is_neutron = radiation == Radiation::kNeutron;
  law.multi_cell_share =
      is_neutron ? multi_cell_share_at(node, voltage) : node.alpha_multi_cell_share.value;
  law.tail_ratio = node.tail_ratio.value;
  law.most_cells = static_cast<int>(node.most_cells.value);
  law.word_line_share = node.word_line_share.value;
  law.heavy_tail = is_neutron ? heavy_tail : 0.0;
  return law;
}

std::vector<double> size_probabilities(const ClusterLaw& law) {
  TS_CHECK(law.most_cells >= 1 && law.most_cells <= kMostClusterCells &&
               (law.most_cells >= 2 || law.multi_cell_share == 0.0),
           "a law of multiplicity whose largest cluster fits");
  const auto most = static_cast<std::size_t>(law.most_cells);
  std::vector<double> probabilities(most, 0.0);
  double sum = 0.0;
  double weight = 1.0;
  for (std::size_t m = 2; m <= most; ++m) {
    probabilities[m - 1] = weight;
    sum += weight;
    weight *= law.tail_ratio;
  }
  const double usual = 1.0 - law.heavy_tail;
  probabilities[0] = usual * (1.0 - law.multi_cell_share);
  for (std::size_t m = 2; m <= most; ++m) {
    probabilities[m - 1] *= usual * law.multi_cell_share / sum;
  }
  if (law.heavy_tail > 0.0 && law.most_cells < kMostClusterCells) {
    double tail = 0.0;
    for (int m = law.most_cells + 1; m <= kMostClusterCells; ++m) {
      tail += 1.0 / m;
    }
    for (int m = law.most_cells + 1; m <= kMostClusterCells; ++m) {
      probabilities.push_back(law.heavy_tail / (m * tail));
    }
  }
  return probabilities;
}

void Cluster::set(std::span<const ClusterCell> cells, std::size_t struck) {
  TS_CHECK(struck < cells.size() && cells.size() <= cells_.size(), "a cluster that fits");
  const ClusterCell origin = cells[struck];
  size_ = 0;
  const auto add = [&](ClusterCell cell) {
    cells_[static_cast<std::size_t>(size_++)] = {
        static_cast<std::int16_t>(cell.row - origin.row),
        static_cast<std::int16_t>(cell.column - origin.column)};
  };
  add(origin);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (i != struck) {
      add(cells[i]);
    }
  }
}

ClusterSampler::ClusterSampler(const ClusterLaw& law)
    : word_line_share_(static_cast<std::uint64_t>(std::llround(law.word_line_share * kWhole))) {
  double sum = 0.0;
  for (const double probability : size_probabilities(law)) {
    sum += probability;
    up_to_.push_back(sum);
  }
  // Nothing is left beyond the largest size that has a probability.
  const auto last = std::find_if(up_to_.begin(), up_to_.end(),
                                 [&](double below) { return below >= up_to_.back(); });
  up_to_.erase(last + 1, up_to_.end());
  up_to_.back() = 1.0;
}

int ClusterSampler::draw_size(RandomStream& random) const {
  const double unit = random.unit();
  int size = 1;
  while (unit >= up_to_[static_cast<std::size_t>(size - 1)]) {
    ++size;
  }
  return size;
}

void ClusterSampler::grow(int size, RandomStream& random, Cluster& cluster) const {
  cluster.cells_[0] = {0, 0};
  cluster.size_ = 1;
  while (cluster.size_ < size) {
    const std::uint64_t drawn = random.next();
    // Half of the drawn bits choose the member (so many cannot tell 2^-32 from even), one the
    // sense of the step, the others its direction.
    const auto from =
        static_cast<std::size_t>(((drawn >> 32) * static_cast<std::uint64_t>(cluster.size_)) >> 32);
    const auto step = static_cast<std::int16_t>((drawn & 1) != 0 ? 1 : -1);
    const bool is_along_word_line = ((drawn & 0xFFFFFFFFULL) >> 1) < word_line_share_;
    ClusterCell cell = cluster.cells_[from];
    (is_along_word_line ? cell.column : cell.row) += step;
    if (!is_member(cluster.cells(), cell)) {
      cluster.cells_[static_cast<std::size_t>(cluster.size_++)] = cell;
    }
  }
}

void place_cluster(const Cluster& cluster, const Cell& struck, const ArrayGeometry& geometry,
                   int tap_rows, Upset& upset) {
  const auto add = [&](const Cell& cell) {
    const auto at = static_cast<std::size_t>(upset.size_++);
    upset.cells_[at] = cell;
    upset.bits_[at] = geometry.bit_at(cell);
  };
  upset.size_ = 0;
  if (cluster.size() == 1) {  // nothing to cut off
    add(struck);
    return;
  }
  int first_row = 0;
  int end_row = geometry.rows();
  if (tap_rows > 0) {
    first_row = struck.row / tap_rows * tap_rows;
    end_row = std::min(end_row, first_row + tap_rows);
  }
  for (const ClusterCell offset : cluster.cells()) {
    const Cell cell{struck.bank, struck.row + offset.row, struck.column + offset.column};
    if (first_row <= cell.row && cell.row < end_row && 0 <= cell.column &&
        cell.column < geometry.columns()) {
      add(cell);
    }
  }
}

void sort_by_codeword(Upset& upset) {
  const auto size = static_cast<std::size_t>(upset.size_);
  for (std::size_t i = 1; i < size; ++i) {  // by insertion: nearly all have a few cells
    const CodewordBit bit = upset.bits_[i];
    const Cell cell = upset.cells_[i];
    std::size_t at = i;
    for (; at > 0 && bit < upset.bits_[at - 1]; --at) {
      upset.bits_[at] = upset.bits_[at - 1];
      upset.cells_[at] = upset.cells_[at - 1];
    }
    upset.bits_[at] = bit;
    upset.cells_[at] = cell;
  }
}

double stored_value_weight(double zero_to_one, bool value) {
  return 2.0 * (value ? 1.0 : zero_to_one) / (1.0 + zero_to_one);
}

}  // namespace tilestrike::sim
