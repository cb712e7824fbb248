// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The results file of a campaign: SQLite, appended as trials come, resumed by the next run
// (docs/architecture.md). The only user of SQLite.
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

/// Of the columns and of what trial k is: 6 draws particles by the reach of their clusters, single
/// faults in tensors by the class of their bit, and scrubbers at a phase of their own.
inline constexpr int kResultsVersion = 6;

/// What a results file keeps of one scenario besides its trials.
struct ScenarioFacts {
  std::string label;
  std::string document;                                     // expanded, YAML
  std::vector<std::pair<std::string, std::string>> hashes;  // model, images, calibrate, faults
  std::int64_t sites = 0;
  std::int64_t cycles = 0;
  std::int64_t images = 0;
  std::string population;
  double accuracy = -1.0;  // of the golden run; -1: no labels
  std::string warnings;    // one a line
};

class Results {
 public:
  /// Makes the file, or opens it to go on with the same campaign. Throws Failure when it cannot be
  /// written, is in use, is no results file, or holds another campaign's trials.
  static std::unique_ptr<Results> for_campaign(const std::string& path, const Campaign& campaign);
  /// Opens an existing file to read.
  static std::unique_ptr<Results> existing(const std::string& path);

  ~Results();  // commits
  Results(const Results&) = delete;
  Results& operator=(const Results&) = delete;

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

  std::optional<Row> trial(std::int64_t scenario, std::int64_t number) const;
  /// The first image on which a lasting fault was not masked.
  std::optional<std::int64_t> first_visible_image(std::int64_t scenario, std::int64_t number) const;
  /// The named columns of a scenario's trials, in order of their numbers, until `visit` says false.
  void each_trial(std::int64_t scenario, const std::vector<std::string>& columns,
                  const std::function<bool(const Row&)>& visit) const;

 private:
  struct Store;
  explicit Results(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace tilestrike::campaigns
