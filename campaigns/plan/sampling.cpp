// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/sampling.h"

#include <algorithm>

#include "base/error.h"
#include "base/random.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::uint64_t kLargestCensus = std::uint64_t{1} << 40;

/// Cycles in which a layer that matches `pattern` is on the mesh; the whole inference when empty.
std::vector<CycleWindow> struck_windows(const std::string& pattern,
                                        const bridge::StudyFacts& study) {
  if (pattern.empty()) {
    return {{0, study.cycles}};
  }
  std::vector<CycleWindow> windows;
  std::vector<std::string> names;
  for (const bridge::LayerSummary& layer : study.layers) {
    if (!layer.is_on_mesh) {
      continue;
    }
    names.push_back(layer.name);
    if (matches_glob(pattern, layer.name) && layer.mesh_cycles > 0) {
      windows.push_back({layer.first_cycle, layer.first_cycle + layer.mesh_cycles});
    }
  }
  if (windows.empty()) {
    fail(ErrorCode::kNotFound,
         "strike.where.mesh.layer: no layer on the mesh matches '" + pattern + "'", "scenario",
         suggestion(pattern, names));
  }
  std::sort(windows.begin(), windows.end(),
            [](const CycleWindow& x, const CycleWindow& y) { return x.from < y.from; });
  std::vector<CycleWindow> apart;
  for (const CycleWindow& window : windows) {
    if (!apart.empty() && window.from < apart.back().until) {
      apart.back().until = std::max(apart.back().until, window.until);
    } else {
      apart.push_back(window);
    }
  }
  return apart;
}

/// a * b, but no more than `most` + 1.
std::uint64_t product(std::uint64_t a, std::uint64_t b, std::uint64_t most) {
  return a != 0 && b > most / a ? most + 1 : a * b;
}

}  // namespace

namespace {

/// Of those that act, each as it acts.
template <class Drawn>
auto acting(const std::vector<Drawn>& drawn) {
  std::vector<decltype(Drawn::fault)> result;
  for (const Drawn& each : drawn) {
    if (each.acts) {
      result.push_back(each.fault);
      if (each.fault.kind == FaultKind::kRandom) {
        result.back().kind = FaultKind::kFlip;
      }
    }
  }
  return result;
}

}  // namespace

bridge::StrikeJob DrawnTrial::job() const {
  bridge::StrikeJob job;
  job.strike.registers = acting(faults);
  job.strike.cells = strike ? acting(strike->cells) : std::vector<CellFault>();
  job.strike.words = words.faults;
  job.image = image;
  job.scrub_phases = scrub_phases;
  return job;
}

Plan::Plan(const Scenario& scenario, const bridge::StudyFacts& study)
    : strike_(scenario.strike),
      seed_(static_cast<std::uint64_t>(scenario.seed)),
      is_persistent_(campaigns::is_persistent(scenario.strike)),
      is_census_(scenario.trials.is_exhaustive),
      images_(study.images),
      keeps_outcomes_(scenario.keeps_outcomes),
      after_detection_(campaigns::after_detection(scenario.accelerator)) {
  TS_CHECK(study.images > 0 && study.cycles > 0, "a study without images or cycles");
  if (strikes_tensors(strike_)) {
    plan_tensors(scenario, study);
    return;
  }
  if (strike_.lasts.kind == Lasts::Kind::kWindow && strike_.lasts.window.until > study.cycles) {
    fail(ErrorCode::kInvalidInput,
         "strike.lasts.until: " + std::to_string(strike_.lasts.window.until) +
             " is beyond the inference",
         "scenario", "an inference takes " + std::to_string(study.cycles) + " cycles");
  }
  if (strike_.process == Process::kList) {
    for (const ListedTrial& trial : strike_.list) {
      listed_.emplace_back();
      for (const ListedFault& fault : trial) {
        const auto site = site_of(fault, study.sites);
        TS_CHECK(site.has_value(), "a listed fault was not checked");
        listed_.back().push_back(*site);
      }
    }
    check_list(study);
    population_ = listed_.size();
    trials_ = static_cast<std::int64_t>(listed_.size());
    is_census_ = is_census_ || scenario.trials.number >= trials_;
    trials_ = is_census_ ? trials_ : scenario.trials.number;
    return;
  }
  if (strikes_memories(strike_)) {
    plan_memories(scenario, study);
    return;
  }
  sites_ = selected_sites(strike_.where.mesh, study.sites);
  windows_ = struck_windows(strike_.where.mesh.layer, study);
  for (const CycleWindow& window : windows_) {
    cycles_ += window.until - window.from;
  }
  plan_population(scenario, sites_.size());
}

