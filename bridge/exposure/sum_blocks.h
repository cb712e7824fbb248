// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the accumulators hold: blocks of sums, which passes add up where they lie. No LibTorch in
// this header.
#pragma once

#include <optional>
#include <vector>

#include "bridge/exposure/copy.h"

namespace tilestrike::bridge {

/// The index of a copy is that of the block in its layer; an element is one of the layer's output.
class SumBlocks final : public Copies {
 public:
  explicit SumBlocks(const Schedule& schedule);

  /// The sums of a codeword: `lanes` of one row, from a column on, lanes beyond the tile's columns
  /// included; and the first of the passes that add to them.
  struct Word {
    std::int64_t row = 0, first_column = 0;
    int lanes = 0;
    int first_pass = 0;
  };
  Word word(const Occupant& occupant) const;
  /// When row `row` of a pass's results is added up: read in that cycle, written in the next.
  Cycle added(std::size_t layer, int pass, std::int64_t row) const {
    const ScheduledLayer& scheduled = schedule().layers()[layer];
    return MemorySchedule::sum_read(*scheduled.run, scheduled.start, pass, row);
  }
  /// When a row of a block that is done is read by the vector unit: its last reader.
  Cycle result_read(std::size_t layer, std::int64_t block, std::int64_t row) const;

  using Copies::byte;
  Occupant at(std::int64_t address, Cycle cycle) const override;
  std::vector<Occupant> all_in(std::int64_t address) const override;
  void for_each_place(const StoredElement& element, const LoadOrder& order,
                      const VisitPlace& visit) const override;
  int bits_of(int tensor) const override;
  void add_spans(int answer, std::vector<ContentSpan>& spans) const override;
  CopyByte byte(std::size_t layer, std::int64_t block, std::int64_t offset) const override;
  StoredElement stored(const Occupant& occupant, const CopyByte& byte,
                       const LoadOrder& order) const override;
  /// As they are added up, fold by fold.
  sim::BitString data(const Occupant& occupant, const RunValues& values,
                      Cycle cycle) const override;
  void add_reads(const Occupant& occupant, const CopyByte& byte, const LoadOrder& order,
                 std::vector<Cycle>& cycles) const override;
  std::vector<Cycle> updates(const Occupant& occupant) const override;
  bool is_computed() const override { return true; }
  void add_to(StruckContents& contents, StruckContent content) const override;

 private:
  const Tiling& tiling(std::size_t layer) const { return *schedule().layers()[layer].tiling; }
  int first_pass(std::size_t layer, std::int64_t block) const {
    return static_cast<int>(block) * tiling(layer).depth_folds();
  }
  /// Bytes of a row of the mesh's results.
  std::int64_t row_bytes() const { return placement().accelerator().mesh.columns * kSumBytes; }
  std::int64_t half_of(std::size_t layer, std::int64_t block) const {
    return (memory().layers()[layer].first_sum_block + block) % region().parts;
  }
  /// nullopt: the codeword lies beyond the block.
  std::optional<Occupant> part_of(std::size_t layer, std::int64_t block, std::int64_t offset) const;

  std::vector<std::size_t> layers_;  // on the mesh, in order
};

}  // namespace tilestrike::bridge
