// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/core_trials.h"

#include <ATen/ops/empty_like.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "bridge/accelerator/core_arrays.h"
#include "bridge/schedule/mapping.h"
#include "sim/core/core_liveness.h"
#include "sim/core/core_memory.h"

namespace tilestrike::bridge {
namespace {

std::unique_ptr<sim::CoreEngine> core_engine(const sim::EngineSet& engines,
                                             const std::string& name) {
  const sim::EngineEntry& entry = engines.at(name);
  if (!entry.make_core) {
    fail(ErrorCode::kUnsupported, "engine: '" + name + "' computes no neuromorphic cores",
         "scenario", "write one of " + join(engines.names_of_cores(), ", "));
  }
  return entry.make_core();
}

/// An edge of the chip: a strike at cycle c of campaigns acts just after edge c + 1.
CycleWindow at_edges(CycleWindow when) {
  return {when.from + 1, when.is_permanent() ? when.until : when.until + 1};
}

/// By tick, the elements of (ticks, 1, ...) spikes that are set.
std::vector<std::vector<std::int32_t>> set_elements(const at::Tensor& spikes) {
  const at::Tensor rows = spikes.contiguous();
  const std::int64_t ticks = rows.size(0);
  const std::int64_t width = ticks == 0 ? 0 : rows.numel() / ticks;
  const std::int8_t* at = rows.const_data_ptr<std::int8_t>();
  std::vector<std::vector<std::int32_t>> all(static_cast<std::size_t>(ticks));
  for (auto& tick : all) {
    for (std::int64_t i = 0; i < width; ++i, ++at) {
      if (*at != 0) {
        tick.push_back(static_cast<std::int32_t>(i));
      }
    }
  }
  return all;
}

}  // namespace

CoreTrials::CoreTrials(const dnn::Network& network, const dnn::IntegerModel& model,
                       const AcceleratorConfig& accelerator, const sim::EngineSet& engines,
                       const std::string& engine, const Judge& judge)
    : network_(network),
      model_(model),
      places_(dnn::places_of(network)),
      layout_(core_layout(model, chip_config(accelerator))),
      chip_(std::make_shared<sim::BootedChip>(chip_config(accelerator), layout_.contents)),
      arrays_(core_arrays(accelerator, layout_.cores.size())),
      reload_(accelerator.chip.reload),
      struck_(core_engine(engines, engine)),
      judge_(judge) {}

std::unique_ptr<const sim::ChipRun> CoreTrials::run_of(const dnn::Tape& golden) const {
  const std::size_t beside = layout_.first_layer;  // layers in front of it are beside the cores
  const dnn::ValueId fed = beside == 0 ? places_.encoded : places_.spikes[beside - 1];
  auto run = std::make_unique<const sim::ChipRun>(chip_, set_elements(golden.tensor(fed)));
  const std::vector<float> expected = floats(golden.tensor(network_.output));
  sim::ChipResult clean;
  clean.readout = run->readout();
  if (answer_of(*run, golden, clean) != expected) {
    fail(ErrorCode::kMachine, "the chip of cores gives another answer than the network's tensors",
         model_.name, "this is an error of the program; please report it with the model");
  }
  return run;
}

std::vector<float> CoreTrials::last_layers(dnn::Values values) const {
  for (std::size_t layer = places_.layers.back() + 1; layer < network_.layers.size(); ++layer) {
    network_.layers[layer].kernel->run(network_.layers[layer], values);
  }
  return floats(values[static_cast<std::size_t>(network_.output.value)].toTensor());
}

std::vector<float> CoreTrials::answer_of(const sim::ChipRun& run, const dnn::Tape& golden,
                                         const sim::ChipResult& found) const {
  dnn::Values values = golden.values;
  const auto replace = [&](dnn::ValueId id) {
    at::Tensor copy = golden.tensor(id).contiguous().clone();
    values[static_cast<std::size_t>(id.value)] = copy;
    return copy;
  };
  if (model_.settings.readout == dnn::Readout::kMembrane) {
    const at::Tensor membranes = replace(places_.membranes.back());
    const std::int64_t outputs = membranes.numel() / membranes.size(0);
    std::int32_t* last = membranes.mutable_data_ptr<std::int32_t>() + membranes.numel() - outputs;
    TS_CHECK(static_cast<std::size_t>(outputs) == found.readout.size(), "a membrane per output");
    for (std::size_t i = 0; i < found.readout.size(); ++i) {
      last[layout_.outputs[i]] = found.readout[i];
    }
    return last_layers(std::move(values));
  }
  const at::Tensor spikes = replace(places_.spikes.back());
  const std::int64_t outputs = spikes.numel() / spikes.size(0);
  std::int8_t* const first = spikes.mutable_data_ptr<std::int8_t>();
  std::fill_n(first, spikes.numel(), std::int8_t{0});
  const std::int32_t before = run.ticks() - static_cast<std::int32_t>(places_.ticks);
  const auto set = [&](std::int32_t tick, std::int32_t output, std::int32_t events) {
    if (tick >= before) {  // earlier ones the host takes for no answer
      first[(tick - before) * outputs + layout_.outputs[static_cast<std::size_t>(output)]] =
          events > 0 ? 1 : 0;
    }
  };
  const auto golden_outputs = run.outputs();
  for (std::size_t tick = 0; tick < golden_outputs.size(); ++tick) {
    for (const auto& output : golden_outputs[tick]) {
      set(static_cast<std::int32_t>(tick), output.output, output.events);
    }
  }
  for (const sim::ChipOutputChange& change : found.outputs) {
    set(change.tick, change.output, change.faulty);
  }
  return last_layers(std::move(values));
}

Strike CoreTrials::with_ecc_as_cells(const Strike& strike) const {
  const sim::CoreSites& sites = chip_->core_sites();
  Strike changed;
  changed.cells = strike.cells;
  for (const RegisterFault& fault : strike.registers) {
    const sim::CoreSite site = sites.describe(chip_->within_core(fault.site));
    if (sim::ecc_of(chip_->config().core, site.storage) == sim::EccKind::kNone) {
      changed.registers.push_back(fault);
      continue;
    }
    const sim::CoreBlock& array = sites.block(site.storage);
    const auto core = static_cast<std::size_t>(chip_->core_of(fault.site));
    changed.cells.push_back({static_cast<std::size_t>(site.storage),
                             codeword_bit(array, cell_of(array, core, site)), fault.kind,
                             fault.when});
  }
  std::ranges::stable_sort(
      changed.cells, {}, [](const CellFault& fault) { return std::pair(fault.memory, fault.bit); });
  return changed;
}

CoreTrials::ChipFaults CoreTrials::chip_faults(const Strike& strike) const {
  ChipFaults faults;
  for (RegisterFault fault : strike.registers) {
    fault.when = at_edges(fault.when);
    faults.registers.push_back(fault);
  }
  const sim::CoreSites& sites = chip_->core_sites();
  for (const CellFault& cell : strike.cells) {
    const sim::CoreBlock& array = sites.blocks()[cell.memory];
    const CoreCell at = core_cell(array, cell.bit);
    const bool has_ecc = sim::ecc_of(chip_->config().core, array.storage) != sim::EccKind::kNone;
    if (has_ecc) {
      faults.cells.push_back({static_cast<std::size_t>(sim::kCoreMemories) * at.core + cell.memory,
                              {at.codeword, at.bit},
                              cell.kind,
                              at_edges(cell.when)});
    } else {
      faults.registers.push_back(
          {chip_->id_of(static_cast<std::int32_t>(at.core), site_of(array, at)), cell.kind,
           at_edges(cell.when)});
    }
  }
  return faults;
}

/// Whether a fault leaves a bit that nothing writes again with another value than `golden`.
bool CoreTrials::leaves_changed(FaultKind kind, bool golden) {
  return kind == FaultKind::kFlip || (kind == FaultKind::kStuckAt1) != golden;
}

CoreTrials::Place CoreTrials::place_of(const Strike& strike) const {
  const sim::CoreSites& sites = chip_->core_sites();
  Place place;
  if (!strike.registers.empty()) {
    const RegisterFault& first = strike.registers.front();
    place.core = static_cast<std::size_t>(chip_->core_of(first.site));
    place.owner = owner_in(layout_.cores[place.core],
                           sites.owner_of(sites.describe(chip_->within_core(first.site))));
    place.cycle = first.when.from;
  } else {
    const CellFault& first = strike.cells.front();
    const sim::CoreBlock& array = sites.blocks()[first.memory];
    const CoreCell cell = core_cell(array, first.bit);
    place.core = cell.core;
    place.owner = owner_in(layout_.cores[place.core], sites, array, cell);
    place.cycle = first.when.from;
  }
  return place;
}

void CoreTrials::find(const sim::ChipRun& run, const Place& place, const sim::ChipResult& found,
                      TrialResult& result) const {
  CoreFindings& cores = result.cores.emplace();
  cores.core = static_cast<std::int64_t>(place.core);
  const Cycle edge = std::clamp<Cycle>(place.cycle + 1, 1, run.cycles());
  cores.tick = run.moment_of(edge).tick;
  cores.neuron = place.owner.neuron;
  cores.input = place.owner.input;
  cores.changed_spikes = found.changed_struck;
  cores.changed_behind = found.changed_spikes - found.changed_struck;
  cores.first_changed = found.first_tick;
  cores.misrouted = found.misrouted;
  cores.cores_simulated = std::ranges::count_if(
      found.cores, [](const sim::ChipCoreResult& core) { return core.is_struck; });
  result.layer = model_.layers[layout_.cores[place.core].layer].name;
  result.activated = found.activated;
  result.hung = found.hung;
  result.is_guarded = found.errors != 0;
  result.before = found.before;
  result.after = found.after;
  result.corrected_codewords = found.ecc.corrected;
  result.detected_codewords = found.ecc.detected;
}

TrialResult CoreTrials::run(const sim::ChipRun& run, const dnn::Tape& golden, const Strike& given,
                            const ScrubPhases& phases, RunObserver* observer, ImageId image) {
  Strike strike = with_ecc_as_cells(given);
  const ScrubbedCells scrubbed = scrub_cells(strike.cells, phases, arrays_, run.cycles());
  strike.cells.insert(strike.cells.end(), scrubbed.flips.begin(), scrubbed.flips.end());
  const ChipFaults faults = chip_faults(strike);
  const sim::ChipJob job = faults.job();
  const sim::ChipResult found = struck_.strike(run, job);
  TrialResult result;
  const Place place = place_of(given);
  find(run, place, found, result);
  result.corrected_codewords += scrubbed.corrected;
  result.detected_codewords += scrubbed.detected;
  result.activated = result.activated || scrubbed.corrected + scrubbed.detected > 0;
  const std::vector<float> expected = floats(golden.tensor(network_.output));
  const bool is_golden = found.hung || sim::has_golden_answer(run, found);
  judge_.conclude(image, expected, is_golden ? expected : answer_of(run, golden, found), result);
  if (found.hung) {
    result.without_stop = Outcome::kDue;  // there is no answer to look at
  }
  if (result.judgement.outcome == Outcome::kMasked) {
    result.masked_at = place.owner.is_empty && !found.activated ? MaskedAt::kEmpty
                       : !found.activated                       ? MaskedAt::kDead
                       : found.changed_spikes == 0              ? MaskedAt::kCore
                                                                : MaskedAt::kReadout;
  }
  result.outlives = !left_for_later(given, phases).is_empty();
  if (observer != nullptr) {
    if (observer->listens()) {
      for (const std::string& line : sim::story_of(run, job, found)) {
        observer->on_line(line);
      }
    }
    observer->on_chip({run, job, found});
  }
  return result;
}

/// Weights of axons that get no event, or of neurons that are switched off.
bool CoreTrials::are_unused_synapses(const Strike& left) const {
  const sim::CoreSites& sites = chip_->core_sites();
  const auto is_unused = [&](std::size_t core, const sim::CoreSite& site) {
    const CoreShare& share = layout_.cores[core];
    const sim::CoreOwner owner = sites.owner_of(site);
    return site.storage == sim::CoreStorage::kSynapses &&
           (static_cast<std::size_t>(owner.axon) >= share.axons.size() ||
            static_cast<std::size_t>(owner.neuron) >= share.neurons.size());
  };
  return std::ranges::all_of(left.cells,
                             [&](const CellFault& fault) {
                               const sim::CoreBlock& array = sites.blocks()[fault.memory];
                               const CoreCell cell = core_cell(array, fault.bit);
                               const bool is_bare =
                                   sim::ecc_of(chip_->config().core, array.storage) ==
                                   sim::EccKind::kNone;
                               return is_bare && is_unused(cell.core, site_of(array, cell));
                             }) &&
         std::ranges::all_of(left.registers, [&](const RegisterFault& fault) {
           return is_unused(static_cast<std::size_t>(chip_->core_of(fault.site)),
                            sites.describe(chip_->within_core(fault.site)));
         });
}

/// Bits that the fault-free inference never reads: any set of them may change at once.
bool CoreTrials::are_dead(const sim::ChipRun& run, const ChipFaults& faults) const {
  const sim::CoreSites& sites = chip_->core_sites();
  return faults.cells.empty() &&
         std::ranges::all_of(faults.registers, [&](const RegisterFault& fault) {
           const sim::CoreRun& core = run.core(chip_->core_of(fault.site));
           return fault.when.from == sim::kSinceBoot &&
                  !sim::is_live(core, sites, sites.describe(chip_->within_core(fault.site)),
                                fault.when.from);
         });
}

TrialResult CoreTrials::run_later(const sim::ChipRun& run, const dnn::Tape& golden,
                                  const Strike& left, ImageId image) {
  if (!are_dead(run, chip_faults(with_ecc_as_cells(left)))) {
    return this->run(run, golden, left, {}, nullptr, image);
  }
  TrialResult result;
  const std::vector<float> expected = floats(golden.tensor(network_.output));
  judge_.conclude(image, expected, expected, result);
  result.masked_at = MaskedAt::kDead;
  return result;
}

Strike CoreTrials::left_for_later(const Strike& given, const ScrubPhases& phases) const {
  Strike left;
  if (reload_ == CoreReload::kPerInference) {
    return left;
  }
  const sim::CoreSites& sites = chip_->core_sites();
  const Strike strike = with_ecc_as_cells(given);
  for (const RegisterFault& fault : strike.registers) {
    const sim::CoreSite site = sites.describe(chip_->within_core(fault.site));
    const bool golden = chip_->core(chip_->core_of(fault.site)).state().bit(site);
    if (sim::is_written_at_boot(site.storage) && leaves_changed(fault.kind, golden)) {
      left.registers.push_back({fault.site, FaultKind::kFlip, {0, 1}});
    }
  }
  for (const CellFault& cell : scrub_cells(strike.cells, phases, arrays_, 0).left) {
    const sim::CoreBlock& array = sites.blocks()[cell.memory];
    if (array.is_boot_array() &&
        leaves_changed(cell.kind, is_booted(*chip_, array, core_cell(array, cell.bit)))) {
      left.cells.push_back({cell.memory, cell.bit, FaultKind::kFlip, {0, 1}});
    }
  }
  return are_unused_synapses(left) ? Strike() : left;
}

/// Of what is not written at boot alone: what a flip of it has found there.
bool CoreTrials::stored(const sim::ChipRun& run, std::size_t memory, CodewordBit bit, Cycle cycle) {
  const sim::CoreBlock& array = chip_->core_sites().blocks()[memory];
  const CoreCell cell = core_cell(array, bit);
  if (array.is_boot_array()) {
    return is_booted(*chip_, array, cell);
  }
  const sim::CoreSite site = site_of(array, cell);
  const RegisterFault flip{chip_->id_of(static_cast<std::int32_t>(cell.core), site),
                           FaultKind::kFlip, at_edges({cycle, cycle + 1})};
  const sim::ChipResult found = struck_.strike(run, {.faults = {&flip, 1}});
  const sim::CoreField& field = chip_->core_sites().field_of(site);
  return ((found.before >> (site.bit % array.lane_bits() - field.first)) & 1U) != 0;
}

}  // namespace tilestrike::bridge
