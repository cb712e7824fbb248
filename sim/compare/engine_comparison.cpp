// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/engine_comparison.h"

#include <algorithm>
#include <compare>
#include <tuple>
#include <utility>

namespace tilestrike::sim {
namespace {

std::string place_text(const OutputChange& change) {
  return "pass " + std::to_string(change.pass) + ", row " + std::to_string(change.row) +
         ", column " + std::to_string(change.column);
}

// Changes are sorted, so the first that differ are at the same index.
std::optional<EngineDifference> first_different_change(const std::vector<OutputChange>& expected,
                                                       const std::vector<OutputChange>& other) {
  std::size_t i = 0;
  while (i < expected.size() && i < other.size() && expected[i] == other[i]) {
    ++i;
  }
  const bool has_expected = i < expected.size();
  const bool has_other = i < other.size();
  const auto difference = [](const OutputChange& place, std::int32_t by, std::int32_t by_other) {
    return EngineDifference{
        EngineDifference::What::kOutput, place.pass, place.row, place.column,
        place_text(place) + ": off by " + std::to_string(by) + ", not " + std::to_string(by_other)};
  };
  if (!has_expected && !has_other) {
    return {};
  }
  if (!has_other || (has_expected && expected[i].place() < other[i].place())) {
    return difference(expected[i], 0, expected[i].delta());
  }
  const bool is_same_place = has_expected && expected[i].place() == other[i].place();
  return difference(other[i], other[i].delta(), is_same_place ? expected[i].delta() : 0);
}

std::optional<EngineDifference> first_different_output(const MeshResult& expected,
                                                       const MeshResult& other) {
  const auto [x, y] = std::mismatch(expected.outputs.begin(), expected.outputs.end(),
                                    other.outputs.begin(), other.outputs.end());
  if (x == expected.outputs.end() && y == other.outputs.end()) {
    return {};
  }
  const auto pass = static_cast<std::int32_t>(x - expected.outputs.begin());
  return EngineDifference{EngineDifference::What::kOutput, pass, -1, -1,
                          "outputs of pass " + std::to_string(pass)};
}

std::string first_different_word(const MeshState& expected, const MeshState& other, int columns) {
  for (int which = 0; which < 2; ++which) {
    const auto& x = expected.stationary[which];
    const auto& y = other.stationary[which];
    const auto [in_x, in_y] = std::mismatch(x.begin(), x.end(), y.begin(), y.end());
    if (in_x != x.end() || in_y != y.end()) {
      const auto cell = static_cast<int>(in_x - x.begin());
      return "end state: c" + std::to_string(which) + "[" + std::to_string(cell / columns) + "][" +
             std::to_string(cell % columns) + "]";
    }
  }
  return "";
}

}  // namespace

std::string_view name_of(EngineDifference::What what) {
  switch (what) {
    case EngineDifference::What::kOutput:
      return "output";
    case EngineDifference::What::kActivated:
      return "activated";
    case EngineDifference::What::kStruckWord:
      return "struck_word";
    case EngineDifference::What::kCycles:
      return "cycles";
    case EngineDifference::What::kEndState:
      return "end_state";
  }
  return "";
}

std::optional<EngineDifference> difference_of(const MeshResult& expected, const MeshResult& other,
                                              bool has_end, int mesh_columns) {
  using What = EngineDifference::What;
  if (auto change = first_different_change(expected.changes, other.changes)) {
    return change;
  }
  if (auto output = first_different_output(expected, other)) {
    return output;
  }
  const auto difference = [](What what, std::string text) {
    return EngineDifference{what, -1, -1, -1, std::move(text)};
  };
  if (expected.activated != other.activated) {
    return difference(What::kActivated, other.activated ? "activated" : "not activated");
  }
  if (expected.before != other.before || expected.after != other.after) {
    return difference(What::kStruckWord, "struck word " + std::to_string(other.before) + " -> " +
                                             std::to_string(other.after) + ", not " +
                                             std::to_string(expected.before) + " -> " +
                                             std::to_string(expected.after));
  }
  if (expected.cycles != other.cycles) {
    return difference(What::kCycles, "cycles: " + std::to_string(other.cycles) + ", not " +
                                         std::to_string(expected.cycles));
  }
  if (has_end) {
    if (std::string word = first_different_word(expected.end, other.end, mesh_columns);
        !word.empty()) {
      return difference(What::kEndState, std::move(word));
    }
  }
  return {};
}

std::string first_difference(const MeshJob& job, const MeshResult& expected,
                             const MeshResult& other) {
  const auto difference =
      difference_of(expected, other, job.wants_end || job.wants_outputs, job.run->config().columns);
  return difference ? difference->text : "";
}

std::string text_of_faults(const MeshJob& job, const MeshSites& sites) {
  std::string text;
  for (const RegisterFault& fault : job.faults) {
    text += (text.empty() ? "" : "; ") + std::string(name_of(fault.kind)) + " of " +
            sites.text(fault.site) + " at state " + std::to_string(fault.when.from);
  }
  return text;
}

}  // namespace tilestrike::sim
