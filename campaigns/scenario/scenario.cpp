// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/scenario.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "base/text.h"
#include "campaigns/scenario/core_presets.h"
#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/judge_fields.h"
#include "campaigns/scenario/library.h"
#include "campaigns/statistics/rates.h"

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
                          std::string help, bool may_be_all = false) {
  const std::string range = may_be_all ? "above 0 %, up to 100 %" : "above 0 %, below 100 %";
  return custom_field<Config>(
      {std::move(name), "share", "", std::move(default_text), range, std::move(help)},
      [member, may_be_all, range](Config& config, const Value& value, const std::string& path,
                                  ErrorList& errors) {
        const auto share = value.is_scalar() ? share_of(value.scalar) : std::nullopt;
        if (!share) {
          field_detail::wrong_type(value, path, "a share such as 5% or 0.05", errors);
        } else if (!(*share > 0.0 && (*share < 1.0 || (may_be_all && *share == 1.0)))) {
          errors.add(ErrorCode::kInvalidInput, path + ": " + value.scalar + " is out of range",
                     value.place.text(), "allowed: " + range);
        } else {
          config.*member = *share;
        }
      },
      [member](const Config& config) {
        return config.*member > 0.0 ? Value::of(field_detail::real_text(config.*member)) : Value{};
      });
}

/// A path; or a map of paths by the names of the model's inputs, or a list of them in their order.
Field<DataConfig> files_field(std::string name, InputFiles DataConfig::*member, std::string help) {
  return custom_field<DataConfig>(
      {std::move(name), "path, map or list", "", "", "", std::move(help)},
      [member](DataConfig& data, const Value& value, const std::string& path, ErrorList& errors) {
        std::vector<InputFile> files;
        const auto add = [&](const std::string& input, const Value& file) {
          if (!file.is_scalar() || file.scalar.empty()) {
            field_detail::wrong_type(file, path, "a path for each input of the model", errors);
            return;
          }
          files.push_back({input, file.scalar});
        };
        if (value.is_map()) {
          for (const Entry& entry : value.entries) {
            add(entry.key, entry.value);
          }
        } else if (value.is_list()) {
          std::ranges::for_each(value.items, [&](const Value& file) { add("", file); });
        } else {
          add("", value);
        }
        data.*member = InputFiles(std::move(files));
      },
      [member](const DataConfig& data) {
        const std::vector<InputFile>& files = (data.*member).all();
        if (files.empty()) {
          return Value{};
        }
        if (files.size() == 1 && files.front().name.empty()) {
          return Value::of(files.front().path);
        }
        Value map = Value::map();
        std::vector<Value> list;
        for (const InputFile& file : files) {
          map.set(file.name, Value::of(file.path));
          list.push_back(Value::of(file.path));
        }
        return files.front().name.empty() ? Value::list(std::move(list)) : map;
      });
}

/// 0 stands for all.
void read_number_or_all(const Value& value, const std::string& path, std::int64_t& number,
                        ErrorList& errors) {
  if (value.is_scalar() && value.scalar == "all") {
    number = 0;
    return;
  }
  field_detail::read_integer(value, path, 1, kMost, errors,
                             [&](std::int64_t given) { number = given; });
}
Value number_or_all(std::int64_t number) {
  return Value::of(number == 0 ? "all" : std::to_string(number));
}

