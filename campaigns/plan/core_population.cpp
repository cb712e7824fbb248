// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/core_population.h"

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/plan/memory_population.h"

namespace tilestrike::campaigns {
namespace {

/// Fields that hold a signed number.
bool is_signed(const sim::CoreField& field) {
  return field.name == "synapse" || field.name == "threshold" || field.name == "bias" ||
         field.name == "reset" || field.name == "accumulator" || field.name == "membrane";
}

/// Bit `bit` of a field that is this value.
bool bit_of(FieldValue value, const sim::CoreField& field, int bit) {
  const bool is_sign = is_signed(field) && bit == field.bits - 1;
  return value == FieldValue::kLowest ? is_sign : value == FieldValue::kHighest && !is_sign;
}

}  // namespace

StrikeTimes core_times(const StrikeConfig& strike, const bridge::StudyFacts& study) {
  const std::optional<int>& tick = strike.where.core.tick;
  if (!tick) {
    return times_of(strike, study);
  }
  std::vector<CycleWindow> windows;
  for (const std::vector<Cycle>& ticks : study.cores->ticks) {
    const auto at = static_cast<std::size_t>(*tick) + 1;  // the lead-in comes first
    if (at + 2 >= ticks.size()) {
      fail(ErrorCode::kInvalidInput,
           "strike.where.core.tick: an inference has no tick " + std::to_string(*tick), "scenario",
           "its ticks are 0 to " + std::to_string(ticks.size() - 4));
    }
    windows.push_back({ticks[at], ticks[at + 1]});
  }
  return StrikeTimes::by_image(std::move(windows));
}

std::vector<std::size_t> selected_cores(const CoreSelection& selection,
                                        const bridge::StudyCores& cores) {
  std::vector<std::size_t> selected;
  for (const int core : selection.cores) {
    if (static_cast<std::size_t>(core) >= cores.cores()) {
      fail(ErrorCode::kInvalidInput,
           "strike.where.core.core: the network is on no core " + std::to_string(core), "scenario",
           "its cores are 0 to " + std::to_string(cores.cores() - 1));
    }
  }
  for (std::size_t core = 0; core < cores.cores(); ++core) {
    const bool is_named =
        selection.cores.empty() ||
        std::ranges::find(selection.cores, static_cast<int>(core)) != selection.cores.end();
    if (is_named &&
        (selection.layer.empty() || matches_glob(selection.layer, cores.layers[core]))) {
      selected.push_back(core);
    }
  }
  if (selected.empty()) {
    fail(ErrorCode::kNotFound,
         "strike.where.core.layer: no layer on the chosen cores matches '" + selection.layer + "'",
         "scenario", suggestion(selection.layer, cores.layers));
  }
  return selected;
}

std::vector<std::string> unstruck_of_cores() {
  return {"combinational logic",
          "the network between cores (ideal: no latches, nothing lost or late)",
          "the chip's sequencer and boot port",
          "the host and its readout",
          "layers beside the cores",
          "clock and reset trees"};
}

CorePopulation::CorePopulation(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : Population(strike, core_times(strike, study)),
      cores_(*study.cores),
      memories_(study.memories),
      warnings_(missed_windows(strike, study)) {
  const std::vector<std::size_t> chosen = selected_cores(strike.where.core, cores_);
  chosen_ = chosen.size();
  for (const std::size_t core : chosen) {
    for (const sim::CoreField& field : cores_.sites.fields()) {
      const std::uint64_t instances =
          cores_.sites.bits_of(field) / static_cast<std::uint64_t>(field.bits);
      if (strike.where.core.has(cores_.sites.block(field.storage), field) &&
          in_instance(field) > 0) {
        members_ += instances * in_instance(field);
        parts_.push_back({core, &field, members_});
      }
    }
  }
  TS_CHECK(members_ > 0, "a selection that was checked");
  if (static_cast<std::uint64_t>(strike.count) > members_) {
    fail(ErrorCode::kInvalidInput,
         "strike.count: " + std::to_string(strike.count) + " faults at different places, of " +
             std::to_string(members_),
         "scenario", "lower 'count' or widen 'where'");
  }
}

std::vector<int> CorePopulation::bits_of(const sim::CoreField& field) const {
  std::vector<int> bits;
  const std::vector<int>& asked = this->strike().where.core.bits;
  for (int bit = 0; bit < field.bits; ++bit) {
    if (asked.empty() || std::ranges::find(asked, bit) != asked.end()) {
      bits.push_back(bit);
    }
  }
  return bits;
}

std::uint64_t CorePopulation::in_instance(const sim::CoreField& field) const {
  if (is_whole()) {
    return 1;
  }
  const std::vector<int>& asked = strike().where.core.bits;
  return asked.empty() ? static_cast<std::uint64_t>(field.bits) : bits_of(field).size();
}

void CorePopulation::add(const Part& part, std::uint64_t number, FaultKind kind, CycleWindow when,
                         DrawnTrial& drawn) const {
  const sim::CoreField& field = *part.field;
  const auto width = static_cast<std::uint64_t>(field.bits);
  const auto add_bit = [&](std::uint64_t instance, int bit, FaultKind of_bit) {
    const sim::CoreSite site =
        cores_.sites.site_of(field, instance * width + static_cast<std::uint64_t>(bit));
    drawn.faults.push_back(
        {{cores_.id_of(part.core, cores_.sites.id_of(site)), of_bit, when}, true});
  };
  if (is_whole()) {
    for (int bit = field.bits - 1; bit >= 0; --bit) {
      const bool is_one = bit_of(strike().where.core.value, field, bit);
      add_bit(number, bit, is_one ? FaultKind::kStuckAt1 : FaultKind::kStuckAt0);
    }
  } else if (strike().where.core.bits.empty()) {
    add_bit(number / width, static_cast<int>(number % width), kind);
  } else {
    const std::vector<int> bits = bits_of(field);
    add_bit(number / bits.size(), bits[number % bits.size()], kind);
  }
}

void CorePopulation::add(std::uint64_t member, FaultKind kind, CycleWindow when,
                         DrawnTrial& drawn) const {
  const auto part = std::ranges::upper_bound(parts_, member, {}, &Part::end);
  const std::uint64_t before = part == parts_.begin() ? 0 : (part - 1)->end;
  add(*part, member - before, kind, when, drawn);
}

DrawnTrial CorePopulation::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  DrawnTrial drawn;
  RandomStream site_stream = streams.of(Purpose::kSite);
  RandomStream cycle_stream = streams.of(Purpose::kCycle);
  RandomStream kind_stream = streams.of(Purpose::kKind);
  const auto count = static_cast<std::uint64_t>(strike().count);
  for (const std::uint64_t index : draw_without_replacement(site_stream, members_, count)) {
    const FaultKind kind = kinds()[kind_stream.below(kinds().size())];
    const bool acts = kind_stream.below(2) == 0 || kind != FaultKind::kRandom;
    const std::size_t first = drawn.faults.size();
    add(index, kind, times().draw(cycle_stream, streams.image), drawn);
    for (std::size_t i = first; i < drawn.faults.size(); ++i) {
      drawn.faults[i].acts = acts;
    }
  }
  return drawn;
}

DrawnTrial CorePopulation::member(std::uint64_t index, FaultKind kind, CycleWindow when) const {
  DrawnTrial drawn;
  add(index, kind, when, drawn);
  return drawn;
}

bridge::ScrubPhases CorePopulation::scrub_phases(const TrialStreams& streams) const {
  return drawn_scrub_phases(memories_, streams);
}

std::string CorePopulation::text() const {
  return std::to_string(members_) + (is_whole() ? " fields of " : " bits of ") +
         std::to_string(chosen_) + (chosen_ == 1 ? " core" : " cores");
}

std::string CorePopulation::what() const {
  switch (strike().where.core.value) {
    case FieldValue::kOneBit:
      break;
    case FieldValue::kLowest:
      return "fields at their lowest value";
    case FieldValue::kHighest:
      return "fields at their highest value";
    case FieldValue::kZero:
      return "fields of 0";
  }
  return Population::what();
}

std::vector<std::string> CorePopulation::parts() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (std::ranges::find(names, part.field->name) == names.end()) {
      names.push_back(part.field->name);
    }
  }
  return names;
}

std::vector<std::string> CorePopulation::not_modelled() const {
  std::vector<std::string> names = unstruck_of_cores();
  const sim::CoreArrayEcc& ecc = cores_.sites.config().ecc;
  for (const auto& [name, kind] :
       {std::pair("synapses", ecc.synapses), std::pair("parameters", ecc.parameters)}) {
    if (kind != sim::EccKind::kNone) {
      names.push_back(std::string("check bits of ") + name + " (strike.where.core.memory: " + name +
                      " strikes them, too)");
    }
  }
  if (!is_persistent()) {
    names.emplace_back(kLatchWindows);
  }
  return names;
}

}  // namespace tilestrike::campaigns
