// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/core_model.h"

#include <algorithm>
#include <cstring>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::rtl {
namespace {

using sim::CoreStorage;

const BuiltCore* find_built(const sim::CoreConfig& config) {
  for (const BuiltCore& built : built_cores()) {
    if (built.axons == config.axons && built.neurons == config.neurons &&
        built.membrane_bits == config.membrane_bits && built.queue == config.queue &&
        built.destinations == config.destinations && built.overflow == config.overflow &&
        built.watchdog == config.watchdog_cycles()) {
      return &built;
    }
  }
  return nullptr;
}

std::string described(int axons, int neurons, int membrane_bits, int destinations, int queue,
                      NeuronOverflow overflow) {
  const std::vector<std::string> fields{std::to_string(axons),
                                        std::to_string(neurons),
                                        std::to_string(membrane_bits),
                                        std::to_string(destinations),
                                        std::to_string(queue),
                                        overflow == NeuronOverflow::kWrap       ? "wrap"
                                        : overflow == NeuronOverflow::kSaturate ? "saturate"
                                                                                : "symmetric"};
  return join(fields, ":");
}

}  // namespace

bool CoreModel::is_built(const sim::CoreConfig& config) { return find_built(config) != nullptr; }

std::string CoreModel::built_sizes() {
  std::vector<std::string> names;
  for (const BuiltCore& built : built_cores()) {
    names.push_back(described(built.axons, built.neurons, built.membrane_bits, built.destinations,
                              built.queue, built.overflow));
  }
  return join(names, ", ");
}

CoreModel::CoreModel(const sim::CoreSites& sites) : sites_(sites) {
  const sim::CoreConfig& config = sites.config();
  const BuiltCore* built = find_built(config);
  if (built == nullptr) {
    fail(ErrorCode::kInvalidInput,
         "the RTL of a core " +
             described(config.axons, config.neurons, config.membrane_bits, config.destinations,
                       config.queue, config.overflow) +
             " with a watchdog of " + std::to_string(config.watchdog_cycles()) +
             " cycles is not built",
         "core",
         "add it to TS_RTL_CORES in rtl/CMakeLists.txt, or use one that is built, with the default "
         "watchdog: " +
             built_sizes());
  }
  model_ = built->make();
  ports_ = model_->ports();
  std::map<std::string, Storage, std::less<>> all;
  model_->visit([&](const std::string& name, const Storage& storage) {
    std::memset(storage.data, 0, storage.words * storage.bytes);
    all.emplace(name, storage);
  });
  for (const sim::CoreBlock& block : sites.blocks()) {
    const auto found = all.find(block.name + "_q");
    TS_CHECK(found != all.end() && found->second.bits == block.bits &&
                 found->second.words == block.words,
             "the RTL has all storage of " + block.name);
    storage_.push_back(found->second);
  }
  *ports_.reset = 1;
  *ports_.start = 0;
  *ports_.event_in_valid = 0;
  *ports_.boot_valid = 0;
  *ports_.readout = 0;
  *ports_.clock = 0;
  model_->eval();
}

void CoreModel::edge() {
  *ports_.clock = 1;
  model_->eval();
  *ports_.clock = 0;
  model_->eval();
}

void CoreModel::set_state(const sim::CoreState& state) {
  for (const sim::CoreBlock& block : sites_.blocks()) {
    const Storage& to = storage(block.storage);
    for (std::uint64_t word = 0; word < block.words; ++word) {
      std::memcpy(to.data + word * to.bytes, state.word(block.storage, word), to.bytes);
    }
  }
  model_->eval();
}

void CoreModel::get_state(sim::CoreState& state) const {
  for (const sim::CoreBlock& block : sites_.blocks()) {
    const Storage& from = storage(block.storage);
    std::uint64_t* to = state.word(block.storage, 0);
    if (from.bytes == 8 * block.limbs) {
      std::memcpy(to, from.data, block.words * from.bytes);
      continue;
    }
    for (std::uint64_t word = 0; word < block.words; ++word, to += block.limbs) {
      to[block.limbs - 1] = 0;
      std::memcpy(to, from.data + word * from.bytes, from.bytes);
    }
  }
}

