// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reports as one HTML page: without scripts, and without anything from elsewhere.
#include <fmt/format.h>

#include <algorithm>

#include "campaigns/pictures/svg.h"
#include "campaigns/report/report.h"

namespace tilestrike::campaigns {
namespace {

constexpr const char* kStyle =
    R"(<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:1080px;margin:2em auto;padding:0 1em;color:#222}
h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em;border-top:1px solid #ddd;padding-top:1em}
.scroll{overflow-x:auto;margin:1em 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
caption{text-align:left;font-weight:600}
th,td{padding:.25em .7em;text-align:right;white-space:nowrap;border-bottom:1px solid #eee}
th:first-child{text-align:left}thead th{border-bottom:2px solid #bbb}
tbody tr:last-child th,tbody tr:last-child td{border-bottom:2px solid #bbb}
tr.total{font-weight:600}.good{background:#cfe9d8}.bad{background:#f1cfd7;font-weight:600}
td.faint{color:#bbb}p{margin:.2em 0;white-space:pre-wrap}p.faint{color:#555}
p.good,p.bad{display:table;padding:.4em .9em;border-radius:.4em}
p.warning{border-left:3px solid #c80;padding-left:.7em}
pre{background:#f6f6f6;padding:.7em;overflow-x:auto}
.bar{position:relative;height:4px;background:#eee;margin-top:2px}.bar i,.bar b{position:absolute;
height:4px;min-width:2px}.bar i{background:#8ab4d8}.bar b{background:#1f4e79}
@media(prefers-color-scheme:dark){body{background:#1c1c1e;color:#ddd}th,td{border-color:#333}
.good{background:#24452f}.bad{background:#5a2430}p.faint{color:#aaa}pre{background:#2a2a2c}
thead th{border-color:#666}h2{border-color:#333}.bar{background:#333}}
</style>)";

std::string class_of(Tone tone) {
  switch (tone) {
    case Tone::kGood:
      return " class=\"good\"";
    case Tone::kBad:
      return " class=\"bad\"";
    case Tone::kFaint:
      return " class=\"faint\"";
    case Tone::kWarning:
      return " class=\"warning\"";
    case Tone::kPlain:
    case Tone::kCommand:
      break;
  }
  return "";
}

/// A share and its interval between 0 and 1, drawn.
std::string bar_html(const FactValue& value) {
  const Share* share = std::get_if<Share>(&value);
  if (share == nullptr || share->estimate.n == 0) {
    return "";
  }
  const auto percent = [](double part) { return 100.0 * std::clamp(part, 0.0, 1.0); };
  const Interval& interval = share->estimate.interval;
  return fmt::format(
      "<div class=\"bar\"><i style=\"left:{:.2f}%;width:{:.2f}%\"></i>"
      "<b style=\"left:{:.2f}%\"></b></div>",
      percent(interval.low), percent(interval.high) - percent(interval.low),
      percent(share->estimate.value));
}

std::string row_html(const std::vector<Entry>& row, const std::vector<std::size_t>& columns,
                     bool is_total) {
  std::string html = is_total ? "<tr class=\"total\">" : "<tr>";
  for (const std::size_t i : columns) {
    const std::string text = escaped_markup(row[i].text);
    html += i == columns.front() ? "<th>" + text + "</th>"
                                 : fmt::format("<td{}>{}{}</td>", class_of(row[i].tone), text,
                                               bar_html(row[i].value));
  }
  return html + "</tr>\n";
}

std::string table_html(const ReportTable& table) {
  const std::vector<std::size_t> columns = told_columns(table);
  if (columns.empty() || (table.rows.empty() && table.total.empty())) {
    return "";
  }
  const std::string caption = escaped_markup(table.caption);
  std::string html = table.is_detail ? "<details><summary>" + caption + "</summary>\n" : "";
  html += "<div class=\"scroll\"><table>\n";
  html += table.is_detail || caption.empty() ? "" : "<caption>" + caption + "</caption>\n";
  html += "<thead><tr>";
  for (const std::size_t i : columns) {
    html += "<th>" + escaped_markup(table.columns[i].heading) + "</th>";
  }
  html += "</tr></thead>\n<tbody>\n";
  for (const std::vector<Entry>& row : table.rows) {
    html += row_html(row, columns, false);
  }
  html += table.total.empty() ? "" : row_html(table.total, columns, true);
  return html + "</tbody></table></div>\n" + (table.is_detail ? "</details>\n" : "");
}

/// Lines of a text: what is one line there may be several.
std::string line_html(const Line& line) {
  std::string escaped;
  for (std::size_t begin = 0; begin <= line.text.size();) {
    const std::size_t end = std::min(line.text.find('\n', begin), line.text.size());
    escaped += (begin == 0 ? "" : "\n") + escaped_markup(line.text.substr(begin, end - begin));
    begin = end + 1;
  }
  if (escaped.empty()) {
    return "<p>&nbsp;</p>\n";
  }
  return line.tone == Tone::kCommand ? "<pre>" + escaped + "</pre>\n"
                                     : "<p" + class_of(line.tone) + ">" + escaped + "</p>\n";
}

std::string items_html(const Report& report);

std::string part_html(const Report& report) {
  const std::string& heading = report.label.empty() ? report.title : report.label;
  std::string html = heading.empty() ? "" : "<h2>" + escaped_markup(heading) + "</h2>\n";
  html += report.label.empty() || report.title.empty()
              ? ""
              : "<p>" + escaped_markup(report.title) + "</p>\n";
  return html + items_html(report);
}

struct ItemHtml {
  std::string operator()(const Fact&) const { return ""; }
  std::string operator()(const Line& line) const { return line_html(line); }
  std::string operator()(const ReportTable& table) const { return table_html(table); }
  std::string operator()(const Parts& parts) const {
    std::string html;
    for (const Report& report : parts.reports) {
      html += part_html(report);
    }
    return html;
  }
};

std::string items_html(const Report& report) {
  std::string html;
  for (const Item& item : report.items()) {
    html += std::visit(ItemHtml{}, item.of);
  }
  return html;
}

}  // namespace

std::string html_of(const Report& report, const std::string& page_title) {
  const std::string title = escaped_markup(page_title);
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + title +
         "</title>\n" + kStyle + "</head><body>\n<h1>" + title + "</h1>\n" + part_html(report) +
         "</body></html>\n";
}

}  // namespace tilestrike::campaigns
