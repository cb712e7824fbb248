// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every storage bit of the core's RTL a site, and every site a storage bit, once each? Three
// lists are compared: what Verilator was told to open (lint/ts_core_storage.vlt), what Yosys finds
// in the design, and sim::CoreSites. Is the boot port a way to all that is written at boot? And
// does the RTL pass lint?
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"
#include "rtl/core_model.h"
#include "tests/rtl/run_tool.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::rtl {
namespace {

using sim::CoreConfig;
using sim::CoreSites;
using sim::CoreStorage;

struct Shape {
  std::uint64_t words;
  int bits;
  friend bool operator==(const Shape&, const Shape&) = default;
};
using Storage = std::map<std::string, Shape>;

CoreConfig config_of(const BuiltCore& built) {
  CoreConfig config;
  config.axons = built.axons;
  config.neurons = built.neurons;
  config.membrane_bits = built.membrane_bits;
  config.destinations = built.destinations;
  config.queue = built.queue;
  config.overflow = built.overflow;
  return config;
}

Storage storage_of(const CoreSites& sites) {
  Storage storage;
  for (const sim::CoreBlock& block : sites.blocks()) {
    storage.emplace(block.name + "_q", Shape{block.words, block.bits});
  }
  return storage;
}

std::uint64_t total(const Storage& storage) {
  std::uint64_t bits = 0;
  for (const auto& [name, shape] : storage) {
    bits += shape.words * static_cast<std::uint64_t>(shape.bits);
  }
  return bits;
}

TEST(CoreStorageTest, WhatVerilatorOpensIsWhatCanBeStruck) {
  int models = 0;
  for (const BuiltCore& built : built_cores()) {
    const CoreSites sites(config_of(built));
    const CoreModel model(sites);
    Storage opened;
    model.visit_storage([&](const std::string& name, std::uint64_t words, int bits) {
      EXPECT_TRUE(opened.emplace(name, Shape{words, bits}).second) << name;
    });
    EXPECT_EQ(opened, storage_of(sites));
    EXPECT_EQ(total(opened), sites.total_bits());
    ++models;
  }
  EXPECT_GE(models, 5);
}

// A number in Yosys' JSON: binary digits.
std::uint64_t number_of(const nlohmann::json& value) {
  return value.is_string() ? std::stoull(value.get<std::string>(), nullptr, 2)
                           : value.get<std::uint64_t>();
}

// What is stored in a netlist, by name: memories, and flip-flops by the nets that they drive. The
// words of an array that became registers are one entry.
Storage storage_in(const nlohmann::json& top) {
  std::map<std::string, std::string> names;
  for (const auto& [name, net] : top["netnames"].items()) {
    if (name.find("_q") != std::string::npos) {
      names[net["bits"].dump()] = name;
    }
  }
  Storage found;
  for (const auto& [cell, properties] : top["cells"].items()) {
    const std::string type = properties["type"];
    EXPECT_EQ(type.find("latch"), std::string::npos) << cell;
    if (type == "$mem_v2") {
      const nlohmann::json& parameters = properties["parameters"];
      const std::string name = parameters["MEMID"].get<std::string>().substr(1);  // a backslash
      EXPECT_TRUE(found
                      .emplace(name, Shape{number_of(parameters["SIZE"]),
                                           static_cast<int>(number_of(parameters["WIDTH"]))})
                      .second)
          << name;
    } else if (type.find("ff") != std::string::npos) {
      const nlohmann::json& bits = properties["connections"]["Q"];
      EXPECT_TRUE(names.count(bits.dump())) << cell << " has no name";
      const std::string name = names[bits.dump()];
      Shape& shape =
          found.emplace(name.substr(0, name.find('[')), Shape{0, static_cast<int>(bits.size())})
              .first->second;
      ++shape.words;
      EXPECT_EQ(shape.bits, static_cast<int>(bits.size())) << name;
    } else {
      EXPECT_EQ(type.find("mem"), std::string::npos) << cell;
    }
  }
  return found;
}

TEST(CoreStorageTest, WhatYosysFindsIsWhatCanBeStruck) {
  if (!has_yosys()) {
    GTEST_SKIP() << "SKIPPED: yosys was not found";
  }
  const std::string path =
      testing::TempDir() + "ts_core_netlist_" + std::to_string(::getpid()) + ".json";
  // Its defaults are the core of 16 x 16.
  const Ran ran = run_tool(std::string(TS_YOSYS) + " -q -p 'read_verilog -sv " + TS_RTL_FOLDER +
                           "/ts_core.sv; hierarchy -check -top ts_core; proc; flatten; opt_clean; "
                           "check -assert; memory_collect; opt_clean; write_json " +
                           path + "'");
  ASSERT_EQ(ran.status, 0) << ran.output;
  std::ifstream file(path);
  const Storage found = storage_in(nlohmann::json::parse(file)["modules"]["ts_core"]);
  std::remove(path.c_str());
  const CoreSites sites(sim::core_named("core_16x16"));
  EXPECT_EQ(found, storage_of(sites));
  EXPECT_EQ(total(found), sites.total_bits());
  std::printf("core of 16 x 16: %llu bits\n", static_cast<unsigned long long>(total(found)));
}

TEST(CoreStorageTest, TheBootPortWritesAllThatIsWrittenAtBoot) {
  for (const BuiltCore& built : built_cores()) {
    const CoreConfig config = config_of(built);
    const CoreSites sites(config);
    RandomStream random(71, 0, Purpose::kTest);
    sim::CoreTaste taste;
    taste.is_extreme = true;
    taste.first_tick = 1234;
    const sim::CoreContents contents = sim::random_contents(config, taste, random);
    sim::CoreState expected(sites), booted(sites);
    sim::boot(contents, expected);
    CoreModel model(sites);
    for (const sim::CoreBlock& block : sites.blocks()) {
      for (std::uint32_t word = 0; block.is_boot_array() && word < block.words; ++word) {
        for (std::size_t limb = 0; limb < block.limbs; ++limb) {
          model.boot(block.storage, word, static_cast<int>(limb),
                     expected.word(block.storage, word)[limb]);
        }
      }
    }
    model.boot(CoreStorage::kTicks, 0, 0,
               expected.value(CoreStorage::kTicks) << 16 | expected.value(CoreStorage::kFirstTick));
    model.get_state(booted);
    EXPECT_EQ(booted, expected) << config.axons << "x" << config.neurons;
  }
}

TEST(CoreStorageTest, ACoreThatIsNotBuiltIsRefused) {
  const CoreSites sites(sim::core_named("core_32x16"));
  EXPECT_FALSE(CoreModel::is_built(sites.config()));
  try {
    const CoreModel model(sites);
    FAIL() << "a model of a core that is not built";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors().front().what,
              "the RTL of a core 32:16:24:64:16:wrap with a watchdog of 492 cycles is not built");
    EXPECT_NE(failure.errors().front().cure.find("TS_RTL_CORES"), std::string::npos);
    EXPECT_NE(failure.errors().front().cure.find("256:256:24:1024:16:wrap"), std::string::npos);
  }
}

TEST(CoreStorageTest, LintIsClean) {
  const std::string folder = TS_RTL_FOLDER;
  for (const BuiltCore& built : built_cores()) {
    std::string command = std::string(TS_VERILATOR) + " --lint-only -Wall --top-module ts_core";
    const auto set = [&](const char* name, std::int64_t value) {
      command += std::string(" -G") + name + "=" + std::to_string(value);
    };
    set("Axons", built.axons);
    set("Neurons", built.neurons);
    set("MembraneBits", built.membrane_bits);
    set("Destinations", built.destinations);
    set("Queue", built.queue);
    set("Overflow", static_cast<int>(built.overflow));
    set("Watchdog", built.watchdog);
    const Ran ran = run_tool(command + " " + folder + "/lint/ts_core_storage.vlt " + folder +
                             "/lint/ts_core_waivers.vlt " + folder + "/ts_core.sv");
    EXPECT_EQ(ran.status, 0) << command << "\n" << ran.output;
    EXPECT_EQ(ran.output, "") << command;
  }
}

}  // namespace
}  // namespace tilestrike::rtl
