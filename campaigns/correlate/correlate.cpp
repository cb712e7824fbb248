// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/correlate.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "bridge/trial/engine_audit.h"
#include "bridge/trial/run_observer.h"
#include "campaigns/correlate/compared_trials.h"
#include "campaigns/correlate/correlation_file.h"
#include "campaigns/correlate/made_up_passes.h"
#include "campaigns/plan/title.h"

namespace tilestrike::campaigns {
namespace {

void check_scenario(const Scenario& scenario) {
  if (!strikes_mesh_alone(scenario.strike)) {
    fail(ErrorCode::kInvalidInput, "engines compute struck registers of the mesh only", "scenario",
         "strike 'where: {mesh: {}}'");
  }
}

class RunVisitor final : public bridge::RunObserver {
 public:
  explicit RunVisitor(const VisitRun& visit) : visit_(visit) {}
  void on_run(const bridge::StruckRun& run) override { visit_(run.layer, run.job); }

 private:
  const VisitRun& visit_;
};

/// What a scenario strikes: a network's runs, or made-up ones.
struct Subject {
  std::unique_ptr<bridge::Study> study;
  std::unique_ptr<MadeUpPasses> made_up;
  const bridge::StudyFacts& facts() const { return study ? study->facts() : made_up->facts(); }

  /// The struck runs of one image, layer by layer, each as the ones before have left the mesh.
  void each_struck_run(ImageId image, std::span<const RegisterFault> faults,
                       const VisitRun& visit) const {
    if (made_up != nullptr) {
      made_up->each_struck_run(image, faults, visit);
      return;
    }
    RunVisitor visitor(visit);
    bridge::StrikeJob job;
    job.strike.registers.assign(faults.begin(), faults.end());
    job.image = image;
    study->strike({&job, 1}, &visitor);
  }
};

Subject open_subject(const Scenario& scenario, const Surroundings& surroundings) {
  Subject subject;
  if (scenario.model == kNoModel) {
    const std::int64_t sets = scenario.data.use > 0 ? scenario.data.use : kMadeUpSets;
    subject.made_up = std::make_unique<MadeUpPasses>(
        scenario.accelerator.mesh, static_cast<std::uint64_t>(scenario.seed), sets);
    return subject;
  }
  if (surroundings.show_progress) {
    surroundings.show_progress("golden run");
  }
  subject.study = surroundings.open_study(study_inputs(scenario, surroundings.engines));
  return subject;
}

std::string fault_text(const RegisterFault& fault, const sim::MeshSites& sites) {
  std::string text(name_of(fault.kind));
  text.append(" of ").append(sites.text(fault.site));
  text.append(" at cycle ").append(std::to_string(fault.when.from));
  if (fault.kind != FaultKind::kFlip && fault.when.is_permanent()) {
    text.append(" for ever");
  } else if (fault.kind != FaultKind::kFlip && fault.when.until > fault.when.from + 1) {
    text.append(" until cycle ").append(std::to_string(fault.when.until));
  }
  return text;
}

/// What a pair found on one run, into what it has found on the trial's runs before.
void add_run(CorrelatedPair& pair, const sim::PairVerdict& found, const std::string& layer,
             const sim::MeshSites& sites, bool is_first) {
  pair.has_end = (is_first || pair.has_end) && found.has_end;
  pair.has_states = (is_first || pair.has_states) && found.has_states;
  if (pair.verdict == sim::Verdict::kDiffer && !is_first) {
    return;
  }
  if (found.verdict != sim::Verdict::kDiffer) {
    const bool is_all_covered =
        found.verdict == sim::Verdict::kAgree && (is_first || pair.verdict == sim::Verdict::kAgree);
    pair.verdict = is_all_covered ? sim::Verdict::kAgree : sim::Verdict::kNotCovered;
    return;
  }
  pair.verdict = sim::Verdict::kDiffer;
  pair.layer = layer;
  if (found.difference) {
    pair.differs_in = name_of(found.difference->what);
    pair.pass = found.difference->pass;
    pair.row = found.difference->row;
    pair.column = found.difference->column;
    pair.answer = found.difference->text;
  } else {
    pair.differs_in = "registers";
  }
  if (found.parting) {
    pair.state_register = found.parting->place(sites);
    pair.state = found.parting->state;
    pair.states = std::to_string(found.parting->first);
    pair.states.append(" against ").append(std::to_string(found.parting->second));
  }
}

/// One scenario.
class PointRun {
 public:
  PointRun(const Point& point, std::int64_t number, const CorrelateRequest& request,
           const std::vector<std::string>& engines, const Surroundings& surroundings)
      : point_(point),
        request_(request),
        surroundings_(surroundings),
        subject_(open_subject(point.scenario, surroundings)),
        plan_(point.scenario, subject_.facts()),
        correlator_(surroundings.engines, engines, bridge::kMostSteppedPeCycles) {
    found_.number = number;
    found_.label = point.label;
    found_.title = title_of(point.scenario, plan_);
    found_.population = plan_.population_text();
    found_.document = point.document.yaml();
    found_.confidence = point.scenario.confidence();
    found_.planned = plan_.trials();
    found_.engines = engines;
    covers_.resize(engines.size());
    for (std::size_t i = 0; i < engines.size(); ++i) {
      for (std::size_t j = i + 1; j < engines.size(); ++j) {
        found_.pairs.push_back({engines[i], engines[j]});
      }
    }
    for (const sim::RegisterBlock& block : sites().blocks()) {
      found_.registers.push_back(block.name);
    }
    found_.faults.resize(found_.registers.size());
    found_.matrix.resize(found_.pairs.size());
    for (auto& matrix : found_.matrix) {
      matrix.resize(found_.registers.size());
    }
    found_.compares_states = correlator_.compares_states(point_.scenario.accelerator.mesh);
  }