FieldTable<DataConfig> data_fields() {
  return {
      files_field(
          "images", &DataConfig::images,
          "path of .npy or IDX images, or a data set (" + join(data_sets(), ", ") +
              "); a zoo model has its own by default, " + std::string(kZooImages) +
              " where there are none; of a model with several inputs {NAME: path, ...} or a list"),
      text_field(
          "labels", &DataConfig::labels,
          "path of .npy or IDX labels, of the shape that the judge takes; a zoo model has its "
          "own, where it has images of its own; else optional"),
      files_field("calibrate", &DataConfig::calibrate,
                  "images that fix the int8 scales, as `images`; a zoo model has its own or " +
                      std::string(kZooCalibration) + " by default, others `images`"),
      custom_field<DataConfig>(
          {"calibrate_use", "integer or all", "images", std::to_string(bridge::kCalibrationImages),
           "1 and more", "at most so many of `calibrate`, spread evenly over them"},
          [](DataConfig& data, const Value& value, const std::string& path, ErrorList& errors) {
            read_number_or_all(value, path, data.calibrate_use, errors);
          },
          [](const DataConfig& data) {
            return data.calibrate_use == bridge::kCalibrationImages
                       ? Value{}
                       : number_or_all(data.calibrate_use);
          }),
      custom_field<DataConfig>(
          {"use", "integer or all", "images", "all", "1 and more",
           "the first so many images are struck and judged"},
          [](DataConfig& data, const Value& value, const std::string& path, ErrorList& errors) {
            read_number_or_all(value, path, data.use, errors);
          },
          [](const DataConfig& data) { return number_or_all(data.use); }),
  };
}

FieldTable<Until> until_fields() {
  return {
      share_field("relative", &Until::relative, "", "half-width of the interval over the rate"),
      share_field("half_width", &Until::half_width, "", "half-width of the interval"),
      share_field("confidence", &Until::confidence, "95%",
                  "of this and of the summary's intervals"),
      custom_field<Until>(
          {"of", "choice or list", "", "sdc", join(rate_names(), " | "),
           "whose rate is to be precise; of a list, each of them that can happen at all"},
          [](Until& until, const Value& value, const std::string& path, ErrorList& errors) {
            std::vector<Rate> rates;
            for (const Value& item : items_of(value)) {
              if (is_choice(item, path, rate_names(), {}, errors)) {
                rates.push_back(*rate_named(item.scalar));
              }
            }
            if (!rates.empty()) {
              until.of = std::move(rates);
            }
          },
          [](const Until& until) {
            std::vector<Value> items;
            for (const Rate rate : until.of) {
              items.push_back(Value::of(name_of(rate)));
            }
            return items.size() == 1 ? items.front() : Value::list(std::move(items));
          }),
  };
}

bool is_none(const Value& value) { return value.is_scalar() && value.scalar == "none"; }

Field<Scenario> format_field() {
  return custom_field<Scenario>(
      {"format", "choice", "", "auto", "auto | " + join(number_format_names(), " | "),
       "in which tensors are stored; auto: int8 with an accelerator, else float32"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        if (!value.is_scalar()) {
          field_detail::wrong_type(value, path, "the name of a number format", errors);
          return;
        }
        const auto format = NumberFormat::parse(value.scalar);
        const bool is_known =
            format &&
            (format->is_float() ? format->bits <= 32
                                : format->bits <= 8 || format->kind == NumberFormat::Kind::kFixed);
        if (value.scalar != "auto" && !is_known) {
          errors.add(ErrorCode::kInvalidInput, path + ": '" + value.scalar + "' is not a choice",
                     value.place.text(), suggestion(value.scalar, number_format_names()));
          return;
        }
        scenario.format = is_known ? format->name() : "auto";
      },
      [](const Scenario& scenario) { return Value::of(scenario.format); });
}

Field<Scenario> batch_field() {
  return custom_field<Scenario>(
      {"batch", "integer or auto", "images", "auto", "1 to 65536",
       "images of one inference; auto: 1 where the mesh is struck, or activations together with "
       "other tensors, else 32"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        if (value.is_scalar() && value.scalar == "auto") {
          scenario.batch = 0;
          return;
        }
        field_detail::read_integer(value, path, 1, 65536, errors,
                                   [&](std::int64_t number) { scenario.batch = number; });
      },
      [](const Scenario& scenario) {
        return Value::of(scenario.batch == 0 ? "auto" : std::to_string(scenario.batch));
      });
}

