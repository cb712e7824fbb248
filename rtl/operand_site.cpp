// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/operand_site.h"

namespace tilestrike::rtl {
namespace {

using sim::Register;

std::optional<OperandSite> within(const sim::MeshSite& site, int pass, std::int64_t index,
                                  std::int64_t count) {
  if (pass < 0 || index < 0 || index >= count) {
    return std::nullopt;
  }
  return OperandSite{site, pass, static_cast<int>(index)};
}

}  // namespace

std::optional<OperandSite> operand_site(const sim::MeshRun& run, const sim::MeshSites& sites,
                                        const RegisterFault& fault) {
  sim::MeshSite site = sites.describe(fault.site);
  const std::int64_t wavefront = fault.when.from - 1 - sites.delay(site);
  if (fault.kind != FaultKind::kFlip || wavefront < 0 || fault.when.from > run.cycles()) {
    return std::nullopt;
  }
  const bool is_ws = run.config().is_weight_stationary();
  const int rows = run.config().rows;
  const sim::Window window = run.window(run.window_of(wavefront));
  const std::int64_t step = wavefront - window.start;
  const std::int64_t streamed = window.streams < 0 ? 0 : run.steps(window.streams);
  // What is `above` rows further on its way down the chain of shadow registers than the mesh's top
  // edge ends, once the window is over, at this row (docs/mesh.md, "What a flip does").
  const auto loaded = [&](std::int64_t above) {
    return is_ws && above < step ? within(site, window.loads, above + window.length - step, rows)
                                 : std::nullopt;
  };
  switch (site.kind) {
    case Register::kActivation:
    case Register::kSkewActivation:
    case Register::kVertical:
    case Register::kSkewVertical:
      return within(site, window.streams, step, streamed);
    case Register::kOutput:
    case Register::kDeskew:
      if (is_ws) {
        return within(site, window.streams, step, streamed);
      }
      return window.drains < 0 ? std::nullopt
                               : within(site, window.drains, rows - 1 - step,
                                        run.passes()[static_cast<std::size_t>(window.drains)].rows);
    case Register::kStationary0:
    case Register::kStationary1: {
      const bool is_active = (site.kind == Register::kStationary1) == window.propagate;
      site.kind = is_active ? Register::kStationary0 : Register::kStationary1;
      return is_active ? within(site, window.streams, step, streamed) : loaded(site.row);
    }
    case Register::kLoad:
      return loaded(site.row - 1);
    case Register::kSkewLoad:
      return loaded(-1);
    case Register::kValid:
    case Register::kPropagate:
    case Register::kSkewValid:
    case Register::kSkewPropagate:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace tilestrike::rtl
