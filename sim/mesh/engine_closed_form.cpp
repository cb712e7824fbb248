// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The engine `closed_form`: by formula, and by replay where there is none.
#include "base/error.h"
#include "sim/mesh/closed_form.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/mesh_replay.h"

namespace tilestrike::sim {
namespace {

class ClosedFormEngine final : public MeshEngine {
 public:
  bool covers(const MeshJob& job) const override { return !job.wants_outputs; }
  MeshResult run(const MeshJob& job) override {
    TS_CHECK(covers(job), "closed_form computes what faults change, not all outputs");
    const MeshSites& sites = sites_.of(job.run->config());
    if (!closed_form_.has_formula(job, sites)) {
      return replay(job, sites);
    }
    MeshResult result;
    closed_form_.compute(result);
    return result;
  }
  bool has_own_way(const MeshJob& job) override {
    return closed_form_.has_formula(job, sites_.of(job.run->config()));
  }

 private:
  LastSites sites_;
  ClosedForm closed_form_;
};

}  // namespace

std::unique_ptr<MeshEngine> make_closed_form_engine() {
  return std::make_unique<ClosedFormEngine>();
}

}  // namespace tilestrike::sim
