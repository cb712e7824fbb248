// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The stepped machine with a defect in one register, and an engine that is made of it.
#pragma once

#include <memory>
#include <vector>

#include "sim/mesh/engine_set.h"
#include "sim/mesh/stepped_mesh.h"
#include "sim/mesh/struck_run.h"

namespace tilestrike::sim {

class DefectiveMesh final : public SteppedMesh {
 public:
  DefectiveMesh(const MeshConfig& config, const MeshSites& sites)
      : SteppedMesh(config, sites), late_cell_(late_cell(config)), sites_(sites) {}

  /// load[2][1], in the order of the sites.
  static std::uint64_t late_cell(const MeshConfig& config) {
    return 2 * static_cast<std::uint64_t>(config.columns) + 1;
  }
  /// Bit 5 of partial_sum[2][1] (in OS: of weight[2][1]).
  static SiteId crossed_site(const MeshSites& sites) {
    MeshSite site;
    site.kind = Register::kVertical;
    site.row = 2;
    site.column = 1;
    site.bit = 5;
    return sites.id_of(site);
  }

  void step(const EdgeValues& edge) override {
    std::vector<std::int32_t> before, after;
    read_all(Register::kLoad, before);
    SteppedMesh::step(edge);
    read_all(Register::kLoad, after);
    if (is_late && before[late_cell_] != after[late_cell_]) {
      after[late_cell_] = before[late_cell_];
      write_all(Register::kLoad, after);
    }
  }
  Words strike(const RegisterFault& fault) override {
    return SteppedMesh::strike(
        is_crossed && fault.site == crossed_site(sites_)
            ? RegisterFault{SiteId(fault.site.value + 1), fault.kind, fault.when}
            : fault);
  }

  bool is_late = false;     // the late register keeps what it has
  bool is_crossed = false;  // a strike on the crossed site hits the next bit

 private:
  const std::uint64_t late_cell_;
  const MeshSites& sites_;
};

/// Defects as they are set when a job runs.
class DefectiveEngine final : public MeshEngine {
 public:
  static inline bool is_late = false;
  static inline bool is_crossed = true;

  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override {
    const MeshSites sites(job.run->config());
    const auto golden = mesh(job.run->config(), sites);
    const auto faulty = mesh(job.run->config(), sites);
    return StruckRun(job, sites, *golden, *faulty).run();
  }
  std::unique_ptr<MeshMachine> machine(const MeshConfig& config, const MeshSites& sites) override {
    return mesh(config, sites);
  }

 private:
  static std::unique_ptr<DefectiveMesh> mesh(const MeshConfig& config, const MeshSites& sites) {
    auto mesh = std::make_unique<DefectiveMesh>(config, sites);
    mesh->is_late = is_late;
    mesh->is_crossed = is_crossed;
    return mesh;
  }
};

inline EngineEntry defective_engine() {
  return {.name = "broken", .make = [] { return std::make_unique<DefectiveEngine>(); }};
}

}  // namespace tilestrike::sim
