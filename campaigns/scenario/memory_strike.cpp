// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/memory_strike.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "campaigns/scenario/library.h"
#include "campaigns/scenario/strike.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kMostVolts = 10.0;
constexpr double kMostFluence = 1e15;
constexpr double kMostHours = 1e6;
constexpr double kMostThermalFlux = 1e3;
constexpr double kMostFoldsPerVolt = 20.0;

const Choices<CellChoice>& cell_choices() {
  static const Choices<CellChoice> all{
      {"all", CellChoice::kAll}, {"data", CellChoice::kData}, {"check", CellChoice::kCheck}};
  return all;
}

const Choices<sim::Sun>& sun_choices() {
  static const Choices<sim::Sun> all{
      {"mean", sim::Sun::kMean}, {"quiet", sim::Sun::kQuiet}, {"active", sim::Sun::kActive}};
  return all;
}

std::vector<std::string> names_of(const Value& value, const std::string& path, ErrorList& errors) {
  std::vector<std::string> names;
  if (value.is_scalar() && value.scalar == "all") {
    return names;
  }
  for (const Value& item : items_of(value)) {
    if (item.is_scalar()) {
      names.push_back(item.scalar);
    } else {
      field_detail::wrong_type(item, path, "a memory's name, a list of them, or all", errors);
    }
  }
  if (value.is_list() && value.items.empty()) {
    field_detail::wrong_type(value, path, "at least one memory's name", errors);
  }
  return names;
}

Value value_of(const std::vector<std::string>& names) {
  if (names.empty()) {
    return Value::of("all");
  }
  std::vector<Value> items;
  for (const std::string& name : names) {
    items.push_back(Value::of(name));
  }
  return items.size() == 1 ? items.front() : Value::list(std::move(items));
}

FieldTable<MemorySelection> selection_fields() {
  return {
      custom_field<MemorySelection>(
          {"name", "text or list", "", "all", "", "memories of the accelerator"},
          [](MemorySelection& selection, const Value& value, const std::string& path,
             ErrorList& errors) { selection.names = names_of(value, path, errors); },
          [](const MemorySelection& selection) { return value_of(selection.names); }),
      choice_field("cells", &MemorySelection::cells, cell_choices(),
                   "which of their cells: of codewords the data or the check bits"),
  };
}

/// A number that is left out of the expanded form where it has its default.
Field<ParticleConfig> optional_number(std::string name, double ParticleConfig::*member, double min,
                                      double max, std::string unit, std::string help) {
  auto field = real_field(std::move(name), member, min, max, std::move(unit), std::move(help));
  field.write = [member](const ParticleConfig& config) {
    return config.*member == ParticleConfig{}.*member
               ? Value{}
               : Value::of(field_detail::real_text(config.*member));
  };
  return field;
}

/// The same of a choice.
template <class Enum>
Field<ParticleConfig> optional_choice(std::string name, Enum ParticleConfig::*member,
                                      const Choices<Enum>& choices, std::string help) {
  auto field = choice_field(std::move(name), member, choices, std::move(help));
  field.write = [member, write = field.write](const ParticleConfig& config) {
    return config.*member == ParticleConfig{}.*member ? Value{} : write(config);
  };
  return field;
}

/// A number without a default.
Field<ParticleConfig> known_number(std::string name, std::optional<double> ParticleConfig::*member,
                                   double min, double max, std::string unit, std::string help) {
  return custom_field<ParticleConfig>(
      {std::move(name), "number", std::move(unit), "", field_detail::range_text(min, max),
       std::move(help)},
      [=](ParticleConfig& config, const Value& value, const std::string& path, ErrorList& errors) {
        field_detail::read_real(value, path, min, max, errors,
                                [&](double number) { config.*member = number; });
      },
      [member](const ParticleConfig& config) {
        return config.*member ? Value::of(field_detail::real_text(*(config.*member))) : Value{};
      });
}

}  // namespace

