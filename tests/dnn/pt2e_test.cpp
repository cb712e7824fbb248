// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Networks that torchao has quantised (PT2E): is the float form the original to the bit, and is the
// integer form the same network in integers?
#include <ATen/Parallel.h>
#include <ATen/ops/abs.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/sub.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>

#include "dnn/count_different.h"
#include "dnn/data.h"
#include "dnn/executor.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImages = 1000, kBatch = 100;

at::Tensor run(const Network& network, const at::Tensor& images) {
  const Executor executor(network);
  std::vector<at::Tensor> logits;
  for (std::int64_t first = 0; first < images.size(0); first += kBatch) {
    logits.push_back(executor.run(images.narrow(0, first, kBatch)));
  }
  return at::cat(logits);
}

/// A value of the float form as the integer form has it: what uint8 stores is 128 more.
at::Tensor as_int8(const at::Tensor& stored) {
  return stored.scalar_type() == c10::kByte ? at::sub(stored.to(c10::kInt), 128).to(c10::kChar)
                                            : stored;
}

struct Steps {
  std::int64_t elements = 0, different = 0, layers = 0;
  int largest = 0;
};

/// Each integer layer on its own, given the integers that the float form has at its inputs: how far
/// are its own from those of the float form?
Steps compare_layers(const Network& original, const Network& integer, const at::Tensor& images) {
  const Tape tape = Executor(original).record(images);
  std::map<std::string, at::Tensor> known;
  for (std::size_t i = 0; i < original.values.size(); ++i) {
    const c10::IValue& value = tape.values[i];
    if (value.isTensor() && (value.toTensor().scalar_type() == c10::kChar ||
                             value.toTensor().scalar_type() == c10::kByte)) {
      known[original.values[i].name] = as_int8(value.toTensor());
    }
  }
  Steps steps;
  const Tape own = Executor(integer).record(images);
  Values values = own.values;
  for (const Layer& layer : integer.layers) {
    const auto is_known = [&](ValueId id) { return known.contains(integer.info(id).name); };
    const ValueId output = layer.outputs.front();
    if (!layer.target.starts_with("int8.") || !is_known(output) ||
        !std::ranges::all_of(layer.inputs, is_known)) {
      continue;
    }
    for (const ValueId id : layer.inputs) {
      values[id.value] = known.at(integer.info(id).name);
    }
    layer.kernel->run(layer, values);
    const at::Tensor apart = at::abs(at::sub(values[output.value].toTensor().to(c10::kInt),
                                             known.at(integer.info(output).name).to(c10::kInt)));
    steps.elements += apart.numel();
    steps.different += apart.count_nonzero().item<std::int64_t>();
    steps.largest = std::max(steps.largest, apart.max().item<int>());
    ++steps.layers;
  }
  return steps;
}

struct Given {
  std::string model, style, script;
  std::int64_t matrix_layers;
  std::int64_t compared;  // layers whose operands and result the float form has as integers
  double largest_difference;
};

void PrintTo(const Given& given, std::ostream* out) { *out << given.model << " " << given.style; }

class Pt2e : public ::testing::TestWithParam<Given> {};

TEST_P(Pt2e, FloatFormIsBitEqualAndIntegerFormRoundsTheSame) {
  TS_NEEDS_PYTHON();
  at::set_num_threads(1);
  const Given given = GetParam();
  const std::string folder = scratch_folder(),
                    stem = folder + "/" + given.model + "_" + given.style;
  const bool is_zoo = given.model != "operators";
  run_python(given.script, is_zoo ? "--model " + given.model + " --zoo " + root_folder() +
                                        "/zoo --style " + given.style + " --out " + folder
                                  : folder);
  if (!std::filesystem::exists(stem + ".npy")) {
    GTEST_SKIP() << "SKIPPED: no torchao 0.18 (pip install --no-deps torchao==0.18.*)";
  }
  const Network network = import_pt2(stem + ".pt2");
  const at::Tensor images = is_zoo ? load_data("fashion_mnist/test", "", kImages).images
                                   : read_npy(folder + "/operators_x.npy");
  const at::Tensor original = read_npy(stem + ".npy");
  EXPECT_EQ(count_different(run(network, images), original), 0);

  const Network integer = quantise(network, images.narrow(0, 0, 1));
  const auto on_mesh = [](const Layer& layer) { return matrix_kernel(layer) != nullptr; };
  EXPECT_EQ(std::ranges::count_if(integer.layers, on_mesh), given.matrix_layers);

  // Layer by layer: ties and the integer bias move an element by one step, and few of them.
  const Steps steps = compare_layers(network, integer, images.narrow(0, 0, kBatch));
  EXPECT_EQ(steps.layers, given.compared);
  EXPECT_LE(steps.largest, 1);
  EXPECT_LT(steps.different, steps.elements / 500);

  const at::Tensor logits = run(integer, images);
  EXPECT_LT(relative_difference(logits, original), given.largest_difference);
  const auto agreeing = logits.argmax(1).eq(original.argmax(1)).sum().item<std::int64_t>();
  std::cout << given.model << ", " << given.style << ": of " << steps.elements
            << " elements of layers on their own " << steps.different << " are one step away; "
            << count_different(logits, original) << " of " << original.numel()
            << " logits differ, by at most " << relative_difference(logits, original)
            << " of the largest; top-1 equal for " << agreeing << " of " << images.size(0) << "\n";
  EXPECT_GE(agreeing, images.size(0) * 99 / 100);
}

constexpr const char* kZooScript = "python/export_pt2e.py";
INSTANTIATE_TEST_SUITE_P(
    Networks, Pt2e,
    ::testing::Values(Given{"lenet5", "mobile", kZooScript, 5, 3, 0.02},
                      Given{"lenet5", "x86", kZooScript, 5, 2, 0.02},
                      Given{"resnet8", "mobile", kZooScript, 10, 13, 0.02},
                      Given{"resnet8", "x86", kZooScript, 10, 7, 0.02},
                      Given{"operators", "mobile", "tests/dnn/export_pt2e_operators.py", 6, 10,
                            0.02}),
    [](const auto& info) { return info.param.model + "_" + info.param.style; });

}  // namespace
}  // namespace tilestrike::dnn
