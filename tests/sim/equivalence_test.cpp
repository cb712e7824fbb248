// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do all engines compute the same, fault by fault? The stepped machine decides.
#include <gtest/gtest.h>

#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

TEST(EquivalenceTest, AllOutputsAreThePlainProduct) {
  RandomStream random(1, 0, Purpose::kTest);
  for (const auto& [rows, columns] :
       {std::pair(2, 2), std::pair(4, 4), std::pair(7, 5), std::pair(5, 7), std::pair(16, 16)}) {
    for (const MeshConfig& config : all_configs(rows, columns)) {
      std::vector<PassShape> shapes;
      for (int pass = 0; pass < 4; ++pass) {
        shapes.push_back(random_shape(config, random, 2 * rows));
      }
      const MeshRun run(config, shapes);
      const RandomOperands operands(run, random);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.wants_outputs = true;
      for (const std::string& name : engine_names()) {
        const MeshResult result = make_engine(name)->run(job);
        ASSERT_EQ(result.outputs.size(), shapes.size());
        for (int pass = 0; pass < 4; ++pass) {
          EXPECT_EQ(result.outputs[static_cast<std::size_t>(pass)], operands.product(pass))
              << name << " " << rows << " x " << columns;
        }
        EXPECT_EQ(result.end, golden_end(run, operands, nullptr)) << name;
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike::sim
