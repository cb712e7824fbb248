// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a layer computed from lists of changes what it is computed whole, bit for bit, however many
// elements differ?
#include "dnn/differential/differential.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "base/random.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/differential/divergence.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr double kNoLimit = 1e9;  // but for what lists cannot say, whose cost is infinite

at::Tensor pictures_of(const std::string& model) {
  const std::size_t zoo = std::string("zoo/").size();
  return read_npy(exported() + (model.starts_with("zoo/") ? model.substr(zoo) + "_" : "") +
                  "x.npy");
}

std::string file_of(const std::string& model) {
  return model.starts_with("zoo/") ? root_folder() + "/" + model + ".pt2"
                                   : exported() + model + ".pt2";
}

bool has_elements(const Tape& tape, ValueId id) {
  return Elements::suit(tape.values[static_cast<std::size_t>(id.value)]);
}

class DifferentialTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    TS_NEEDS_EXPORTED();
    const at::Tensor images = pictures_of(GetParam());
    network_ = quantise(import_pt2(file_of(GetParam())), images);
    golden_ = Executor(network_).record(images.narrow(0, 0, 2));
  }

  double uniform() { return static_cast<double>(stream_.next() >> 11) / 9007199254740992.0; }

  /// With about this share of its elements changed, one at least.
  at::Tensor changed(const at::Tensor& golden, double density) {
    at::Tensor result = golden.clone(at::MemoryFormat::Contiguous);
    const auto first = static_cast<std::int64_t>(uniform() * static_cast<double>(result.numel()));
    for (std::int64_t i = 0; i < result.numel(); ++i) {
      if (i != first && uniform() >= density) {
        continue;
      }
      if (result.scalar_type() == c10::kFloat) {
        float& element = result.mutable_data_ptr<float>()[i];
        element = 1.5F * element + static_cast<float>(uniform());
      } else {
        auto& element = result.mutable_data_ptr<std::int8_t>()[i];
        element = static_cast<std::int8_t>(i == first ? element ^ 0x40 : stream_.next() >> 56);
      }
    }
    return result;
  }

  std::vector<ValueId> inputs_of(const Layer& layer) const {
    std::vector<ValueId> found;
    for (const ValueId id : layer.inputs) {
      if (!network_.info(id).is_constant && has_elements(golden_, id)) {
        found.push_back(id);
      }
    }
    return found;
  }

  /// The same changes of some of the layer's inputs, in both.
  void change_inputs(const Layer& layer, double density, Divergence& whole, Divergence& lists) {
    for (const ValueId id : inputs_of(layer)) {
      if (uniform() < 0.7) {
        const at::Tensor now =
            changed(golden_.values[static_cast<std::size_t>(id.value)].toTensor(), density);
        EXPECT_EQ(whole.set(id, now), lists.set(id, now));
      }
    }
  }

  void expect_same(const Layer& layer, const Divergence& whole, const Divergence& lists,
                   double density) const {
    for (const ValueId id : layer.outputs) {
      if (id.value < 0 || !golden_.values[static_cast<std::size_t>(id.value)].isTensor()) {
        continue;
      }
      ASSERT_EQ(whole.is_changed(id), lists.is_changed(id)) << layer.name << " at " << density;
      ASSERT_EQ(count_different(whole.value(id).toTensor(), lists.value(id).toTensor()), 0)
          << layer.name << " (" << layer.target << ") at " << density;
    }
  }

  Network network_;
  Tape golden_;
  RandomStream stream_{17, 0, Purpose::kTest};
};

TEST_P(DifferentialTest, ListsGiveWhatTheWholeLayerGives) {
  Differential forced(network_, {kNoLimit, 1.0});
  std::set<std::string> listed;
  for (std::size_t index = 0; index < network_.layers.size(); ++index) {
    const Layer& layer = network_.layers[index];
    if (forced.of(index, golden_) == nullptr) {
      continue;
    }
    listed.insert(layer.target);
    for (const double density : {0.0, 0.001, 0.01, 0.1, 0.6, 1.0}) {
      for (int k = 0; k < 3; ++k) {
        Divergence whole(network_, golden_), lists(network_, golden_, &forced);
        change_inputs(layer, density, whole, lists);
        whole.run(index);
        lists.run(index);
        expect_same(layer, whole, lists, density);
      }
    }
  }
  EXPECT_FALSE(listed.empty());
  if (GetParam() == "zoo/resnet8") {  // all that it is made of
    EXPECT_EQ(listed, (std::set<std::string>{"aten.flatten.using_ints", "int8.add",
                                             "int8.average_pool2d", "int8.conv2d", "int8.linear"}));
  }
}

