// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Evaluates the formulas that stand in sources of the node table (docs/technology_nodes.md,
// "Sources"): "0.5*n", "1/(1+(w/h)^2.57)", "2*f<=0.9", "line(40-28)".
#pragma once

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <optional>
#include <string>

#include "base/text.h"

namespace tilestrike::sim {

/// What names of a formula stand for.
struct FormulaNames {
  std::function<std::optional<double>(const std::string& name)> value;
  /// The value at the formula's node on the line through two nodes' values, in logarithms of both.
  std::function<std::optional<double>(double node, double other)> line;
};

/// Sums and products with brackets, powers, names and "line(A-B)"; "<= C" and ">= C" at the end
/// bound the result. Nothing where the text is no formula or a name has no value.
class Formula {
 public:
  Formula(std::string text, const FormulaNames& names) : text_(std::move(text)), names_(names) {}

  std::optional<double> value() {
    double value = sum();
    if (skip("<=")) {
      value = std::min(value, number());
    } else if (skip(">=")) {
      value = std::max(value, number());
    }
    return is_sound_ && at_ == text_.size() ? std::optional(value) : std::nullopt;
  }

 private:
  bool skip(const std::string& mark) {
    const bool is_there = text_.compare(at_, mark.size(), mark) == 0;
    at_ += is_there ? mark.size() : 0;
    return is_there;
  }
  double wrong() {
    is_sound_ = false;
    return 0.0;
  }
  double take(const std::optional<double>& value) { return value ? *value : wrong(); }
  template <class IsMember>
  std::string run(const IsMember& is_member) {
    const std::size_t start = at_;
    while (at_ < text_.size() && is_member(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
    return text_.substr(start, at_ - start);
  }
  double number() {
    return take(parse_real(run([](int c) { return std::isdigit(c) != 0 || c == '.'; })));
  }
  double sum() {
    double value = product();
    while (is_sound_) {
      if (skip("+")) {
        value += product();
      } else if (skip("-")) {
        value -= product();
      } else {
        break;
      }
    }
    return value;
  }
  double product() {
    double value = power();
    while (is_sound_) {
      if (skip("*")) {
        value *= power();
      } else if (skip("/")) {
        value /= power();
      } else {
        break;
      }
    }
    return value;
  }
  double power() {
    const double base = atom();
    return skip("^") ? std::pow(base, power()) : base;
  }
  double atom() {
    if (skip("(")) {
      const double value = sum();
      return skip(")") ? value : wrong();
    }
    if (skip("line(")) {
      const double node = number();
      const double other = skip("-") ? number() : wrong();
      return skip(")") && is_sound_ ? take(names_.line(node, other)) : wrong();
    }
    const std::string name = run([](int c) { return std::isalpha(c) != 0; });
    if (name.empty()) {
      return number();
    }
    return take(names_.value(name + run([](int c) { return std::isdigit(c) != 0; })));
  }

  std::string text_;
  FormulaNames names_;
  std::size_t at_ = 0;
  bool is_sound_ = true;
};

}  // namespace tilestrike::sim
