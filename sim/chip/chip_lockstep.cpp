// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip_lockstep.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "sim/core/core_liveness.h"
#include "sim/core/core_memory.h"
#include "sim/core/struck_core.h"

namespace tilestrike::sim {
namespace {

// Reads a core's arrays through ECC and counts what it finds.
class EccReader final : public CoreReader {
 public:
  EccReader(const MemoryCore* const& core, const std::int32_t& tick) : core_(core), tick_(tick) {}

  void read(CoreStorage array, std::size_t first, std::size_t words,
            std::uint64_t* limbs) override {
    const std::size_t bytes = 8 * core_->sites().block(array).limbs;
    std::vector<CodewordFinding> findings;
    core_->array(array).read_bytes(
        first * bytes, {reinterpret_cast<std::uint8_t*>(limbs), words * bytes}, findings);
    for (const CodewordFinding& finding : findings) {
      if (finding.status == EccStatus::kCorrected) {
        ++report_.corrected;
      } else if (report_.detected++ == 0) {
        report_.array = array;
        report_.codeword = finding.codeword;
        report_.tick = tick_;
      }
    }
  }
  const CoreEccReport& report() const { return report_; }

 private:
  const MemoryCore* const& core_;
  const std::int32_t& tick_;
  CoreEccReport report_;
};

class Lockstep {
 public:
  Lockstep(const BootedChip& chip, const InputSpikes& spikes, const std::vector<Cycle>& lengths,
           const ChipJob& job, const CoreMachineMaker& maker)
      : chip_(chip),
        lengths_(lengths),
        from_host_(host_arrivals(chip, spikes)),
        cores_(static_cast<std::size_t>(chip.cores())),
        arriving_(cores_.size()) {
    for (std::int32_t number = 0; number < chip.cores(); ++number) {
      add(number, job, maker);
    }
    run_.departures.resize(cores_.size());
    run_.readouts.resize(cores_.size());
    run_.changes.resize(cores_.size());
    run_.fields.resize(cores_.size());
    for (const CoreReadout& part : chip.readout()) {
      readout_ = std::max(readout_, part.membranes);
    }
  }

  LockstepRun run() {
    for (tick_ = -1; tick_ < chip_.ticks() && !run_.hung; ++tick_) {
      run_tick();
    }
    for (edge_ = 1; edge_ <= readout_ && !run_.hung; ++edge_) {
      step(false);
    }
    for (const Core& core : cores_) {
      run_.ecc.push_back(core.reader ? core.reader->report() : CoreEccReport{});
    }
    return std::move(run_);
  }

 private:
  struct Core {
    std::unique_ptr<CoreMachine> machine;
    std::unique_ptr<EccReader> reader;
    const MemoryCore* memory = nullptr;
    std::unique_ptr<CoreFaults> faults;
    std::int32_t readout = 0;
  };

  void add(std::int32_t number, const ChipJob& job, const CoreMachineMaker& maker) {
    Core& core = cores_[static_cast<std::size_t>(number)];
    const CoreSites& sites = chip_.core(number).sites();
    const CoreArrayEcc& ecc = sites.config().ecc;
    const std::vector<RegisterFault> faults = faults_of(chip_, job, number);
    const std::vector<CellFault> cells = cells_of(job, number);
    core.faults = std::make_unique<CoreFaults>(sites, faults, cells);
    core.readout = chip_.readout_of(number);
    if (ecc == CoreArrayEcc{} || (faults.empty() && cells.empty())) {
      core.machine = maker(sites);
    } else {
      core.reader = std::make_unique<EccReader>(core.memory, tick_);
      auto machine = std::make_unique<MemoryCore>(sites, *core.reader);
      core.memory = machine.get();
      core.machine = std::move(machine);
    }
    core.machine->set_state(chip_.core(number).state());
  }

  bool is_readout() const { return tick_ == chip_.ticks(); }
  Cycle golden_length() const {
    return lengths_.empty() ? 0 : lengths_[static_cast<std::size_t>(tick_) + 1];
  }
  // What the host writes in this tick to a core.
  const std::vector<CoreArrival>& from_host(std::size_t core) const {
    static const std::vector<CoreArrival> none;
    const auto tick = static_cast<std::size_t>(tick_ + 1);
    return tick < from_host_[core].size() ? from_host_[core][tick] : none;
  }

