// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a scenario mean what it says, and is everything else refused with place and cure?
#include "campaigns/scenario/scenario.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "bridge/accelerator/engines.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/library.h"
#include "sim/mesh/engine.h"
#include "tests/campaigns/campaign_files.h"

namespace tilestrike::campaigns {
namespace {

Scenario scenario_of(const std::string& text) {
  ErrorList errors;
  const Scenario scenario =
      read_scenario(parse_yaml(text, "s.yaml"), sim::builtin_engines(), errors);
  errors.throw_if_any();
  return scenario;
}

std::string refusal(const std::string& text) {
  return errors_of([&] { scenario_of(text); });
}

TEST(ScenarioTest, OnlyTheModelIsRequired) {
  const Scenario scenario = scenario_of("model: lenet5\n");
  EXPECT_EQ(scenario.data.images, InputFiles("fashion_mnist/test"));
  EXPECT_EQ(scenario.data.calibrate, InputFiles("fashion_mnist/train"));
  EXPECT_EQ(scenario.data.use, 0);
  EXPECT_EQ(scenario.accelerator.name, "gemmini_16x16");
  EXPECT_EQ(scenario.trials.number, 1000);
  EXPECT_EQ(scenario.strike.faults, std::vector{FaultKind::kFlip});
  EXPECT_FALSE(is_persistent(scenario.strike));
  EXPECT_EQ(scenario.engine, "systemc");
}

TEST(ScenarioTest, AZooModelMayHaveDataOfItsOwn) {
  const std::string stem = (root_folder() / "zoo" / "segmenter").string();
  const Scenario scenario = scenario_of("model: segmenter\n");
  EXPECT_EQ(scenario.data.images, InputFiles(stem + "_images.npy"));
  EXPECT_EQ(scenario.data.labels, stem + "_labels.npy");
  EXPECT_EQ(scenario.data.calibrate, InputFiles(stem + "_calibrate.npy"));
  // With other images its labels are not taken.
  const Scenario other = scenario_of("model: segmenter\ndata: {images: fashion_mnist/test}\n");
  EXPECT_EQ(other.data.labels, "");
}

TEST(ScenarioTest, SeveralInputsHaveNamesOrPlaces) {
  const ScratchFolder folder;
  for (const char* name : {"m.pt2", "x.npy", "y.npy"}) {
    folder.write(name, "x");
  }
  const auto read = [&](const std::string& data) {
    ErrorList errors;
    const Scenario scenario = read_scenario(
        parse_yaml("model: m.pt2\ndata: " + data + "\noutput: logits", folder.path("s.yaml")),
        sim::builtin_engines(), errors);
    errors.throw_if_any();
    return scenario;
  };
  const InputFiles named({InputFile{"ids", folder.path("x.npy")}, {"mask", folder.path("y.npy")}});
  const InputFiles placed({InputFile{"", folder.path("y.npy")}, {"", folder.path("x.npy")}});
  const Scenario scenario = read("{images: {ids: x.npy, mask: y.npy}, calibrate: [y.npy, x.npy]}");
  EXPECT_EQ(scenario.data.images, named);
  EXPECT_EQ(scenario.data.calibrate, placed);
  const bridge::StudyInputs inputs = study_inputs(scenario, sim::builtin_engines());
  EXPECT_EQ(inputs.images, named);
  EXPECT_EQ(inputs.calibrate, placed);
  EXPECT_EQ(inputs.output, "logits");
  const std::string missing = errors_of([&] { read("{images: {ids: x.npy, mask: z.npy}}"); });
  EXPECT_NE(missing.find("s.yaml:2:"), std::string::npos) << missing;
  EXPECT_NE(missing.find("data.images.mask: no such file"), std::string::npos) << missing;
  const std::string wrong = errors_of([&] { read("{images: {ids: [x.npy]}}"); });
  EXPECT_NE(wrong.find("data.images: "), std::string::npos) << wrong;
  EXPECT_NE(wrong.find("a path for each input"), std::string::npos) << wrong;
}

TEST(ScenarioTest, HowManyImagesFixTheScalesIsSaidOnlyWhereItIsNotTheDefault) {
  const auto scenario_of = [](const std::string& data) {
    return campaign_of("model: lenet5\n" + data).points.front().scenario;
  };
  EXPECT_EQ(study_inputs(scenario_of(""), sim::builtin_engines()).calibrate_use, 1000);
  EXPECT_EQ(expanded(scenario_of("")).yaml().find("calibrate_use"), std::string::npos);
  for (const auto& [text, use] :
       std::vector<std::pair<std::string, std::int64_t>>{{"all", 0}, {"20000", 20000}}) {
    const Scenario scenario = scenario_of("data: {calibrate_use: " + text + "}");
    EXPECT_EQ(study_inputs(scenario, sim::builtin_engines()).calibrate_use, use);
    EXPECT_NE(expanded(scenario).yaml().find("calibrate_use: " + text), std::string::npos);
  }
  EXPECT_NE(errors_of([&] { scenario_of("data: {calibrate_use: 0}"); }).find("data.calibrate_use"),
            std::string::npos);
}

TEST(ScenarioTest, ExpandingTwiceIsExpandingOnce) {
  const ScratchFolder folder;
  folder.write("m.pt2", "x");
  folder.write("x.npy", "x");
  folder.write("y.npy", "x");
  folder.write("f.csv", "register,row,column,bit,cycle\nload,1,2,3,4\n");
  for (const std::string text :
       {"model: lenet5", "model: m.pt2\ndata: {images: x.npy, labels: y.npy, use: 5}",
        "model: m.pt2\ndata: {images: {ids: x.npy, mask: y.npy}, calibrate: [y.npy, "
        "x.npy]}\noutput: logits",
        "model: lenet5\naccelerator: {base: edge_8x8, mesh: {rows: 4}}\ntrials: exhaustive",
        "model: lenet5\nstrike: {fault: [stuck_at_0, stuck_at_1], where: {mesh: {pe: [1, 2], "
        "register: [load, valid], bit: [0, 7]}}}",
        "model: lenet5\nstrike: {fault: stuck_at_1, lasts: {from: 3, until: 9}}\nuntil: "
        "{relative: 20%, confidence: 99%, of: sdc_1}\nseed: 7\ndevice: cpu",
        "model: lenet5\nstrike: {where: {mesh: {layer: \"conv*\", bit: 3}}, count: 2}",
        "model: lenet5\nstrike: {process: list, faults: [{register: load, pe: [1, 2], bit: 3, "
        "cycle: 4}, [{register: output, column: 1, bit: 0, cycle: 9, image: 3}, {register: "
        "deskew, column: 1, position: 2, bit: 31, cycle: 9, until: 12, image: 3, fault: "
        "stuck_at_0}]], lasts: transient}",
        "model: lenet5\nstrike: {process: list, faults: f.csv}\ntrials: 1"}) {
    ErrorList errors;
    const Value once = expanded(
        read_scenario(parse_yaml(text, folder.path("s.yaml")), sim::builtin_engines(), errors));
    errors.throw_if_any();
    const Value twice = expanded(
        read_scenario(parse_yaml(once.yaml(), "/elsewhere.yaml"), sim::builtin_engines(), errors));
    errors.throw_if_any();
    EXPECT_EQ(once.yaml(), twice.yaml());
  }
}

TEST(ScenarioTest, AllErrorsOfAFileComeAtOnce) {
  EXPECT_EQ(refusal("modell: lenet5\n"
                    "trials: many\n"
                    "strike:\n"
                    "  fault: flop\n"
                    "  where: {memory: []}\n"
                    "seed: -1\n"
                    "seed: 2\n"
                    "engine: sistemc\n"),
            "s.yaml:1:1: modell: unknown key; did you mean 'model'?\n"
            "s.yaml:2:9: trials: found 'many'; write an integer from 1 to 1099511627776\n"
            "s.yaml:4:10: strike.fault: 'flop' is not a choice; did you mean 'flip'?\n"
            "s.yaml:5:19: strike.where.memory: found a list; write at least one memory's name\n"
            "s.yaml:6:7: seed: -1 is out of range; allowed: 0 to 9223372036854775806\n"
            "s.yaml:7:1: seed: the key stands twice; keep one; the first is at s.yaml:6:1\n"
            "s.yaml:8:9: engine: 'sistemc' is not a choice; did you mean 'systemc'?\n"
            "s.yaml:1:1: model: this key is required; add 'model: ...' (path of a .pt2 "
            "archive or a TorchScript file, or a zoo model; of `correlate` also none)");
}

TEST(ScenarioTest, TheRtlIsAnEngineWhereItIsBuilt) {
  const auto engine_of = [](const sim::EngineSet& engines) {
    ErrorList errors;
    const Scenario scenario =
        read_scenario(parse_yaml("model: lenet5\nengine: rtl", "s.yaml"), engines, errors);
    errors.throw_if_any();
    return scenario.engine;
  };
  sim::EngineSet without = sim::builtin_engines();
  without.add_absent({"rtl", "this build has no RTL", "install verilator"});
  EXPECT_EQ(errors_of([&] { engine_of(without); }),
            "s.yaml:2:9: engine: this build has no RTL; install verilator, or choose one of "
            "systemc, closed_form, wavefront, stepped");
  const sim::EngineSet engines = bridge::engines_of_this_build();
  if (engines.find("rtl") != nullptr) {
    EXPECT_EQ(engine_of(engines), "rtl");
  } else {
    EXPECT_NE(errors_of([&] { engine_of(engines); }).find("engine: this build has no RTL"),
              std::string::npos);
  }
}

TEST(ScenarioTest, WhatIsNotAvailableYetIsNamed) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"accelerator: none", "without an accelerator there is no mesh"},
           {"format: float32", "format: the mesh computes on int8, not float32"},
           {"strike: {per_bit: 1e-7}", "rates strike tensors, not yet the mesh; use 'count'"},
           {"strike: {where: {mesh: {}, weights: \"*\"}}", "the mesh and tensors at once"},
           {"strike: {where: {weights: \"*\"}}\naudit: 1%",
            "audit: no engine computes strikes on tensors"},
           {"audit: 0%", "audit: 0% is out of range; allowed: above 0 %, up to 100 %"}}) {
    EXPECT_NE(refusal("model: lenet5\n" + text).find(message), std::string::npos)
        << refusal("model: lenet5\n" + text);
  }
}

