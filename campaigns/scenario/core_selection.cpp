// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/core_selection.h"

#include <algorithm>

#include "base/text.h"
#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/strike.h"
#include "campaigns/scenario/strike_values.h"

namespace tilestrike::campaigns {
namespace {

constexpr int kMostTicks = 1 << sim::kTickBits;
constexpr int kMostCores = 1 << sim::kCoreBits;

const Choices<FieldValue>& field_values() {
  static const Choices<FieldValue> all{{"one_bit", FieldValue::kOneBit},
                                       {"lowest", FieldValue::kLowest},
                                       {"highest", FieldValue::kHighest},
                                       {"zero", FieldValue::kZero}};
  return all;
}

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

Field<CoreSelection> names_field(const std::string& name,
                                 std::vector<std::string> CoreSelection::*member,
                                 const std::string& help) {
  return custom_field<CoreSelection>(
      {name, "text or list", "", "all", "", help},
      [member](CoreSelection& selection, const Value& value, const std::string& path,
               ErrorList& errors) {
        (selection.*member).clear();
        if (value.is_scalar() && value.scalar == "all") {
          return;
        }
        for (const Value& item : items_of(value)) {
          if (item.is_scalar()) {
            (selection.*member).push_back(item.scalar);
          } else {
            field_detail::wrong_type(item, path, "a name or a list of them", errors);
          }
        }
      },
      [member](const CoreSelection& selection) {
        std::vector<Value> items;
        for (const std::string& each : selection.*member) {
          items.push_back(Value::of(each));
        }
        return items.empty()       ? Value{}
               : items.size() == 1 ? items.front()
                                   : Value::list(std::move(items));
      });
}

Field<CoreSelection> numbers_field(const std::string& name, std::vector<int> CoreSelection::*member,
                                   int most, const std::string& help) {
  return custom_field<CoreSelection>(
      {name, "integer or list", "", "all", "0 to " + std::to_string(most), help},
      [member, most](CoreSelection& selection, const Value& value, const std::string& path,
                     ErrorList& errors) {
        const bool is_all = value.is_scalar() && value.scalar == "all";
        selection.*member = is_all ? std::vector<int>() : read_numbers(value, path, most, errors);
      },
      [member](const CoreSelection& selection) {
        std::vector<Value> items;
        for (const int number : selection.*member) {
          items.push_back(Value::of(std::to_string(number)));
        }
        return items.empty()       ? Value{}
               : items.size() == 1 ? items.front()
                                   : Value::list(std::move(items));
      });
}

Field<CoreSelection> tick_field() {
  return custom_field<CoreSelection>(
      {"tick", "integer or all", "", "all", "0 to " + std::to_string(kMostTicks - 1),
       "strike only in this tick of the chip; layer l works from tick l on"},
      [](CoreSelection& selection, const Value& value, const std::string& path, ErrorList& errors) {
        selection.tick.reset();
        if (!(value.is_scalar() && value.scalar == "all")) {
          field_detail::read_integer(
              value, path, 0, kMostTicks - 1, errors,
              [&](std::int64_t tick) { selection.tick = static_cast<int>(tick); });
        }
      },
      [](const CoreSelection& selection) {
        return selection.tick ? Value::of(std::to_string(*selection.tick)) : Value{};
      });
}

/// Names of arrays, of registers, or of fields.
std::vector<std::string> names_in(const sim::CoreSites& sites, bool are_arrays) {
  std::vector<std::string> names;
  for (const sim::CoreBlock& block : sites.blocks()) {
    if (block.is_array() == are_arrays) {
      names.push_back(block.name);
    }
  }
  return names;
}
std::vector<std::string> fields_in(const sim::CoreSites& sites) {
  std::vector<std::string> names;
  for (const sim::CoreField& field : sites.fields()) {
    names.push_back(field.name);
  }
  return names;
}

void check_names(const std::vector<std::string>& given, const std::vector<std::string>& known,
                 const std::string& key, const std::string& what, const Value& document,
                 ErrorList& errors) {
  const std::string path = "strike.where.core." + key;
  for (const std::string& name : given) {
    if (!contains(known, name)) {
      errors.add(ErrorCode::kNotFound, path + ": a core has no " + what + " named '" + name + "'",
                 place_at(document, path), suggestion(name, known));
    }
  }
}

}  // namespace

bool CoreSelection::has(const sim::CoreBlock& block, const sim::CoreField& field) const {
  if (memories.empty() && registers.empty() && fields.empty()) {
    return true;
  }
  return contains(block.is_array() ? memories : registers, block.name) ||
         contains(fields, field.name);
}

FieldTable<CoreSelection> core_selection_fields() {
  FieldTable<CoreSelection> table = {
      names_field("memory", &CoreSelection::memories,
                  "arrays, whose cells are struck, check bits among them: synapses, parameters, "
                  "..."),
      names_field("register", &CoreSelection::registers,
                  "registers; `tilestrike list registers --accelerator core_1024x64` names them"),
      names_field("field", &CoreSelection::fields,
                  "bits by what they mean: threshold, leak, synapse, ..."),
      numbers_field("bit", &CoreSelection::bits, 1023, "of a field; 0 is the least significant"),
      text_field("layer", &CoreSelection::layer,
                 "glob of layer names: only cores that hold neurons of such a layer"),
      numbers_field("core", &CoreSelection::cores, kMostCores - 1, "numbers of cores"),
      tick_field(),
      choice_field("value", &CoreSelection::value, field_values(),
                   "one_bit: one bit of a field is struck; else all of them, so that the field "
                   "is this number: a stuck-at of each bit"),
  };
  return table;
}

void check_core_selection(const CoreSelection& selection,
                          const bridge::AcceleratorConfig& accelerator, const Value& document,
                          ErrorList& errors) {
  const sim::CoreSites sites(accelerator.core);
  check_names(selection.memories, names_in(sites, true), "memory", "array", document, errors);
  check_names(selection.registers, names_in(sites, false), "register", "register", document,
              errors);
  check_names(selection.fields, fields_in(sites), "field", "field", document, errors);
  const std::string path = "strike.where.core";
  const auto refuse = [&](const std::string& key, const std::string& what,
                          const std::string& cure) {
    errors.add(ErrorCode::kInvalidInput, path + "." + key + ": " + what,
               place_at(document, path + "." + key), cure);
  };
  if (selection.means_cells() && !selection.bits.empty()) {
    refuse("bit", "of an array any cell is struck", "name a 'field', or leave 'bit' out");
  }
  if (selection.means_cells() && selection.value != FieldValue::kOneBit) {
    refuse("value", "of an array single cells are struck", "name a 'field'");
  }
  const sim::CoreArrayEcc& ecc = accelerator.core.ecc;
  const bool has_checks =
      (contains(selection.memories, "synapses") && ecc.synapses != sim::EccKind::kNone) ||
      (contains(selection.memories, "parameters") && ecc.parameters != sim::EccKind::kNone);
  if (selection.means_cells() && selection.is_narrow() && has_checks) {
    refuse("memory", "cells of arrays with ECC are struck in all cores and ticks",
           "name 'field's of them, without check bits, or leave layer, core and tick out");
  }
  if (selection.value != FieldValue::kOneBit && !selection.bits.empty()) {
    refuse("bit", "a whole field is struck", "leave 'bit' or 'value' out");
  }
  const auto is_left = [&](const sim::CoreField& field) {
    return selection.has(sites.block(field.storage), field) &&
           (selection.bits.empty() ||
            std::ranges::any_of(selection.bits, [&](int bit) { return bit < field.bits; }));
  };
  if (errors.empty() && std::ranges::none_of(sites.fields(), is_left)) {
    refuse("bit", "no bit of a core is left to strike", "name bits that the fields have");
  }
}

}  // namespace tilestrike::campaigns
