// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <chrono>

namespace tilestrike::dnn {

/// What one layer takes from lists and what it takes whole, as both are measured on the way, and
/// which is to be taken. Either gives the same values.
class MeasuredCost {
 public:
  /// Below this share lists are taken without a look at the clock.
  static constexpr double kSurelyLess = 0.02;

  /// `share`: what the lists are thought to cost of the whole layer.
  bool prefers_lists(double share) {
    if (share < kSurelyLess) {
      return true;
    }
    if (whole_ == 0.0 || per_share_ == 0.0) {  // each is measured once, unless it is hopeless
      return whole_ != 0.0 && share < kHopeless;
    }
    if (per_share_ * share < whole_) {
      return true;
    }
    // The measurement may have been a bad one: looked at again now and then, where it is close.
    return per_share_ * share < 2.0 * whole_ && ++declined_ % kLookAgain == 0;
  }
  void took_lists(double share, double seconds) {
    if (share >= kSurelyLess) {
      follow(per_share_, seconds / share);
    }
  }
  void took_whole(double seconds) { follow(whole_, seconds); }

 private:
  static constexpr double kHopeless = 4.0;
  static constexpr int kLookAgain = 32;
  static constexpr double kWeight = 0.125;  // of the newest

  /// A mean that forgets, and to which an interrupted measurement is no more than a slow one.
  static void follow(double& mean, double seconds) {
    mean = mean == 0.0 ? seconds
                       : mean + kWeight * (std::clamp(seconds, 0.5 * mean, 2.0 * mean) - mean);
  }

  double whole_ = 0.0, per_share_ = 0.0;  // seconds; 0: not measured yet
  int declined_ = 0;
};

class Stopwatch {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace tilestrike::dnn
