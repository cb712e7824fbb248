// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Proofs that take long run sampled, and whole where TILESTRIKE_WHOLE_PROOFS is set
// (CONTRIBUTING.md).
#pragma once

#include <cstdlib>

namespace tilestrike {

inline int proof_size(int whole, int sampled) {
  return std::getenv("TILESTRIKE_WHOLE_PROOFS") != nullptr ? whole : sampled;
}

}  // namespace tilestrike
