// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are models and accelerators found by name and path, and are near misses suggested?
#include "campaigns/scenario/library.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/text.h"
#include "sim/memory/scrub.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

TEST(LibraryTest, ListsWhatShips) {
  const auto has = [](const std::vector<std::string>& names, const char* name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  EXPECT_TRUE(has(zoo_models(), "lenet5"));
  EXPECT_TRUE(has(zoo_models(), "resnet8"));
  EXPECT_TRUE(has(named_accelerators(), "gemmini_16x16"));
}

TEST(LibraryTest, EveryNamedAcceleratorIsValid) {
  for (const std::string& name : named_accelerators()) {
    EXPECT_EQ(accelerator_of_flag(name).name, name);
  }
}

/// (codeword, bit) <-> cell: all cells of a bank's outer rows, and the others where they are few.
TEST(LibraryTest, EveryMemoryOfANamedAcceleratorIsABijection) {
  std::int64_t memories = 0;
  for (const std::string& name : named_accelerators()) {
    for (const auto& [memory, config] : accelerator_of_flag(name).memory) {
      const sim::ArrayGeometry geometry(config.array());
      EXPECT_EQ(geometry.data_cells(), 8 * static_cast<std::uint64_t>(config.capacity_bytes));
      const bool is_small = geometry.cells() < 4'000'000;
      std::vector<bool> met(is_small ? geometry.cells() : 0);
      for (std::uint64_t word = 0; word < geometry.codewords(); ++word) {
        const auto row = static_cast<int>(word / geometry.words_per_row()) % geometry.rows();
        if (!is_small && row != 0 && row != geometry.rows() - 1) {
          continue;
        }
        for (int bit = 0; bit < geometry.codeword_bits(); ++bit) {
          const sim::CodewordBit here{sim::CodewordId(word), bit};
          const sim::Cell cell = geometry.cell_of(here);
          ASSERT_EQ(geometry.bit_at(cell), here) << name << " " << memory;
          const std::uint64_t index = geometry.index_of(cell);
          ASSERT_EQ(geometry.cell_at(index), cell);
          if (is_small) {
            ASSERT_FALSE(met[index]) << name << " " << memory;
            met[index] = true;
          }
        }
      }
      EXPECT_EQ(std::ranges::count(met, true), met.size());
      ++memories;
    }
  }
  EXPECT_EQ(memories, 8);
}

TEST(LibraryTest, NodesOfOnesOwnKeepTheirPlaceInTheAccelerator) {
  const ScratchFolder folder;
  folder.write("own.csv",
               read_text_file((root_folder() / "data" / "technology_nodes.csv").string()));
  const std::string path = folder.write("chip.yaml", "base: gemmini_16x16\nnode: own.csv:28nm\n");
  EXPECT_EQ(accelerator_of_flag(path).node, folder.path("own.csv") + ":28nm");
}

/// Of the scratchpad of an accelerator in a file.
sim::MemoryConfig with_scrub(const ScratchFolder& folder, const std::string& scrub,
                             const std::string& clock) {
  return accelerator_of_flag(
             folder.write("chip.yaml", "base: gemmini_16x16\nclock: " + clock +
                                           "\nmemory: {scratchpad: {scrub: " + scrub + "}}\n"))
      .memory.front()
      .second;
}

TEST(LibraryTest, AScrubberHasAPeriodInCyclesOrAsATime) {
  const ScratchFolder folder;
  for (const auto& [scrub, clock, cycles] :
       std::vector<std::tuple<const char*, const char*, std::int64_t>>{
           {"0", "1000", 0},
           {"1000", "800", 1000},
           {"1152921504606846976", "1000", sim::kLongestScrubPeriod},
           {"1ns", "1000", 1},
           {"10us", "1000", 10'000},
           {"10us", "800", 8'000},
           {"5ms", "1000", 5'000'000},
           {"1.5 s", "1000", 1'500'000'000},
           {"30min", "1000", 1'800'000'000'000},
           {"1h", "700", 2'520'000'000'000},
           {"1d", "1000", 86'400'000'000'000},
           {"365d", "2000", 63'072'000'000'000'000},
           {"10us", "0.26", 3}}) {  // 2.6
    const sim::MemoryConfig memory = with_scrub(folder, scrub, clock);
    EXPECT_EQ(memory.scrub_cycles, cycles) << scrub << " at " << clock;
  }
}

TEST(LibraryTest, APeriodThatIsNoneIsAnErrorWithACure) {
  const ScratchFolder folder;
  const auto error_of = [&](const std::string& scrub) {
    const std::string error = errors_of([&] { with_scrub(folder, scrub, "500"); });
    const std::string start =
        folder.path("chip.yaml") + ":3:30: accelerator.memory.scratchpad.scrub: ";
    EXPECT_EQ(error.rfind(start, 0), 0U) << error;
    return error.substr(std::min(start.size(), error.size()));
  };
  const std::string what =
      "; write a number of cycles such as 1000, or a time such as 10us (units: ns, us, ms, s, min, "
      "h, d)";
  EXPECT_EQ(error_of("10y"), "found '10y'" + what);
  EXPECT_EQ(error_of("often"), "found 'often'" + what);
  EXPECT_EQ(error_of("1.5"), "found '1.5'" + what);
  EXPECT_EQ(error_of("-10us"), "'-10us' is negative; write a time such as 10us, or 0: no scrubber");
  EXPECT_EQ(error_of("1.9ns"),
            "1.9ns is shorter than a cycle of 2 ns; write a longer time, or 0: no scrubber");
  EXPECT_EQ(error_of("0s"),
            "0s is shorter than a cycle of 2 ns; write a longer time, or 0: no scrubber");
  EXPECT_EQ(error_of("-1"), "-1 is out of range; allowed: 0 to 1152921504606846976");
  EXPECT_EQ(error_of("1e5d"),
            "1e5d is out of range; allowed: at most 1152921504606846976 cycles, 26687 d at this "
            "clock");
}

// Resuming compares expanded scenarios; a sweep of the clock leaves a time a time.
TEST(LibraryTest, TheExpandedFormKeepsATimeAsItWasWritten) {
  const Campaign campaign = campaign_of(
      "model: lenet5\naccelerator: {base: gemmini_16x16, memory: {scratchpad: {scrub: 10us}, "
      "accumulator: {scrub: 5000}}}\nsweep: {accelerator.clock: [1000, 250]}");
  ASSERT_EQ(campaign.points.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    const Point& point = campaign.points[i];
    const Value& memory = *point.document.find("accelerator")->find("memory");
    EXPECT_EQ(memory.find("scratchpad")->find("scrub")->scalar, "10us");
    EXPECT_EQ(memory.find("accumulator")->find("scrub")->scalar, "5000");
    const auto& memories = point.scenario.accelerator.memory;
    EXPECT_EQ(memories[0].second.scrub_cycles, i == 0 ? 10'000 : 2'500);
    EXPECT_EQ(memories[1].second.scrub_cycles, 5000);
    const Campaign again = campaign_of(point.document.yaml());
    EXPECT_EQ(again.points[0].document.yaml(), point.document.yaml());
    EXPECT_EQ(again.points[0].scenario.accelerator.memory, memories);
  }
}

TEST(LibraryTest, NearMissesAreSuggested) {
  EXPECT_EQ(errors_of([] { accelerator_of_flag("gemini_16x16"); }),
            "--accelerator: accelerator: no accelerator is named 'gemini_16x16'; did you mean "
            "'gemmini_16x16'? (a path ends in .yaml or has a '/')");
  ErrorList errors;
  EXPECT_FALSE(find_model("lenet", "model", {"f.yaml", 1, 8}, errors));
  EXPECT_EQ(errors_of([&] { errors.throw_if_any(); }),
            "f.yaml:1:8: model: no model of the zoo is named 'lenet'; did you mean 'lenet5'? (a "
            "path ends in .pt2, .pt or .nir, or has a '/')");
}

TEST(LibraryTest, PathsStartFromTheFileThatNamesThem) {
  const ScratchFolder folder;
  folder.write("own.pt2", "x");
  ErrorList errors;
  const auto model = find_model("./own.pt2", "model", {folder.path("s.yaml"), 1, 1}, errors);
  ASSERT_TRUE(model);
  EXPECT_EQ(model->path, folder.path("own.pt2"));
  EXPECT_FALSE(model->is_zoo);
}

TEST(LibraryTest, NodesAreFoundByNameAndInFilesOfOnesOwn) {
  const ScratchFolder folder;
  std::string own = read_text_file((root_folder() / "data" / "technology_nodes.csv").string());
  own.replace(own.find("\n28,"), 4, "\n29,");
  folder.write("own.csv", own);
  const Place place{folder.path("s.yaml"), 1, 7};
  ErrorList errors;
  const auto shipped = find_node("28nm", "accelerator.node", place, errors);
  ASSERT_TRUE(shipped);
  EXPECT_EQ(shipped->neutron_rate.value, 66);
  const auto mine = find_node("own.csv:29nm", "accelerator.node", place, errors);
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->neutron_rate.value, 66);
  EXPECT_TRUE(errors.empty());
  EXPECT_FALSE(find_node("28 nm", "accelerator.node", place, errors));
  EXPECT_FALSE(find_node("none.csv:28nm", "accelerator.node", place, errors));
  const std::string text = errors_of([&] { errors.throw_if_any(); });
  EXPECT_NE(text.find("s.yaml:1:7: accelerator.node: no technology node is named '28 nm'; did you "
                      "mean '28nm'? (one of a file of your own is FILE.csv:NAME)"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("none.csv: accelerator.node: no such file"), std::string::npos) << text;
}

TEST(LibraryTest, BasesAreOverlaidAndMayChain) {
  const ScratchFolder folder;
  folder.write("small.yaml", "base: gemmini_16x16\nname: small\nmesh: {rows: 4}\n");
  const std::string path =
      folder.write("smaller.yaml", "base: small.yaml\nname: smaller\nmesh: {columns: 2}\n");
  const bridge::AcceleratorConfig config = accelerator_of_flag(path);
  EXPECT_EQ(config.name, "smaller");
  EXPECT_EQ(config.mesh.rows, 4);
  EXPECT_EQ(config.mesh.columns, 2);
}

TEST(LibraryTest, CirclesOfBasesEnd) {
  const ScratchFolder folder;
  folder.write("a.yaml", "base: b.yaml\n");
  const std::string path = folder.write("b.yaml", "base: a.yaml\n");
  EXPECT_NE(errors_of([&] { accelerator_of_flag(path); }).find("goes round in a circle"),
            std::string::npos);
}

TEST(LibraryTest, BadMeshesSayWhatIsAllowed) {
  const ScratchFolder folder;
  const std::string path = folder.write("a.yaml", "mesh: {rows: 0, colums: 4}\n");
  const std::string errors = errors_of([&] { accelerator_of_flag(path); });
  EXPECT_NE(errors.find(":1:14: accelerator.mesh.rows: 0 is out of range; allowed: 2 to 128"),
            std::string::npos);
  EXPECT_NE(errors.find("accelerator.mesh.colums: unknown key; did you mean 'columns'?"),
            std::string::npos);
}

}  // namespace
}  // namespace tilestrike::campaigns
