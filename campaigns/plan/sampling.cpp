// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/sampling.h"

#include "base/error.h"
#include "campaigns/plan/population_of.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::uint64_t kLargestCensus = std::uint64_t{1} << 40;

/// a * b, but no more than the largest number.
std::uint64_t product(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kMost = ~std::uint64_t{0};
  return a != 0 && b > kMost / a ? kMost : a * b;
}

}  // namespace

Plan::Plan(const Scenario& scenario, const bridge::StudyFacts& study)
    : population_(population_of(scenario, study)),
      seed_(static_cast<std::uint64_t>(scenario.seed)),
      images_(study.images),
      keeps_outcomes_(scenario.keeps_outcomes),
      after_detection_(campaigns::after_detection(scenario.accelerator)) {
  TS_CHECK(study.images > 0 && study.cycles > 0, "a study without images or cycles");
  size_ = population_->members();
  if (!population_->is_list()) {
    size_ = product(size_, population_->kinds().size());
    size_ = product(size_, moments());
  }
  count_trials(scenario.trials);
}

std::uint64_t Plan::moments() const {
  const StrikeTimes& times = population_->times();
  if (is_persistent()) {
    return times.count();
  }
  return times.is_by_image() ? times.moments()
                             : product(times.count(), static_cast<std::uint64_t>(images_));
}

void Plan::count_trials(const TrialCount& asked) {
  is_census_ = asked.is_exhaustive ||
               (population_->is_list() && static_cast<std::uint64_t>(asked.number) >= size_);
  if (is_census_ && size_ > kLargestCensus) {
    fail(ErrorCode::kInvalidInput,
         "trials: exhaustive would be " + population_text() + ", more than 2^40 trials", "scenario",
         "write a number of trials, or narrow 'where' and 'data.use'");
  }
  trials_ = is_census_ ? static_cast<std::int64_t>(size_) : asked.number;
}

std::string Plan::population_text() const {
  std::string text = population_->text();
  if (population_->is_list()) {
    return text;
  }
  if (population_->kinds().size() > 1) {
    text += " x " + std::to_string(population_->kinds().size()) + " kinds of fault";
  }
  if (is_persistent()) {
    return text + ", each judged on " + std::to_string(images_) + " images";
  }
  if (population_->times().is_by_image()) {
    return text + " x " + std::to_string(moments()) + " cycles of " + std::to_string(images_) +
           " images";
  }
  if (cycles() > 0) {
    text += " x " + std::to_string(cycles()) + " cycles";
  }
  return text + " x " + std::to_string(images_) + " images";
}

/// From the fastest: kind, time, member, image; where times are by image: kind, member, time.
/// Trials of one image are neighbours.
Plan::Place Plan::place_of(TrialId trial) const {
  std::uint64_t rest = trial.value;
  const auto take = [&](std::uint64_t size) {
    const std::uint64_t digit = rest % size;
    rest /= size;
    return digit;
  };
  const StrikeTimes& times = population_->times();
  Place place;
  place.kind = take(population_->kinds().size());
  if (times.is_by_image()) {
    place.member = take(population_->members());
    const auto [image, when] = times.moment(rest);
    place.image = static_cast<std::uint64_t>(image.value);
    place.when = when;
    return place;
  }
  place.when = times.at(take(times.count()));
  place.member = take(population_->members());
  place.image = rest;
  return place;
}

std::optional<ImageId> Plan::image_of(TrialId trial) const {
  if (is_persistent()) {
    return std::nullopt;
  }
  if (const auto named = population_->named_image(trial)) {
    return named;
  }
  if (goes_by_place()) {
    return ImageId(static_cast<std::int64_t>(place_of(trial).image));
  }
  RandomStream stream(seed_, trial.value, Purpose::kImage);
  if (population_->times().is_by_image()) {
    return population_->times().draw_image(stream);
  }
  return ImageId(static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(images_))));
}

DrawnTrial Plan::draw(TrialId trial) const {
  const TrialStreams streams{seed_, trial, image_of(trial)};
  DrawnTrial drawn;
  if (goes_by_place()) {
    const Place place = place_of(trial);
    drawn = population_->member(place.member, population_->kinds()[place.kind], place.when);
  } else {
    drawn = population_->draw(streams, population_->allocation().stratum_of(trial));
  }
  drawn.trial = trial;
  drawn.image = streams.image;
  drawn.scrub_phases = population_->scrub_phases(streams);
  return drawn;
}

}  // namespace tilestrike::campaigns
