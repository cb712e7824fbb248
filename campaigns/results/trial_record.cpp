// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/trial_record.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

Cell known(std::int64_t number) { return number < 0 ? Cell{} : Cell{number}; }
Cell text(std::string_view value) { return Cell{std::string(value)}; }
Cell flag(bool value) { return Cell{std::int64_t{value ? 1 : 0}}; }
Cell word(std::uint64_t value) { return Cell{static_cast<std::int64_t>(value)}; }
Cell blob(std::vector<float> values) { return values.empty() ? Cell{} : Cell{std::move(values)}; }

/// Columns structure to `until` of one fault.
std::vector<Cell> fault_cells(const DrawnFault& drawn, const sim::MeshSites& sites) {
  const RegisterFault& fault = drawn.fault;
  const sim::MeshSite site = sites.describe(fault.site);
  return {text(kMeshStructure),
          text(sites.block(site.kind).name),
          Cell{},
          Cell{},
          known(site.row),
          known(site.column),
          Cell{std::int64_t{site.position}},
          Cell{std::int64_t{site.bit}},
          text(name_of(fault.kind)),
          Cell{fault.when.from},
          fault.when.is_permanent() ? Cell{} : Cell{fault.when.until}};
}

std::vector<Cell> fault_cells(const DrawnBit& bit, const bridge::StudyFacts& study) {
  const TensorStore& store = study.stores[bit.store.value];
  return {text(name_of(store.role)),
          text(store.name),
          word(bit.word),
          Cell{},
          Cell{},
          Cell{},
          Cell{},
          bit.bit < 0 ? Cell{} : Cell{std::int64_t{bit.bit}},
          text(name_of(bit.kind)),
          Cell{},
          Cell{}};
}

/// Of a memory cell, given with the fault that acts on it.
std::vector<Cell> cell_cells(const CellFault& fault, const sim::Cell& cell,
                             const bridge::StudyMemory& memory) {
  return {text(memory.name),
          text(""),
          word(fault.bit.codeword.value),
          Cell{std::int64_t{cell.bank}},
          Cell{std::int64_t{cell.row}},
          Cell{std::int64_t{cell.column}},
          Cell{},
          Cell{std::int64_t{fault.bit.bit}},
          text(name_of(fault.kind)),
          Cell{fault.when.from},
          fault.when.is_permanent() ? Cell{} : Cell{fault.when.until}};
}

/// Columns structure to `until`: of the struck cell, or of the first fault of another strike.
std::vector<Cell> first_fault_cells(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  if (!drawn.words.first.empty()) {
    return fault_cells(drawn.words.first.front(), study);
  }
  if (!drawn.faults.empty()) {
    return fault_cells(drawn.faults.front(), study.sites);
  }
  const DrawnStrike& strike = *drawn.strike;
  if (strike.first) {
    return cell_cells(*strike.first, strike.struck, study.memories[strike.first->memory]);
  }
  for (const DrawnCell& cell : strike.cells) {
    const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
    const sim::ArrayGeometry geometry(memory.config.array());
    if (geometry.cell_of(cell.fault.bit) == strike.struck && cell.fault.when.from == strike.cycle) {
      return cell_cells(cell.fault, strike.struck, memory);
    }
  }
  TS_CHECK(false, "a strike without its struck cell");
  return {};
}

/// The same of a trial: where it may strike several memories, it is one of all of them, and its
/// place says in which of them it lies.
std::vector<Cell> first_cells(const DrawnTrial& drawn, const bridge::StudyFacts& study,
                              const Plan& plan) {
  std::vector<Cell> cells = first_fault_cells(drawn, study);
  if (is_in_memory(drawn) && plan.memories()->strikes_several()) {
    cells[1] = cells[0];
    cells[0] = text(plan.memories()->structure_name(*drawn.strike));
  }
  return cells;
}

/// The weight of a trial in rates.
double weight_of(const DrawnTrial& drawn, const Plan& plan, const Judged& judged) {
  if (plan.tensors() != nullptr) {
    return plan.tensors()->weight_of(drawn.words);
  }
  if (!drawn.strike) {
    return plan.weight();
  }
  return judged.stored ? drawn.strike->weight * sim::stored_value_weight(
                                                    *plan.memories()->zero_to_one(), *judged.stored)
                       : drawn.strike->weight;
}

