// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/foreign_mesh.h"

#include <algorithm>

namespace tilestrike::rtl {

PassStreams::PassStreams(const sim::MeshRun& run, const sim::Operands& operands, int first_pass,
                         int passes)
    : config_(run.config()) {
  const auto rows = static_cast<std::size_t>(config_.rows);
  const auto columns = static_cast<std::size_t>(config_.columns);
  for (int pass = first_pass; pass < first_pass + passes; ++pass) {
    const sim::PassShape& shape = run.passes()[static_cast<std::size_t>(pass)];
    shapes_.push_back(shape);
    steps_.push_back(run.steps(pass));
    Pass& data = data_.emplace_back();
    // Whole tiles, so that the rows and columns of the mesh beyond the pass's are 0.
    data.activations.resize(static_cast<std::size_t>(run.steps(pass)) * rows);
    data.weights.resize(std::max(static_cast<std::size_t>(shape.depth), rows) * columns);
    data.accumulators.resize(std::max(static_cast<std::size_t>(shape.rows), rows) * columns);
    operands.activations(pass, 0, run.steps(pass), data.activations.data());
    operands.weights(pass, 0, shape.depth, data.weights.data());
    operands.accumulators(pass, 0, shape.rows, data.accumulators.data());
  }
}

std::span<const std::int8_t> PassStreams::activations(int pass, int step) const {
  const auto rows = static_cast<std::size_t>(config_.rows);
  return std::span(data_[static_cast<std::size_t>(pass)].activations)
      .subspan(static_cast<std::size_t>(step) * rows, rows);
}

std::span<const std::int8_t> PassStreams::weights(int pass, int row) const {
  const auto columns = static_cast<std::size_t>(config_.columns);
  return std::span(data_[static_cast<std::size_t>(pass)].weights)
      .subspan(static_cast<std::size_t>(row) * columns, columns);
}

std::span<const std::int32_t> PassStreams::accumulators(int pass, int row) const {
  const auto columns = static_cast<std::size_t>(config_.columns);
  return std::span(data_[static_cast<std::size_t>(pass)].accumulators)
      .subspan(static_cast<std::size_t>(row) * columns, columns);
}

void ForeignMesh::arm(std::span<const ForeignPlace> places) {
  strikes_.clear();
  for (const ForeignPlace& place : places) {
    strikes_.push_back({place, 0, 0, false});
  }
}

void ForeignMesh::clock() {
  if (edge_ >= most_edges_) {
    throw Hung{};
  }
  clock_edge();
  ++edge_;
  bool is_struck = false;
  for (Strike& strike : strikes_) {
    const ForeignPlace& place = strike.place;
    if (place.edge != edge_) {
      continue;
    }
    strike.before = bits_of(place.storage, place.first_bit, place.word_bits);
    flip_bit(place.storage, place.bit);
    strike.after = bits_of(place.storage, place.first_bit, place.word_bits);
    strike.has_acted = is_struck = true;
  }
  if (is_struck) {
    settle();
  }
}

}  // namespace tilestrike::rtl
