// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_engine.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "sim/core/stepped_core.h"
#include "sim/core/struck_core.h"

namespace tilestrike::sim {
namespace {

class SteppedCoreEngine final : public CoreEngine {
 public:
  bool covers(const CoreJob& job) override { return !meets_ecc(job); }
  CoreResult run(const CoreJob& job) override {
    SteppedCore core(job.golden->sites());
    StruckCore struck(job, core, StruckCore::Extent::kWhole);
    struck.run();
    return struck.finish();
  }
  std::unique_ptr<CoreMachine> machine(const CoreSites& sites) override {
    return std::make_unique<SteppedCore>(sites);
  }
};

}  // namespace

std::unique_ptr<CoreEngine> make_stepped_core_engine() {
  return std::make_unique<SteppedCoreEngine>();
}

bool meets_ecc(const CoreJob& job) {
  const CoreArrayEcc& ecc = job.golden->run().config().ecc;
  return !job.cells.empty() || std::ranges::any_of(job.faults, [&](const RegisterFault& fault) {
    const CoreStorage storage = job.golden->sites().describe(fault.site).storage;
    return (storage == CoreStorage::kSynapses && ecc.synapses != EccKind::kNone) ||
           (storage == CoreStorage::kParameters && ecc.parameters != EccKind::kNone);
  });
}

std::vector<CoreEngineEntry> builtin_core_engines() {
  return {{.name = "systemc", .make = &make_systemc_core_engine},
          {.name = "closed_form", .make = &make_closed_form_core_engine},
          {.name = "stepped", .make = &make_stepped_core_engine}};
}

std::unique_ptr<CoreEngine> make_core_engine(const std::string& name,
                                             const std::vector<CoreEngineEntry>& engines) {
  std::vector<std::string> names;
  for (const CoreEngineEntry& entry : engines) {
    if (entry.name == name) {
      return entry.make();
    }
    names.push_back(entry.name);
  }
  fail(ErrorCode::kInvalidInput, "no engine for cores is called '" + name + "'", "engine",
       suggestion(name, names));
}

}  // namespace tilestrike::sim
