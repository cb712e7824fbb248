// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/run/replay.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "campaigns/pictures/array_picture.h"
#include "campaigns/plan/sampling.h"
#include "campaigns/results/old_results.h"
#include "campaigns/results/trial_tables.h"
#include "campaigns/run/strike_trial.h"

namespace tilestrike::campaigns {
namespace {

const Point& point_of(const Campaign& campaign, const ReplayRequest& request) {
  const auto points = static_cast<std::int64_t>(campaign.points.size());
  if (request.scenario < 0 || request.scenario >= points) {
    fail(ErrorCode::kNotFound, fmt::format("no scenario {} in this file", request.scenario),
         request.results, fmt::format("--scenario takes 0 to {}", points - 1));
  }
  return campaign.points[static_cast<std::size_t>(request.scenario)];
}

TrialRecord stored_trial(const Results& results, const ReplayRequest& request) {
  auto trial = results.trial(request.scenario, request.trial);
  if (!trial) {
    const std::int64_t count = results.count(request.scenario);
    fail(ErrorCode::kNotFound,
         fmt::format("no trial {} of scenario {} in this file", request.trial, request.scenario),
         request.results,
         count == 0 ? "it has none of this scenario; run the campaign first"
                    : fmt::format("it has {} trials, numbered from 0", count));
  }
  return std::move(*trial);
}

/// `version`: of the file.
std::vector<std::string> differences_of(const TrialRecord& stored, const TrialRecord& now,
                                        std::int64_t version) {
  std::vector<std::string> differences;
  for (const Column<TrialRecord>& column : wide_table().columns) {
    const Datum was = column.get(stored), is = column.get(now);
    // A replay asks no other engines.
    const bool is_compared = column.name != "audit" && has_column(version, column.name);
    if (is_compared && !is_equal(was, is)) {
      differences.push_back(
          fmt::format("{}: {} in the file, {} now", column.name, text_of(was), text_of(is)));
    }
  }
  return differences;
}

/// The memory that the trial struck first, around the struck cell.
SvgPicture draw_struck_memory(const Scenario& scenario, const Plan& plan, const DrawnTrial& drawn,
                              const bridge::Study& study) {
  const DrawnStrike* strike = drawn.in_memory();
  if (strike == nullptr) {
    fail(ErrorCode::kInvalidInput, "the trial struck no memory", "--svg",
         "leave it out; pictures are of memories and their cells");
  }
  const std::vector<DrawnCell>& cells = strike->cells;
  const std::size_t memory = *strike->memory;
  const bridge::StudyMemory& struck = study.facts().memories[memory];
  const sim::ArrayGeometry geometry(struck.config.array());
  std::vector<sim::Cell> places;
  const auto is_struck = [&](const DrawnCell& cell) {
    return cell.fault.memory == memory && geometry.cell_of(cell.fault.bit) == strike->struck;
  };
  if (std::ranges::any_of(cells, is_struck)) {
    places.push_back(strike->struck);
  }
  for (const DrawnCell& cell : cells) {
    const sim::Cell place = geometry.cell_of(cell.fault.bit);
    if (cell.fault.memory == memory && place != strike->struck) {
      places.push_back(place);
    }
  }
  if (places.empty()) {
    fail(ErrorCode::kInvalidInput, "no cell that failed ever holds anything", "--svg",
         "leave it out, or choose another trial");
  }
  ArrayPicture picture;
  picture.title = fmt::format("{} of {}", struck.name, scenario.accelerator.name);
  picture.memory = &struck.config;
  picture.struck = places;
  if (const sim::TechnologyNode* node = plan.population().technology()) {
    picture.title += ", " + node->name;
    picture.tap_rows = static_cast<int>(node->tap_rows.value);
  }
  return draw_array(picture);
}

/// Never a dump that silently is not there.
void check_dump(const ReplayRequest& request, const Scenario& scenario, const DrawnTrial& drawn) {
  if (strikes_cores(scenario)) {
    fail(ErrorCode::kUnsupported, "a strike on cores has no dump", "--dump",
         fmt::format("leave it out; `tilestrike correlate SCENARIO --trial {} --vcd FOLDER` writes "
                     "the struck core as waveforms",
                     request.trial));
  }
  if (drawn.job().strike.is_empty()) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("trial {} changes nothing: the random value is the one that the bit has",
                     request.trial),
         "--dump", "leave it out, or choose another trial");
  }
}

