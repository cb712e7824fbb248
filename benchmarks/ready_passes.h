// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the benchmarks of the mesh run: passes of a 16 x 16 mesh whose operands lie ready, and
// strikes on them.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/random.h"
#include "sim/mesh/engine.h"

namespace tilestrike::sim {

inline constexpr int kSize = 16;
inline constexpr int kStreamed = 64;  // rows of a pass; in OS its depth

/// Operands that lie ready in the order in which they enter.
class ReadyOperands final : public Operands {
 public:
  ReadyOperands() {
    RandomStream random(1, 0, Purpose::kTest);
    const auto fill = [&](auto& numbers) {
      for (auto& number : numbers) {
        number = static_cast<std::int8_t>(random.next());
      }
    };
    fill(activations_);
    fill(weights_);
    fill(accumulators_);
  }
  void activations(int, int first, int count, std::int8_t* out) const override {
    std::memcpy(out, activations_ + first * kSize, static_cast<std::size_t>(count * kSize));
  }
  void weights(int, int first, int count, std::int8_t* out) const override {
    std::memcpy(out, weights_ + first * kSize, static_cast<std::size_t>(count * kSize));
  }
  void accumulators(int, int first, int count, std::int32_t* out) const override {
    std::memcpy(out, accumulators_ + first * kSize,
                static_cast<std::size_t>(count * kSize) * sizeof(std::int32_t));
  }

  void activation_lane(const MeshConfig& mesh, int, int lane, int first, int count,
                       std::int8_t* out) const override {
    for (int n = 0; n < count; ++n) {
      out[n] = activations_[(first + n) * mesh.rows + lane];
    }
  }
  void weight_column(const MeshConfig& mesh, int, int column, int first, int count,
                     std::int8_t* out) const override {
    for (int n = 0; n < count; ++n) {
      out[n] = weights_[(first + n) * mesh.columns + column];
    }
  }
  std::int32_t accumulator(const MeshConfig& mesh, int, int row, int column) const override {
    return accumulators_[row * mesh.columns + column];
  }

 private:
  std::int8_t activations_[kStreamed * kSize];
  std::int8_t weights_[kStreamed * kSize];
  std::int32_t accumulators_[kStreamed * kSize];
};

inline MeshConfig config_of(Dataflow dataflow) {
  MeshConfig config;
  config.rows = kSize;
  config.columns = kSize;
  config.dataflow = dataflow;
  return config;
}

inline PassShape shape_of(Dataflow dataflow) {
  return dataflow == Dataflow::kWeightStationary ? PassShape{kStreamed, kSize, kSize}
                                                 : PassShape{kSize, kStreamed, kSize};
}

/// Flips, uniform over all registers and over the cycles of the second of three passes.
inline std::vector<RegisterFault> uniform_strikes(const MeshRun& run, std::size_t count) {
  const Window struck = run.window(2);  // streams the middle pass
  TS_CHECK(struck.streams == 1, "window 2 streams pass 1");
  const MeshSites sites(run.config());
  RandomStream random(2, 0, Purpose::kTest);
  std::vector<RegisterFault> faults(count);
  for (RegisterFault& fault : faults) {
    fault.site = SiteId(random.below(sites.total_bits()));
    fault.when.from = 1 + struck.start + sites.delay(sites.describe(fault.site)) +
                      static_cast<Cycle>(random.below(static_cast<std::uint64_t>(struck.length)));
    fault.when.until = fault.when.from + 1;
  }
  return faults;
}

}  // namespace tilestrike::sim
