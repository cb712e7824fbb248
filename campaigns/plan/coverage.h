// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What share of a network's words a campaign on tensors may strike, and what it leaves out.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/words/study_facts.h"

namespace tilestrike::campaigns {

/// A tensor of which no word is struck.
struct LeftOut {
  std::string tensor;
  std::string what;  // its role, or why no strike can name it
  std::int64_t words = 0;
};

struct Coverage {
  std::int64_t covered = 0;
  std::int64_t words = 0;         // of all
  std::vector<LeftOut> left_out;  // the largest first
};

struct TensorCoverage {
  Coverage stored;                      // all but activations
  std::optional<Coverage> activations;  // of one image; nothing where none is struck
  std::vector<std::string> unstored;    // with activations: layers whose output is no store
  std::vector<std::string> notes;       // "NAME: what is to be known of it", of covered stores
};

/// `selected`: the stores in which words may be struck.
TensorCoverage coverage_of(std::span<const StoreId> selected, const bridge::StudyFacts& study);

}  // namespace tilestrike::campaigns
