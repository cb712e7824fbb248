// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do faults on tensors do what a changed copy of the network does, and leave nothing behind?
#include "dnn/tensor_stores.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "base/random.h"
#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/import/import.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/integer/quantise.h"
#include "dnn/stored_number.h"
#include "dnn/word_faults.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

Network zoo(const std::string& name) { return import_pt2(root_folder() + "/zoo/" + name + ".pt2"); }

at::Tensor some_images(std::int64_t count) { return NetworkMaker::noise({count, 1, 28, 28}, 3); }

StoreId store_named(const TensorStores& stores, const std::string& name) {
  const auto found = std::ranges::find(stores.all(), name, &TensorStore::name);
  EXPECT_NE(found, stores.all().end()) << name;
  return StoreId(static_cast<std::uint32_t>(found - stores.all().begin()));
}

void flip_float(float& number, const WordFault& fault) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, &number, sizeof bits);
  bits = static_cast<std::uint32_t>(fault.applied_to(bits));
  std::memcpy(&number, &bits, sizeof bits);
}

TEST(TensorStoresTest, NamesRolesAndWordsOfLenet) {
  Network network = zoo("lenet5");
  const TensorStores stores(network, some_images(2), kFloat32);
  std::int64_t words = 0;
  for (const TensorStore& store : stores.all()) {
    words += store.role == TensorRole::kActivation ? 0 : store.words;
    const bool is_weight = store.name.ends_with(".weight");
    const bool is_bias = store.name.ends_with(".bias");
    EXPECT_EQ(is_weight, store.role == TensorRole::kWeight) << store.name;
    EXPECT_EQ(is_bias, store.role == TensorRole::kBias) << store.name;
  }
  EXPECT_EQ(words, 61'706);
  EXPECT_EQ(stores.all()[store_named(stores, "input").value].words, 28 * 28);
}

TEST(TensorStoresTest, PartsOfOneWeightAreItsWordsAndNoOthers) {
  // A weight, its upper half, and its lower half once more as a bias's matrix: the order in which
  // they are read must not matter.
  for (const bool starts_with_part : {false, true}) {
    NetworkMaker maker;
    const at::Tensor memory = NetworkMaker::noise({6, 6}, 1);
    const ValueId whole = maker.constant(memory);
    const ValueId upper = maker.constant(memory.narrow(0, 0, 3));
    const ValueId lower = maker.constant(memory.narrow(0, 3, 3));
    ValueId x = maker.images();
    const auto use_parts = [&] {
      const ValueId a = maker.call("upper", "aten.linear.default", {x, upper});
      const ValueId b = maker.call("lower", "aten.linear.default", {x, lower});
      x = maker.call("both", "aten.cat.default",
                     {std::vector<ValueId>{a, b}, c10::IValue(std::int64_t{1})});
    };
    const auto use_whole = [&] { x = maker.call("whole", "aten.linear.default", {x, whole}); };
    starts_with_part ? use_parts() : use_whole();
    starts_with_part ? use_whole() : use_parts();
    Network network = maker.finish(x);
    const at::Tensor images = NetworkMaker::noise({2, 6}, 2);
    for (const NumberFormat format : {kFloat32, *NumberFormat::parse("bfloat16")}) {
      Network copy = network;
      TensorStores stores(copy, images, format);
      std::int64_t words = 0, weights = 0;
      for (const TensorStore& store : stores.all()) {
        words += store.role == TensorRole::kWeight ? store.words : 0;
        weights += store.role == TensorRole::kWeight ? 1 : 0;
      }
      EXPECT_EQ(weights, 1);
      EXPECT_EQ(words, 36);
      const Executor executor(copy);
      const at::Tensor golden = executor.run(images);
      // Word 25 lies in the whole and in its lower half. The sign bit is the top one anywhere.
      const auto sign = std::uint64_t{1} << (format.bits - 1);
      const WordFault fault{.store = StoreId(0), .word = 25, .flip = sign};
      at::Tensor changed = memory.clone();
      if (format != kFloat32) {
        changed = changed.to(c10::kBFloat16).to(c10::kFloat);
      }
      changed.mutable_data_ptr<float>()[25] *= -1.0F;
      const at::Tensor expected = images.matmul(changed.t()).matmul(changed.t());
      const double allowed = format == kFloat32 ? 1e-5 : 2e-2;  // activations are rounded, too
      ConstantStrike strike(stores, {&fault, 1});
      EXPECT_LT(relative_difference(strike.run(executor, images, true), expected), allowed);
      EXPECT_GT(relative_difference(golden, expected), 5e-2);
      EXPECT_EQ(count_different(executor.run(images), golden), 0);
    }
  }
}

TEST(TensorStoresTest, ParametersOfAnyRealTypeAreStoredInTheFormatAndReadInTheirOwn) {
  const NumberFormat int4 = NumberFormat::integer(4), own_float16 = NumberFormat::floating(5, 10);
  for (const c10::ScalarType type : {c10::kHalf, c10::kBFloat16, c10::kDouble}) {
    SCOPED_TRACE(c10::toString(type));
    const auto cast = [&](NetworkMaker& maker, ValueId x, c10::ScalarType to) {
      return maker.call("to", "aten.to.dtype", {x, c10::IValue(static_cast<std::int64_t>(to))});
    };
    const at::Tensor weight = NetworkMaker::noise({3, 6}, 1).to(type);
    const at::Tensor bias = NetworkMaker::noise({3}, 2).to(type);
    NetworkMaker maker;
    const ValueId x = maker.call(
        "fc", "aten.linear.default",
        {cast(maker, maker.images(), type), maker.constant(weight), maker.constant(bias)});
    const Network network = maker.finish(cast(maker, x, c10::kFloat));
    const at::Tensor images = NetworkMaker::noise({2, 6}, 3);
    for (const NumberFormat& format : {int4, own_float16}) {
      Network stored = network;
      TensorStores stores(stored, images, format);
      EXPECT_EQ(stores.all()[0].format, format);
      EXPECT_EQ(stores.all()[1].format, format == int4 ? format_of(type) : format);  // a bias
      const StoreBacking& backing = stores.backing(StoreId(0));
      // What layers read: the nearest of 16 numbers per channel, or of float16, in their own type.
      at::Tensor read = format == int4 ? at::Tensor() : weight.to(c10::kHalf).to(type);
      if (format == int4) {
        const at::Tensor step = weight.to(c10::kFloat).abs().amax(1, true).div(7.0);
        read = weight.to(c10::kFloat).div(step).round().mul(step).to(type);
      }
      const auto expect_answer_of = [&](const at::Tensor& answer) {
        const at::Tensor of_bias = format == int4 ? bias : bias.to(c10::kHalf).to(type);
        at::Tensor expected = at::linear(images.to(type), read, of_bias);
        expected = format == int4 ? expected.to(c10::kFloat)
                                  : expected.to(c10::kHalf).to(type).to(c10::kFloat);
        EXPECT_EQ(answer.scalar_type(), c10::kFloat);
        EXPECT_LT(relative_difference(answer, expected), type == c10::kBFloat16 ? 8e-3 : 2e-3);
      };
      const Executor executor(stored);
      const at::Tensor golden = executor.run(images);
      expect_answer_of(golden);
      // The sign of word 7, in the word and in what layers read.
      const WordFault fault{
          .store = StoreId(0), .word = 7, .flip = std::uint64_t{1} << (format.bits - 1)};
      const bool is_word_of_its_own = backing.values.defined();
      EXPECT_EQ(is_word_of_its_own, format != format_of(type));
      const std::uint64_t word = word_of(backing.words, 7) & format.all_bits();
      const float scale = scale_of_word(backing, 7);
      EXPECT_NEAR(stored_value(format, static_cast<std::uint32_t>(word), scale),
                  read.view(-1)[7].item().toDouble(), 4e-3 * scale * 8);
      read = read.clone();
      read.view(-1)[7].fill_(stored_value(
          format, static_cast<std::uint32_t>(fault.applied_to(word) & format.all_bits()), scale));
      ConstantStrike strike(stores, {&fault, 1});
      const at::Tensor struck = strike.run(executor, images, true);
      EXPECT_GT(relative_difference(struck, golden), 1e-2);
      expect_answer_of(struck);
      EXPECT_EQ(count_different(executor.run(images), golden), 0);
    }
  }
}

TEST(TensorStoresTest, OverlappingPartsAreOneStoreOfAllTheirWords) {
  NetworkMaker maker;
  const at::Tensor memory = NetworkMaker::noise({8, 6}, 1);
  const ValueId first = maker.constant(memory.narrow(0, 0, 6));
  const ValueId second = maker.constant(memory.narrow(0, 2, 6));
  const ValueId x = maker.call("first", "aten.linear.default", {maker.images(), first});
  Network network = maker.finish(maker.call("second", "aten.linear.default", {x, second}));
  const at::Tensor images = NetworkMaker::noise({2, 6}, 2);
  TensorStores stores(network, images, kFloat32);
  EXPECT_EQ(stores.all().front().words, 48);
  EXPECT_EQ(std::ranges::count(stores.all(), TensorRole::kWeight, &TensorStore::role), 1);
  const WordFault fault{.store = StoreId(0), .word = 47, .flip = std::uint64_t{1} << 31};
  at::Tensor changed = memory.clone();
  changed.mutable_data_ptr<float>()[47] *= -1.0F;
  const at::Tensor expected =
      images.matmul(changed.narrow(0, 0, 6).t()).matmul(changed.narrow(0, 2, 6).t());
  const Executor executor(network);
  ConstantStrike strike(stores, {&fault, 1});
  EXPECT_LT(relative_difference(strike.run(executor, images, true), expected), 1e-5);
}

TEST(TensorStoresTest, PartsWithGapsBetweenThemAreRefused) {
  NetworkMaker maker;
  const at::Tensor memory = NetworkMaker::noise({6, 12}, 1);
  const ValueId first = maker.constant(memory.narrow(1, 0, 6));
  const ValueId second = maker.constant(memory.narrow(1, 3, 6));
  const ValueId x = maker.call("first", "aten.linear.default", {maker.images(), first});
  Network network = maker.finish(maker.call("second", "aten.linear.default", {x, second}));
  const std::string message = failure_of([&] {
    TensorStores(network, NetworkMaker::noise({2, 6}, 2), kFloat32);
  });
  EXPECT_NE(message.find("parts of one memory, with gaps"), std::string::npos) << message;
  EXPECT_NE(message.find("clone one of them"), std::string::npos) << message;
}

TEST(TensorStoresTest, TheFactorOfAttentionIsNoTensorThatANetworkStores) {
  const at::Tensor images = some_images(2);
  Network network = quantise(zoo("vit"), images);
  const TensorStores stores(network, images, NumberFormat::integer(8));
  for (const TensorStore& store : stores.all()) {
    EXPECT_TRUE(store.role != TensorRole::kParameter || store.words > 1) << store.name;
  }
}

/// The plain way: a hook that changes an element of a clone.
at::Tensor hooked_run(const Network& network, const StoreBacking& backing, std::int64_t row,
                      const WordFault& fault, const at::Tensor& images) {
  return Executor(network).run(images, [&](std::size_t layer, Values& values) {
    if (static_cast<std::ptrdiff_t>(layer) == backing.layer) {
      at::Tensor changed = values[backing.value.value].toTensor().clone().contiguous();
      const std::int64_t words = changed.numel() / images.size(0);
      flip_float(
          changed.mutable_data_ptr<float>()[row * words + static_cast<std::int64_t>(fault.word)],
          fault);
      values[backing.value.value] = changed;
    }
  });
}

TEST(TensorStoresTest, AFaultOnImage17OfABatchOf32ChangesThatImageAlone) {
  constexpr std::int64_t kRow = 17;
  Network network = zoo("resnet8");
  const at::Tensor images = some_images(32);
  const TensorStores stores(network, images, kFloat32);
  const Executor executor(network);
  const Tape tape = executor.record(images);
  const at::Tensor golden = executor.run(images);
  RandomStream random(9, 0, Purpose::kTest);
  int visible = 0;
  for (std::uint32_t i = 0; i < stores.all().size(); ++i) {
    const StoreBacking& backing = stores.backing(StoreId(i));
    if (backing.is_constant()) {
      continue;
    }
    const WordFault fault{.store = StoreId(i),
                          .word = random.below(static_cast<std::uint64_t>(stores.all()[i].words)),
                          .flip = std::uint64_t{1} << 30};
    const TensorStores::ImageFaults strike{kRow, {&fault, 1}};
    std::vector<TensorStores::ImageStrike> struck;
    const at::Tensor answer = stores.run(executor, images, nullptr, {&strike, 1}, &struck);
    ASSERT_EQ(struck.size(), 1U);
    EXPECT_EQ(struck[0].changed, 1);
    EXPECT_EQ(struck[0].before ^ struck[0].after, fault.flip);
    for (std::int64_t row = 0; row < 32; ++row) {
      if (row != kRow) {
        ASSERT_EQ(count_different(answer[row], golden[row]), 0) << stores.all()[i].name;
      }
    }
    visible += count_different(answer[kRow], golden[kRow]) > 0 ? 1 : 0;
    if (backing.layer >= 0) {
      EXPECT_EQ(count_different(answer, hooked_run(network, backing, kRow, fault, images)), 0)
          << stores.all()[i].name;
    }
    // From a golden run, the same.
    EXPECT_EQ(count_different(answer, stores.run(executor, images, &tape, {&strike, 1})), 0);
  }
  EXPECT_GT(visible, 5);
  EXPECT_EQ(count_different(executor.run(images), golden), 0) << "nothing stays";
}

TEST(TensorStoresTest, AViewIsNoStoreOfItsOwn) {
  Network network = zoo("lenet5");
  const TensorStores stores(network, some_images(2), kFloat32);
  for (const TensorStore& store : stores.all()) {
    EXPECT_EQ(store.name.find("flatten"), std::string::npos) << store.name;
  }
}

TEST(TensorStoresTest, AGoldenRunInAFormatIsTheNetworkOfRoundedTensors) {
  for (const std::string name : {"float16", "bfloat16"}) {
    const NumberFormat format = NumberFormat::parse(name).value();
    Network network = zoo("resnet8");
    Network rounded = zoo("resnet8");
    const at::Tensor images = some_images(4);
    const TensorStores stores(network, images, format);
    for (c10::IValue& constant : rounded.constants) {
      if (constant.isTensor() && constant.toTensor().scalar_type() == at::kFloat) {
        constant = rounded_to(format, constant.toTensor());
      }
    }
    const at::Tensor expected = Executor(rounded).run(images, [&](std::size_t i, Values& values) {
      for (const ValueId id : rounded.layers[i].outputs) {
        values[id.value] = rounded_to(format, values[id.value].toTensor());
      }
    });
    EXPECT_EQ(count_different(Executor(network).run(images), expected), 0) << name;
  }
}

/// Plain integers.
std::int64_t plain_sum(const at::Tensor& input, const at::Tensor& weight) {
  return (input.to(at::kLong) * weight.to(at::kLong)).sum().item<std::int64_t>();
}

TEST(TensorStoresTest, AWeightFlipThatBreaksTheExactnessBoundKeepsTheSumsExact) {
  // 128 * 1032 * 127 is just below 2^24; 68 more weights of 127 push it beyond.
  constexpr std::int64_t kDepth = 1100, kUsed = 1032;
  MatrixKernel::Parameters parameters;
  parameters.shape.is_convolution = false;
  parameters.shape.in_channels = kDepth;
  parameters.shape.out_channels = 1;
  parameters.weight = at::zeros({1, kDepth}, at::kChar);
  parameters.weight.narrow(1, 0, kUsed).fill_(127);
  parameters.scale = at::ones({1}, at::kFloat);
  const auto kernel = MatrixKernel::make(parameters, "fc");
  const at::Tensor weight = kernel->parameters().weight;
  const at::Tensor golden_weight = weight.clone();
  at::Tensor input = at::full({1, kDepth}, -127, at::kChar);
  input.narrow(1, 0, 1).fill_(-126);  // an odd sum, which float32 does not hold beyond 2^24
  ASSERT_EQ(kernel->path(), ExactPath::kFloat32);
  const auto exact_sum = [&] {
    return kernel->accumulate(input).to(at::kLong).sum().item<std::int64_t>();
  };
  EXPECT_EQ(exact_sum(), plain_sum(input, weight));

  std::vector<WordFault> faults;
  for (std::int64_t word = kUsed; word < kDepth; ++word) {
    faults.push_back({.store = StoreId(0), .word = static_cast<std::uint64_t>(word), .flip = 0x7F});
  }
  const StruckWords struck = apply_faults(weight.view(-1), faults);
  kernel->weights_changed(faults);
  EXPECT_EQ(struck.changed, kDepth - kUsed);
  EXPECT_EQ(kernel->path(), ExactPath::kFloat64);
  EXPECT_GT(kernel->bound(), 16'777'216.0);
  ASSERT_EQ(plain_sum(input, weight), -17'741'773) << "odd, beyond 2^24";
  EXPECT_EQ(exact_sum(), plain_sum(input, weight));

  undo_faults(weight.view(-1), faults, struck.saved);
  kernel->weights_changed(faults);
  EXPECT_EQ(kernel->path(), ExactPath::kFloat32);
  EXPECT_EQ(count_different(weight, golden_weight), 0);
  EXPECT_EQ(exact_sum(), plain_sum(input, weight));
}

}  // namespace
}  // namespace tilestrike::dnn
