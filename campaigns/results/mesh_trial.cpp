// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/mesh_trial.h"

#include "campaigns/results/core_trial.h"

namespace tilestrike::campaigns {

const Table<MeshTrial>& mesh_table() {
  using R = MeshTrial;
  static const Table<R> table = table_of_trials<R>(
      "mesh_trials", "a trial that strikes registers of the mesh",
      {
          column("row", &R::row, "of the first fault; null where the register belongs to a column"),
          column("column", &R::column, "null where the register belongs to a row"),
          column("position", &R::position, "along a skew or deskew chain"),
          column("cycle", &R::cycle, "of the inference"),
          column("until", &R::until, "first cycle after the fault; null: for ever"),
          column("pass", &R::pass, "first tile pass struck"),
          column("step", &R::step, "wavefront of that pass"),
          column("before", &R::before, "struck register's word"),
          column("after", &R::after, "the same after the fault"),
      });
  return table;
}

MeshTrial mesh_trial(const FaultRecord& first, const Judged& judged) {
  MeshTrial trial;
  trial.row = first.row;
  trial.column = first.column;
  trial.position = first.position;
  trial.cycle = first.cycle;
  trial.until = first.until;
  trial.pass = known(judged.first.pass);
  trial.step = known(judged.first.step);
  trial.before = static_cast<std::int64_t>(judged.first.before);
  trial.after = static_cast<std::int64_t>(judged.first.after);
  return trial;
}

FaultRecord fault_record(const DrawnFault& drawn, const bridge::StudyFacts& study) {
  const sim::MeshSite site = study.sites.describe(drawn.fault.site);
  FaultRecord record;
  record.structure = kMeshStructure;
  record.register_name = study.sites.block(site.kind).name;
  record.row = known(site.row);
  record.column = known(site.column);
  record.position = site.position;
  record.bit = site.bit;
  record.fault = drawn.fault.kind;
  record.set_when(drawn.fault.when);
  record.acts = drawn.acts;
  return record;
}

std::vector<std::string> describe_mesh(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  std::vector<std::string> lines;
  for (const DrawnFault& fault : drawn.faults) {
    lines.push_back((study.cores ? core_site_text(fault.fault.site, *study.cores)
                                 : study.sites.text(fault.fault.site)) +
                    ": " + std::string(name_of(fault.fault.kind)) + when_text(fault.fault.when) +
                    (fault.acts ? "" : " (the value that the bit already has)"));
  }
  return lines;
}

}  // namespace tilestrike::campaigns
