// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `rtl`: golden and faulty mesh in Verilated RTL, side by side, every register at every
// clock edge. It begins with the first struck wavefront where what c0 and c1 hold before it is a
// matter of looking up weights, else with the windows that it depends on, and ends when all
// registers agree again.
#include <algorithm>
#include <memory>
#include <optional>
#include <vector>

#include "rtl/engines.h"
#include "rtl/mesh_model.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/golden_words.h"
#include "sim/mesh/mesh_replay.h"
#include "sim/mesh/struck_run.h"

namespace tilestrike::rtl {
namespace {

class RtlEngine final : public sim::MeshEngine {
 public:
  bool covers(const sim::MeshJob& job) const override {
    return MeshModel::is_built(job.run->config());
  }

  sim::MeshResult run(const sim::MeshJob& job) override {
    build(job.run->config());
    sim::StruckRun<MeshModel> run(job, *sites_, *golden_, *faulty_);
    const bool starts_apart = job.faulty_start != nullptr && job.faulty_start != job.golden_start;
    if (job.wants_outputs) {
      return run.run();
    }
    // The wavefronts on which faults act, and the cycles.
    std::int64_t first_struck = job.run->cycles();
    Cycle last_fault = 0;
    for (const RegisterFault& fault : job.faults) {
      const sim::WavefrontFault seen = sim::on_wavefronts(*job.run, *sites_, fault);
      if (seen.from < seen.until) {
        first_struck = std::min(first_struck, seen.from);
        last_fault = std::max<Cycle>(last_fault, seen.until + seen.delay);
      }
    }
    run.end_early(last_fault);
    if (starts_apart) {
      return run.run();
    }
    if (job.run->config().is_weight_stationary() && first_struck >= 0 &&
        first_struck < job.run->cycles()) {
      const sim::MeshState start = state_before(job, first_struck);
      return run.run(first_struck, &start);
    }
    const int window =
        sim::plan_golden(*job.run, first_struck, {.active = true, .shadow = true}).first_window;
    return run.run(job.run->window(window).start);
  }

  std::unique_ptr<sim::MeshMachine> machine(const sim::MeshConfig& config,
                                            const sim::MeshSites& sites) override {
    return std::make_unique<MeshModel>(config, sites);
  }

 private:
  // c0 and c1 of the fault-free mesh, whose weights no sum has touched: they never saturate.
  sim::MeshState state_before(const sim::MeshJob& job, std::int64_t wavefront) const {
    const sim::GoldenWords words(*job.run, *job.operands, job.golden_start);
    const sim::WavefrontPlace place = sim::place_of(*job.run, wavefront);
    sim::MeshState state;
    sim::MeshSite site;
    for (const sim::Register kind : {sim::Register::kStationary0, sim::Register::kStationary1}) {
      site.kind = kind;
      std::vector<std::int32_t>& held =
          state.stationary[kind == sim::Register::kStationary0 ? 0 : 1];
      for (site.row = 0; site.row < config_.rows; ++site.row) {
        for (site.column = 0; site.column < config_.columns; ++site.column) {
          held.push_back(words.word(site, place));
        }
      }
    }
    return state;
  }

  // Models are made once per mesh and reset for each job.
  void build(const sim::MeshConfig& config) {
    if (!sites_ || !(config == config_)) {
      faulty_.reset();
      golden_.reset();
      sites_.emplace(config);
      golden_.emplace(config, *sites_);
      faulty_.emplace(config, *sites_);
      config_ = config;
      return;
    }
    golden_->reset();
    faulty_->reset();
  }

  sim::MeshConfig config_;
  std::optional<sim::MeshSites> sites_;
  std::optional<MeshModel> golden_, faulty_;
};

}  // namespace

void add_engines(sim::EngineSet& engines) {
  engines.add({.name = "rtl",
               .make = [] { return std::make_unique<RtlEngine>(); },
               .cause_of_no_cover = "this mesh is not built (docs/rtl.md)"});
}

}  // namespace tilestrike::rtl
