// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `systemc`: the mesh as a SystemC module that owns time. Strikes arrive as timed events
// at their cycles; a window of wavefronts is computed once the last of them has left the mesh.
#include <algorithm>
#include <exception>
#include <systemc>

#include "sim/kernel/systemc_kernel.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/mesh_replay.h"

namespace tilestrike::sim {
namespace {

// Of any size and dataflow: the kernel elaborates once, so one module serves all runs of a process,
// one after another. Simulated time only grows; a run starts where the one before has ended.
class MeshModule final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(MeshModule);
  explicit MeshModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    SC_METHOD(strike_method);
    sensitive << strike_due_;
    dont_initialize();
    SC_METHOD(window_method);
    sensitive << window_due_;
    dont_initialize();
  }

  MeshResult run(const MeshJob& job, const MeshSites& sites) {
    MeshReplay replay(job, sites);
    if (!replay.is_done()) {
      replay_ = &replay;
      run_ = job.run;
      start_ = sc_core::sc_time_stamp();
      arrivals_.assign(job.faults.begin(), job.faults.end());
      std::erase_if(arrivals_, [&](const auto& fault) { return fault.when.from > run_->cycles(); });
      std::stable_sort(arrivals_.begin(), arrivals_.end(),
                       [](const auto& x, const auto& y) { return arrival_of(x) < arrival_of(y); });
      arrived_ = 0;
      window_ = replay.first_window();
      await_strike();
      await_window();
      sc_core::sc_start();  // until nothing is due any more
      replay_ = nullptr;
      if (error_) {
        std::rethrow_exception(std::exchange(error_, nullptr));
      }
    }
    return replay.finish();
  }

 private:
  static Cycle arrival_of(const RegisterFault& fault) {
    return std::max<Cycle>(fault.when.from, 1);
  }

  sc_core::sc_time time_of(Cycle state) const {
    return start_ + sc_core::sc_time::from_value(period_.value() *
                                                 static_cast<sc_core::sc_time::value_type>(state));
  }

  void await(sc_core::sc_event& event, Cycle state) {
    event.notify(time_of(state) - sc_core::sc_time_stamp());
  }

  void await_strike() {
    if (arrived_ < arrivals_.size()) {
      await(strike_due_, arrival_of(arrivals_[arrived_]));
    }
  }

  void await_window() { await(window_due_, run_->window(window_).end() + run_->largest_delay()); }

  void strike_method() {
    const Cycle now = arrival_of(arrivals_[arrived_]);
    while (arrived_ < arrivals_.size() && arrival_of(arrivals_[arrived_]) == now) {
      replay_->arrive(arrivals_[arrived_++]);
    }
    await_strike();
  }

  void window_method() {
    try {
      replay_->process_window(window_);
    } catch (...) {  // the kernel would not survive it
      error_ = std::current_exception();
    }
    ++window_;
    if (error_ || replay_->is_done() || window_ == run_->windows()) {
      strike_due_.cancel();
    } else {
      await_window();
    }
  }

  sc_core::sc_event strike_due_{"strike_due"};
  sc_core::sc_event window_due_{"window_due"};
  const sc_core::sc_time period_{1, sc_core::SC_NS};

  MeshReplay* replay_ = nullptr;
  const MeshRun* run_ = nullptr;
  sc_core::sc_time start_;
  std::vector<RegisterFault> arrivals_;  // in time order
  std::size_t arrived_ = 0;
  int window_ = 0;
  std::exception_ptr error_;
};

// Never destroyed: the kernel that it belongs to is not either.
MeshModule* mesh_module = nullptr;

MeshModule& elaborated_module() {
  elaborate();
  return *mesh_module;
}

class SystemCEngine final : public MeshEngine {
 public:
  SystemCEngine() : module_(elaborated_module()) {}
  bool covers(const MeshJob&) const override { return true; }
  MeshResult run(const MeshJob& job) override {
    return module_.run(job, sites_.of(job.run->config()));
  }

 private:
  MeshModule& module_;
  LastSites sites_;
};

}  // namespace

void create_mesh_module() { mesh_module = new MeshModule("mesh"); }

std::unique_ptr<MeshEngine> make_systemc_engine() { return std::make_unique<SystemCEngine>(); }

}  // namespace tilestrike::sim
