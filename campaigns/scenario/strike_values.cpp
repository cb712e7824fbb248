// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/strike_values.h"

#include <array>

#include "campaigns/scenario/fields.h"
#include "sim/mesh/mesh_config.h"

namespace tilestrike::campaigns {
namespace {

const std::array<FaultKind, 4> kFaultKinds{FaultKind::kFlip, FaultKind::kStuckAt0,
                                           FaultKind::kStuckAt1, FaultKind::kRandom};

}  // namespace

std::vector<std::string> fault_names() {
  std::vector<std::string> names;
  for (const FaultKind kind : kFaultKinds) {
    names.emplace_back(name_of(kind));
  }
  return names;
}

std::optional<FaultKind> read_fault(const Value& value, const std::string& path,
                                    ErrorList& errors) {
  if (!is_choice(value, path, fault_names(), {}, errors)) {
    return std::nullopt;
  }
  for (const FaultKind kind : kFaultKinds) {
    if (name_of(kind) == value.scalar) {
      return kind;
    }
  }
  return std::nullopt;
}

std::vector<int> read_numbers(const Value& value, const std::string& path, int max,
                              ErrorList& errors) {
  std::vector<int> numbers;
  for (const Value& item : items_of(value)) {
    field_detail::read_integer(item, path, 0, max, errors, [&](std::int64_t number) {
      numbers.push_back(static_cast<int>(number));
    });
  }
  return numbers;
}

std::vector<int> read_pe(const Value& value, const std::string& path, ErrorList& errors) {
  if (!value.is_list() || value.items.size() != 2) {
    field_detail::wrong_type(value, path, "[row, column] of a processing element", errors);
    return {};
  }
  std::vector<int> pe = read_numbers(value, path, sim::kLargestMesh - 1, errors);
  return pe.size() == 2 ? pe : std::vector<int>{};
}

}  // namespace tilestrike::campaigns
