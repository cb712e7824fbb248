// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of the words that a campaign on tensors covers.
#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "base/text.h"
#include "campaigns/plan/coverage.h"
#include "campaigns/report/report.h"
#include "campaigns/report/summary.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::size_t kMostTold = 6;

/// "95.6 %"; not "100.0 %" where anything is left out, nor "0.0 %" where anything is covered.
std::string share_text(const Coverage& coverage) {
  const double percent =
      100.0 * static_cast<double>(coverage.covered) / static_cast<double>(coverage.words);
  return percent >= 99.95 ? "over 99.9 %"
         : percent < 0.05 ? "under 0.1 %"
                          : fmt::format("{:.1f} %", percent);
}

/// "fc.bias (5, bias), bn.weight (2, normalisation) and 12 more (48 words)".
std::string left_out_text(const std::vector<LeftOut>& left_out) {
  const std::size_t told = std::min(left_out.size(), kMostTold);
  std::vector<std::string> texts;
  std::int64_t rest = 0;
  for (std::size_t i = 0; i < left_out.size(); ++i) {
    const LeftOut& each = left_out[i];
    if (i < told) {
      texts.push_back(fmt::format("{} ({}, {})", each.tensor, each.words, each.what));
    } else {
      rest += each.words;
    }
  }
  return join(texts, ", ") + (told < left_out.size() ? fmt::format(" and {} more ({} words)",
                                                                   left_out.size() - told, rest)
                                                     : "");
}

std::string coverage_text(const Coverage& coverage, const std::string& words) {
  if (coverage.words == 0) {
    return "the network has no " + words;
  }
  if (coverage.covered == coverage.words) {
    return fmt::format("covers all {} {}", coverage.words, words);
  }
  if (coverage.covered == 0) {
    return fmt::format("covers none of the {} {}", coverage.words, words);
  }
  return fmt::format("covers {} of {} {} ({}); left out: {}", coverage.covered, coverage.words,
                     words, share_text(coverage), left_out_text(coverage.left_out));
}

void add_coverage(const std::string& key, const Coverage& coverage, const std::string& words,
                  Report& report) {
  report.fact(key + "/covered", coverage.covered);
  report.fact(key + "/words", coverage.words);
  const std::vector<ColumnOf<LeftOut>> columns = {
      {{"tensor", ""}, [](const LeftOut& each) { return each.tensor; }},
      {{"words", ""}, [](const LeftOut& each) { return each.words; }},
      {{"what", ""}, [](const LeftOut& each) { return each.what; }},
  };
  report.add(table_of(key + "/left_out", columns, coverage.left_out));
  report.say(coverage_text(coverage, words));
}

}  // namespace

Report report_of(const TensorCoverage& coverage) {
  Report report;
  add_coverage("stored", coverage.stored, "stored words", report);
  if (coverage.activations) {
    add_coverage("activations", *coverage.activations, "words of activations of an image", report);
    report.fact("activations/unstored", coverage.unstored);
    if (!coverage.unstored.empty()) {
      const std::size_t told = std::min(coverage.unstored.size(), kMostTold);
      report.say("layers without words of their own (views, or of no one image): " +
                 join(std::span(coverage.unstored).first(told), ", ") +
                 (told < coverage.unstored.size()
                      ? fmt::format(" and {} more", coverage.unstored.size() - told)
                      : ""));
    }
  }
  report.fact("notes", coverage.notes);
  for (std::size_t i = 0; i < std::min(coverage.notes.size(), kMostTold); ++i) {
    report.say(coverage.notes[i]);
  }
  return report;
}

}  // namespace tilestrike::campaigns