/// Population and trials of strikes on `members` sites or cells at one of the cycles.
void Plan::plan_population(const Scenario& scenario, std::uint64_t members) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0} - 1;
  population_ = product(members, strike_.faults.size(), kMost);
  if (!is_persistent_) {
    population_ = product(population_, static_cast<std::uint64_t>(cycles_), kMost);
    population_ = product(population_, static_cast<std::uint64_t>(images_), kMost);
  }
  if (is_census_ && population_ > kLargestCensus) {
    fail(ErrorCode::kInvalidInput,
         "trials: exhaustive would be " + population_text() + ", more than 2^40 trials", "scenario",
         "write a number of trials, or narrow 'where' and 'data.use'");
  }
  trials_ = is_census_ ? static_cast<std::int64_t>(population_) : scenario.trials.number;
}

void Plan::plan_memories(const Scenario& scenario, const bridge::StudyFacts& study) {
  if (strike_.where.has_mesh) {
    sites_ = selected_sites(strike_.where.mesh, study.sites);
  }
  windows_ = {{0, study.cycles}};
  cycles_ = study.cycles;
  for (const bridge::StudyMemory& memory : study.memories) {
    scrub_periods_.push_back(memory.config.scrub_cycles);
  }
  memories_ = std::make_unique<MemoryPopulation>(scenario, study.memories, sites_.size(), cycles_);
  plan_population(scenario, memories_->members());
}

void Plan::plan_tensors(const Scenario& scenario, const bridge::StudyFacts& study) {
  tensors_.emplace(strike_, study.stores);
  const bool is_list = strike_.process == Process::kList;
  strikes_constants_ =
      is_list ? strikes_listed_constants(study) : strike_.where.tensors.strikes_constants();
  const bool is_stuck = std::all_of(strike_.faults.begin(), strike_.faults.end(), [](FaultKind k) {
    return k == FaultKind::kStuckAt0 || k == FaultKind::kStuckAt1;
  });
  is_persistent_ = strikes_constants_ || strike_.lasts.kind == Lasts::Kind::kPermanent ||
                   (strike_.lasts.kind == Lasts::Kind::kAuto && is_stuck);
  constexpr std::uint64_t kMost = ~std::uint64_t{0} - 1;
  const auto images = static_cast<std::uint64_t>(images_);
  if (is_list) {
    check_list(study);
    population_ = strike_.list.size();
    is_census_ = is_census_ || static_cast<std::uint64_t>(scenario.trials.number) >= population_;
  } else {
    population_ = product(tensors_->members(), strike_.faults.size(), kMost);
    population_ = is_persistent_ ? population_ : product(population_, images, kMost);
  }
  if (is_census_ && population_ > kLargestCensus) {
    fail(ErrorCode::kInvalidInput,
         "trials: exhaustive would be " + population_text() + ", more than 2^40 trials", "scenario",
         "write a number of trials, or narrow 'where' and 'data.use'");
  }
  trials_ = is_census_ ? static_cast<std::int64_t>(population_) : scenario.trials.number;
}

bool Plan::strikes_listed_constants(const bridge::StudyFacts& study) const {
  bool is_constant = false;
  bool is_activation = false;
  for (const ListedTrial& trial : strike_.list) {
    for (const ListedFault& fault : trial) {
      for (const TensorStore& store : study.stores) {
        if (store.name == fault.tensor) {
          (store.role == TensorRole::kActivation ? is_activation : is_constant) = true;
        }
      }
    }
  }
  if (is_constant && is_activation) {
    fail(ErrorCode::kUnsupported,
         "strike.faults: activations live for one inference, other tensors for all", "scenario",
         "put them into two campaigns");
  }
  return is_constant;
}

DrawnTrial Plan::draw_words(TrialId trial) const {
  DrawnTrial drawn;
  const auto images = static_cast<std::uint64_t>(images_);
  RandomStream image_stream(seed_, trial.value, Purpose::kImage);
  const std::uint64_t image = image_stream.below(images);
  if (strike_.process == Process::kList) {
    const ListedTrial& listed = strike_.list[trial.value];
    drawn.words = tensors_->listed(listed, strike_.faults, seed_, trial);
    const std::int64_t named = listed.front().image;
    drawn.image = ImageId(named >= 0 ? named : static_cast<std::int64_t>(image));
  } else if (is_census_) {
    const std::uint64_t kinds = strike_.faults.size();
    drawn.words = tensors_->member(trial.value / kinds % tensors_->members(),
                                   strike_.faults[trial.value % kinds]);
    drawn.image =
        ImageId(static_cast<std::int64_t>(trial.value / kinds / tensors_->members() % images));
  } else {
    drawn.words = tensors_->draw(seed_, trial);
    drawn.image = ImageId(static_cast<std::int64_t>(image));
  }
  if (is_persistent_) {
    drawn.image.reset();
  }
  return drawn;
}