/// Columns corrected to later_due.
std::vector<Cell> memory_cells(const DrawnTrial& drawn, const Judged& judged,
                               AfterDetection after_detection) {
  if (!is_in_memory(drawn)) {
    return std::vector<Cell>(7);
  }
  const bool has_later = !judged.later.empty();
  return {Cell{judged.corrected},
          Cell{judged.detected},
          text(name_of(judged.without_stop)),
          flag(judged.outlives),
          has_later ? Cell{static_cast<std::int64_t>(judged.later.size())} : Cell{},
          has_later ? Cell{judged.later_wrong(after_detection)} : Cell{},
          has_later ? Cell{judged.later_due()} : Cell{}};
}

std::string stratum_text(const DrawnTrial& drawn, const Plan& plan) {
  if (drawn.words.stratum) {
    return plan.tensors()->strata()[*drawn.words.stratum].name;
  }
  if (!drawn.strike || !drawn.strike->group) {
    return "";
  }
  return plan.memories()->groups()[*drawn.strike->group].text;
}

Row trial_row(std::int64_t scenario, TrialId trial, const DrawnTrial& drawn,
              const bridge::StudyFacts& study, const Plan& plan, const Judged& judged,
              const std::string& engine) {
  const bridge::TrialResult& result = judged.first;
  const bool is_masked = judged.outcome == Outcome::kMasked;
  const bool is_on_mesh = plan.tensors() == nullptr;
  const bool is_in_cells = is_in_memory(drawn);
  Row row = {
      Cell{scenario},
      word(trial.value),
      Cell{weight_of(drawn, plan, judged)},
      text(stratum_text(drawn, plan)),
      drawn.strike && drawn.strike->radiation ? text(name_of(*drawn.strike->radiation)) : Cell{},
      drawn.image ? Cell{drawn.image->value} : Cell{},
  };
  const std::vector<Cell> first = first_cells(drawn, study, plan);
  row.insert(row.end(), first.begin(), first.end());
  const std::uint64_t faults = !is_on_mesh   ? drawn.words.count
                               : is_in_cells ? drawn.strike->cells.size()
                                             : drawn.faults.size();
  row.insert(row.end(), {
                            word(faults),
                            is_in_cells ? word(faults) : Cell{},
                            is_in_cells ? Cell{drawn.strike->codewords} : Cell{},
                            drawn.strike ? Cell{drawn.strike->events} : Cell{},
                            judged.stored ? flag(*judged.stored) : Cell{},
                            flag(judged.activated > 0),
                            text(is_masked ? name_of(judged.masked_at) : ""),
                            text(name_of(judged.outcome)),
                        });
  for (const Rate rate : kRefinements) {
    row.push_back(flag(judged.any[rate]));
  }
  row.push_back(flag(judged.hung));
  const std::vector<Cell> of_memory = memory_cells(drawn, judged, plan.after_detection());
  row.insert(row.end(), of_memory.begin(), of_memory.end());
  row.insert(row.end(), {
                            text(result.layer),
                            known(result.pass),
                            known(result.step),
                            word(result.before),
                            word(result.after),
                            Cell{result.changed_accumulators},
                            Cell{result.changed_outputs},
                            Cell{result.changed_words},
                            Cell{judged.relative_l2},
                            Cell{judged.passes_simulated},
                            text(is_on_mesh ? engine : ""),
                            Cell{},  // audit: filled in where the trial is audited
                            known(result.judgement.golden_class),
                            known(result.judgement.faulty_class),
                            Cell{judged.images},
                            Cell{judged.activated},
                        });
  for (const std::int64_t images : judged.images_of) {
    row.push_back(Cell{images});
  }
  row.push_back(known(judged.correct));
  row.push_back(known(judged.golden_correct));
  row.push_back(blob(result.logits));
  TS_CHECK(row.size() == trial_columns().size(), "a row that does not fit its columns");
  return row;
}

Row fault_row(std::int64_t scenario, TrialId trial, std::size_t number,
              const std::vector<Cell>& cells, bool acts) {
  Row row = {Cell{scenario}, word(trial.value), Cell{static_cast<std::int64_t>(number)}};
  row.insert(row.end(), cells.begin(), cells.end());
  row.push_back(flag(acts));
  TS_CHECK(row.size() == fault_columns().size(), "a row that does not fit its columns");
  return row;
}