TEST(ScenarioTest, ContradictionsAreRefused) {
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"strike: {fault: flip, lasts: permanent}", "a flip or random value acts only once"},
           {"strike: {fault: [flip, stuck_at_0]}", "both are asked for"},
           {"accelerator: none\nstrike: {where: {weights: \"*\", tick: 3}}",
            "strike.where.tick: spikes and membranes have ticks, and none are named"},
           {"strike: {where: {tick: 3}}",
            "strike.where.tick: spikes and membranes have ticks, and none are named"},
           {"strike: {where: {membranes: \"*\", tick: later}}",
            "strike.where.tick: found 'later'; write an integer from 0"},
           {"spiking: 8", "spiking: found '8'; write a map such as {ticks: 8}"},
           {"strike: {fault: stuck_at_0, lasts: {from: 9, until: 9}}",
            "the window ends before it starts"},
           {"strike: {fault: stuck_at_0, where: {mesh: {layer: conv1}}}",
            "a lasting fault strikes every layer"},
           {"strike: {where: {mesh: {pe: [16, 0]}}}", "has no PE [16, 0]"},
           {"strike: {where: {mesh: {register: accumulator_0}}}",
            "this mesh has no register named 'accumulator_0'"},
           {"strike: {where: {mesh: {register: valid, bit: 1}}}", "no bit of the mesh is left"},
           {"strike: {where: {mesh: {register: output, pe: [1, 1]}}}",
            "no bit of the mesh is left"},
           {"strike: {count: 9, where: {mesh: {pe: [1, 1], register: load}}}",
            "9 faults at different sites, of 8 sites"},
           {"strike: {faults: [{register: load, pe: [1, 1], bit: 0, cycle: 1}]}",
            "a list of faults, but the process is not"},
           {"strike: {process: list}", "needs a list of faults"},
           {"strike: {process: list, count: 2, faults: [{register: load, pe: [1, 1], bit: 0, "
            "cycle: 1}]}",
            "mean nothing with 'process: list'"},
           {"trials: exhaustive\nuntil: {relative: 20%}", "has no sampling error"},
           {"trials: exhaustive\nstrike: {fault: random}", "not several or random ones"},
           {"until: {of: sdc}", "no width is asked for"},
           {"until: {relative: 120%}", "120% is out of range"},
           {"device: gpu", "'gpu' is not a device; allowed: auto, cpu, cuda:N"},
           {"data: {use: 0}", "0 is out of range"}}) {
    EXPECT_NE(refusal("model: lenet5\n" + text).find(message), std::string::npos)
        << text << "\n"
        << refusal("model: lenet5\n" + text);
  }
}

