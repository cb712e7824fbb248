// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/words/judge_config.h"

#include "base/field_table.h"

namespace tilestrike::bridge {
namespace {

std::string percent(double share) { return field_detail::real_text(100.0 * share) + " %"; }

Refinements of_positions(const std::string& what) {
  return {"the top class of any " + what + " differs", "",
          "more than 10 % of the " + what + "s differ",
          "more than 20 % of the " + what + "s differ"};
}

Refinements of_distance(const JudgeConfig& judge) {
  const std::string moved = "|faulty - golden| / |golden| is above ";
  Refinements refined{"", "", moved + percent(judge.less), moved + percent(judge.more)};
  if (judge.tolerance) {
    refined.sdc_1 = "a number moved by more than " + field_detail::real_text(*judge.tolerance);
  }
  return refined;
}

}  // namespace

Refinements refinements_of(const JudgeConfig& judge) {
  const std::string moved = " moved by more than ";
  switch (judge.kind) {
    case JudgeKind::kAuto:
    case JudgeKind::kTopK:
      return {"the top class differs", "the new top class is not among the golden top five",
              "the golden class's confidence" + moved + "10 %",
              "the golden class's confidence" + moved + "20 %"};
    case JudgeKind::kBinary:
      return {"a decision flips", "", "the confidence in a golden decision" + moved + "10 %",
              "the confidence in a golden decision" + moved + "20 %"};
    case JudgeKind::kSegmentation:
      return of_positions("pixel");
    case JudgeKind::kTokens:
      return of_positions("position");
    case JudgeKind::kRegression:
    case JudgeKind::kRelativeL2:
      return of_distance(judge);
    case JudgeKind::kDetection:
      return {"a detection vanishes or a new one appears, at an IoU of " +
                  field_detail::real_text(judge.iou),
              "", "", ""};
    case JudgeKind::kPython:
    case JudgeKind::kLibrary:
      return {judge.file + " calls the answer wrong", "", "", ""};
  }
  return {};
}

}  // namespace tilestrike::bridge
