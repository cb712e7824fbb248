// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/core_trial.h"

#include "base/error.h"

namespace tilestrike::campaigns {

const Table<CoreTrial>& core_table() {
  using R = CoreTrial;
  static const Table<R> table = table_of_trials<R>(
      "core_trials", "a trial that strikes neuromorphic cores",
      with_end<R>(
          {
              column("core", &R::core, "of the first fault"),
              column("word", &R::word, "of its array; 0 of a register"),
              column("lane", &R::lane, "of that word; null where it has none"),
              column("neuron", &R::neuron,
                     "of the layer, that the struck bit belongs to; null where it is no one's"),
              column("input", &R::input, "of the layer, the same"),
              column("tick", &R::tick, "chip tick of the first strike; null: in the lead-in"),
              column("cycle", &R::cycle, "of the inference"),
              column("until", &R::until, "first cycle after the fault; null: for ever"),
              column("before", &R::before, "the struck field"),
              column("after", &R::after, "the same after the fault"),
              column("changed_spikes", &R::changed_spikes,
                     "of struck cores: spikes, by neuron and tick, more or less than golden"),
              column("changed_behind", &R::changed_behind, "the same of all other cores"),
              column("first_changed", &R::first_changed, "tick of the first of these; null: none"),
              column("misrouted", &R::misrouted,
                     "events that went where no golden route of their neuron goes"),
              column("cores_simulated", &R::cores_simulated, "that the engine computed"),
          },
          "bits"));
  return table;
}

CoreTrial core_trial(const FaultRecord& first, const Judged& judged,
                     AfterDetection after_detection) {
  CoreTrial trial;
  trial.core = first.core;
  trial.word = first.word;
  trial.lane = first.lane;
  trial.cycle = first.cycle;
  trial.until = first.until;
  trial.before = static_cast<std::int64_t>(judged.first.before);
  trial.after = static_cast<std::int64_t>(judged.first.after);
  trial.set_end(judged, after_detection);
  if (const auto& found = judged.first.cores) {
    trial.neuron = known(found->neuron);
    trial.input = known(found->input);
    trial.tick = known(found->tick);
    trial.changed_spikes = found->changed_spikes;
    trial.changed_behind = found->changed_behind;
    trial.first_changed = known(found->first_changed);
    trial.misrouted = found->misrouted;
    trial.cores_simulated = found->cores_simulated;
  }
  return trial;
}

FaultRecord core_fault_record(const DrawnFault& drawn, const bridge::StudyCores& cores) {
  const sim::CoreSite site = cores.sites.describe(cores.within_core(drawn.fault.site));
  const sim::CoreBlock& block = cores.sites.block(site.storage);
  const sim::CoreField& field = cores.sites.field_of(site);
  FaultRecord record;
  record.structure = field.name;
  record.register_name = block.name;
  record.core = static_cast<std::int64_t>(cores.core_of(drawn.fault.site));
  record.word = site.word;
  if (block.lanes > 1) {
    record.lane = cores.sites.lane_of(site);
  }
  record.bit = site.bit % block.lane_bits() - field.first;
  record.fault = drawn.fault.kind;
  record.set_when(drawn.fault.when);
  record.acts = drawn.acts;
  return record;
}

std::string core_site_text(SiteId site, const bridge::StudyCores& cores) {
  return "core " + std::to_string(cores.core_of(site)) + " " +
         cores.sites.text(cores.within_core(site));
}

}  // namespace tilestrike::campaigns
