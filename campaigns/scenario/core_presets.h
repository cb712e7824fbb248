// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Published fault models of spiking networks as bits of a neuromorphic core.
#pragma once

#include <string>
#include <vector>

#include "base/document.h"
#include "base/error.h"

namespace tilestrike::campaigns {

struct CorePreset {
  const char* name;
  const char* about;
  /// The keys of a strike that it stands for, as YAML in one line; empty: no bit of a core is it.
  const char* strike;
};
const std::vector<CorePreset>& core_presets();

/// Writes what `strike.preset` stands for into the strike of a scenario, in place of defaults;
/// refuses other keys that say the same.
void expand_preset(Value& document, ErrorList& errors);

}  // namespace tilestrike::campaigns
