// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/title.h"

#include <fmt/format.h>

namespace tilestrike::campaigns {
namespace {

std::string place_text(const bridge::AcceleratorConfig& accelerator) {
  return fmt::format(
      "on {} ({} x {} mesh, {})",
      accelerator.name.empty() ? "an accelerator of its own" : accelerator.name,
      accelerator.mesh.rows, accelerator.mesh.columns,
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

}  // namespace

std::string title_of(const Scenario& scenario, const Plan& plan) {
  const Population& population = plan.population();
  const std::string subject =
      scenario.model == kNoModel
          ? "made-up passes"
          : fmt::format("{} ({})", scenario.model, scenario.number_format().name());
  return fmt::format(
      "{} {}: {}{}, {}", subject,
      population.is_on_hardware() ? place_text(scenario.accelerator) : population.selection(),
      amount_text(scenario.strike), population.what(), population.lasts());
}

}  // namespace tilestrike::campaigns
