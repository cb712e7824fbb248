// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/title.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

std::string place_text(const bridge::AcceleratorConfig& accelerator) {
  const std::string name =
      accelerator.name.empty() ? "an accelerator of its own" : accelerator.name;
  if (accelerator.has_core) {
    return fmt::format("on {} (cores of {} axons x {} neurons)", name, accelerator.core.axons,
                       accelerator.core.neurons);
  }
  return fmt::format(
      "on {} ({} x {} mesh, {})", name, accelerator.mesh.rows, accelerator.mesh.columns,
      accelerator.mesh.is_weight_stationary() ? "weight-stationary" : "output-stationary");
}

std::string amount_text(const StrikeConfig& strike) {
  if (strike.per_bit > 0.0) {
    return fmt::format("{:g} faults per bit, ", strike.per_bit);
  }
  if (strike.per_parameter > 0.0) {
    return fmt::format("{:g} faults per parameter, ", strike.per_parameter);
  }
  return strike.count > 1 ? fmt::format("{} faults per trial, ", strike.count) : "";
}

/// The format that was asked for, and those of what is struck where they are others.
std::string format_text(const Scenario& scenario, const Population& population) {
  const std::string asked = scenario.number_format().name();
  const std::vector<std::string> struck = population.formats();
  if (struck.empty() || (struck.size() == 1 && struck.front() == asked)) {
    return asked;
  }
  const std::string found = join(struck, ", ");
  return scenario.format == "auto" ? found : asked + "; struck words in " + found;
}

}  // namespace

std::string title_of(const Scenario& scenario, const Plan& plan) {
  const Population& population = plan.population();
  const std::string subject =
      scenario.model == kNoModel
          ? "made-up passes"
          : fmt::format("{} ({})", scenario.model, format_text(scenario, population));
  return fmt::format(
      "{} {}: {}{}, {}", subject,
      population.is_on_hardware() ? place_text(scenario.accelerator) : population.selection(),
      amount_text(scenario.strike), population.what(), population.lasts());
}

}  // namespace tilestrike::campaigns