  /// Whether it came to its end. `file` may be null.
  bool run(CorrelationFile* file) {
    bool is_complete = true;
    if (request_.trial) {
      check_trial_number(plan_, *request_.trial);
      take(strike(TrialId(static_cast<std::uint64_t>(*request_.trial))), file);
    } else {
      is_complete = each_trial_by_image(plan_, subject_.facts().images, point_.label, surroundings_,
                                        [&](TrialId trial) { take(strike(trial), file); });
    }
    found_.is_census = plan_.is_census() && is_complete && !request_.trial;
    if (!request_.vcd_folder.empty() && (request_.trial || found_.first)) {
      const std::int64_t trial = request_.trial ? *request_.trial : found_.first->trial;
      std::string stem =
          point_.label.empty() ? "" : "scenario_" + std::to_string(found_.number) + "_";
      stem.append("trial_").append(std::to_string(trial));
      write_waveforms(TrialId(static_cast<std::uint64_t>(trial)), stem);
    }
    note_engines();
    if (file != nullptr) {
      file->finish(found_);
    }
    return is_complete;
  }

  PointCorrelation found() && { return std::move(found_); }

 private:
  const sim::MeshSites& sites() const { return subject_.facts().sites; }

  ImageId image_of(TrialId trial) const {
    return compared_image(plan_, subject_.facts().images, trial);
  }

  CorrelatedFault strike(TrialId trial) {
    const DrawnTrial drawn = plan_.draw(trial);
    const std::vector<RegisterFault> faults = drawn.job().strike.registers;
    CorrelatedFault row;
    row.trial = static_cast<std::int64_t>(trial.value);
    row.image = image_of(trial).value;
    row.faults = static_cast<std::int64_t>(drawn.faults.size());
    const auto first = std::ranges::min_element(drawn.faults, {}, [](const DrawnFault& one) {
      return std::pair(!one.acts, one.fault.when.from);
    });
    row.site = sites().describe(first->fault.site);
    row.register_name = sites().block(row.site.kind).name;
    row.kind = name_of(first->fault.kind);
    row.cycle = first->fault.when.from;
    for (const RegisterFault& fault : faults) {
      row.text += (row.text.empty() ? "" : "; ") + fault_text(fault, sites());
    }
    for (std::size_t pair = 0; pair < found_.pairs.size(); ++pair) {
      row.pairs.emplace_back().pair = pair;
    }
    subject_.each_struck_run(
        ImageId(row.image), faults, [&](const std::string& layer, const sim::MeshJob& job) {
          const sim::JobCorrelation found = correlator_.correlate(job);
          for (std::size_t engine = 0; engine < covers_.size(); ++engine) {
            covers_[engine] = covers_[engine] || found.covers[engine];
          }
          const bool is_first = row.layer.empty();
          if (is_first) {
            row.layer = layer;
            if (!job.faults.empty()) {
              row.phase = sim::phase_of(*job.run, sites(), job.faults.front());
            }
          }
          row.changed_word = row.changed_word || found.changed_word;
          row.activated = row.activated || found.activated;
          row.corrupted = row.corrupted || found.corrupted;
          for (std::size_t pair = 0; pair < row.pairs.size(); ++pair) {
            add_run(row.pairs[pair], found.pairs[pair], layer, sites(), is_first);
          }
        });
    return row;
  }

  void take(CorrelatedFault row, CorrelationFile* file) {
    ++found_.struck;
    if (row.layer.empty()) {
      ++found_.without_run;
      return;
    }
    if (file != nullptr) {
      file->add(found_, row);
    }
    const auto kind = static_cast<std::size_t>(row.site.kind);
    const auto phase = static_cast<std::size_t>(row.phase);
    FaultCounts& faults = found_.faults[kind][phase];
    ++faults.strikes;
    ++(!row.changed_word ? faults.unchanged : row.corrupted ? faults.corrupted : faults.masked);
    bool is_compared = false;
    for (const CorrelatedPair& pair : row.pairs) {
      PairCounts& counts = found_.matrix[pair.pair][kind][phase];
      if (pair.verdict == sim::Verdict::kNotCovered) {
        ++counts.not_covered;
        continue;
      }
      is_compared = true;
      ++(pair.verdict == sim::Verdict::kAgree ? counts.agreed : counts.differed);
      counts.with_end += pair.has_end ? 1 : 0;
      counts.with_states += pair.has_states ? 1 : 0;
    }
    const bool differs = row.differing() != nullptr;
    faults.differed += differs ? 1 : 0;
    faults.agreed += is_compared && !differs ? 1 : 0;
    if (differs && (!found_.first || row.trial < found_.first->trial)) {
      found_.first = std::move(row);
    }
  }

