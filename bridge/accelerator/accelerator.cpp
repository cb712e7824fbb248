// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/accelerator.h"

#include <limits>

#include "base/error.h"
#include "sim/memory/scrub.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kMany = std::numeric_limits<std::int32_t>::max();

FieldTable<ScheduleConfig> schedule_fields() {
  return {
      integer_field("rows_per_pass", &ScheduleConfig::rows_per_pass, 0, kMany, "rows",
                    "WS: most activation rows of one pass; 0: all rows of the layer"),
      integer_field("vector_lanes", &ScheduleConfig::vector_lanes, 1, kMany, "elements/cycle",
                    "throughput of the operators that do not use the mesh"),
      integer_field("layer_latency", &ScheduleConfig::layer_latency, 0, kMany, "cycles",
                    "between the last result of a layer and the first input of the next"),
      integer_field("idle_cycles", &ScheduleConfig::idle_cycles, 0,
                    std::numeric_limits<std::int64_t>::max() / 4, "cycles",
                    "between two inferences; 0: back to back"),
      choice_field("weights", &ScheduleConfig::weights,
                   {{"per_pass", WeightReload::kPerPass},
                    {"per_inference", WeightReload::kPerInference},
                    {"at_boot", WeightReload::kAtBoot}},
                   "how often weights are loaded into the memory that holds them"),
      integer_field("weight_slots", &ScheduleConfig::weight_slots, 1, kMany, "tiles",
                    "per_pass: tiles of weights that are on chip at a time"),
      integer_field("dma_bytes", &ScheduleConfig::dma_bytes, 1, kMany, "bytes/cycle",
                    "of each DMA channel: weights, activations, results"),
      integer_field("dma_latency", &ScheduleConfig::dma_latency, 0, kMany, "cycles",
                    "from a read of the backing memory to its arrival on chip"),
  };
}

/// `barrier`, or the cycles of every tick: {cycles: N}.
Field<ChipConfig> tick_field() {
  Field<ChipConfig> field;
  field.about = {"tick",
                 "choice or {cycles: N}",
                 "",
                 "barrier",
                 "barrier, {cycles: 1 and more}",
                 "when a tick ends: once the slowest core is done, or after so many cycles"};
  field.read = [](ChipConfig& chip, const Value& value, const std::string& path,
                  ErrorList& errors) {
    if (value.is_scalar() && value.scalar == "barrier") {
      chip.fixed_tick = 0;
      return;
    }
    if (!value.is_map()) {
      field_detail::wrong_type(value, path, "barrier, or {cycles: N}", errors);
      return;
    }
    FieldTable<ChipConfig> table = {
        integer_field("cycles", &ChipConfig::fixed_tick, 1, kMany, "cycles", "of each tick")};
    table.front().is_required = true;
    read_fields(table, value, path, chip, errors);
  };
  field.write = [](const ChipConfig& chip) {
    if (chip.fixed_tick == 0) {
      return Value::of("barrier");
    }
    Value map = Value::map();
    map.set("cycles", Value::of(std::to_string(chip.fixed_tick)));
    return map;
  };
  return field;
}

FieldTable<ChipConfig> chip_fields() {
  return {
      integer_field("barrier", &ChipConfig::barrier, 1, kMany, "cycles",
                    "from the last event of the slowest core to the next tick"),
      tick_field(),
      choice_field("reload", &ChipConfig::reload,
                   {{"inference", CoreReload::kPerInference}, {"boot", CoreReload::kAtBoot}},
                   "when synapses, parameters and routes are written: before each inference, or "
                   "once, so that what is struck stays"),
      integer_field("interleave", &ChipConfig::interleave, 1, 8, "columns",
                    "from one bit of a word to the next in each array of cells; what has fewer "
                    "words takes as many as it has"),
      integer_field("scrub", &ChipConfig::scrub_cycles, 0, sim::kLongestScrubPeriod, "cycles",
                    "a scrubber reads and repairs every codeword of an array with ECC once in so "
                    "long; 0: none"),
  };
}

/// A key that the expanded form of accelerators with cores has, or that of the others.
Field<AcceleratorConfig> of_cores(Field<AcceleratorConfig> field, bool has_core = true) {
  field.write = [write = field.write, has_core](const AcceleratorConfig& config) {
    return config.has_core == has_core ? write(config) : Value{};
  };
  return field;
}