/// The one whose story is told: of a lasting fault by default the first that it did not leave
/// alone.
std::int64_t image_told(const ReplayRequest& request, const DrawnTrial& drawn,
                        const TrialRecord& stored, std::int64_t images) {
  const std::int64_t first = stored.outcomes.empty() ? 0 : stored.outcomes[0].image;
  const std::int64_t image = drawn.image ? drawn.image->value : request.image.value_or(first);
  if (drawn.image && request.image && *request.image != image) {
    fail(ErrorCode::kInvalidInput, fmt::format("trial {} struck image {}", request.trial, image),
         "--image", "leave --image out; it is for faults that are judged on many images");
  }
  if (image < 0 || image >= images) {
    fail(ErrorCode::kNotFound, fmt::format("image {} is not in use", image), "--image",
         fmt::format("images are 0 to {}", images - 1));
  }
  return image;
}

}  // namespace

ReplayReport replay(const ReplayRequest& request, const sim::EngineSet& engines,
                    const StudyFactory& open_study) {
  const std::unique_ptr<Results> results = Results::existing(request.results);
  const Campaign campaign =
      read_campaign(parse_yaml(results->campaign_text(), request.results), engines);
  const Point& point = point_of(campaign, request);
  const TrialRecord stored = stored_trial(*results, request);
  results->check_drawing(point.scenario);

  const std::unique_ptr<bridge::Study> study = open_study(study_inputs(point.scenario, engines));
  results->check_hashes(request.scenario, hashes_of(point.scenario, *study));
  // A file may hold more trials than it was last asked for.
  Scenario scenario = point.scenario;
  scenario.trials.number = std::max(scenario.trials.number, request.trial + 1);
  const Plan plan(scenario, study->facts());
  const DrawnTrial drawn = plan.draw(TrialId(static_cast<std::uint64_t>(request.trial)));

  if (!request.dump_folder.empty()) {
    check_dump(request, point.scenario, drawn);
  }

  ReplayReport report;
  report.scenario = request.scenario;
  report.trial = request.trial;
  report.label = point.label;
  report.title =
      point.scenario.has_accelerator
          ? fmt::format("{} on {}", point.scenario.model, point.scenario.accelerator.name)
          : fmt::format("{} in {}", point.scenario.model, point.scenario.number_format().name());
  report.images = drawn.image ? 1 : study->facts().images;
  report.image = image_told(request, drawn, stored, study->facts().images);
  report.label_of_image = study->facts().label(ImageId(report.image));
  report.golden_logits = study->golden_answer(ImageId(report.image));
  report.faults = describe(drawn, study->facts());
  if (!request.picture.empty()) {
    draw_struck_memory(point.scenario, plan, drawn, *study).write(request.picture);
  }
  bridge::Story story;
  std::unique_ptr<bridge::RunObserver> dump;
  std::vector<bridge::RunObserver*> all = {&story};
  if (!request.dump_folder.empty()) {
    dump = request.open_dump(request.dump_folder);
    all.push_back(dump.get());
  }
  bridge::Observers observers(all);
  std::vector<TrialRecord> records =
      strike_and_judge(*study, plan, request.scenario, {drawn}, point.scenario.engine,
                       {&observers, ImageId(report.image)});
  TS_CHECK(records.size() == 1, "a replay was interrupted");
  report.story = std::move(story.lines);
  report.record = std::move(records.front());
  report.differences = differences_of(stored, report.record, results->version());
  return report;
}

}  // namespace tilestrike::campaigns
