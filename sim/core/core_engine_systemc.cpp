// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `systemc`: the core as a SystemC module that owns time, its synapses and parameters in
// memory modules behind TLM sockets. Strikes arrive as timed events behind the edges of their
// cycles; between them the core goes in bursts: whole axons, whose rows of weights are one burst
// of reads each, updates of groups, waiting.
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <algorithm>
#include <exception>
#include <memory>
#include <optional>
#include <systemc>
#include <tlm>
#include <utility>

#include "base/error.h"
#include "sim/core/core_memory.h"
#include "sim/core/struck_core.h"
#include "sim/kernel/systemc_kernel.h"

namespace tilestrike::sim {
namespace {

using sc_core::sc_time;

constexpr sc_time::value_type kPeriod = 1000;  // of a cycle: a nanosecond of picoseconds

sc_time cycles(Cycle count) {
  return sc_time::from_value(kPeriod * static_cast<sc_time::value_type>(count));
}

// What ECC has found in a read.
struct FindingsExtension final : tlm::tlm_extension<FindingsExtension> {
  std::vector<CodewordFinding> findings;
  tlm::tlm_extension_base* clone() const override { return new FindingsExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    findings = static_cast<const FindingsExtension&>(other).findings;
  }
};

// An array of the core. A word is read in every second cycle: in the other one the core writes.
class CoreMemoryModule final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<CoreMemoryModule> socket{"socket"};
  explicit CoreMemoryModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &CoreMemoryModule::b_transport);
  }
  void attach(const MemoryArray* array, std::uint64_t word_bytes) {
    array_ = array;
    word_bytes_ = word_bytes;
  }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_time& delay) {
    const std::uint64_t address = payload.get_address();
    const std::uint64_t bytes = payload.get_data_length();
    if (address > array_->bytes() || bytes > array_->bytes() - address) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    array_->read_bytes(address, {payload.get_data_ptr(), bytes},
                       payload.get_extension<FindingsExtension>()->findings);
    delay += cycles(static_cast<Cycle>(2 * bytes / word_bytes_));
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  const MemoryArray* array_ = nullptr;
  std::uint64_t word_bytes_ = 0;
};

// Of any size: the kernel elaborates once, so one module serves all runs of a process, one after
// another. Simulated time only grows; a run starts where the one before has ended.
class CoreModule final : public sc_core::sc_module, public CoreReader {
 public:
  tlm_utils::simple_initiator_socket<CoreModule> synapses{"synapses"};
  tlm_utils::simple_initiator_socket<CoreModule> parameters{"parameters"};

  SC_HAS_PROCESS(CoreModule);
  CoreModule(const sc_core::sc_module_name& name, CoreMemoryModule& synapse_memory,
             CoreMemoryModule& parameter_memory)
      : sc_core::sc_module(name), memories_{&synapse_memory, &parameter_memory} {
    synapses.bind(synapse_memory.socket);
    parameters.bind(parameter_memory.socket);
    payload_.set_extension(&extension_);
    payload_.set_command(tlm::TLM_READ_COMMAND);
    payload_.set_byte_enable_ptr(nullptr);
    SC_METHOD(burst_method);
    sensitive << burst_due_;
    dont_initialize();
    SC_METHOD(strike_method);
    sensitive << strike_due_;
    dont_initialize();
  }
  ~CoreModule() override { payload_.clear_extension(&extension_); }

  CoreResult run(const CoreJob& job, MemoryCore& core) {
    for (int number = 0; number < kCoreMemories; ++number) {
      const CoreBlock& block = core.sites().block(static_cast<CoreStorage>(number));
      memories_[number]->attach(&core.array(block.storage), 8 * block.limbs);
      word_bytes_[number] = 8 * block.limbs;
    }
    report_ = {};
    StruckCore struck(job, core,
                      job.wants_whole ? StruckCore::Extent::kWhole : StruckCore::Extent::kShort);
    if (!struck.is_done()) {
      struck_ = &struck;
      has_begun_ = false;
      burst_due_.notify(cycles(1));
      sc_core::sc_start();  // until nothing is due any more
      struck_ = nullptr;
      if (error_) {
        std::rethrow_exception(std::exchange(error_, nullptr));
      }
    }
    CoreResult result = struck.finish();
    result.ecc = report_;
    return result;
  }

  void read(CoreStorage array, std::size_t first, std::size_t words,
            std::uint64_t* limbs) override {
    const auto number = static_cast<std::size_t>(array);
    payload_.set_address(first * word_bytes_[number]);
    payload_.set_data_ptr(reinterpret_cast<unsigned char*>(limbs));
    payload_.set_data_length(static_cast<unsigned>(words * word_bytes_[number]));
    payload_.set_streaming_width(payload_.get_data_length());
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    (number == 0 ? synapses : parameters)->b_transport(payload_, delay_);
    TS_CHECK(payload_.is_response_ok(), "the core reads within its arrays");
    for (const CodewordFinding& finding : extension_.findings) {
      note(array, finding);
    }
    extension_.findings.clear();
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
      delay_ = sc_core::SC_ZERO_TIME;
      const Cycle edges = struck_->advance();
      TS_CHECK(delay_ <= cycles(edges + 1), "a burst lasts as long as what it reads");
      if (struck_->is_strike_due()) {
        strike_due_.notify(cycles(edges) - sc_time::from_value(kPeriod / 2));
      }
      burst_due_.notify(cycles(std::max<Cycle>(edges, 1)));
    } catch (...) {  // the kernel would not survive it
      error_ = std::current_exception();
    }
  }

  void strike_method() { struck_->strike(); }

  void note(CoreStorage array, const CodewordFinding& finding) {
    if (finding.status == EccStatus::kCorrected) {
      ++report_.corrected;
      return;
    }
    if (report_.detected++ == 0) {
      report_.array = array;
      report_.codeword = finding.codeword;
      report_.tick = struck_->tick();
    }
  }

  sc_core::sc_event burst_due_{"burst_due"};
  sc_core::sc_event strike_due_{"strike_due"};
  std::array<CoreMemoryModule*, kCoreMemories> memories_;
  std::array<std::uint64_t, kCoreMemories> word_bytes_{};
  tlm::tlm_generic_payload payload_;
  FindingsExtension extension_;
  sc_time delay_;  // of the reads of a burst, from its first edge on

  StruckCore* struck_ = nullptr;
  CoreEccReport report_;
  bool has_begun_ = false;
  std::exception_ptr error_;
};

// Never destroyed: the kernel that they belong to is not either.
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
      core_.emplace(*sites_, module_);
    }
    return module_.run(job, *core_);
  }
  std::unique_ptr<CoreMachine> machine(const CoreSites& sites) override {
    return std::make_unique<BurstCore>(sites);
  }

 private:
  CoreModule& module_;
  std::optional<CoreSites> sites_;  // of the core that was asked for last
  std::optional<MemoryCore> core_;
};

}  // namespace

void create_core_module() {
  auto* const synapses = new CoreMemoryModule("core_synapses");
  auto* const parameters = new CoreMemoryModule("core_parameters");
  core_module = new CoreModule("core", *synapses, *parameters);
}

std::unique_ptr<CoreEngine> make_systemc_core_engine() {
  return std::make_unique<SystemCCoreEngine>();
}

}  // namespace tilestrike::sim
