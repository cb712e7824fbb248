// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The results file of a campaign: SQLite, appended as trials come, resumed by the next run
// (docs/architecture.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "campaigns/results/trial_record.h"
#include "campaigns/scenario/campaign.h"

namespace tilestrike::campaigns {

/// Of the columns and of what trial k is. 6 draws particles by the reach of their clusters, single
/// faults in tensors by the class of their bit, and scrubbers at a phase of their own. 7 keeps of
/// each trial in `trials` what all kinds have, the rest in a table for each kind; the view
/// `trials_wide` is the `trials` of 6. It draws as 6 does. 8 keeps scores, and what differs of long
/// answers; it draws as 7 does. 9 keeps of faults, in `more_faults`, those that their trial's row
/// does not say; the view `faults` is the `faults` of 8. It draws as 8 does. 10 has strikes
/// on cores, in `core_trials`, and 11 the hashes of labels and of the settings of spiking networks;
/// both draw as 9 does.
inline constexpr int kResultsVersion = 11;
/// The oldest that is still read.
inline constexpr int kOldestResults = 5;

/// What a results file keeps of one scenario besides its trials.
struct ScenarioFacts {
  std::string label;
  std::string document;  // expanded, YAML
  std::vector<std::pair<std::string, std::string>>
      hashes;  // model, images, labels, calibrate, spiking, faults, judge
  std::int64_t sites = 0;
  std::int64_t cycles = 0;
  std::int64_t images = 0;
  std::string population;
  bridge::Metric metric;  // of the golden run and of all trials
  std::optional<double> golden_score;
  std::string warnings;  // one a line
};

class Results {
 public:
  /// Makes the file, or opens it to go on with the same campaign. Throws Failure when it cannot be
  /// written, is in use, is no results file, or holds another campaign's trials.
  static std::unique_ptr<Results> for_campaign(const std::string& path, const Campaign& campaign);
  /// Opens an existing file to read; of an older version, too.
  static std::unique_ptr<Results> existing(const std::string& path);

  ~Results();  // commits
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

  /// Of the format: kResultsVersion, or an older one.
  std::int64_t version() const;

  /// The expanded campaign that the file was made for.
  std::string campaign_text() const;

  /// Keeps what is known of a scenario; refuses facts whose hashes differ from those that trials in
  /// the file were made with.
  void describe(std::int64_t scenario, const ScenarioFacts& facts);

  /// Throws Failure when trials of this scenario were made with other content.
  void check_hashes(std::int64_t scenario,
                    const std::vector<std::pair<std::string, std::string>>& hashes) const;

  /// Which of the trials first .. first + count - 1 the file has.
  std::vector<bool> has(std::int64_t scenario, std::int64_t first, std::int64_t count) const;
  std::int64_t count(std::int64_t scenario) const;

  /// Appends; what is added reaches the disk within a hundred trials or the first add() after a
  /// second.
  void add(const TrialRecord& record);
  void commit();

  std::optional<TrialRecord> trial(std::int64_t scenario, std::int64_t number) const;
  /// A scenario's trials in order of their numbers, from `first` on and until `visit` says false:
  /// their keys and the named fields, each with the part that it belongs to. What was not asked for
  /// is not there.
  void each_trial(std::int64_t scenario, const Fields& fields,
                  const std::function<bool(const TrialRecord&)>& visit,
                  std::int64_t first = 0) const;

  /// Throws Failure where trials of this file are not those that are drawn today.
  void check_drawing(const Scenario& scenario) const;

 private:
  struct Store;
  explicit Results(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace tilestrike::campaigns
