// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/register_population.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"

namespace tilestrike::campaigns {
namespace {

/// Cycles in which a layer that matches `pattern` is on the mesh; the whole inference when empty.
std::vector<CycleWindow> struck_windows(const std::string& pattern,
                                        const bridge::StudyFacts& study) {
  if (pattern.empty()) {
    return {{0, study.cycles}};
  }
  std::vector<CycleWindow> windows;
  std::vector<std::string> names;
  for (const bridge::LayerSummary& layer : study.layers) {
    if (!layer.is_on_mesh) {
      continue;
    }
    names.push_back(layer.name);
    if (matches_glob(pattern, layer.name) && layer.mesh_cycles > 0) {
      windows.push_back({layer.first_cycle, layer.first_cycle + layer.mesh_cycles});
    }
  }
  if (windows.empty()) {
    fail(ErrorCode::kNotFound,
         "strike.where.mesh.layer: no layer on the mesh matches '" + pattern + "'", "scenario",
         suggestion(pattern, names));
  }
  std::sort(windows.begin(), windows.end(),
            [](const CycleWindow& x, const CycleWindow& y) { return x.from < y.from; });
  std::vector<CycleWindow> apart;
  for (const CycleWindow& window : windows) {
    if (!apart.empty() && window.from < apart.back().until) {
      apart.back().until = std::max(apart.back().until, window.until);
    } else {
      apart.push_back(window);
    }
  }
  return apart;
}

}  // namespace

RegisterPopulation::RegisterPopulation(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : Population(strike, times_of(strike, study, struck_windows(strike.where.mesh.layer, study))),
      all_(&study.sites),
      sites_(selected_sites(strike.where.mesh, study.sites)) {}

DrawnTrial RegisterPopulation::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  DrawnTrial drawn;
  RandomStream site_stream = streams.of(Purpose::kSite);
  RandomStream cycle_stream = streams.of(Purpose::kCycle);
  RandomStream kind_stream = streams.of(Purpose::kKind);
  const auto count = static_cast<std::uint64_t>(strike().count);
  for (const std::uint64_t site : draw_without_replacement(site_stream, sites_.size(), count)) {
    DrawnFault fault;
    fault.fault.site = sites_[site];
    fault.fault.kind = kinds()[kind_stream.below(kinds().size())];
    fault.acts = kind_stream.below(2) == 0 || fault.fault.kind != FaultKind::kRandom;
    fault.fault.when = times().draw(cycle_stream, streams.image);
    drawn.faults.push_back(fault);
  }
  return drawn;
}

DrawnTrial RegisterPopulation::member(std::uint64_t index, FaultKind kind, CycleWindow when) const {
  DrawnTrial drawn;
  drawn.faults.push_back({{sites_[index], kind, when}, true});
  return drawn;
}

std::vector<std::string> RegisterPopulation::parts() const {
  std::vector<bool> is_struck(all_->blocks().size());
  for (const SiteId site : sites_) {
    is_struck[static_cast<std::size_t>(all_->describe(site).kind)] = true;
  }
  std::vector<std::string> names;
  for (const sim::RegisterBlock& block : all_->blocks()) {
    if (is_struck[static_cast<std::size_t>(block.kind)]) {
      names.push_back(block.name);
    }
  }
  return names;
}

}  // namespace tilestrike::campaigns
