// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/memory_strike.h"

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "campaigns/scenario/library.h"
#include "campaigns/scenario/strike.h"
#include "sim/memory/array_geometry.h"

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

bool holds_only_backing(const sim::MemoryConfig& memory) {
  return !memory.holds.empty() && std::ranges::all_of(memory.holds, [](sim::MemoryContent content) {
    return content == sim::MemoryContent::kBacking;
  });
}

std::vector<std::string> memory_names(const bridge::AcceleratorConfig& accelerator) {
  std::vector<std::string> names;
  for (const auto& [name, memory] : accelerator.memory) {
    names.push_back(name);
  }
  return names;
}

/// Keys of particles that were given to another process.
void check_no_particle_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  for (const auto& field : particle_fields()) {
    const bool is_of_tensors_too = field.about.name == "strata" && strikes_tensors(strike);
    if (!is_of_tensors_too && !field.write(strike.particle).is_null()) {
      const std::string key = "strike." + field.about.name;
      errors.add(ErrorCode::kInvalidInput, key + ": only particles have this key",
                 place_at(document, key), "write 'process: particle', or leave it out");
    }
  }
}

void check_names(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                 const Value& document, ErrorList& errors) {
  const std::string path = "strike.where.memory";
  const std::vector<std::string> known = memory_names(accelerator);
  if (known.empty()) {
    errors.add(ErrorCode::kInvalidInput,
               path + ": the accelerator '" + accelerator.name + "' has no memories",
               place_at(document, path), "describe them under 'accelerator.memory'");
  }
  for (const std::string& name : strike.where.memory.names) {
    const auto found = std::ranges::find(known, name);
    if (found == known.end() && !known.empty()) {
      errors.add(ErrorCode::kNotFound,
                 path + ": the accelerator has no memory named '" + name + "'",
                 place_at(document, path), suggestion(name, known));
    } else if (is_particle(strike) && found != known.end() &&
               holds_only_backing(
                   accelerator.memory[static_cast<std::size_t>(found - known.begin())].second)) {
      errors.add(ErrorCode::kUnsupported,
                 path + ": '" + name +
                     "' holds the backing copies, and no node's rates are those "
                     "of DRAM",
                 place_at(document, path), "name other memories, or write 'process: uniform'");
    }
  }
  if (std::ranges::find(known, std::string(kMeshStructure)) != known.end()) {
    errors.add(ErrorCode::kInvalidInput,
               "accelerator.memory.mesh: results call the mesh's registers so",
               place_at(document, "accelerator.memory"), "give this memory another name");
  }
}

