// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/channel_ratios.h"

#include <algorithm>

#include "base/multiversion.h"

namespace tilestrike::dnn {
namespace {

constexpr std::uint32_t kSign = std::uint32_t{1} << 31;
constexpr std::uint64_t kLift = std::uint64_t{1} << 62;

struct Lifted {
  const std::int32_t* multipliers;
  const std::int32_t* shifts;
  const std::uint64_t* offsets;
  const std::uint32_t* lifted;
  std::int32_t low, high, zero;

  /// From shift 31 on: sum * multiplier + half + 2^62 is never negative, so that it is shifted as
  /// an unsigned number, for which the vector instructions exist, and 2^62 / 2^shift is taken off.
  std::int32_t of(std::int32_t sum, std::int32_t channel) const {
    const std::uint32_t positive = static_cast<std::uint32_t>(sum) ^ kSign;
    const std::uint64_t scaled =
        std::uint64_t{positive} * static_cast<std::uint32_t>(multipliers[channel]) +
        offsets[channel];
    const auto result = static_cast<std::int32_t>(
        static_cast<std::uint32_t>(scaled >> static_cast<std::uint32_t>(shifts[channel])) -
        lifted[channel]);
    return std::min(std::max(result, low - zero), high - zero) + zero;
  }
};

TS_MULTIVERSION void requantise_lanes(const Lifted& ratios, const std::int32_t* sums,
                                      const std::int32_t* channels, std::int32_t* now) {
  for (int i = 0; i < ChannelRatios::kLanes; ++i) {
    now[i] = ratios.of(sums[i], channels[i]);
  }
}

TS_MULTIVERSION void requantise_row(const Lifted& ratios, const std::int32_t* sums,
                                    std::int32_t channels, std::int8_t* now) {
  for (std::int32_t i = 0; i < channels; ++i) {
    now[i] = static_cast<std::int8_t>(ratios.of(sums[i], i));
  }
}

}  // namespace

ChannelRatios::ChannelRatios(std::span<const std::int32_t> multipliers,
                             std::span<const std::int32_t> shifts, std::int32_t zero,
                             std::int32_t low, std::int32_t high)
    : multipliers_(multipliers.begin(), multipliers.end()),
      shifts_(shifts.begin(), shifts.end()),
      zero_(zero),
      low_(low),
      high_(high) {
  for (std::size_t channel = 0; channel < shifts_.size(); ++channel) {
    const auto multiplier = static_cast<std::uint32_t>(multipliers_[channel]);
    offsets_.push_back(static_cast<std::uint64_t>(half_of(shifts_[channel])) + kLift -
                       std::uint64_t{kSign} * multiplier);
    lifted_.push_back(static_cast<std::uint32_t>(kLift >> shifts_[channel]));
    is_lifted_ = is_lifted_ && shifts_[channel] >= 31;
  }
}

void ChannelRatios::requantise_rows(const std::int32_t* sums, std::int64_t rows,
                                    std::int8_t* now) const {
  const std::size_t channels = shifts_.size();
  const Lifted ratios{
      multipliers_.data(), shifts_.data(), offsets_.data(), lifted_.data(), low_, high_, zero_};
  for (std::int64_t row = 0; row < rows; ++row, sums += channels, now += channels) {
    if (is_lifted_) {
      requantise_row(ratios, sums, static_cast<std::int32_t>(channels), now);
      continue;
    }
    for (std::size_t channel = 0; channel < channels; ++channel) {
      now[channel] = one(sums[channel], channel);
    }
  }
}

void ChannelRatios::requantise(const Lanes& sums, const Lanes& channels, Lanes& now) const {
  if (is_lifted_) {
    return requantise_lanes(
        {multipliers_.data(), shifts_.data(), offsets_.data(), lifted_.data(), low_, high_, zero_},
        sums.data(), channels.data(), now.data());
  }
  for (std::size_t i = 0; i < kLanes; ++i) {
    now[i] = one(sums[i], static_cast<std::size_t>(channels[i]));
  }
}

}  // namespace tilestrike::dnn
