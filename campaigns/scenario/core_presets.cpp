// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/core_presets.h"

#include "base/text.h"
#include "base/yaml.h"

namespace tilestrike::campaigns {
namespace {

std::vector<std::string> preset_names() {
  std::vector<std::string> names;
  for (const CorePreset& preset : core_presets()) {
    names.emplace_back(preset.name);
  }
  return names;
}

/// Whether a key of a strike has its default, which an expanded scenario writes down.
bool is_default(const Entry& entry) {
  const auto is_empty = [](const Value& value) {
    return value.is_null() || (value.is_map() && value.entries.empty());
  };
  if (entry.key == "where") {
    const Value* core = entry.value.find("core");
    return is_empty(entry.value) || (entry.value.is_map() && entry.value.entries.size() == 1 &&
                                     core != nullptr && is_empty(*core));
  }
  return (entry.key == "fault" && entry.value.is_scalar() && entry.value.scalar == "flip") ||
         (entry.key == "lasts" && entry.value.is_scalar() && entry.value.scalar == "auto");
}

}  // namespace

const std::vector<CorePreset>& core_presets() {
  static const std::vector<CorePreset> all{
      {"dead_neuron", "a neuron that never fires: its enable bit is 0",
       "{where: {core: {field: enable}}, fault: stuck_at_0}"},
      {"saturated_neuron", "a neuron that fires in every tick: its threshold is the most negative",
       "{where: {core: {field: threshold, value: lowest}}}"},
      {"neuron_timing", "a neuron that is early or late: a bit of its leak or refractory period",
       "{where: {core: {field: [leak, refractory_period]}}, fault: flip}"},
      {"synapse_bit", "a weight of another value: a bit of a synapse",
       "{where: {core: {field: synapse}}, fault: flip}"},
      {"dead_synapse", "a synapse that passes nothing on: its weight is 0",
       "{where: {core: {field: synapse, value: zero}}}"},
      {"saturated_synapse", "a synapse of the largest weight",
       "{where: {core: {field: synapse, value: highest}}}"},
      {"spike_loss", "a spike that does not arrive: a bit of the ring becomes 0",
       "{where: {core: {field: ring}}, fault: stuck_at_0, lasts: transient}"},
      {"ghost_spike", "a spike that nobody sent: a bit of the ring becomes 1",
       "{where: {core: {field: ring}}, fault: stuck_at_1, lasts: transient}"},
      {"parametric_threshold", "a threshold that is off by a share: no one value of a field", ""},
      {"noisy_membrane", "a membrane with added noise: no bit of a digital core", ""},
      {"synaptic_delay", "spikes that arrive a fraction of a tick late: ticks are whole", ""},
  };
  return all;
}

void expand_preset(Value& document, ErrorList& errors) {
  Value* strike = document.find("strike");
  const Value* given = strike == nullptr ? nullptr : strike->find("preset");
  if (given == nullptr) {
    return;
  }
  if (!given->is_scalar()) {
    errors.add(ErrorCode::kInvalidInput, "strike.preset: one name is wanted", given->place.text(),
               "sweep over several: 'sweep: {strike.preset: [...]}'");
    return;
  }
  const Place place = given->place;
  const std::string name = given->scalar;
  for (const CorePreset& preset : core_presets()) {
    if (preset.name != name) {
      continue;
    }
    if (*preset.strike == '\0') {
      errors.add(ErrorCode::kUnsupported, "strike.preset: '" + name + "': " + preset.about,
                 place.text(), "strike tensors instead: `tilestrike list presets` says more");
      return;
    }
    std::erase_if(strike->entries, is_default);
    for (const Entry& entry : parse_yaml(preset.strike, "preset " + name).entries) {
      if (const Value* own = strike->find(entry.key)) {
        errors.add(ErrorCode::kInvalidInput,
                   "strike." + entry.key + ": the preset '" + name + "' says it already",
                   own->place.text(), "leave one of the two out");
      } else {
        strike->set(entry.key, entry.value);
      }
    }
    return;
  }
  errors.add(ErrorCode::kNotFound, "strike.preset: there is no preset '" + name + "'", place.text(),
             suggestion(name, preset_names()));
}

}  // namespace tilestrike::campaigns
