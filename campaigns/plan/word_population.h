// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Bits or words of tensors, uniformly: a number of them, or each with a probability.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "campaigns/plan/tensor_population.h"

namespace tilestrike::campaigns {

/// Where a trial is one faulty bit, trials are shared between bits that do alike.
class WordPopulation final : public TensorPopulation {
 public:
  /// Throws Failure: a glob that matches nothing, a field that a format does not have, more faults
  /// than there are bits.
  WordPopulation(const StrikeConfig& strike, const std::vector<TensorStore>& stores);

  /// Bits, or words where a fault takes a whole word.
  std::uint64_t members() const override { return takes_words_ ? words() : bits(); }
  std::string text() const override;
  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;
  DrawnTrial member(std::uint64_t index, FaultKind kind, CycleWindow when) const override;

 private:
  void draw_in(std::size_t stratum, const TrialStreams& streams, DrawnWords& drawn) const;
  void draw_anywhere(const TrialStreams& streams, DrawnWords& drawn) const;
  const Part& part_of_bit(std::uint64_t index) const;
  std::uint64_t count_of(RandomStream& stream) const;

  bool takes_words_ = false;
  double probability_ = 0.0;  // of a rate, per member
};

}  // namespace tilestrike::campaigns
