// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/title.h"

#include <fmt/format.h>

#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

std::string lasts_text(const StrikeConfig& strike, const Plan& plan) {
  if (plan.tensors() != nullptr) {
    return plan.strikes_constants() ? "until written again"
           : plan.is_persistent()   ? "permanent"
                                    : "for one inference";
  }
  if (!is_persistent(strike)) {
    return "transient";
  }
  if (strike.lasts.kind == Lasts::Kind::kWindow) {
    return fmt::format("in cycles {} to {} of every inference", strike.lasts.window.from,
                       strike.lasts.window.until - 1);
  }
  return "permanent";
}

std::string particle_text(const Plan& plan) {
  const MemoryPopulation& population = *plan.memories();
  const ParticleConfig& particle = population.particle();
  std::string text = particle.radiation ? std::string(name_of(*particle.radiation)) + " strikes"
                                        : "strikes of particles";
  if (particle.fluence > 0.0) {
    text += fmt::format(" at {:g} n/cm2 per inference ({:.3g} events expected)", particle.fluence,
                        population.expected());
  }
  if (particle.voltage > 0.0) {
    text += fmt::format(" at {:g} V", particle.voltage);
  }
  return text + ", " + population.node().name;
}

std::string place_text(const Scenario& scenario, const Plan& plan) {
  const bridge::AcceleratorConfig& accelerator = scenario.accelerator;
  if (plan.tensors() != nullptr) {
    std::string text;
    const TensorSelection& selection = scenario.strike.where.tensors;
    for (const std::string& key : tensor_keys()) {
      const Value value = write_tensor_key(selection, key);
      if (!value.is_null()) {
        text += (text.empty() ? "" : ", ") + key + " " +
                (value.is_scalar() ? value.scalar : value.json());
      }
    }
    return text;
  }
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
  std::vector<std::string> kinds;
  for (const FaultKind kind : scenario.strike.faults) {
    kinds.emplace_back(name_of(kind));
  }
  const std::string what = is_particle(scenario.strike)  ? particle_text(plan)
                           : is_failure(scenario.strike) ? failure_text(scenario.strike)
                           : scenario.strike.process == Process::kList
                               ? std::string("listed faults")
                               : join(kinds, " or ");
  const std::string subject =
      scenario.model == kNoModel
          ? "made-up passes"
          : fmt::format("{} ({})", scenario.model, scenario.number_format().name());
  return fmt::format("{} {}: {}{}, {}", subject, place_text(scenario, plan),
                     amount_text(scenario.strike), what, lasts_text(scenario.strike, plan));
}

}  // namespace tilestrike::campaigns
