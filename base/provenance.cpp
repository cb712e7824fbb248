// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/provenance.h"

#include <algorithm>

namespace tilestrike {

std::string_view tag_of(Provenance provenance) {
  return kProvenanceTerms[static_cast<std::size_t>(provenance)].tag;
}

std::optional<Provenance> provenance_of(std::string_view source) {
  Provenance weakest = Provenance::kPrimary;
  for (std::size_t start = 0; start <= source.size();) {
    const std::size_t end = std::min(source.find(';', start), source.size());
    const std::string_view part = source.substr(start, end - start);
    const std::string_view tag = part.substr(0, part.find(':'));
    const auto term = std::find_if(kProvenanceTerms.begin(), kProvenanceTerms.end(),
                                   [&](const ProvenanceTerm& known) { return known.tag == tag; });
    if (term == kProvenanceTerms.end()) {
      return std::nullopt;
    }
    weakest = std::max(weakest, term->provenance);
    start = end + 1;
  }
  return weakest;
}

}  // namespace tilestrike
