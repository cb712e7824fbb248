// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A chip of neuromorphic cores as a study knows it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/fault.h"
#include "base/ids.h"
#include "sim/core/core_sites.h"

namespace tilestrike::bridge {

/// Sites of the chip are those of its cores, core by core. StudyFacts::memories are then the arrays
/// of the cores, in the order of sim::CoreStorage, a core to each bank.
struct StudyCores {
  explicit StudyCores(const sim::CoreConfig& config) : sites(config) {}

  sim::CoreSites sites;             // of one core
  std::vector<std::string> layers;  // by core: whose neurons are in it
  /// By image: the cycle at which each chip tick begins, the lead-in first; then that of the
  /// readout, and the end of the inference.
  std::vector<std::vector<Cycle>> ticks;

  std::size_t cores() const { return layers.size(); }
  Cycle cycles(ImageId image) const { return ticks[static_cast<std::size_t>(image.value)].back(); }
  std::uint64_t total_bits() const { return cores() * sites.total_bits(); }
  SiteId id_of(std::size_t core, SiteId site) const {
    return SiteId(core * sites.total_bits() + site.value);
  }
  std::size_t core_of(SiteId site) const { return site.value / sites.total_bits(); }
  SiteId within_core(SiteId site) const { return SiteId(site.value % sites.total_bits()); }
};

}  // namespace tilestrike::bridge
