// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is reported of a replayed trial.
#include <fmt/format.h>

#include "campaigns/report/report.h"
#include "campaigns/results/trial_tables.h"
#include "campaigns/run/replay.h"

namespace tilestrike::campaigns {
namespace {

/// What a column of the trial holds.
FactValue value_of(const Datum& datum) {
  return std::visit(
      [](const auto& held) -> FactValue {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<Held, std::span<const std::byte>>) {
          const std::vector<float> numbers = floats_of(held);
          return std::vector<double>(numbers.begin(), numbers.end());
        } else if constexpr (std::is_same_v<Held, std::string_view>) {
          return std::string(held);
        } else {
          return held;
        }
      },
      datum);
}

/// What came of a strike on what hardware stores, besides the outcome.
std::string later_text(const StorageTrial& struck) {
  if (!struck.later_images) {
    return "";
  }
  return fmt::format("; of {} later inferences {} wrong, {} stopped", *struck.later_images,
                     struck.later_wrong.value_or(0), struck.later_due.value_or(0));
}

std::string outcome_text(const TrialRecord& trial, std::int64_t images) {
  std::string text = "outcome: " + std::string(name_of(trial.outcome));
  if (trial.masked_at != MaskedAt::kNowhere) {
    text += ", masked at " + std::string(name_of(trial.masked_at));
  }
  const auto add = [&](Rate rate, bool is_so) { text += is_so ? ", " + name_of(rate) : ""; };
  add(Rate::kSdc1, trial.sdc_1);
  add(Rate::kSdc5, trial.sdc_5);
  add(Rate::kSdc10, trial.sdc_10);
  add(Rate::kSdc20, trial.sdc_20);
  if (trial.golden_class && trial.faulty_class && trial.golden_class != trial.faulty_class) {
    text += fmt::format("; class {} became {}", *trial.golden_class, *trial.faulty_class);
  }
  if (trial.share_differing.value_or(0.0) > 0.0) {
    text += fmt::format("; {:.3g} % of the answer's parts differ", 100.0 * *trial.share_differing);
  }
  if (trial.score && trial.golden_score && trial.score != trial.golden_score) {
    text += fmt::format("; score {:.4g}, golden {:.4g}", *trial.score, *trial.golden_score);
  }
  if (images > 1) {
    text += fmt::format("; sdc on {} of {} images", trial.images_of[Rate::kSdc], images);
  }
  if (trial.memory && trial.memory->stored) {
    text += fmt::format("; the struck cell held {}, weight {:.4g}", *trial.memory->stored ? 1 : 0,
                        trial.weight);
  }
  return text + (trial.memory ? later_text(*trial.memory)
                 : trial.core ? later_text(*trial.core)
                              : "");
}

std::string logits_text(const char* whose, const std::vector<float>& logits) {
  std::string text = fmt::format("logits, {}: ", whose);
  for (const float value : logits) {
    text += fmt::format(" {:9.4g}", value);
  }
  return text;
}

/// Of an answer that is too long to be kept as a whole.
std::string long_answer_text(const TrialRecord& trial, std::size_t numbers) {
  constexpr std::size_t kMostTold = 200;
  std::string text = fmt::format("answer: {} of {} numbers differ", *trial.changed_answer, numbers);
  if (trial.differences) {
    const std::string& all = *trial.differences;
    const std::size_t end = all.size() <= kMostTold ? all.size() : all.rfind(' ', kMostTold);
    return text + ", index:value " + all.substr(0, end) + (end < all.size() ? " ..." : "");
  }
  return text + ", digest " + trial.answer_digest.value_or("");
}

void add_facts(const ReplayReport& found, Report& report) {
  report.fact("scenario", found.scenario);
  report.fact("label", found.label);
  report.fact("title", found.title);
  report.fact("image", found.image);
  report.fact("class_of_image", found.label_of_image);
  report.fact("images", found.images);
  report.fact("faults", found.faults);
  report.fact("story", found.story);
  for (const Column<TrialRecord>& column : wide_table().columns) {
    report.fact("trial/" + column.name, value_of(column.get(found.record)));
  }
  report.fact(
      "golden_logits",
      found.golden_logits.size() > bridge::kMostKept
          ? FactValue(nullptr)  // of so long an answer only what differs is told
          : FactValue(std::vector<double>(found.golden_logits.begin(), found.golden_logits.end())));
  report.fact("differences", found.differences);
}

}  // namespace

Report report_of(const ReplayReport& found) {
  Report report;
  add_facts(found, report);
  report.say(fmt::format("trial {}{}: {}", found.trial,
                         found.label.empty() ? "" : " of " + found.label, found.title));
  report.say(fmt::format(
      "image {}{}{}", found.image,
      found.label_of_image < 0 ? "" : fmt::format(", of class {}", found.label_of_image),
      found.images > 1 ? fmt::format(" (of {} that it was judged on)", found.images) : ""));
  for (const std::string& fault : found.faults) {
    report.say("fault: " + fault);
  }
  for (const std::string& line : found.story) {
    report.say("  " + line);
  }
  if (found.story.empty()) {
    report.say("  nothing was changed");
  }
  report.say(outcome_text(found.record, found.images));
  if (found.images == 1 && !found.record.logits.empty()) {
    report.say(logits_text("golden", found.golden_logits));
    report.say(logits_text("faulty", found.record.logits));
  }
  if (found.golden_logits.size() > bridge::kMostKept && found.record.changed_answer) {
    report.say(long_answer_text(found.record, found.golden_logits.size()));
  }
  for (const std::string& difference : found.differences) {
    report.say("DIFFERENT: " + difference, Tone::kBad);
  }
  report.say(found.differences.empty() ? "the same as in the file, bit for bit"
                                       : "NOT the trial that the file holds",
             found.differences.empty() ? Tone::kGood : Tone::kBad);
  return report;
}

}  // namespace tilestrike::campaigns
