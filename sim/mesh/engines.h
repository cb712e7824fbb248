// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The mesh engines of builtin_engines(), and what they share; for use inside of sim/ and rtl/.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/mesh/engine.h"

namespace tilestrike::sim {

std::unique_ptr<MeshEngine> make_stepped_engine();
std::unique_ptr<MeshEngine> make_wavefront_engine();
std::unique_ptr<MeshEngine> make_systemc_engine();
std::unique_ptr<MeshEngine> make_closed_form_engine();

/// The sites of the mesh that was asked for last: an engine mostly sees one mesh.
class LastSites {
 public:
  const MeshSites& of(const MeshConfig& config) {
    if (!sites_ || !(config_ == config)) {
      config_ = config;
      sites_.emplace(config);
    }
    return *sites_;
  }

 private:
  MeshConfig config_;
  std::optional<MeshSites> sites_;
};

/// The faults of a job in the order in which they act on one register within one cycle: flips
/// first, since a stuck-at holds its bit after them; stuck-ats as they arrive.
std::vector<RegisterFault> in_order_of_effect(std::span<const RegisterFault> faults);

}  // namespace tilestrike::sim
