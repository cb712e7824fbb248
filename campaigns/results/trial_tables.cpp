// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/trial_tables.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

/// On how many images each rate was seen.
std::vector<Column<TrialRecord>> image_columns() {
  RateArray<std::string> about;
  about[Rate::kSdc] = "with silent data corruption";
  about[Rate::kSdc1] = "of these, with another top class, or what the judge says in its place";
  about[Rate::kSdc5] = "of these, whose top class left the golden top five";
  about[Rate::kSdc10] = "of these, whose golden class's confidence moved by more than 10 %, or ...";
  about[Rate::kSdc20] = "of these, by more than 20 %";
  about[Rate::kNonfinite] = "with NaN or Inf";
  about[Rate::kDue] = "with a detected error, or a hang";
  std::vector<Column<TrialRecord>> columns;
  for (const Rate rate : kRates) {
    columns.push_back(column_of<TrialRecord>(
        "images_" + name_of(rate), [rate](auto& record) -> auto& { return record.images_of[rate]; },
        about[rate], &TrialRecord::images_of));
  }
  return columns;
}

/// The column of a member that records of trials and of images share.
template <class Record, class Field>
Column<Record> answer_column(std::string name, Field AnswerRecord::*member, std::string help) {
  return column_of<Record>(
      std::move(name), [member](auto& record) -> auto& { return record.*member; }, std::move(help),
      member);
}

/// What is kept of answers. `of_score`, `of_share`, `of_answer`: which images they are of.
template <class Record>
std::vector<Column<Record>> answer_columns(const std::string& of_score, const std::string& of_share,
                                           const std::string& of_answer) {
  using R = Record;
  const auto column = [](std::string name, auto AnswerRecord::*member, std::string help) {
    return answer_column<R>(std::move(name), member, std::move(help));
  };
  return {
      column("logits", &AnswerRecord::logits,
             "the faulty answer" + of_answer +
                 ", float32, little-endian; null where it equals golden, or has more than 4096 "
                 "numbers"),
      column("score", &AnswerRecord::score,
             of_score + "the metric of the judge with the fault (scenarios.metric); null without "
                        "labels"),
      column("golden_score", &AnswerRecord::golden_score, "the same without the fault"),
      column("share_differing", &AnswerRecord::share_differing,
             "of an answer's pixels, positions, decisions or detections those that differ" +
                 of_share + "; null where it has none"),
      column("first_differing", &AnswerRecord::first_differing,
             "of these the first that differs" + of_answer),
      column("changed_answer", &AnswerRecord::changed_answer,
             "how many numbers of the answer" + of_answer + " differ from golden"),
      column("differences", &AnswerRecord::differences,
             "of an answer of more than 4096 numbers those that differ, 'index:value' with spaces "
             "between; null where they are more than 1024"),
      column("answer_digest", &AnswerRecord::answer_digest,
             "in the place of so many differences a hash of the faulty answer's bytes"),
  };
}

}  // namespace

const Table<TrialRecord>& trial_table() {
  using R = TrialRecord;
  static const Table<R> made = [] {
    std::vector<Column<R>> columns = {
        column("weight", &R::weight, "of the trial in rates"),
        column("stratum", &R::stratum, "empty: the population is not divided"),
        column("radiation", &R::radiation, "of particles: what struck"),
        column("image", &R::image, "row of the images; null: judged on all in use"),
        column("structure", &R::structure,
               "what was struck; the names of several memories are joined by + where one trial "
               "may strike all of them: a chip, several cells, a fluence"),
        column("register", &R::register_name,
               "of the first fault; of a tensor its name; of several memories the one in which "
               "the place lies"),
        column("bit", &R::bit, "of the first fault; 0 is the least significant"),
        column("fault", &R::fault, "kind of the first fault"),
        column("faults", &R::faults, "how many; `faults` has the first 64"),
        column("events", &R::events, "of particles"),
        column("activated", &R::activated, "1: a live value differed"),
        column("masked_at", &R::masked_at, "where a masked fault ended"),
        column("outcome", &R::outcome, "the worst of all images"),
        column("sdc_1", &R::sdc_1,
               "1: the top class changed, on any image; of other judges what docs/judges.md says, "
               "as the next three"),
        column("sdc_5", &R::sdc_5, "1: the top class left the golden top five"),
        column("sdc_10", &R::sdc_10, "1: the golden class's confidence moved by more than 10 %"),
        column("sdc_20", &R::sdc_20, "1: by more than 20 %"),
        column("hung", &R::hung, "1: the hardware did not answer"),
        column("layer", &R::layer,
               "first layer struck; of memories the first that reads what was struck"),
        column("changed_accumulators", &R::changed_accumulators, "of the struck layer"),
        column("changed_outputs", &R::changed_outputs, "of the struck layer, requantised"),
        column("changed_words", &R::changed_words,
               "of struck tensors, or of constants in memories: those that the faults left "
               "different"),
        column("relative_l2", &R::relative_l2,
               "|faulty - golden| / |golden| of the answer, the largest"),
        column("passes_simulated", &R::passes_simulated, "tile passes that the engine ran"),
        column("engine", &R::engine, "what computed them"),
        column("audit", &R::audit,
               "'agrees: ' and the other engines that computed them, or where one differs"),
        answer_column<R>("golden_class", &AnswerRecord::golden_class,
                         "top class without the fault"),
        answer_column<R>("faulty_class", &AnswerRecord::faulty_class, "top class with it"),
        column("images", &R::images, "judged"),
        column("images_activated", &R::images_activated, "on which a live value differed"),
    };
    for (Column<R>& column : image_columns()) {
      columns.push_back(std::move(column));
    }
    columns.push_back(column("images_correct", &R::images_correct,
                             "whose top class is their label; null without labels"));
    columns.push_back(
        column("images_golden_correct", &R::images_golden_correct, "the same without the fault"));
    for (Column<R>& column :
         answer_columns<R>("of all images judged; ", ", the mean over its images",
                           " of its first image that was not masked")) {
      columns.push_back(std::move(column));
    }
    return table_of_trials<R>("trials", "a trial", std::move(columns));
  }();
  return made;
}

