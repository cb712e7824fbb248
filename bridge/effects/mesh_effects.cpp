// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/mesh_effects.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/error.h"
#include "bridge/exposure/mesh_reads.h"
#include "bridge/exposure/pass_result.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {
namespace {

std::int32_t as_int8(std::uint64_t raw) { return static_cast<std::int8_t>(raw & 0xFF); }

}  // namespace

MeshEffects::MeshEffects(const Residency& residency, const BoundLayer& layer,
                         const LayerReads& reads)
    : residency_(residency),
      layer_(layer),
      reads_(reads),
      scheduled_(residency.schedule().layers()[layer.layer()]) {
  TS_CHECK(sim::arithmetic_of(residency.placement().accelerator().mesh).is_linear_in_operands,
           "sums in which an error is added to what is right");
  has_wrong_weights_ = std::ranges::any_of(
      reads.elements(), [](const CopiedElement& copied) { return copied.operand == 1; });
}

std::int32_t MeshEffects::weight_read(const Tile& tile, int pass, std::int64_t depth,
                                      std::int64_t column) const {
  const std::int32_t weight = layer_.operands().weight(tile.group, depth, column);
  if (!has_wrong_weights_) {
    return weight;
  }
  const std::int64_t copy = residency_.memory().tile_of_pass(layer_.layer(), layer_.tiling(), pass);
  const Cycle cycle =
      MemorySchedule::weight_read(*scheduled_.run, scheduled_.start, pass, depth - tile.depth);
  return as_int8(reads_.value({1, copy, weight_element(tile.group, depth, column)},
                              static_cast<std::uint8_t>(weight), 1, cycle));
}

std::vector<sim::OutputChange> MeshEffects::of_operands(bool& is_read_wrong) const {
  std::map<std::tuple<std::int32_t, std::int32_t, std::int32_t>, std::int32_t> sums;
  const auto add = [&](int pass, std::int64_t row, std::int64_t column, std::int32_t delta) {
    std::int32_t& sum =
        sums[{pass, static_cast<std::int32_t>(row), static_cast<std::int32_t>(column)}];
    sum = sim::wrapped(std::int64_t{sum} + delta);
  };
  const Tiling& tiling = layer_.tiling();
  const GemmShape& gemm = tiling.gemm();
  const MeshReads reads(residency_.schedule(), layer_.layer());
  const auto* input = layer_.input();
  for (const CopiedElement& copied : reads_.elements()) {
    const bool is_activation = copied.operand == 0;
    const std::int64_t depth = copied.element % gemm.depth;
    const std::int64_t column = copied.element / gemm.depth % gemm.columns;
    const std::int64_t group = copied.element / gemm.depth / gemm.columns;
    const std::int32_t held = is_activation ? std::int32_t{input[copied.element]}
                                            : layer_.operands().weight(group, depth, column);
    const auto met = [&](const MeshRead& read) {
      const std::int32_t off =
          as_int8(reads_.value(copied, static_cast<std::uint8_t>(held), 1, read.cycle)) - held;
      if (off == 0) {
        return;
      }
      is_read_wrong = true;
      const Tile tile = tiling.tile(read.pass);
      for (std::int64_t n = 0; is_activation && n < tile.shape.columns; ++n) {
        add(read.pass, read.row - tile.row, n,
            off * weight_read(tile, read.pass, read.depth, tile.column + n));
      }
      for (std::int64_t m = 0; !is_activation && m < tile.shape.rows; ++m) {
        add(read.pass, m, column - tile.column,
            off * layer_.operands().activation(group, tile.row + m, depth));
      }
    };
    reads.of(copied, met);
  }
  std::vector<sim::OutputChange> changes;
  for (const auto& [place, delta] : sums) {
    if (delta != 0) {
      changes.push_back({std::get<0>(place), std::get<1>(place), std::get<2>(place), 0, delta});
    }
  }
  return changes;
}

std::int32_t MeshEffects::sum_of_pass(int pass, std::int64_t row, std::int64_t column,
                                      std::span<const sim::OutputChange> of_passes) const {
  std::int64_t sum = result_of_pass(layer_, pass, row, column);
  const sim::OutputChange wanted{pass, static_cast<std::int32_t>(row),
                                 static_cast<std::int32_t>(column)};
  const auto found =
      std::ranges::lower_bound(of_passes, wanted.place(), {}, &sim::OutputChange::place);
  if (found != of_passes.end() && found->place() == wanted.place()) {
    sum += found->delta();
  }
  return sim::wrapped(sum);
}

