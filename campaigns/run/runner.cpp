// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/runner.h"

#include <algorithm>
#include <set>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/audit.h"
#include "campaigns/results/trial_record.h"
#include "campaigns/run/progress.h"
#include "campaigns/run/strike_trial.h"

namespace tilestrike::campaigns {
namespace {

// Trials of one image share its golden run, so they are struck together within so many trials:
// where there are many images, enough for some of each.
constexpr std::int64_t kTrialsInStep = 2000;
constexpr std::int64_t kTrialsOfImage = 40;
// So many inferences of each image of a batch are asked for at a time; of single images so many.
constexpr std::int64_t kRoundsInBatch = 16;
constexpr std::int64_t kTrialsOnHardware = 64;

class Interruption final : public bridge::RunObserver {
 public:
  explicit Interruption(const std::function<bool()>& asked) : asked_(asked) {}
  bool is_interrupted() const override { return asked_(); }
  bool looks_on() const override { return false; }

 private:
  const std::function<bool()>& asked_;
};

/// One scenario of a campaign on its study.
class PointRun {
 public:
  PointRun(const Point& point, std::int64_t number, bridge::Study& study, Results& results,
           const Surroundings& surroundings)
      : point_(point),
        number_(number),
        study_(study),
        results_(results),
        surroundings_(surroundings),
        plan_(point.scenario, study.facts()),
        tally_(empty_tally(facts())) {}

  /// Whether it came to its end.
  bool run() {
    describe();
    const std::int64_t total = plan_.trials();
    const std::int64_t already = std::min(results_.count(number_), total);
    Progress progress(surroundings_.show_progress, point_.label.empty() ? "" : point_.label + ": ",
                      already, total);
    int look = 0;
    for (std::int64_t first = 0; first < total;) {
      const std::int64_t together = std::max(kTrialsInStep, kTrialsOfImage * study_.facts().images);
      std::int64_t next = std::min(first + together, total);
      if (point_.scenario.until) {
        next = std::min(next, trials_at_look(look));
      }
      if (!run_step(first, next - first, progress)) {
        return false;
      }
      first = next;
      if (point_.scenario.until && first == trials_at_look(look)) {
        ++look;
        if (is_precise_after(first)) {
          break;
        }
      }
    }
    results_.commit();
    return true;
  }

  Summary summary() const { return summarise(results_, number_, facts(), tally_); }

  /// Throws Failure where the trials that there are were made with other content, or drawn
  /// otherwise.
  void check() const {
    results_.check_drawing(point_.scenario);
    if (results_.count(number_) > 0) {
      results_.check_hashes(number_, hashes_of(point_.scenario, study_));
    }
  }

 private:
  SummaryFacts facts() const {
    SummaryFacts facts;
    facts.label = point_.label;
    facts.scenario = &point_.scenario;
    facts.plan = &plan_;
    facts.study = &study_.facts();
    return facts;
  }

  void describe() {
    ScenarioFacts facts;
    facts.label = point_.label;
    facts.document = point_.document.yaml();
    facts.hashes = hashes_of(point_.scenario, study_);
    facts.sites = static_cast<std::int64_t>(plan_.sites());
    facts.cycles = study_.facts().cycles;
    facts.images = study_.facts().images;
    facts.population = plan_.population_text();
    facts.metric = study_.facts().golden.metric;
    facts.golden_score = study_.facts().golden.score;
    facts.warnings = join(study_.facts().golden.warnings, "\n");
    results_.describe(number_, facts);
  }

  bool run_step(std::int64_t first, std::int64_t count, Progress& progress) {
    const std::vector<bool> has = results_.has(number_, first, count);
    std::vector<std::pair<std::int64_t, TrialId>> todo;  // image, trial
    for (std::int64_t i = 0; i < count; ++i) {
      if (!has[static_cast<std::size_t>(i)]) {
        const TrialId trial(static_cast<std::uint64_t>(first + i));
        const auto image = plan_.image_of(trial);
        todo.emplace_back(image ? image->value : -1, trial);
      }
    }
    std::sort(todo.begin(), todo.end());
    expect(todo);
    for (std::size_t at = 0; at < todo.size();) {
      if (surroundings_.is_interrupted()) {
        return false;
      }
      const std::size_t next = end_of_batch(todo, at);
      std::vector<DrawnTrial> trials;
      for (; at < next; ++at) {
        trials.push_back(plan_.draw(todo[at].second));
      }
      if (!strike(std::move(trials), progress)) {
        return false;
      }
    }
    return true;
  }

  /// Trials by image, of which lasting faults have none.
  void expect(const std::vector<std::pair<std::int64_t, TrialId>>& todo) {
    std::vector<ImageId> images;
    for (const auto& [image, trial] : todo) {
      if (image >= 0 && (images.empty() || images.back().value != image)) {
        images.emplace_back(image);
      }
    }
    if (images.empty()) {
      for (std::int64_t image = 0; image < study_.facts().images; ++image) {
        images.emplace_back(image);
      }
    }
    study_.expect(std::move(images));
  }

  bool is_watched(TrialId trial) const { return is_audited(trial, point_.scenario.audit); }

