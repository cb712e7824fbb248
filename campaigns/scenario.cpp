// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/text.h"
#include "campaigns/fields.h"
#include "campaigns/library.h"
#include "campaigns/rates.h"
#include "sim/engine.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() - 1;
constexpr std::int64_t kMostTrials = std::int64_t{1} << 40;

std::optional<double> share_of(const std::string& text) {
  if (!text.empty() && text.back() == '%') {
    const auto percent = parse_real(std::string_view(text).substr(0, text.size() - 1));
    return percent ? std::optional<double>(*percent / 100.0) : std::nullopt;
  }
  return parse_real(text);
}

template <class Config>
Field<Config> share_field(std::string name, double Config::*member, std::string default_text,
                          std::string help) {
  return custom_field<Config>(
      {std::move(name), "share", "", std::move(default_text), "above 0 %, below 100 %",
       std::move(help)},
      [member](Config& config, const Value& value, const std::string& path, ErrorList& errors) {
        const auto share = value.is_scalar() ? share_of(value.scalar) : std::nullopt;
        if (!share) {
          field_detail::wrong_type(value, path, "a share such as 5% or 0.05", errors);
        } else if (!(*share > 0.0 && *share < 1.0)) {
          errors.add(ErrorCode::kInvalidInput, path + ": " + value.scalar + " is out of range",
                     value.place.text(), "allowed: above 0 %, below 100 %");
        } else {
          config.*member = *share;
        }
      },
      [member](const Config& config) {
        return config.*member > 0.0 ? Value::of(field_detail::real_text(config.*member)) : Value{};
      });
}

FieldTable<DataConfig> data_fields() {
  return {
      text_field("images", &DataConfig::images,
                 "path of .npy or IDX images, or a data set (" + join(data_sets(), ", ") +
                     "); a zoo model has " + std::string(kZooImages) + " by default"),
      text_field("labels", &DataConfig::labels, "path of .npy or IDX class numbers; optional"),
      text_field("calibrate", &DataConfig::calibrate,
                 "images that fix the int8 scales; a zoo model has " +
                     std::string(kZooCalibration) + " by default, else the images in use"),
      custom_field<DataConfig>(
          {"use", "integer or all", "images", "all", "1 and more",
           "the first so many images are struck and judged"},
          [](DataConfig& data, const Value& value, const std::string& path, ErrorList& errors) {
            if (value.is_scalar() && value.scalar == "all") {
              data.use = 0;
              return;
            }
            field_detail::read_integer(value, path, 1, kMost, errors,
                                       [&](std::int64_t number) { data.use = number; });
          },
          [](const DataConfig& data) {
            return Value::of(data.use == 0 ? "all" : std::to_string(data.use));
          }),
  };
}

FieldTable<Until> until_fields() {
  return {
      share_field("relative", &Until::relative, "", "half-width of the interval over the rate"),
      share_field("half_width", &Until::half_width, "", "half-width of the interval"),
      share_field("confidence", &Until::confidence, "95%",
                  "of this and of the summary's intervals"),
      custom_field<Until>(
          {"of", "choice", "", "sdc", join(rate_names(), " | "), "whose rate is to be precise"},
          [](Until& until, const Value& value, const std::string& path, ErrorList& errors) {
            if (is_choice(value, path, rate_names(), {}, errors)) {
              until.of = value.scalar;
            }
          },
          [](const Until& until) { return Value::of(until.of); }),
  };
}

Field<Scenario> accelerator_field() {
  auto field = custom_field<Scenario>(
      {"accelerator", "name, path or map", "", std::string(kDefaultAccelerator), "",
       "a name of `tilestrike list accelerators`, a YAML file, or {base: NAME, key: value ...}"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        ErrorList own;
        const Value map = resolve_accelerator(value, path, own);
        try {
          own.throw_if_any();
        } catch (const Failure& failure) {
          errors.add(failure);
          return;
        }
        read_fields(bridge::accelerator_fields(), map, path, scenario.accelerator, errors);
      },
      [](const Scenario& scenario) {
        return write_fields(bridge::accelerator_fields(), scenario.accelerator);
      });
  for (FieldHelp help : help_of(bridge::accelerator_fields())) {
    help.name = "accelerator." + help.name;
    field.nested.push_back(std::move(help));
  }
  return field;
}

