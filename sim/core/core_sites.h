// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Every storage bit of a neuromorphic core as a site: the bijection between site numbers and (array
// or register, word, bit), the fields that a word consists of, and the totals that rates are built
// on (docs/core.md, "Arrays" and "Registers").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "sim/core/core_config.h"

namespace tilestrike::sim {

/// The arrays, then the registers. The first four arrays are written at boot alone.
enum class CoreStorage : std::uint8_t {
  kSynapses,
  kParameters,
  kNeuronRoutes,
  kDestinations,
  kAccumulators,
  kMembranes,
  kRefractory,
  kRing,
  kQueue,
  kPending,  // registers from here on
  kFirstTick,
  kTicks,
  kState,
  kAxon,
  kGroup,
  kLane,
  kDestination,
  kRemaining,
  kSynapseLatch,
  kSumLatch,
  kMembraneLatch,
  kParameterLatch,
  kRefractoryLatch,
  kFired,
  kQueueWrite,
  kQueueRead,
  kTick,
  kWatch,
  kError,
};
inline constexpr int kCoreStorages = static_cast<int>(CoreStorage::kError) + 1;
inline constexpr int kCoreArrays = static_cast<int>(CoreStorage::kPending);
/// Of the arrays that are written at boot alone.
inline constexpr int kBootArrays = static_cast<int>(CoreStorage::kAccumulators);

/// Whether nothing but the boot writes it: the first arrays, and the window of chip ticks.
constexpr bool is_written_at_boot(CoreStorage storage) {
  return static_cast<int>(storage) < kBootArrays || storage == CoreStorage::kFirstTick ||
         storage == CoreStorage::kTicks;
}

/// A part of each word, or of each lane of it, that means one thing.
struct CoreField {
  std::string name;  // as in scenarios and results: "threshold"
  std::string about;
  CoreStorage storage;
  int first = 0;  // bit of the lane
  int bits = 0;
};

/// One array or register: sites first .. first + size() - 1, word by word, least significant bit
/// first.
struct CoreBlock {
  CoreStorage storage;
  std::string name;  // "membranes", "axon"
  std::string about;
  CoreCells cells = CoreCells::kFlipFlop;
  std::uint64_t words = 1;
  int bits = 0;  // of a word
  int lanes = 1;
  std::uint64_t first = 0;  // site
  /// In a CoreState: each word takes whole limbs of 64 bits.
  std::size_t first_limb = 0;
  std::size_t limbs = 1;   // of a word
  std::size_t field = 0;   // first of its fields
  std::size_t fields = 0;  // of a lane

  int lane_bits() const { return bits / lanes; }
  std::uint64_t size() const { return words * static_cast<std::uint64_t>(bits); }
  std::size_t all_limbs() const { return words * limbs; }
  bool is_array() const { return static_cast<int>(storage) < kCoreArrays; }
  bool is_boot_array() const { return static_cast<int>(storage) < kBootArrays; }
};

/// One storage bit, in words.
struct CoreSite {
  CoreStorage storage = CoreStorage::kSynapses;
  std::uint32_t word = 0;
  int bit = 0;  // of the word
  friend bool operator==(const CoreSite&, const CoreSite&) = default;
};

/// Whose bit it is, in numbers of the core; -1: no one neuron's, no one axon's.
struct CoreOwner {
  std::int32_t axon = -1, neuron = -1;
};

/// The code of an array; kNone of whatever has none.
EccKind ecc_of(const CoreConfig& config, CoreStorage storage);

class CoreSites {
 public:
  /// Requires sizes that check_core() takes.
  explicit CoreSites(const CoreConfig& config);

  const CoreConfig& config() const { return config_; }
  /// config().watchdog_cycles(), which is asked for at every edge.
  std::int64_t watchdog() const { return watchdog_; }
  std::uint64_t total_bits() const { return total_; }
  /// Bits of arrays and registers whose cells are of one kind.
  std::uint64_t total_bits(CoreCells cells) const;
  std::span<const CoreBlock> blocks() const { return blocks_; }
  const CoreBlock& block(CoreStorage storage) const {
    return blocks_[static_cast<std::size_t>(storage)];
  }
  /// Null where nothing has this name.
  const CoreBlock* block_named(std::string_view name) const;

  /// The structures that results are told by; each bit is of one of them.
  std::span<const CoreField> fields() const { return fields_; }
  const CoreField* field_named(std::string_view name) const;
  std::uint64_t bits_of(const CoreField& field) const;
  const CoreField& field_of(const CoreSite& site) const;
  /// Sites of a field, by number 0 .. bits_of() - 1: word by word, lane by lane.
  CoreSite site_of(const CoreField& field, std::uint64_t number) const;

  CoreSite describe(SiteId site) const;
  /// The inverse of describe(). Requires a site that exists.
  SiteId id_of(const CoreSite& site) const;
  /// The same of a place that somebody names; nothing where this core has no such site.
  std::optional<SiteId> find(const CoreSite& place) const;
  CoreOwner owner_of(const CoreSite& site) const;
  int lane_of(const CoreSite& site) const { return site.bit / block(site.storage).lane_bits(); }
  /// "parameters[3] lane 5 threshold bit 12", "ring[17] bit 3", "state bit 0".
  std::string text(SiteId site) const;

  /// Limbs of a CoreState: those of the arrays of boot come first.
  std::size_t limbs() const { return limbs_; }
  std::size_t boot_limbs() const { return block(CoreStorage::kAccumulators).first_limb; }

 private:
  struct Part {
    const char* name;
    int bits;
    const char* about;
  };
  void add(CoreStorage storage, const char* name, const char* about, std::uint64_t words, int lanes,
           std::vector<Part> lane, CoreCells cells = CoreCells::kFlipFlop);
  void add_arrays();
  void add_registers();

  CoreConfig config_;
  std::int64_t watchdog_;
  std::vector<CoreBlock> blocks_;  // by CoreStorage
  std::vector<CoreField> fields_;
  std::uint64_t total_ = 0;
  std::size_t limbs_ = 0;
};

}  // namespace tilestrike::sim