MeshEffects::Sums MeshEffects::of_sums(const Occupant& occupant, CodewordInTime& word,
                                       std::span<const sim::OutputChange> of_passes,
                                       std::span<const std::int32_t> clean, OnDue on_due,
                                       std::vector<AccumulatorDelta>& deltas) const {
  const Tiling& tiling = layer_.tiling();
  const sim::PeArithmetic arithmetic =
      sim::arithmetic_of(residency_.placement().accelerator().mesh);
  const auto [row, first_column, lanes, first_pass] = residency_.sums().word(occupant);
  const Tile tile = tiling.tile(first_pass);
  Sums result;
  const auto met = [&](sim::CodewordRead& read) {
    result.findings.add(read.status);
    if (read.status == sim::EccStatus::kDetected && on_due == OnDue::kZero) {
      read = {};
    }
  };
  const auto lane_of = [](const sim::BitString& data, int lane) {
    return static_cast<std::int32_t>(data.field(32 * lane, 32));
  };
  for (int fold = 0; fold < tiling.depth_folds(); ++fold) {
    const int pass = first_pass + fold;
    const Cycle cycle = residency_.sums().added(layer_.layer(), pass, row);
    sim::CodewordRead held;
    if (fold > 0) {
      held = word.read(cycle);
      met(held);
    }
    for (int lane = 0; lane < lanes; ++lane) {
      if (first_column + lane >= tile.shape.columns) {
        held.data.set_field(32 * lane, 32, 0);
        continue;
      }
      const std::int32_t sum = sum_of_pass(pass, row, first_column + lane, of_passes);
      held.data.set_field(32 * lane, 32,
                          static_cast<std::uint32_t>(
                              fold == 0 ? sum : arithmetic.sum(lane_of(held.data, lane), sum)));
    }
    if (fold == 0) {
      word.write(cycle + 1, held.data);
    } else {
      word.write_back(cycle + 1, held);
    }
  }
  sim::CodewordRead last =
      word.read(residency_.sums().result_read(layer_.layer(), occupant.index, row));
  met(last);
  for (int lane = 0; lane < lanes && first_column + lane < tile.shape.columns; ++lane) {
    const std::int64_t index =
        tiling.gemm().output_index(tile.group, tile.row + row, tile.column + first_column + lane);
    const auto at = std::ranges::lower_bound(deltas, index, {}, &AccumulatorDelta::index);
    const bool is_there = at != deltas.end() && at->index == index;
    const std::int32_t delta = sim::wrapped(std::int64_t{lane_of(last.data, lane)} -
                                            clean[static_cast<std::size_t>(index)]);
    result.is_changed = result.is_changed || delta != (is_there ? at->delta : 0);
    if (is_there) {
      at->delta = delta;
    } else if (delta != 0) {
      deltas.insert(at, {index, delta});
    }
  }
  result.findings.corrected = std::min<std::int64_t>(result.findings.corrected, 1);
  result.findings.detected = std::min<std::int64_t>(result.findings.detected, 1);
  return result;
}

LayerEffect effect_by_formula(const Residency& residency, LayerReader& reader, OnDue on_due,
                              const MeshStrike& strike) {
  LayerEffect effect;
  LayerRead read = strike.loaded;
  for (const StruckContent& content : strike.on_chip.operands) {
    effect.operands_found.push_back(reader.read_on_chip(content, read));
  }
  const MeshEffects effects(residency, strike.layer, read.reads);
  const std::vector<sim::OutputChange> of_passes = effects.of_operands(effect.is_felt);
  effect.deltas = accumulator_deltas(strike.layer, of_passes);
  for (const StruckContent& content : strike.on_chip.sums) {
    CodewordInTime word = reader.in_time(*content.word);
    const MeshEffects::Sums sums =
        effects.of_sums(content.occupant, word, of_passes, strike.clean, on_due, effect.deltas);
    effect.sums_found.push_back(sums.findings);
    effect.is_felt = effect.is_felt || sums.is_changed;
  }
  std::erase_if(effect.deltas, [](const AccumulatorDelta& one) { return one.delta == 0; });
  return effect;
}

}  // namespace tilestrike::bridge
