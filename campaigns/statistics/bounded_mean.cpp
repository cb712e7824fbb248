// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/statistics/bounded_mean.h"

#include <algorithm>
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
  std::int64_t shape = 0;
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
    const double end = 1.0 / most_;
    const double saddle = saddle_below(end);
    // Width of the peak, and the distance of the next singularity on either side.
    double height = -std::log(saddle);
    double curvature = 1.0 / (saddle * saddle);
    std::vector<Term> slopes;  // (1 - s a) / (1 - s0 a) = 1 - i y slope
    for (const Term& term : terms_) {
      const auto shape = static_cast<double>(term.shape);
      const double rest = 1.0 - saddle * term.factor;
      slopes.push_back({term.factor / rest, term.shape});
      height -= shape * std::log(rest);
      curvature += shape * slopes.back().factor * slopes.back().factor;
    }
    const double peak = 1.0 / std::sqrt(curvature);
    const double step = 0.25 * std::min({peak, saddle, end - saddle});
    constexpr int kMostSteps = 200'000;
    constexpr double kNegligible = 1e-13;
    double sum = 0.5;
    for (int i = 1; i < kMostSteps; ++i) {
      const std::complex<double> fallen = fall(step * i, saddle, slopes);
      const double square = std::norm(fallen);
      sum += fallen.real() / square;  // of 1 / fallen
      if (square * kNegligible * kNegligible > 1.0) {
        break;
      }
    }
    return sum * step / std::numbers::pi * std::exp(height);
  }

 private:
  /// Where the exponent of M(s) / s is least; roughly, for any point below `end` will do.
  double saddle_below(double end) const {
    const auto at = [end](double share) { return end / (1.0 + std::exp(-share)); };
    const auto rise = [&](double share) {  // has the sign of the exponent's derivative
      const double s = at(share);
      double sum = -1.0;
      for (const Term& term : terms_) {
        sum += static_cast<double>(term.shape) * s * term.factor / (1.0 - s * term.factor);
      }
      return sum * (end - s) / end;
    };
    // On a logarithmic scale at both ends.
    constexpr double kLeast = -45.0, kMost = 30.0;
    const double at_least = rise(kLeast), at_most = rise(kMost);
    if (at_least >= 0.0 || at_most <= 0.0) {
      return at(at_least >= 0.0 ? kLeast : kMost);
    }
    constexpr unsigned kBits = 12;
    std::uintmax_t steps = 100;
    const auto [from, to] =
        boost::math::tools::toms748_solve(rise, kLeast, kMost, at_least, at_most,
                                          boost::math::tools::eps_tolerance<double>(kBits), steps);
    return at(0.5 * (from + to));
  }

  /// M(s0) / s0 over M(s) / s, at s = s0 + i y.
  static std::complex<double> fall(double y, double saddle, const std::vector<Term>& slopes) {
    constexpr std::int64_t kMostFactors = 8;
    double real = 1.0, imaginary = y / saddle, logarithm = 0.0, angle = 0.0;
    for (const Term& term : slopes) {
      const double turn = y * term.factor;
      if (term.shape <= kMostFactors) {
        for (std::int64_t k = 0; k < term.shape; ++k) {  // times 1 - i turn
          const double old = real;
          real += imaginary * turn;
          imaginary -= old * turn;
        }
      } else {
        const auto shape = static_cast<double>(term.shape);
        logarithm += 0.5 * shape * std::log1p(turn * turn);
        angle -= shape * std::atan(turn);
      }
    }
    const std::complex<double> product(real, imaginary);
    return logarithm == 0.0 ? product : product * std::polar(std::exp(logarithm), angle);
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
    terms.push_back({sign * (value - u), count});
  }
  terms.push_back({is_lower ? u : 1.0 - u, 1});
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

/// Two deviations, but where all observations are nearly alike some part of the last spacing, so
/// that doubling it arrives.
double first_step(double deviation, double spacing) {
  return std::max(2.0 * deviation, 1e-3 * spacing);
}

}  // namespace

double upper_bound_of_mean(const Histogram& seen, double alpha) {
  const auto [n, mean, deviation] = moments_of(seen, alpha);
  const double first = mean + (1.0 - mean) * last_spacing(n, alpha);
  if (seen.size() == 1) {
    return first;
  }
  // P(bound variable > u) falls from 1 at the least value to 0 at 1.
  double step = first_step(deviation, first - mean);
  double low = mean, high = std::min(1.0, mean + step);
  while (high < 1.0 && excess_of(seen, high, false, alpha) > 0.0) {
    low = high;
    step *= 2.0;
    high = std::min(1.0, mean + step);
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
  double step = first_step(deviation, mean * last_spacing(n, alpha));
  double low = mean, high = mean;
  do {
    high = low;
    low = std::max(kMostOfStep * low, mean - step);
    step *= 2.0;
  } while (excess_of(seen, low, true, alpha) > 0.0);
  return high == mean && excess_of(seen, mean, true, alpha) <= 0.0
             ? mean
             : root_of(seen, low, high, true, alpha);
}

}  // namespace tilestrike::campaigns
