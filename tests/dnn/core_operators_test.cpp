// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does every operator of PyTorch's core set run as PyTorch runs it, or is it refused for its
// reason?
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/importer.h"
#include "dnn/import/pt2_archive.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

/// The model of tests/dnn/core_operators.py, read once.
class CoreOperatorsTest : public testing::Test {
 protected:
  void SetUp() override {
    TS_NEEDS_EXPORTED();
    const std::string path = exported() + "core.pt2";
    archive_ = std::make_unique<Pt2Archive>(path);
    program_.path = path;
    program_.graph = read_pt2_graph(archive_->program(), path);
    program_.weight = [this](const std::string& name) { return archive_->tensor(name, c10::kCPU); };
    states_ = json::parse(read_text_file(exported() + "core.json"));
    ASSERT_GT(states_.size(), 150U);
  }

  Network network_of(const std::string& name) {
    return Importer(program_, c10::kCPU, name).import();
  }

  std::unique_ptr<Pt2Archive> archive_;
  Program program_;
  json states_;
};

TEST_F(CoreOperatorsTest, EveryOneThatRunsGivesPyTorchsBits) {
  std::set<std::string> targets;
  for (const Pt2Node& node : program_.graph.nodes) {
    targets.insert(node.target);
  }
  const Inputs inputs({read_npy(exported() + "core_x.npy"), read_npy(exported() + "core_i.npy")});
  for (const auto& [name, state] : states_.items()) {
    ASSERT_NE(state.at("state"), "not tried")
        << name << " is new in PyTorch's core set: add a program for it to core_operators.py";
    EXPECT_EQ(targets.contains("aten." + name), state.at("state") != "not exported") << name;
    if (state.at("state") != "runs") {
      continue;
    }
    std::string failure;
    at::Tensor found;
    failure = failure_of([&] { found = Executor(network_of(name)).run(inputs); });
    ASSERT_TRUE(failure.empty()) << name << ": " << failure;
    const at::Tensor expected = read_npy(exported() + "core/" + name + ".npy");
    EXPECT_EQ(count_different(found, expected), 0)
        << name << ": largest relative difference " << relative_difference(found, expected);
  }
}

TEST_F(CoreOperatorsTest, TheOthersAreRefusedForTheirReason) {
  for (const auto& [name, state] : states_.items()) {
    if (state.at("state") == "refused") {
      const std::string message = failure_of([&] { network_of(name); });
      EXPECT_NE(message.find("aten." + name), std::string::npos) << name << ": " << message;
      EXPECT_NE(message.find(state.at("why").get<std::string>()), std::string::npos)
          << name << ": " << message;
      EXPECT_NE(message.find("; "), std::string::npos) << "no cure in: " << message;
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
