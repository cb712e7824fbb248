// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The modules: a memory behind a TLM target socket, with one process for what strikes it and one
// for its scrubber, and the sequencer, an initiator at the socket of each memory. One tick is one
// picosecond, so a cycle is a nanosecond, as in the mesh's module.
//
// The sequencer is decoupled from time: it runs ahead, its steps carrying their delay, up to the
// next moment at which anything else happens in any memory, and waits for that moment to be over.
// Between two such moments nothing but its own steps changes a memory, so this is exact; every
// memory checks it at every access.
#include "sim/platform/platform.h"

#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>
#include <algorithm>
#include <cstring>
#include <exception>
#include <set>
#include <string>
#include <systemc>
#include <tlm>

#include "base/error.h"
#include "sim/kernel/systemc_kernel.h"
#include "sim/mesh/arithmetic.h"
#include "sim/platform/memory_unit.h"

namespace tilestrike::sim {
namespace {

using sc_core::sc_time;

// What an access is and what ECC found.
struct EccExtension final : tlm::tlm_extension<EccExtension> {
  AccessKind kind = AccessKind::kRead;
  std::uint32_t beats = 1;
  Tick tick = 0;  // the kernel's time and the delay, as the platform counts
  std::vector<CodewordFinding> findings;
  tlm::tlm_extension_base* clone() const override { return new EccExtension(*this); }
  void copy_from(const tlm::tlm_extension_base& other) override {
    const auto& from = static_cast<const EccExtension&>(other);
    kind = from.kind;
    beats = from.beats;
    tick = from.tick;
    findings = from.findings;
  }
};

// Where the platform's cycles lie in the kernel's time while a platform runs.
struct TimeBase {
  sc_time::value_type origin = 0;  // of tick 0
  Tick now() const { return sc_core::sc_time_stamp().value() - origin; }
  sc_time until(Tick tick) const { return sc_time::from_value(tick - now()); }
};

class MemoryModule final : public sc_core::sc_module {
 public:
  tlm_utils::simple_target_socket<MemoryModule> socket{"socket"};
  SC_HAS_PROCESS(MemoryModule);
  explicit MemoryModule(const sc_core::sc_module_name& name) : sc_core::sc_module(name) {
    socket.register_b_transport(this, &MemoryModule::b_transport);
    SC_METHOD(strike_method);
    sensitive << strike_due_;
    dont_initialize();
    SC_METHOD(scrub_method);
    sensitive << scrub_due_;
    dont_initialize();
  }

  void attach(MemoryUnit& unit, const TimeBase& base) {
    unit_ = &unit;
    base_ = base;
    scrubbed_.clear();
    error_ = nullptr;
    unit.arrive(base.now());  // what is overdue
    await_next();
  }
  void detach() {
    strike_due_.cancel();
    scrub_due_.cancel();
    unit_ = nullptr;
  }

  /// When anything but an access changes the memory next.
  Tick next_due() const { return due_; }
  /// What the scrubber has found since this was last asked.
  std::vector<std::pair<Cycle, CodewordFinding>> take_scrubbed() {
    return std::exchange(scrubbed_, {});
  }
  void rethrow() const {
    if (error_) {
      std::rethrow_exception(error_);
    }
  }

 private:
  void b_transport(tlm::tlm_generic_payload& payload, sc_time&) {
    auto* const extension = payload.get_extension<EccExtension>();
    TS_CHECK(extension->tick + (extension->beats - 1) * kTicksPerCycle < due_,
             "nothing else is due before an access");
    const std::uint64_t address = payload.get_address();
    const std::uint64_t bytes = payload.get_data_length();
    const std::uint64_t all = unit_->array().bytes();
    if (address > all || bytes > all - address) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      return;
    }
    unit_->access(extension->kind, address, {payload.get_data_ptr(), bytes}, extension->beats,
                  extension->findings);
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
  }

