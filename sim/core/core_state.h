// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// All storage of a core at one moment: every array and register, word by word, as the hardware
// packs it. A machine's whole state is copied, compared and struck as numbers of 64 bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "base/spiking_neuron.h"
#include "sim/core/core_sites.h"

namespace tilestrike::sim {

/// `bits` (1 to 64) bits from bit `first` on of a word of limbs.
inline std::uint64_t read_bits(const std::uint64_t* limbs, int first, int bits) {
  const int shift = first % 64;
  const std::uint64_t* limb = limbs + first / 64;
  std::uint64_t value = limb[0] >> shift;
  if (shift + bits > 64) {
    value |= limb[1] << (64 - shift);
  }
  return bits == 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
}

/// Writes the low bits of `value` there.
inline void write_bits(std::uint64_t* limbs, int first, int bits, std::uint64_t value) {
  const int shift = first % 64;
  std::uint64_t* limb = limbs + first / 64;
  const std::uint64_t mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  value &= mask;
  limb[0] = (limb[0] & ~(mask << shift)) | value << shift;
  if (shift + bits > 64) {
    limb[1] = (limb[1] & ~(mask >> (64 - shift))) | value >> (64 - shift);
  }
}

inline std::int32_t read_signed(const std::uint64_t* limbs, int first, int bits) {
  return sign_extended(static_cast<std::int64_t>(read_bits(limbs, first, bits)), bits);
}

/// The parameters of one neuron as kParameterBits from bit `first` on. The two spare bits are left
/// as they are; a rounding that has no meaning reads as floor.
void write_parameters(std::uint64_t* limbs, int first, const NeuronParameters& neuron);
NeuronParameters read_parameters(const std::uint64_t* limbs, int first);

class CoreState {
 public:
  /// All zero. `sites` must outlive the state.
  explicit CoreState(const CoreSites& sites) : sites_(&sites), limbs_(sites.limbs(), 0) {}

  const CoreSites& sites() const { return *sites_; }
  /// Takes over what another state of an equal core holds.
  void take(const CoreState& other) { std::ranges::copy(other.limbs_, limbs_.begin()); }
  std::uint64_t* word(CoreStorage storage, std::size_t index) {
    const CoreBlock& block = sites_->block(storage);
    return &limbs_[block.first_limb + index * block.limbs];
  }
  const std::uint64_t* word(CoreStorage storage, std::size_t index) const {
    const CoreBlock& block = sites_->block(storage);
    return &limbs_[block.first_limb + index * block.limbs];
  }
  /// A register of at most 64 bits.
  std::uint64_t value(CoreStorage storage) const { return *word(storage, 0); }

  /// All words of one storage.
  std::span<std::uint64_t> all(CoreStorage storage) {
    return {word(storage, 0), sites_->block(storage).all_limbs()};
  }
  std::span<const std::uint64_t> all(CoreStorage storage) const {
    return {word(storage, 0), sites_->block(storage).all_limbs()};
  }
  /// What the arrays of boot hold, and all the rest.
  std::span<const std::uint64_t> booted() const { return {limbs_.data(), sites_->boot_limbs()}; }
  std::span<std::uint64_t> running() { return std::span(limbs_).subspan(sites_->boot_limbs()); }
  std::span<const std::uint64_t> running() const {
    return std::span(limbs_).subspan(sites_->boot_limbs());
  }

  bool bit(const CoreSite& site) const {
    return (word(site.storage, site.word)[site.bit / 64] >> (site.bit % 64) & 1) != 0;
  }
  void flip(const CoreSite& site) {
    word(site.storage, site.word)[site.bit / 64] ^= std::uint64_t{1} << (site.bit % 64);
  }
  /// The field of one lane that the bit is of; of a field of more than 64 bits, those around it.
  std::uint64_t field(const CoreSite& site) const;

  friend bool operator==(const CoreState& x, const CoreState& y) { return x.limbs_ == y.limbs_; }

 private:
  const CoreSites* sites_;
  std::vector<std::uint64_t> limbs_;
};

}  // namespace tilestrike::sim
