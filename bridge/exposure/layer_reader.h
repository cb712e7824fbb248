// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// From struck cells to what a layer reads: which contents the struck codewords have, and what their
// readers find in them (docs/memory_schedule.md, "What a strike does").
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bridge/exposure/codeword_in_time.h"
#include "bridge/exposure/layer_reads.h"
#include "bridge/exposure/residency.h"
#include "bridge/exposure/run_values.h"
#include "bridge/exposure/stored_operands.h"
#include "bridge/exposure/struck_contents.h"
#include "bridge/schedule/mapping.h"
#include "dnn/differential/divergence.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

/// One layer's operands, in the order in which they are loaded, on the host, and what is read
/// instead of their elements.
struct LayerRead {
  std::vector<at::Tensor> operands;
  LayerReads reads;
};

class LayerReader {
 public:
  using Tell = std::function<void(std::string_view line)>;
  /// Told what ECC has found, where something was.
  using Found = std::function<void(const Findings& findings, std::string_view where)>;

  /// All must outlive this object.
  LayerReader(const dnn::Network& network, const Mapping& mapping, const Residency& residency);

  StoredOperands& operands() { return operands_; }
  StruckContents find(const CellStrike& strike, const Tell& tell) const;
  bool reads_struck(const StruckContents& struck, std::size_t layer) const;
  /// What the layer's copies on the chip hold as they are loaded: of wrong backing copies.
  LayerRead load(std::size_t layer, const StruckContents& struck, const dnn::Divergence& run,
                 const dnn::Tape& golden, const Found& found);
  /// Puts what its layer reads from a struck copy of an operand into `read`, and gives what ECC
  /// finds: at most one of each kind.
  Findings read_on_chip(const StruckContent& struck, LayerRead& read);
  CodewordInTime in_time(const StruckWord& word);
  RunValues values(const dnn::Divergence& run) const { return {mapping_, operands_, run}; }

 private:
  void fetch(std::size_t layer, const StruckContent& struck, const dnn::Divergence& run,
             const dnn::Tape& golden, LayerRead& result, const Found& found);
  /// With `zero` what ECC gives up reads as 0.
  void zero_detected(std::vector<ReadSpan>& spans) const;
  std::vector<StruckWord> words_of(const CellStrike& strike) const;
  std::vector<Occupant> occupants_of(const StruckWord& word) const;
  void add(const StruckWord& word, const Occupant& occupant, std::string_view place,
           const Tell& tell, StruckContents& struck) const;

  const dnn::Network& network_;
  const Mapping& mapping_;
  const Residency& residency_;
  OnDue on_due_;
  StoredOperands operands_;
  std::vector<std::unique_ptr<sim::MemoryArray>> arrays_;  // scratch, by memory
};

}  // namespace tilestrike::bridge
