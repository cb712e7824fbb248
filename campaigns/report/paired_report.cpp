// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of points, trial by trial.
#include <fmt/format.h>

#include <algorithm>

#include "campaigns/report/paired.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {
namespace {

std::string told(double number) { return text_of(FactValue(number)); }

/// A rate that was not judged at a point has no difference there.
std::vector<ColumnOf<PairedPoint>> point_columns() {
  using Point = PairedPoint;
  std::vector<ColumnOf<Point>> columns = {
      {{"label", ""}, [](const Point& point) { return point.label; }},
      {{"trials", ""}, [](const Point& point) { return point.trials; }},
      {{"alike", ""}, [](const Point& point) { return point.alike; }},
  };
  const auto ends = [](const Interval& interval) {
    return std::vector<double>{interval.low, interval.high};
  };
  for (const Rate rate : kCompared) {
    const auto add = [&](const std::string& key, auto of) {
      columns.push_back({{name_of(rate) + "/" + key, ""}, [rate, of](const Point& point) -> Entry {
                           const auto found = std::ranges::find(point.differences, name_of(rate),
                                                                &Difference::rate);
                           return found == point.differences.end() ? FactValue()
                                                                   : FactValue(of(point, *found));
                         }});
    };
    add("value", [](const Point&, const Difference& difference) { return difference.value; });
    add("paired", [ends](const Point& point, const Difference& difference) {
      return point.alike == 0 ? FactValue(nullptr) : FactValue(ends(difference.paired));
    });
    add("unpaired",
        [ends](const Point&, const Difference& difference) { return ends(difference.unpaired); });
  }
  return columns;
}

std::string line_of(const PairedPoint& point, bool are_chips) {
  if (point.alike == 0) {
    return point.label + ": no trial is the same strike, so that nothing is paired";
  }
  std::string text = fmt::format("{}: {} of {} trials are the same {}", point.label, point.alike,
                                 point.trials, are_chips ? "chip" : "strike");
  for (const Difference& difference : point.differences) {
    text += fmt::format("; {} {} [{}, {}] ([{}, {}])", difference.rate, told(difference.value),
                        told(difference.paired.low), told(difference.paired.high),
                        told(difference.unpaired.low), told(difference.unpaired.high));
  }
  return text;
}

}  // namespace

Report report_of(const PairedPoints& points) {
  Report report;
  report.fact("from", points.from);
  report.fact("unit", points.is_fit ? "FIT" : "probability");
  report.add(table_of("points", point_columns(), points.points));
  if (points.points.empty()) {
    return report;
  }
  report.say(fmt::format(
      "differences from {}{}, over trials that both have, each by its weight: paired interval "
      "(interval as if the two were drawn apart)",
      points.from, points.is_fit ? ", FIT" : ""));
  for (const PairedPoint& point : points.points) {
    report.say(line_of(point, points.are_chips));
  }
  return report;
}

}  // namespace tilestrike::campaigns