FieldTable<DramStrike> dram_strike_fields() {
  FieldTable<DramStrike> table;
  for (const Field<sim::DramConfig>& field : sim::dram_fields()) {
    table.push_back(custom_field<DramStrike>(
        field.about,
        [read = field.read](DramStrike& dram, const Value& value, const std::string& path,
                            ErrorList& errors) { read(dram.device, value, path, errors); },
        [write = field.write](const DramStrike& dram) { return write(dram.device); }));
  }
  table.push_back(custom_field<DramStrike>(
      {"modes", "CSV file", "", "data/dram_modes.csv", "",
       "how often a device fails in which way, as the shipped file has it"},
      [](DramStrike& dram, const Value& value, const std::string& path, ErrorList& errors) {
        if (!value.is_scalar()) {
          field_detail::wrong_type(value, path, "the path of a CSV file", errors);
        } else {
          dram.modes = absolute_path(value.scalar, folder_of(value.place));
        }
      },
      [](const DramStrike& dram) { return dram.modes.empty() ? Value{} : Value::of(dram.modes); }));
  return table;
}

std::vector<sim::DramModeRate> dram_rates(const StrikeConfig& strike) {
  const std::string file = strike.dram.modes.empty()
                               ? (root_folder() / "data" / "dram_modes.csv").string()
                               : strike.dram.modes;
  std::vector<sim::DramModeRate> rates = sim::read_dram_modes(file);
  for (sim::DramModeRate& rate : rates) {
    (is_persistent(strike) ? rate.transient : rate.permanent).value = 0.0;
  }
  return rates;
}

sim::DramEventLaw dram_law(const StrikeConfig& strike) {
  return sim::DramEventLaw(dram_rates(strike));
}

void read_memory_selection(MemorySelection& selection, const Value& value, const std::string& path,
                           ErrorList& errors) {
  selection = {};
  selection.is_asked = !value.is_null();
  if (value.is_map()) {
    read_fields(selection_fields(), value, path, selection, errors);
  } else if (selection.is_asked) {
    selection.names = names_of(value, path, errors);
  }
}

Value write_memory_selection(const MemorySelection& selection) {
  if (!selection.is_asked) {
    return {};
  }
  return selection.cells == CellChoice::kAll ? value_of(selection.names)
                                             : write_fields(selection_fields(), selection);
}

std::string_view name_of(sim::Radiation radiation) {
  return radiation == sim::Radiation::kNeutron ? "neutron"
         : radiation == sim::Radiation::kAlpha ? "alpha"
                                               : "thermal";
}

FieldTable<ParticleConfig> particle_fields() {
  return {
      custom_field<ParticleConfig>(
          {"radiation", "choice", "", "all", "all | neutron | alpha | thermal",
           "particles: all: each by its rate at the accelerator's node"},
          [](ParticleConfig& config, const Value& value, const std::string& path,
             ErrorList& errors) {
            if (!is_choice(value, path, {"all", "neutron", "alpha", "thermal"}, {}, errors)) {
              return;
            }
            config.radiation.reset();
            for (const sim::Radiation radiation :
                 {sim::Radiation::kNeutron, sim::Radiation::kAlpha, sim::Radiation::kThermal}) {
              if (value.scalar == name_of(radiation)) {
                config.radiation = radiation;
              }
            }
          },
          [](const ParticleConfig& config) {
            return config.radiation ? Value::of(std::string(name_of(*config.radiation))) : Value{};
          }),
      optional_number("altitude", &ParticleConfig::altitude, sim::kLowestAltitude,
                      sim::kHighestAltitude, "m", "particles: of the neutrons' flux"),
      optional_number("rigidity", &ParticleConfig::rigidity, 0.0, sim::kMostRigidity, "GV",
                      "particles: geomagnetic cutoff of the place, which the neutrons' flux "
                      "follows; about 0 at the poles, 17 at the equator"),
      optional_choice("sun", &ParticleConfig::sun, sun_choices(),
                      "particles: its activity, which the neutrons' flux follows; most come when "
                      "it is quiet"),
      optional_number("thermal_flux", &ParticleConfig::thermal_flux, 0.0, kMostThermalFlux, "",
                      "particles: thermal neutrons' flux over the reference's; not changed by "
                      "altitude"),
      known_number("rate_in_band", &ParticleConfig::rate_in_band, 0.0, 1.0, "",
                   "particles: where in its band the neutrons' rate lies, 0 at the lower and 1 at "
                   "the upper end, log-uniform; left out: the node's own value"),
      optional_number("voltage", &ParticleConfig::voltage, 0.0, kMostVolts, "V",
                      "particles: supply, which decides how many events there are "
                      "(rate_per_volt), and how many of them upset several cells; 0: that of the "
                      "node"),
      known_number("rate_per_volt", &ParticleConfig::rate_per_volt, 0.0, kMostFoldsPerVolt, "1/V",
                   "particles: by how many e-folds all rates rise per volt below the node's; "
                   "required with another 'voltage'"),
      optional_number("heavy_tail", &ParticleConfig::heavy_tail, 0.0, 0.5, "",
                      "particles: share of the neutron events that upset up to 100 cells"),
      optional_number("fluence", &ParticleConfig::fluence, 0.0, kMostFluence, "n/cm2",
                      "particles: neutrons of a trial, which has as many events as they cause, at "
                      "least one; 0: a trial is one event"),
      custom_field<ParticleConfig>(
          {"strata", "choice", "", "auto", "auto | true | false",
           "share the trials between strata of exact weights: of particles what ECC can make of a "
           "strike (auto: where there is ECC), of single faults in tensors their bits (auto: yes)"},
          [](ParticleConfig& config, const Value& value, const std::string& path,
             ErrorList& errors) {
            if (is_choice(value, path, {"auto", "true", "false"}, {}, errors)) {
              config.strata = value.scalar == "auto"   ? StrataChoice::kAuto
                              : value.scalar == "true" ? StrataChoice::kOn
                                                       : StrataChoice::kOff;
            }
          },
          [](const ParticleConfig& config) {
            return config.strata == StrataChoice::kAuto ? Value{}
                   : config.strata == StrataChoice::kOn ? Value::of("true")
                                                        : Value::of("false");
          }),
      custom_field<ParticleConfig>(
          {"stored_values", "choice", "", "true", "true | false",
           "particles: a strike counts by what its cell holds, as far as the node makes a "
           "difference"},
          [](ParticleConfig& config, const Value& value, const std::string& path,
             ErrorList& errors) {
            if (is_choice(value, path, {"true", "false"}, {}, errors)) {
              config.stored_values = value.scalar == "true";
            }
          },
          [](const ParticleConfig& config) {
            return config.stored_values ? Value{} : Value::of("false");
          }),
      optional_number("residence", &ParticleConfig::residence_hours, 1e-6, kMostHours, "hours",
                      "particles: from one load of resident weights to the next"),
  };
}