void check_particle(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                    const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  const ParticleConfig& particle = strike.particle;
  if (strike.faults != std::vector{FaultKind::kFlip}) {
    refuse("strike.fault", "a particle flips what it upsets",
           "leave it out, or write 'process: uniform'");
  }
  if (strike.lasts.kind == Lasts::Kind::kPermanent || strike.lasts.kind == Lasts::Kind::kWindow) {
    refuse("strike.lasts", "what a particle flips stays until it is written again",
           "leave it out, or write 'process: uniform'");
  }
  if (strike.count != 1) {
    refuse("strike.count", "a trial is one particle, whose cluster is drawn",
           "leave it out; 'fluence' draws several");
  }
  if (strike.where.memory.cells != CellChoice::kAll) {
    refuse("strike.where.memory.cells", "particles strike every cell", "leave it out");
  }
  if (!strike.where.mesh.layer.empty()) {
    refuse("strike.where.mesh.layer", "rates are of all cycles of an inference", "leave it out");
  }
  if (particle.fluence > 0.0) {
    if (particle.radiation.value_or(sim::Radiation::kNeutron) != sim::Radiation::kNeutron) {
      refuse("strike.fluence", "a fluence is of neutrons", "leave 'radiation' out, or 'fluence'");
    }
    const ParticleConfig reference;
    for (const auto& [key, is_given] :
         {std::pair("altitude", particle.altitude != reference.altitude),
          std::pair("rigidity", particle.rigidity != reference.rigidity),
          std::pair("sun", particle.sun != reference.sun)}) {
      if (is_given) {
        refuse(std::string("strike.") + key, "a fluence says how many neutrons come, wherever",
               std::string("keep '") + key + "' or 'fluence'");
      }
    }
    if (particle.thermal_flux != reference.thermal_flux) {
      refuse("strike.thermal_flux", "a fluence is of fast neutrons alone",
             "keep 'thermal_flux' or 'fluence'");
    }
    if (particle.strata == StrataChoice::kOn) {
      refuse("strike.strata", "several events in a trial belong to no one stratum",
             "leave 'strata' out, or 'fluence'");
    }
    if (strike.where.has_mesh) {
      refuse("strike.fluence",
             "a trial of several events is judged on memories or on the mesh, not on both",
             "leave 'mesh' out of 'where'");
    }
  }
  ErrorList own;
  const auto node = find_node(accelerator.node, "accelerator.node", {}, own);
  if (!node) {
    return;  // reported when the accelerator was read
  }
  if (particle.voltage > 0.0 && particle.voltage != node->vdd.value && !particle.rate_per_volt) {
    refuse("strike.voltage",
           "the rate at another voltage than the " + field_detail::real_text(node->vdd.value) +
               " V of " + node->name + " is not known",
           "give rate_per_volt (published values for 28 to 65 nm SRAM neutron rates lie around 2 "
           "to 3 e-folds per volt, R), or 0 to leave the rate");
  }
  const sim::EventRates rates = sim::memory_rates(*node, {});
  if (particle.radiation && rates.of(*particle.radiation) == 0.0) {
    refuse("strike.radiation",
           "at " + node->name + " no " + std::string(name_of(*particle.radiation)) +
               " events are known",
           "leave it out, or name a node that has a rate of them");
  } else if (rates.total() == 0.0) {
    refuse("accelerator.node", "at " + node->name + " no events are known", "name another node");
  }
}

/// Keys of the other processes that say how cells fail.
void check_no_failure_keys(const StrikeConfig& strike, const Value& document, ErrorList& errors) {
  const auto check = [&](const std::string& name, Process process) {
    const Value* given = document.find("strike");
    if (strike.process != process && given != nullptr && given->find(name) != nullptr) {
      errors.add(ErrorCode::kInvalidInput,
                 "strike." + name + ": only the process of this name has this key",
                 place_at(document, "strike." + name),
                 "write 'process: " + name + "', or leave it out");
    }
  };
  check("low_voltage", Process::kLowVoltage);
  check("dram", Process::kDram);
}

void check_failure(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                   const Value& document, ErrorList& errors) {
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  const bool is_dram = strike.process == Process::kDram;
  if (strike.faults != std::vector{FaultKind::kFlip}) {
    refuse("strike.fault", "the process says what becomes of each cell", "leave it out");
  }
  if (strike.count != 1) {
    refuse("strike.count", is_dram ? "a trial is one failure of a device" : "a trial is one chip",
           "leave it out");
  }
  if (strike.where.memory.cells != CellChoice::kAll) {
    refuse("strike.where.memory.cells", "this process strikes every cell", "leave it out");
  }
  if (strike.where.has_mesh) {
    refuse("strike.where.mesh", "this process strikes memories alone", "leave it out");
  }
  if (!is_dram && strike.lasts.kind != Lasts::Kind::kAuto &&
      strike.lasts.kind != Lasts::Kind::kPermanent) {
    refuse("strike.lasts", "cells fail as long as the supply is low", "leave it out");
  }
  const std::vector<std::size_t> selected = selected_memories(strike, accelerator);
  if (selected.empty() && !accelerator.memory.empty()) {
    refuse("strike.where.memory",
           is_dram ? "no memory of '" + accelerator.name + "' holds backing copies alone"
                   : "no memory of '" + accelerator.name + "' is on chip",
           "name the memories that are meant");
  }
  if (!is_dram) {
    return;
  }
  for (const std::size_t index : selected) {
    sim::check_dram(strike.dram.device, accelerator.memory[index].second.array(), "strike.dram",
                    place_at(document, "strike.dram"), errors);
  }
  try {
    dram_law(strike);
  } catch (const Failure& failure) {
    errors.add(failure);
  }
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
  return strike.process != Process::kList && strike.where.memory.is_asked;
}

