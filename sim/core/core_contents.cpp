// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is written at boot: whether it fits, and how it is packed.
#include <algorithm>

#include "base/error.h"
#include "sim/core/core_run.h"

namespace tilestrike::sim {
namespace {

class Checker {
 public:
  explicit Checker(ErrorList& errors) : errors_(errors) {}
  void range(const std::string& what, std::int64_t value, std::int64_t least, std::int64_t most) {
    if (value < least || value > most) {
      errors_.add(ErrorCode::kInvalidInput, what + " is " + std::to_string(value), "core",
                  "give " + std::to_string(least) + " to " + std::to_string(most));
    }
  }
  void entries(const std::string& what, std::size_t count, std::int64_t most) {
    if (count > static_cast<std::size_t>(most)) {
      errors_.add(
          ErrorCode::kInvalidInput,
          std::to_string(count) + " " + what + "; the core has room for " + std::to_string(most),
          "core", "split the layer over more cores, or take a larger core");
    }
  }

 private:
  ErrorList& errors_;
};

void check_neuron(const NeuronParameters& neuron, const std::string& name, Checker& check) {
  const std::int64_t half = std::int64_t{1} << (kCurrentBits - 1);
  check.range(name + ": threshold", neuron.threshold, -half, half - 1);
  check.range(name + ": bias", neuron.bias, -half, half - 1);
  check.range(name + ": reset", neuron.reset, -half, half - 1);
  check.range(name + ": leak", neuron.leak, 0, kWholeLeak);
  check.range(name + ": refractory", neuron.refractory, 0, (1 << kRefractoryBits) - 1);
}

}  // namespace

void check_contents(const CoreContents& contents, const CoreConfig& config, ErrorList& errors) {
  Checker check(errors);
  check.entries("synapses", contents.synapses.size(),
                static_cast<std::int64_t>(config.axons) * config.neurons);
  check.entries("neurons", contents.neurons.size(), config.neurons);
  check.entries("routes", contents.routes.size(), config.neurons);
  check.entries("destinations", contents.destinations.size(), config.destinations);
  for (std::size_t i = 0; i < contents.neurons.size(); ++i) {
    check_neuron(contents.neurons[i], "neuron " + std::to_string(i), check);
  }
  for (std::size_t i = 0; i < contents.routes.size(); ++i) {
    const std::string name = "route of neuron " + std::to_string(i);
    check.range(name + ": first", contents.routes[i].first, 0, config.destinations - 1);
    check.range(name + ": count", contents.routes[i].count, 0, config.destinations - 1);
  }
  for (std::size_t i = 0; i < contents.destinations.size(); ++i) {
    const std::string name = "destination " + std::to_string(i);
    check.range(name + ": core", contents.destinations[i].core, 0, (1 << kCoreBits) - 1);
    check.range(name + ": axon", contents.destinations[i].axon, 0, (1 << kAxonBits) - 1);
    check.range(name + ": delay", contents.destinations[i].delay, 0, kRingSlots - 1);
  }
  check.range("first_tick", contents.first_tick, 0, (1 << kTickBits) - 1);
  check.range("ticks", contents.ticks, 0, (1 << kTickBits) - 1);
}

BootedCore::BootedCore(const CoreConfig& config, CoreContents contents)
    : sites_(config), contents_(std::move(contents)), state_(sites_) {
  ErrorList errors;
  check_contents(contents_, config, errors);
  errors.throw_if_any();
  boot(contents_, state_);
}

void boot(const CoreContents& contents, CoreState& state) {
  const CoreConfig& config = state.sites().config();
  for (std::size_t i = 0; i < contents.synapses.size(); ++i) {
    write_bits(state.word(CoreStorage::kSynapses, i / kLanes),
               static_cast<int>(i % kLanes) * kSynapseBits, kSynapseBits,
               static_cast<std::uint8_t>(contents.synapses[i]));
  }
  for (std::size_t i = 0; i < contents.neurons.size(); ++i) {
    write_parameters(state.word(CoreStorage::kParameters, i / kLanes),
                     static_cast<int>(i % kLanes) * kParameterBits, contents.neurons[i]);
  }
  const int bits = bits_for(config.destinations);
  for (std::size_t i = 0; i < contents.routes.size(); ++i) {
    std::uint64_t* word = state.word(CoreStorage::kNeuronRoutes, i);
    write_bits(word, 0, bits, static_cast<std::uint64_t>(contents.routes[i].first));
    write_bits(word, bits, bits, static_cast<std::uint64_t>(contents.routes[i].count));
  }
  for (std::size_t i = 0; i < contents.destinations.size(); ++i) {
    const SpikeDestination& destination = contents.destinations[i];
    *state.word(CoreStorage::kDestinations, i) =
        (destination.is_valid ? 1U : 0U) | static_cast<std::uint64_t>(destination.core) << 1 |
        static_cast<std::uint64_t>(destination.axon) << (1 + kCoreBits) |
        static_cast<std::uint64_t>(destination.delay) << (1 + kCoreBits + kAxonBits);
  }
  *state.word(CoreStorage::kFirstTick, 0) = static_cast<std::uint64_t>(contents.first_tick);
  *state.word(CoreStorage::kTicks, 0) = static_cast<std::uint64_t>(contents.ticks);
}

}  // namespace tilestrike::sim
