// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `systemc`: the core as a SystemC module that owns time. Strikes arrive as timed events
// behind the edges of their cycles; between them the core goes in bursts: sums of whole axons,
// updates of groups, waiting.
#include <exception>
#include <optional>
#include <systemc>
#include <utility>

#include "sim/core/burst_core.h"
#include "sim/core/struck_core.h"
#include "sim/kernel/systemc_kernel.h"

namespace tilestrike::sim {
namespace {

// Of any size: the kernel elaborates once, so one module serves all runs of a process, one after
// another. Simulated time only grows; a run starts where the one before has ended.
class CoreModule final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(CoreModule);
  explicit CoreModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    SC_METHOD(burst_method);
    sensitive << burst_due_;
    dont_initialize();
    SC_METHOD(strike_method);
    sensitive << strike_due_;
    dont_initialize();
  }

  CoreResult run(const CoreJob& job, BurstCore& core) {
    StruckCore struck(job, core,
                      job.wants_whole ? StruckCore::Extent::kWhole : StruckCore::Extent::kShort);
    if (!struck.is_done()) {
      struck_ = &struck;
      has_begun_ = false;
      burst_due_.notify(period_);
      sc_core::sc_start();  // until nothing is due any more
      struck_ = nullptr;
      if (error_) {
        std::rethrow_exception(std::exchange(error_, nullptr));
      }
    }
    return struck.finish();
  }

 private:
  // At the first edge of a burst. The strike behind its last edge comes half a cycle after it, the
  // next burst a whole one.
  void burst_method() {
    try {
      if (has_begun_) {
        struck_->settle();
      }
      has_begun_ = true;
      if (struck_->is_done()) {
        return;
      }
      const Cycle edges = struck_->advance();
      if (struck_->is_strike_due()) {
        strike_due_.notify(cycles(edges) - half_);
      }
      burst_due_.notify(cycles(std::max<Cycle>(edges, 1)));
    } catch (...) {  // the kernel would not survive it
      error_ = std::current_exception();
    }
  }

  void strike_method() { struck_->strike(); }

  sc_core::sc_time cycles(Cycle count) const {
    return sc_core::sc_time::from_value(period_.value() *
                                        static_cast<sc_core::sc_time::value_type>(count));
  }

  sc_core::sc_event burst_due_{"burst_due"};
  sc_core::sc_event strike_due_{"strike_due"};
  const sc_core::sc_time period_{1, sc_core::SC_NS};
  const sc_core::sc_time half_ = period_ / 2;

  StruckCore* struck_ = nullptr;
  bool has_begun_ = false;
  std::exception_ptr error_;
};

// Never destroyed: the kernel that it belongs to is not either.
CoreModule* core_module = nullptr;

CoreModule& elaborated_module() {
  elaborate();
  return *core_module;
}

class SystemCCoreEngine final : public CoreEngine {
 public:
  SystemCCoreEngine() : module_(elaborated_module()) {}
  bool covers(const CoreJob&) override { return true; }
  CoreResult run(const CoreJob& job) override {
    const CoreConfig& config = job.golden->run().config();
    if (!sites_ || !(sites_->config() == config)) {
      core_.reset();
      sites_.emplace(config);
      core_.emplace(*sites_);
    }
    return module_.run(job, *core_);
  }
  std::unique_ptr<CoreMachine> machine(const CoreSites& sites) override {
    return std::make_unique<BurstCore>(sites);
  }

 private:
  CoreModule& module_;
  std::optional<CoreSites> sites_;  // of the core that was asked for last
  std::optional<BurstCore> core_;
};

}  // namespace

void create_core_module() { core_module = new CoreModule("core"); }

std::unique_ptr<CoreEngine> make_systemc_core_engine() {
  return std::make_unique<SystemCCoreEngine>();
}

}  // namespace tilestrike::sim