  void run_tick() {
    const Cycle barrier = chip_.config().barrier;
    const bool is_fixed = chip_.config().fixed_tick > 0 && tick_ >= 0;
    Cycle least = tick_ < 0 ? 2 + chip_.config().core.reset_words() : 1;
    for (std::size_t core = 0; core < cores_.size(); ++core) {
      for (const CoreArrival& arrival : from_host(core)) {
        least = std::max(least, arrival.cycle);
      }
    }
    least = std::max(is_fixed ? chip_.config().fixed_tick : least + barrier, golden_length());
    const Cycle most =
        least + 2 * chip_.core_sites().watchdog() + readout_;  // a chip that waits in vain
    Cycle rested = 0;
    bool ends = false;
    for (edge_ = 1; !ends && !run_.hung; ++edge_) {
      const bool is_busy =
          std::ranges::any_of(cores_, [](const Core& core) { return core.machine->is_busy(); });
      rested = is_busy ? 0 : rested + 1;
      ends = edge_ >= least && (is_fixed || rested > barrier);
      run_.hung = edge_ > most;
      step(ends);
    }
    run_.lengths.push_back(edge_ - 1);
  }

  // All cores, at one edge; what strikes them just after it.
  void step(bool ends) {
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      arriving_[i].clear();
      run_.errors |= is_on(cores_[i]) ? cores_[i].machine->errors() : 0;
    }
    run_.hung = run_.hung || (run_.errors & kErrorHung) != 0;
    if (run_.hung) {
      return;
    }
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      exchange(i);
    }
    for (std::size_t i = 0; i < cores_.size(); ++i) {
      if (is_on(cores_[i])) {
        cores_[i].machine->step({.is_reset = tick_ < 0 && edge_ == 1,
                                 .is_start = ends && tick_ + 1 < chip_.ticks(),
                                 .arrivals = arriving_[i]});
        strike(i);
      }
    }
  }

  // A core is switched off when the host has read it.
  bool is_on(const Core& core) const { return !is_readout() || edge_ <= core.readout; }

  // What leaves a core at this edge, and what the host reads and writes.
  void exchange(std::size_t i) {
    if (!is_on(cores_[i])) {
      return;
    }
    if (is_readout()) {
      run_.readouts[i].push_back(cores_[i].machine->membrane(static_cast<std::int32_t>(edge_) - 1));
    }
    for (const CoreArrival& arrival : from_host(i)) {
      if (!is_readout() && arrival.cycle == edge_) {
        arriving_[i].push_back(arrival);
      }
    }
    if (const std::optional<CoreEvent> event = cores_[i].machine->outgoing()) {
      run_.departures[i].push_back({tick_, edge_, *event});
      if (event->core < chip_.cores()) {
        arriving_[static_cast<std::size_t>(event->core)].push_back(
            {edge_, event->axon, event->slot});
      }
    }
  }

  void strike(std::size_t i) {
    Core& core = cores_[i];
    if (lengths_.empty() || core.faults->all().empty()) {
      return;
    }
    Cycle cycle = is_readout() ? edge_ : std::min(edge_, golden_length());
    for (std::int32_t tick = -1; tick < tick_; ++tick) {
      cycle += lengths_[static_cast<std::size_t>(tick) + 1];
    }
    const bool is_golden = is_readout() || edge_ <= golden_length();
    for (const CoreFaults::Acting& fault : core.faults->all()) {
      if (!fault.acts(cycle, is_golden)) {
        continue;
      }
      const auto field = [&] {
        return fault.check ? core.machine->check_bits(fault.site.storage, fault.check->codeword)
                           : core.machine->field(fault.site);
      };
      const std::uint64_t before = field();
      const bool is_changed =
          fault.check ? core.machine->strike_check(fault.site.storage, *fault.check, fault.kind)
                      : core.machine->strike(fault.site, fault.kind);
      if (is_changed) {
        run_.changes[i].push_back({fault.site, cycle});
        if (run_.fields[i].first == run_.fields[i].second) {
          run_.fields[i] = {before, field()};
        }
      }
    }
  }

  const BootedChip& chip_;
  const std::vector<Cycle>& lengths_;
  const std::vector<std::vector<std::vector<CoreArrival>>> from_host_;
  std::vector<Core> cores_;
  std::vector<std::vector<CoreArrival>> arriving_;  // by core
  std::int32_t readout_ = 0;
  std::int32_t tick_ = -1;
  Cycle edge_ = 1;
  LockstepRun run_;
};

