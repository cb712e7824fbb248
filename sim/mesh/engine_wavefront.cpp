// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `wavefront`: the machine in wavefront order, driven by a plain loop.
#include "sim/mesh/engines.h"
#include "sim/mesh/mesh_replay.h"

namespace tilestrike::sim {
namespace {

class WavefrontEngine final : public MeshEngine {
 public:
  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override { return replay(job, sites_.of(job.run->config())); }

 private:
  LastSites sites_;
};

}  // namespace

std::unique_ptr<MeshEngine> make_wavefront_engine() { return std::make_unique<WavefrontEngine>(); }

}  // namespace tilestrike::sim
