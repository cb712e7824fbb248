// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_sites.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::sim {

CoreSites::CoreSites(const CoreConfig& config)
    : config_(config), watchdog_(config.watchdog_cycles()) {
  ErrorList errors;
  check_core(config, "core", errors);
  errors.throw_if_any();
  add_arrays();
  add_registers();
  TS_CHECK(blocks_.size() == static_cast<std::size_t>(kCoreStorages), "one block per storage");
}

void CoreSites::add(CoreStorage storage, const char* name, const char* about, std::uint64_t words,
                    int lanes, std::vector<Part> lane, CoreCells cells) {
  TS_CHECK(blocks_.size() == static_cast<std::size_t>(storage), "blocks in their order");
  CoreBlock block{.storage = storage,
                  .name = name,
                  .about = about,
                  .cells = cells,
                  .words = words,
                  .lanes = lanes,
                  .first = total_,
                  .first_limb = limbs_,
                  .field = fields_.size(),
                  .fields = lane.size()};
  int width = 0;
  for (const Part& part : lane) {
    fields_.push_back({part.name, part.about, storage, width, part.bits});
    width += part.bits;
  }
  block.bits = width * lanes;
  block.limbs = (static_cast<std::size_t>(block.bits) + 63) / 64;
  total_ += block.size();
  limbs_ += block.all_limbs();
  blocks_.push_back(std::move(block));
}

void CoreSites::add_arrays() {
  const CoreArrayCells& cells = config_.cells;
  const auto groups = static_cast<std::uint64_t>(config_.groups());
  const int destination = bits_for(config_.destinations);
  add(CoreStorage::kSynapses, "synapses", "weights, word axon x groups + group",
      static_cast<std::uint64_t>(config_.axons) * groups, kLanes,
      {{"synapse", kSynapseBits, "weight of one axon for one neuron"}}, cells.synapses);
  add(CoreStorage::kParameters, "parameters", "what each neuron is", groups, kLanes,
      {{"threshold", kCurrentBits, "a neuron fires from this membrane on"},
       {"bias", kCurrentBits, "added in every tick"},
       {"reset", kCurrentBits, "membrane after a spike"},
       {"leak", kLeakBits, "share of the membrane that leaks per tick, in 4096ths"},
       {"refractory_period", kRefractoryBits, "ticks without a spike after a spike"},
       {"enable", 1, "whether the neuron may fire"},
       {"reset_mode", 1, "1: the threshold is subtracted"},
       {"leak_rounding", 2, "0 floor, 1 towards zero, 2 away from zero"},
       {"refractory_mode", 1, "1: the membrane stands still while refractory"},
       {"spare", 2, "without a meaning"}},
      cells.parameters);
  add(CoreStorage::kNeuronRoutes, "neuron_routes", "which destinations a neuron's spikes have",
      static_cast<std::uint64_t>(config_.neurons), 1,
      {{"route_first", destination, "first of a neuron's destinations"},
       {"route_count", destination, "how many there are"}},
      cells.neuron_routes);
  add(CoreStorage::kDestinations, "destinations", "where spikes go",
      static_cast<std::uint64_t>(config_.destinations), 1,
      {{"destination_valid", 1, "whether an event leaves"},
       {"destination_core", kCoreBits, "core that it goes to"},
       {"destination_axon", kAxonBits, "axon of that core"},
       {"destination_delay", kSlotBits, "ticks until it is read; 0: 16"}},
      cells.destinations);
  add(CoreStorage::kAccumulators, "accumulators", "sums of weights within a tick", groups, kLanes,
      {{"accumulator", kCurrentBits, "sum of one neuron's weights"}}, cells.accumulators);
  add(CoreStorage::kMembranes, "membranes", "membranes", groups, kLanes,
      {{"membrane", config_.membrane_bits, "of one neuron"}}, cells.membranes);
  add(CoreStorage::kRefractory, "refractory", "refractory counters", groups, kLanes,
      {{"refractory_counter", kRefractoryBits, "ticks left without a spike"}}, cells.refractory);
  add(CoreStorage::kRing, "ring", "events by slot and axon",
      static_cast<std::uint64_t>(kRingSlots * config_.ring_words()), 1,
      {{"ring", config_.ring_bits(), "one bit per axon and slot"}}, cells.ring);
  add(CoreStorage::kQueue, "queue", "spikes that wait to leave",
      static_cast<std::uint64_t>(config_.queue), 1,
      {{"queue_core", kCoreBits, "core that an event goes to"},
       {"queue_axon", kAxonBits, "axon of that core"},
       {"queue_slot", kSlotBits, "slot of its ring"}},
      cells.queue);
}

