// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every storage element of the memory's RTL one that can be struck, and are its cells those of
// the geometry? Three lists are compared: what Verilator was told to open
// (lint/ts_memory_storage.vlt), what Yosys finds, and what sim::ArrayGeometry and docs/rtl.md say.
// And does it pass lint and synthesis?
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cstdio>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "rtl/memory_model.h"
#include "tests/rtl/run_tool.h"

namespace tilestrike::rtl {
namespace {

struct Shape {
  int words = 0, bits = 0;
  friend auto operator<=>(const Shape&, const Shape&) = default;
};
using Storage = std::map<std::string, Shape>;  // by name below the top module

Storage storage_of(const sim::ArrayGeometry& geometry, sim::EccKind ecc) {
  const int address = std::bit_width(geometry.codewords() - 1);
  const int data = geometry.config().data_bits;
  Storage storage{{"modify_q", {1, 1}},      {"found_q", {1, 1}},
                  {"operation_q", {1, 2}},   {"address_q", {1, address}},
                  {"data_q", {1, data}},     {"mask_q", {1, data}},
                  {"scrub_q", {1, address}}, {"word_q", {1, geometry.codeword_bits()}}};
  for (int bank = 0; bank < geometry.banks(); ++bank) {
    storage["gen_bank[" + std::to_string(bank) + "].u_cells.cells_q"] = {geometry.rows(),
                                                                         geometry.columns()};
  }
  if (ecc != sim::EccKind::kNone) {
    storage["gen_poison.u_poison.cells_q"] = {geometry.banks() * geometry.rows(),
                                              geometry.words_per_row()};
    storage["gen_poison.poisoned_q"] = {1, 1};
  }
  return storage;
}

// Bits of the storage whose name has `part`.
std::uint64_t total(const Storage& storage, const std::string& part = "") {
  std::uint64_t bits = 0;
  for (const auto& [name, shape] : storage) {
    if (name.find(part) != std::string::npos) {
      bits += static_cast<std::uint64_t>(shape.words) * static_cast<std::uint64_t>(shape.bits);
    }
  }
  return bits;
}

// The smallest memory with SEC-DED: two banks of two rows of two codewords.
const BuiltMemory& small() {
  for (const BuiltMemory& built : built_memories()) {
    if (built.array.capacity_bytes == 32 && built.ecc == sim::EccKind::kSecded) {
      return built;
    }
  }
  ADD_FAILURE() << "the small memory is not built";
  return built_memories()[0];
}

std::string sources(char between) {
  std::string text;
  for (const char* name : {"ts_ram_1p", "ts_secded_39_32", "ts_secded_72_64", "ts_memory"}) {
    text += std::string(TS_RTL_FOLDER) + "/" + name + ".sv" + between;
  }
  return text;
}

// Its defaults are the small memory.
std::string yosys(const std::string& rest) {
  return std::string(TS_YOSYS) + " -Q -T -p 'read_verilog -sv " + sources(' ') +
         "; hierarchy -check -top ts_memory; " + rest + "'";
}

// A number in Yosys' JSON: binary digits.
int number_of(const nlohmann::json& value) {
  return value.is_string() ? std::stoi(value.get<std::string>(), nullptr, 2) : value.get<int>();
}

TEST(MemoryStorageTest, WhatVerilatorOpensIsTheGeometrysCellsAndTheRegisters) {
  int models = 0;
  for (const BuiltMemory& built : built_memories()) {
    const sim::ArrayGeometry geometry(built.array);
    const MemoryModel model(geometry, sim::EccCode::make(built.ecc, built.array.data_bits),
                            built.overflow);
    Storage opened;
    model.visit_storage([&](const std::string& name, int words, int bits) {
      EXPECT_TRUE(opened.emplace(name, Shape{words, bits}).second) << name;
    });
    EXPECT_EQ(opened, storage_of(geometry, built.ecc));
    EXPECT_EQ(total(opened, ".u_cells."), geometry.cells());
    EXPECT_EQ(total(opened, ".u_poison."),
              built.ecc == sim::EccKind::kNone ? 0 : geometry.codewords());
    ++models;
  }
  EXPECT_GE(models, 5);
}

TEST(MemoryStorageTest, WhatYosysFindsIsTheGeometrysCellsAndTheRegisters) {
  if (!has_yosys()) {
    GTEST_SKIP() << "SKIPPED: yosys was not found";
  }
  const std::string path =
      testing::TempDir() + "ts_memory_netlist_" + std::to_string(::getpid()) + ".json";
  const Ran ran =
      run_tool(yosys("proc; flatten; opt_clean; memory_collect; opt_clean; write_json " + path));
  ASSERT_EQ(ran.status, 0) << ran.output;
  std::ifstream file(path);
  const nlohmann::json top = nlohmann::json::parse(file)["modules"]["ts_memory"];
  std::remove(path.c_str());
  std::map<std::string, std::string> names;  // of registers, by the bits that they carry
  for (const auto& [name, net] : top["netnames"].items()) {
    if (name.size() > 2 && name.compare(name.size() - 2, 2, "_q") == 0) {
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
      EXPECT_TRUE(
          found.emplace(name, Shape{number_of(parameters["SIZE"]), number_of(parameters["WIDTH"])})
              .second)
          << name;
    } else if (type.find("ff") != std::string::npos) {
      const nlohmann::json& bits = properties["connections"]["Q"];
      ASSERT_TRUE(names.count(bits.dump())) << cell << " has no name";
      found.emplace(names[bits.dump()], Shape{1, static_cast<int>(bits.size())});
    } else {
      EXPECT_EQ(type.find("mem"), std::string::npos) << cell;
    }
  }
  const sim::ArrayGeometry geometry(small().array);
  EXPECT_EQ(found, storage_of(geometry, small().ecc));
  EXPECT_EQ(total(found, ".u_cells."), geometry.cells());
}

TEST(MemoryStorageTest, SynthesisKeepsEveryBit) {
  if (!has_yosys()) {
    GTEST_SKIP() << "SKIPPED: yosys was not found";
  }
  const Ran ran = run_tool(yosys("synth -flatten -top ts_memory; check -assert; stat"));
  ASSERT_EQ(ran.status, 0) << ran.output.substr(ran.output.size() - 2000);
  const std::string statistics = ran.output.substr(ran.output.rfind("=== ts_memory ==="));
  const std::regex cell(R"((\$_\w*(DFF|LATCH)\w*_)\s+(\d+))");
  std::uint64_t bits = 0;
  for (std::sregex_iterator match(statistics.begin(), statistics.end(), cell), end; match != end;
       ++match) {
    EXPECT_EQ((*match)[2], "DFF") << (*match)[1];
    bits += std::stoull((*match)[3]);
  }
  const sim::ArrayGeometry geometry(small().array);
  EXPECT_EQ(bits, total(storage_of(geometry, small().ecc)));
  std::printf("32 bytes in (39,32): %llu cells, %llu poison bits, %llu bits in all\n",
              static_cast<unsigned long long>(geometry.cells()),
              static_cast<unsigned long long>(geometry.codewords()),
              static_cast<unsigned long long>(bits));
}

TEST(MemoryStorageTest, LintIsClean) {
  for (const BuiltMemory& built : built_memories()) {
    const sim::ArrayGeometry geometry(built.array);
    std::string command = std::string(TS_VERILATOR) + " --lint-only -Wall --top-module ts_memory";
    const auto set = [&](const char* name, int value) {
      command += std::string(" -G") + name + "=" + std::to_string(value);
    };
    set("Banks", geometry.banks());
    set("Rows", geometry.rows());
    set("WordsPerRow", geometry.words_per_row());
    set("Interleave", geometry.interleave());
    set("DataBits", built.array.data_bits);
    set("Ecc", built.ecc == sim::EccKind::kNone ? 0 : built.ecc == sim::EccKind::kParity ? 1 : 2);
    command += built.overflow == sim::Overflow::kSaturate ? " -GSaturate=1\\'b1 " : " ";
    for (const char* list : {"/lint/ts_memory_storage.vlt ", "/lint/ts_ecc_waivers.vlt "}) {
      command += TS_RTL_FOLDER + std::string(list);
    }
    const Ran ran = run_tool(command + sources(' '));
    EXPECT_EQ(ran.status, 0) << command << "\n" << ran.output;
    EXPECT_EQ(ran.output, "") << command;
  }
}

}  // namespace
}  // namespace tilestrike::rtl
