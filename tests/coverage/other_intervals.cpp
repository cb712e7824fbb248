// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/coverage/other_intervals.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>

#include "base/error.h"

namespace tilestrike::coverage {

using campaigns::Interval;
using campaigns::Shares;

Interval student_interval(const Shares& shares, double confidence) {
  const std::int64_t n = shares.n();
  const double mean = shares.mean();
  if (n < 2) {
    return {};
  }
  if (mean == 0.0) {
    return campaigns::interval_of_trials(0, n, confidence);
  }
  double squares = 0.0;
  for (const auto& [share, count] : shares.seen()) {
    squares += static_cast<double>(count) * std::pow(share - mean, 2);
  }
  const auto degrees = static_cast<double>(n - 1);
  const boost::math::students_t law(degrees);
  const double half_width = boost::math::quantile(law, 0.5 + 0.5 * confidence) *
                            std::sqrt(squares / degrees / static_cast<double>(n));
  return {std::max(0.0, mean - half_width), std::min(1.0, mean + half_width)};
}

Interval wilson_interval(const Shares& shares, double confidence) {
  for (const auto& [share, count] : shares.seen()) {
    TS_CHECK(share == 0.0 || share == 1.0, "shares of Bernoulli trials");
  }
  const auto n = static_cast<double>(shares.n());
  if (n == 0.0) {
    return {};
  }
  const double z = boost::math::quantile(boost::math::normal(), 0.5 + 0.5 * confidence);
  const double p = shares.mean();
  const double middle = (p + z * z / (2.0 * n)) / (1.0 + z * z / n);
  const double half_width =
      z * std::sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / (1.0 + z * z / n);
  return {std::max(0.0, middle - half_width), std::min(1.0, middle + half_width)};
}

}  // namespace tilestrike::coverage
