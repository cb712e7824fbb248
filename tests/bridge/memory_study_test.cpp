// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes on memories as campaigns ask for them.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "bridge/study.h"
#include "tests/bridge/memories.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

StudyInputs resnet(const AcceleratorConfig& accelerator, std::int64_t images = 5) {
  StudyInputs inputs;
  inputs.model = zoo_path("resnet8");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.use = images;
  inputs.accelerator = accelerator;
  inputs.device = "cpu";
  return inputs;
}

TEST(MemoryStudyTest, StrikesOnEveryMemoryEndSomewhere) {
  const auto study = Study::open(resnet(with_memories(16, 16, kDataflows[0])));
  ASSERT_EQ(study->memories().size(), 3U);
  for (std::size_t memory = 0; memory < study->memories().size(); ++memory) {
    const sim::ArrayGeometry geometry(study->memories()[memory].config.array());
    std::map<std::string, int> count;
    RandomStream random(1, memory, Purpose::kTest);
    for (int i = 0; i < 400; ++i) {
      const Cycle cycle = static_cast<Cycle>(
          random.below(static_cast<std::uint64_t>(study->cycles_per_inference())));
      const CellFault fault{memory,
                            geometry.bit_at(geometry.cell_at(random.below(geometry.cells()))),
                            FaultKind::kFlip,
                            {cycle, cycle + 1}};
      const TrialResult result = study->strike_cells(ImageId(i % 5), {&fault, 1});
      ++count[std::string(name_of(result.judgement.outcome)) + " " +
              std::string(name_of(result.masked_at))];
    }
    for (const auto& [name, number] : count) {
      std::printf("%s: %s %d\n", study->memories()[memory].name.c_str(), name.c_str(), number);
    }
  }
}

}  // namespace
}  // namespace tilestrike::bridge