  void strike_method() {
    guarded([&] { unit_->arrive(base_.now()); });
  }
  void scrub_method() {
    guarded([&] { unit_->scrub(base_.now(), scrubbed_); });
  }
  template <class Work>
  void guarded(const Work& work) {
    try {
      work();
    } catch (...) {  // the kernel would not survive it
      error_ = std::current_exception();
    }
    await_next();
  }

  void await_next() {
    const Tick strike = unit_->next_arrival();
    const Tick scrub = unit_->next_scrub();
    due_ = std::min(strike, scrub);
    strike_due_.cancel();
    scrub_due_.cancel();
    if (strike != kNever) {
      strike_due_.notify(base_.until(strike));
    }
    if (scrub != kNever) {
      scrub_due_.notify(base_.until(scrub));
    }
  }

  sc_core::sc_event strike_due_{"strike_due"};
  sc_core::sc_event scrub_due_{"scrub_due"};
  MemoryUnit* unit_ = nullptr;
  TimeBase base_;
  Tick due_ = kNever;
  std::vector<std::pair<Cycle, CodewordFinding>> scrubbed_;
  std::exception_ptr error_;
};

using InitiatorSocket = tlm_utils::simple_initiator_socket<sc_core::sc_module>;

class Sequencer final : public sc_core::sc_module {
 public:
  SC_HAS_PROCESS(Sequencer);
  Sequencer(const sc_core::sc_module_name& name,
            std::vector<std::unique_ptr<MemoryModule>>& memories)
      : sc_core::sc_module(name), memories_(memories) {
    for (std::size_t i = 0; i < memories.size(); ++i) {
      sockets_.push_back(
          std::make_unique<InitiatorSocket>(("memory_" + std::to_string(i)).c_str()));
      sockets_.back()->bind(memories[i]->socket);
    }
    payload_.set_extension(&extension_);
    payload_.set_streaming_width(0);
    payload_.set_byte_enable_ptr(nullptr);
    SC_METHOD(sequence);
    sensitive << resume_;
    dont_initialize();
  }
  ~Sequencer() override { payload_.clear_extension(&extension_); }

  struct Run {
    std::vector<MemoryUnit*> units;
    PlatformProgram* program = nullptr;
    DueAction on_due = DueAction::kStop;
    Cycle origin = 0;
    Tick clock = 0;  // where the run before has ended; then where this one has
    PlatformReport report;
  };

  void run(Run& run) {
    run_ = &run;
    base_ = {};
    // Simulated time only grows, and may have grown since: the platform's clock goes on from now.
    base_.origin = sc_core::sc_time_stamp().value() - run.clock;
    run.report.reads.resize(run.units.size());
    run.report.scrubs.resize(run.units.size());
    steps_ = {};
    extension_.findings.clear();
    cut_.clear();
    last_ = run.clock;
    end_ = run.clock;
    for (std::size_t i = 0; i < run.units.size(); ++i) {
      memories_[i]->attach(*run.units[i], base_);
    }
    if (targets_.empty()) {
      for (const auto& socket : sockets_) {
        targets_.push_back((*socket).operator->());  // bound by now
      }
    }
    resume_.notify(sc_core::SC_ZERO_TIME);
    sc_core::sc_start();  // until nothing is due any more
    run.clock = end_;
    run_ = nullptr;
    if (error_) {
      std::rethrow_exception(std::exchange(error_, nullptr));
    }
  }