std::vector<Row> fault_rows(std::int64_t scenario, TrialId trial, const DrawnTrial& drawn,
                            const bridge::StudyFacts& study) {
  std::vector<Row> rows;
  for (std::size_t i = 0; i < std::min(drawn.faults.size(), kMostFaultRows); ++i) {
    rows.push_back(fault_row(scenario, trial, i, fault_cells(drawn.faults[i], study.sites),
                             drawn.faults[i].acts));
  }
  for (std::size_t i = 0; i < std::min(drawn.words.first.size(), kMostFaultRows); ++i) {
    rows.push_back(fault_row(scenario, trial, i, fault_cells(drawn.words.first[i], study), true));
  }
  const std::size_t cells = drawn.strike ? drawn.strike->cells.size() : 0;
  for (std::size_t i = 0; i < std::min(cells, kMostFaultRows); ++i) {
    const DrawnCell& cell = drawn.strike->cells[i];
    const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
    const sim::Cell place = sim::ArrayGeometry(memory.config.array()).cell_of(cell.fault.bit);
    rows.push_back(fault_row(scenario, trial, i, cell_cells(cell.fault, place, memory), cell.acts));
  }
  return rows;
}

}  // namespace

bool is_in_memory(const DrawnTrial& drawn) {
  return drawn.strike && (drawn.strike->first || !drawn.strike->cells.empty());
}

Row outcome_row(std::int64_t scenario, TrialId trial, ImageId image,
                const bridge::TrialResult& result) {
  const bridge::Judgement& judgement = result.judgement;
  const RateArray<bool> rates = rates_of(judgement);
  Row row = {Cell{scenario},
             word(trial.value),
             Cell{image.value},
             text(name_of(judgement.outcome)),
             flag(rates[Rate::kSdc1]),
             flag(rates[Rate::kSdc5]),
             flag(rates[Rate::kSdc10]),
             flag(rates[Rate::kSdc20]),
             text(result.layer),
             Cell{result.changed_accumulators},
             Cell{result.changed_outputs},
             known(judgement.golden_class),
             known(judgement.faulty_class),
             blob(result.logits)};
  TS_CHECK(row.size() == outcome_columns().size(), "a row that does not fit its columns");
  return row;
}

TrialRecord record_of(std::int64_t scenario, TrialId trial, const DrawnTrial& drawn,
                      const bridge::StudyFacts& study, const Plan& plan, const Judged& judged,
                      const std::string& engine) {
  return {trial_row(scenario, trial, drawn, study, plan, judged, engine),
          {},
          fault_rows(scenario, trial, drawn, study)};
}

