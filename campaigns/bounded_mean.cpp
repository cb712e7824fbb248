// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/bounded_mean.h"

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

}  // namespace

double upper_bound_of_mean(const Histogram& seen, double alpha) {
  TS_CHECK(!seen.empty() && 0.0 < alpha && alpha < 1.0, "a bound needs observations");
  TS_CHECK(seen.begin()->first >= 0.0 && seen.rbegin()->first <= 1.0,
           "observations that lie in [0, 1]");
  double n = 0.0, sum = 0.0;
  for (const auto& [value, count] : seen) {
    n += static_cast<double>(count);
    sum += value * static_cast<double>(count);
  }
  if (seen.begin()->first == 1.0) {
    return 1.0;
  }
  // P(bound variable > u) falls from 1 to 0 between the least value and 1.
  const auto excess = [&](double u) {
    std::vector<Term> terms;
    for (const auto& [value, count] : seen) {
      terms.push_back({value - u, count});
    }
    terms.push_back({1.0 - u, 1});
    return std::log(PositiveSum(terms).probability() / alpha);
  };
  double low = sum / n;
  double high = low + (1.0 - low) * -std::expm1(std::log(alpha) / n);
  if (low == seen.begin()->first && low == seen.rbegin()->first) {
    return high;  // all are equal: only the last spacing counts
  }
  // All but the last spacing may be as small as the observations say, but no sum exceeds `high` by
  // much: widen it until it does not.
  while (high < 1.0 && excess(high) > 0.0) {
    low = high;
    high = std::min(1.0, high + (high - sum / n));
  }
  if (high >= 1.0) {
    high = 1.0 - 1e-12;
    if (excess(high) > 0.0) {
      return 1.0;
    }
  }
  if (low == sum / n && excess(low) <= 0.0) {
    return low;
  }
  std::uintmax_t steps = 100;
  const auto [from, to] = boost::math::tools::toms748_solve(
      excess, low, high, boost::math::tools::eps_tolerance<double>(30), steps);
  return to;
}

double lower_bound_of_mean(const Histogram& seen, double alpha) {
  Histogram mirrored;
  for (const auto& [value, count] : seen) {
    mirrored[1.0 - value] += count;
  }
  return 1.0 - upper_bound_of_mean(mirrored, alpha);
}

}  // namespace tilestrike::campaigns
