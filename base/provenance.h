// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where a number comes from: the tag that every physical input carries through to the reports
// (docs/technology_nodes.md).
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace tilestrike {

/// From the strongest to the weakest.
enum class Provenance {
  kPrimary,       // Q: read in the primary source
  kTranscribed,   // Q2: read in a transcription that names the primary source
  kMeasured,      // M: measured or enumerated for this project
  kDerived,       // D: by arithmetic from others
  kInterpolated,  // I: between others
  kExtrapolated,  // X: beyond others
  kRecalled,      // R: recalled, not checked
  kUnverified,    // q?: said to be quoted, not verified
  kAssumed,       // A: an assumption
  kUnknown,       // -: nothing is known, so there is no value
};

struct ProvenanceTerm {
  Provenance provenance;
  std::string_view tag;
  std::string_view help;
};

inline constexpr std::array<ProvenanceTerm, 10> kProvenanceTerms = {{
    {Provenance::kPrimary, "Q", "read in the primary source"},
    {Provenance::kTranscribed, "Q2", "read in a transcription that names the primary source"},
    {Provenance::kMeasured, "M", "measured or enumerated for this project"},
    {Provenance::kDerived, "D", "derived by arithmetic"},
    {Provenance::kInterpolated, "I", "interpolated"},
    {Provenance::kExtrapolated, "X", "extrapolated"},
    {Provenance::kRecalled, "R", "recalled, not checked"},
    {Provenance::kUnverified, "q?", "said to be quoted, not verified"},
    {Provenance::kAssumed, "A", "an assumption"},
    {Provenance::kUnknown, "-", "nothing is known: no value"},
}};

std::string_view tag_of(Provenance provenance);

/// Of a source such as "Q:WikiChip;A:aspect 1.46": parts between semicolons, each a tag or
/// "tag:where". The weakest part decides. Nothing when a part begins with no tag.
std::optional<Provenance> provenance_of(std::string_view source);

/// Whether a report may print the number as published: only what was read is.
inline bool is_published(Provenance provenance) { return provenance <= Provenance::kTranscribed; }

/// A number with its source.
struct Sourced {
  double value = 0.0;
  std::string source;  // as in the file: "Q2:UG116-BRAM"
  Provenance provenance = Provenance::kAssumed;
};

/// Whether there is a value at all. One that is unknown is 0, and is printed as '-'.
inline bool is_known(const Sourced& number) { return number.provenance != Provenance::kUnknown; }

}  // namespace tilestrike
