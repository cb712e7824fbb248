// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/population.h"

#include <fmt/format.h>

#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::campaigns {

Population::Population(const StrikeConfig& strike, StrikeTimes times)
    : Population(strike, std::move(times), campaigns::is_persistent(strike)) {}

void Population::divide(std::vector<Stratum> strata, Allocation allocation) {
  for (std::size_t i = 0; i < strata.size(); ++i) {
    strata[i].share = allocation.share(i);
  }
  strata_ = std::move(strata);
  allocation_ = std::move(allocation);
}

DrawnTrial Population::member(std::uint64_t, FaultKind, CycleWindow) const {
  TS_CHECK(false, "members that a census may go through");
  return {};
}

std::string Population::what() const {
  std::vector<std::string> names;
  for (const FaultKind kind : strike_.faults) {
    names.emplace_back(name_of(kind));
  }
  return join(names, " or ");
}

std::string Population::lasts() const {
  if (!is_persistent_) {
    return "transient";
  }
  if (strike_.lasts.kind == Lasts::Kind::kWindow) {
    return fmt::format("in cycles {} to {} of every inference", strike_.lasts.window.from,
                       strike_.lasts.window.until - 1);
  }
  return "permanent";
}

std::vector<std::string> Population::unstruck_logic_and(const std::vector<std::string>& parts) {
  std::vector<std::string> names = {"combinational logic"};
  names.insert(names.end(), parts.begin(), parts.end());
  names.insert(names.end(),
               {"DMA engines", "the sequencer", "the vector unit",
                "biases and requantisation constants (registers)", "clock and reset trees"});
  return names;
}

std::vector<std::string> Population::not_modelled() const {
  std::vector<std::string> parts = {"cells of memories (strike.where.memory strikes them)"};
  if (!is_persistent_) {
    parts.emplace_back(kLatchWindows);
  }
  std::vector<std::string> names = unstruck_logic_and(parts);
  names.emplace_back(kOffChip);
  return names;
}

}  // namespace tilestrike::campaigns
