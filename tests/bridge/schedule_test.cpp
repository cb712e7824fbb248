// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/schedule/schedule.h"

#include <gtest/gtest.h>

#include "tests/bridge/schedule_events.h"

namespace tilestrike::bridge {
namespace {

AcceleratorConfig accelerator(sim::Dataflow dataflow) {
  AcceleratorConfig config;
  config.mesh.rows = 4;
  config.mesh.columns = 4;
  config.mesh.dataflow = dataflow;
  config.schedule.vector_lanes = 8;
  config.schedule.layer_latency = 3;
  config.schedule.idle_cycles = 100;
  return config;
}

LayerWork product(std::int64_t rows, std::int64_t depth, std::int64_t columns) {
  GemmShape gemm;
  gemm.rows = rows;
  gemm.depth = depth;
  gemm.columns = columns;
  return {gemm, 0};
}

// A matrix layer, a view, a vector operator, another matrix layer.
Schedule example(sim::Dataflow dataflow = sim::Dataflow::kWeightStationary) {
  return Schedule(accelerator(dataflow),
                  {product(10, 6, 5), {std::nullopt, 0}, {std::nullopt, 17}, product(1, 4, 4)});
}

TEST(ScheduleTest, LayersFollowEachOther) {
  const Schedule schedule = example();
  const auto& layers = schedule.layers();
  // 2 x 2 tiles of 10 rows on a 4 x 4 mesh: R + 3 * max(10, 4) + 10 + R + C - 1.
  EXPECT_EQ(layers[0].mesh_cycles, 4 + 3 * 10 + 10 + 4 + 4 - 1);
  EXPECT_EQ(layers[1].start, layers[0].end() + 3);
  EXPECT_EQ(layers[1].end(), layers[1].start);  // a view takes no time and no latency
  EXPECT_EQ(layers[2].start, layers[1].start);
  EXPECT_EQ(layers[2].vector_cycles, 3);
  EXPECT_EQ(layers[3].start, layers[2].end() + 3);
  EXPECT_EQ(schedule.cycles_per_inference(), layers[3].end() + 3 + 100);
}

TEST(ScheduleTest, EachCycleBelongsToOneLayerOrNone) {
  const Schedule schedule = example();
  const auto& layers = schedule.layers();
  EXPECT_EQ(layer_at(schedule, 0), 0U);
  EXPECT_EQ(layer_at(schedule, layers[0].end() - 1), 0U);
  EXPECT_EQ(layer_at(schedule, layers[0].end()), std::nullopt);
  EXPECT_EQ(layer_at(schedule, layers[2].start - 1), std::nullopt);
  EXPECT_EQ(layer_at(schedule, layers[2].start), 2U);
  EXPECT_EQ(layer_at(schedule, layers[3].start), 3U);
  EXPECT_EQ(layer_at(schedule, layers[3].end()), std::nullopt);
  EXPECT_EQ(layer_at(schedule, schedule.cycles_per_inference() - 1), std::nullopt);
}

TEST(ScheduleTest, FlipsMeetTheRunOfTheirCycleOnly) {
  const Schedule schedule = example();
  const Cycle start = schedule.layers()[3].start;
  const Cycle end = schedule.layers()[3].end();
  const auto state_of = [&](Cycle cycle, std::size_t layer) -> Cycle {
    const auto seen = schedule.within_run({SiteId(0), FaultKind::kFlip, {cycle, cycle + 1}}, layer);
    return seen ? seen->when.from : -1;
  };
  EXPECT_EQ(state_of(start, 3), 1);
  EXPECT_EQ(state_of(end - 1, 3), schedule.layers()[3].run->cycles());
  EXPECT_EQ(state_of(start - 1, 3), -1);
  EXPECT_EQ(state_of(end, 3), -1);
  EXPECT_EQ(state_of(start, 0), -1);
  EXPECT_EQ(state_of(schedule.layers()[2].start, 2), -1);  // not on the mesh
}

TEST(ScheduleTest, WindowsAreCutToTheirRuns) {
  const Schedule schedule = example();
  const Cycle start = schedule.layers()[3].start;
  const RegisterFault until{SiteId(0), FaultKind::kStuckAt1, {5, start + 2}};
  EXPECT_EQ(schedule.within_run(until, 0)->when.from, 6);
  EXPECT_EQ(schedule.within_run(until, 3)->when.until, 3);
  const RegisterFault before{SiteId(0), FaultKind::kStuckAt1, {5, start}};
  EXPECT_FALSE(schedule.within_run(before, 3).has_value());
  const RegisterFault for_ever{SiteId(0), FaultKind::kStuckAt0, {0}};
  EXPECT_TRUE(schedule.within_run(for_ever, 3)->when.is_permanent());
}

// The events of a window are those of the whole inference that overlap it, and outside the mesh
// they cover each cycle once.
TEST(ScheduleTest, EventsAskedLazilyEqualAllEvents) {
  for (const auto dataflow : {sim::Dataflow::kWeightStationary, sim::Dataflow::kOutputStationary}) {
    const Schedule schedule = example(dataflow);
    const auto all = events_of(schedule, {0, schedule.cycles_per_inference()});
    for (Cycle cycle = 0; cycle < schedule.cycles_per_inference(); ++cycle) {
      const auto here = events_of(schedule, {cycle, cycle + 1});
      std::size_t expected = 0;
      std::size_t off_mesh = 0;
      for (const Event& event : all) {
        if (event.when.contains(cycle)) {
          ASSERT_LT(expected, here.size());
          EXPECT_EQ(here[expected].kind, event.kind);
          EXPECT_EQ(here[expected].when, event.when);
          EXPECT_EQ(here[expected].pass, event.pass);
          ++expected;
          off_mesh += event.pass < 0 ? 1U : 0U;
        }
      }
      EXPECT_EQ(here.size(), expected);
      const auto layer = layer_at(schedule, cycle);
      const bool on_mesh = layer && schedule.layers()[*layer].run != nullptr;
      EXPECT_EQ(off_mesh, on_mesh ? 0U : 1U) << "cycle " << cycle;
    }
  }
}

TEST(ScheduleTest, EventsMoveEveryOperandAndResultOnce) {
  for (const auto dataflow : {sim::Dataflow::kWeightStationary, sim::Dataflow::kOutputStationary}) {
    const Schedule schedule = example(dataflow);
    std::int64_t drained = 0;
    std::int64_t preloaded = 0;
    for (const Event& event : events_of(schedule, {0, schedule.cycles_per_inference()})) {
      drained += event.kind == EventKind::kDrain && event.layer == 0 ? event.bytes : 0;
      preloaded += event.kind == EventKind::kPreload && event.layer == 0 ? event.bytes : 0;
    }
    const bool ws = dataflow == sim::Dataflow::kWeightStationary;
    EXPECT_EQ(drained, 4 * 10 * 5 * (ws ? 2 : 1));  // WS: partial sums of two depth folds
    EXPECT_EQ(preloaded, ws ? 6 * 5 : 4 * 10 * 5);
  }
}

}  // namespace
}  // namespace tilestrike::bridge
