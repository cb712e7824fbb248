// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/core_correlation.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "bridge/trial/chip_strike.h"
#include "campaigns/correlate/compared_trials.h"
#include "campaigns/correlate/core_correlation_file.h"
#include "campaigns/plan/title.h"
#include "campaigns/results/core_trial.h"
#include "campaigns/results/trial_record.h"
#include "sim/chip/chip_comparison.h"
#include "sim/chip/chip_lockstep.h"
#include "sim/compare/correlation.h"
#include "sim/core/core_lockstep.h"
#include "sim/core/core_waveform.h"

namespace tilestrike::campaigns {
namespace {

/// Hands on what a study strikes first; what comes after it is not asked for.
class ChipVisitor final : public bridge::RunObserver {
 public:
  explicit ChipVisitor(std::function<void(const bridge::ChipStrike&)> visit)
      : visit_(std::move(visit)) {}
  void on_chip(const bridge::ChipStrike& strike) override {
    visit_(strike);
    is_done_ = true;
  }
  bool is_interrupted() const override { return is_done_; }

 private:
  std::function<void(const bridge::ChipStrike&)> visit_;
  bool is_done_ = false;
};

/// An engine, and its core that steps.
struct Asked {
  std::string name;
  std::unique_ptr<sim::CoreEngine> engine;         // for its machines
  std::unique_ptr<sim::ChipOnEngine> chip;         // for its answers
  std::unique_ptr<sim::CoreMachine> first, other;  // null: it does not step
};

class CorePointRun {
 public:
  /// `number`: of the point in the sweep.
  CorePointRun(const Point& point, std::size_t number, const CorrelateRequest& request,
               const std::vector<std::string>& engines, const Surroundings& surroundings)
      : point_(point),
        request_(request),
        surroundings_(surroundings),
        study_(surroundings.open_study(study_inputs(point.scenario, surroundings.engines))),
        plan_(point.scenario, study_->facts()) {
    found_.number = number;
    found_.label = point.label;
    found_.title = title_of(point.scenario, plan_);
    found_.population = plan_.population_text();
    found_.document = point.document.yaml();
    found_.confidence = point.scenario.confidence();
    found_.planned = plan_.trials();
    found_.engines = engines;
    for (const std::string& name : engines) {
      const sim::EngineEntry& entry = surroundings.engines.at(name);
      asked_.push_back({name, entry.make_core(),
                        std::make_unique<sim::ChipOnEngine>(entry.make_core()), nullptr, nullptr});
      Asked& asked = asked_.back();
      asked.first = asked.engine->machine(cores().sites);
      asked.other = asked.first == nullptr ? nullptr : asked.engine->machine(cores().sites);
    }
    for (std::size_t i = 0; i < engines.size(); ++i) {
      for (std::size_t j = i + 1; j < engines.size(); ++j) {
        found_.pairs.push_back({{engines[i], engines[j]}});
      }
    }
  }

  /// Whether it came to its end. Rows go to `file`, if there is one.
  bool run(CoreCorrelationFile* file) {
    file_ = file;
    bool is_complete = true;
    if (request_.trial) {
      check_trial_number(plan_, *request_.trial);
      strike(TrialId(static_cast<std::uint64_t>(*request_.trial)));
    } else {
      is_complete = each_trial_by_image(plan_, study_->facts().images, point_.label, surroundings_,
                                        [&](TrialId trial) { strike(trial); });
    }
    found_.is_census = plan_.is_census() && is_complete && !request_.trial;
    if (!request_.vcd_folder.empty() && (request_.trial || found_.first)) {
      write_waveforms(request_.trial ? *request_.trial : found_.first->trial);
    }
    if (file != nullptr) {
      file->finish({.scenario = static_cast<std::int64_t>(found_.number),
                    .label = found_.label,
                    .expanded = found_.document,
                    .population = found_.population,
                    .engines = join(found_.engines, ", "),
                    .is_census = found_.is_census,
                    .trials = found_.planned,
                    .struck = found_.struck,
                    .without_run = std::nullopt,
                    .compared = found_.compared,
                    .differed = found_.differed(),
                    .upper_bound = found_.bound(),
                    .confidence = found_.confidence});
    }
    return is_complete;
  }

  CorePoint found() && { return std::move(found_); }

 private:
  const bridge::StudyCores& cores() const { return *study_->facts().cores; }

