// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/strike.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/strike_values.h"

namespace tilestrike::campaigns {
namespace {

Value list_of_numbers(const std::vector<int>& numbers) {
  std::vector<Value> items;
  for (const int number : numbers) {
    items.push_back(Value::of(std::to_string(number)));
  }
  return Value::list(std::move(items));
}

/// One value as itself, several as a list, none as nothing.
Value shortest(std::vector<Value> items) {
  if (items.empty()) {
    return Value{};
  }
  return items.size() == 1 ? std::move(items.front()) : Value::list(std::move(items));
}

bool is_word_all(const Value& value) { return value.is_scalar() && value.scalar == "all"; }

FieldTable<MeshSelection> mesh_selection_fields() {
  return {
      custom_field<MeshSelection>(
          {"pe", "[row, column]", "", "all", "", "registers of one processing element only"},
          [](MeshSelection& mesh, const Value& value, const std::string& path, ErrorList& errors) {
            mesh.pe = is_word_all(value) ? std::vector<int>{} : read_pe(value, path, errors);
          },
          [](const MeshSelection& mesh) {
            return mesh.pe.empty() ? Value{} : list_of_numbers(mesh.pe);
          }),
      custom_field<MeshSelection>(
          {"register", "text or list", "", "all", "", "as `tilestrike list registers` names them"},
          [](MeshSelection& mesh, const Value& value, const std::string& path, ErrorList& errors) {
            mesh.registers.clear();
            for (const Value& item : is_word_all(value) ? std::vector<Value>{} : items_of(value)) {
              if (item.is_scalar()) {
                mesh.registers.push_back(item.scalar);
              } else {
                field_detail::wrong_type(item, path, "a register's name or a list of them", errors);
              }
            }
          },
          [](const MeshSelection& mesh) {
            std::vector<Value> items;
            for (const std::string& name : mesh.registers) {
              items.push_back(Value::of(name));
            }
            return shortest(std::move(items));
          }),
      custom_field<MeshSelection>(
          {"bit", "integer or list", "", "all", "0 to 31",
           "bits of a register; 0 is the least significant"},
          [](MeshSelection& mesh, const Value& value, const std::string& path, ErrorList& errors) {
            mesh.bits =
                is_word_all(value) ? std::vector<int>{} : read_numbers(value, path, 31, errors);
          },
          [](const MeshSelection& mesh) {
            return mesh.bits.size() == 1 ? Value::of(std::to_string(mesh.bits.front()))
                   : mesh.bits.empty()   ? Value{}
                                         : list_of_numbers(mesh.bits);
          }),
      text_field("layer", &MeshSelection::layer,
                 "glob of layer names: strike only while such a layer is on the mesh"),
  };
}

Field<Where> tensor_field(const std::string& key) {
  const std::string help =
      key == "weights"         ? "globs of tensors or layers: what is trained and enters a product"
      : key == "biases"        ? "biases of these"
      : key == "normalisation" ? "batch, layer and group norm: scale, shift, statistics"
      : key == "parameters"    ? "other trained tensors, such as a position embedding"
      : key == "buffers"       ? "stored, but not trained: masks of weights, scales, tables"
      : key == "activations"   ? "what layers compute; 'input' is the images"
      : key == "membranes"     ? "of a spiking network, after each tick"
      : key == "tick"          ? "of these spikes and membranes: the words of one tick, from 0 on"
                               : "of a tensor's word: sign, exponent, mantissa, a bit, a range 0-7";
  return custom_field<Where>(
      {key, key == "tick" ? "integer or uniform" : "text or list", "",
       key == "bits"   ? "all"
       : key == "tick" ? "uniform"
                       : "",
       "", help},
      [key](Where& where, const Value& value, const std::string& path, ErrorList& errors) {
        if (!value.is_null()) {
          read_tensor_key(where.tensors, key, value, path, errors);
        }
      },
      [key](const Where& where) { return write_tensor_key(where.tensors, key); });
}

Field<Where> core_where_field() {
  Field<Where> core = nested_field(
      "core", &Where::core, core_selection_fields(),
      "bits of neuromorphic cores; {} is all of them, and the default of such accelerators");
  core.read = [inner = core.read](Where& where, const Value& value, const std::string& path,
                                  ErrorList& errors) {
    where.has_core = true;
    inner(where, value, path, errors);
  };
  core.write = [inner = core.write](const Where& where) {
    return where.has_core ? inner(where) : Value{};
  };
  return core;
}

FieldTable<Where> where_fields() {
  Field<Where> mesh =
      nested_field("mesh", &Where::mesh, mesh_selection_fields(),
                   "registers of the systolic mesh; {} is all of them, and the default");
  mesh.read = [inner = mesh.read](Where& where, const Value& value, const std::string& path,
                                  ErrorList& errors) {
    where.has_mesh = true;
    inner(where, value, path, errors);
  };
  mesh.write = [inner = mesh.write](const Where& where) {
    return where.has_mesh ? inner(where) : Value{};
  };
  FieldTable<Where> table{
      std::move(mesh),
      custom_field<Where>(
          {"memory", "name, list, all or map", "", "", "",
           "cells of the accelerator's memories; {name, cells: all | data | check}"},
          [](Where& where, const Value& value, const std::string& path, ErrorList& errors) {
            read_memory_selection(where.memory, value, path, errors);
          },
          [](const Where& where) { return write_memory_selection(where.memory); }),
      core_where_field(),
  };
  for (const std::string& key : tensor_keys()) {
    table.push_back(tensor_field(key));
  }
  return table;
}

/// A probability; absent is 0.
Field<StrikeConfig> rate_field(const std::string& name, double StrikeConfig::*member,
                               const std::string& help) {
  return custom_field<StrikeConfig>(
      {name, "number", "", "", "above 0, at most 1", help},
      [name, member](StrikeConfig& strike, const Value& value, const std::string& path,
                     ErrorList& errors) {
        const auto rate = value.is_scalar() ? parse_real(value.scalar) : std::nullopt;
        if (!rate) {
          field_detail::wrong_type(value, path, "a probability such as 1e-7", errors);
        } else if (!(*rate > 0.0 && *rate <= 1.0)) {
          errors.add(ErrorCode::kInvalidInput, path + ": " + value.scalar + " is not a probability",
                     value.place.text(), "allowed: above 0, at most 1; 'count' takes whole faults");
        } else {
          strike.*member = *rate;
        }
      },
      [member](const StrikeConfig& strike) {
        return strike.*member > 0.0 ? Value::of(field_detail::real_text(strike.*member)) : Value{};
      });
}

void read_lasts(StrikeConfig& strike, const Value& value, const std::string& path,
                ErrorList& errors) {
  if (!value.is_map()) {
    if (is_choice(value, path, {"auto", "transient", "permanent"}, {}, errors)) {
      strike.lasts.kind = value.scalar == "auto"        ? Lasts::Kind::kAuto
                          : value.scalar == "transient" ? Lasts::Kind::kTransient
                                                        : Lasts::Kind::kPermanent;
    }
    return;
  }
  struct Window {
    Cycle from = 0;
    Cycle until = 0;
  };
  FieldTable<Window> table = {
      integer_field("from", &Window::from, 0, kLatestCycle, "cycles",
                    "first cycle of an inference"),
      integer_field("until", &Window::until, 1, kLatestCycle, "cycles",
                    "first cycle after the window"),
  };
  table[1].is_required = true;
  Window window;
  read_fields(table, value, path, window, errors);
  if (value.find("until") != nullptr && window.until <= window.from) {
    errors.add(ErrorCode::kInvalidInput, path + ": the window ends before it starts",
               value.place.text(), "let 'until' be greater than 'from'");
  }
  strike.lasts = {Lasts::Kind::kWindow, {window.from, window.until}};
}

Value write_lasts(const StrikeConfig& strike) {
  switch (strike.lasts.kind) {
    case Lasts::Kind::kAuto:
      return Value::of("auto");
    case Lasts::Kind::kTransient:
      return Value::of("transient");
    case Lasts::Kind::kPermanent:
      return Value::of("permanent");
    case Lasts::Kind::kWindow:
      break;
  }
  Value window = Value::map();
  window.set("from", Value::of(std::to_string(strike.lasts.window.from)));
  window.set("until", Value::of(std::to_string(strike.lasts.window.until)));
  return window;
}

Field<StrikeConfig> count_field() {
  auto field = integer_field(
      "count", &StrikeConfig::count, 1, 100'000'000, "faults",
      "independent faults of one trial: different sites; on the mesh each with its own cycle");
  field.write = [](const StrikeConfig& strike) {
    const bool is_rate = strike.per_bit > 0.0 || strike.per_parameter > 0.0;
    return is_rate ? Value{} : Value::of(std::to_string(strike.count));
  };
  return field;
}

const Choices<Process>& processes() {
  static const Choices<Process> all{{"uniform", Process::kUniform},
                                    {"particle", Process::kParticle},
                                    {"low_voltage", Process::kLowVoltage},
                                    {"dram", Process::kDram},
                                    {"list", Process::kList}};
  return all;
}

std::vector<std::string> process_names() {
  std::vector<std::string> names;
  for (const auto& [name, process] : processes()) {
    names.push_back(name);
  }
  return names;
}

/// A map that the expanded form has where its process is asked for, and that other processes
/// refuse (check_memory_strike()).
Field<StrikeConfig> of_process(Field<StrikeConfig> field, Process process) {
  field.write = [write = field.write, process](const StrikeConfig& strike) {
    return strike.process == process ? write(strike) : Value{};
  };
  return field;
}

}  // namespace

namespace {

/// The expanded form has a preset, or what presets say.
void hide_behind_preset(FieldTable<StrikeConfig>& table) {
  for (Field<StrikeConfig>& field : table) {
    const std::string& name = field.about.name;
    if (name == "where" || name == "fault" || name == "lasts") {
      field.write = [write = field.write](const StrikeConfig& strike) {
        return strike.preset.empty() ? write(strike) : Value{};
      };
    }
  }
}

}  // namespace

FieldTable<StrikeConfig> strike_fields() {
  FieldTable<StrikeConfig> table = {
      custom_field<StrikeConfig>(
          {"process", "choice", "", "uniform", join(process_names(), " | "),
           "uniform: over the sites of 'where' and all cycles; particle: clusters of memory cells "
           "at the node's rates; low_voltage: a chip's cells that fail at a low supply; dram: a "
           "part of a DRAM device; list: as 'faults' says"},
          [](StrikeConfig& strike, const Value& value, const std::string& path, ErrorList& errors) {
            if (is_choice(value, path, process_names(), {}, errors)) {
              for (const auto& [name, process] : processes()) {
                strike.process = value.scalar == name ? process : strike.process;
              }
            }
          },
          [](const StrikeConfig& strike) {
            return Value::of(choice_name(processes(), strike.process));
          }),
      custom_field<StrikeConfig>(
          {"fault", "choice or list", "", "flip", join(fault_names(), " | "),
           "what happens to a struck bit; of a list each is equally likely"},
          [](StrikeConfig& strike, const Value& value, const std::string& path, ErrorList& errors) {
            std::vector<FaultKind> kinds;
            for (const Value& item : items_of(value)) {
              if (const auto kind = read_fault(item, path, errors)) {
                kinds.push_back(*kind);
              }
            }
            if (value.is_list() && value.items.empty()) {
              field_detail::wrong_type(value, path, "at least one kind of fault", errors);
            }
            if (!kinds.empty()) {
              strike.faults = std::move(kinds);
            }
          },
          [](const StrikeConfig& strike) {
            std::vector<Value> items;
            for (const FaultKind kind : strike.faults) {
              items.push_back(Value::of(std::string(name_of(kind))));
            }
            return shortest(std::move(items));
          }),
      custom_field<StrikeConfig>(
          {"lasts", "choice or {from, until}", "", "auto", "auto | transient | permanent",
           "auto: transient for flip and random, permanent for stuck-at; {from, until}: these "
           "cycles of every inference"},
          read_lasts, write_lasts),
      nested_field("where", &StrikeConfig::where, where_fields(), "which bits may be struck"),
      custom_field<StrikeConfig>(
          {"preset", "choice", "", "", "",
           "a published fault model of spiking networks, in place of where and fault; "
           "`tilestrike list presets`"},
          [](StrikeConfig& strike, const Value& value, const std::string&, ErrorList&) {
            strike.preset = value.scalar;
          },
          [](const StrikeConfig& strike) {
            return strike.preset.empty() ? Value{} : Value::of(strike.preset);
          }),
      count_field(),
      rate_field("per_bit", &StrikeConfig::per_bit,
                 "instead of 'count': each bit of the tensors, or cell of the memories, is faulty "
                 "with this probability"),
      rate_field("per_parameter", &StrikeConfig::per_parameter,
                 "instead of 'count': each word has one faulty bit with this probability"),
      custom_field<StrikeConfig>(
          {"faults", "list or CSV file", "", "", "",
           "with 'process: list': each entry {register, pe | row, column, position, bit, cycle, "
           "until, image, fault}, {memory, codeword, bit | bank, row, column, cycle, until, image, "
           "fault} or {tensor, word, bit, image, fault} is one trial, a list of entries is one "
           "trial of several faults"},
          read_fault_list,
          [](const StrikeConfig& strike) {
            return strike.list_file.empty() ? write_fault_list(strike.list)
                                            : Value::of(strike.list_file);
          }),
  };
  table.push_back(
      of_process(nested_field("low_voltage", &StrikeConfig::low_voltage, sim::low_voltage_fields(),
                              "with 'process: low_voltage': which cells fail"),
                 Process::kLowVoltage));
  table.push_back(of_process(nested_field("dram", &StrikeConfig::dram, dram_strike_fields(),
                                          "with 'process: dram': devices, and how they fail"),
                             Process::kDram));
  for (const Field<ParticleConfig>& field : particle_fields()) {
    table.push_back(custom_field<StrikeConfig>(
        field.about,
        [read = field.read](StrikeConfig& strike, const Value& value, const std::string& path,
                            ErrorList& errors) { read(strike.particle, value, path, errors); },
        [write = field.write](const StrikeConfig& strike) { return write(strike.particle); }));
  }
  hide_behind_preset(table);
  return table;
}

std::string place_at(const Value& document, const std::string& address) {
  const Value* value = &document;
  std::string place = document.place.text();
  std::size_t start = 0;
  while (start <= address.size()) {
    const std::size_t dot = std::min(address.find('.', start), address.size());
    value = value->find(address.substr(start, dot - start));
    if (value == nullptr) {
      break;
    }
    if (!value->place.file.empty()) {
      place = value->place.text();
    }
    start = dot + 1;
  }
  return place;
}

}  // namespace tilestrike::campaigns
