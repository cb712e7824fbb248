// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/judge_fields.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <limits>

#include "base/text.h"
#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

using bridge::JudgeConfig;
using bridge::JudgeKind;

constexpr double kMost = std::numeric_limits<double>::max();
constexpr std::int64_t kMostLabel = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMostAxes = 16;

/// A key, and the kinds that have it.
struct JudgeKey {
  std::vector<JudgeKind> kinds;
  Field<JudgeConfig> field;
};

Field<JudgeConfig> optional_real(std::string name, std::optional<double> JudgeConfig::*member,
                                 double least, std::string default_text, std::string help) {
  return custom_field<JudgeConfig>(
      {std::move(name), "number", "", std::move(default_text),
       field_detail::range_text(least, kMost), std::move(help)},
      [=](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        field_detail::read_real(value, path, least, kMost, errors,
                                [&](double number) { judge.*member = number; });
      },
      [=](const JudgeConfig& judge) {
        return judge.*member ? Value::of(field_detail::real_text(*(judge.*member))) : Value{};
      });
}

Field<JudgeConfig> optional_integer(std::string name,
                                    std::optional<std::int64_t> JudgeConfig::*member,
                                    std::int64_t most, std::string default_text, std::string help) {
  return custom_field<JudgeConfig>(
      {std::move(name), "integer", "", std::move(default_text),
       std::to_string(-most) + " to " + std::to_string(most), std::move(help)},
      [=](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        field_detail::read_integer(value, path, -most, most, errors,
                                   [&](std::int64_t number) { judge.*member = number; });
      },
      [=](const JudgeConfig& judge) {
        return judge.*member ? Value::of(std::to_string(*(judge.*member))) : Value{};
      });
}

/// `no` is the default.
Field<JudgeConfig> either_field(std::string name, bool JudgeConfig::*member, const std::string& no,
                                const std::string& yes, std::string help) {
  return custom_field<JudgeConfig>(
      {std::move(name), "choice", "", no, no + " | " + yes, std::move(help)},
      [=](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        if (is_choice(value, path, {no, yes}, {}, errors)) {
          judge.*member = value.scalar == yes;
        }
      },
      [=](const JudgeConfig& judge) { return judge.*member ? Value::of(yes) : Value{}; });
}

/// A number within (0, 1].
Field<JudgeConfig> overlap_field(std::string name, double JudgeConfig::*member,
                                 std::string default_text, std::string help) {
  return custom_field<JudgeConfig>(
      {std::move(name), "number", "", std::move(default_text), "above 0, up to 1", std::move(help)},
      [=](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        const auto number = value.is_scalar() ? parse_real(value.scalar) : std::nullopt;
        if (!number || !(*number > 0.0 && *number <= 1.0)) {
          errors.add(ErrorCode::kInvalidInput,
                     path + ": " + (value.is_scalar() ? "'" + value.scalar + "'" : "this") +
                         " is no share of two boxes' area",
                     value.place.text(), "allowed: above 0, up to 1, such as 0.5");
          return;
        }
        judge.*member = *number;
      },
      [=](const JudgeConfig& judge) {
        return judge.*member == JudgeConfig{}.*member
                   ? Value{}
                   : Value::of(field_detail::real_text(judge.*member));
      });
}

std::optional<double> share_of(const Value& value) {
  const std::string& text = value.scalar;
  if (!value.is_scalar() || text.empty()) {
    return std::nullopt;
  }
  const bool is_percent = text.back() == '%';
  const auto number = parse_real(is_percent ? std::string_view(text).substr(0, text.size() - 1)
                                            : std::string_view(text));
  return number && is_percent ? std::optional(*number / 100.0) : number;
}