void Plan::check_list(const bridge::StudyFacts& study) const {
  ErrorList errors;
  for (std::size_t i = 0; i < strike_.list.size(); ++i) {
    for (std::size_t j = 0; j < strike_.list[i].size(); ++j) {
      const ListedFault& fault = strike_.list[i][j];
      const std::string place = fault.place.text();
      if (std::max(fault.cycle, fault.until - 1) >= study.cycles) {
        errors.add(
            ErrorCode::kInvalidInput,
            "strike.faults.cycle: " + std::to_string(std::max(fault.cycle, fault.until - 1)) +
                " is beyond the inference",
            place, "cycles are 0 to " + std::to_string(study.cycles - 1));
      }
      if (fault.image >= study.images) {
        errors.add(ErrorCode::kInvalidInput,
                   "strike.faults.image: image " + std::to_string(fault.image) + " is not in use",
                   place, "images are 0 to " + std::to_string(study.images - 1));
      }
    }
  }
  errors.throw_if_any();
}

std::string Plan::population_text() const {
  if (strike_.process == Process::kList) {
    return std::to_string(strike_.list.size()) + " listed trials";
  }
  std::string text = tensors_    ? tensors_->text()
                     : memories_ ? memories_->text()
                                 : std::to_string(sites_.size()) + " sites";
  if (strike_.faults.size() > 1) {
    text += " x " + std::to_string(strike_.faults.size()) + " kinds of fault";
  }
  if (is_persistent_) {
    return text + ", each judged on " + std::to_string(images_) + " images";
  }
  if (tensors_) {
    return text + " x " + std::to_string(images_) + " images";
  }
  return text + " x " + std::to_string(cycles_) + " cycles x " + std::to_string(images_) +
         " images";
}

CycleWindow Plan::window_of(FaultKind kind, std::uint64_t cycle_index) const {
  if (is_persistent_) {
    return strike_.lasts.kind == Lasts::Kind::kWindow ? strike_.lasts.window : CycleWindow{};
  }
  auto offset = static_cast<Cycle>(cycle_index);
  for (const CycleWindow& window : windows_) {
    const Cycle length = window.until - window.from;
    if (offset < length) {
      return {window.from + offset, window.from + offset + 1};
    }
    offset -= length;
  }
  TS_CHECK(false, "a cycle beyond the windows of a " + std::string(name_of(kind)));
  return {};
}

DrawnTrial Plan::draw(TrialId trial) const {
  if (tensors_) {
    return draw_words(trial);
  }
  if (memories_) {
    return draw_strike(trial);
  }
  if (strike_.process == Process::kList) {
    return draw_listed(trial);
  }
  return is_census_ ? draw_member(trial) : draw_uniform(trial);
}

/// A scrubber has run for ever, and does not wait for inferences. Each memory has a stream of its
/// own, so that another's scrubber makes no difference.
bridge::ScrubPhases Plan::draw_scrub_phases(TrialId trial) const {
  bridge::ScrubPhases phases(scrub_periods_.size());
  for (std::size_t i = 0; i < scrub_periods_.size(); ++i) {
    if (scrub_periods_[i] > 0) {
      RandomStream stream(seed_of_part(seed_, i), trial.value, Purpose::kScrub);
      phases[i] = static_cast<Cycle>(stream.below(static_cast<std::uint64_t>(scrub_periods_[i])));
    }
  }
  return phases;
}

