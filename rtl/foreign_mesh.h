// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The facade behind which a mesh in RTL of one's own becomes an engine (docs/own_rtl.md). A driver
// derives from ForeignMesh: it moves operands into the design and results out of it, and says where
// and when the design holds a given operand.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rtl/operand_site.h"
#include "rtl/storage.h"
#include "sim/mesh/engine.h"
#include "sim/mesh/engine_library.h"

namespace tilestrike::rtl {

/// Consecutive passes of a run with their operands. Pass numbers count from the first of them; what
/// a pass does not have is 0, so that whole rows and columns of the mesh can be fed.
class PassStreams {
 public:
  PassStreams(const sim::MeshRun& run, const sim::Operands& operands, int first_pass, int passes);

  const sim::MeshConfig& config() const { return config_; }
  int passes() const { return static_cast<int>(shapes_.size()); }
  const sim::PassShape& shape(int pass) const { return shapes_[static_cast<std::size_t>(pass)]; }
  /// Wavefronts of operands: rows of A (WS) or depth (OS).
  int steps(int pass) const { return steps_[static_cast<std::size_t>(pass)]; }
  /// Of step `step`, one for each row of the mesh. WS: A[step][..], OS: A[..][step].
  std::span<const std::int8_t> activations(int pass, int step) const;
  /// Row `row` of the weight tile (depth x columns), one for each column of the mesh.
  std::span<const std::int8_t> weights(int pass, int row) const;
  /// What the sums of row `row` of the result start from, one for each column of the mesh.
  std::span<const std::int32_t> accumulators(int pass, int row) const;

 private:
  struct Pass {
    std::vector<std::int8_t> activations, weights;
    std::vector<std::int32_t> accumulators;
  };
  sim::MeshConfig config_;
  std::vector<sim::PassShape> shapes_;
  std::vector<int> steps_;
  std::vector<Pass> data_;
};

/// By pass, row-major, rows x columns of the pass's shape.
using PassResults = std::vector<std::vector<std::int32_t>>;

/// A bit of the design after a clock edge; edges count from 1 from the start of ForeignMesh::run().
struct ForeignPlace {
  Storage storage;
  int bit = 0;        // of the storage
  int first_bit = 0;  // of the register's word within the storage
  int word_bits = 0;  // of the register's word
  std::int64_t edge = 0;
};

class ForeignMesh {
 public:
  virtual ~ForeignMesh() = default;

  /// Whether the design is of this shape and dataflow. The preload is TileStrike's own affair.
  virtual bool takes(const sim::MeshConfig& config) const = 0;
  /// Resets the design and runs the passes one after another: drives its ports, calls clock() for
  /// each edge, and puts what comes out into `results`, which has its final size.
  virtual void run(const PassStreams& passes, PassResults& results) = 0;
  /// The bit that holds what `site` holds in TileStrike's mesh, and the edge after which it does,
  /// in run() of the same passes. nullopt: the design has no such register.
  virtual std::optional<ForeignPlace> place(const PassStreams& passes,
                                            const OperandSite& site) const = 0;

  /// A bit to flip in the next run(), and what was found there.
  struct Strike {
    ForeignPlace place;
    std::uint64_t before = 0, after = 0;  // the word
    bool has_acted = false;
  };
  void arm(std::span<const ForeignPlace> places);
  const std::vector<Strike>& strikes() const { return strikes_; }
  /// A run that takes more edges than this has hung; clock() ends it.
  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  void limit_edges(std::int64_t edges) { most_edges_ = edges; }
  std::int64_t edges() const { return edge_; }

  /// Thrown by clock() where the limit is reached.
  struct Hung {};

 protected:
  /// One clock edge: clock_edge(), then what is armed for it, then settle().
  void clock();
  /// Drives the clock low and high once, and evaluates the design.
  virtual void clock_edge() = 0;
  /// Evaluates the design for registers that have changed.
  virtual void settle() = 0;
  /// Edges count anew. To be called first in run().
  void restart() { edge_ = 0; }

 private:
  std::vector<Strike> strikes_;
  std::int64_t edge_ = 0;
  std::int64_t most_edges_ = kNoLimit;
};

/// Adds the design to `engines`. It covers flips of registers that place() knows, and says
/// so of nothing else: the rest of a campaign's trials runs on `systemc`.
void add_foreign_engine(sim::EngineSet& engines, const std::string& name,
                        std::function<std::unique_ptr<ForeignMesh>()> make);

}  // namespace tilestrike::rtl
