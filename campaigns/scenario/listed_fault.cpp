// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/listed_fault.h"

#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/strike_values.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::campaigns {
namespace {

/// An integer that may be absent, which is -1.
template <class Number>
Field<ListedFault> listed_integer(std::string name, Number ListedFault::*member, std::int64_t max,
                                  std::string unit, std::string help) {
  auto field = integer_field(std::move(name), member, 0, max, std::move(unit), std::move(help));
  field.about.default_text = "";
  field.write = [member](const ListedFault& fault) {
    return fault.*member < 0 ? Value{} : Value::of(std::to_string(fault.*member));
  };
  return field;
}

}  // namespace

FieldTable<ListedFault> listed_fault_fields() {
  FieldTable<ListedFault> table = {
      text_field("tensor", &ListedFault::tensor,
                 "as `tilestrike inspect MODEL --tensors` names it"),
      listed_integer("word", &ListedFault::word, kLatestCycle, "", "element of the tensor, from 0"),
      text_field("register", &ListedFault::register_name,
                 "as `tilestrike list registers` names it"),
      custom_field<ListedFault>(
          {"pe", "[row, column]", "", "", "", "row and column in one"},
          [](ListedFault& fault, const Value& value, const std::string& path, ErrorList& errors) {
            const std::vector<int> pe = read_pe(value, path, errors);
            if (!pe.empty()) {
              fault.row = pe[0];
              fault.column = pe[1];
            }
          },
          [](const ListedFault&) { return Value{}; }),
      listed_integer("row", &ListedFault::row, sim::kLargestMesh - 1, "", "row of the mesh"),
      listed_integer("column", &ListedFault::column, sim::kLargestMesh - 1, "",
                     "column of the mesh"),
      listed_integer("position", &ListedFault::position, sim::kLargestMesh - 1, "",
                     "place along a skew or deskew chain, from its input"),
      listed_integer("bit", &ListedFault::bit, 63, "",
                     "0 is the least significant; a word without one: all its bits"),
      listed_integer("cycle", &ListedFault::cycle, kLatestCycle, "cycles",
                     "of the inference; where a window starts"),
      listed_integer("until", &ListedFault::until, kLatestCycle, "cycles",
                     "first cycle after a stuck-at; default: one cycle, or for ever if permanent"),
      listed_integer("image", &ListedFault::image, kLatestCycle, "",
                     "row of the images; default: drawn"),
      custom_field<ListedFault>(
          {"fault", "choice", "", "that of the strike", join(fault_names(), " | "),
           "kind of fault"},
          [](ListedFault& fault, const Value& value, const std::string& path, ErrorList& errors) {
            fault.kind = read_fault(value, path, errors);
          },
          [](const ListedFault& fault) {
            return fault.kind ? Value::of(std::string(name_of(*fault.kind))) : Value{};
          }),
  };
  return table;
}

}  // namespace tilestrike::campaigns