Field<AcceleratorConfig> core_field() {
  Field<AcceleratorConfig> field =
      nested_field("core", &AcceleratorConfig::core, sim::core_fields(),
                   "in place of mesh and memories: neuromorphic cores of this kind, as many as "
                   "the network needs");
  field.read = [inner = field.read](AcceleratorConfig& config, const Value& value,
                                    const std::string& path, ErrorList& errors) {
    config.has_core = true;
    ErrorList own;
    inner(config, value, path, errors);
    if (errors.empty()) {
      sim::check_core(config.core, value.place.text(), own);
    }
    try {
      own.throw_if_any();
    } catch (const Failure& failure) {
      for (const Error& error : failure.errors()) {
        errors.add(error.code, path + "." + error.what, error.where, error.cure);
      }
    }
  };
  return field;
}

}  // namespace

FieldTable<AcceleratorConfig> accelerator_fields() {
  return {
      text_field("name", &AcceleratorConfig::name, "how reports call it"),
      text_field("about", &AcceleratorConfig::about, "one line on what it resembles"),
      real_field("clock", &AcceleratorConfig::clock_mhz, 1e-3, 1e6, "MHz", "clock frequency"),
      text_field(
          "node", &AcceleratorConfig::node,
          "technology node of its cells: a name of `tilestrike list nodes`, or FILE.csv:NAME"),
      of_cores(
          nested_field("mesh", &AcceleratorConfig::mesh, sim::mesh_fields(), "the systolic mesh"),
          false),
      named_parts_field<AcceleratorConfig, sim::MemoryConfig>(
          "memory", &AcceleratorConfig::memory, sim::memory_fields(), sim::check_memory,
          "its memories by name; `tilestrike list memories` prints what they are"),
      of_cores(nested_field("schedule", &AcceleratorConfig::schedule, schedule_fields(),
                            "how layers become passes and cycles"),
               false),
      of_cores(core_field()),
      of_cores(nested_field("chip", &AcceleratorConfig::chip, chip_fields(),
                            "of cores: what is around them")),
      choice_field("on_due", &AcceleratorConfig::on_due,
                   {{"stop", OnDue::kStop},
                    {"zero", OnDue::kZero},
                    {"use", OnDue::kUse},
                    {"refetch", OnDue::kRefetch}},
                   "what happens to a codeword in which ECC finds an error and cannot correct it"),
      of_cores(choice_field("guard", &AcceleratorConfig::guard,
                            {{"none", GuardKind::kNone}, {"column_sums", GuardKind::kColumnSums}},
                            "what checks the accumulators of each layer on the mesh; it stops the "
                            "inference where it finds one wrong"),
               false),
  };
}

void check_parts(const AcceleratorConfig& config, const Value& map, const std::string& path,
                 ErrorList& errors) {
  if (!config.has_core) {
    if (const Value* chip = map.find("chip")) {
      errors.add(ErrorCode::kInvalidInput, path + ".chip: this accelerator has no cores",
                 chip->place.text(), "describe them under 'core', or leave 'chip' out");
    }
    return;
  }
  for (const char* key : {"mesh", "memory", "schedule", "guard"}) {
    if (const Value* other = map.find(key)) {
      errors.add(ErrorCode::kInvalidInput,
                 path + "." + key + ": an accelerator of cores has no such part",
                 other->place.text(), "keep 'core' or '" + std::string(key) + "'");
    }
  }
  if (const int columns = config.chip.interleave; (columns & (columns - 1)) != 0) {
    errors.add(ErrorCode::kInvalidInput,
               path + ".chip.interleave: no row has words that are " + std::to_string(columns) +
                   " columns wide",
               map.place.text(), "allowed: 1, 2, 4, 8");
  }
  if (config.on_due == OnDue::kZero || config.on_due == OnDue::kRefetch) {
    errors.add(ErrorCode::kUnsupported,
               path + ".on_due: a core goes on with what its cells hold, or is stopped",
               map.place.text(), "write 'stop' or 'use'");
  }
}

void convert_times(AcceleratorConfig& config, const Value& map, const std::string& path,
                   ErrorList& errors) {
  const Value* const memories = map.find("memory");
  for (auto& [name, memory] : config.memory) {
    const Value* const own = memories == nullptr ? nullptr : memories->find(name);
    const Value* const scrub = own == nullptr ? nullptr : own->find("scrub");
    sim::convert_scrub_time(memory, config.clock_mhz, path + ".memory." + name + ".scrub",
                            scrub == nullptr ? map.place.text() : scrub->place.text(), errors);
  }
}

}  // namespace tilestrike::bridge
