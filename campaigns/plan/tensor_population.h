// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on the words of a network's tensors: what all of them have in common.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/tensor_store.h"
#include "campaigns/plan/population.h"

namespace tilestrike::campaigns {

/// Bits that do alike to the number that they belong to: "sign", "top exponent bit", "exponent",
/// "mantissa" of floating point; "bit 7", "bit 6", "bit 5" and "low bits" of int8, and so on for
/// other integers and fixed point. This is the name of one bit's.
std::string bit_stratum_of(const NumberFormat& format, int bit);

/// What strikes are on, of all that a network stores.
struct StruckRoles {
  bool constants = false;    // what no inference computes
  bool activations = false;  // or membranes; with constants: one inference of one image meets both
};

class TensorPopulation : public Population {
 public:
  // Of what `where` means, or the list names.
  std::uint64_t words() const { return words_; }
  std::uint64_t bits() const { return bits_; }  // none where faults are listed
  /// The shares of the strata among the struck bits of these stores, in the order of strata().
  std::vector<double> stratum_weights(const std::vector<StoreId>& stores) const;
  /// What a trial counts among all.
  double weight_of(const DrawnWords& drawn) const {
    return weight() * allocation().weight(drawn.stratum);
  }

  double weight_of(const DrawnTrial& drawn, std::optional<bool>) const override {
    return weight_of(drawn.words);
  }
  std::string stratum_name(const DrawnTrial& drawn) const override;
  std::vector<std::string> parts() const override;
  std::vector<StoreId> selected() const override;
  std::string lasts() const override;
  bool is_on_hardware() const override { return false; }
  std::string selection() const override;
  std::vector<std::string> formats() const override;
  std::optional<double> expected_per_word() const override;
  Weights strata_among(const Among& which) const override;
  Headings headings() const override { return {.part = "tensor"}; }
  bool is_told_by_part(double faults) const override { return faults == 1.0; }
  std::vector<std::string> not_modelled() const override;

 protected:
  /// What a constant alone has become stays until it is written again, for all images.
  TensorPopulation(const StrikeConfig& strike, const std::vector<TensorStore>& stores,
                   StruckRoles roles);

  struct Part {
    StoreId store;
    std::uint64_t first_bit = 0, first_word = 0;  // before this store
    std::uint64_t first_of_store = 0;             // the first of its words that is meant
    std::uint64_t words = 0;
    std::uint64_t mask = 0;
    std::vector<int> bits;                 // of `mask`
    std::vector<std::vector<int>> strata;  // of these, by strata()
  };
  const std::vector<TensorStore>& stores() const { return *stores_; }
  const std::vector<Part>& struck() const { return parts_; }
  /// A store that comes after those before.
  void add_store(Part part);
  /// Half of the trials go by the strata's sizes, half evenly, so that the few bits that matter are
  /// met often.
  void divide_bits();
  /// A fault after those before, by store and word. `mask`: its bits; `random`: a random value.
  static void add(const DrawnBit& bit, std::uint64_t mask, std::uint64_t random, DrawnWords& drawn);

 private:
  const std::vector<TensorStore>* stores_;
  StruckRoles roles_;
  std::vector<Part> parts_;
  std::uint64_t words_ = 0, bits_ = 0;
};

}  // namespace tilestrike::campaigns
