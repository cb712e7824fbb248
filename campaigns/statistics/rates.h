// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The rates that campaigns report: outcomes other than masked, and the refinements of sdc.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bridge/words/trial_result.h"

namespace tilestrike::campaigns {

/// Of all trials, or of those of a group, the share that ends so.
enum class Rate : std::uint8_t { kSdc, kSdc1, kSdc5, kSdc10, kSdc20, kNonfinite, kDue };

/// In the order of their columns in results files.
inline constexpr std::array kRates = {Rate::kSdc,   Rate::kSdc1,      Rate::kSdc5, Rate::kSdc10,
                                      Rate::kSdc20, Rate::kNonfinite, Rate::kDue};

/// What refines sdc: an answer counts for several of them.
inline constexpr std::array kRefinements = {Rate::kSdc1, Rate::kSdc5, Rate::kSdc10, Rate::kSdc20};

/// As kRates.
inline const std::vector<std::string>& rate_names() {
  static const std::vector<std::string> names = {"sdc",    "sdc_1",     "sdc_5", "sdc_10",
                                                 "sdc_20", "nonfinite", "due"};
  return names;
}

inline const std::string& name_of(Rate rate) {
  return rate_names()[static_cast<std::size_t>(rate)];
}

inline std::optional<Rate> rate_named(const std::string& name) {
  const auto found = std::ranges::find(kRates, name, [](Rate rate) { return name_of(rate); });
  return found == kRates.end() ? std::nullopt : std::optional(*found);
}

/// Something of each rate.
template <class T>
class RateArray {
 public:
  T& operator[](Rate rate) { return values_[static_cast<std::size_t>(rate)]; }
  const T& operator[](Rate rate) const { return values_[static_cast<std::size_t>(rate)]; }
  /// In the order of kRates.
  auto begin() { return values_.begin(); }
  auto end() { return values_.end(); }
  auto begin() const { return values_.begin(); }
  auto end() const { return values_.end(); }
  bool operator==(const RateArray&) const = default;

 private:
  std::array<T, kRates.size()> values_{};
};

/// Which of the rates one answer counts for. What was detected gave no answer that could be
/// refined, whatever it would have been without the stop.
inline RateArray<bool> rates_of(const bridge::Judgement& judgement) {
  const bool is_due = judgement.outcome == Outcome::kDue;
  RateArray<bool> rates;
  rates[Rate::kSdc] = judgement.outcome == Outcome::kSdc;
  rates[Rate::kSdc1] = judgement.sdc_1 && !is_due;
  rates[Rate::kSdc5] = judgement.sdc_5 && !is_due;
  rates[Rate::kSdc10] = judgement.sdc_10 && !is_due;
  rates[Rate::kSdc20] = judgement.sdc_20 && !is_due;
  rates[Rate::kNonfinite] = judgement.outcome == Outcome::kNonfinite;
  rates[Rate::kDue] = is_due;
  return rates;
}

}  // namespace tilestrike::campaigns
