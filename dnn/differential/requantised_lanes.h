// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Requantises accumulators that lie anywhere in a layer, several at once, and lists what becomes of
// those whose int8 output is not golden.
#pragma once

#include <array>
#include <cstdint>

#include "dnn/differential/changes.h"
#include "dnn/integer/channel_ratios.h"

namespace tilestrike::dnn {

/// Collects accumulators until there are enough of them. Ends with finish().
class RequantisedLanes {
 public:
  /// All by element of the layer's output. They must outlive this object, as `changes` must.
  RequantisedLanes(const ChannelRatios& ratios, const std::int32_t* accumulators,
                   const std::int8_t* golden, Changes& changes)
      : ratios_(ratios), accumulators_(accumulators), golden_(golden), changes_(changes) {}

  /// An accumulator, its channel, and how much it is more than golden, modulo 2^32.
  void add(std::int64_t index, std::int64_t channel, std::int32_t delta) {
    const auto lane = static_cast<std::size_t>(count_);
    indices_[lane] = static_cast<std::uint32_t>(index);
    channels_[lane] = static_cast<std::int32_t>(channel);
    sums_[lane] = static_cast<std::int32_t>(static_cast<std::uint32_t>(accumulators_[index]) +
                                            static_cast<std::uint32_t>(delta));
    changed_ += delta != 0 ? 1 : 0;
    if (++count_ == ChannelRatios::kLanes) {
      give();
    }
  }
  /// How many of the accumulators differ from golden.
  std::int64_t finish();

 private:
  void give();

  const ChannelRatios& ratios_;
  const std::int32_t* accumulators_;
  const std::int8_t* golden_;
  Changes& changes_;
  std::array<std::uint32_t, ChannelRatios::kLanes> indices_{};
  ChannelRatios::Lanes channels_{}, sums_{};
  int count_ = 0;
  std::int64_t changed_ = 0;
};

}  // namespace tilestrike::dnn
