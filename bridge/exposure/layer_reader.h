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
#include "bridge/exposure/copies.h"
#include "bridge/exposure/layer_reads.h"
#include "bridge/exposure/residency.h"
#include "bridge/exposure/stored_operands.h"
#include "bridge/schedule/mapping.h"
#include "dnn/executor.h"

namespace tilestrike::bridge {

/// The struck codewords of a trial, and what they hold while they are struck.
struct StruckContents {
  struct Content {
    const StruckWord* word;
    Occupant occupant;
    std::vector<Cycle> refetched;  // reads at which it was fetched again, once its layer has run
  };
  std::vector<StruckWord> words;              // sorted by memory and codeword
  std::vector<std::vector<Content>> on_chip;  // by the layer that reads them
  std::vector<Content> backing;               // of stored tensors
  std::string first_layer;                    // of the network, that reads what is struck
  std::size_t last_layer = 0;                 // that may read anything struck
  bool is_empty = true;                       // no content has a reader
  bool is_any_used = false;                   // some of the cells hold something at some time
  bool are_only_sums = true;
  bool outlives = false;  // some were written at boot
};

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
  /// Puts what the layer reads from a struck copy, operands or weights, into `read`, and gives what
  /// ECC finds: at most one of each kind.
  Findings read_on_chip(std::size_t layer, const StruckContents::Content& struck, LayerRead& read);
  CodewordInTime in_time(const StruckWord& word);
  /// What is written into a codeword of a memory, where nothing else is struck. Not of sums.
  sim::BitString data_of(const Occupant& occupant, std::size_t memory, const dnn::Divergence& run,
                         const dnn::Tape& golden);

 private:
  void fetch(std::size_t layer, const StruckContents::Content& struck, const dnn::Divergence& run,
             const dnn::Tape& golden, LayerRead& result, const Found& found);
  std::vector<Cycle> reads_of(std::size_t layer, const Occupant& occupant,
                              const std::vector<CopyByte>& places) const;
  std::vector<StruckWord> words_of(const CellStrike& strike) const;
  std::vector<Occupant> occupants_of(const StruckWord& word) const;

  const dnn::Network& network_;
  const Mapping& mapping_;
  const Residency& residency_;
  OnDue on_due_;
  StoredOperands operands_;
  std::vector<std::unique_ptr<sim::MemoryArray>> arrays_;  // scratch, by memory
};

/// The bytes of an element, at most 8, as a number.
std::uint64_t raw_of(const at::Tensor& tensor, std::int64_t element);

}  // namespace tilestrike::bridge
