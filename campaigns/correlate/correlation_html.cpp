// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The HTML page of a correlation: one file, without scripts.
#include <fmt/format.h>

#include "base/text.h"
#include "campaigns/correlate/correlation_report.h"
#include "campaigns/pictures/svg.h"

namespace tilestrike::campaigns {
namespace {

constexpr const char* kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>TileStrike: correlation</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-top:1px solid #ddd;padding-top:1em}
h3{font-size:1em;margin-bottom:.3em}.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:.25em .7em;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}
th:first-child{text-align:left}thead th{border-bottom:2px solid #bbb}
tbody tr:last-child th,tbody tr:last-child td{border-bottom:2px solid #bbb}
.good{background:#cfe9d8}.bad{background:#f1cfd7;font-weight:600}.none{color:#bbb}
.verdict{display:inline-block;padding:.4em .9em;border-radius:.4em}
p.about{color:#555;margin:.2em 0}pre{background:#f6f6f6;padding:.7em;overflow-x:auto}
@media(prefers-color-scheme:dark){body{background:#1c1c1e;color:#ddd}th,td{border-color:#333}
.good{background:#24452f}.bad{background:#5a2430}p.about{color:#aaa}pre{background:#2a2a2c}
thead th{border-color:#666}h2{border-color:#333}}
</style></head><body>
)";

/// `is_matrix`: cells are coloured, green where all agree.
std::string table_html(const CorrelationTable& table, bool is_matrix) {
  std::string html = "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const std::string& cell : table.front()) {
    html += "<th>" + escaped_markup(cell) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (std::size_t row = 1; row < table.size(); ++row) {
    html += "<tr><th>" + escaped_markup(table[row].front()) + "</th>";
    for (std::size_t column = 1; column < table[row].size(); ++column) {
      const std::string& cell = table[row][column];
      const std::string& heading = table.front()[column];
      const bool is_empty = cell == "." || cell == "-";
      const bool is_bad =
          is_matrix ? cell.find("differ") != std::string::npos : heading == "differ" && cell != "0";
      const bool is_good = is_matrix && !is_bad && !is_empty;
      html += fmt::format("<td{}>{}</td>",
                          is_bad     ? " class=\"bad\""
                          : is_good  ? " class=\"good\""
                          : is_empty ? " class=\"none\""
                                     : "",
                          escaped_markup(cell));
    }
    html += "</tr>\n";
  }
  return html + "</tbody></table></div>\n";
}

std::string point_html(const PointCorrelation& point, const std::string& reproduction) {
  const FaultCounts all = point.all();
  std::string html = fmt::format(
      "<h2>{}</h2>\n<p class=\"about\">{}</p>\n<p class=\"about\">population: {}; {} of {} trials, "
      "{} met a run of the mesh; engines: {}</p>\n",
      escaped_markup(point.label.empty() ? point.title : point.label),
      point.label.empty() ? "" : escaped_markup(point.title), escaped_markup(point.population),
      point.struck, point.planned, all.strikes, escaped_markup(join(point.engines, ", ")));
  for (const std::string& note : point.notes) {
    html += "<p class=\"about\">" + escaped_markup(note) + "</p>\n";
  }
  html += fmt::format("<p class=\"verdict {}\">{}</p>\n", point.first ? "bad" : "good",
                      escaped_markup(verdict_text(point)));
  if (point.first) {
    html += "<pre>" + escaped_markup(join(disagreement_lines(point), "\n"));
    html += reproduction.empty() ? "" : "\n\n" + escaped_markup(reproduction);
    html += "</pre>\n";
  }
  if (all.strikes == 0) {
    return html;
  }
  html += "<h3>Registers</h3>\n" + table_html(register_table(point), false) +
          "<h3>Pairs of engines</h3>\n" + table_html(pair_table(point), false) +
          "<h3>Faults compared, by phase</h3>\n" + table_html(phase_table(point, -1), true);
  for (std::size_t pair = 0; pair < point.pairs.size(); ++pair) {
    const CorrelationTable table = phase_table(point, static_cast<int>(pair));
    if (table.size() > 1) {
      html += fmt::format("<details{}><summary>{} and {}</summary>\n{}</details>\n",
                          point.of_pair(pair).differed > 0 ? " open" : "",
                          escaped_markup(point.pairs[pair].first),
                          escaped_markup(point.pairs[pair].second), table_html(table, true));
    }
  }
  return html;
}

}  // namespace

std::string html_of(const CorrelationReport& report, const std::string& command) {
  std::string html = kHead;
  html += "<h1>The same faults on several engines</h1>\n";
  html += "<pre>" + escaped_markup(command) + "</pre>\n";
  if (!report.has_rtl) {
    html += "<p class=\"about\">This build has no RTL.</p>\n";
  }
  if (report.is_interrupted) {
    html += "<p class=\"about\">Interrupted: not all trials are in.</p>\n";
  }
  for (const PointCorrelation& point : report.points) {
    html += point_html(point, reproduction_of(point, command));
  }
  return html + "</body></html>\n";
}

}  // namespace tilestrike::campaigns