const Table<OutcomeRecord>& outcome_table() {
  using R = OutcomeRecord;
  static const Table<R> made = [] {
    std::vector<Column<R>> columns = {
        column("image", &R::image, "row of the images"),
        column("outcome", &R::outcome, "on that image"),
        column("sdc_1", &R::sdc_1, "1: the top class changed, or as in trials"),
        column("sdc_5", &R::sdc_5, "1: the top class left the golden top five"),
        column("sdc_10", &R::sdc_10, "1: the golden class's confidence moved by more than 10 %"),
        column("sdc_20", &R::sdc_20, "1: by more than 20 %"),
        column("layer", &R::layer, "first layer struck"),
        column("changed_accumulators", &R::changed_accumulators, "of the struck layer"),
        column("changed_outputs", &R::changed_outputs, "of the struck layer, requantised"),
        answer_column<R>("golden_class", &AnswerRecord::golden_class,
                         "top class without the fault"),
        answer_column<R>("faulty_class", &AnswerRecord::faulty_class, "top class with it"),
    };
    for (Column<R>& column : answer_columns<R>("", "", "")) {
      columns.push_back(std::move(column));
    }
    return table_of_trials<R>(
        "outcomes", "a trial that is judged on all images, and an image on which it was not masked",
        std::move(columns), ", image");
  }();
  return made;
}

const Table<ScenarioRecord>& scenario_table() {
  using R = ScenarioRecord;
  static const Table<R> table = {
      "scenarios",
      "scenario",
      "a point of the sweep",
      {
          column("scenario", &R::scenario, "point of the sweep, from 0"),
          column("label", &R::label, "what it sweeps: 'format=int8'"),
          column("expanded", &R::expanded, "YAML with all keys"),
          column("model_hash", &R::model_hash, "of the model's file"),
          column("images_hash", &R::images_hash, "of the images"),
          column("calibrate_hash", &R::calibrate_hash, "of the images that fix the scales"),
          column("faults_hash", &R::faults_hash, "of a list of faults"),
          column("sites", &R::sites, "that may be struck"),
          column("cycles", &R::cycles, "of an inference"),
          column("images", &R::images, "in use"),
          column("population", &R::population, "what trials are drawn from"),
          column("accuracy", &R::accuracy,
                 "of the golden run, top-1; null without labels, or with another metric"),
          column("warnings", &R::warnings, "one a line"),
          column("metric", &R::metric, "what a score is; null without labels"),
          column("golden_score", &R::golden_score, "of the golden run on all images in use"),
          column("judge_hash", &R::judge_hash, "of the file of a judge of one's own"),
          column("labels_hash", &R::labels_hash, "of the labels"),
          column("spiking_hash", &R::spiking_hash, "of the settings of a spiking network"),
      }};
  return table;
}

const Table<MetaRecord>& meta_table() {
  using R = MetaRecord;
  static const Table<R> table = {
      "meta",
      "key",
      "what the whole file has in common",
      {column("key", &R::key, "campaign, seed, created, schema, or what computed: compiler, ..."),
       column("value", &R::value, "of campaign its YAML, of others a version")}};
  return table;
}

