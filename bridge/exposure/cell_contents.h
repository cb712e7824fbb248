// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the cells of a memory hold in a fault-free inference, whether anybody reads it or not: a
// cell that stores a 0 may be easier to upset than one that stores a 1 (docs/technology_nodes.md).
#pragma once

#include "bridge/exposure/layer_reader.h"
#include "bridge/exposure/residency.h"
#include "bridge/schedule/mapping.h"
#include "dnn/executor.h"
#include "sim/ecc/bit_string.h"

namespace tilestrike::bridge {

class CellContents {
 public:
  /// All must outlive this object. `reader` is of the same network and mapping.
  CellContents(const dnn::Network& network, const Mapping& mapping, const Residency& residency,
               LayerReader& reader)
      : network_(network), mapping_(mapping), residency_(residency), reader_(reader) {}

  /// All bits of a codeword, check bits included, just after the clock edge of `cycle`. `golden`:
  /// the inference; the one before it is taken to be of the same image. What no inference writes
  /// is 0, as after boot.
  sim::BitString cells(const dnn::Tape& golden, std::size_t memory, sim::CodewordId codeword,
                       Cycle cycle);

 private:
  const dnn::Network& network_;
  const Mapping& mapping_;
  const Residency& residency_;
  LayerReader& reader_;
};

}  // namespace tilestrike::bridge