  ImageId image_of(TrialId trial) const {
    return compared_image(plan_, study_->facts().images, trial);
  }

  /// Visits the inference that a trial strikes.
  void watch(TrialId trial, const DrawnTrial& drawn,
             const std::function<void(const bridge::ChipStrike&)>& visit) {
    bridge::StrikeJob job = drawn.job();
    if (job.strike.is_empty()) {
      return;
    }
    job.image = image_of(trial);
    ChipVisitor visitor(visit);
    study_->strike({&job, 1}, &visitor);
  }

  void strike(TrialId trial) {
    ++found_.struck;
    const DrawnTrial drawn = plan_.draw(trial);
    watch(trial, drawn, [&](const bridge::ChipStrike& strike) { take(trial, drawn, strike); });
  }

  void take(TrialId trial, const DrawnTrial& drawn, const bridge::ChipStrike& strike) {
    std::vector<std::optional<sim::ChipResult>> answers;
    for (Asked& asked : asked_) {
      answers.push_back(asked.chip->strike(strike.run, strike.job));
    }
    CoreFieldCounts& counts = found_.fields[structure_of(drawn, study_->facts())];
    ++counts.strikes;
    CorrelatedCoreFault row;
    const auto comes_to = [&](std::int64_t& count, const char* name) {
      ++count;
      row.came_to = name;
    };
    if (strike.result.hung) {
      comes_to(counts.hung, "hung");
    } else if (!strike.result.activated) {
      comes_to(counts.dead, "dead");
    } else if (strike.result.changed_spikes > 0 ||
               !sim::has_golden_answer(strike.run, strike.result)) {
      comes_to(counts.corrupted, "corrupted");
    } else {
      comes_to(counts.masked, "masked");
    }
    bool differs = false, is_compared = false;
    std::size_t pair = 0;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      for (std::size_t j = i + 1; j < asked_.size(); ++j, ++pair) {
        CorePairCounts& of_pair = found_.pairs[pair];
        CorrelatedCorePair& told = row.pairs.emplace_back();
        told.pair = static_cast<std::int64_t>(pair);
        told.first_engine = of_pair.engines.first;
        told.second_engine = of_pair.engines.second;
        if (!answers[i] || !answers[j]) {
          ++of_pair.not_covered;
          told.verdict = sim::name_of(sim::Verdict::kNotCovered);
          continue;
        }
        is_compared = true;
        CoreDifference difference;
        difference.answer = sim::first_difference(*answers[i], *answers[j]);
        told.with_states = compare_states(i, j, strike, difference.state);
        of_pair.with_states += told.with_states ? 1 : 0;
        const bool is_equal = difference.answer.empty() && difference.state.empty();
        ++(is_equal ? of_pair.agreed : of_pair.differed);
        told.verdict = sim::name_of(is_equal ? sim::Verdict::kAgree : sim::Verdict::kDiffer);
        told.answer = unless_empty(difference.answer);
        told.state = unless_empty(difference.state);
        if (!is_equal) {
          differs = true;
          keep(trial, drawn, of_pair.engines, std::move(difference));
        }
      }
    }
    found_.compared += is_compared ? 1 : 0;
    counts.differed += differs ? 1 : 0;
    if (file_ != nullptr) {
      file_->add(with_keys(std::move(row), trial, drawn, strike));
    }
  }

  /// The first fault, and whose rows these are.
  CorrelatedCoreFault with_keys(CorrelatedCoreFault row, TrialId trial, const DrawnTrial& drawn,
                                const bridge::ChipStrike& strike) const {
    const TrialKey key{static_cast<std::int64_t>(found_.number),
                       static_cast<std::int64_t>(trial.value)};
    row.first = first_fault_of(drawn, study_->facts());
    row.first.number =
        static_cast<std::int64_t>(strike.job.faults.size() + strike.job.cells.size());
    row.image = image_of(trial).value;
    static_cast<TrialKey&>(row.first) = key;
    for (CorrelatedCorePair& pair : row.pairs) {
      static_cast<TrialKey&>(pair) = key;
    }
    return row;
  }

  static std::optional<std::string> unless_empty(const std::string& text) {
    return text.empty() ? std::nullopt : std::optional(text);
  }

