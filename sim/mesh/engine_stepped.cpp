// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `stepped`: golden and faulty mesh side by side, every register at every edge.
#include "sim/mesh/engines.h"
#include "sim/mesh/stepped_mesh.h"
#include "sim/mesh/struck_run.h"

namespace tilestrike::sim {
namespace {

class SteppedEngine final : public MeshEngine {
 public:
  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override {
    const MeshConfig& config = job.run->config();
    const MeshSites& sites = sites_.of(config);
    SteppedMesh golden(config, sites);
    SteppedMesh faulty(config, sites);
    return StruckRun(job, sites, golden, faulty).run();
  }
  std::unique_ptr<MeshMachine> machine(const MeshConfig& config, const MeshSites& sites) override {
    return std::make_unique<SteppedMesh>(config, sites);
  }

 private:
  LastSites sites_;
};

}  // namespace

std::unique_ptr<MeshEngine> make_stepped_engine() { return std::make_unique<SteppedEngine>(); }

}  // namespace tilestrike::sim
