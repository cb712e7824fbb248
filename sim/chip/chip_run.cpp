// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip_run.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

bool same(const std::vector<CoreArrival>& some, const std::vector<CoreArrival>& others) {
  return std::ranges::equal(some, others, [](const CoreArrival& x, const CoreArrival& y) {
    return x.cycle == y.cycle && x.axon == y.axon && x.slot == y.slot;
  });
}

void check_spikes(const BootedChip& chip, const InputSpikes& spikes) {
  ErrorList errors;
  if (spikes.size() > static_cast<std::size_t>(chip.ticks())) {
    errors.add(ErrorCode::kInvalidInput, "spikes of " + std::to_string(spikes.size()) + " ticks",
               "chip", "an inference has " + std::to_string(chip.ticks()));
  }
  const auto inputs = static_cast<std::int32_t>(chip.inputs().size());
  for (std::size_t tick = 0; tick < spikes.size(); ++tick) {
    for (const std::int32_t input : spikes[tick]) {
      if (input < 0 || input >= inputs) {
        errors.add(ErrorCode::kInvalidInput,
                   "a spike of input " + std::to_string(input) + " in tick " + std::to_string(tick),
                   "chip", "the chip has " + std::to_string(inputs) + " inputs");
      }
    }
  }
  errors.throw_if_any();
}

}  // namespace

std::vector<std::vector<std::vector<CoreArrival>>> host_arrivals(const BootedChip& chip,
                                                                 const InputSpikes& spikes) {
  check_spikes(chip, spikes);
  const auto ticks = static_cast<std::size_t>(chip.ticks());
  std::vector<InputSpikes> axons(static_cast<std::size_t>(chip.cores()), InputSpikes(ticks));
  for (std::size_t local = 0; local < spikes.size(); ++local) {
    for (const std::int32_t input : spikes[local]) {
      for (const CorePlace& to : chip.inputs()[static_cast<std::size_t>(input)]) {
        const auto first = static_cast<std::size_t>(chip.core(to.core).contents().first_tick);
        if (first + local < ticks) {
          axons[static_cast<std::size_t>(to.core)][first + local].push_back(to.axon);
        }
      }
    }
  }
  std::vector<std::vector<std::vector<CoreArrival>>> arrivals;
  for (InputSpikes& core : axons) {
    for (std::vector<std::int32_t>& tick : core) {
      std::ranges::sort(tick);
    }
    arrivals.push_back(host_arrivals(chip.config().core, core));
  }
  return arrivals;
}

std::int32_t tick_read(const CoreRun& run, std::int32_t tick, std::int32_t slot, std::int32_t axon,
                       Cycle early) {
  const CoreConfig& config = run.config();
  const std::int32_t word = axon % config.axons / config.ring_bits();
  if (early > 0 && early < 1 + word && run.works_in(tick)) {
    return tick;  // the edge of the latch is 1 + word
  }
  std::int32_t read = tick + 1 + (slot + kRingSlots - (tick + 1) % kRingSlots) % kRingSlots;
  while (read < run.ticks() && !run.works_in(read)) {
    read += kRingSlots;  // it waits in the ring
  }
  return std::min(read, run.ticks());
}

ChipRun::ChipRun(std::shared_ptr<const BootedChip> chip, InputSpikes spikes)
    : chip_(std::move(chip)),
      spikes_(std::move(spikes)),
      runs_(static_cast<std::size_t>(chip_->cores())),
      kept_(runs_.size()) {
  compute_all();
  retime();
  std::int32_t readout = 0;
  for (const CoreReadout& core : chip_->readout()) {
    readout = std::max(readout, core.membranes);
  }
  cycles_ = cycle_of({ticks(), readout});
}

// Those on loops are computed until none is fed otherwise: an event is read in a later tick, so
// each round makes at least one more tick final.
void ChipRun::compute_all() {
  const auto from_host = host_arrivals(*chip_, spikes_);
  const auto from = [&](std::int32_t core) -> const Feeds& {
    return from_host[static_cast<std::size_t>(core)];
  };
  for (std::size_t i = 0; i < chip_->ordered(); ++i) {
    compute(chip_->order()[i], from(chip_->order()[i]));
  }
  bool has_changed = chip_->ordered() < chip_->order().size();
  while (has_changed) {
    has_changed = false;
    for (std::size_t i = chip_->ordered(); i < chip_->order().size(); ++i) {
      has_changed = compute(chip_->order()[i], from(chip_->order()[i])) || has_changed;
    }
  }
}

// With what the cores send that are computed already; false where the core was so fed before.
bool ChipRun::compute(std::int32_t core, const Feeds& from_host) {
  std::unique_ptr<CoreRun>& run = runs_[static_cast<std::size_t>(core)];
  CoreFeed feed;
  feed.ticks = ticks();
  feed.barrier = chip_->config().barrier;
  feed.readout = chip_->readout_of(core);
  feed.core_number = core;
  feed.arrivals = from_host;
  feed.arrivals.resize(static_cast<std::size_t>(ticks()) + 1);
  for (std::int32_t sender = 0; sender < cores(); ++sender) {
    const CoreRun* sent = runs_[static_cast<std::size_t>(sender)].get();
    for (std::int32_t tick = 0; sent != nullptr && chip_->sends(sender, core) && tick < ticks();
         ++tick) {
      for (const CoreOutput& output : sent->tick(tick).outputs) {
        if (output.event.core == core) {
          feed.arrivals[static_cast<std::size_t>(tick) + 1].push_back(
              {output.cycle, output.event.axon, output.event.slot});
        }
      }
    }
  }
  for (std::vector<CoreArrival>& tick : feed.arrivals) {
    std::ranges::stable_sort(tick, {}, &CoreArrival::cycle);
  }
  if (run != nullptr && std::ranges::equal(run->feed().arrivals, feed.arrivals, same)) {
    return false;
  }
  try {
    run = std::make_unique<CoreRun>(chip_->shared_core(core), std::move(feed));
  } catch (const Failure& failure) {
    ErrorList errors;
    add_named(failure, core, errors);
    errors.throw_if_any();
  }
  return true;
}

