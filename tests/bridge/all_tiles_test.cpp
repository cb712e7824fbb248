// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Promise 1: a whole network with all tiles through SystemC equals plain inference, bit for bit.
#include <gtest/gtest.h>

#include "bridge/reference/full_simulation.h"
#include "dnn/count_different.h"
#include "sim/mesh/engine_set.h"
#include "tests/bridge/zoo.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

void expect_equal(const Workload& load, const AcceleratorConfig& accelerator, std::int64_t first,
                  std::int64_t count) {
  const dnn::Executor executor(load.network);
  const auto engine = sim::builtin_engines().make("systemc");
  std::unique_ptr<Mapping> mapping;
  std::int64_t compared = 0;
  for (std::int64_t i = first; i < first + count; ++i) {
    const dnn::Inputs image = load.inputs.narrow(i, 1);
    const dnn::Tape golden = executor.record(image);
    if (mapping == nullptr) {
      mapping = std::make_unique<Mapping>(load.network, golden, accelerator);
    }
    const FullRun full = simulate_all(load.network, *mapping, *engine, image);
    for (std::size_t layer = 0; layer < golden.accumulators.size(); ++layer) {
      if (golden.accumulators[layer].defined()) {
        ASSERT_EQ(dnn::count_different(golden.accumulators[layer], full.tape.accumulators[layer]),
                  0)
            << load.network.layers[layer].name << ", image " << i;
        compared += golden.accumulators[layer].numel();
      }
    }
    const auto output = static_cast<std::size_t>(load.network.output.value);
    ASSERT_EQ(
        dnn::count_different(golden.values[output].toTensor(), full.tape.values[output].toTensor()),
        0);
  }
  std::printf("%d x %d %s: %ld images, %ld accumulators equal\n", accelerator.mesh.rows,
              accelerator.mesh.columns, accelerator.mesh.is_weight_stationary() ? "ws" : "os",
              static_cast<long>(count), static_cast<long>(compared));
}

class AllTilesTest : public testing::TestWithParam<const char*> {};

TEST_P(AllTilesTest, ManyImagesOnSixteenBySixteen) {
  const int images = proof_size(1000, 250);
  const Workload load = zoo_workload(GetParam(), images);
  for (const sim::Dataflow dataflow : kDataflows) {
    expect_equal(load, mesh_of(16, 16, dataflow), 0, images);
  }
}

TEST_P(AllTilesTest, OtherShapes) {
  const Workload load = zoo_workload(GetParam(), 20);
  for (const sim::Dataflow dataflow : kDataflows) {
    for (const auto& [rows, columns] :
         {std::pair(4, 4), std::pair(8, 8), std::pair(32, 32), std::pair(7, 5)}) {
      expect_equal(load, mesh_of(rows, columns, dataflow), 0, 20);
    }
    AcceleratorConfig serial = mesh_of(16, 16, dataflow);
    serial.mesh.preload = sim::Preload::kSerial;
    serial.schedule.rows_per_pass = 50;
    expect_equal(load, serial, 0, 5);
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, AllTilesTest,
                         testing::Values("lenet5", "resnet8", "mobilenet", "vit"));

}  // namespace
}  // namespace tilestrike::bridge