// All but what is left empty where the chip has hung.
void add_answer(const ChipRun& run, LockstepRun& all, ChipResult& result) {
  for (std::size_t core = 0; core < all.ecc.size(); ++core) {
    add_report(all.ecc[core], static_cast<std::int32_t>(core), result);
  }
  for (const CoreReadout& part : run.chip().readout()) {
    const std::vector<std::int32_t>& read = all.readouts[static_cast<std::size_t>(part.core)];
    result.readout.insert(result.readout.end(), read.begin(), read.end());
  }
  complete(run, result);
}

// What leaves a core otherwise, while cores can read it.
std::vector<CoreOutputChange> changes_of(const CoreRun& run,
                                         const std::vector<CoreDeparture>& departures) {
  std::vector<CoreOutputChange> changes = changes_of(run, 0, run.ticks() - 1, departures);
  std::erase_if(changes, [&](const CoreOutputChange& change) {
    return change.tick < 0 || change.tick >= run.ticks();
  });
  return changes;
}

}  // namespace

LockstepRun run_lockstep(const BootedChip& chip, const InputSpikes& spikes,
                         const std::vector<Cycle>& lengths, const ChipJob& job,
                         const CoreMachineMaker& maker) {
  return Lockstep(chip, spikes, lengths, job, maker).run();
}

ChipResult chip_lockstep(const ChipRun& run, const ChipJob& job, const CoreMachineMaker& maker) {
  std::vector<Cycle> lengths;
  for (std::int32_t tick = -1; tick < run.ticks(); ++tick) {
    lengths.push_back(run.length(tick));
  }
  const std::vector<std::int32_t> struck = struck_cores(run.chip(), job);
  LockstepRun all = run_lockstep(run.chip(), run.spikes(), lengths, job, maker);
  ChipResult result;
  result.was_lockstep = true;
  result.hung = all.hung;
  result.errors = all.errors;
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    const auto i = static_cast<std::size_t>(core);
    const CoreRun& golden = run.core(core);
    for (const LockstepRun::Change& change : all.changes[i]) {
      result.activated =
          result.activated || is_live(golden, golden.core().sites(), change.site, change.cycle);
    }
    if (result.before == result.after) {
      std::tie(result.before, result.after) = all.fields[i];
    }
    ChipCoreResult entry{core, std::ranges::binary_search(struck, core), false,
                         changes_of(golden, all.departures[i])};
    if (!all.hung && (entry.is_struck || !entry.changes.empty())) {
      result.cores.push_back(std::move(entry));
    }
  }
  if (!all.hung) {
    add_answer(run, all, result);
  }
  return result;
}

std::vector<RegisterFault> faults_of(const BootedChip& chip, const ChipJob& job,
                                     std::int32_t core) {
  std::vector<RegisterFault> faults;
  for (RegisterFault fault : job.faults) {
    if (chip.core_of(fault.site) == core) {
      fault.site = chip.within_core(fault.site);
      faults.push_back(fault);
    }
  }
  return faults;
}

std::vector<CellFault> cells_of(const ChipJob& job, std::int32_t core) {
  std::vector<CellFault> cells;
  for (CellFault cell : job.cells) {
    if (static_cast<std::int32_t>(cell.memory / kCoreMemories) == core) {
      cell.memory %= kCoreMemories;
      cells.push_back(cell);
    }
  }
  return cells;
}

std::vector<std::int32_t> struck_cores(const BootedChip& chip, const ChipJob& job) {
  std::vector<std::int32_t> cores;
  for (const RegisterFault& fault : job.faults) {
    cores.push_back(chip.core_of(fault.site));
  }
  for (const CellFault& cell : job.cells) {
    cores.push_back(static_cast<std::int32_t>(cell.memory / kCoreMemories));
  }
  std::ranges::sort(cores);
  cores.erase(std::ranges::unique(cores).begin(), cores.end());
  if (!cores.empty() && cores.back() >= chip.cores()) {
    fail(ErrorCode::kInvalidInput, "a fault of core " + std::to_string(cores.back()), "chip",
         "the chip has " + std::to_string(chip.cores()) + " cores");
  }
  return cores;
}

}  // namespace tilestrike::sim