void CoreModel::step(const sim::CoreEdge& edge_values) {
  *ports_.reset = edge_values.is_reset ? 0 : 1;
  *ports_.start = edge_values.is_start ? 1 : 0;
  const std::span<const sim::CoreArrival> arrivals = edge_values.arrivals;
  *ports_.event_in_valid = arrivals.empty() ? 0 : 1;
  if (!arrivals.empty()) {
    *ports_.event_in_axon = static_cast<std::uint16_t>(arrivals[0].axon);
    *ports_.event_in_slot = static_cast<std::uint8_t>(arrivals[0].slot);
  }
  edge();
  if (arrivals.size() > 1) {
    write_events(arrivals.subspan(1));
  }
}

void CoreModel::write_events(std::span<const sim::CoreArrival> arrivals) {
  const sim::CoreConfig& config = sites_.config();
  const Storage& ring = storage(CoreStorage::kRing);
  for (const sim::CoreArrival& arrival : arrivals) {
    const std::int32_t axon = arrival.axon % config.axons;
    const std::int32_t word = arrival.slot * config.ring_words() + axon / config.ring_bits();
    const int bit = axon % config.ring_bits();
    unsigned char& byte =
        ring.data[static_cast<std::size_t>(word) * ring.bytes + static_cast<std::size_t>(bit / 8)];
    byte = static_cast<unsigned char>(byte | 1U << (bit % 8));
  }
}

std::optional<sim::CoreEvent> CoreModel::outgoing() const {
  if (*ports_.event_out_valid == 0) {
    return std::nullopt;
  }
  return sim::CoreEvent{*ports_.event_out_core, *ports_.event_out_axon, *ports_.event_out_slot};
}

std::int32_t CoreModel::membrane(std::int32_t neuron) const {
  std::memcpy(ports_.readout_neuron.data, &neuron, ports_.readout_neuron.bytes);
  *ports_.readout = 1;
  model_->eval();
  std::uint32_t membrane = 0;
  std::memcpy(&membrane, ports_.readout_membrane.data, ports_.readout_membrane.bytes);
  *ports_.readout = 0;
  model_->eval();
  return sign_extended(membrane, sites_.config().membrane_bits);
}

bool CoreModel::strike(const sim::CoreSite& site, FaultKind kind) {
  TS_CHECK(kind != FaultKind::kRandom, "whoever draws a fault knows what it comes to");
  const Storage& owner = storage(site.storage);
  unsigned char& byte =
      owner.data[site.word * owner.bytes + static_cast<std::size_t>(site.bit / 8)];
  const bool is_set = (byte >> (site.bit % 8) & 1) != 0;
  if (kind != FaultKind::kFlip && is_set == (kind == FaultKind::kStuckAt1)) {
    return false;
  }
  byte = static_cast<unsigned char>(byte ^ 1U << (site.bit % 8));
  model_->eval();
  return true;
}

std::uint64_t CoreModel::field(const sim::CoreSite& site) const {
  const sim::CoreBlock& block = sites_.block(site.storage);
  const Storage& owner = storage(site.storage);
  const sim::CoreField& field = sites_.field_of(site);
  const int lane = site.bit / block.lane_bits();
  int first = lane * block.lane_bits() + field.first;
  int bits = field.bits;
  if (bits > 64) {
    const int skipped = (site.bit - first) / 64 * 64;
    first += skipped;
    bits = std::min(64, bits - skipped);
  }
  std::uint64_t limbs[16] = {};
  std::memcpy(limbs, owner.data + site.word * owner.bytes, owner.bytes);
  return sim::read_bits(limbs, first, bits);
}

void CoreModel::boot(CoreStorage storage, std::uint32_t word, int part, std::uint64_t data) {
  *ports_.boot_valid = 1;
  *ports_.boot_array =
      storage == CoreStorage::kTicks ? 4 : static_cast<std::uint8_t>(storage);  // as they come
  *ports_.boot_address = word;
  *ports_.boot_part = static_cast<std::uint8_t>(part);
  *ports_.boot_data = data;
  *ports_.reset = 1;
  *ports_.start = 0;
  *ports_.event_in_valid = 0;
  edge();
  *ports_.boot_valid = 0;
}

void CoreModel::visit_storage(
    const std::function<void(const std::string&, std::uint64_t words, int bits)>& visit) const {
  model_->visit([&](const std::string& name, const Storage& storage) {
    visit(name, storage.words, storage.bits);
  });
}

}  // namespace tilestrike::rtl
