// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/accelerator/accelerator.h"

#include <limits>

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

}  // namespace

FieldTable<AcceleratorConfig> accelerator_fields() {
  return {
      text_field("name", &AcceleratorConfig::name, "how reports call it"),
      text_field("about", &AcceleratorConfig::about, "one line on what it resembles"),
      real_field("clock", &AcceleratorConfig::clock_mhz, 1e-3, 1e6, "MHz", "clock frequency"),
      text_field(
          "node", &AcceleratorConfig::node,
          "technology node of its cells: a name of `tilestrike list nodes`, or FILE.csv:NAME"),
      nested_field("mesh", &AcceleratorConfig::mesh, sim::mesh_fields(), "the systolic mesh"),
      named_parts_field<AcceleratorConfig, sim::MemoryConfig>(
          "memory", &AcceleratorConfig::memory, sim::memory_fields(), sim::check_memory,
          "its memories by name; `tilestrike list memories` prints what they are"),
      nested_field("schedule", &AcceleratorConfig::schedule, schedule_fields(),
                   "how layers become passes and cycles"),
      choice_field("on_due", &AcceleratorConfig::on_due,
                   {{"stop", OnDue::kStop},
                    {"zero", OnDue::kZero},
                    {"use", OnDue::kUse},
                    {"refetch", OnDue::kRefetch}},
                   "what happens to a codeword in which ECC finds an error and cannot correct it"),
      choice_field("guard", &AcceleratorConfig::guard,
                   {{"none", GuardKind::kNone}, {"column_sums", GuardKind::kColumnSums}},
                   "what checks the accumulators of each layer on the mesh; it stops the inference "
                   "where it finds one wrong"),
  };
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
