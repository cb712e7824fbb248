// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Promise 1: hybrid equals full simulation, bit for bit, for faults that changed an accumulator (at
// least 50 per register kind), for masked ones, at pass boundaries, stuck-at and several at once.
#include <gtest/gtest.h>

#include <map>

#include "base/random.h"
#include "bridge/reference/full_simulation.h"
#include "bridge/trial/judge.h"
#include "bridge/trial/mesh_trials.h"
#include "dnn/count_different.h"
#include "tests/bridge/schedule_events.h"
#include "tests/bridge/touched.h"
#include "tests/bridge/zoo.h"
#include "tests/whole_proofs.h"

namespace tilestrike::bridge {
namespace {

const TopKJudge kTopK{};

constexpr int kImages = 50;
constexpr int kMostTries = 4000;  // per register kind; a kind that cannot change anything fails

class Comparison {
 public:
  Comparison(const std::string& model, const AcceleratorConfig& accelerator, std::uint64_t seed)
      : load_(zoo_workload(model, kImages)),
        executor_(load_.network),
        sites_(accelerator.mesh),
        random_(seed, 0, Purpose::kTest) {
    golden_ = executor_.record(image(0));
    mapping_ = std::make_unique<Mapping>(load_.network, golden_, accelerator);
    runner_ = std::make_unique<MeshTrials>(load_.network, *mapping_, sim::builtin_engines(),
                                           "systemc", kTopK);
    engine_ = sim::builtin_engines().make("systemc");
  }

  const sim::MeshSites& sites() const { return sites_; }
  RandomStream& random() { return random_; }
  int compared() const { return compared_; }

  // A cycle in which a layer is on the mesh.
  Cycle cycle_on_mesh() {
    for (;;) {
      const auto cycle = static_cast<Cycle>(
          random_.below(static_cast<std::uint64_t>(mapping_->schedule().cycles_per_inference())));
      const auto layer = layer_at(mapping_->schedule(), cycle);
      if (layer && mapping_->schedule().layers()[*layer].run != nullptr) {
        return cycle;
      }
    }
  }

  // A cycle in which the site meets one of the two wavefronts on either side of a pass boundary.
  Cycle cycle_at_boundary(SiteId site) {
    const ScheduledLayer& layer =
        mapping_->schedule().layers()[*layer_at(mapping_->schedule(), cycle_on_mesh())];
    const sim::Window window = layer.run->window(
        static_cast<int>(random_.below(static_cast<std::uint64_t>(layer.run->windows()))));
    const int delay = sites_.delay(sites_.describe(site));
    return layer.start + window.start + delay - 2 + static_cast<Cycle>(random_.below(4));
  }

  // Runs one list of faults both ways on a random image. Returns whether an accumulator changed.
  bool compare(const std::vector<RegisterFault>& faults) {
    const auto which = static_cast<std::int64_t>(random_.below(kImages));
    golden_ = executor_.record(image(which));
    Touched touched;
    const TrialResult result = runner_->run(golden_, faults, &touched);
    const FullRun full = simulate_all(load_.network, *mapping_, *engine_, image(which), faults);
    const std::string about =
        sites_.text(faults[0].site) + " at cycle " + std::to_string(faults[0].when.from);
    for (const auto& layer : touched.layers) {
      const at::Tensor& expected = full.tape.accumulators[layer.layer];
      EXPECT_EQ(
          dnn::count_different(
              layer.accumulators.defined() ? layer.accumulators : golden_.accumulators[layer.layer],
              expected),
          0)
          << about << ", layer " << load_.network.layers[layer.layer].name;
    }
    const at::Tensor logits =
        full.tape.values[static_cast<std::size_t>(load_.network.output.value)].toTensor();
    if (result.logits.empty()) {
      EXPECT_EQ(dnn::count_different(
                    golden_.values[static_cast<std::size_t>(load_.network.output.value)].toTensor(),
                    logits),
                0)
          << about;
    } else {
      for (std::size_t i = 0; i < result.logits.size(); ++i) {
        EXPECT_EQ(result.logits[i], logits.data_ptr<float>()[i]) << about;
      }
    }
    EXPECT_TRUE(result.changed_accumulators == 0 || result.activated) << about;
    ++compared_;
    return result.changed_accumulators > 0;
  }

