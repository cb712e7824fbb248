// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a layer of a spiking network computed from lists of changes what it is computed whole?
#include <gtest/gtest.h>

#include <bit>

#include "dnn/count_different.h"
#include "dnn/differential/differential.h"
#include "dnn/differential/divergence.h"
#include "dnn/differential/weight_deltas.h"
#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/spiking/spiking_network.h"
#include "tests/dnn/spiking_models.h"

namespace tilestrike::dnn {
namespace {

constexpr ListLimits kAlwaysLists{1e9, 1.0};
constexpr std::int64_t kImages = 2;

/// With about this share of its elements changed, one at least: bits inverted, numbers drawn.
at::Tensor changed(RandomStream& random, const at::Tensor& golden, bool is_spikes, double share) {
  at::Tensor result = golden.clone(at::MemoryFormat::Contiguous);
  const auto first = static_cast<std::int64_t>(random.unit() * static_cast<double>(golden.numel()));
  for (std::int64_t i = 0; i < result.numel(); ++i) {
    if (i != first && random.unit() >= share) {
      continue;
    }
    if (result.scalar_type() == c10::kChar) {
      std::int8_t& one = result.mutable_data_ptr<std::int8_t>()[i];
      one = static_cast<std::int8_t>(is_spikes ? 1 - one : one + 1 + random.below(3));
    } else if (result.scalar_type() == c10::kInt) {
      result.mutable_data_ptr<std::int32_t>()[i] +=
          static_cast<std::int32_t>(random.below(400)) - 150;
    } else {
      float& one = result.mutable_data_ptr<float>()[i];
      one = is_spikes ? 1.0F - one : static_cast<float>(one + random.unit() - 0.3);
    }
  }
  return result;
}

class SpikingListsTest {
 public:
  SpikingListsTest(RandomStream& random, const Network& network, const Sizes& image)
      : random_(random),
        network_(network),
        places_(places_of(network)),
        images_(drawn_images(random, image, kImages)),
        golden_(Executor(network).record(images_)),
        differential_(network, kAlwaysLists) {}

  void expect_layers() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      for (const double share : {0.0, 0.02, 0.3, 1.0}) {
        expect_layer(i, share);
      }
    }
  }

  /// From the images on.
  void expect_network() {
    const ValueId input = network_.inputs.front();
    for (const double share : {0.0, 0.1}) {
      const at::Tensor images = changed(random_, images_, false, share);
      Divergence run(network_, golden_, &differential_);
      run.set(input, images);
      for (std::size_t i = 0; i < network_.layers.size(); ++i) {
        run.run(i);
      }
      const at::Tensor whole = Executor(network_).run(images);
      EXPECT_EQ(count_different(run.output(), whole), 0);
      other_answers += count_different(whole, golden_.tensor(network_.output)) > 0 ? 1 : 0;
    }
  }

  void expect_struck_accumulators() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const MatrixKernel* kernel = matrix_kernel(network_.layers[i]);
      if (kernel == nullptr) {
        continue;
      }
      const at::Tensor& sums = golden_.accumulators[i];
      const auto place =
          static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(sums.numel())));
      const AccumulatorDelta delta{place, -77};
      Divergence run(network_, golden_, &differential_);
      ASSERT_TRUE(run.splice(i, {&delta, 1}));
      at::Tensor wanted = sums.clone();
      wanted.mutable_data_ptr<std::int32_t>()[place] -= 77;
      EXPECT_EQ(count_different(run.value(network_.layers[i].outputs.front()).toTensor(), wanted),
                0);
      ++struck_sums;
    }
  }

  void expect_struck_weights() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      const MatrixKernel* kernel = matrix_kernel(network_.layers[i]);
      if (kernel == nullptr) {
        continue;
      }
      const at::Tensor input = golden_.tensor(kernel->input_of(network_.layers[i]));
      const at::Tensor& weight = kernel->parameters().weight;
      const std::uint64_t word = random_.below(static_cast<std::uint64_t>(weight.numel()));
      std::int8_t& struck = weight.mutable_data_ptr<std::int8_t>()[word];
      const WeightDelta delta{static_cast<std::int64_t>(word), -3};
      const WordFault fault{.store = StoreId(0), .word = word};
      struck = static_cast<std::int8_t>(struck - 3);
      kernel->weights_changed({&fault, 1});
      at::Tensor wanted = kernel->accumulate(input);
      struck = static_cast<std::int8_t>(struck + 3);
      kernel->weights_changed({&fault, 1});
      EXPECT_EQ(count_different(kernel->accumulate(input), golden_.accumulators[i]), 0);
      for (const AccumulatorDelta& one : deltas_of_weights(kernel->parameters(), {&delta, 1}, {},
                                                           input, golden_.accumulators[i])) {
        wanted.mutable_data_ptr<std::int32_t>()[one.index] -= one.delta;
        ++struck_sums;
      }
      EXPECT_EQ(count_different(wanted, golden_.accumulators[i]), 0);
    }
  }

  std::int64_t other_answers = 0, other_outputs = 0, struck_sums = 0;

 private:
  bool is_spikes(ValueId id) const {
    return std::ranges::find(places_.spikes, id) != places_.spikes.end() || id == places_.encoded;
  }

  void expect_layer(std::size_t index, double share) {
    const Layer& layer = network_.layers[index];
    SCOPED_TRACE(layer.name + " (" + layer.target + ") share " + std::to_string(share));
    const ValueId input = layer.inputs.front();
    const at::Tensor now = changed(random_, golden_.tensor(input), is_spikes(input), share);
    Divergence lists(network_, golden_, &differential_), whole(network_, golden_, nullptr);
    lists.set(input, now);
    whole.set(input, now);
    ASSERT_TRUE(lists.splice(index, {}).has_value());
    whole.run(index);
    for (const ValueId id : layer.outputs) {
      EXPECT_EQ(lists.is_changed(id), whole.is_changed(id));
      EXPECT_EQ(count_different(lists.value(id).toTensor(), whole.value(id).toTensor()), 0);
      other_outputs += whole.is_changed(id) ? 1 : 0;
    }
  }

  RandomStream& random_;
  const Network& network_;
  SpikingPlaces places_;
  at::Tensor images_;
  Tape golden_;
  Differential differential_;
};

