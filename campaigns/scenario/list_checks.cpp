// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/list_checks.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/text.h"
#include "campaigns/scenario/fault_list.h"

namespace tilestrike::campaigns {
namespace {

const std::string kPath = "strike.faults";

bool is_stuck(FaultKind kind) {
  return kind == FaultKind::kStuckAt0 || kind == FaultKind::kStuckAt1;
}

FaultKind kind_of(const ListedFault& fault, const StrikeConfig& strike) {
  return fault.kind.value_or(strike.faults.front());
}

std::string text_of(ListedPlace place) {
  return place == ListedPlace::kWord   ? "a word of a tensor"
         : place == ListedPlace::kCell ? "a cell of a memory"
                                       : "a register of the mesh";
}

/// Whether each fault is on one place, and all are on places that one study simulates.
bool are_of_one_kind(const StrikeConfig& strike, ErrorList& errors) {
  const ListedFault* first = nullptr;
  bool is_well = true;
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      const std::string place = fault.place.text();
      const int names = (fault.tensor.empty() ? 0 : 1) + (fault.memory.empty() ? 0 : 1) +
                        (fault.register_name.empty() ? 0 : 1);
      if (names != 1) {
        errors.add(ErrorCode::kInvalidInput,
                   kPath + (names == 0 ? ": a fault that is nowhere" : ": a fault in two places"),
                   place,
                   "name one of {register, pe, bit}, {memory, codeword, bit}, {memory, bank, row, "
                   "column} or {tensor, word, bit}");
        return false;
      }
      first = first == nullptr ? &fault : first;
      if (is_well && place_of(fault) != place_of(*first)) {
        errors.add(ErrorCode::kUnsupported,
                   kPath + ": " + text_of(place_of(fault)) + " in a list that begins with " +
                       text_of(place_of(*first)) + " (" + first->place.text() +
                       "): what is struck in one is no part of what is simulated for the other",
                   place, "make a scenario for each");
        is_well = false;
      }
    }
  }
  return is_well;
}

/// Times and image of a fault on hardware.
void check_times(const ListedFault& fault, bool is_persistent, const StrikeConfig& strike,
                 ErrorList& errors) {
  const std::string place = fault.place.text();
  const bool draws_cycle = place_of(fault) == ListedPlace::kCell && fault.until < 0;
  if (fault.cycle < 0 && !is_persistent && !draws_cycle) {
    errors.add(ErrorCode::kInvalidInput, kPath + ".cycle: this key is required", place,
               "add 'cycle: ...' (a transient strikes at one cycle of an inference)");
  }
  const CycleWindow window = window_of(fault, is_persistent, strike.lasts.window);
  if (window.until <= window.from) {
    errors.add(ErrorCode::kInvalidInput, kPath + ".until: the window ends before it starts", place,
               "let 'until' be greater than 'cycle'");
  }
  if (fault.until >= 0 && !is_persistent && !is_stuck(kind_of(fault, strike))) {
    errors.add(ErrorCode::kInvalidInput, kPath + ".until: a flip or random value acts only once",
               place, "leave 'until' out, or write 'fault: stuck_at_0' or stuck_at_1");
  }
  if (fault.image >= 0 && is_persistent) {
    errors.add(ErrorCode::kInvalidInput,
               kPath + ".image: a lasting fault is judged on all images in use", place,
               "leave 'image' out, or write 'lasts: transient'");
  }
}

void check_register_fault(const ListedFault& fault, const sim::MeshSites& sites,
                          ErrorList& errors) {
  const std::string place = fault.place.text();
  if (fault.bit < 0) {
    errors.add(ErrorCode::kInvalidInput, kPath + ".bit: this key is required", place,
               "name a register and a bit");
    return;
  }
  if (fault.codeword >= 0 || fault.bank >= 0 || fault.word >= 0) {
    errors.add(ErrorCode::kInvalidInput, kPath + ": a register has no codeword, bank or word",
               place, "name register, pe or row and column, position, bit, cycle");
  }
  if (check_register(fault.register_name, kPath + ".register", place, sites, errors) &&
      !site_of(fault, sites)) {
    errors.add(ErrorCode::kInvalidInput,
               kPath + ": this mesh has no such bit of '" + fault.register_name + "'", place,
               place_rule(fault.register_name, sites));
  }
}

void check_word_fault(const ListedFault& fault, ErrorList& errors) {
  const std::string place = fault.place.text();
  if (fault.word < 0) {
    errors.add(ErrorCode::kInvalidInput, kPath + ".word: this key is required", place,
               "each fault of the list names a tensor and a word");
  } else if (fault.codeword >= 0 || fault.bank >= 0 || fault.row >= 0 || fault.column >= 0 ||
             fault.cycle >= 0 || fault.until >= 0) {
    errors.add(ErrorCode::kInvalidInput,
               kPath + ": a tensor has no codeword, bank, row, column or cycle", place,
               "name tensor, word, bit, image and fault");
  }
}

/// Calls `on_two(first, second)` for faults of a trial on one place, which `find` gives.
template <class Find, class OnTwo>
void each_two_of_one_place(const ListedTrial& trial, const Find& find, const OnTwo& on_two) {
  using Found = typename decltype(find(trial.front()))::value_type;
  std::vector<std::pair<Found, std::size_t>> found;
  for (std::size_t i = 0; i < trial.size(); ++i) {
    if (const auto place = find(trial[i])) {
      found.emplace_back(*place, i);
    }
  }
  std::ranges::sort(found);
  for (std::size_t i = 1; i < found.size(); ++i) {
    for (std::size_t k = i; k-- > 0 && found[k].first == found[i].first;) {
      on_two(trial[found[k].second], trial[found[i].second]);
    }
  }
}

