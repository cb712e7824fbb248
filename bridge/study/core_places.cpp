// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/core_places.h"

#include <algorithm>

#include "bridge/accelerator/core_arrays.h"
#include "bridge/layout/core_layout.h"
#include "bridge/study/spiking_workload.h"
#include "sim/core/core_memory.h"

namespace tilestrike::bridge {
namespace {

class Places final : public CorePlaces {
 public:
  Places(const dnn::IntegerModel& model, const AcceleratorConfig& accelerator)
      : layout_(core_layout(model, chip_config(accelerator))),
        chip_(chip_config(accelerator), layout_.contents),
        memories_(core_arrays(accelerator, layout_.cores.size())) {}

  const NamedParts<sim::MemoryConfig>& memories() const override { return memories_; }

  HeldInCore held_in(std::size_t memory, CodewordBit bit) const override {
    const sim::CoreSites& sites = chip_.core_sites();
    const sim::CoreBlock& array = sites.blocks()[memory];
    const CoreCell cell = core_cell(array, bit);
    const sim::CoreSite site = site_beside(array, cell);
    const CoreShare& share = layout_.cores[cell.core];
    const NetworkOwner owner = owner_in(share, sites, array, cell);
    HeldInCore held;
    held.core = static_cast<std::int64_t>(cell.core);
    held.is_check = cell.bit >= codeword_bits(array);
    held.place = sites.text(sites.id_of(site));
    held.layer = layout_.layers[share.layer].name;
    held.is_used = !owner.is_empty;
    held.neuron = owner.neuron;
    held.input = owner.input;
    if (site.storage == sim::CoreStorage::kDestinations) {
      held.neuron = sender_of(cell.core, static_cast<std::int32_t>(site.word));
      held.is_used = held.neuron >= 0;
    }
    held.field = held.is_check ? array.name : sites.field_of(site).name;
    if (array.is_boot_array()) {
      held.value = held.is_check ? (is_booted(chip_, array, cell) ? 1 : 0) : value_of(cell, site);
    }
    return held;
  }

 private:
  /// The neuron of the layer, whose route has this entry of the table of destinations; -1: none.
  std::int64_t sender_of(std::size_t core, std::int32_t entry) const {
    const std::int32_t size = chip_.config().core.destinations;
    const std::vector<sim::NeuronRoute>& routes = layout_.contents.cores[core].routes;
    const std::vector<std::int64_t>& neurons = layout_.cores[core].neurons;
    for (std::size_t i = 0; i < std::min(routes.size(), neurons.size()); ++i) {
      if ((entry - routes[i].first + size) % size < routes[i].count) {
        return neurons[i];
      }
    }
    return -1;
  }

  /// Of the whole field.
  std::uint64_t value_of(const CoreCell& cell, sim::CoreSite site) const {
    const sim::CoreSites& sites = chip_.core_sites();
    const sim::CoreField& field = sites.field_of(site);
    const int lane = sites.lane_of(site) * sites.block(site.storage).lane_bits();
    const sim::CoreState& state = chip_.core(static_cast<std::int32_t>(cell.core)).state();
    std::uint64_t value = 0;
    for (int bit = 0; bit < field.bits; ++bit) {
      site.bit = lane + field.first + bit;
      value |= static_cast<std::uint64_t>(state.bit(site)) << bit;
    }
    return value;
  }

  CoreLayout layout_;
  sim::BootedChip chip_;
  NamedParts<sim::MemoryConfig> memories_;
};

}  // namespace

std::unique_ptr<CorePlaces> CorePlaces::open(const NetworkSource& source,
                                             const AcceleratorConfig& accelerator) {
  return std::make_unique<Places>(model_on_cores(source, accelerator), accelerator);
}

}  // namespace tilestrike::bridge