  void keep(TrialId trial, const DrawnTrial& drawn, const EnginePair& engines,
            CoreDifference difference) {
    difference.trial = static_cast<std::int64_t>(trial.value);
    if (found_.first && found_.first->trial <= difference.trial) {
      return;
    }
    difference.image = image_of(trial).value;
    difference.engines = engines;
    const auto lines = describe(drawn, study_->facts());
    difference.fault = lines.empty() ? "" : lines.front();
    found_.first = std::move(difference);
  }

  /// All storage of the first struck core after every edge, fed as in the golden run; false: not
  /// both step. A difference goes to `text`.
  bool compare_states(std::size_t i, std::size_t j, const bridge::ChipStrike& strike,
                      std::string& text) {
    if (asked_[i].first == nullptr || asked_[j].first == nullptr || !strike.job.cells.empty()) {
      return false;
    }
    const std::int32_t core = sim::struck_cores(strike.run.chip(), strike.job).front();
    sim::CoreLockstep lockstep(strike.run.core(core), *asked_[i].first, *asked_[j].first);
    auto found = lockstep.record();
    if (!found) {
      found = lockstep.strike(sim::faults_of(strike.run.chip(), strike.job, core)).disagreement;
    }
    if (found) {
      text = "core " + std::to_string(core) + " " + found->text(cores().sites);
    }
    return true;
  }

  void write_waveforms(std::int64_t trial) {
    const std::string of_point =
        point_.label.empty() ? "" : "scenario_" + std::to_string(found_.number) + "_";
    const std::string stem = of_point + "trial_" + std::to_string(trial) + "_";
    const TrialId id(static_cast<std::uint64_t>(trial));
    watch(id, plan_.draw(id), [&](const bridge::ChipStrike& strike) {
      if (!strike.job.cells.empty()) {
        return;
      }
      const std::int32_t core = sim::struck_cores(strike.run.chip(), strike.job).front();
      const auto faults = sim::faults_of(strike.run.chip(), strike.job, core);
      for (Asked& asked : asked_) {
        if (asked.first != nullptr) {
          const std::string path = request_.vcd_folder + "/" + stem + asked.name + ".vcd";
          sim::write_core_waveform(path, asked.name, strike.run.core(core), faults, *asked.first,
                                   *asked.other);
          found_.waveforms.push_back(path);
        }
      }
    });
  }

  const Point& point_;
  const CorrelateRequest& request_;
  const Surroundings& surroundings_;
  std::unique_ptr<bridge::Study> study_;
  Plan plan_;
  std::vector<Asked> asked_;
  CorePoint found_;
  CoreCorrelationFile* file_ = nullptr;
};

}  // namespace

std::int64_t CorePoint::differed() const {
  std::int64_t all = 0;
  for (const auto& [name, counts] : fields) {
    all += counts.differed;
  }
  return all;
}

double CorePoint::bound() const {
  return bound_of_differing(differed(), compared, is_census, confidence);
}

bool CoreCorrelation::agrees() const {
  return std::ranges::all_of(points, [](const CorePoint& point) { return !point.first; });
}

bool CoreCorrelation::is_empty() const {
  return std::ranges::any_of(points, [](const CorePoint& point) { return point.compared == 0; });
}

int CoreCorrelation::exit_code() const {
  return is_interrupted ? 130 : agrees() && !is_empty() ? 0 : 1;
}

CoreCorrelation correlate_cores(const Campaign& campaign, const CorrelateRequest& request,
                                const Surroundings& surroundings) {
  const std::vector<std::string> engines =
      checked_engines(request.engines, surroundings.engines.names_of_cores(), surroundings.engines);
  for (const Point& point : campaign.points) {
    if (!strikes_cores(point.scenario)) {
      fail(ErrorCode::kInvalidInput, "engines compute struck cores or a struck mesh only",
           "scenario", "strike 'where: {core: {}}'");
    }
  }
  check_scenario_number(campaign, request);
  std::unique_ptr<CoreCorrelationFile> file;
  if (!request.out.empty()) {
    file = std::make_unique<CoreCorrelationFile>(request.out);
  }
  CoreCorrelation found;
  for (std::size_t i = 0; i < campaign.points.size() && !found.is_interrupted; ++i) {
    if (request.trial && static_cast<std::size_t>(request.scenario) != i) {
      continue;
    }
    CorePointRun run(campaign.points[i], i, request, engines, surroundings);
    found.is_interrupted = !run.run(file.get());
    found.points.push_back(std::move(run).found());
  }
  return found;
}

}  // namespace tilestrike::campaigns
