// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How the weights of a tile lie in its bytes (docs/memory_schedule.md): which place in the tile a
// byte holds, and the other way round. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <optional>

#include "sim/mesh/mesh_run.h"

namespace tilestrike::bridge {

/// Row by row, a byte for each column of the mesh, whether the tile has that column or not.
class TileLayout {
 public:
  explicit TileLayout(std::int64_t mesh_columns) : pitch_(mesh_columns) {}

  /// A weight's place: its depth and its column, from the tile's first ones on.
  struct Place {
    std::int64_t row = 0, lane = 0;
  };
  /// Bytes of a tile.
  struct Span {
    std::int64_t offset = 0, bytes = 0;
  };

  std::int64_t bytes(std::int64_t rows) const { return rows * pitch_; }
  /// How many rows so many bytes have room for.
  std::int64_t rows_in(std::int64_t bytes) const { return bytes / pitch_; }
  std::int64_t encode(Place place) const { return place.row * pitch_ + place.lane; }
  /// nullopt: the byte holds no weight of a pass of this shape.
  std::optional<Place> decode(const sim::PassShape& shape, std::int64_t offset) const {
    const Place place{offset / pitch_, offset % pitch_};
    return place.row < shape.depth && place.lane < shape.columns ? std::optional(place)
                                                                 : std::nullopt;
  }
  /// What a pass of this shape reads together.
  Span row(const sim::PassShape& shape, std::int64_t row) const {
    return {encode({row, 0}), shape.columns};
  }

 private:
  std::int64_t pitch_;
};

}  // namespace tilestrike::bridge