template <class Choice>
Field<Scenario> choice_of(std::string name, Choice Scenario::*member,
                          std::vector<std::pair<std::string, Choice>> choices, std::string help) {
  std::vector<std::string> names;
  for (const auto& [text, value] : choices) {
    names.push_back(text);
  }
  const std::string standard = choice_name(choices, Scenario{}.*member);
  return custom_field<Scenario>(
      {std::move(name), "choice", "", standard, join(names, " | "), std::move(help)},
      [=](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        if (is_choice(value, path, names, {}, errors)) {
          for (const auto& [text, chosen] : choices) {
            scenario.*member = text == value.scalar ? chosen : scenario.*member;
          }
        }
      },
      [=](const Scenario& scenario) { return Value::of(choice_name(choices, scenario.*member)); });
}

/// Handed through: networks know the keys.
Field<Scenario> spiking_field() {
  return custom_field<Scenario>(
      {"spiking", "map", "", "", "",
       "of a .nir model: keys that go over those of its side file NAME.spiking.yaml: ticks, dt, "
       "spike_as, reset, encode, readout (docs/spiking.md)"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        if (!value.is_map() && !value.is_null()) {
          field_detail::wrong_type(value, path, "a map such as {ticks: 8}", errors);
          return;
        }
        scenario.spiking = value;
      },
      [](const Scenario& scenario) { return scenario.spiking; });
}

/// Absent where it is PyTorch's, so that files from before there was a choice can be resumed.
Field<Scenario> arithmetic_field() {
  return custom_field<Scenario>(
      {"arithmetic", "choice", "", "pytorch", "pytorch | fixed_order",
       "of float networks: whose sums; fixed_order: by input channel, line and column, so that "
       "what a strike does not touch need not be computed; the last bits differ from PyTorch's"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        if (is_choice(value, path, {"pytorch", "fixed_order"}, {}, errors)) {
          scenario.is_fixed_order = value.scalar == "fixed_order";
        }
      },
      [](const Scenario& scenario) {
        return scenario.is_fixed_order ? Value::of("fixed_order") : Value{};
      });
}

