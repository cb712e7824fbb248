// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does `locate` find what lies where in whole networks, and do strikes meet the reads that it
// tells?
#include "bridge/study/network_places.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "tests/bridge/memories.h"
#include "tests/bridge/strikes.h"

namespace tilestrike::bridge {
namespace {

NetworkSource zoo_source(const std::string& name) {
  NetworkSource source;
  source.model = zoo_path(name);
  return source;
}

class NetworkPlacesTest : public ::testing::TestWithParam<std::tuple<std::string, sim::Dataflow>> {
};

TEST_P(NetworkPlacesTest, WhatLiesThereIsFoundFromTheTensorToo) {
  const auto& [model, dataflow] = GetParam();
  const AcceleratorConfig accelerator = with_memories(16, 16, dataflow);
  const auto places = NetworkPlaces::open(zoo_source(model), accelerator);
  RandomStream random(2, 0, Purpose::kTest);
  std::size_t elements = 0;
  for (std::size_t memory = 0; memory < accelerator.memory.size(); ++memory) {
    const sim::ArrayGeometry geometry(accelerator.memory[memory].second.array());
    for (int draw = 0; draw < 150; ++draw) {
      const sim::CodewordBit bit =
          geometry.bit_at(geometry.cell_at(random.below(geometry.cells())));
      const auto all = places->held_in(memory, bit);
      if (all.empty()) {
        continue;
      }
      const HeldContent& held = all[random.below(all.size())];
      if (held.tensor.empty()) {
        continue;
      }
      ++elements;
      const auto found = places->places_of(held.tensor, held.element, held.bit);
      EXPECT_TRUE(std::ranges::any_of(found,
                                      [&](const ElementLocation& place) {
                                        return place.memory == memory && place.bit == bit &&
                                               place.held.kind == held.kind &&
                                               place.held.written == held.written &&
                                               place.held.reads == held.reads;
                                      }))
          << held.kind << " " << held.tensor << " " << held.element;
    }
  }
  EXPECT_GT(elements, 80U);
}

INSTANTIATE_TEST_SUITE_P(Zoo, NetworkPlacesTest,
                         ::testing::Combine(::testing::Values("resnet8", "vit"),
                                            ::testing::Values(kDataflows[0], kDataflows[1])),
                         [](const auto& info) {
                           return std::get<0>(info.param) +
                                  (std::get<1>(info.param) == kDataflows[0] ? "_ws" : "_os");
                         });

TEST(NetworkPlacesStrikeTest, AStrikeIsActivatedWhereAReadFollows) {
  const AcceleratorConfig accelerator = with_memories(8, 8, kDataflows[0]);
  StudyInputs inputs;
  inputs.engines = sim::builtin_engines();
  inputs.engine = "systemc";
  inputs.model = zoo_path("lenet5");
  inputs.images = "fashion_mnist/test";
  inputs.calibrate = "fashion_mnist/train";
  inputs.use = 2;
  inputs.accelerator = accelerator;
  inputs.device = "cpu";
  const auto study = Study::open(inputs);
  const auto places = NetworkPlaces::open(zoo_source("lenet5"), accelerator);
  ASSERT_EQ(places->period(), study->facts().cycles);
  RandomStream random(3, 0, Purpose::kTest);
  int read = 0, unread = 0;
  for (std::size_t memory = 0; memory < accelerator.memory.size(); ++memory) {
    const sim::ArrayGeometry geometry(accelerator.memory[memory].second.array());
    for (int draw = 0; draw < 250; ++draw) {
      const sim::CodewordBit bit =
          geometry.bit_at(geometry.cell_at(random.below(geometry.cells() / 4)));
      const auto cycle =
          static_cast<Cycle>(random.below(static_cast<std::uint64_t>(study->facts().cycles)));
      const CellFault fault{memory, bit, FaultKind::kFlip, {cycle, cycle + 1}};
      bool is_read = false;
      for (const HeldContent& held : places->held_in(memory, bit)) {
        if (held.at_boot || held.written <= cycle) {
          is_read = !held.reads.empty() && held.reads.back() > cycle && !held.tensor.empty();
        }
      }
      const TrialResult result = strike(*study, ImageId(0), fault);
      EXPECT_EQ(result.activated, is_read)
          << accelerator.memory[memory].first << " codeword " << bit.codeword.value << " bit "
          << bit.bit << " cycle " << cycle << " masked at " << name_of(result.masked_at);
      ++(is_read ? read : unread);
    }
  }
  EXPECT_GT(read, 40);
  EXPECT_GT(unread, 100);
}

TEST(NetworkPlacesErrorTest, WhatIsNotThereIsNamed) {
  const auto error_of = [](const auto& call) {
    try {
      call();
    } catch (const Failure& failure) {
      return failure.errors().front().text();
    }
    return std::string();
  };
  const auto places = NetworkPlaces::open(zoo_source("lenet5"), with_memories(8, 8, kDataflows[0]));
  EXPECT_NE(error_of([&] { places->places_of("conv9.weight", 0, 0); }).find("no tensor"),
            std::string::npos);
  const std::string outside = error_of([&] { places->places_of("conv1.weight", 1 << 20, 0); });
  EXPECT_NE(outside.find("--element: 1048576 is out of range"), std::string::npos) << outside;
  EXPECT_NE(error_of([&] { places->places_of("conv1.weight", 0, 8); }).find("allowed: 0 to 7"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              NetworkPlaces::open(zoo_source("lenet5"), mesh_of(8, 8, kDataflows[0]));
            }).find("has no memories"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::bridge