TEST(ScenarioTest, FilesThatAreMissingAreNamed) {
  EXPECT_NE(refusal("model: ./none.pt2").find("none.pt2'"), std::string::npos);
  EXPECT_NE(refusal("model: lenet5\ndata: {images: none.npy}").find("data.images: no such file"),
            std::string::npos);
  const ScratchFolder folder;
  const std::string own = folder.write("m.pt2", "x");
  EXPECT_NE(refusal("model: " + own).find("data.images: this key is required"), std::string::npos);
  EXPECT_NE(refusal("model: lenet5\nstrike: {process: list, faults: none.csv}")
                .find("strike.faults: no such file"),
            std::string::npos);
}

TEST(ScenarioTest, ListedFaultsMustBeOnTheMesh) {
  const std::string start =
      "model: lenet5\naccelerator: edge_8x8\nstrike: {process: list, faults: [";
  for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"{register: load, pe: [8, 0], bit: 0, cycle: 1}",
            "no such bit of 'load'; name row (0 to 7), column (0 to 7), bit (0 to 31)"},
           {"{register: skew_activation, row: 3, position: 3, bit: 0, cycle: 1}",
            "name row (0 to 7), position (below row), bit (0 to 7)"},
           {"{register: deskew, column: 7, bit: 0, cycle: 1}", "position (below columns - 1 - "},
           {"{register: output, row: 1, column: 7, bit: 0, cycle: 1}", "and no other place"},
           {"{register: weight_0, pe: [1, 1], bit: 0, cycle: 1}", "no register named 'weight_0'"},
           {"{register: load, pe: [1, 1], bit: 0}", "strike.faults.cycle: this key is required"},
           {"{register: load, pe: [1, 1], cycle: 4}", "strike.faults.bit: this key is required"},
           {"{register: load, pe: [1, 1], bit: 0, cycle: 4, until: 9}",
            "until: a flip or random value acts only once"},
           {"{register: load, pe: [1, 1], bit: 0, image: 2, fault: stuck_at_0}",
            "image: a lasting fault is judged on all images"},
           {"[{register: load, pe: [1, 1], bit: 0, cycle: 1, image: 2}, {register: load, pe: [1, "
            "1], bit: 1, cycle: 1, image: 3}]",
            "one trial strikes one image"}}) {
    EXPECT_NE(refusal(start + text + "]}").find(message), std::string::npos)
        << text << "\n"
        << refusal(start + text + "]}");
  }
}