  /// Trials whose images share a batch are struck together, on the hardware those of any images,
  /// but for those that other engines look at: the first after those that begin with `first`.
  std::size_t end_of_batch(const std::vector<std::pair<std::int64_t, TrialId>>& todo,
                           std::size_t first) const {
    const std::int64_t batch = study_.facts().batch;
    const bool is_on_hardware = plan_.population().is_on_hardware();
    const auto most = first + static_cast<std::size_t>(is_on_hardware ? kTrialsOnHardware
                                                                      : kRoundsInBatch * batch);
    const auto shares = [&](std::size_t i) {
      return todo[i].first >= 0 &&
             (is_on_hardware || todo[i].first / batch == todo[first].first / batch) &&
             !is_watched(todo[i].second);
    };
    std::size_t end = first + 1;
    while (shares(first) && end < std::min(most, todo.size()) && shares(end)) {
      ++end;
    }
    return end;
  }

  bool strike(std::vector<DrawnTrial> trials, Progress& progress) {
    Interruption interruption(surroundings_.is_interrupted);
    std::vector<bridge::RunObserver*> lookers = {&interruption};
    ImageId image(0);
    const TrialId first = trials.front().trial;
    const bool is_audit = is_watched(first);
    if (is_audit) {
      if (auditor_ == nullptr) {
        auditor_ = surroundings_.open_auditor(point_.scenario.engine);
      }
      lookers.push_back(auditor_.get());
      // Of a lasting fault they look at one image, at each in turn.
      image = ImageId(static_cast<std::int64_t>(first.value) % study_.facts().images);
    }
    bridge::Observers observers(lookers);
    const std::size_t asked = trials.size();
    std::vector<TrialRecord> records = strike_and_judge(
        study_, plan_, number_, std::move(trials), point_.scenario.engine, {&observers, image});
    for (TrialRecord& record : records) {
      if (is_audit) {
        record.audit = audit_text(auditor_->take());
      }
      results_.add(record);
      progress.step();
    }
    return records.size() == asked;
  }

  bool is_precise_after(std::int64_t trials) {
    results_.commit();
    count_up_to(trials, results_, number_, tally_);
    const Until& until = *point_.scenario.until;
    return std::ranges::all_of(until.of, [&](Rate rate) {
      const Estimate found = rate_of(tally_, facts(), rate);
      return found.is_settled() ||
             is_precise(found.value, found.interval, until.relative, until.half_width);
    });
  }

  const Point& point_;
  std::int64_t number_;
  bridge::Study& study_;
  Results& results_;
  const Surroundings& surroundings_;
  Plan plan_;
  Tally tally_;                               // of the trials until the last look
  std::unique_ptr<bridge::Auditor> auditor_;  // once a trial was audited
};

/// Keys of a scenario that its study knows nothing of, but for what is below.
const std::set<std::string> kKeysOfTrials = {"strike", "trials",   "until",
                                             "seed",   "outcomes", "audit"};

/// Equal for scenarios that one study serves. The technology node decides what strikes, not what a
/// strike does.
std::string study_key(const Point& point, const sim::EngineSet& engines) {
  std::string key;
  Value document = point.document;
  if (Value* accelerator = document.find("accelerator"); accelerator->is_map()) {
    accelerator->set("node", Value::of(""));
  }
  for (const Entry& entry : document.entries) {
    if (!kKeysOfTrials.contains(entry.key)) {
      key += entry.key + " " + entry.value.json() + " ";
    }
  }
  const bridge::StudyInputs inputs = study_inputs(point.scenario, engines);
  if (inputs.strikes_tensors) {
    key += "tensors " + std::to_string(inputs.batch) + (inputs.is_batch_shared ? " shared" : "");
  }
  return key;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> hashes_of(const Scenario& scenario,
                                                           const bridge::Study& study) {
  auto hashes = study.facts().hashes;
  if (!scenario.strike.list_file.empty()) {
    hashes.emplace_back("faults", content_hash_of_file(scenario.strike.list_file));
  }
  if (!scenario.judge.file.empty()) {
    hashes.emplace_back("judge", content_hash_of_file(scenario.judge.file));
  }
  return hashes;
}

namespace {

/// Opens a study for each point that needs another one; until `visit` says false.
void each_point(const Campaign& campaign, Results& results, const Surroundings& surroundings,
                const std::function<bool(PointRun&)>& visit) {
  std::unique_ptr<bridge::Study> study;
  std::string key;
  for (std::size_t i = 0; i < campaign.points.size(); ++i) {
    const Point& point = campaign.points[i];
    if (const std::string needed = study_key(point, surroundings.engines);
        study == nullptr || needed != key) {
      if (surroundings.show_progress) {
        surroundings.show_progress((point.label.empty() ? "" : point.label + ": ") + "golden run");
      }
      study.reset();
      study = surroundings.open_study(study_inputs(point.scenario, surroundings.engines));
      key = needed;
    }
    PointRun run(point, static_cast<std::int64_t>(i), *study, results, surroundings);
    if (!visit(run)) {
      return;
    }
  }
}

}  // namespace

RunReport run_campaign(const Campaign& campaign, Results& results,
                       const Surroundings& surroundings) {
  RunReport report;
  each_point(campaign, results, surroundings, [&](PointRun& run) {
    report.is_interrupted = !run.run();
    results.commit();
    report.summaries.push_back(run.summary());
    return !report.is_interrupted;
  });
  if (!report.summaries.empty()) {
    report.paired = paired_points(results, campaign, report.summaries, 0);
  }
  return report;
}

std::vector<Summary> summaries_of(const Campaign& campaign, Results& results,
                                  const Surroundings& surroundings) {
  std::vector<Summary> summaries;
  each_point(campaign, results, surroundings, [&](PointRun& run) {
    run.check();
    summaries.push_back(run.summary());
    return true;
  });
  return summaries;
}

}  // namespace tilestrike::campaigns