 private:
  void sequence() {
    try {
      now_ = base_.now();
      extension_.tick = kNever;  // the delay counts from now
      note_scrubs();
      find_horizon();
      for (;;) {
        if (run_->report.is_stopped) {
          break;
        }
        if (steps_.empty() && cut_.empty()) {
          steps_ = run_->program->next();
          if (steps_.empty()) {
            break;
          }
        }
        // The earlier one of the program's next step and of what is left of bursts.
        PlatformStep* const rest = earliest_rest();
        const bool is_rest =
            rest != nullptr && (steps_.empty() || tick_of(*rest) < tick_of(steps_.front()));
        const PlatformStep& step = is_rest ? *rest : steps_.front();
        const Tick tick = tick_of(step);
        TS_CHECK(tick >= last_, "the steps of a program come in time order");
        if (tick > horizon_) {
          resume_.notify(base_.until(tick));
          return;
        }
        last_ = tick;
        const PlatformStep now = whole_or_beat(step, tick);
        execute(now, tick);
        end_ = std::max(end_, tick + (now.beats - 1) * kTicksPerCycle);
        if (is_rest) {
          take_beats(*rest, now.beats);
        } else {
          if (now.beats < step.beats) {
            cut_.push_back(step);
            take_beats(cut_.back(), now.beats);
          }
          steps_ = steps_.subspan(1);
        }
        std::erase_if(cut_, [](const PlatformStep& one) { return one.beats == 0; });
      }
    } catch (...) {  // the kernel would not survive it
      error_ = std::current_exception();
    }
    for (std::size_t i = 0; i < run_->units.size(); ++i) {
      memories_[i]->detach();
    }
  }

  Tick tick_of(const PlatformStep& step) const {
    const Cycle cycle = run_->origin + step.cycle;
    TS_CHECK(cycle >= 0 && step.beats >= 1, "a step has a cycle");
    return sim::tick_of(cycle, step.is_write() ? Part::kWrites : Part::kReads);
  }

  PlatformStep* earliest_rest() {
    PlatformStep* earliest = nullptr;
    for (PlatformStep& rest : cut_) {
      if (earliest == nullptr || tick_of(rest) < tick_of(*earliest)) {
        earliest = &rest;
      }
    }
    return earliest;
  }

  // A burst is done at once where nothing else is due before its end, and nothing can be found:
  // then it makes no difference what else happens meanwhile. Else, its first beat.
  PlatformStep whole_or_beat(const PlatformStep& step, Tick tick) const {
    if (step.beats == 1) {
      return step;
    }
    const auto unit = static_cast<std::size_t>(step.memory);
    TS_CHECK(unit < run_->units.size() && step.bytes % step.beats == 0, "beats of equal parts");
    if (tick + (step.beats - 1) * kTicksPerCycle < horizon_ &&
        !run_->units[unit]->array().has_marked()) {
      return step;
    }
    PlatformStep beat = step;
    beat.bytes = step.bytes / step.beats;
    beat.beats = 1;
    return beat;
  }

  static void take_beats(PlatformStep& step, std::uint32_t beats) {
    if (beats == step.beats) {
      step.beats = 0;
      return;
    }
    const std::uint64_t bytes = step.bytes / step.beats * beats;
    step.cycle += beats;
    step.address += bytes;
    step.data += bytes;
    step.addend = step.addend == nullptr ? nullptr : step.addend + bytes / sizeof(std::int32_t);
    step.bytes -= bytes;
    step.beats -= beats;
  }

  void find_horizon() {
    horizon_ = kNever;
    for (std::size_t i = 0; i < run_->units.size(); ++i) {
      memories_[i]->rethrow();
      horizon_ = std::min(horizon_, memories_[i]->next_due());
    }
  }

  void execute(const PlatformStep& step, Tick tick) {
    TS_CHECK(static_cast<std::size_t>(step.memory) < run_->units.size() &&
                 step.bytes <= std::numeric_limits<std::uint32_t>::max(),
             "a step is one access to a memory of the platform");
    if (step.addend != nullptr) {
      add(step);
    }
    payload_.set_command(step.is_write() ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND);
    payload_.set_address(step.address);
    payload_.set_data_ptr(step.data);
    payload_.set_data_length(static_cast<unsigned>(step.bytes));
    payload_.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    extension_.kind = step.kind;
    extension_.beats = step.beats;
    if (extension_.tick != tick) {
      extension_.tick = tick;
      delay_ = sc_time::from_value(tick - now_);
    }
    targets_[static_cast<std::size_t>(step.memory)]->b_transport(payload_, delay_);
    TS_CHECK(payload_.is_response_ok(), "steps lie within their memory");
    PlatformReport& report = run_->report;
    report.steps += step.beats;
    report.last_cycle = std::max(report.last_cycle, run_->origin + step.cycle + step.beats - 1);
    if (!extension_.findings.empty()) [[unlikely]] {
      for (const CodewordFinding& finding : extension_.findings) {
        note(step, finding);
      }
      extension_.findings.clear();
    }
  }

