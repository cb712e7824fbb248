// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a run that resumes after a layer the same, bit for bit, as one from the start?
#include "dnn/executor.h"

#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/differential/divergence.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

struct Subject {
  Network network;
  at::Tensor images;
};

/// "resnet8" or "resnet8 int8".
Subject subject(const std::string& name) {
  const std::string zoo = name.substr(0, name.find(' '));
  Subject result{import_pt2(root_folder() + "/zoo/" + zoo + ".pt2"),
                 load_data("fashion_mnist/test", "", 8).images};
  if (zoo != name) {
    result.network = quantise(result.network, result.images);
  }
  return result;
}

/// Values that are alive after `layer`: computed by then and read later (or the output).
std::vector<ValueId> alive_after(const Network& network, std::size_t layer) {
  const std::vector<std::int32_t> last_use = network.last_use();
  std::vector<ValueId> alive;
  const auto add_if_alive = [&](ValueId id) {
    if (id.value >= 0 && !network.info(id).is_constant &&
        last_use[id.value] > static_cast<std::int32_t>(layer)) {
      alive.push_back(id);
    }
  };
  std::ranges::for_each(network.inputs, add_if_alive);
  for (std::size_t i = 0; i <= layer; ++i) {
    std::ranges::for_each(network.layers[i].outputs, add_if_alive);
  }
  return alive;
}

/// A copy with three elements changed; int8 and float alike.
at::Tensor struck(const at::Tensor& tensor) {
  at::Tensor copy = tensor.clone();
  for (const std::int64_t where : {std::int64_t{0}, copy.numel() / 3, copy.numel() - 1}) {
    at::Tensor element = copy.flatten().narrow(0, where, 1);
    auto* bytes = static_cast<unsigned char*>(element.mutable_data_ptr());
    bytes[copy.element_size() - 1] ^= 0x40;  // the highest bit of magnitude, or of the exponent
  }
  return copy;
}

class ResumeTest : public testing::TestWithParam<std::string> {};

TEST_P(ResumeTest, AfterEveryLayerEqualsARunFromTheStart) {
  const Subject s = subject(GetParam());
  const Executor executor(s.network);
  const Tape golden = executor.record(s.images);
  int reached = 0;
  for (std::size_t layer = 0; layer < s.network.layers.size(); ++layer) {
    const ValueId id = s.network.layers[layer].outputs.front();
    const at::Tensor changed = struck(golden.values[id.value].toTensor());
    const at::Tensor expected = executor.run(s.images, [&](std::size_t at, Values& values) {
      if (at == layer) {
        values[id.value] = changed;
      }
    });

    Divergence divergence(s.network, golden);
    EXPECT_EQ(divergence.set(id, changed), 3) << s.network.layers[layer].name;
    EXPECT_TRUE(divergence.is_alive_after(layer));
    for (std::size_t later = layer + 1;
         later < s.network.layers.size() && divergence.is_alive_after(later - 1); ++later) {
      divergence.run(later);
    }
    EXPECT_EQ(count_different(divergence.output(), expected), 0) << s.network.layers[layer].name;
    reached += divergence.is_changed(s.network.output) ? 1 : 0;
  }
  EXPECT_GT(reached, static_cast<int>(s.network.layers.size() / 2))
      << "most strikes reach the answer";
}

TEST_P(ResumeTest, StopsWhenTheValueIsGoldenAgain) {
  const Subject s = subject(GetParam());
  const Tape golden = Executor(s.network).record(s.images);
  for (std::size_t layer = 0; layer < s.network.layers.size(); ++layer) {
    const ValueId id = s.network.layers[layer].outputs.front();
    const at::Tensor& before = golden.values[id.value].toTensor();
    Divergence divergence(s.network, golden);
    divergence.set(id, struck(before));
    EXPECT_EQ(divergence.set(id, before.clone()), 0);
    EXPECT_FALSE(divergence.is_changed(id));
    EXPECT_FALSE(divergence.is_alive_after(layer));
    EXPECT_EQ(
        count_different(divergence.output(), golden.values[s.network.output.value].toTensor()), 0);
  }
}

TEST_P(ResumeTest, TheTapeEqualsAPlainRun) {
  const Subject s = subject(GetParam());
  const Executor executor(s.network);
  const Tape tape = executor.record(s.images);
  EXPECT_EQ(count_different(executor.run(s.images), tape.values[s.network.output.value].toTensor()),
            0);
  executor.run(s.images, [&](std::size_t layer, Values& values) {
    for (const ValueId id : s.network.layers[layer].outputs) {
      EXPECT_EQ(count_different(values[id.value].toTensor(), tape.values[id.value].toTensor()), 0);
    }
  });
  for (std::size_t i = 0; i < s.network.layers.size(); ++i) {
    const MatrixKernel* kernel = matrix_kernel(s.network.layers[i]);
    EXPECT_EQ(tape.accumulators[i].defined(), kernel != nullptr);
    if (kernel != nullptr) {
      const ValueId id = s.network.layers[i].outputs.front();
      EXPECT_EQ(tape.accumulators[i].scalar_type(), c10::kInt);
      EXPECT_EQ(count_different(kernel->requantise(tape.accumulators[i]),
                                tape.values[id.value].toTensor()),
                0);
    }
  }
}