  /// Of the first run on which the trial's engines differ, else of its first run.
  void write_waveforms(TrialId trial, const std::string& stem) {
    const DrawnTrial drawn = plan_.draw(trial);
    const CorrelatedPair* differing = found_.first ? found_.first->differing() : nullptr;
    bool is_written = false;
    subject_.each_struck_run(
        image_of(trial), drawn.job().strike.registers,
        [&](const std::string& layer, const sim::MeshJob& job) {
          if (!is_written && (differing == nullptr || differing->layer == layer)) {
            is_written = true;
            found_.waveforms = correlator_.write_waveforms(job, request_.vcd_folder, stem);
          }
        });
    if (found_.waveforms.empty()) {
      found_.notes.push_back(is_written ? "no engine that steps covers the fault: no waveform"
                                        : "nothing was on the mesh: no waveform");
    }
  }

  void note_engines() {
    for (std::size_t engine = 0; engine < found_.engines.size(); ++engine) {
      if (!covers_[engine] && found_.all().strikes > 0) {
        const std::string& name = found_.engines[engine];
        const std::string& cause = surroundings_.engines.at(name).cause_of_no_cover;
        found_.notes.push_back(name + " covers none of these faults" +
                               (cause.empty() ? "" : ": " + cause));
      }
    }
  }

  const Point& point_;
  const CorrelateRequest& request_;
  const Surroundings& surroundings_;
  Subject subject_;
  Plan plan_;
  sim::Correlator correlator_;
  std::vector<bool> covers_;  // by engine: whether it has covered a run
  PointCorrelation found_;
};

}  // namespace

void PairCounts::add(const PairCounts& more) {
  agreed += more.agreed;
  differed += more.differed;
  not_covered += more.not_covered;
  with_end += more.with_end;
  with_states += more.with_states;
}

void FaultCounts::add(const FaultCounts& more) {
  strikes += more.strikes;
  unchanged += more.unchanged;
  masked += more.masked;
  corrupted += more.corrupted;
  agreed += more.agreed;
  differed += more.differed;
}

const CorrelatedPair* CorrelatedFault::differing() const {
  const CorrelatedPair* best = nullptr;
  const auto says = [](const CorrelatedPair& pair) {
    return (pair.state >= 0 ? 2 : 0) + (pair.pass >= 0 ? 1 : 0);
  };
  for (const CorrelatedPair& pair : pairs) {
    if (pair.verdict == sim::Verdict::kDiffer && (best == nullptr || says(pair) > says(*best))) {
      best = &pair;
    }
  }
  return best;
}

FaultCounts PointCorrelation::all() const {
  FaultCounts sum;
  for (std::size_t kind = 0; kind < faults.size(); ++kind) {
    sum.add(of_register(kind));
  }
  return sum;
}

FaultCounts PointCorrelation::of_register(std::size_t kind) const {
  FaultCounts sum;
  for (const FaultCounts& counts : faults[kind]) {
    sum.add(counts);
  }
  return sum;
}

PairCounts PointCorrelation::of_pair(std::size_t pair) const {
  PairCounts sum;
  for (const auto& phases : matrix[pair]) {
    for (const PairCounts& counts : phases) {
      sum.add(counts);
    }
  }
  return sum;
}

double PointCorrelation::bound(std::int64_t differed, std::int64_t compared) const {
  return bound_of_differing(differed, compared, is_census, confidence);
}

bool CorrelationReport::agrees() const {
  return std::ranges::none_of(points, [](const auto& point) { return point.first.has_value(); });
}

bool CorrelationReport::is_empty() const {
  return std::ranges::any_of(points, [](const auto& point) { return point.all().compared() == 0; });
}

int CorrelationReport::exit_code() const {
  return is_interrupted ? 130 : agrees() && !is_empty() ? 0 : 1;
}

CorrelationReport correlate(const Campaign& campaign, const CorrelateRequest& request,
                            const Surroundings& surroundings) {
  const std::vector<std::string> engines =
      checked_engines(request.engines, surroundings.engines.names(), surroundings.engines);
  for (const Point& point : campaign.points) {
    check_scenario(point.scenario);
  }
  check_scenario_number(campaign, request);
  const auto points = static_cast<std::int64_t>(campaign.points.size());
  std::unique_ptr<CorrelationFile> file;
  if (!request.out.empty()) {
    file = std::make_unique<CorrelationFile>(request.out);
  }
  CorrelationReport report;
  report.has_rtl = surroundings.engines.absent().empty();
  for (std::int64_t i = 0; i < points && !report.is_interrupted; ++i) {
    if (request.trial && i != request.scenario) {
      continue;
    }
    PointRun run(campaign.points[static_cast<std::size_t>(i)], i, request, engines, surroundings);
    report.is_interrupted = !run.run(file.get());
    report.points.push_back(std::move(run).found());
  }
  return report;
}

}  // namespace tilestrike::campaigns
