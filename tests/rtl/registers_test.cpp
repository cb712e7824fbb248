// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every flip-flop of the RTL a site, and every site a flip-flop, once each? Three lists are
// compared: what Verilator was told to open (lint/ts_mesh_registers.vlt), what Yosys finds in the
// design, and sim::MeshSites. And does the RTL pass lint and synthesis?
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>
#include <string>

#include "rtl/mesh_model.h"
#include "rtl/register_names.h"
#include "tests/rtl/run_tool.h"

namespace tilestrike::rtl {
namespace {

using sim::Dataflow;
using sim::MeshConfig;
using sim::MeshSites;

using Widths = std::map<std::string, int>;  // of registers, by array and element

std::string element(std::string_view array, std::uint64_t cell) {
  return std::string(array) + "[" + std::to_string(cell) + "]";
}

Widths widths_of_sites(const MeshSites& sites) {
  Widths widths;
  for (const sim::RegisterBlock& block : sites.blocks()) {
    for (std::uint64_t cell = 0; cell < block.cells; ++cell) {
      const std::string name = element(array_of(block.kind), cell);
      EXPECT_TRUE(widths.emplace(name, block.bits).second) << name << " is two registers";
    }
  }
  return widths;
}

std::uint64_t total(const Widths& widths) {
  std::uint64_t bits = 0;
  for (const auto& [name, width] : widths) {
    bits += static_cast<std::uint64_t>(width);
  }
  return bits;
}

// A script for Yosys on a 4x4 mesh; empty output and a skipped test where there is none.
std::string yosys_script(Dataflow dataflow, const std::string& rest) {
  const std::string folder = TS_RTL_FOLDER;
  const char* stationary = dataflow == Dataflow::kWeightStationary ? "1" : "0";
  // Deferred: no mesh of the default size is made.
  return "read_verilog -sv -defer " + folder +
         "/ts_mesh.sv; hierarchy -check -top ts_mesh -chparam Rows 4 -chparam Columns 4 "
         "-chparam WeightStationary " +
         stationary + "; rename -top ts_mesh; " + rest;
}

TEST(RegistersTest, WhatVerilatorOpensIsWhatCanBeStruck) {
  int models = 0;
  for (const BuiltMesh& built : built_meshes()) {
    const MeshConfig config{built.rows, built.columns, built.dataflow, built.overflow};
    const MeshSites sites(config);
    const MeshModel model(config, sites);
    Widths opened;
    model.visit_registers([&](const std::string& name, const RegisterArray& array) {
      for (std::uint64_t cell = 0; cell < array.words; ++cell) {
        opened.emplace(element(name, cell), array.bits);
      }
    });
    EXPECT_EQ(opened, widths_of_sites(sites));
    EXPECT_EQ(total(opened), sites.total_bits());
    ++models;
  }
  EXPECT_GE(models, 8);
}

TEST(RegistersTest, WhatYosysFindsIsWhatCanBeStruck) {
  if (!has_yosys()) {
    GTEST_SKIP() << "SKIPPED: yosys was not found";
  }
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    const MeshSites sites({4, 4, dataflow});
    const std::string path =
        testing::TempDir() + "ts_mesh_netlist_" + std::to_string(::getpid()) + ".json";
    const Ran ran =
        run_tool(std::string(TS_YOSYS) + " -q -p '" +
                 yosys_script(dataflow, "proc; flatten; opt_clean; write_json " + path) + "'");
    ASSERT_EQ(ran.status, 0) << ran.output;
    std::ifstream file(path);
    const nlohmann::json top = nlohmann::json::parse(file)["modules"]["ts_mesh"];
    std::remove(path.c_str());
    // The registers' own nets, by the bits that they carry.
    std::map<std::string, std::string> names;
    for (const auto& [name, net] : top["netnames"].items()) {
      if (name.find("_q[") != std::string::npos) {
        names[net["bits"].dump()] = name;
      }
    }
    Widths found;
    for (const auto& [cell, properties] : top["cells"].items()) {
      const std::string type = properties["type"];
      EXPECT_EQ(type.find("latch"), std::string::npos) << cell;
      EXPECT_EQ(type.find("mem"), std::string::npos) << cell;
      if (type.find("ff") != std::string::npos) {
        const nlohmann::json& bits = properties["connections"]["Q"];
        ASSERT_TRUE(names.count(bits.dump())) << cell << " has no name";
        found.emplace(names[bits.dump()], static_cast<int>(bits.size()));
      }
    }
    EXPECT_EQ(found, widths_of_sites(sites));
    EXPECT_EQ(total(found), sites.total_bits());
  }
}

// With `keep` on them: else a synthesis merges the skew of `valid` (and of `propagate`) of all
// columns, which is the same register many times.
TEST(RegistersTest, SynthesisKeepsEveryFlipFlop) {
  if (!has_yosys()) {
    GTEST_SKIP() << "SKIPPED: yosys was not found";
  }
  for (const Dataflow dataflow : {Dataflow::kWeightStationary, Dataflow::kOutputStationary}) {
    const Ran ran = run_tool(
        std::string(TS_YOSYS) + " -Q -T -p '" +
        yosys_script(dataflow,
                     "proc; setattr -set keep 1 t:$*ff*; synth -top ts_mesh; check -assert; stat") +
        "'");
    ASSERT_EQ(ran.status, 0) << ran.output.substr(ran.output.size() - 2000);
    const std::string hierarchy = ran.output.substr(ran.output.rfind("=== ts_mesh ==="));
    const std::regex cell(R"((\$_\w*(DFF|LATCH)\w*_)\s+(\d+))");
    std::uint64_t flip_flops = 0;
    for (std::sregex_iterator match(hierarchy.begin(), hierarchy.end(), cell), end; match != end;
         ++match) {
      EXPECT_EQ((*match)[2], "DFF") << (*match)[1];
      flip_flops += std::stoull((*match)[3]);
    }
    const MeshSites sites({4, 4, dataflow});
    EXPECT_EQ(flip_flops, sites.total_bits());
    std::printf("4x4 %s: %llu flip-flop bits\n",
                dataflow == Dataflow::kWeightStationary ? "ws" : "os",
                static_cast<unsigned long long>(flip_flops));
  }
}

TEST(RegistersTest, LintIsClean) {
  const std::string folder = TS_RTL_FOLDER;
  for (const char* parameters :
       {"-GRows=4 -GColumns=4 -GWeightStationary=1\\'b1 -GSaturate=1\\'b0",
        "-GRows=8 -GColumns=4 -GWeightStationary=1\\'b0 -GSaturate=1\\'b0",
        "-GRows=4 -GColumns=6 -GWeightStationary=1\\'b1 -GSaturate=1\\'b1",
        "-GRows=2 -GColumns=3 -GWeightStationary=1\\'b0 -GSaturate=1\\'b1"}) {
    const Ran ran =
        run_tool(std::string(TS_VERILATOR) + " --lint-only -Wall --top-module ts_mesh " +
                 parameters + " " + folder + "/lint/ts_mesh_registers.vlt " + folder +
                 "/lint/ts_mesh_waivers.vlt " + folder + "/ts_mesh.sv");
    EXPECT_EQ(ran.status, 0) << parameters << "\n" << ran.output;
    EXPECT_EQ(ran.output, "") << parameters;
  }
}

}  // namespace
}  // namespace tilestrike::rtl