TEST_P(ResumeTest, ValuesAreReleasedAfterTheirLastUse) {
  const Subject s = subject(GetParam());
  const Executor executor(s.network);
  executor.run(s.images, [&](std::size_t layer, Values& values) {
    if (layer == 0) {
      return;
    }
    std::vector<ValueId> held;  // before this layer's own are released
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!values[i].isNone() && !s.network.values[i].is_constant) {
        held.emplace_back(static_cast<std::int32_t>(i));
      }
    }
    std::vector<ValueId> expected = alive_after(s.network, layer - 1);
    for (const ValueId id : s.network.layers[layer].outputs) {
      expected.push_back(id);
    }
    std::ranges::sort(expected);
    EXPECT_EQ(held, expected) << s.network.layers[layer].name;
  });
}

INSTANTIATE_TEST_SUITE_P(Zoo, ResumeTest,
                         testing::Values("lenet5", "resnet8", "lenet5 int8", "resnet8 int8"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::erase(name, ' ');
                           return name;
                         });

TEST(ExecutorTest, AliveAfterIsOneTensorAndTwoInsideAResidualBlock) {
  const Network network = import_pt2(root_folder() + "/zoo/resnet8.pt2");
  for (std::size_t layer = 0; layer < network.layers.size(); ++layer) {
    const std::string& name = network.layers[layer].name;
    const bool is_inside =
        name.starts_with("stage1.") && name != "stage1.add" && name != "stage1.relu2";
    const std::size_t alive = alive_after(network, layer).size();
    EXPECT_LE(alive, 2U) << name;
    if (is_inside) {
      EXPECT_EQ(alive, 2U) << name;
    }
  }
  EXPECT_EQ(alive_after(network, network.layers.size() - 1), std::vector<ValueId>{network.output});
}

TEST(ExecutorTest, ADivergenceOfTheInputRunsEverything) {
  const Subject s = subject("lenet5");
  const Executor executor(s.network);
  const Tape golden = executor.record(s.images);
  const at::Tensor other = struck(s.images);
  Divergence divergence(s.network, golden);
  divergence.set(s.network.inputs.front(), other);
  EXPECT_TRUE(divergence.reads_changed(0));
  EXPECT_FALSE(divergence.reads_changed(1));
  for (std::size_t layer = 0; layer < s.network.layers.size(); ++layer) {
    divergence.run(layer);
  }
  EXPECT_EQ(count_different(divergence.output(), executor.run(other)), 0);
}

TEST(ExecutorTest, ADivergentWeightIsReadByItsLayer) {
  const Subject s = subject("lenet5");
  const Tape golden = Executor(s.network).record(s.images);
  const ValueId weight = s.network.layers.front().arguments[1].values.front();
  const at::Tensor other = struck(golden.values[weight.value].toTensor());
  Network changed = s.network;
  changed.constants[weight.value] = other;
  Divergence divergence(s.network, golden);
  divergence.set(weight, other);
  for (std::size_t layer = 0; layer < s.network.layers.size(); ++layer) {
    divergence.run(layer);
  }
  EXPECT_EQ(count_different(divergence.output(), Executor(changed).run(s.images)), 0);
}

TEST(CountDifferentTest, ComparesBits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const at::Tensor zeros = at::zeros({4, 5});
  EXPECT_EQ(count_different(zeros, zeros.clone()), 0);
  EXPECT_EQ(count_different(zeros, at::full({4, 5}, -0.0F)), 20);
  EXPECT_EQ(count_different(at::full({3}, nan), at::full({3}, nan)), 0);
  EXPECT_EQ(count_different(at::full({3}, nan), at::full({3}, 1.0F)), 3);
  EXPECT_EQ(count_different(zeros, at::zeros({2, 5})), 20);
  EXPECT_EQ(count_different(zeros, at::zeros({4, 5}, c10::kInt)), 20);
  for (const c10::ScalarType type :
       {c10::kByte, c10::kShort, c10::kInt, c10::kLong, c10::kDouble}) {
    at::Tensor a = at::zeros({4, 5}, type);
    at::Tensor b = a.clone();
    b.narrow(0, 1, 1).narrow(1, 2, 2).fill_(1);
    EXPECT_EQ(count_different(a, b), 2) << c10::toString(type);
    EXPECT_EQ(count_different(a.t(), b.t()), 2);
    EXPECT_EQ(count_different(a.t(), b.t().contiguous()), 2);
    EXPECT_EQ(count_different(a.narrow(1, 2, 1), b.narrow(1, 2, 1)), 1);
  }
}

TEST(DeviceTest, NamesAreChecked) {
  EXPECT_EQ(device_of("cpu"), c10::Device(c10::kCPU));
  EXPECT_NO_THROW(device_of("auto"));
  for (const std::string text : {"gpu", "cuda", "cuda:-1", "cuda:x", ""}) {
    const std::string message = failure_of([&] { device_of(text); });
    EXPECT_NE(message.find("'" + text + "'"), std::string::npos) << message;
    EXPECT_NE(message.find("auto, cpu, cuda:N"), std::string::npos) << message;
  }
  const std::string message = failure_of([] { device_of("cuda:99"); });
  EXPECT_NE(message.find("no device 'cuda:99'"), std::string::npos) << message;
}

}  // namespace
}  // namespace tilestrike::dnn
