// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reports as text.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {
namespace {

std::string number(double value) { return value == 0.0 ? "0" : fmt::format("{:.3g}", value); }

/// In percent; of small shares two digits that say something.
std::string percent_number(double value) {
  return value != 0.0 && std::abs(value) < 0.001 ? fmt::format("{:.2g}", 100.0 * value)
                                                 : fmt::format("{:.2f}", 100.0 * value);
}

struct ValueText {
  std::string operator()(std::monostate) const { return "-"; }
  std::string operator()(std::nullptr_t) const { return "-"; }
  std::string operator()(bool value) const { return value ? "yes" : "no"; }
  std::string operator()(std::int64_t value) const { return std::to_string(value); }
  std::string operator()(std::uint64_t value) const { return std::to_string(value); }
  std::string operator()(double value) const { return number(value); }
  std::string operator()(const std::string& value) const { return value; }
  std::string operator()(const std::vector<double>& values) const {
    std::vector<std::string> parts;
    for (const double value : values) {
      parts.push_back(number(value));
    }
    return join(parts, " to ");
  }
  std::string operator()(const std::vector<std::string>& values) const {
    return join(values, ", ");
  }
  std::string operator()(const std::map<std::string, std::int64_t>& counts) const {
    std::vector<std::string> parts;
    for (const auto& [name, count] : counts) {
      parts.push_back(fmt::format("{} {}", name, count));
    }
    return join(parts, ", ");
  }
  /// What cannot happen is 0, and what is only enumerated a bound.
  std::string operator()(const Estimate& estimate) const {
    if (estimate.is_settled()) {
      return estimate.basis == Basis::kEnumerated
                 ? "<= " + number(estimate.interval.high) + " (enumerated)"
                 : "0";
    }
    return estimate.n == 0
               ? "-"
               : fmt::format("{} [{}, {}]", number(estimate.value), number(estimate.interval.low),
                             number(estimate.interval.high));
  }
  std::string operator()(const Share& share) const {
    const Estimate& estimate = share.estimate;
    return estimate.n == 0 ? "-"
                           : fmt::format("{} % [{}, {}]", percent_number(estimate.value),
                                         percent_number(estimate.interval.low),
                                         percent_number(estimate.interval.high));
  }
};

/// The heading, the rows, and the total: as wide as the widest of each column.
std::string table_text(const ReportTable& table) {
  const std::vector<std::size_t> columns = told_columns(table);
  if (table.is_detail || columns.empty() || (table.rows.empty() && table.total.empty())) {
    return "";
  }
  std::vector<std::vector<std::string>> lines(1);
  for (const std::size_t i : columns) {
    lines.front().push_back(table.columns[i].heading);
  }
  const auto add = [&](const std::vector<Entry>& row) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::size_t i : columns) {
      line.push_back(row[i].text);
    }
  };
  std::ranges::for_each(table.rows, add);
  if (!table.total.empty()) {
    add(table.total);
  }
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    widths.push_back(table.columns[columns[c]].least);
    for (const auto& line : lines) {
      widths[c] = std::max(widths[c], line[c].size());
    }
  }
  std::string text = table.caption.empty() ? "" : table.caption + ":\n";
  for (const auto& line : lines) {
    std::string padded;
    for (std::size_t c = 0; c < line.size(); ++c) {
      padded += c == 0 ? "" : "  ";
      padded += table.columns[columns[c]].is_right ? fmt::format("{:>{}}", line[c], widths[c])
                                                   : fmt::format("{:<{}}", line[c], widths[c]);
    }
    text += padded.substr(0, padded.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

struct ItemText {
  std::string operator()(const Fact&) const { return ""; }
  std::string operator()(const Line& line) const { return line.is_detail ? "" : line.text + "\n"; }
  std::string operator()(const ReportTable& table) const { return table_text(table); }
  std::string operator()(const Parts& parts) const {
    std::string text;
    for (const Report& report : parts.reports) {
      const std::string part = text_of(report);
      text += text.empty() || part.empty() ? part : "\n" + part;
    }
    return text;
  }
};

}  // namespace

std::string text_of(const FactValue& value) { return std::visit(ValueText{}, value); }

std::string text_of(const Report& report) {
  std::string text = report.label.empty() ? "" : "== " + report.label + "\n";
  text += report.title.empty() ? "" : report.title + "\n";
  for (const Item& item : report.items()) {
    text += std::visit(ItemText{}, item.of);
  }
  return text;
}

}  // namespace tilestrike::campaigns