TEST_P(DifferentialTest, StruckAccumulatorsGiveWhatTheWholeLayerGives) {
  Differential forced(network_, {kNoLimit, 1.0});
  for (std::size_t index = 0; index < network_.layers.size(); ++index) {
    const Layer& layer = network_.layers[index];
    const MatrixKernel* kernel = matrix_kernel(layer);
    if (kernel == nullptr || forced.of(index, golden_) == nullptr) {
      continue;
    }
    for (const double density : {-1.0, 0.0, 0.05}) {  // below 0: the inputs are golden
      Divergence whole(network_, golden_), lists(network_, golden_, &forced);
      if (density >= 0.0) {
        change_inputs(layer, density, whole, lists);
      }
      const ValueId right = kernel->weight_of(layer);
      at::Tensor sums =
          kernel
              ->accumulate(whole.value(kernel->input_of(layer)).toTensor(),
                           right.value < 0 ? at::Tensor() : whole.value(right).toTensor())
              .clone();
      std::vector<AccumulatorDelta> deltas;
      auto* data = sums.mutable_data_ptr<std::int32_t>();
      for (std::int64_t i = 0; i < sums.numel(); ++i) {
        if (uniform() < 0.02 || i == sums.numel() - 1) {
          deltas.push_back({i, static_cast<std::int32_t>(stream_.next() >> 32)});
          data[i] = static_cast<std::int32_t>(static_cast<std::uint32_t>(data[i]) +
                                              static_cast<std::uint32_t>(deltas.back().delta));
        }
      }
      const std::int64_t outputs = whole.set(layer.outputs.front(), kernel->requantise(sums));
      const auto spliced = lists.splice(index, deltas);
      ASSERT_TRUE(spliced.has_value());
      EXPECT_EQ(spliced->outputs, outputs) << layer.name;
      EXPECT_EQ(spliced->accumulators, count_different(sums, golden_.accumulators[index]))
          << layer.name;
      expect_same(layer, whole, lists, density);
    }
  }
}

TEST_P(DifferentialTest, ARunToTheEndIsTheSame) {
  Differential usual(network_);
  for (int k = 0; k < 20; ++k) {
    const auto start =
        static_cast<std::size_t>(uniform() * static_cast<double>(network_.layers.size()));
    const ValueId id = network_.layers[start].outputs.front();
    if (id.value < 0 || !has_elements(golden_, id)) {
      continue;
    }
    const at::Tensor now =
        changed(golden_.values[static_cast<std::size_t>(id.value)].toTensor(), 0.01 * (k % 3));
    Divergence whole(network_, golden_), lists(network_, golden_, &usual);
    whole.set(id, now);
    lists.set(id, now);
    for (std::size_t index = start + 1; index < network_.layers.size(); ++index) {
      whole.run(index);
      lists.run(index);
      ASSERT_EQ(whole.is_alive_after(index), lists.is_alive_after(index));
    }
    EXPECT_EQ(count_different(whole.output(), lists.output()), 0)
        << "from " << network_.layers[start].name;
  }
}

TEST(MeasuredCostTest, TakesWhatIsMeasuredToBeSooner) {
  MeasuredCost cost;
  EXPECT_TRUE(cost.prefers_lists(0.01));  // whatever it costs
  EXPECT_FALSE(cost.prefers_lists(0.5));  // the whole layer is measured first
  cost.took_whole(100.0);
  EXPECT_TRUE(cost.prefers_lists(0.5));  // then the lists
  EXPECT_FALSE(cost.prefers_lists(std::numeric_limits<double>::infinity()));
  cost.took_lists(0.5, 20.0);
  EXPECT_TRUE(cost.prefers_lists(2.0));
  EXPECT_FALSE(cost.prefers_lists(3.0));
  EXPECT_FALSE(cost.prefers_lists(std::numeric_limits<double>::infinity()));
}

TEST(MeasuredCostTest, ABadMeasurementIsForgotten) {
  MeasuredCost cost;
  cost.took_whole(100.0);
  cost.took_lists(1.0, 150.0);  // interrupted: lists take 50
  int asked = 0;
  while (!cost.prefers_lists(1.0)) {
    ASSERT_LT(++asked, 1000);
  }
  for (int i = 0; i < 20; ++i) {
    cost.took_lists(1.0, 50.0);
  }
  EXPECT_TRUE(cost.prefers_lists(1.0));
  cost.took_whole(1e6);  // counts no more than twice what was known
  EXPECT_FALSE(cost.prefers_lists(2.5));
}

INSTANTIATE_TEST_SUITE_P(Networks, DifferentialTest,
                         testing::Values("zoo/lenet5", "zoo/resnet8", "zoo/mobilenet",
                                         "zoo/segmenter", "convolutions", "pools", "norms",
                                         "activations", "shapes", "parts", "attention",
                                         "window_attention", "matrices", "layers", "zoo/vit"));

}  // namespace
}  // namespace tilestrike::dnn
