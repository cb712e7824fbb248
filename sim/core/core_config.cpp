// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/core/core_config.h"

#include <algorithm>
#include <bit>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::sim {
namespace {

constexpr int kLeastAxons = 16, kMostAxons = 1 << kAxonBits;
constexpr int kLeastNeurons = 16, kMostNeurons = 1024;
constexpr int kMostDestinations = 1 << 14;
constexpr int kLeastQueue = 2, kMostQueue = 64;
constexpr std::int64_t kMostWatchdog = std::int64_t{1} << 31;

void check_size(const char* key, int size, int least, int most, const std::string& where,
                ErrorList& errors) {
  const bool is_power = size > 0 && std::has_single_bit(static_cast<unsigned>(size));
  if (size < least || size > most || !is_power) {
    errors.add(ErrorCode::kInvalidInput,
               std::string(key) + ": no core has " + std::to_string(size) + " of them", where,
               "give a power of two from " + std::to_string(least) + " to " + std::to_string(most));
  }
}

FieldTable<CoreArrayCells> cells_fields() {
  const Choices<CoreCells> choices{{"sram", CoreCells::kSram}, {"flip_flop", CoreCells::kFlipFlop}};
  const auto field = [&](const char* name, CoreCells CoreArrayCells::*member) {
    return choice_field(name, member, choices, "what the cells of this array are");
  };
  return {field("synapses", &CoreArrayCells::synapses),
          field("parameters", &CoreArrayCells::parameters),
          field("neuron_routes", &CoreArrayCells::neuron_routes),
          field("destinations", &CoreArrayCells::destinations),
          field("accumulators", &CoreArrayCells::accumulators),
          field("membranes", &CoreArrayCells::membranes),
          field("refractory", &CoreArrayCells::refractory),
          field("ring", &CoreArrayCells::ring),
          field("queue", &CoreArrayCells::queue)};
}

FieldTable<CoreArrayEcc> ecc_fields() {
  return {choice_field("synapses", &CoreArrayEcc::synapses, ecc_choices(),
                       "code of each word of synapses"),
          choice_field("parameters", &CoreArrayEcc::parameters, ecc_choices(),
                       "code of each 64 bits of the parameters")};
}

}  // namespace

int bits_for(std::int64_t states) {
  return std::max(1, static_cast<int>(std::bit_width(static_cast<std::uint64_t>(states - 1))));
}

int CoreConfig::reset_words() const {
  return std::max({groups(), kRingSlots * ring_words(), queue});
}

std::int64_t CoreConfig::tick_cycles(std::int64_t pending, std::int64_t fired,
                                     std::int64_t events) const {
  return ring_words() + pending * (1 + 2 * groups()) + 2 * groups() + fired + events + 1;
}

std::int64_t CoreConfig::watchdog_cycles() const {
  return watchdog > 0 ? watchdog : 2 * tick_cycles(axons, neurons, destinations);
}

void check_core(const CoreConfig& config, const std::string& where, ErrorList& errors) {
  check_size("axons", config.axons, kLeastAxons, kMostAxons, where, errors);
  check_size("neurons", config.neurons, kLeastNeurons, kMostNeurons, where, errors);
  check_size("destinations", config.destinations, 2, kMostDestinations, where, errors);
  check_size("queue", config.queue, kLeastQueue, kMostQueue, where, errors);
  if (config.membrane_bits != 16 && config.membrane_bits != 24) {
    errors.add(
        ErrorCode::kInvalidInput,
        "membrane_bits: no core has membranes of " + std::to_string(config.membrane_bits) + " bits",
        where, "allowed: 16, 24");
  }
  if (config.watchdog < 0 || config.watchdog > kMostWatchdog) {
    errors.add(ErrorCode::kInvalidInput,
               "watchdog: a tick cannot last " + std::to_string(config.watchdog) + " cycles", where,
               "give 0 for the default, or 1 to " + std::to_string(kMostWatchdog));
  }
  if (errors.empty() && config.watchdog_cycles() <= config.reset_words()) {
    errors.add(ErrorCode::kInvalidInput,
               "watchdog: " + std::to_string(config.watchdog) +
                   " cycles are not enough for the reset before an inference",
               where, "give more than " + std::to_string(config.reset_words()));
  }
}

CoreConfig core_named(std::string_view name) {
  const auto refuse = [&](const std::string& what) {
    fail(ErrorCode::kInvalidInput, "'" + std::string(name) + "' " + what, "core",
         "name it core_AXONSxNEURONS, as core_1024x64 or core_256x256");
  };
  constexpr std::string_view kStart = "core_";
  const std::size_t cross = name.find('x');
  if (name.substr(0, kStart.size()) != kStart || cross == std::string_view::npos) {
    refuse("is no name of a core");
  }
  const auto axons = parse_integer(name.substr(kStart.size(), cross - kStart.size()));
  const auto neurons = parse_integer(name.substr(cross + 1));
  if (!axons || !neurons || *axons < 0 || *axons > 1 << 20 || *neurons < 0 || *neurons > 1 << 20) {
    refuse("is no name of a core");
  }
  CoreConfig config;
  config.axons = static_cast<int>(*axons);
  config.neurons = static_cast<int>(*neurons);
  config.destinations = 4 * config.neurons;
  ErrorList errors;
  check_core(config, std::string(name), errors);
  errors.throw_if_any();
  return config;
}

FieldTable<CoreConfig> core_fields() {
  return {
      integer_field("axons", &CoreConfig::axons, kLeastAxons, kMostAxons, "axons",
                    "inputs of a core, a power of two"),
      integer_field("neurons", &CoreConfig::neurons, kLeastNeurons, kMostNeurons, "neurons",
                    "neurons of a core, a power of two"),
      integer_field("membrane_bits", &CoreConfig::membrane_bits, 16, 24, "bits",
                    "width of a membrane, 16 or 24"),
      integer_field("destinations", &CoreConfig::destinations, 2, kMostDestinations, "entries",
                    "table of where spikes go, a power of two"),
      integer_field("queue", &CoreConfig::queue, kLeastQueue, kMostQueue, "entries",
                    "spikes that wait to leave, a power of two"),
      choice_field("overflow", &CoreConfig::overflow,
                   Choices<NeuronOverflow>{{"wrap", NeuronOverflow::kWrap},
                                           {"saturate", NeuronOverflow::kSaturate},
                                           {"symmetric", NeuronOverflow::kSymmetric}},
                   "what a membrane does beyond its range"),
      integer_field("watchdog", &CoreConfig::watchdog, 0, kMostWatchdog, "cycles",
                    "a core that is busy for so long in one tick is given up; 0: twice the cycles "
                    "of the busiest tick"),
      nested_field("cells", &CoreConfig::cells, cells_fields(),
                   "what the cells of each array are: sram or flip_flop"),
      nested_field("ecc", &CoreConfig::ecc, ecc_fields(),
                   "error-correcting codes of arrays that are written at boot"),
  };
}

}  // namespace tilestrike::sim
