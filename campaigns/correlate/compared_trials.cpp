// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/compared_trials.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/statistics/statistics.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::int64_t kTrialsInStep = 2000;

}  // namespace

std::vector<std::string> checked_engines(const std::vector<std::string>& asked,
                                         const std::vector<std::string>& known,
                                         const sim::EngineSet& all) {
  std::vector<std::string> engines;
  for (const std::string& name : asked.empty() ? known : asked) {
    if (const sim::AbsentEngine* absent = all.find_absent(name)) {
      fail(ErrorCode::kUnsupported, absent->what, "--engines",
           absent->cure + ", or choose from " + join(known, ", "));
    }
    if (std::ranges::count(known, name) == 0) {
      const bool is_other = all.find(name) != nullptr;
      fail(ErrorCode::kInvalidInput,
           is_other ? "'" + name + "' is no engine of neuromorphic cores"
                    : "no engine is called '" + name + "'",
           "--engines", is_other ? "choose from " + join(known, ", ") : suggestion(name, known));
    }
    if (std::ranges::count(engines, name) == 0) {
      engines.push_back(name);
    }
  }
  if (engines.size() < 2) {
    fail(ErrorCode::kInvalidInput, "one engine has nothing to be compared with", "--engines",
         "name two or more of " + join(known, ", "));
  }
  return engines;
}

void check_scenario_number(const Campaign& campaign, const CorrelateRequest& request) {
  const auto points = static_cast<std::int64_t>(campaign.points.size());
  if (request.trial && request.scenario >= points) {
    fail(ErrorCode::kNotFound, "the sweep has no scenario " + std::to_string(request.scenario),
         "--scenario", "scenarios are 0 to " + std::to_string(points - 1));
  }
}

void check_trial_number(const Plan& plan, std::int64_t trial) {
  if (trial >= plan.trials()) {
    fail(ErrorCode::kNotFound, "the scenario has no trial " + std::to_string(trial), "--trial",
         "trials are 0 to " + std::to_string(plan.trials() - 1) +
             (plan.is_census() ? "" : "; --trials makes more"));
  }
}

double bound_of_differing(std::int64_t differed, std::int64_t compared, bool is_census,
                          double confidence) {
  if (compared == 0) {
    return 1.0;
  }
  return is_census ? static_cast<double>(differed) / static_cast<double>(compared)
                   : clopper_pearson(differed, compared, 2.0 * confidence - 1.0).high;
}

ImageId compared_image(const Plan& plan, std::int64_t images, TrialId trial) {
  return plan.image_of(trial).value_or(ImageId(static_cast<std::int64_t>(trial.value) % images));
}

bool each_trial_by_image(const Plan& plan, std::int64_t images, const std::string& label,
                         const Surroundings& surroundings,
                         const std::function<void(TrialId)>& visit) {
  Progress progress(surroundings.show_progress, label.empty() ? "" : label + ": ", 0,
                    plan.trials());
  for (std::int64_t first = 0; first < plan.trials(); first += kTrialsInStep) {
    std::vector<std::pair<std::int64_t, TrialId>> todo;  // image, trial
    for (std::int64_t i = first; i < std::min(first + kTrialsInStep, plan.trials()); ++i) {
      const TrialId trial(static_cast<std::uint64_t>(i));
      todo.emplace_back(compared_image(plan, images, trial).value, trial);
    }
    std::sort(todo.begin(), todo.end());
    for (const auto& [image, trial] : todo) {
      if (surroundings.is_interrupted()) {
        return false;
      }
      visit(trial);
      progress.step();
    }
  }
  return true;
}

std::string command_of_trial(const std::string& command, const std::string& label,
                             std::int64_t scenario, std::int64_t trial, const EnginePair& engines) {
  if (command.empty()) {
    return "";
  }
  return command + (label.empty() ? "" : fmt::format(" --scenario {}", scenario)) +
         fmt::format(" --trial {} --engines {},{} --vcd vcd", trial, engines.first, engines.second);
}

}  // namespace tilestrike::campaigns