Sizes image_of(const SpikingChoice& choice) {
  return choice.has_convolutions ? Sizes{2, 9, 8} : Sizes{12};
}

TEST(SpikingListsTest, FloatLayersFromListsAreWholeLayers) {
  RandomStream random(11, 0, Purpose::kTest);
  std::int64_t other_answers = 0, other_outputs = 0;
  for (const SpikingChoice& choice : spiking_choices()) {
    SCOPED_TRACE(choice.text());
    const Network network = network_of(drawn_model(random, choice));
    SpikingListsTest test(random, network, image_of(choice));
    test.expect_layers();
    test.expect_network();
    other_answers += test.other_answers;
    other_outputs += test.other_outputs;
  }
  EXPECT_GT(other_answers, 10);
  EXPECT_GT(other_outputs, 500);
}

TEST(SpikingListsTest, IntegerLayersFromListsAreWholeLayers) {
  RandomStream random(12, 0, Purpose::kTest);
  std::int64_t other_answers = 0, other_outputs = 0, struck_sums = 0;
  for (const SpikingChoice& choice : spiking_choices()) {
    SCOPED_TRACE(choice.text());
    const Network network = network_of(drawn_integer_model(random, choice));
    SpikingListsTest test(random, network, image_of(choice));
    test.expect_layers();
    test.expect_network();
    test.expect_struck_accumulators();
    test.expect_struck_weights();
    other_answers += test.other_answers;
    other_outputs += test.other_outputs;
    struck_sums += test.struck_sums;
  }
  EXPECT_GT(other_answers, 10);
  EXPECT_GT(other_outputs, 500);
  EXPECT_GT(struck_sums, 500);
}

/// Several runs of one image each go on as one batch, which is dimension 1 of values with ticks.
TEST(SpikingListsTest, RunsOfOneImageGoOnTogether) {
  RandomStream random(13, 0, Purpose::kTest);
  SpikingChoice choice;
  choice.has_convolutions = true;
  const Network network = network_of(drawn_integer_model(random, choice));
  const Executor executor(network);
  std::vector<Tape> golden;
  for (int i = 0; i < 3; ++i) {
    golden.push_back(executor.record(drawn_images(random, {2, 9, 8}, 1)));
  }
  std::vector<Divergence> runs;
  std::vector<at::Tensor> wanted;
  for (const Tape& tape : golden) {
    const at::Tensor images = changed(random, tape.tensor(network.inputs.front()), false, 0.2);
    runs.emplace_back(network, tape, nullptr);
    runs.back().set(network.inputs.front(), images);
    wanted.push_back(executor.run(images));
  }
  std::vector<Divergence*> all{&runs[0], &runs[1], &runs[2]};
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    ASSERT_TRUE(runs[0].suits_batches(i)) << network.layers[i].name;
    Divergence::run_together(i, all);
  }
  int other_answers = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    EXPECT_EQ(count_different(runs[i].output(), wanted[i]), 0);
    other_answers += count_different(wanted[i], golden[i].tensor(network.output)) > 0 ? 1 : 0;
  }
  EXPECT_GT(other_answers, 0);
}

}  // namespace
}  // namespace tilestrike::dnn