  RegisterFault flip_in(const sim::RegisterBlock& block) {
    RegisterFault fault;
    fault.site = SiteId(block.first + random_.below(block.size()));
    fault.when.from = cycle_on_mesh();
    fault.when.until = fault.when.from + 1;
    return fault;
  }

 private:
  dnn::Inputs image(std::int64_t i) const { return load_.inputs.narrow(i, 1); }

  Workload load_;
  dnn::Executor executor_;
  sim::MeshSites sites_;
  RandomStream random_;
  dnn::Tape golden_;
  std::unique_ptr<Mapping> mapping_;
  std::unique_ptr<MeshTrials> runner_;
  std::unique_ptr<sim::MeshEngine> engine_;
  int compared_ = 0;
};

struct Setting {
  const char* model;
  AcceleratorConfig accelerator;
};

class HybridTest : public testing::TestWithParam<Setting> {};

TEST_P(HybridTest, FlipsOfEveryRegisterKind) {
  const int wanted = proof_size(50, 10);
  Comparison both(GetParam().model, GetParam().accelerator, 1);
  int all_changed = 0;
  for (const sim::RegisterBlock& block : both.sites().blocks()) {
    int changed = 0;
    for (int tries = 0; changed < wanted && tries < kMostTries; ++tries) {
      RegisterFault fault = both.flip_in(block);
      if (tries % 3 == 0) {
        fault.when.from = both.cycle_at_boundary(fault.site);
        fault.when.until = fault.when.from + 1;
      }
      changed += both.compare({fault}) ? 1 : 0;
    }
    EXPECT_EQ(changed, wanted) << block.name;
    all_changed += changed;
  }
  std::printf("%d flips compared, %d of them changed an accumulator\n", both.compared(),
              all_changed);
}

TEST_P(HybridTest, StuckAtAndSeveralFaults) {
  Comparison both(GetParam().model, GetParam().accelerator, 2);
  int changed = 0;
  const int trials = proof_size(120, 20);
  for (int trial = 0; trial < trials; ++trial) {
    std::vector<RegisterFault> faults;
    const std::uint64_t count = 1 + both.random().below(3);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto& blocks = both.sites().blocks();
      RegisterFault fault = both.flip_in(blocks[both.random().below(blocks.size())]);
      fault.kind = static_cast<FaultKind>(both.random().below(3));
      if (fault.kind != FaultKind::kFlip) {
        fault.when =
            both.random().below(3) == 0
                ? CycleWindow{}  // for ever
                : CycleWindow{fault.when.from,
                              fault.when.from + 1 + static_cast<Cycle>(both.random().below(2000))};
      }
      faults.push_back(fault);
    }
    changed += both.compare(faults) ? 1 : 0;
  }
  EXPECT_GT(changed, trials / 3);
  std::printf("%d lists compared, %d of them changed an accumulator\n", both.compared(), changed);
}

std::string setting_name(const testing::TestParamInfo<Setting>& info) {
  const sim::MeshConfig& mesh = info.param.accelerator.mesh;
  return std::string(info.param.model) + (mesh.is_weight_stationary() ? "_ws_" : "_os_") +
         std::to_string(mesh.rows) + "x" + std::to_string(mesh.columns);
}

INSTANTIATE_TEST_SUITE_P(Zoo, HybridTest,
                         testing::Values(Setting{"lenet5", mesh_of(16, 16, kDataflows[0])},
                                         Setting{"lenet5", mesh_of(7, 5, kDataflows[1])},
                                         Setting{"resnet8", mesh_of(16, 16, kDataflows[0])},
                                         Setting{"resnet8", mesh_of(16, 16, kDataflows[1])},
                                         Setting{"mobilenet", mesh_of(16, 16, kDataflows[0])},
                                         Setting{"mobilenet", mesh_of(16, 16, kDataflows[1])},
                                         Setting{"vit", mesh_of(16, 16, kDataflows[0])},
                                         Setting{"vit", mesh_of(16, 16, kDataflows[1])}),
                         setting_name);

}  // namespace
}  // namespace tilestrike::bridge
