// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A campaign: a scenario file, what --set changes of it, and the points of its sweep.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/document.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

/// A value for the dotted address of a key of the expanded scenario; `*` is every entry of a map.
struct Setting {
  std::string address;
  Value value;
};

/// Reads "address=value"; the value is YAML. `flag` is its place in errors. Throws Failure.
Setting parse_setting(const std::string& text, const std::string& flag);

/// One scenario of a campaign.
struct Point {
  std::string label;  // "accelerator.mesh.rows=8, seed=2"; empty without a sweep
  Scenario scenario;
  Value document;  // expanded
};

struct Campaign {
  Value document;  // expanded, with the sweep; reading it gives the same campaign
  std::vector<Point> points;
};

/// Reads `document`, applies the settings in order, and expands the sweep: its lists multiply,
/// those under `zip` go in step. `engines`: that scenarios may name. Throws Failure with all
/// errors.
Campaign read_campaign(Value document, const sim::EngineSet& engines,
                       const std::vector<Setting>& settings = {});

Campaign load_campaign(const std::string& path, const sim::EngineSet& engines,
                       const std::vector<Setting>& settings = {});

/// The first key that differs between two expanded campaigns, as "key: 'a', not 'b'"; nothing when
/// they are the same campaign. Keys that change no trial (trials, until, device) are not looked at.
std::optional<std::string> first_difference(const Value& stored, const Value& given);

/// `key: value` of every leaf of the sweep and the scenario, for help: name, type, default, range.
std::vector<FieldHelp> campaign_help(const sim::EngineSet& engines);

}  // namespace tilestrike::campaigns