void CoreSites::add_registers() {
  const auto add_register = [&](CoreStorage storage, const char* name, int bits,
                                const char* about) {
    add(storage, name, about, 1, 1, {{name, bits, about}});
  };
  const int destination = bits_for(config_.destinations);
  const int pointer = bits_for(config_.queue) + 1;
  add(CoreStorage::kPending, "pending", "axons of this tick that are still to be summed",
      static_cast<std::uint64_t>(config_.ring_words()), 1,
      {{"pending", config_.ring_bits(), "one bit per axon"}});
  add_register(CoreStorage::kFirstTick, "first_tick", kTickBits, "tick in which the core begins");
  add_register(CoreStorage::kTicks, "ticks", kTickBits, "how many ticks it works in");
  add_register(CoreStorage::kState, "state", 4, "state of the sequencer");
  add_register(CoreStorage::kAxon, "axon", bits_for(config_.axons),
               "axon that is summed; while latching, the first of the word");
  add_register(CoreStorage::kGroup, "group", bits_for(config_.groups()), "group of neurons");
  add_register(CoreStorage::kLane, "lane", bits_for(kLanes), "neuron of the group that sends");
  add_register(CoreStorage::kDestination, "destination", destination, "next destination to send");
  add_register(CoreStorage::kRemaining, "remaining", destination,
               "destinations that are still to be sent");
  add(CoreStorage::kSynapseLatch, "synapse_latch", "word of synapses", 1, kLanes,
      {{"synapse_latch", kSynapseBits, "weight that was read"}});
  add(CoreStorage::kSumLatch, "sum_latch", "word of accumulators", 1, kLanes,
      {{"sum_latch", kCurrentBits, "accumulator that was read"}});
  add(CoreStorage::kMembraneLatch, "membrane_latch", "word of membranes", 1, kLanes,
      {{"membrane_latch", config_.membrane_bits, "membrane that was read"}});
  add(CoreStorage::kParameterLatch, "parameter_latch", "word of parameters", 1, kLanes,
      {{"parameter_latch", kParameterBits, "parameters that were read"}});
  add(CoreStorage::kRefractoryLatch, "refractory_latch", "word of refractory counters", 1, kLanes,
      {{"refractory_latch", kRefractoryBits, "refractory counter that was read"}});
  add_register(CoreStorage::kFired, "fired", kLanes, "neurons of the group that have a spike");
  add_register(CoreStorage::kQueueWrite, "queue_write", pointer, "where the queue is written");
  add_register(CoreStorage::kQueueRead, "queue_read", pointer, "where it is read");
  add_register(CoreStorage::kTick, "tick", kTickBits, "number of this tick");
  add_register(CoreStorage::kWatch, "watch", bits_for(config_.watchdog_cycles() + 1),
               "cycles of this tick; during the reset, the word");
  add_register(CoreStorage::kError, "error", 2, "bit 0: hung, bit 1: busy at the next tick");
}

std::uint64_t CoreSites::total_bits(CoreCells cells) const {
  std::uint64_t bits = 0;
  for (const CoreBlock& block : blocks_) {
    bits += block.cells == cells ? block.size() : 0;
  }
  return bits;
}

const CoreBlock* CoreSites::block_named(std::string_view name) const {
  const auto found = std::ranges::find(blocks_, name, &CoreBlock::name);
  return found == blocks_.end() ? nullptr : &*found;
}

const CoreField* CoreSites::field_named(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &CoreField::name);
  return found == fields_.end() ? nullptr : &*found;
}