Field<Scenario> accelerator_field() {
  auto field = custom_field<Scenario>(
      {"accelerator", "name, path or map", "", std::string(kDefaultAccelerator), "",
       "a name of `tilestrike list accelerators`, a YAML file, {base: NAME, key: value ...}, or "
       "none: a strike on tensors needs no hardware"},
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        scenario.has_accelerator = !is_none(value);
        if (scenario.has_accelerator) {
          scenario.accelerator = read_accelerator(value, path, errors);
        }
      },
      [](const Scenario& scenario) {
        return scenario.has_accelerator
                   ? write_fields(bridge::accelerator_fields(), scenario.accelerator)
                   : Value::of("none");
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
  DataConfig& data = scenario.data;
  if (scenario.model == kNoModel) {
    if (!data.images.empty() || !data.labels.empty() || !data.calibrate.empty()) {
      errors.add(ErrorCode::kInvalidInput, "data: without a model there are no images",
                 place_at(document, "data"), "leave them out; 'use' counts sets of operands");
    }
    return;
  }
  const auto model = find_model(scenario.model, "model", given->place, errors);
  if (!model) {
    return;
  }
  scenario.model = model->name;
  if (!data.images.empty()) {
    return;
  }
  if (!model->is_zoo) {
    errors.add(ErrorCode::kInvalidInput,
               "data.images: this key is required with a model of your own",
               place_at(document, "data"), "add 'data: {images: FILE.npy}'");
    return;
  }
  const ZooData own = zoo_data(model->path);
  data.images = own.images;
  if (data.labels.empty()) {
    data.labels = own.labels;
  }
  if (data.calibrate.empty()) {
    data.calibrate = own.calibrate;
  }
}

/// Where the scenario says data.KEY (or data.KEY.INPUT), or has the path in the list of data.KEY.
Place place_of_file(const std::string& path, const std::string& key, const Value& document) {
  const Value* found = document.find("data");
  for (std::string_view rest = key; found != nullptr && !rest.empty();) {
    const std::size_t dot = rest.find('.');
    found = found->find(rest.substr(0, dot));
    rest = dot == std::string_view::npos ? std::string_view() : rest.substr(dot + 1);
  }
  if (found != nullptr && found->is_list()) {
    const auto item = std::ranges::find(found->items, path, &Value::scalar);
    found = item == found->items.end() ? found : &*item;
  }
  return found == nullptr ? Place{} : found->place;
}

void check_data_file(std::string& text, const std::string& key, bool may_be_data_set,
                     const Value& document, ErrorList& errors) {
  if (text.empty() || (may_be_data_set && is_data_set(text))) {
    return;
  }
  const Place place = place_of_file(text, key, document);
  text = absolute_path(text, folder_of(place));
  std::error_code error;
  if (!std::filesystem::is_regular_file(text, error)) {
    errors.add(ErrorCode::kNotFound, "data." + key + ": no such file '" + text + "'", place.text(),
               may_be_data_set
                   ? "paths start from the scenario file; data sets: " + join(data_sets(), ", ")
                   : "paths start from the scenario file");
  }
}

void check_data_files(InputFiles& files, const std::string& key, const Value& document,
                      ErrorList& errors) {
  for (InputFile& file : files.all()) {
    check_data_file(file.path, file.name.empty() ? key : key + "." + file.name, true, document,
                    errors);
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

/// What accelerator, format, batch and strike say together.
void check_target(Scenario& scenario, const Value& document, ErrorList& errors) {
  const bool is_on_tensors = strikes_tensors(scenario.strike);
  if (!is_on_tensors && !scenario.has_accelerator) {
    errors.add(ErrorCode::kInvalidInput,
               std::string("strike.where: without an accelerator there ") +
                   (strikes_memories(scenario.strike) ? "are no memories" : "is no mesh"),
               place_at(document, "strike"),
               "name tensors, such as 'where: {weights: \"*\"}', or an accelerator");
    return;
  }
  if (scenario.has_accelerator && scenario.number_format() != NumberFormat::integer(8)) {
    errors.add(ErrorCode::kUnsupported,
               "format: the mesh computes on int8, not " + scenario.number_format().name(),
               place_at(document, "format"), "write 'accelerator: none', or leave 'format' out");
  }
  if (scenario.is_fixed_order && scenario.number_format() == NumberFormat::integer(8)) {
    errors.add(ErrorCode::kInvalidInput, "arithmetic: sums of integers are the same in any order",
               place_at(document, "arithmetic"),
               "leave it out, or write 'accelerator: none' and a float format");
  }
  if (!is_on_tensors && scenario.batch > 1) {
    errors.add(ErrorCode::kUnsupported, "batch: the mesh takes one image at a time",
               place_at(document, "batch"), "leave it out");
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
  const bool is_rate = strike.per_bit > 0.0 || strike.per_parameter > 0.0;
  if (is_particle(strike) || is_failure(strike)) {
    errors.add(ErrorCode::kInvalidInput,
               is_particle(strike) ? "trials: particles are drawn, not counted through"
                                   : "trials: what fails is drawn, not counted through",
               place_at(document, "trials"), "write a number of trials");
  }
  if (strike.process == Process::kUniform && (strike.count != 1 || has_random || is_rate)) {
    errors.add(ErrorCode::kInvalidInput,
               "trials: 'exhaustive' takes every single fault once, not several or random ones",
               place_at(document, "trials"), "write a number of trials, or 'count: 1' and a flip");
  }
  if (scenario.until) {
    errors.add(ErrorCode::kInvalidInput, "until: an exhaustive campaign has no sampling error",
               place_at(document, "until"), "leave 'until' out, or write a number of trials");
  }
}

void check_until(const Scenario& scenario, const Value& document, ErrorList& errors) {
  if (!scenario.until) {
    return;
  }
  std::vector<std::string> there;
  for (const Rate rate : kRates) {
    if (!meaning_of(rate, scenario.judge).empty()) {
      there.push_back(name_of(rate));
    }
  }
  for (const Rate rate : scenario.until->of) {
    if (meaning_of(rate, scenario.judge).empty()) {
      errors.add(ErrorCode::kInvalidInput,
                 "until.of: judged by " + std::string(bridge::name_of(scenario.judge.kind)) +
                     " an answer has no " + name_of(rate),
                 place_at(document, "until.of"),
                 "ask for " + join(there, ", ") + ", or write another 'judge'");
    }
  }
}

Field<Scenario> judge_field() {
  auto field = custom_field<Scenario>(
      judge_help(),
      [](Scenario& scenario, const Value& value, const std::string& path, ErrorList& errors) {
        scenario.judge = read_judge(value, path, errors);
      },
      [](const Scenario& scenario) { return judge_value(scenario.judge); });
  field.nested = judge_key_help();
  return field;
}

Field<Scenario> engine_field(const sim::EngineSet& engines) {
  return custom_field<Scenario>(
      {"engine", "choice", "", "systemc", join(engines.names(), " | "),
       "what computes a struck pass"},
      [engines](Scenario& scenario, const Value& value, const std::string& path,
                ErrorList& errors) {
        if (const sim::AbsentEngine* absent = engines.find_absent(value.scalar)) {
          errors.add(ErrorCode::kUnsupported, path + ": " + absent->what, value.place.text(),
                     absent->cure + ", or choose one of " + join(engines.names(), ", "));
        } else if (is_choice(value, path, engines.names(), {}, errors)) {
          scenario.engine = value.scalar;
        }
      },
      [](const Scenario& scenario) { return Value::of(scenario.engine); });
}

}  // namespace

FieldTable<Scenario> scenario_fields(const sim::EngineSet& engines) {
  FieldTable<Scenario> table = {
      text_field(
          "model", &Scenario::model,
          "path of a .pt2 archive or a TorchScript file, or a zoo model; of `correlate` also none"),
      nested_field("data", &Scenario::data, data_fields(), "images that are struck and judged"),
      text_field(
          "output", &Scenario::output,
          "which of the model's outputs is the answer, where it has several: its key in what "
          "the model returns, or its place, from 0 on"),
      spiking_field(),
      accelerator_field(),
      format_field(),
      arithmetic_field(),
      batch_field(),
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
      choice_of<bool>("differential", &Scenario::is_differential, {{"on", true}, {"off", false}},
                      "off: a layer whose input differs in one element is computed whole; never "
                      "changes a result"),
      bytes_field("memory", &Scenario::memory_bytes, std::int64_t{1} << 20, std::int64_t{1} << 50,
                  "what golden runs that are kept at one time may hold, beside the network and its "
                  "images; never changes a result"),
      judge_field(),
      choice_of<bool>("outcomes", &Scenario::keeps_outcomes, {{"all", true}, {"none", false}},
                      "rows of the table `outcomes`: one per image that a lasting fault changed"),
      engine_field(engines),
      share_field<Scenario>("audit", &Scenario::audit, "",
                            "share of the trials that all other engines compute, too; exit code 1 "
                            "where one differs",
                            true),
  };
  table.front().is_required = true;
  return table;
}

namespace {

void check_made_up(const Scenario& scenario, const Value& document, ErrorList& errors) {
  if (scenario.model == kNoModel && !strikes_mesh_alone(scenario.strike)) {
    errors.add(ErrorCode::kInvalidInput,
               "model: without one, registers of the mesh are struck only",
               place_at(document, "strike"), "name a model, or strike 'where: {mesh: {}}'");
  }
}

void check_audit(const Scenario& scenario, const Value& document, ErrorList& errors) {
  if (scenario.audit > 0.0 && strikes_tensors(scenario.strike)) {
    errors.add(ErrorCode::kInvalidInput, "audit: no engine computes strikes on tensors",
               place_at(document, "audit"),
               "leave it out, or strike 'where: {mesh: {}}' or 'where: {memory: all}'");
  }
}

}  // namespace

bool strikes_cores(const Scenario& scenario) {
  return scenario.has_accelerator && scenario.accelerator.has_core &&
         !strikes_tensors(scenario.strike);
}

Scenario read_scenario(Value document, const sim::EngineSet& engines, ErrorList& errors,
                       const std::vector<std::string>& later) {
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
  expand_preset(document, syntax);
  read_fields(scenario_fields(engines), document, "", scenario, syntax);
  check_model(scenario, document, syntax);
  check_data_files(scenario.data.images, "images", document, syntax);
  check_data_files(scenario.data.calibrate, "calibrate", document, syntax);
  check_data_file(scenario.data.labels, "labels", false, document, syntax);
  check_device(scenario, document, syntax);
  if (syntax.empty()) {
    check_target(scenario, document, errors);
    if (strikes_cores(scenario)) {
      check_core_strike(scenario.strike, scenario.accelerator, document, errors);
    } else {
      check_strike(scenario.strike, scenario.accelerator.mesh, document, errors);
    }
    if (scenario.has_accelerator && !scenario.accelerator.has_core) {
      check_memory_strike(scenario.strike, scenario.accelerator, document, errors, later);
    }
    check_trials(scenario, document, errors);
    check_until(scenario, document, errors);
    check_audit(scenario, document, errors);
    check_made_up(scenario, document, errors);
    return scenario;
  }
  try {
    syntax.throw_if_any();
  } catch (const Failure& failure) {
    errors.add(failure);
  }
  return scenario;
}

NumberFormat Scenario::number_format() const {
  if (format == "auto") {
    return has_accelerator ? NumberFormat::integer(8) : kFloat32;
  }
  return NumberFormat::parse(format).value_or(kFloat32);
}

Value expanded(const Scenario& scenario) { return write_fields(scenario_fields({}), scenario); }

bridge::StudyInputs study_inputs(const Scenario& scenario, const sim::EngineSet& engines) {
  if (scenario.model == kNoModel) {
    fail(ErrorCode::kInvalidInput, "model: none: there is no network whose answer could be judged",
         "scenario", "name a model, or use `tilestrike correlate`");
  }
  ErrorList errors;
  Place nowhere{"model", 0, 0};
  const auto model = find_model(scenario.model, "model", nowhere, errors);
  errors.throw_if_any();
  bridge::StudyInputs inputs;
  inputs.model = model->path;
  inputs.images = scenario.data.images;
  inputs.labels = scenario.data.labels;
  inputs.calibrate = scenario.data.calibrate;
  inputs.calibrate_use = scenario.data.calibrate_use;
  inputs.spiking = scenario.spiking;
  inputs.output = scenario.output;
  inputs.use = scenario.data.use;
  inputs.accelerator = scenario.accelerator;
  if (scenario.has_accelerator && scenario.accelerator.has_core) {
    inputs.neurons = scenario.accelerator.core.format();
  }
  inputs.has_accelerator = scenario.has_accelerator;
  inputs.strikes_tensors = strikes_tensors(scenario.strike);
  inputs.format = scenario.number_format();
  const TensorSelection& tensors = scenario.strike.where.tensors;
  // What has struck the constants of one trial is not there in the next: no two share a batch.
  const bool is_of_both = tensors.strikes_constants() && tensors.strikes_activations();
  inputs.batch = scenario.batch > 0 ? scenario.batch : inputs.strikes_tensors ? 0 : 1;
  inputs.is_batch_shared = !is_of_both;
  inputs.judge = scenario.judge;
  inputs.device = scenario.device;
  inputs.is_differential = scenario.is_differential;
  inputs.memory_bytes = scenario.memory_bytes;
  inputs.is_fixed_order = scenario.is_fixed_order;
  inputs.engines = engines;
  inputs.engine = scenario.engine;
  return inputs;
}

}  // namespace tilestrike::campaigns
