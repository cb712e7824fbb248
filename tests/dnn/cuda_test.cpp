// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does an integer network give the same bits on a GPU as on the CPU? Skipped where there is none.
#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/sum.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/kernels.h"
#include "dnn/integer/quantise.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/word_faults.h"
#include "tests/dnn/integer_reference.h"
#include "tests/dnn/spiking_models.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

class CudaTest : public testing::Test {
 protected:
  void SetUp() override {
    try {
      device_ = device_of("cuda:0");
    } catch (const Failure& failure) {
      GTEST_SKIP() << "SKIPPED: no CUDA device (" << failure.what() << ")";
    }
  }
  c10::Device device_ = c10::kCPU;
};

TEST_F(CudaTest, ElementWiseArithmeticEqualsTheCpus) {
  RandomStream stream(1, 0, Purpose::kTest);
  const at::Tensor sums = random_int32(stream, {3, 7, 11, 13}, -2147483648LL, 2147483647LL);
  const at::Tensor multiplier = random_int32(stream, {7}, 1 << 30, 2147483647LL);
  const at::Tensor a = random_int8(stream, {100003}), b = random_int8(stream, {100003});
  const at::Tensor real = random_int32(stream, {100003}, -100000, 100000).to(c10::kFloat);
  const ChannelLayout layout = ChannelLayout::around(sums, 1);
  for (int first = 0; first + 6 <= kMostShift; first += 7) {
    const at::Tensor shift = random_int32(stream, {7}, first, first + 6);
    EXPECT_TRUE(at::equal(requantise(sums.to(device_), layout, multiplier.to(device_),
                                     shift.to(device_), {-99, 127}, first - 30)
                              .cpu(),
                          requantise(sums, layout, multiplier, shift, {-99, 127}, first - 30)));
    const FixedPoint ratio{1500000001, first, 30 - first};
    EXPECT_TRUE(
        at::equal(requantise(sums.to(device_), ratio, {}).cpu(), requantise(sums, ratio, {})));
    EXPECT_TRUE(at::equal(requantise(a.to(device_), ratio, {}).cpu(), requantise(a, ratio, {})));
  }
  ScaledAddition ratios = ScaledAddition::of(0.8, 0.3);
  ratios.a_zero = -128;
  ratios.b_zero = 127;
  ratios.zero = -5;
  EXPECT_TRUE(at::equal(add(a.to(device_), b.to(device_), ratios, {0, 127}).cpu(),
                        add(a, b, ratios, {0, 127})));
  const Quantisation as{513.7F, -90};
  EXPECT_TRUE(at::equal(quantise_values(real.to(device_), as).cpu(), quantise_values(real, as)));
  EXPECT_TRUE(at::equal(dequantise_values(a.to(device_), as).cpu(), dequantise_values(a, as)));
}

TEST_F(CudaTest, WordFaultsEqualTheCpusAndAreUndone) {
  RandomStream stream(2, 0, Purpose::kTest);
  const at::Tensor wide = random_int32(stream, {100003}, -2147483648LL, 2147483647LL);
  for (const at::Tensor& words :
       {wide, wide.to(c10::kChar), wide.to(c10::kShort), wide.to(c10::kLong)}) {
    std::vector<WordFault> faults;
    for (std::uint64_t word = 0; word < 100003; word += 1 + stream.below(40)) {
      faults.push_back({.store = StoreId(0),
                        .word = word,
                        .keep = ~(stream.next() & 0xF0),
                        .flip = stream.next() & 0xFF});
    }
    const at::Tensor host = words.clone();
    const at::Tensor there = words.to(device_).clone();
    const StruckWords on_host = apply_faults(host, faults);
    const StruckWords on_device = apply_faults(there, faults);
    EXPECT_TRUE(at::equal(there.cpu(), host));
    EXPECT_EQ(on_device.changed, on_host.changed);
    EXPECT_EQ(on_device.first, on_host.first);
    undo_faults(there, faults, on_device.saved);
    EXPECT_TRUE(at::equal(there.cpu(), words));
  }
  const at::Tensor values = wide.to(c10::kFloat) * 1e-7;
  const at::Tensor there = values.to(device_).clone();
  std::vector<WordFault> faults;
  for (std::uint64_t word = 0; word < 100003; word += 97) {
    faults.push_back(
        {.store = StoreId(0), .word = word, .flip = std::uint64_t{1} << stream.below(16)});
  }
  const auto bfloat16 = NumberFormat::floating(8, 7);
  apply_faults_to_values(bfloat16, there, faults);
  apply_faults_to_values(bfloat16, values, faults);
  EXPECT_EQ(count_different(there.cpu(), values), 0);
}