namespace {

/// A column of the wide table: its name, and what it is in a trial without the part that has it.
struct Wide {
  const char* name;
  std::optional<std::int64_t> missing = std::nullopt;
};

// In the order that files of version 6 have, then what they lack.
constexpr Wide kWide[] = {
    {"scenario"},
    {"trial"},
    {"weight"},
    {"stratum"},
    {"radiation"},
    {"image"},
    {"structure"},
    {"register"},
    {"word"},
    {"bank"},
    {"row"},
    {"column"},
    {"position"},
    {"bit"},
    {"fault"},
    {"cycle"},
    {"until"},
    {"faults"},
    {"bits"},
    {"codewords"},
    {"events"},
    {"stored"},
    {"activated"},
    {"masked_at"},
    {"outcome"},
    {"sdc_1"},
    {"sdc_5"},
    {"sdc_10"},
    {"sdc_20"},
    {"hung"},
    {"corrected"},
    {"detected"},
    {"without_stop"},
    {"outlives"},
    {"later_images"},
    {"later_wrong"},
    {"later_due"},
    {"layer"},
    {"pass"},
    {"step"},
    {"before", 0},
    {"after", 0},
    {"changed_accumulators"},
    {"changed_outputs"},
    {"changed_words"},
    {"relative_l2"},
    {"passes_simulated"},
    {"engine"},
    {"audit"},
    {"golden_class"},
    {"faulty_class"},
    {"images"},
    {"images_activated"},
    {"images_sdc"},
    {"images_sdc_1"},
    {"images_sdc_5"},
    {"images_sdc_10"},
    {"images_sdc_20"},
    {"images_nonfinite"},
    {"images_due"},
    {"images_correct"},
    {"images_golden_correct"},
    {"logits"},
    {"score"},
    {"golden_score"},
    {"share_differing"},
    {"first_differing"},
    {"changed_answer"},
    {"differences"},
    {"answer_digest"},
    {"core"},
    {"lane"},
    {"neuron"},
    {"input"},
    {"tick"},
    {"changed_spikes"},
    {"changed_behind"},
    {"first_changed"},
    {"misrouted"},
    {"cores_simulated"},
};

template <class Record>
const Column<Record>* column_named(const Table<Record>& table, const std::string& name) {
  const auto found = std::ranges::find(table.columns, name, &Column<Record>::name);
  return found == table.columns.end() ? nullptr : &*found;
}

/// The column of a part, as one of the whole record: of the first part that has it.
Column<TrialRecord> wide_column(const Wide& wide) {
  if (const Column<TrialRecord>* common = column_named(trial_table(), wide.name)) {
    return {common->name, common->type, common->help, common->get, {}, {}};
  }
  Column<TrialRecord> column{wide.name, "", "", {}, {}, {}};
  std::vector<std::function<Datum(const TrialRecord&)>> parts;
  for_each_part([&](const auto& table, auto part) {
    if (const auto* found = column_named(table, wide.name)) {
      column.type = found->type;
      column.help += (column.help.empty() ? "" : "; or ") + found->help;
      parts.push_back([found, part](const TrialRecord& record) {
        return record.*part ? found->get(*(record.*part)) : Datum();
      });
    }
  });
  TS_CHECK(!parts.empty(), "no column '" + column.name + "'");
  column.get = [parts, missing = wide.missing](const TrialRecord& record) {
    for (const auto& part : parts) {
      const Datum datum = part(record);
      if (!std::holds_alternative<std::monostate>(datum)) {
        return datum;
      }
    }
    return missing ? Datum(*missing) : Datum();
  };
  return column;
}

}  // namespace

const Table<TrialRecord>& wide_table() {
  static const Table<TrialRecord> made = [] {
    Table<TrialRecord> table{"trials_wide", "scenario, trial", "a trial, with all that it has", {}};
    for (const Wide& wide : kWide) {
      table.columns.push_back(wide_column(wide));
    }
    return table;
  }();
  return made;
}

std::string wide_view() {
  std::vector<std::string> chosen;
  for (const Wide& wide : kWide) {
    const std::string name = "\"" + std::string(wide.name) + "\"";
    std::vector<std::string> places;
    if (column_named(trial_table(), wide.name) != nullptr) {
      places = {"trials." + name};
    } else {
      for_each_part([&](const auto& table, auto) {
        if (column_named(table, wide.name) != nullptr) {
          places.push_back(table.name + "." + name);
        }
      });
      if (wide.missing) {
        places.push_back(std::to_string(*wide.missing));
      }
    }
    chosen.push_back(
        (places.size() == 1 ? places.front() : "COALESCE(" + join(places, ", ") + ")") + " AS " +
        name);
  }
  std::string joined;
  for_each_part([&](const auto& table, auto) { joined += joined_to_trials(table.name); });
  return "CREATE VIEW trials_wide AS SELECT " + join(chosen, ", ") + " FROM trials" + joined;
}

std::string faults_view() {
  std::vector<std::string> names, of_trials;
  for (const Column<FaultRecord>& column : fault_table().columns) {
    const std::string name = "\"" + column.name + "\"";
    names.push_back(name);
    of_trials.push_back(column_named(wide_table(), column.name) != nullptr ? name
                        : column.name == "number"                          ? "0"
                                                                           : "1");
  }
  return "CREATE VIEW faults AS SELECT " + join(names, ", ") +
         " FROM more_faults UNION ALL SELECT " + join(of_trials, ", ") +
         " FROM trials_wide WHERE faults = 1 AND NOT EXISTS (SELECT 1 FROM more_faults WHERE "
         "more_faults.scenario = trials_wide.scenario AND more_faults.trial = trials_wide.trial)";
}

std::string joined_to_trials(const std::string& part) {
  return " LEFT JOIN " + part + " ON " + part + ".scenario = trials.scenario AND " + part +
         ".trial = trials.trial";
}

}  // namespace tilestrike::campaigns