bool is_failure(const StrikeConfig& strike) {
  return strike.process == Process::kLowVoltage || strike.process == Process::kDram;
}

bool is_particle(const StrikeConfig& strike) { return strike.process == Process::kParticle; }

std::vector<std::size_t> selected_memories(const StrikeConfig& strike,
                                           const bridge::AcceleratorConfig& accelerator) {
  const std::vector<std::string>& names = strike.where.memory.names;
  std::vector<std::size_t> selected;
  for (std::size_t i = 0; i < accelerator.memory.size(); ++i) {
    const auto& [name, memory] = accelerator.memory[i];
    const bool is_dram = strike.process == Process::kDram;
    const bool is_of_all = is_dram == holds_only_backing(memory) ||
                           (!is_dram && !is_particle(strike) && !is_failure(strike));
    const bool is_meant = names.empty() ? is_of_all : std::ranges::find(names, name) != names.end();
    if (is_meant) {
      selected.push_back(i);
    }
  }
  return selected;
}

void check_memory_strike(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                         const Value& document, ErrorList& errors) {
  const Where& where = strike.where;
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, key + ": " + what, place_at(document, key), cure);
  };
  if (!is_particle(strike)) {
    check_no_particle_keys(strike, document, errors);
  }
  check_no_failure_keys(strike, document, errors);
  if (!where.memory.is_asked && (is_particle(strike) || is_failure(strike))) {
    refuse("strike.process",
           is_particle(strike) ? "particles strike memories, and none is in 'where'"
                               : "this process strikes memories, and none is in 'where'",
           is_particle(strike) ? "add 'where: {memory: all}' (beside 'mesh: {}', if wanted), or "
                                 "write 'process: uniform'"
                               : "add 'where: {memory: all}', or write 'process: uniform'");
  }
  if (!where.memory.is_asked) {
    return;
  }
  check_names(strike, accelerator, document, errors);
  if (accelerator.guard != bridge::GuardKind::kNone) {
    refuse("accelerator.guard",
           "the rates of strikes on memories are not known to a guard of the mesh",
           "write 'guard: none', or strike the mesh alone");
  }
  if (strike.process == Process::kList) {
    refuse("strike.where.memory", "'where' means nothing with 'process: list'", "leave it out");
    return;
  }
  if (!where.tensors.is_empty()) {
    refuse("strike.where", "memories and tensors at once",
           "run two campaigns: what a tensor is to the network lies in a memory");
    return;
  }
  if (strike.per_parameter > 0.0) {
    refuse("strike.per_parameter", "a memory knows cells, not parameters", "write 'per_bit'");
  }
  if (strike.per_bit > 0.0 && (is_particle(strike) || strike.count != 1)) {
    refuse("strike.per_bit", "a rate draws the number of faulty cells",
           is_particle(strike) ? "leave it out, or write 'process: uniform'"
                               : "keep 'count' or the rate");
  }
  if (is_particle(strike)) {
    check_particle(strike, accelerator, document, errors);
    return;
  }
  if (is_failure(strike)) {
    check_failure(strike, accelerator, document, errors);
    return;
  }
  if (where.has_mesh) {
    refuse("strike.where", "mesh and memories together are drawn by their rates",
           "write 'process: particle', or run two campaigns");
  }
  std::uint64_t cells = 0;
  for (const std::size_t index : selected_memories(strike, accelerator)) {
    const sim::ArrayGeometry geometry(accelerator.memory[index].second.array());
    cells += where.memory.cells == CellChoice::kAll    ? geometry.cells()
             : where.memory.cells == CellChoice::kData ? geometry.data_cells()
                                                       : geometry.check_cells();
  }
  if (static_cast<std::uint64_t>(strike.count) > cells) {
    refuse(cells == 0 ? "strike.where.memory" : "strike.count",
           std::to_string(strike.count) + " faults in different cells, of " +
               std::to_string(cells) + " cells",
           cells == 0 ? "name memories that have such cells" : "lower 'count' or widen 'where'");
  }
}

}  // namespace tilestrike::campaigns