  static void add(const PlatformStep& step) {
    TS_CHECK(step.is_write() && step.bytes % sizeof(std::int32_t) == 0, "sums are whole words");
    add_words(step.data, step.addend, step.bytes / sizeof(std::int32_t), step.overflow);
  }

  static void add_words(std::uint8_t* __restrict data, const std::int32_t* __restrict addend,
                        std::size_t words, Overflow overflow) {
    for (std::size_t i = 0; i < words; ++i) {
      std::int32_t word;
      std::memcpy(&word, data + i * sizeof word, sizeof word);
      word = overflow == Overflow::kWrap
                 ? static_cast<std::int32_t>(static_cast<std::uint32_t>(word) +
                                             static_cast<std::uint32_t>(addend[i]))
                 : sum_of(word, addend[i], overflow);
      std::memcpy(data + i * sizeof word, &word, sizeof word);
    }
  }

  void note(const PlatformStep& step, const CodewordFinding& finding) {
    PlatformReport& report = run_->report;
    EccCounts& counts = report.reads[static_cast<std::size_t>(step.memory)];
    if (finding.status == EccStatus::kCorrected) {
      ++counts.corrected;
      run_->program->on_corrected(step, finding);
      return;
    }
    ++counts.detected;
    if (!report.first_detected) {
      report.first_detected =
          DetectedError{step.memory, finding.codeword, run_->origin + step.cycle, false};
    }
    switch (run_->program->on_detected(step, finding, run_->on_due)) {
      case DueAction::kStop:
        report.is_stopped = true;
        break;
      case DueAction::kZero:
        if (!step.is_write()) {
          zero(step, finding.codeword);
          run_->units[static_cast<std::size_t>(step.memory)]->zero_held(finding.codeword);
        }
        break;
      case DueAction::kUse:
        break;
    }
  }

  // The bits of a codeword in what a step has read.
  void zero(const PlatformStep& step, CodewordId codeword) {
    const MemoryArray& array = run_->units[static_cast<std::size_t>(step.memory)]->array();
    const auto width = static_cast<std::uint64_t>(array.code().data_bits());
    const std::uint64_t first = std::max(codeword.value * width, step.address * 8);
    const std::uint64_t end =
        std::min((codeword.value + 1) * width, (step.address + step.bytes) * 8);
    for (std::uint64_t bit = first; bit < end; ++bit) {
      step.data[bit / 8 - step.address] &= static_cast<std::uint8_t>(~(1U << (bit % 8)));
    }
  }

  void note_scrubs() {
    PlatformReport& report = run_->report;
    for (std::size_t i = 0; i < run_->units.size(); ++i) {
      for (const auto& [cycle, finding] : memories_[i]->take_scrubbed()) {
        const bool is_detected = finding.status == EccStatus::kDetected;
        ++(is_detected ? report.scrubs[i].detected : report.scrubs[i].corrected);
        const DetectedError error{static_cast<std::int32_t>(i), finding.codeword, cycle, true};
        if (is_detected && (!report.first_detected || cycle < report.first_detected->cycle)) {
          report.first_detected = error;
        }
        report.is_stopped = report.is_stopped || (is_detected && run_->on_due == DueAction::kStop);
      }
    }
  }