/// A register's bit may be struck several times, as long as each time is over before the next.
void check_registers_once(const ListedTrial& trial, const sim::MeshSites& sites, bool is_persistent,
                          const StrikeConfig& strike, ErrorList& errors) {
  each_two_of_one_place(
      trial, [&](const ListedFault& fault) { return site_of(fault, sites); },
      [&](const ListedFault& first, const ListedFault& second) {
        const CycleWindow one = window_of(first, is_persistent, strike.lasts.window);
        const CycleWindow other = window_of(second, is_persistent, strike.lasts.window);
        if (one.from < other.until && other.from < one.until) {
          refuse_twice(first, second, sites.text(*site_of(first, sites)), strike, errors);
        }
      });
}

}  // namespace

void refuse_twice(const ListedFault& first, const ListedFault& second, const std::string& bit,
                  const StrikeConfig& strike, ErrorList& errors) {
  const FaultKind one = kind_of(first, strike), other = kind_of(second, strike);
  const std::string why =
      one == FaultKind::kFlip && other == FaultKind::kFlip ? "two flips undo each other"
      : is_stuck(one) && is_stuck(other) && one != other   ? "a bit is stuck at 0 or at 1"
                                                           : "a bit is struck once";
  errors.add(ErrorCode::kInvalidInput,
             kPath + ": " + bit + " twice in one trial, here and at " + first.place.text(),
             second.place.text(), why + ": keep one of the two, or make them two trials");
}

void check_list(const StrikeConfig& strike, const sim::MeshConfig& mesh, const Value& document,
                ErrorList& errors) {
  if (strike.list.empty() && strike.list_file.empty()) {
    errors.add(ErrorCode::kInvalidInput, kPath + ": 'process: list' needs a list of faults",
               place_at(document, "strike"), "add 'faults: [{register: ..., bit: ...}, ...]'");
  }
  const MeshSelection& selection = strike.where.mesh;
  if (!selection.pe.empty() || !selection.registers.empty() || !selection.bits.empty() ||
      !selection.layer.empty() || strike.count != 1 || strike.per_bit > 0.0 ||
      strike.per_parameter > 0.0) {
    errors.add(ErrorCode::kInvalidInput,
               "strike: 'where', 'count' and rates mean nothing with 'process: list'",
               place_at(document, "strike"), "leave them out; each listed fault names its site");
  }
  if (!are_of_one_kind(strike, errors)) {
    return;
  }
  const bool persistent = is_persistent(strike);
  const sim::MeshSites sites(mesh);
  for (const ListedTrial& trial : strike.list) {
    const bool are_registers = place_of(trial.front()) == ListedPlace::kRegister;
    for (const ListedFault& fault : trial) {
      if (fault.image >= 0 && fault.image != named_image(trial)) {
        errors.add(ErrorCode::kInvalidInput, kPath + ".image: one trial strikes one image",
                   fault.place.text(), "give all faults of a trial the same 'image'");
      }
      if (place_of(fault) == ListedPlace::kWord) {
        check_word_fault(fault, errors);
        continue;
      }
      check_times(fault, persistent, strike, errors);
      if (are_registers) {
        check_register_fault(fault, sites, errors);
      }
    }
    if (are_registers) {
      check_registers_once(trial, sites, persistent, strike, errors);
    }
  }
}

void check_listed_cells(const StrikeConfig& strike, const bridge::AcceleratorConfig& accelerator,
                        ErrorList& errors) {
  std::vector<std::string> names;
  std::vector<sim::ArrayGeometry> geometries;
  for (const auto& [name, memory] : accelerator.memory) {
    names.push_back(name);
    geometries.emplace_back(memory.array());
  }
  using Cell = std::pair<std::size_t, CodewordBit>;
  const auto place_in = [&](const ListedFault& fault) -> std::optional<Cell> {
    const auto found = std::ranges::find(names, fault.memory);
    const auto memory = static_cast<std::size_t>(found - names.begin());
    const auto cell = found == names.end() ? std::nullopt : cell_of(fault, geometries[memory]);
    return cell ? std::optional(Cell(memory, *cell)) : std::nullopt;
  };
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      const std::string place = fault.place.text();
      const auto found = std::ranges::find(names, fault.memory);
      if (found == names.end()) {
        errors.add(ErrorCode::kNotFound,
                   kPath + ".memory: the accelerator '" + accelerator.name + "' has no memory '" +
                       fault.memory + "'",
                   place,
                   names.empty() ? "describe it under 'accelerator.memory'"
                                 : suggestion(fault.memory, names));
      } else if (!place_in(fault) || fault.position != 0 || fault.word >= 0) {
        errors.add(ErrorCode::kInvalidInput, kPath + ": '" + fault.memory + "' has no such cell",
                   place, place_rule(geometries[static_cast<std::size_t>(found - names.begin())]));
      }
    }
    each_two_of_one_place(
        trial, place_in, [&](const ListedFault& first, const ListedFault& second) {
          const Cell cell = *place_in(first);
          refuse_twice(first, second,
                       "codeword " + std::to_string(cell.second.codeword.value) + " bit " +
                           std::to_string(cell.second.bit) + " of " + first.memory + " (" +
                           sim::text_of(geometries[cell.first].cell_of(cell.second)) + ")",
                       strike, errors);
        });
  }
}

}  // namespace tilestrike::campaigns