DrawnTrial Plan::draw_strike(TrialId trial) const {
  DrawnTrial drawn;
  drawn.scrub_phases = draw_scrub_phases(trial);
  if (is_census_) {  // from the fastest: kind, cycle, cell, image
    std::uint64_t rest = trial.value;
    const auto take = [&](std::uint64_t size) {
      const std::uint64_t digit = rest % size;
      rest /= size;
      return digit;
    };
    const FaultKind kind = strike_.faults[take(strike_.faults.size())];
    const std::uint64_t cycle = is_persistent_ ? 0 : take(static_cast<std::uint64_t>(cycles_));
    const std::uint64_t cell = take(memories_->members());
    drawn.strike = memories_->member(cell, kind, window_of(kind, cycle));
    drawn.image = ImageId(static_cast<std::int64_t>(rest));
  } else {
    RandomStream image_stream(seed_, trial.value, Purpose::kImage);
    drawn.image =
        ImageId(static_cast<std::int64_t>(image_stream.below(static_cast<std::uint64_t>(images_))));
    drawn.strike = memories_->draw(seed_, trial);
    if (!memories_->structures()[drawn.strike->structure].memory) {  // the mesh, by its rate
      const Cycle cycle = drawn.strike->cycle;
      drawn.faults.push_back(
          {{sites_[drawn.strike->site], FaultKind::kFlip, {cycle, cycle + 1}}, true});
    }
  }
  if (is_persistent_) {
    drawn.image.reset();
  }
  return drawn;
}

DrawnTrial Plan::draw_uniform(TrialId trial) const {
  DrawnTrial drawn;
  RandomStream image_stream(seed_, trial.value, Purpose::kImage);
  RandomStream site_stream(seed_, trial.value, Purpose::kSite);
  RandomStream cycle_stream(seed_, trial.value, Purpose::kCycle);
  RandomStream kind_stream(seed_, trial.value, Purpose::kKind);
  if (!is_persistent_) {
    drawn.image =
        ImageId(static_cast<std::int64_t>(image_stream.below(static_cast<std::uint64_t>(images_))));
  }
  const auto count = static_cast<std::uint64_t>(strike_.count);
  for (const std::uint64_t site : draw_without_replacement(site_stream, sites_.size(), count)) {
    DrawnFault fault;
    fault.fault.site = sites_[site];
    fault.fault.kind = strike_.faults[kind_stream.below(strike_.faults.size())];
    fault.acts = kind_stream.below(2) == 0 || fault.fault.kind != FaultKind::kRandom;
    const std::uint64_t cycle =
        is_persistent_ ? 0 : cycle_stream.below(static_cast<std::uint64_t>(cycles_));
    fault.fault.when = window_of(fault.fault.kind, cycle);
    drawn.faults.push_back(fault);
  }
  return drawn;
}

DrawnTrial Plan::draw_member(TrialId trial) const {
  // From the fastest: kind, cycle, site, image; trials of one image are neighbours.
  std::uint64_t rest = trial.value;
  const auto take = [&](std::uint64_t size) {
    const std::uint64_t digit = rest % size;
    rest /= size;
    return digit;
  };
  DrawnFault fault;
  fault.fault.kind = strike_.faults[take(strike_.faults.size())];
  const std::uint64_t cycle = is_persistent_ ? 0 : take(static_cast<std::uint64_t>(cycles_));
  fault.fault.when = window_of(fault.fault.kind, cycle);
  fault.fault.site = sites_[take(sites_.size())];
  DrawnTrial drawn;
  if (!is_persistent_) {
    drawn.image = ImageId(static_cast<std::int64_t>(rest));
  }
  drawn.faults.push_back(fault);
  return drawn;
}

DrawnTrial Plan::draw_listed(TrialId trial) const {
  const ListedTrial& listed = strike_.list[trial.value];
  DrawnTrial drawn;
  RandomStream image_stream(seed_, trial.value, Purpose::kImage);
  RandomStream kind_stream(seed_, trial.value, Purpose::kKind);
  if (!is_persistent_) {
    const std::int64_t image =
        listed.front().image >= 0
            ? listed.front().image
            : static_cast<std::int64_t>(image_stream.below(static_cast<std::uint64_t>(images_)));
    drawn.image = ImageId(image);
  }
  for (std::size_t i = 0; i < listed.size(); ++i) {
    DrawnFault fault;
    fault.fault.site = listed_[trial.value][i];
    const FaultKind drawn_kind = strike_.faults[kind_stream.below(strike_.faults.size())];
    fault.fault.kind = listed[i].kind.value_or(drawn_kind);
    fault.acts = kind_stream.below(2) == 0 || fault.fault.kind != FaultKind::kRandom;
    CycleWindow& when = fault.fault.when;
    when = is_persistent_ ? window_of(fault.fault.kind, 0)
                          : CycleWindow{listed[i].cycle, listed[i].cycle + 1};
    if (is_persistent_ && listed[i].cycle >= 0) {
      when.from = listed[i].cycle;
    }
    if (listed[i].until >= 0) {
      when.until = listed[i].until;
    }
    drawn.faults.push_back(fault);
  }
  return drawn;
}

}  // namespace tilestrike::campaigns