// A tick of the chip lasts as long as that of its slowest core.
void ChipRun::retime() {
  std::vector<Cycle> least(static_cast<std::size_t>(ticks()) + 1, 0);
  for (const std::unique_ptr<CoreRun>& run : runs_) {
    for (std::int32_t tick = -1; tick < ticks(); ++tick) {
      Cycle& most = least[static_cast<std::size_t>(tick) + 1];
      most = std::max(most, run->tick(tick).lasts - chip_->config().barrier);
    }
  }
  if (chip_->config().fixed_tick > 0) {
    least.resize(1);  // whoever is too slow is named
  }
  for (std::int32_t core = 0; core < cores(); ++core) {
    try {
      runs_[static_cast<std::size_t>(core)]->retime(least, chip_->config().fixed_tick);
    } catch (const Failure& failure) {
      ErrorList errors;
      add_named(failure, core, errors);
      errors.throw_if_any();
    }
  }
}

std::vector<std::int32_t> ChipRun::readout() const {
  std::vector<std::int32_t> membranes;
  for (const CoreReadout& part : chip_->readout()) {
    const std::vector<std::int32_t> read = core(part.core).readout();
    membranes.insert(membranes.end(), read.begin(), read.end());
  }
  return membranes;
}

std::vector<std::vector<ChipOutput>> ChipRun::outputs() const {
  std::vector<std::vector<ChipOutput>> all(static_cast<std::size_t>(ticks()));
  std::vector<std::int32_t> counts(static_cast<std::size_t>(chip_->outputs()));
  for (std::int32_t tick = 0; tick < ticks(); ++tick) {
    std::ranges::fill(counts, 0);
    for (std::int32_t number = 0; number < cores(); ++number) {
      for (const CoreOutput& output : core(number).tick(tick).outputs) {
        if (output.event.core == kHostCore && output.event.axon < chip_->outputs()) {
          ++counts[static_cast<std::size_t>(output.event.axon)];
        }
      }
    }
    for (std::int32_t output = 0; output < chip_->outputs(); ++output) {
      if (const std::int32_t events = counts[static_cast<std::size_t>(output)]; events > 0) {
        all[static_cast<std::size_t>(tick)].push_back({output, events});
      }
    }
  }
  return all;
}

const CoreGolden& ChipRun::golden(std::int32_t number) const {
  std::unique_ptr<CoreGolden>& golden = kept_[static_cast<std::size_t>(number)].golden;
  if (golden == nullptr) {
    golden = std::make_unique<CoreGolden>(core(number));
  }
  return *golden;
}

void ChipRun::count_events(std::int32_t number, std::vector<std::uint16_t>& events) const {
  const CoreRun& run = core(number);
  const auto axons = static_cast<std::size_t>(run.config().axons);
  events.assign(axons * static_cast<std::size_t>(ticks()), 0);
  const auto add = [&](std::int32_t tick, std::int32_t slot, std::int32_t axon, Cycle cycle) {
    const bool is_own_slot = tick >= 0 && slot == tick % kRingSlots;
    const std::int32_t read = tick_read(run, tick, slot, axon, is_own_slot ? cycle : 0);
    if (read < ticks()) {
      ++events[static_cast<std::size_t>(read) * axons + static_cast<std::size_t>(axon) % axons];
    }
  };
  for (std::int32_t tick = -1; tick < ticks(); ++tick) {
    for (const CoreArrival& arrival : run.arrivals(tick)) {
      add(tick, arrival.slot, arrival.axon, arrival.cycle);
    }
    for (const CoreOutput& output : run.tick(tick).outputs) {
      if (output.event.core == number) {
        add(tick, output.event.slot, output.event.axon, output.cycle);
      }
    }
  }
}

std::int32_t ChipRun::events(std::int32_t number, std::int32_t tick, std::int32_t axon) const {
  std::vector<std::uint16_t>& events = kept_[static_cast<std::size_t>(number)].events;
  if (events.empty()) {
    count_events(number, events);
  }
  const auto axons = static_cast<std::size_t>(chip_->config().core.axons);
  return events[static_cast<std::size_t>(tick) * axons + static_cast<std::size_t>(axon)];
}

const std::vector<std::int32_t>& ChipRun::currents(std::int32_t number, std::int32_t tick) const {
  std::vector<std::vector<std::int32_t>>& currents =
      kept_[static_cast<std::size_t>(number)].currents;
  currents.resize(static_cast<std::size_t>(ticks()));
  std::vector<std::int32_t>& sums = currents[static_cast<std::size_t>(tick)];
  if (sums.empty()) {
    sums = core(number).currents_of(core(number).tick(tick).pending);
  }
  return sums;
}

}  // namespace tilestrike::sim
