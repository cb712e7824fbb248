// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the scrubbers meet of a strike, in the struck inference and after it, whoever else reads
// (docs/memory_schedule.md, "Scrubbers").
#pragma once

#include <functional>
#include <vector>

#include "bridge/exposure/layer_reader.h"
#include "bridge/exposure/residency.h"
#include "dnn/differential/divergence.h"

namespace tilestrike::bridge {

class ScrubWalk {
 public:
  /// Both must outlive this object.
  ScrubWalk(const Residency& residency, LayerReader& reader);

  /// Told of a struck codeword in which its scrubber has found something.
  using Met = std::function<void(const StruckWord& word, const ScrubFindings& findings)>;
  /// Follows each struck codeword until nothing is left to be found in it, it is written again in
  /// the next inference, or for ever. What layers have fetched again is in the contents.
  void follow(const StruckContents& struck, const dnn::Divergence& run, const Met& met);

  /// What the faults have become by the time of later inferences, after a visit of the scrubber:
  /// flips that have struck before cycle 0. Faults that are no flips stay as they are.
  std::vector<CellFault> left_for_later(const StruckContents& struck);

 private:
  using DataOf = std::function<sim::BitString(const Occupant&)>;
  void relive(const StruckContents& struck, const StruckWord& word, const DataOf& data_of,
              CodewordInTime& in_time) const;
  void outlive(const StruckWord& word, const DataOf& data_of, CodewordInTime& in_time) const;

  const Residency& residency_;
  LayerReader& reader_;
  OnDue on_due_;
};

}  // namespace tilestrike::bridge
