// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are the zoo's integer networks integer throughout: the same bits at any batch size, and twice?
#include <ATen/ops/equal.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/integer_reference.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImages = 32;

class ZooInt8Test : public testing::TestWithParam<std::string> {
 protected:
  static Network float_network() {
    return import_pt2(root_folder() + "/zoo/" + GetParam() + ".pt2");
  }
  static at::Tensor calibration() { return load_data("fashion_mnist/train", "", 100).images; }
  static at::Tensor images() { return load_data("fashion_mnist/test", "", kImages).images; }
};

TEST_P(ZooInt8Test, EveryLayerIsIntegerAndKeepsItsName) {
  const Network network = float_network();
  const Network integer = quantise(network, calibration());
  for (const Layer& layer : integer.layers) {
    const c10::ScalarType type = integer.info(layer.outputs.front()).type;
    const bool is_last = &layer == &integer.layers.back();
    EXPECT_EQ(type, is_last ? c10::kFloat : c10::kChar) << layer.name;
    EXPECT_EQ(layer.note.find("stays in float"), std::string::npos) << layer.name;
    const bool is_named_before =
        layer.name == "quantise_input" ||
        std::ranges::find(network.layers, layer.name, &Layer::name) != network.layers.end();
    EXPECT_TRUE(is_named_before) << layer.name;
  }
  EXPECT_NE(matrix_kernel(integer.layers.back()), nullptr);
}

TEST_P(ZooInt8Test, ABatchGivesTheBitsOfItsImagesOneByOne) {
  const Network integer = quantise(float_network(), calibration());
  const Executor executor(integer);
  const at::Tensor all = images();
  const Tape batch = executor.record(all);
  for (std::int64_t image = 0; image < kImages; ++image) {
    const Tape alone = executor.record(all.narrow(0, image, 1));
    for (std::size_t value = 0; value < alone.values.size(); ++value) {
      if (alone.values[value].isTensor()) {
        ASSERT_TRUE(at::equal(alone.values[value].toTensor(),
                              batch.values[value].toTensor().narrow(0, image, 1)))
            << "image " << image << ", value " << integer.values[value].name;
      }
    }
    for (std::size_t layer = 0; layer < integer.layers.size(); ++layer) {
      if (alone.accumulators[layer].defined()) {
        ASSERT_TRUE(
            at::equal(alone.accumulators[layer], batch.accumulators[layer].narrow(0, image, 1)));
      }
    }
  }
}

TEST_P(ZooInt8Test, AccumulatorsAndOutputsAreThoseOfTheDefinition) {
  const Network integer = quantise(float_network(), calibration());
  const Tape tape = Executor(integer).record(images().narrow(0, 0, 2));
  int checked = 0;
  for (std::size_t i = 0; i < integer.layers.size(); ++i) {
    const Layer& layer = integer.layers[i];
    const MatrixKernel* kernel = matrix_kernel(layer);
    if (kernel == nullptr) {
      continue;
    }
    const auto& parameters = kernel->parameters();
    const at::Tensor input = tape.values[kernel->input_of(layer).value].toTensor();
    const at::Tensor sums =
        exact_accumulators(parameters.shape, input, parameters.weight, parameters.bias);
    ASSERT_TRUE(at::equal(tape.accumulators[i], sums)) << layer.name;
    const at::Tensor output = tape.values[layer.outputs.front().value].toTensor();
    const std::int64_t channels = parameters.shape.out_channels;
    const std::int64_t inner = sums.numel() / sums.size(0) / channels;
    for (std::int64_t k = 0; k < sums.numel() && output.scalar_type() == c10::kChar; ++k) {
      const std::int64_t channel = k / inner % channels;
      const FixedPoint ratio{parameters.multiplier.const_data_ptr<std::int32_t>()[channel],
                             parameters.shift.const_data_ptr<std::int32_t>()[channel]};
      ASSERT_EQ(output.const_data_ptr<std::int8_t>()[k],
                exact_requantised(sums.const_data_ptr<std::int32_t>()[k], ratio,
                                  {parameters.low, parameters.high}))
          << layer.name;
    }
    ++checked;
  }
  EXPECT_GE(checked, 5);
}

TEST_P(ZooInt8Test, QuantisingAndRunningTwiceGivesTheSameBits) {
  const Network network = float_network();
  const at::Tensor all = images();
  const Network first = quantise(network, calibration());
  const Network second = quantise(network, calibration());
  const at::Tensor logits = Executor(first).run(all);
  EXPECT_TRUE(at::equal(logits, Executor(first).run(all)));
  EXPECT_TRUE(at::equal(logits, Executor(second).run(all)));
}

INSTANTIATE_TEST_SUITE_P(Zoo, ZooInt8Test, testing::Values("lenet5", "resnet8", "mobilenet"),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace tilestrike::dnn
