// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/bounded_mean.h"

#include <boost/math/tools/minima.hpp>
#include <boost/math/tools/toms748_solve.hpp>
#include <cmath>
#include <complex>
#include <numbers>
#include <utility>
#include <vector>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

/// a G, where G is of a gamma distribution with this shape.
struct Term {
  double factor = 0.0;
  double shape = 0.0;
};

/// P(sum of the terms > 0), of which at least one factor is positive.
///
/// The moment generating function is M(s) = prod (1 - s a)^-c, and along any line s = s0 + i y with
/// 0 < s0 < 1 / max a
///     P = 1/pi integral over y > 0 of Re(M(s) / s) dy.
/// Through the saddle point of M(s) / s nothing cancels, so that small probabilities keep their
/// digits; the trapezoidal rule converges exponentially there.
class PositiveSum {
 public:
  explicit PositiveSum(const std::vector<Term>& terms) : terms_(terms) {
    for (const Term& term : terms) {
      most_ = std::max(most_, term.factor);
    }
  }

  double probability() const {
    // On a logarithmic scale from the left end, where the exponent is that of 1 / s alone.
    const double end = 1.0 / most_;
    const auto exponent = [&](double share) {
      const double s = end / (1.0 + std::exp(-share));
      return std::isfinite(log_of(s)) ? log_of(s) - std::log(s) : 1e300;
    };
    constexpr int kBits = 20;
    std::uintmax_t steps = 200;
    const double share =
        boost::math::tools::brent_find_minima(exponent, -45.0, 30.0, kBits, steps).first;
    const double saddle = end / (1.0 + std::exp(-share));
    // Width of the peak, and the distance of the next singularity on either side.
    double curvature = 1.0 / (saddle * saddle);
    for (const Term& term : terms_) {
      const double pole = term.factor / (1.0 - saddle * term.factor);
      curvature += term.shape * pole * pole;
    }
    const double peak = 1.0 / std::sqrt(curvature);
    const double step = 0.35 * std::min({peak, saddle, end - saddle});  // e^-18 off
    constexpr int kMostSteps = 200'000;
    constexpr double kNegligible = 1e-11;
    const double height = log_of(saddle) - std::log(saddle);
    double sum = 0.5;
    for (int i = 1; i < kMostSteps; ++i) {
      const std::complex<double> s(saddle, step * i);
      const std::complex<double> value = std::exp(log_of(s) - std::log(s) - height);
      sum += value.real();
      if (std::abs(value) < kNegligible) {
        break;
      }
    }
    return sum * step / std::numbers::pi * std::exp(height);
  }

 private:
  template <class Number>
  Number log_of(Number s) const {
    Number sum = 0.0;
    for (const Term& term : terms_) {
      sum -= term.shape * std::log(1.0 - s * term.factor);
    }
    return sum;
  }

  const std::vector<Term>& terms_;
  double most_ = 0.0;
};

/// log(P / alpha) that the bound variable exceeds u or, `is_lower`, falls short of it; the last
/// spacing counts as a 1 or as a 0.
double excess_of(const Histogram& seen, double u, bool is_lower, double alpha) {
  const double sign = is_lower ? -1.0 : 1.0;
  std::vector<Term> terms;
  for (const auto& [value, count] : seen) {
    terms.push_back({sign * (value - u), static_cast<double>(count)});
  }
  terms.push_back({is_lower ? u : 1.0 - u, 1.0});
  const double probability = PositiveSum(terms).probability();
  constexpr double kLeast = 1e-300;
  return std::log(std::max(probability, kLeast) / alpha);
}

/// Where excess_of() changes its sign.
double root_of(const Histogram& seen, double low, double high, bool is_lower, double alpha) {
  constexpr int kBits = 24;
  std::uintmax_t steps = 200;
  const auto [from, to] = boost::math::tools::toms748_solve(
      [&](double u) { return excess_of(seen, u, is_lower, alpha); }, low, high,
      boost::math::tools::eps_tolerance<double>(kBits), steps);
  return is_lower ? from : to;
}

struct Moments {
  double n = 0.0, mean = 0.0;
  double deviation = 0.0;  // of the mean
};

Moments moments_of(const Histogram& seen, double alpha) {
  TS_CHECK(!seen.empty() && 0.0 < alpha && alpha < 1.0, "a bound needs observations");
  TS_CHECK(seen.begin()->first >= 0.0 && seen.rbegin()->first <= 1.0,
           "observations that lie in [0, 1]");
  Moments moments;
  for (const auto& [value, count] : seen) {
    moments.n += static_cast<double>(count);
    moments.mean += value * static_cast<double>(count);
  }
  moments.mean /= moments.n;
  for (const auto& [value, count] : seen) {
    moments.deviation +=
        (value - moments.mean) * (value - moments.mean) * static_cast<double>(count);
  }
  moments.deviation = std::sqrt(moments.deviation) / moments.n;
  return moments;
}

/// Of observations that are all alike only the last spacing counts: its quantile.
double last_spacing(double n, double alpha) { return -std::expm1(std::log(alpha) / n); }

}  // namespace

double upper_bound_of_mean(const Histogram& seen, double alpha) {
  const auto [n, mean, deviation] = moments_of(seen, alpha);
  const double first = mean + (1.0 - mean) * last_spacing(n, alpha);
  if (seen.size() == 1) {
    return first;
  }
  // P(bound variable > u) falls from 1 at the least value to 0 at 1.
  double low = mean, high = std::min(first, mean + 2.0 * deviation);
  while (high < 1.0 && excess_of(seen, high, false, alpha) > 0.0) {
    low = high;
    high = std::min(1.0, high + (high - mean));
  }
  if (high >= 1.0) {
    high = 1.0 - 1e-12;
    if (excess_of(seen, high, false, alpha) > 0.0) {
      return 1.0;
    }
  }
  return low == mean && excess_of(seen, low, false, alpha) <= 0.0
             ? low
             : root_of(seen, low, high, false, alpha);
}

double lower_bound_of_mean(const Histogram& seen, double alpha) {
  const auto [n, mean, deviation] = moments_of(seen, alpha);
  if (mean <= 0.0) {
    return 0.0;
  }
  if (seen.size() == 1) {
    return mean * (1.0 - last_spacing(n, alpha));
  }
  // P(bound variable < u) rises from 0 at 0 to 1 at the largest value.
  constexpr double kMostOfStep = 0.7;  // a step down, however large the deviation
  double low = mean, high = mean;
  do {
    high = low;
    low = std::max(kMostOfStep * low, low - 2.0 * deviation);
  } while (excess_of(seen, low, true, alpha) > 0.0);
  return high == mean && excess_of(seen, mean, true, alpha) <= 0.0
             ? mean
             : root_of(seen, low, high, true, alpha);
}

}  // namespace tilestrike::campaigns
