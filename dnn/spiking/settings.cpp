// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/settings.h"

#include <filesystem>

#include "base/yaml.h"

namespace tilestrike::dnn {
namespace {

FieldTable<SpikingSettings> make_fields() {
  using S = SpikingSettings;
  FieldTable<S> fields;
  fields.push_back(
      integer_field<S>("ticks", &S::ticks, 1, 65535, "", "time steps of one inference, T"));
  fields.back().is_required = true;
  fields.push_back(real_field<S>("dt", &S::dt, 1e-12, 1e6, "s",
                                 "length of a time step, in the unit of the file's tau"));
  fields.back().is_required = true;
  fields.push_back(choice_field<S, SpikeAs>(
      "spike_as", &S::spike_as, {{"charge", SpikeAs::kCharge}, {"current", SpikeAs::kCurrent}},
      "what a spike of weight w is to a neuron without a leak: a charge, which moves the membrane "
      "by r w, or a current of one time step, which moves it by r w dt"));
  fields.push_back(choice_field<S, ResetKind>(
      "reset", &S::reset, {{"hard", ResetKind::kHard}, {"soft", ResetKind::kSoft}},
      "what a spike does to its neuron: the membrane takes v_reset, or loses the threshold"));
  fields.push_back(choice_field<S, Encoding>(
      "encode", &S::encode, {{"rate", Encoding::kRate}, {"constant", Encoding::kConstant}},
      "how a number x of the input becomes T time steps: floor(x T + 1/2) evenly spaced spikes, or "
      "the number itself in each, which no core takes: the first layer is computed beside them"));
  fields.push_back(choice_field<S, Readout>("readout", &S::readout,
                                            {{"membrane", Readout::kMembrane},
                                             {"count", Readout::kCount},
                                             {"first_spike", Readout::kFirstSpike}},
                                            "what of the last neurons is the answer"));
  for (auto& field : fields) {
    if (field.is_required) {
      field.about.default_text.clear();
    }
  }
  return fields;
}

}  // namespace

const FieldTable<SpikingSettings>& spiking_fields() {
  static const FieldTable<SpikingSettings> fields = make_fields();
  return fields;
}

std::string side_file_of(const std::string& model_path) {
  std::filesystem::path path = model_path;
  if (path.extension() == ".nir") {
    path.replace_extension();
  }
  return path.string() + ".spiking.yaml";
}

SpikingSettings read_spiking_settings(const std::string& model_path,
                                      const SpikingOverrides& overrides) {
  const std::string side_file = side_file_of(model_path);
  std::error_code error;
  Value map = Value::map();
  map.place = {side_file, 0, 0};
  if (std::filesystem::exists(side_file, error)) {
    const Value read = load_yaml(side_file);
    map = read.is_null() ? map : read;
  }
  if (!overrides.is_null() && map.is_map()) {
    const Place place = overrides.is_map() ? map.place : overrides.place;
    map = merged(map, overrides);
    map.place = place;  // what is missing is missing in the side file
  }
  ErrorList errors;
  SpikingSettings settings;
  read_fields(spiking_fields(), map, "", settings, errors);
  errors.throw_if_any();
  return settings;
}

}  // namespace tilestrike::dnn
