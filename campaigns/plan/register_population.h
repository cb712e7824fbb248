// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Registers of the mesh, uniformly over sites and cycles.
#pragma once

#include <string>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/population.h"
#include "sim/mesh/mesh_sites.h"

namespace tilestrike::campaigns {

class RegisterPopulation final : public Population {
 public:
  /// Throws Failure: no such layer is on the mesh.
  RegisterPopulation(const StrikeConfig& strike, const bridge::StudyFacts& study);

  std::uint64_t members() const override { return sites_.size(); }
  std::string text() const override { return std::to_string(sites_.size()) + " sites"; }
  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;
  DrawnTrial member(std::uint64_t index, FaultKind kind, CycleWindow when) const override;
  std::vector<std::string> parts() const override;

 private:
  const sim::MeshSites* all_;
  std::vector<SiteId> sites_;
};

}  // namespace tilestrike::campaigns
