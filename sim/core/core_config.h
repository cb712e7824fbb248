// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a neuromorphic core is: its sizes, the arithmetic of its membranes, what its arrays are made
// of and how long a tick may last (docs/core.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/field_table.h"
#include "base/spiking_neuron.h"
#include "sim/ecc/ecc_code.h"

namespace tilestrike::sim {

inline constexpr int kLanes = 8;           // neurons that are computed at once: a group
inline constexpr int kSynapseBits = 8;     // of a weight
inline constexpr int kParameterBits = 96;  // of one neuron's parameters
inline constexpr int kRingSlots = 16;      // ticks ahead that an event can be written
inline constexpr int kSlotBits = 4;        // of a slot of the ring, and of a delay
inline constexpr int kCoreBits = 8;        // of the number of a core
inline constexpr int kAxonBits = 10;       // of an axon's number in an event
inline constexpr int kTickBits = 16;       // of the number of a tick
inline constexpr int kHostCore = 255;      // the number that stands for the host

/// What the cells of an array are: it decides which strikes and which rates they see.
enum class CoreCells : std::uint8_t { kSram, kFlipFlop };

/// Of each array.
struct CoreArrayCells {
  CoreCells synapses = CoreCells::kSram;
  CoreCells parameters = CoreCells::kSram;
  CoreCells neuron_routes = CoreCells::kSram;
  CoreCells destinations = CoreCells::kSram;
  CoreCells accumulators = CoreCells::kSram;
  CoreCells membranes = CoreCells::kSram;
  CoreCells refractory = CoreCells::kSram;
  CoreCells ring = CoreCells::kSram;
  CoreCells queue = CoreCells::kFlipFlop;
  friend bool operator==(const CoreArrayCells&, const CoreArrayCells&) = default;
};

/// ECC of the two arrays that are written at boot and read in whole words: a word is so many
/// codewords of kCodewordBits data bits.
struct CoreArrayEcc {
  EccKind synapses = EccKind::kNone;
  EccKind parameters = EccKind::kNone;
  friend bool operator==(const CoreArrayEcc&, const CoreArrayEcc&) = default;
};
inline constexpr int kCodewordBits = 64;

struct CoreConfig {
  int axons = 256;          // a power of two
  int neurons = 256;        // the same
  int membrane_bits = 24;   // 16 or 24
  int destinations = 1024;  // entries of the table that routes lead to; a power of two
  int queue = 16;           // spikes that wait to leave; a power of two
  NeuronOverflow overflow = NeuronOverflow::kWrap;  // of membranes
  /// Cycles of a tick after which a core that is still busy is given up; 0: the default of
  /// watchdog_cycles().
  std::int64_t watchdog = 0;
  CoreArrayCells cells;
  CoreArrayEcc ecc;

  int groups() const { return neurons / kLanes; }
  /// Axons per word of the ring, and words per slot.
  int ring_bits() const { return axons < 64 ? axons : 64; }
  int ring_words() const { return axons / ring_bits(); }
  NeuronFormat format() const { return {membrane_bits, overflow}; }
  /// Words that the longest array to be reset has: so many cycles a reset takes.
  int reset_words() const;
  /// Cycles of a tick in which `pending` axons have an event and `fired` neurons send `events`
  /// events in all.
  std::int64_t tick_cycles(std::int64_t pending, std::int64_t fired, std::int64_t events) const;
  /// `watchdog`, or twice the cycles of a tick with all axons pending, all neurons firing and every
  /// destination taken once.
  std::int64_t watchdog_cycles() const;

  friend bool operator==(const CoreConfig&, const CoreConfig&) = default;
};

/// Bits that hold 0 .. states - 1; at least 1.
int bits_for(std::int64_t states);

/// Adds an error for each size that no core has. `where`: the place in a file, or empty.
void check_core(const CoreConfig& config, const std::string& where, ErrorList& errors);

/// The core with a name: `core_AXONSxNEURONS`, as `core_1024x64` or `core_256x256`, with four
/// destinations per neuron and the other defaults. Throws Failure where the name is none, or no
/// core has such sizes.
CoreConfig core_named(std::string_view name);

FieldTable<CoreConfig> core_fields();

}  // namespace tilestrike::sim
