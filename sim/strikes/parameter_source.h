// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Where the default of a parameter comes from.
#pragma once

namespace tilestrike::sim {

struct ParameterSource {
  const char* key;     // of the scenario
  const char* source;  // the tag of base/provenance.h and what it rests on
};

}  // namespace tilestrike::sim