std::uint64_t CoreSites::bits_of(const CoreField& field) const {
  const CoreBlock& owner = block(field.storage);
  return owner.words * static_cast<std::uint64_t>(owner.lanes * field.bits);
}

const CoreField& CoreSites::field_of(const CoreSite& site) const {
  const CoreBlock& owner = block(site.storage);
  const int bit = site.bit % owner.lane_bits();
  std::size_t field = owner.field;
  while (bit >= fields_[field].first + fields_[field].bits) {
    ++field;
  }
  return fields_[field];
}

CoreSite CoreSites::site_of(const CoreField& field, std::uint64_t number) const {
  const CoreBlock& owner = block(field.storage);
  TS_CHECK(number < bits_of(field), "a bit of the field");
  const auto bits = static_cast<std::uint64_t>(field.bits);
  const auto lanes = static_cast<std::uint64_t>(owner.lanes);
  const std::uint64_t lane = number / bits % lanes;
  return {
      field.storage, static_cast<std::uint32_t>(number / (bits * lanes)),
      static_cast<int>(lane) * owner.lane_bits() + field.first + static_cast<int>(number % bits)};
}

CoreSite CoreSites::describe(SiteId site) const {
  TS_CHECK(site.value < total_, "a site of the core");
  const auto next = std::ranges::upper_bound(blocks_, site.value, {}, &CoreBlock::first);
  const CoreBlock& owner = *std::prev(next);
  const std::uint64_t offset = site.value - owner.first;
  const auto bits = static_cast<std::uint64_t>(owner.bits);
  return {owner.storage, static_cast<std::uint32_t>(offset / bits),
          static_cast<int>(offset % bits)};
}

std::optional<SiteId> CoreSites::find(const CoreSite& place) const {
  const CoreBlock& owner = block(place.storage);
  if (place.word >= owner.words || place.bit < 0 || place.bit >= owner.bits) {
    return std::nullopt;
  }
  return SiteId(owner.first + place.word * static_cast<std::uint64_t>(owner.bits) +
                static_cast<std::uint64_t>(place.bit));
}

SiteId CoreSites::id_of(const CoreSite& site) const {
  const std::optional<SiteId> found = find(site);
  TS_CHECK(found.has_value(), "no such site");
  return *found;
}

std::string CoreSites::text(SiteId id) const {
  const CoreSite site = describe(id);
  const CoreBlock& owner = block(site.storage);
  std::string text = owner.name;
  if (owner.words > 1 || owner.is_array()) {
    text += "[" + std::to_string(site.word) + "]";
  }
  int bit = site.bit;
  if (owner.lanes > 1) {
    text += " lane " + std::to_string(lane_of(site));
    bit %= owner.lane_bits();
  }
  if (owner.fields > 1) {
    const CoreField& field = field_of(site);
    text += " " + field.name;
    bit -= field.first;
  }
  return text + " bit " + std::to_string(bit);
}

EccKind ecc_of(const CoreConfig& config, CoreStorage storage) {
  return storage == CoreStorage::kSynapses     ? config.ecc.synapses
         : storage == CoreStorage::kParameters ? config.ecc.parameters
                                               : EccKind::kNone;
}

CoreOwner CoreSites::owner_of(const CoreSite& site) const {
  const auto word = static_cast<std::int32_t>(site.word);
  const std::int32_t groups = config_.groups();
  switch (site.storage) {
    case CoreStorage::kSynapses:
      return {word / groups, word % groups * kLanes + lane_of(site)};
    case CoreStorage::kParameters:
    case CoreStorage::kAccumulators:
    case CoreStorage::kMembranes:
    case CoreStorage::kRefractory:
      return {.neuron = word * kLanes + lane_of(site)};
    case CoreStorage::kNeuronRoutes:
      return {.neuron = word};
    case CoreStorage::kRing:
    case CoreStorage::kPending:
      return {.axon = word % config_.ring_words() * config_.ring_bits() + site.bit};
    default:
      return {};
  }
}

}  // namespace tilestrike::sim
