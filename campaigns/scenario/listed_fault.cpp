// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/listed_fault.h"

#include <algorithm>
#include <limits>

#include "campaigns/scenario/fields.h"
#include "campaigns/scenario/strike_values.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::int64_t kMostPlaces = std::numeric_limits<int>::max();
constexpr std::int64_t kMostCodewordBits = 65535;

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

ListedPlace place_of(const ListedFault& fault) {
  return !fault.tensor.empty()   ? ListedPlace::kWord
         : !fault.memory.empty() ? ListedPlace::kCell
                                 : ListedPlace::kRegister;
}

std::int64_t named_image(const ListedTrial& trial) {
  const auto names_one = [](const ListedFault& fault) { return fault.image >= 0; };
  const auto found = std::ranges::find_if(trial, names_one);
  return found == trial.end() ? -1 : found->image;
}

CycleWindow window_of(const ListedFault& fault, bool is_persistent, CycleWindow otherwise) {
  CycleWindow window = otherwise;
  if (fault.cycle >= 0) {
    window.from = fault.cycle;
    window.until = is_persistent ? window.until : fault.cycle + 1;
  }
  if (fault.until >= 0) {
    window.until = fault.until;
  }
  return window;
}

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
      text_field("memory", &ListedFault::memory, "as `tilestrike list memories` names it"),
      listed_integer("codeword", &ListedFault::codeword, kLatestCycle, "",
                     "of the memory; `tilestrike locate` says what it holds"),
      listed_integer("bank", &ListedFault::bank, kMostPlaces, "",
                     "of the memory, with row and column in the place of codeword and bit"),
      listed_integer("row", &ListedFault::row, kMostPlaces, "", "of the mesh, or of a bank"),
      listed_integer("column", &ListedFault::column, kMostPlaces, "", "of the mesh, or of a bank"),
      listed_integer("position", &ListedFault::position, sim::kLargestMesh - 1, "",
                     "place along a skew or deskew chain, from its input"),
      listed_integer("bit", &ListedFault::bit, kMostCodewordBits, "",
                     "0 is the least significant, a codeword's check bits come after its data; a "
                     "tensor's word without one: all its bits"),
      listed_integer("cycle", &ListedFault::cycle, kLatestCycle, "cycles",
                     "of the inference; where a window starts; of cells by default drawn, one for "
                     "those of a trial that name none"),
      listed_integer("until", &ListedFault::until, kLatestCycle, "cycles",
                     "first cycle after a stuck-at; default: one cycle, or for ever if permanent"),
      listed_integer("image", &ListedFault::image, kLatestCycle, "",
                     "row of the images that the trial is judged on; default: drawn"),
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