const std::vector<Column>& trial_columns() {
  static const std::vector<Column> columns = {
      {"scenario", "INTEGER", "point of the sweep, from 0"},
      {"trial", "INTEGER", "number within the scenario, from 0"},
      {"weight", "REAL", "of the trial in rates"},
      {"stratum", "TEXT", "empty: the population is not divided"},
      {"radiation", "TEXT", "of particles: what struck"},
      {"image", "INTEGER", "row of the images; null: judged on all in use"},
      {"structure", "TEXT",
       "what was struck; the names of several memories are joined by + where one trial may strike "
       "all of them: a chip, several cells, a fluence"},
      {"register", "TEXT",
       "of the first fault; of a tensor its name; of several memories the one in which the place "
       "lies"},
      {"word", "INTEGER",
       "element of the tensor, in the order of its memory; codeword of a memory"},
      {"bank", "INTEGER",
       "of a memory: bank, row and column of the struck cell, of several the first one"},
      {"row", "INTEGER", "null where the register belongs to a column"},
      {"column", "INTEGER", "null where the register belongs to a row"},
      {"position", "INTEGER", "along a skew or deskew chain"},
      {"bit", "INTEGER", "0 is the least significant"},
      {"fault", "TEXT", "kind of the first fault"},
      {"cycle", "INTEGER", "of the inference"},
      {"until", "INTEGER", "first cycle after the fault; null: for ever"},
      {"faults", "INTEGER", "how many; the table faults has the first 64"},
      {"bits", "INTEGER", "of memories: how many cells; null: none"},
      {"codewords", "INTEGER", "that these cells belong to"},
      {"events", "INTEGER", "of particles"},
      {"stored", "INTEGER", "what the struck cell held; null where that does not count"},
      {"activated", "INTEGER", "1: a live value differed"},
      {"masked_at", "TEXT", "where a masked fault ended"},
      {"outcome", "TEXT", "the worst of all images"},
      {"sdc_1", "INTEGER", "1: the top class changed, on any image"},
      {"sdc_5", "INTEGER", "1: the top class left the golden top five"},
      {"sdc_10", "INTEGER", "1: the golden class's confidence moved by more than 10 %"},
      {"sdc_20", "INTEGER", "1: by more than 20 %"},
      {"hung", "INTEGER", "1: the hardware did not answer"},
      {"corrected", "INTEGER", "codewords that ECC corrected at a read"},
      {"detected", "INTEGER", "codewords with an error that it found and could not correct"},
      {"without_stop", "TEXT", "outcome if a detected error did not stop the inference"},
      {"outlives", "INTEGER", "1: later inferences read the struck cells, too"},
      {"later_images", "INTEGER", "later inferences that were judged: one of each image"},
      {"later_wrong", "INTEGER", "of these, wrong answers or no number, as they are given"},
      {"later_due", "INTEGER", "of these, with a detected error"},
      {"layer", "TEXT", "first layer struck; of memories the first that reads what was struck"},
      {"pass", "INTEGER", "first tile pass struck"},
      {"step", "INTEGER", "wavefront of that pass"},
      {"before", "INTEGER", "struck register's word"},
      {"after", "INTEGER", "the same after the fault"},
      {"changed_accumulators", "INTEGER", "of the struck layer"},
      {"changed_outputs", "INTEGER", "of the struck layer, requantised"},
      {"changed_words", "INTEGER", "of struck tensors: those that the faults left different"},
      {"relative_l2", "REAL", "|faulty - golden| / |golden| of the answer, the largest"},
      {"passes_simulated", "INTEGER", "tile passes that the engine ran"},
      {"engine", "TEXT", "what computed them"},
      {"audit", "TEXT",
       "'agrees: ' and the other engines that computed them, or where one differs"},
      {"golden_class", "INTEGER", "top class without the fault"},
      {"faulty_class", "INTEGER", "top class with it"},
      {"images", "INTEGER", "judged"},
      {"images_activated", "INTEGER", "on which a live value differed"},
      {"images_sdc", "INTEGER", "with that outcome"},
      {"images_sdc_1", "INTEGER", ""},
      {"images_sdc_5", "INTEGER", ""},
      {"images_sdc_10", "INTEGER", ""},
      {"images_sdc_20", "INTEGER", ""},
      {"images_nonfinite", "INTEGER", ""},
      {"images_due", "INTEGER", ""},
      {"images_correct", "INTEGER", "whose top class is their label; null without labels"},
      {"images_golden_correct", "INTEGER", "the same without the fault"},
      {"logits", "BLOB",
       "float32, little-endian; null where they equal golden, or are more than 4096"},
  };
  return columns;
}

const std::vector<Column>& outcome_columns() {
  static const std::vector<Column> columns = {
      {"scenario", "INTEGER", ""},
      {"trial", "INTEGER", ""},
      {"image", "INTEGER", "row of the images"},
      {"outcome", "TEXT", "on that image"},
      {"sdc_1", "INTEGER", ""},
      {"sdc_5", "INTEGER", ""},
      {"sdc_10", "INTEGER", ""},
      {"sdc_20", "INTEGER", ""},
      {"layer", "TEXT", "first layer struck"},
      {"changed_accumulators", "INTEGER", ""},
      {"changed_outputs", "INTEGER", ""},
      {"golden_class", "INTEGER", ""},
      {"faulty_class", "INTEGER", ""},
      {"logits", "BLOB", "float32, little-endian"},
  };
  return columns;
}

const std::vector<Column>& fault_columns() {
  static const std::vector<Column> columns = {
      {"scenario", "INTEGER", ""},
      {"trial", "INTEGER", ""},
      {"number", "INTEGER", "within the trial, from 0"},
      {"structure", "TEXT", "of this fault: one memory, the mesh, or a role of tensors"},
      {"register", "TEXT", ""},
      {"word", "INTEGER", ""},
      {"bank", "INTEGER", ""},
      {"row", "INTEGER", ""},
      {"column", "INTEGER", ""},
      {"position", "INTEGER", ""},
      {"bit", "INTEGER", ""},
      {"fault", "TEXT", ""},
      {"cycle", "INTEGER", ""},
      {"until", "INTEGER", ""},
      {"acts", "INTEGER", "0: a random value that the bit already had"},
  };
  return columns;
}

std::size_t trial_column(const std::string& name) {
  const auto& columns = trial_columns();
  const auto found = std::find_if(columns.begin(), columns.end(),
                                  [&](const Column& column) { return name == column.name; });
  TS_CHECK(found != columns.end(), "no column '" + name + "'");
  return static_cast<std::size_t>(found - columns.begin());
}

std::string structure_of(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  return std::get<std::string>(first_fault_cells(drawn, study).front());
}