TEST_F(CudaTest, IntegerNetworksGiveTheBitsOfTheCpu) {
  for (const char* name : {"lenet5", "resnet8"}) {
    const std::string path = root_folder() + "/zoo/" + name + ".pt2";
    const at::Tensor calibration = load_data("fashion_mnist/train", "", 100).images;
    const at::Tensor images = load_data("fashion_mnist/test", "", 200).images;
    const Network on_cpu = quantise(import_pt2(path), calibration);
    Network on_gpu = quantise(import_pt2(path, device_), calibration);
    ASSERT_EQ(on_cpu.layers.size(), on_gpu.layers.size());
    // Scales may differ in the last bit, since float activations do: the arithmetic is compared on
    // the operands of the GPU's network.
    const Tape tape = Executor(on_gpu).record(images);
    for (std::size_t i = 0; i < on_gpu.layers.size(); ++i) {
      const Layer& layer = on_gpu.layers[i];
      const MatrixKernel* kernel = matrix_kernel(layer);
      if (kernel == nullptr) {
        continue;
      }
      MatrixKernel::Parameters parameters = kernel->parameters();
      for (at::Tensor* tensor : {&parameters.weight, &parameters.bias, &parameters.multiplier,
                                 &parameters.shift, &parameters.scale}) {
        *tensor = tensor->defined() ? tensor->cpu() : *tensor;
      }
      const auto reference = MatrixKernel::make(parameters, layer.name);
      const at::Tensor input = tape.values[kernel->input_of(layer).value].toTensor().cpu();
      const at::Tensor sums = reference->accumulate(input);
      EXPECT_TRUE(at::equal(tape.accumulators[i].cpu(), sums)) << layer.name;
      EXPECT_TRUE(at::equal(tape.values[layer.outputs.front().value].toTensor().cpu(),
                            reference->requantise(sums)))
          << layer.name;
    }
    EXPECT_TRUE(
        at::equal(Executor(on_gpu).run(images), tape.values[on_gpu.output.value].toTensor()));
  }
}

TEST_F(CudaTest, SpikingNetworksGiveTheBitsOfTheCpu) {
  RandomStream random(3, 0, Purpose::kTest);
  std::int64_t spikes = 0;
  for (const SpikingChoice& choice : spiking_choices()) {
    if (choice.encode == Encoding::kConstant) {
      continue;  // its first layer is a float one, on the CPU
    }
    SCOPED_TRACE(choice.text());
    const IntegerModel model = drawn_integer_model(random, choice);
    const Network on_cpu = network_of(model), on_gpu = network_of(model, device_);
    const at::Tensor images = drawn_images(random, model.input_sizes, 5);
    const Tape wanted = Executor(on_cpu).record(images), found = Executor(on_gpu).record(images);
    for (std::size_t id = 0; id < on_cpu.values.size(); ++id) {
      EXPECT_EQ(count_different(found.values[id].toTensor().cpu(), wanted.values[id].toTensor()), 0)
          << on_cpu.values[id].name;
    }
    const SpikingPlaces places = places_of(on_gpu);
    ASSERT_FALSE(places.layers.empty());
    for (std::size_t i = 0; i < places.layers.size(); ++i) {
      EXPECT_TRUE(found.tensor(places.currents[i]).is_cuda()) << "layer " << i;
      EXPECT_TRUE(found.tensor(places.membranes[i]).is_cuda()) << "layer " << i;
      if (places.spikes[i].value >= 0) {
        spikes += found.tensor(places.spikes[i]).sum().item<std::int64_t>();
      }
    }
  }
  EXPECT_GT(spikes, 0);
}

}  // namespace
}  // namespace tilestrike::dnn
