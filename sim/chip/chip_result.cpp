// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip_result.h"

#include <algorithm>
#include <map>
#include <set>

#include "sim/core/core_memory.h"

namespace tilestrike::sim {
namespace {

ChipCoreResult& entry_of(ChipResult& result, std::int32_t core) {
  const auto found = std::ranges::lower_bound(result.cores, core, {}, &ChipCoreResult::core);
  return found != result.cores.end() && found->core == core
             ? *found
             : *result.cores.insert(found, {core, false, false, {}});
}

void mark_fed(const ChipRun& run, ChipResult& result) {
  std::set<std::int32_t> fed;
  for (const ChipCoreResult& core : result.cores) {
    for (const CoreOutputChange& change : core.changes) {
      if (change.event.core < run.cores() && change.event.core != core.core) {
        fed.insert(change.event.core);
      }
    }
  }
  for (const std::int32_t core : fed) {
    entry_of(result, core).is_fed_otherwise = true;
  }
}

std::int32_t golden_events(const ChipRun& run, std::int32_t tick, std::int32_t output) {
  std::int32_t events = 0;
  for (std::int32_t core = 0; core < run.cores(); ++core) {
    events += static_cast<std::int32_t>(
        std::ranges::count_if(run.core(core).tick(tick).outputs, [&](const CoreOutput& sent) {
          return sent.event.core == kHostCore && sent.event.axon == output;
        }));
  }
  return events;
}

void add_outputs(const ChipRun& run, ChipResult& result) {
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> more;  // by tick and output
  for (const ChipCoreResult& core : result.cores) {
    for (const CoreOutputChange& change : core.changes) {
      if (change.event.core == kHostCore && change.event.axon < run.chip().outputs()) {
        more[{change.tick, change.event.axon}] += change.faulty - change.golden;
      }
    }
  }
  for (const auto& [place, events] : more) {
    if (events != 0) {
      const std::int32_t golden = golden_events(run, place.first, place.second);
      result.outputs.push_back({place.first, place.second, golden, golden + events});
    }
  }
}

void count_spikes(const ChipRun& run, ChipResult& result) {
  for (const ChipCoreResult& core : result.cores) {
    std::set<std::pair<std::int32_t, std::int32_t>> spikes;  // by tick and neuron
    for (const CoreOutputChange& change : core.changes) {
      const std::int32_t neuron = run.chip().sender_of(core.core, change.tick, change.event);
      if (neuron >= 0) {
        spikes.emplace(change.tick, neuron);
      } else {
        result.misrouted += change.faulty - change.golden;
      }
      result.first_tick =
          result.first_tick < 0 ? change.tick : std::min(result.first_tick, change.tick);
    }
    result.changed_spikes += static_cast<std::int64_t>(spikes.size());
    result.changed_struck += core.is_struck ? static_cast<std::int64_t>(spikes.size()) : 0;
  }
}

std::string sentence_of(const ChipRun& run, const ChipCoreResult& core) {
  std::int64_t more = 0, fewer = 0;
  for (const CoreOutputChange& change : core.changes) {
    more += std::max(change.faulty - change.golden, 0);
    fewer += std::max(change.golden - change.faulty, 0);
  }
  const std::string what = core.is_struck && core.is_fed_otherwise ? ", struck and fed otherwise,"
                           : core.is_struck                        ? ", struck,"
                           : core.is_fed_otherwise                 ? ", fed otherwise,"
                                                                   : "";
  std::string text = "Core " + std::to_string(core.core) + what;
  if (core.changes.empty()) {
    return text + " sends as golden.";
  }
  text += " sends " + std::to_string(more) + " events more and " + std::to_string(fewer) +
          " fewer, first in tick " + std::to_string(core.changes.front().tick) + " of " +
          std::to_string(run.ticks()) + ".";
  return text;
}

std::string when_of(const ChipRun& run, Cycle cycle) {
  if (cycle < 1 || cycle > run.cycles()) {
    return "outside of the inference";
  }
  const CoreMoment moment = run.moment_of(cycle);
  return "edge " + std::to_string(moment.edge) + " of " +
         (moment.tick < 0              ? "the lead-in"
          : moment.tick == run.ticks() ? "the readout"
                                       : "tick " + std::to_string(moment.tick));
}

}  // namespace

void add_report(const CoreEccReport& report, std::int32_t core, ChipResult& result) {
  const bool is_first =
      report.detected > 0 && (result.ecc.detected == 0 || report.tick < result.ecc.tick);
  const std::int64_t corrected = result.ecc.corrected + report.corrected;
  const std::int64_t detected = result.ecc.detected + report.detected;
  if (is_first) {
    result.ecc = report;
    result.ecc_core = core;
  }
  result.ecc.corrected = corrected;
  result.ecc.detected = detected;
}

void complete(const ChipRun& run, ChipResult& result) {
  std::ranges::sort(result.cores, {}, &ChipCoreResult::core);
  mark_fed(run, result);
  add_outputs(run, result);
  count_spikes(run, result);
}

bool has_golden_answer(const ChipRun& run, const ChipResult& result) {
  return !result.hung && result.outputs.empty() && result.readout == run.readout();
}

std::vector<std::string> story_of(const ChipRun& run, const ChipJob& job,
                                  const ChipResult& result) {
  std::vector<std::string> lines;
  for (const RegisterFault& fault : job.faults) {
    lines.push_back("A " + std::string(name_of(fault.kind)) + " of " + run.chip().text(fault.site) +
                    " from " + when_of(run, fault.when.from) + " on.");
  }
  for (const CellFault& cell : job.cells) {
    const auto storage = static_cast<CoreStorage>(cell.memory % kCoreMemories);
    lines.push_back("A " + std::string(name_of(cell.kind)) + " of core " +
                    std::to_string(cell.memory / kCoreMemories) + " " +
                    run.chip().core_sites().block(storage).name + " codeword " +
                    std::to_string(cell.bit.codeword.value) + " bit " +
                    std::to_string(cell.bit.bit) + " from " + when_of(run, cell.when.from) +
                    " on.");
  }
  lines.push_back(result.before == result.after
                      ? "No bit changed."
                      : "The first field that changed was " + std::to_string(result.before) +
                            " and became " + std::to_string(result.after) +
                            (result.activated ? "." : ", which nothing reads."));
  if (result.ecc.corrected + result.ecc.detected > 0) {
    lines.push_back("ECC corrected " + std::to_string(result.ecc.corrected) + " reads and found " +
                    std::to_string(result.ecc.detected) + " that it could not correct.");
  }
  if (result.hung) {
    lines.push_back("A core hung; the chip gave no answer.");
    return lines;
  }
  for (const ChipCoreResult& core : result.cores) {
    lines.push_back(sentence_of(run, core));
  }
  if (result.misrouted > 0) {
    lines.push_back(std::to_string(result.misrouted) +
                    " events went where no route of their core leads.");
  }
  lines.push_back(has_golden_answer(run, result) ? "The answer is golden."
                                                 : "The answer differs from golden.");
  return lines;
}

}  // namespace tilestrike::sim
