// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/binomial.h"

#include <algorithm>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kManyFaults = 30.0;  // above, P(K = 0) < 1e-13 and the quantile is looked up

}  // namespace

double chance_of_any(std::uint64_t n, double p) {
  return p >= 1.0 ? (n > 0 ? 1.0 : 0.0) : -std::expm1(static_cast<double>(n) * std::log1p(-p));
}

std::uint64_t binomial_at_least_one(std::uint64_t n, double p, double unit) {
  TS_CHECK(n >= 1 && p > 0.0 && p <= 1.0, "a rate strikes something");
  if (p >= 1.0) {
    return n;
  }
  const auto real_n = static_cast<double>(n);
  if (real_n * p > kManyFaults) {
    using boost::math::policies::discrete_quantile;
    using boost::math::policies::integer_round_up;
    using boost::math::policies::policy;
    const boost::math::binomial_distribution<double, policy<discrete_quantile<integer_round_up>>>
        faults(real_n, p);
    const double k = boost::math::quantile(faults, std::max(unit, 1e-300));
    return std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::max(k, 1.0)), 1, n);
  }
  // P(K = k) / P(K >= 1), summed until the quantile is passed.
  double share = real_n * p * std::exp((real_n - 1.0) * std::log1p(-p)) / chance_of_any(n, p);
  double sum = share;
  std::uint64_t k = 1;
  while (sum <= unit && k < n) {
    share *= (real_n - static_cast<double>(k)) / static_cast<double>(k + 1) * (p / (1.0 - p));
    ++k;
    sum += share;
    if (share < 1e-18 * sum) {
      break;  // rounding keeps the sum below 1
    }
  }
  return k;
}

std::uint64_t poisson_at_least_one(double mean, double unit) {
  TS_CHECK(mean > 0.0 && mean <= kMostPoissonMean, "a mean that can be counted up to");
  // P(K = k) / P(K >= 1), summed until the quantile is passed.
  double share = mean * std::exp(-mean) / -std::expm1(-mean);
  double sum = share;
  std::uint64_t k = 1;
  while (sum <= unit) {
    ++k;
    share *= mean / static_cast<double>(k);
    sum += share;
    if (static_cast<double>(k) > mean && share < 1e-18 * sum) {
      break;  // rounding keeps the sum below 1
    }
  }
  return k;
}

}  // namespace tilestrike::campaigns
