// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where a network's tensors lie in an accelerator's memories over an inference, for `tilestrike
// locate`. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "bridge/accelerator/accelerator.h"
#include "bridge/study/study.h"

namespace tilestrike::bridge {

/// What a bit of a memory holds from one write to the next.
struct HeldContent {
  std::string kind;    // weights, activations, accumulators, backing
  std::string layer;   // that reads it; of a backing copy: empty
  std::string tensor;  // empty: a check bit, a lane that nobody reads, fill
  std::int64_t element = -1;
  int bit = -1;              // of the element, or of the 32-bit sum that becomes it
  bool at_boot = false;      // written before all inferences
  Cycle written = 0;         // else
  Cycle until = 0;           // written anew, or the inference ends
  bool stays = false;        // in the next inference, too
  std::vector<Cycle> reads;  // in order
};

struct ElementLocation {
  std::size_t memory = 0;  // in the accelerator's file
  sim::CodewordBit bit;
  HeldContent held;
};

class NetworkPlaces {
 public:
  /// Images as for inspect(). Throws Failure where the accelerator has no memories.
  static std::unique_ptr<NetworkPlaces> open(const NetworkSource& source,
                                             const AcceleratorConfig& accelerator);
  virtual ~NetworkPlaces() = default;

  virtual Cycle period() const = 0;
  /// All that a bit holds in an inference, in order.
  virtual std::vector<HeldContent> held_in(std::size_t memory, sim::CodewordBit bit) const = 0;
  /// All places of a bit of an element, or of the sums that become it. Throws Failure that names
  /// the nearest tensors.
  virtual std::vector<ElementLocation> places_of(const std::string& tensor, std::int64_t element,
                                                 int bit) const = 0;
};

}  // namespace tilestrike::bridge
