// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `rtl` for cores: the struck core in Verilated RTL, all storage at every clock edge,
// from the golden tick of the first fault on, until all that is live is golden.
#include <optional>

#include "rtl/core_model.h"
#include "rtl/engines.h"
#include "sim/core/struck_core.h"

namespace tilestrike::rtl {
namespace {

class RtlCoreEngine final : public sim::CoreEngine {
 public:
  bool covers(const sim::CoreJob& job) override {
    return CoreModel::is_built(job.golden->run().config()) && !sim::meets_ecc(job);
  }

  sim::CoreResult run(const sim::CoreJob& job) override {
    const sim::CoreConfig& config = job.golden->run().config();
    if (!sites_ || !(sites_->config() == config)) {
      core_.reset();
      sites_.emplace(config);
      core_.emplace(*sites_);
    }
    sim::StruckCore struck(
        job, *core_,
        job.wants_whole ? sim::StruckCore::Extent::kWhole : sim::StruckCore::Extent::kShort);
    struck.run();
    return struck.finish();
  }

  std::unique_ptr<sim::CoreMachine> machine(const sim::CoreSites& sites) override {
    return std::make_unique<CoreModel>(sites);
  }

 private:
  std::optional<sim::CoreSites> sites_;  // of the core that was asked for last
  std::optional<CoreModel> core_;
};

}  // namespace

void add_core_engines(std::vector<sim::CoreEngineEntry>& engines) {
  engines.push_back({.name = "rtl", .make = []() -> std::unique_ptr<sim::CoreEngine> {
                       return std::make_unique<RtlCoreEngine>();
                     }});
}

}  // namespace tilestrike::rtl