TEST(ScenarioTest, CsvFilesGroupRowsIntoTrials) {
  const ScratchFolder folder;
  folder.write("f.csv",
               "trial, register, row, column, position, bit, cycle, fault\n"
               "0, load, 1, 2, , 3, 4, flip\n"
               "1, output, , 5, , 31, 9,\n"
               "\n"
               "0, deskew, , 0, 2, 1, 6, stuck_at_1\n");
  ErrorList errors;
  const Scenario scenario = read_scenario(
      parse_yaml("model: lenet5\nstrike: {process: list, faults: f.csv, lasts: transient}",
                 folder.path("s.yaml")),
      sim::builtin_engines(), errors);
  errors.throw_if_any();
  EXPECT_TRUE(scenario.trials.is_exhaustive);
  ASSERT_EQ(scenario.strike.list.size(), 2U);
  ASSERT_EQ(scenario.strike.list[0].size(), 2U);
  EXPECT_EQ(scenario.strike.list[0][1].register_name, "deskew");
  EXPECT_EQ(scenario.strike.list[0][1].kind, FaultKind::kStuckAt1);
  EXPECT_EQ(scenario.strike.list[1][0].bit, 31);
  EXPECT_FALSE(scenario.strike.list[1][0].kind);
}

TEST(ScenarioTest, CsvErrorsHaveAPlace) {
  const ScratchFolder folder;
  const std::string csv = folder.write("f.csv",
                                       "register,row,column,bit,cicle\n"
                                       "load,1,x,3,4\n"
                                       "load,1\n");
  const std::string errors = refusal("model: lenet5\nstrike: {process: list, faults: " + csv + "}");
  EXPECT_NE(errors.find("f.csv:2:8: strike.faults.column: found 'x'"), std::string::npos) << errors;
  EXPECT_NE(errors.find("f.csv:1:25: strike.faults.cicle: unknown key; did you mean 'cycle'?"),
            std::string::npos);
  EXPECT_NE(errors.find("f.csv:3:1: strike.faults: 2 cells under 5 column names"),
            std::string::npos);
}

TEST(ScenarioTest, SelectionsCountSites) {
  const sim::MeshConfig mesh{8, 8, sim::Dataflow::kWeightStationary};
  const sim::MeshSites sites(mesh);
  EXPECT_EQ(selected_sites({}, sites).size(), sites.total_bits());
  EXPECT_EQ(selected_sites({{1, 2}, {}, {}, ""}, sites).size(), 8U + 32 + 8 + 1 + 1 + 8 + 8);
  EXPECT_EQ(selected_sites({{}, {"partial_sum"}, {31}, ""}, sites).size(), 64U);
  EXPECT_EQ(selected_sites({{}, {"valid", "output"}, {0, 1}, ""}, sites).size(), 64U + 2 * 8);
}

TEST(ScenarioTest, EverySiteCanBeListed) {
  for (const auto& [rows, columns] : {std::pair{2, 2}, {7, 5}, {4, 9}}) {
    for (const auto dataflow :
         {sim::Dataflow::kWeightStationary, sim::Dataflow::kOutputStationary}) {
      const sim::MeshConfig mesh{rows, columns, dataflow};
      const sim::MeshSites sites(mesh);
      for (std::uint64_t id = 0; id < sites.total_bits(); ++id) {
        const sim::MeshSite site = sites.describe(SiteId(id));
        ListedFault fault;
        fault.register_name = sites.block(site.kind).name;
        fault.row = site.row;
        fault.column = site.column;
        fault.position = site.position;
        fault.bit = site.bit;
        ASSERT_EQ(site_of(fault, sites), SiteId(id));
      }
    }
  }
}

}  // namespace
}  // namespace tilestrike::campaigns
