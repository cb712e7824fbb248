// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The struck codewords of a trial, and what they hold while they are struck, where its readers look
// for it. No LibTorch in this header.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bridge/exposure/codeword_in_time.h"
#include "bridge/exposure/copy.h"

namespace tilestrike::bridge {

struct StruckContent {
  const StruckWord* word;
  Occupant occupant;
  std::vector<Cycle> refetched;  // reads at which it was fetched again, once its layer has run
};

struct StruckContents {
  /// On the chip, of one layer that reads it.
  struct OfLayer {
    std::vector<StruckContent> operands, sums;
    bool is_empty() const { return operands.empty() && sums.empty(); }
  };
  std::vector<StruckWord> words;       // sorted by memory and codeword
  std::vector<OfLayer> on_chip;        // by layer
  std::vector<StruckContent> backing;  // of stored tensors
  std::string first_layer;             // of the network, that reads what is struck
  std::size_t last_layer = 0;          // that may read anything struck
  bool is_any_used = false;            // some of the cells hold something at some time
  bool outlives = false;               // some were written at boot

  /// Whether no content has a reader.
  bool is_empty() const {
    return backing.empty() && std::ranges::all_of(on_chip, &OfLayer::is_empty);
  }
  bool are_only_sums() const {
    return backing.empty() && std::ranges::all_of(on_chip, [](const OfLayer& layer) {
             return layer.operands.empty();
           });
  }
};

}  // namespace tilestrike::bridge
