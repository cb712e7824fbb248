// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The stepped core with a defect in what strikes it, and an engine that is made of it.
#pragma once

#include <memory>

#include "sim/core/core_engine.h"
#include "sim/core/stepped_core.h"
#include "sim/core/struck_core.h"

namespace tilestrike::sim {

/// A strike on bit 5 of a synapse hits bit 6.
class DefectiveCore final : public SteppedCore {
 public:
  using SteppedCore::SteppedCore;
  static bool is_crossed(const CoreSite& site) {
    return site.storage == CoreStorage::kSynapses && site.bit % 8 == 5;
  }
  bool strike(const CoreSite& site, FaultKind kind) override {
    CoreSite struck = site;
    struck.bit += is_crossed(site) ? 1 : 0;
    return SteppedCore::strike(struck, kind);
  }
};

class DefectiveCoreEngine final : public CoreEngine {
 public:
  bool covers(const CoreJob& job) override { return !meets_ecc(job); }
  CoreResult run(const CoreJob& job) override {
    DefectiveCore core(job.golden->sites());
    StruckCore struck(job, core, StruckCore::Extent::kWhole);
    struck.run();
    return struck.finish();
  }
  std::unique_ptr<CoreMachine> machine(const CoreSites& sites) override {
    return std::make_unique<DefectiveCore>(sites);
  }
};

}  // namespace tilestrike::sim