Field<Scenario> until_field() {
  auto field = custom_field<Scenario>(
      {"until", "map", "", "", "",
       "stop as soon as the interval of a rate is this narrow; 'trials' is then the most"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        Until until;
        read_fields(until_fields(), value, path, until, errors);
        if (value.is_map() && value.find("relative") == nullptr &&
            value.find("half_width") == nullptr) {
          errors.add(ErrorCode::kInvalidInput, path + ": no width is asked for", value.place.text(),
                     "add 'relative: 20%' or 'half_width: 1%'");
        }
        scenario.until = until;
      },
      [](const Scenario& scenario) {
        return scenario.until ? write_fields(until_fields(), *scenario.until) : Value{};
      });
  for (FieldHelp help : help_of(until_fields())) {
    help.name = "until." + help.name;
    field.nested.push_back(std::move(help));
  }
  return field;
}

void check_model(Scenario& scenario, const Value& document, ErrorList& errors) {
  const Value* given = document.find("model");
  if (given == nullptr || !given->is_scalar()) {
    return;  // reported when it was read
  }
  const auto model = find_model(scenario.model, "model", given->place, errors);
  if (!model) {
    return;
  }
  scenario.model = model->name;
  DataConfig& data = scenario.data;
  if (!data.images.empty()) {
    return;
  }
  if (!model->is_zoo) {
    errors.add(ErrorCode::kInvalidInput,
               "data.images: this key is required with a model of your own",
               place_at(document, "data"), "add 'data: {images: FILE.npy}'");
    return;
  }
  data.images = kZooImages;
  if (data.calibrate.empty()) {
    data.calibrate = kZooCalibration;
  }
}

void check_data_file(std::string& text, const std::string& key, bool may_be_data_set,
                     const Value& document, ErrorList& errors) {
  if (text.empty() || (may_be_data_set && is_data_set(text))) {
    return;
  }
  const Value* data = document.find("data");
  const Value* given = data == nullptr ? nullptr : data->find(key);
  const Place place = given == nullptr ? Place{} : given->place;
  text = absolute_path(text, folder_of(place));
  std::error_code error;
  if (!std::filesystem::is_regular_file(text, error)) {
    errors.add(ErrorCode::kNotFound, "data." + key + ": no such file '" + text + "'", place.text(),
               may_be_data_set
                   ? "paths start from the scenario file; data sets: " + join(data_sets(), ", ")
                   : "paths start from the scenario file");
  }
}

void check_device(const Scenario& scenario, const Value& document, ErrorList& errors) {
  const std::string& device = scenario.device;
  const bool is_numbered =
      device.rfind("cuda:", 0) == 0 && device.size() > 5 && device.size() < 9 &&
      std::all_of(device.begin() + 5, device.end(), [](char c) { return '0' <= c && c <= '9'; });
  if (device != "auto" && device != "cpu" && device != "cuda" && !is_numbered) {
    errors.add(ErrorCode::kInvalidInput, "device: '" + device + "' is not a device",
               place_at(document, "device"), "allowed: auto, cpu, cuda:N");
  }
}

void check_trials(Scenario& scenario, const Value& document, ErrorList& errors) {
  const StrikeConfig& strike = scenario.strike;
  if (document.find("trials") == nullptr && strike.process == Process::kList) {
    scenario.trials.is_exhaustive = true;
  }
  if (!scenario.trials.is_exhaustive) {
    return;
  }
  const bool has_random = std::find(strike.faults.begin(), strike.faults.end(),
                                    FaultKind::kRandom) != strike.faults.end();
  if (strike.process == Process::kUniform && (strike.count != 1 || has_random)) {
    errors.add(ErrorCode::kInvalidInput,
               "trials: 'exhaustive' takes every single fault once, not several or random ones",
               place_at(document, "trials"), "write a number of trials, or 'count: 1' and a flip");
  }
  if (scenario.until) {
    errors.add(ErrorCode::kInvalidInput, "until: an exhaustive campaign has no sampling error",
               place_at(document, "until"), "leave 'until' out, or write a number of trials");
  }
}

}  // namespace

