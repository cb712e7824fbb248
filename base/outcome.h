// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Outcomes of a trial and the closed list of places where a fault can be masked
// (docs/architecture.md, Outcomes).
#pragma once

#include <array>
#include <string_view>

namespace tilestrike {

/// In order of rising precedence: the highest that applies is the outcome.
enum class Outcome { kMasked, kCorrected, kSdc, kNonfinite, kDue };

enum class MaskedAt {
  kNowhere,         // not masked
  kUnchanged,       // the fault left the bit as it was: a stuck-at or random value that it had
  kIdle,            // struck while the hardware held nothing: between runs, or before a pass came
  kEmpty,           // no tensor lay in the struck cells
  kDead,            // the register or word held a value that no later output depends on
  kOverwritten,     // a memory word was written before it was read
  kTile,            // a live value differed, but no accumulator of the pass did
  kRequantisation,  // accumulators differed, the layer's stored output did not
  kNetwork,         // the layer's output differed, the network's answer did not
  kCore,            // a live value of a core differed, but no spike that left it did
  kReadout,         // spikes differed, the network's answer did not
};

struct Term {
  std::string_view name;
  std::string_view help;
};

inline constexpr std::array<Term, 5> kOutcomeTerms{{
    {"masked", "the network's answer equals the golden run's, bit for bit"},
    {"corrected", "ECC corrected the upset, and the answer equals the golden run's"},
    {"sdc", "silent data corruption: at least one output differs from the golden run's"},
    {"nonfinite", "NaN or Inf reached the output"},
    {"due", "detected, uncorrectable: ECC at a read, a hang or a crash of the hardware"},
}};

inline constexpr std::array<Term, 11> kMaskedAtTerms{{
    {"", "not masked"},
    {"unchanged", "the fault left the bit as it was: it already had the value"},
    {"idle", "no pass was in the struck register at that cycle"},
    {"empty",
     "no tensor lay in the struck memory cells; no axon or neuron of the network in the "
     "struck part of a core"},
    {"dead", "the struck value could reach no collected output, the struck word no reader"},
    {"overwritten", "a memory word was written before it was read"},
    {"tile", "a live value differed, but no accumulator did (it met a zero, or saturated)"},
    {"requantisation", "accumulators differed, the layer's requantised output did not"},
    {"network", "the layer's output differed, the network's answer did not"},
    {"core", "a live value of a neuromorphic core differed, but no spike that left it did"},
    {"readout", "spikes differed, but the membranes or spikes that make the answer did not"},
}};

inline std::string_view name_of(Outcome outcome) {
  return kOutcomeTerms[static_cast<std::size_t>(outcome)].name;
}
inline std::string_view name_of(MaskedAt place) {
  return kMaskedAtTerms[static_cast<std::size_t>(place)].name;
}

}  // namespace tilestrike
