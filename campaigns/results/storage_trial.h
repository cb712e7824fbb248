// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What rows of strikes on memories and on cores have in common: ECC, and what outlives the
// inference.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "campaigns/results/judged.h"
#include "campaigns/results/table.h"

namespace tilestrike::campaigns {

struct StorageTrial : TrialKey {
  std::int64_t corrected = 0, detected = 0;
  Outcome without_stop = Outcome::kMasked;
  bool outlives = false;
  std::optional<std::int64_t> later_images, later_wrong, later_due;
  friend bool operator==(const StorageTrial&, const StorageTrial&) = default;

  void set_end(const Judged& judged, AfterDetection after_detection) {
    corrected = judged.corrected;
    detected = judged.detected;
    without_stop = judged.without_stop;
    outlives = judged.outlives;
    if (!judged.later.empty()) {
      later_images = static_cast<std::int64_t>(judged.later.size());
      later_wrong = judged.later_wrong(after_detection);
      later_due = judged.later_due();
    }
  }
};

/// Their columns, behind those of a table's own. `bits`: what is struck, "cells".
template <class Record>
std::vector<Column<Record>> with_end(std::vector<Column<Record>> columns, const std::string& bits) {
  const auto add = [&](const char* name, auto member, std::string help) {
    columns.push_back(column_of<Record>(name, member, std::move(help), member));
  };
  add("corrected", &StorageTrial::corrected, "codewords that ECC corrected at a read");
  add("detected", &StorageTrial::detected,
      "codewords with an error that it found and could not correct");
  add("without_stop", &StorageTrial::without_stop,
      "outcome if a detected error did not stop the inference");
  add("outlives", &StorageTrial::outlives, "1: later inferences read the struck " + bits + ", too");
  add("later_images", &StorageTrial::later_images,
      "later inferences that were judged: one of each image");
  add("later_wrong", &StorageTrial::later_wrong,
      "of these, wrong answers or no number, as they are given");
  add("later_due", &StorageTrial::later_due, "of these, with a detected error");
  return columns;
}

}  // namespace tilestrike::campaigns