FieldTable<Scenario> scenario_fields() {
  FieldTable<Scenario> table = {
      text_field("model", &Scenario::model, "path of a .pt2 archive, or a zoo model"),
      nested_field("data", &Scenario::data, data_fields(), "images that are struck and judged"),
      accelerator_field(),
      custom_field<Scenario>(
          {"format", "choice", "", "int8", "int8", "numbers on the accelerator"},
          [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
            if (is_choice(value, path, {"int8"}, {"float32", "float16", "bfloat16", "int4"},
                          errors)) {
              scenario.format = value.scalar;
            }
          },
          [](const Scenario& scenario) { return Value::of(scenario.format); }),
      nested_field("strike", &Scenario::strike, strike_fields(), "what strikes, where and when"),
      custom_field<Scenario>(
          {"trials", "integer or exhaustive", "", "1000", "1 to " + std::to_string(kMostTrials),
           "drawn strikes; exhaustive: every member of the population once (the default of a "
           "list)"},
          [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
            scenario.trials.is_exhaustive = value.is_scalar() && value.scalar == "exhaustive";
            if (!scenario.trials.is_exhaustive) {
              field_detail::read_integer(
                  value, path, 1, kMostTrials, errors,
                  [&](std::int64_t number) { scenario.trials.number = number; });
            }
          },
          [](const Scenario& scenario) {
            return Value::of(scenario.trials.is_exhaustive
                                 ? "exhaustive"
                                 : std::to_string(scenario.trials.number));
          }),
      until_field(),
      integer_field("seed", &Scenario::seed, 0, kMost, "",
                    "of the random streams: trial k of a seed is always the same trial"),
      text_field("device", &Scenario::device,
                 "where the network runs: auto | cpu | cuda:N; never changes a result"),
      custom_field<Scenario>(
          {"engine", "choice", "", "systemc", join(sim::engine_names(), " | "),
           "what computes a struck pass"},
          [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
            if (is_choice(value, path, sim::engine_names(), {"closed_form", "rtl"}, errors)) {
              scenario.engine = value.scalar;
            }
          },
          [](const Scenario& scenario) { return Value::of(scenario.engine); }),
      unavailable_field<Scenario>("audit", "a share of the trials computed by a second engine",
                                  "leave it out; it comes with a second engine to audit"),
  };
  table.front().is_required = true;
  return table;
}

Scenario read_scenario(Value document, ErrorList& errors) {
  Scenario scenario;
  if (!document.is_map()) {
    errors.add(ErrorCode::kInvalidInput, "a scenario is a map of keys", document.place.text(),
               "start with 'model: NAME'");
    return scenario;
  }
  if (document.find("accelerator") == nullptr) {
    document.set("accelerator", Value::of(std::string(kDefaultAccelerator)));
  }
  ErrorList syntax;
  read_fields(scenario_fields(), document, "", scenario, syntax);
  check_model(scenario, document, syntax);
  check_data_file(scenario.data.images, "images", true, document, syntax);
  check_data_file(scenario.data.calibrate, "calibrate", true, document, syntax);
  check_data_file(scenario.data.labels, "labels", false, document, syntax);
  check_device(scenario, document, syntax);
  if (syntax.empty()) {
    check_strike(scenario.strike, scenario.accelerator.mesh, document, errors);
    check_trials(scenario, document, errors);
    return scenario;
  }
  try {
    syntax.throw_if_any();
  } catch (const Failure& failure) {
    errors.add(failure);
  }
  return scenario;
}

Value expanded(const Scenario& scenario) { return write_fields(scenario_fields(), scenario); }

bridge::StudyInputs study_inputs(const Scenario& scenario) {
  ErrorList errors;
  Place nowhere{"model", 0, 0};
  const auto model = find_model(scenario.model, "model", nowhere, errors);
  errors.throw_if_any();
  bridge::StudyInputs inputs;
  inputs.model = model->path;
  inputs.images = scenario.data.images;
  inputs.labels = scenario.data.labels;
  inputs.calibrate = scenario.data.calibrate;
  inputs.use = scenario.data.use;
  inputs.accelerator = scenario.accelerator;
  inputs.device = scenario.device;
  inputs.engine = scenario.engine;
  return inputs;
}

}  // namespace tilestrike::campaigns