AfterDetection after_detection(const bridge::AcceleratorConfig& accelerator) {
  const bridge::OnDue on_due = accelerator.on_due;
  return on_due == bridge::OnDue::kUse || on_due == bridge::OnDue::kZero ? AfterDetection::kGoesOn
                                                                         : AfterDetection::kStops;
}

sim::Surroundings surroundings_of(const ParticleConfig& particle) {
  return {particle.altitude, particle.rigidity, particle.sun, particle.thermal_flux};
}

double voltage_factor(const ParticleConfig& particle, const sim::TechnologyNode& node) {
  return particle.voltage > 0.0
             ? std::exp(particle.rate_per_volt.value_or(0.0) * (node.vdd.value - particle.voltage))
             : 1.0;
}

bool strikes_memories(const StrikeConfig& strike) {
  return strike.process == Process::kList ? lists(strike, ListedPlace::kCell)
                                          : strike.where.memory.is_asked;
}

bool is_failure(const StrikeConfig& strike) {
  return strike.process == Process::kLowVoltage || strike.process == Process::kDram;
}

bool is_particle(const StrikeConfig& strike) { return strike.process == Process::kParticle; }

bool holds_only_backing(const sim::MemoryConfig& memory) {
  return !memory.holds.empty() && std::ranges::all_of(memory.holds, [](sim::MemoryContent content) {
    return content == sim::MemoryContent::kBacking;
  });
}

namespace {

std::vector<std::string> listed_memories(const StrikeConfig& strike) {
  std::set<std::string> names;
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      names.insert(fault.memory);
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace

std::vector<std::size_t> selected_memories(const StrikeConfig& strike,
                                           const bridge::AcceleratorConfig& accelerator) {
  const bool is_list = strike.process == Process::kList;
  const std::vector<std::string> names =
      is_list ? listed_memories(strike) : strike.where.memory.names;
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < accelerator.memory.size(); ++i) {
    const auto& [name, memory] = accelerator.memory[i];
    const bool is_dram = strike.process == Process::kDram;
    const bool is_of_all = is_dram == holds_only_backing(memory) ||
                           (!is_dram && !is_particle(strike) && !is_failure(strike));
    const bool is_meant =
        names.empty() ? is_of_all && !is_list : std::ranges::find(names, name) != names.end();
    if (is_meant) {
      selected.push_back(i);
    }
  }
  return selected;
}

}  // namespace tilestrike::campaigns