  std::vector<std::unique_ptr<MemoryModule>>& memories_;
  std::vector<std::unique_ptr<InitiatorSocket>> sockets_;
  sc_core::sc_event resume_{"resume"};
  std::vector<tlm::tlm_fw_transport_if<>*> targets_;  // behind the sockets
  tlm::tlm_generic_payload payload_;
  sc_time delay_;  // of the step at hand, from now_ on
  Tick now_ = 0;   // the kernel's
  EccExtension extension_;
  Run* run_ = nullptr;
  TimeBase base_;
  std::span<const PlatformStep> steps_;  // of the program, still to be done
  std::vector<PlatformStep> cut_;        // what is left of bursts that were not done at once
  Tick last_ = 0;                        // of the step begun last
  Tick end_ = 0;                         // of the last beat that was done
  Tick horizon_ = 0;                     // when anything else happens next
  std::exception_ptr error_;
};

// Never destroyed: the kernel that they belong to is not either.
struct PlatformModules {
  std::vector<std::unique_ptr<MemoryModule>> memories;
  std::unique_ptr<Sequencer> sequencer;
};
PlatformModules* modules = nullptr;

}  // namespace

void create_platform_modules() {
  modules = new PlatformModules;
  for (int i = 0; i < kMostPlatformMemories; ++i) {
    modules->memories.push_back(
        std::make_unique<MemoryModule>(("platform_memory_" + std::to_string(i)).c_str()));
  }
  modules->sequencer = std::make_unique<Sequencer>("sequencer", modules->memories);
}

struct Platform::State {
  std::vector<std::unique_ptr<MemoryUnit>> units;
  Tick clock = 0;
};

Platform::Platform(std::span<const MemoryConfig> memories) : state_(std::make_unique<State>()) {
  if (memories.size() > static_cast<std::size_t>(kMostPlatformMemories)) {
    fail(ErrorCode::kUnsupported,
         "an accelerator with " + std::to_string(memories.size()) + " memories", "memory",
         "at most " + std::to_string(kMostPlatformMemories) + " can be simulated together");
  }
  elaborate();
  for (const MemoryConfig& config : memories) {
    state_->units.push_back(std::make_unique<MemoryUnit>(config));
  }
}

Platform::~Platform() = default;
Platform::Platform(Platform&&) noexcept = default;
Platform& Platform::operator=(Platform&&) noexcept = default;

std::size_t Platform::memories() const { return state_->units.size(); }

MemoryArray& Platform::array(int memory) {
  return state_->units.at(static_cast<std::size_t>(memory))->array();
}

void Platform::set_scrub_phase(int memory, std::optional<Cycle> phase) {
  state_->units.at(static_cast<std::size_t>(memory))->set_scrub_phase(phase);
}

void Platform::arm(std::span<const PlatformStrike> strikes) {
  for (const PlatformStrike& strike : strikes) {
    state_->units.at(static_cast<std::size_t>(strike.memory))->arm(strike);
  }
}

PlatformReport Platform::idle_until(Cycle cycle) {
  class Idle final : public PlatformProgram {
   public:
    explicit Idle(Cycle cycle) { step_.cycle = cycle + 1; }
    std::span<const PlatformStep> next() override { return {&step_, is_done_++ == 0 ? 1U : 0U}; }

   private:
    PlatformStep step_;  // reads nothing
    int is_done_ = 0;
  };
  Idle idle(cycle);
  return run(idle, DueAction::kUse);
}

Cycle Platform::next_cycle() const { return cycle_of(state_->clock + kTicksPerCycle - 1); }

PlatformReport Platform::run(PlatformProgram& program, DueAction on_due, Cycle origin) {
  Sequencer::Run run;
  for (const auto& unit : state_->units) {
    run.units.push_back(unit.get());
  }
  run.program = &program;
  run.on_due = on_due;
  run.origin = origin;
  run.clock = state_->clock;
  modules->sequencer->run(run);
  state_->clock = run.clock;
  return std::move(run.report);
}

void Platform::clear() {
  for (const auto& unit : state_->units) {
    unit->clear();
  }
  state_->clock = 0;
}

}  // namespace tilestrike::sim