Field<JudgeConfig> thresholds_field() {
  return custom_field<JudgeConfig>(
      {"thresholds", "list of two shares", "", "[10%, 20%]", "above 0",
       "|faulty - golden| / |golden| above which an answer counts as sdc_10 and as sdc_20"},
      [](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        std::vector<double> shares;
        for (const Value& item : value.items) {
          if (const auto share = share_of(item); share && *share > 0.0) {
            shares.push_back(*share);
          }
        }
        if (!value.is_list() || value.items.size() != 2 || shares.size() != 2 ||
            shares[0] > shares[1]) {
          errors.add(ErrorCode::kInvalidInput, path + ": these are no two thresholds",
                     value.place.text(), "write two rising shares, such as [10%, 20%]");
          return;
        }
        judge.less = shares[0];
        judge.more = shares[1];
      },
      [](const JudgeConfig& judge) {
        const JudgeConfig standard;
        if (judge.less == standard.less && judge.more == standard.more) {
          return Value{};
        }
        return Value::list({Value::of(field_detail::real_text(judge.less)),
                            Value::of(field_detail::real_text(judge.more))});
      });
}

Field<JudgeConfig> file_field() {
  return custom_field<JudgeConfig>(
      {"file", "path", "", "", "",
       "python: the script that calls tilestrike.serve_judge(); library: the .so that defines "
       "tilestrike_add_judge()"},
      [](JudgeConfig& judge, const Value& value, const std::string& path, ErrorList& errors) {
        if (!value.is_scalar() || value.scalar.empty()) {
          field_detail::wrong_type(value, path, "a path", errors);
          return;
        }
        judge.file = absolute_path(value.scalar, folder_of(value.place));
        std::error_code error;
        if (!std::filesystem::is_regular_file(judge.file, error)) {
          errors.add(ErrorCode::kNotFound, path + ": no such file '" + judge.file + "'",
                     value.place.text(), "paths start from the scenario file");
        }
      },
      [](const JudgeConfig& judge) {
        return judge.file.empty() ? Value{} : Value::of(judge.file);
      });
}

const std::vector<JudgeKey>& keys() {
  using enum JudgeKind;
  static const std::vector<JudgeKey> all = {
      {{kBinary},
       optional_real("threshold", &JudgeConfig::threshold, -kMost, "0; of a probability 0.5",
                     "binary: yes is what lies above")},
      {{kBinary},
       either_field("scale", &JudgeConfig::is_probability, "logit", "probability",
                    "binary: what the numbers are")},
      {{kSegmentation, kTokens},
       optional_integer("class_axis", &JudgeConfig::class_axis, kMostAxes,
                        "0; of tokens -1, the last",
                        "segmentation, tokens: axis of the classes in one image's answer, without "
                        "the batch; negative ones count from the end")},
      {{kSegmentation, kTokens},
       optional_integer("ignore", &JudgeConfig::ignore, kMostLabel, "none; of tokens -100",
                        "segmentation, tokens: the label of pixels or positions that do not count "
                        "in the metric")},
      {{kRegression, kRelativeL2}, thresholds_field()},
      {{kRegression},
       optional_real("tolerance", &JudgeConfig::tolerance, 0.0, "none",
                     "regression: sdc_1 says that a number moved by more; without it there is no "
                     "sdc_1")},
      {{kRegression},
       either_field("error", &JudgeConfig::is_squared, "absolute", "squared",
                    "regression: against float labels, the mean absolute or the root mean squared "
                    "error")},
      {{kDetection},
       either_field("layout", &JudgeConfig::is_by_columns, "rows", "columns",
                    "detection: (K, 4 + C), or (4 + C, K) as YOLO's")},
      {{kDetection},
       either_field("boxes", &JudgeConfig::is_centre, "xyxy", "cxcywh",
                    "detection: two corners, or centre, width and height; of labels, too")},
      {{kDetection},
       either_field("scores", &JudgeConfig::has_class_number, "classes", "score_class",
                    "detection: after a box a score for each class, or its score and its class")},
      {{kDetection},
       real_field("score", &JudgeConfig::score, -kMost, kMost, "",
                  "detection: from which score on a box is a detection")},
      {{kDetection},
       overlap_field("iou", &JudgeConfig::iou, "0.5",
                     "detection: from which share of two boxes' common area on they are the same")},
      {{kDetection},
       overlap_field("nms", &JudgeConfig::nms, "none: all boxes stay",
                     "detection: of one class the surest box stands for those that overlap it "
                     "more")},
      {{kPython, kLibrary}, file_field()},
  };
  return all;
}

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const bridge::JudgeTerm& term : bridge::kJudgeTerms) {
    names.emplace_back(term.name);
  }
  return names;
}

