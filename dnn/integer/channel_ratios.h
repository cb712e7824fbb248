// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The requantisation of a layer's channels, many accumulators at once.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "dnn/integer/fixed_point.h"

namespace tilestrike::dnn {

/// The same bits as FixedPoint and clamped(), channel by channel.
class ChannelRatios {
 public:
  /// Multipliers and shifts by channel; `zero`, `low` and `high` are of the output.
  ChannelRatios(std::span<const std::int32_t> multipliers, std::span<const std::int32_t> shifts,
                std::int32_t zero, std::int32_t low, std::int32_t high);

  /// Rows in which each channel has one accumulator.
  void requantise_rows(const std::int32_t* sums, std::int64_t rows, std::int8_t* now) const;

  static constexpr int kLanes = 16;
  using Lanes = std::array<std::int32_t, kLanes>;
  /// Accumulators of any channels.
  void requantise(const Lanes& sums, const Lanes& channels, Lanes& now) const;

 private:
  std::int8_t one(std::int32_t sum, std::size_t channel) const {
    const FixedPoint ratio{multipliers_[channel], shifts_[channel], zero_};
    return clamped(ratio.scaled(sum), low_, high_);
  }

  std::vector<std::int32_t> multipliers_, shifts_;
  std::vector<std::uint32_t> lifted_;
  std::vector<std::uint64_t> offsets_;
  bool is_lifted_ = true;  // no shift below 31
  std::int32_t zero_, low_, high_;
};

}  // namespace tilestrike::dnn