namespace {

std::string when_text(const CycleWindow& when) {
  if (when.is_permanent()) {
    return " from cycle " + std::to_string(when.from) + " on, for ever";
  }
  if (when.until == when.from + 1) {
    return " at cycle " + std::to_string(when.from);
  }
  return " in cycles " + std::to_string(when.from) + " to " + std::to_string(when.until - 1);
}

void describe_cells(const DrawnStrike& strike, const bridge::StudyFacts& study,
                    std::vector<std::string>& lines) {
  const auto plural = [](std::int64_t number, const std::string& what) {
    return std::to_string(number) + " " + what + (number == 1 ? "" : "s");
  };
  std::string line;
  if (strike.radiation) {
    line = strike.events == 1 ? "a " + std::string(name_of(*strike.radiation)) + " event"
                              : plural(strike.events, "neutron event") + ", the first";
    line += " at " + sim::text_of(strike.struck) + ": ";
  } else if (!strike.about.empty()) {
    line = strike.about + ": ";
  }
  lines.push_back(line + plural(static_cast<std::int64_t>(strike.cells.size()), "cell") + " of " +
                  plural(strike.codewords, "codeword"));
  for (std::size_t i = 0; i < std::min(strike.cells.size(), kMostFaultRows); ++i) {
    const DrawnCell& cell = strike.cells[i];
    const bridge::StudyMemory& memory = study.memories[cell.fault.memory];
    const sim::ArrayGeometry geometry(memory.config.array());
    const int data_bits = geometry.config().data_bits;
    const int bit = cell.fault.bit.bit;
    lines.push_back(memory.name + " " + sim::text_of(geometry.cell_of(cell.fault.bit)) +
                    ", codeword " + std::to_string(cell.fault.bit.codeword.value) +
                    (bit < data_bits ? " bit " + std::to_string(bit)
                                     : " check bit " + std::to_string(bit - data_bits)) +
                    ": " + std::string(name_of(cell.fault.kind)) + when_text(cell.fault.when) +
                    (cell.acts ? "" : " (the value that the cell already has)"));
  }
  if (strike.cells.size() > kMostFaultRows) {
    lines.push_back("... and " + std::to_string(strike.cells.size() - kMostFaultRows) + " more");
  }
}

/// Of the struck memories that have a scrubber.
void describe_scrubbers(const DrawnTrial& drawn, const bridge::StudyFacts& study,
                        std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < drawn.scrub_phases.size(); ++i) {
    const bool is_struck = std::ranges::any_of(
        drawn.strike->cells, [&](const DrawnCell& cell) { return cell.fault.memory == i; });
    if (is_struck && drawn.scrub_phases[i]) {
      const bridge::StudyMemory& memory = study.memories[i];
      lines.push_back(memory.name + ": in cycle 0 its scrubber is " +
                      std::to_string(*drawn.scrub_phases[i]) + " of " +
                      std::to_string(memory.config.scrub_cycles) + " cycles into a round");
    }
  }
}

}  // namespace

std::vector<std::string> describe(const DrawnTrial& drawn, const bridge::StudyFacts& study) {
  std::vector<std::string> lines;
  for (const DrawnFault& fault : drawn.faults) {
    const std::string line = study.sites.text(fault.fault.site) + ": " +
                             std::string(name_of(fault.fault.kind)) + when_text(fault.fault.when);
    lines.push_back(line + (fault.acts ? "" : " (the value that the bit already has)"));
  }
  if (is_in_memory(drawn)) {
    describe_cells(*drawn.strike, study, lines);
    describe_scrubbers(drawn, study, lines);
  }
  for (const DrawnBit& bit : drawn.words.first) {
    const TensorStore& store = study.stores[bit.store.value];
    lines.push_back(store.name + " word " + std::to_string(bit.word) +
                    (bit.bit < 0 ? std::string() : " bit " + std::to_string(bit.bit)) + ": " +
                    std::string(name_of(bit.kind)));
  }
  if (drawn.words.count > drawn.words.first.size()) {
    lines.push_back("... and " + std::to_string(drawn.words.count - drawn.words.first.size()) +
                    " more");
  }
  return lines;
}

std::string text_of(const Cell& cell) {
  struct Visitor {
    std::string operator()(std::monostate) const { return "nothing"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return field_detail::real_text(value); }
    std::string operator()(const std::string& value) const { return "'" + value + "'"; }
    std::string operator()(const std::vector<float>& values) const {
      return std::to_string(values.size()) + " numbers";
    }
  };
  return std::visit(Visitor{}, cell);
}

}  // namespace tilestrike::campaigns