bool has_key(JudgeKind kind, const JudgeKey& key) {
  return std::ranges::find(key.kinds, kind) != key.kinds.end();
}

void read_kind(const Value& value, const std::string& path, JudgeConfig& judge, ErrorList& errors) {
  const std::vector<std::string> names = kind_names();
  if (is_choice(value, path, names, {}, errors)) {
    judge.kind = static_cast<JudgeKind>(std::ranges::find(names, value.scalar) - names.begin());
  }
}

void read_key(const Entry& entry, const std::string& path, JudgeConfig& judge, ErrorList& errors) {
  std::vector<std::string> own;
  for (const JudgeKey& key : keys()) {
    if (!has_key(judge.kind, key)) {
      continue;
    }
    if (key.field.about.name == entry.key) {
      key.field.read(judge, entry.value, path + "." + entry.key, errors);
      return;
    }
    own.push_back(key.field.about.name);
  }
  errors.add(ErrorCode::kInvalidInput,
             path + "." + entry.key + ": no key of " + std::string(name_of(judge.kind)),
             entry.place.text(),
             own.empty() ? "it has none but 'kind'" : "its keys: " + join(own, ", "));
}

}  // namespace

JudgeConfig read_judge(const Value& value, const std::string& path, ErrorList& errors) {
  JudgeConfig judge;
  if (!value.is_map()) {
    read_kind(value, path, judge, errors);
  } else if (const Value* kind = value.find("kind")) {
    read_kind(*kind, path + ".kind", judge, errors);
    for (const Entry& entry : value.entries) {
      if (entry.key != "kind") {
        read_key(entry, path, judge, errors);
      }
    }
  } else {
    errors.add(ErrorCode::kInvalidInput, path + ": a judge has a kind", value.place.text(),
               "add 'kind: ' and one of " + join(kind_names(), ", "));
    return judge;
  }
  const bool needs_file = judge.kind == JudgeKind::kPython || judge.kind == JudgeKind::kLibrary;
  if (needs_file && judge.file.empty() && errors.empty()) {
    errors.add(ErrorCode::kInvalidInput,
               path + ": which " + (judge.kind == JudgeKind::kPython ? "script" : "library"),
               value.place.text(),
               "write {kind: " + std::string(name_of(judge.kind)) + ", file: FILE}");
  }
  return judge;
}

Value judge_value(const JudgeConfig& judge) {
  Value map = Value::map();
  map.set("kind", Value::of(std::string(name_of(judge.kind))));
  for (const JudgeKey& key : keys()) {
    const Value value = has_key(judge.kind, key) ? key.field.write(judge) : Value{};
    if (!value.is_null() && !(judge == JudgeConfig(judge.kind))) {
      map.set(key.field.about.name, value);
    }
  }
  return map.entries.size() == 1 ? map.entries.front().value : map;
}

FieldHelp judge_help() {
  return {"judge",
          "choice or map",
          "",
          "auto",
          join(kind_names(), " | "),
          "what an answer is, and so what a wrong one: a kind, or {kind: KIND, KEY: ...} "
          "(docs/judges.md); auto: top_k where the answer is one vector of classes"};
}

std::vector<FieldHelp> judge_key_help() {
  std::vector<FieldHelp> all;
  for (const JudgeKey& key : keys()) {
    all.push_back(key.field.about);
    all.back().name = "judge." + all.back().name;
  }
  return all;
}

std::string meaning_of(Rate rate, const JudgeConfig& judge) {
  const bridge::Refinements refined = bridge::refinements_of(judge);
  switch (rate) {
    case Rate::kSdc1:
      return refined.sdc_1;
    case Rate::kSdc5:
      return refined.sdc_5;
    case Rate::kSdc10:
      return refined.sdc_10;
    case Rate::kSdc20:
      return refined.sdc_20;
    default:
      return name_of(rate);
  }
}

}  // namespace tilestrike::campaigns
