// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do faults on the tensors of a spiking network do what a changed model does, or a strike between
// two ticks?
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/executor.h"
#include "dnn/spiking/spiking_network.h"
#include "dnn/spiking/tick_executor.h"
#include "dnn/stored_number.h"
#include "dnn/tensor_stores.h"
#include "tests/dnn/spiking_models.h"

namespace tilestrike::dnn {
namespace {

constexpr std::int64_t kImages = 3;
constexpr NumberFormat kInt8 = {NumberFormat::Kind::kInteger, 8, 0, 0};

SpikingChoice choice_of(Readout readout, Encoding encode = Encoding::kRate) {
  SpikingChoice choice;
  choice.has_convolutions = true;
  choice.readout = readout;
  choice.encode = encode;
  choice.membrane_bits = 16;
  choice.overflow = NeuronOverflow::kSaturate;
  return choice;
}

StoreId named(const TensorStores& stores, const std::string& name) {
  const auto found = std::ranges::find(stores.all(), name, &TensorStore::name);
  EXPECT_NE(found, stores.all().end()) << name;
  return StoreId(static_cast<std::uint32_t>(found - stores.all().begin()));
}

const TensorStore& store_of(const TensorStores& stores, const std::string& name) {
  return stores.all()[named(stores, name).value];
}

TEST(SpikingStoresTest, ThereIsAStoreForAllThatIsStored) {
  RandomStream random(21, 0, Purpose::kTest);
  const SpikingChoice choice = choice_of(Readout::kCount);
  const at::Tensor images = drawn_images(random, {2, 9, 8}, kImages);
  Network network = network_of(drawn_integer_model(random, choice));
  const TensorStores stores(network, images, kInt8);
  const auto expect = [&](const std::string& name, TensorRole role, const std::string& format,
                          const std::string& shape, std::int64_t ticks) {
    const TensorStore& store = store_of(stores, name);
    EXPECT_EQ(store.role, role) << name;
    EXPECT_EQ(store.format.name(), format) << name;
    EXPECT_EQ(store.shape, shape) << name;
    EXPECT_EQ(store.ticks, ticks) << name;
  };
  expect("input", TensorRole::kActivation, "float32", "2x9x8", 0);
  expect("encode.spikes", TensorRole::kActivation, "uint1", "6x2x9x8", 6);
  expect("conv1.weight", TensorRole::kWeight, "int8", "4x2x3x2", 0);
  expect("neurons0.threshold", TensorRole::kParameter, "int24", "4x8x4", 0);
  expect("neurons0.bias", TensorRole::kBias, "int24", "4x8x4", 0);
  expect("neurons0.leak", TensorRole::kParameter, "uint13", "4x8x4", 0);
  expect("neurons0.refractory", TensorRole::kParameter, "uint4", "4x8x4", 0);
  expect("neurons0.modes", TensorRole::kParameter, "uint5", "4x8x4", 0);
  expect("neurons0.spikes", TensorRole::kActivation, "uint1", "6x4x8x4", 6);
  expect("neurons0.membranes", TensorRole::kMembrane, "int16", "6x4x8x4", 6);
  expect("sums", TensorRole::kActivation, "int8", "6x4x4x3", 6);
  expect("readout", TensorRole::kActivation, "float32", "5", 0);
  EXPECT_TRUE(stores.unstruck().empty());

  Network real = network_of(drawn_model(random, choice));
  const TensorStores floats(real, images, NumberFormat::floating(5, 10));
  for (const char* name : {"conv1.weight", "neurons0.v_threshold", "neurons0.v_reset", "neurons0.r",
                           "neurons0.membranes", "conv1"}) {
    EXPECT_EQ(store_of(floats, name).format.name(), "float16") << name;
  }
  EXPECT_EQ(store_of(floats, "neurons0.spikes").format.name(), "uint1");
  EXPECT_EQ(store_of(floats, "neurons0.spikes").ticks, 6);
  EXPECT_EQ(store_of(floats, "neurons0.v_threshold").role, TensorRole::kParameter);
}

at::Tensor struck_answer(TensorStores& stores, const at::Tensor& images, const WordFault& fault,
                         std::int64_t& changed) {
  const Executor executor(stores.network());
  const at::Tensor golden = executor.run(images);
  at::Tensor answer;
  {
    ConstantStrike strike(stores, {&fault, 1});
    answer = strike.run(executor, images, true);
    changed = strike.changed();
    EXPECT_EQ(strike.before() ^ strike.after(), fault.flip);
  }
  EXPECT_EQ(count_different(executor.run(images), golden), 0) << "all words have come back";
  return answer;
}

std::int32_t flipped(std::int32_t number, std::uint64_t flip, int bits) {
  return sign_extended(number ^ static_cast<std::int32_t>(flip), bits);
}

/// What a flip in a word of a constant makes of the model.
void strike(IntegerModel& model, std::size_t layer, const std::string& what, std::uint64_t word,
            std::uint64_t flip) {
  IntegerLayer& its = model.layers[layer];
  if (what == "weight") {
    its.weights[word] = static_cast<std::int8_t>(its.weights[word] ^ static_cast<int>(flip));
    return;
  }
  NeuronParameters& neuron = its.neurons[word];
  if (what == "threshold") {
    neuron.threshold = flipped(neuron.threshold, flip, kCurrentBits);
  } else if (what == "bias") {
    neuron.bias = flipped(neuron.bias, flip, kCurrentBits);
  } else if (what == "reset") {
    neuron.reset = flipped(neuron.reset, flip, kCurrentBits);
  } else if (what == "leak") {
    neuron.leak ^= static_cast<std::int32_t>(flip);
  } else if (what == "refractory") {
    neuron.refractory ^= static_cast<std::int32_t>(flip);
  } else if (flip == 1) {
    neuron.is_enabled = !neuron.is_enabled;
  } else if (flip == 2) {
    neuron.is_soft_reset = !neuron.is_soft_reset;
  } else if (flip == 16) {
    neuron.holds = !neuron.holds;
  } else {
    const int code = static_cast<int>(neuron.rounding) ^ static_cast<int>(flip >> 2);
    neuron.rounding = code == 3 ? LeakRounding::kFloor : static_cast<LeakRounding>(code);
  }
}

TEST(SpikingStoresTest, StruckConstantsOfIntegersAreThoseOfAChangedModel) {
  RandomStream random(22, 0, Purpose::kTest);
  std::int64_t different = 0;
  for (const Readout readout : {Readout::kMembrane, Readout::kCount, Readout::kFirstSpike}) {
    const IntegerModel model = drawn_integer_model(random, choice_of(readout));
    const at::Tensor images = drawn_images(random, model.input_sizes, kImages);
    Network network = network_of(model);
    TensorStores stores(network, images, kInt8);
    const at::Tensor golden = Executor(network).run(images);
    for (const std::size_t layer : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
      for (const char* what :
           {"weight", "threshold", "bias", "reset", "leak", "refractory", "modes"}) {
        const std::string owner = std::string(what) == "weight"
                                      ? model.layers[layer].synapses.back().name
                                      : model.layers[layer].name;
        const StoreId id = named(stores, owner + "." + what);
        const TensorStore& store = stores.all()[id.value];
        for (int trial = 0; trial < 8; ++trial) {
          const WordFault fault{.store = id,
                                .word = random.below(static_cast<std::uint64_t>(store.words)),
                                .flip = std::uint64_t{1} << random.below(
                                            static_cast<std::uint64_t>(store.format.bits))};
          std::int64_t changed = 0;
          const at::Tensor answer = struck_answer(stores, images, fault, changed);
          IntegerModel other = model;
          strike(other, layer, what, fault.word, fault.flip);
          EXPECT_EQ(changed, 1);
          EXPECT_EQ(count_different(answer, Executor(network_of(other)).run(images)), 0)
              << store.name << " word " << fault.word << " flip " << fault.flip;
          different += count_different(answer, golden) > 0 ? 1 : 0;
        }
      }
    }
  }
  EXPECT_GT(different, 50);
}

std::vector<float>* numbers_of(SpikingModel& model, std::size_t layer, const std::string& what) {
  FloatNeurons& neurons = model.layers[layer].neurons;
  SynapseStep& step = model.layers[layer].synapses.back();
  return what == "tau"           ? &neurons.tau
         : what == "r"           ? &neurons.r
         : what == "v_leak"      ? &neurons.v_leak
         : what == "v_threshold" ? &neurons.v_threshold
         : what == "v_reset"     ? &neurons.v_reset
         : what == "weight"      ? &step.weights
                                 : &step.bias;
}

TEST(SpikingStoresTest, StruckConstantsOfFloatsAreThoseOfAChangedModel) {
  RandomStream random(23, 0, Purpose::kTest);
  std::int64_t different = 0;
  for (const Encoding encode : {Encoding::kRate, Encoding::kConstant}) {
    SpikingModel model = drawn_model(random, choice_of(Readout::kCount, encode));
    const at::Tensor images = drawn_images(random, model.input_sizes, kImages);
    Network network = network_of(model);
    TensorStores stores(network, images, kFloat32);
    const at::Tensor golden = Executor(network).run(images);
    for (const TensorStore& store : stores.all()) {
      if (is_computed(store.role)) {
        continue;
      }
      const std::string what = store.name.substr(store.name.find('.') + 1);
      const std::size_t layer = store.layer.starts_with("neurons") ? store.layer.back() - '0'
                                : store.layer == "conv1"           ? 0
                                : store.layer == "conv2"           ? 1
                                                                   : 2;
      for (int trial = 0; trial < 10; ++trial) {
        const WordFault fault{.store = named(stores, store.name),
                              .word = random.below(static_cast<std::uint64_t>(store.words)),
                              .flip = std::uint64_t{1} << (random.below(10) + 21)};
        std::int64_t changed = 0;
        const at::Tensor answer = struck_answer(stores, images, fault, changed);
        SpikingModel other = model;
        float& number = (*numbers_of(other, layer, what))[fault.word];
        number = std::bit_cast<float>(std::bit_cast<std::uint32_t>(number) ^
                                      static_cast<std::uint32_t>(fault.flip));
        EXPECT_EQ(count_different(answer, Executor(network_of(other)).run(images)), 0)
            << store.name << " word " << fault.word << " flip " << fault.flip;
        different += count_different(answer, golden) > 0 ? 1 : 0;
      }
    }
  }
  EXPECT_GT(different, 40);
}

/// Strikes of spikes and membranes against the executor that runs tick by tick, and is struck
/// between two layers, or two ticks.
class TickStrikes {
 public:
  TickStrikes(RandomStream& random, Network network, const NumberFormat& format)
      : random_(random),
        network_(std::move(network)),
        images_(drawn_images(random, {2, 9, 8}, kImages)),
        stores_(network_, images_, format),
        places_(places_of(network_)),
        golden_(Executor(network_).record(images_)) {}

  /// `count` faults on one image.
  void expect(std::size_t layer, int count) {
    const std::string name = network_.layers[places_.layers[layer]].name;
    const auto row = static_cast<std::int64_t>(random_.below(kImages));
    std::vector<WordFault> faults;
    for (int i = 0; i < count; ++i) {
      const bool is_membrane = places_.spikes[layer].value < 0 || random_.below(2) == 0;
      const StoreId id = named(stores_, name + (is_membrane ? ".membranes" : ".spikes"));
      const TensorStore& store = stores_.all()[id.value];
      faults.push_back({.store = id,
                        .word = random_.below(static_cast<std::uint64_t>(store.words)),
                        .flip = std::uint64_t{1}
                                << random_.below(static_cast<std::uint64_t>(store.format.bits))});
    }
    merge_faults(faults);
    const TensorStores::ImageFaults strike{row, faults};
    std::vector<TensorStores::ImageStrike> struck;
    const Executor executor(network_);
    const at::Tensor whole = stores_.run(executor, images_, nullptr, {&strike, 1}, &struck);
    const at::Tensor resumed = stores_.run(executor, images_, &golden_, {&strike, 1});
    EXPECT_EQ(count_different(whole, resumed), 0);
    const at::Tensor wanted = by_ticks(layer, row, faults);
    EXPECT_EQ(count_different(whole, wanted), 0) << name << ", " << count << " faults";
    EXPECT_EQ(struck.front().changed, std::ssize(faults));
    different += count_different(whole, golden_.tensor(network_.output)) > 0 ? 1 : 0;
  }

  const Tape& golden() const { return golden_; }
  const SpikingPlaces& places() const { return places_; }
  const Network& network() const { return network_; }
  std::int64_t different = 0;

 private:
  static void merge_faults(std::vector<WordFault>& faults) {
    std::ranges::sort(faults, {},
                      [](const WordFault& one) { return std::pair(one.store, one.word); });
    const auto [first, end] = std::ranges::unique(faults, [](const auto& a, const auto& b) {
      return a.store == b.store && a.word == b.word;
    });
    faults.erase(first, end);
  }

  at::Tensor by_ticks(std::size_t layer, std::int64_t row, std::span<const WordFault> faults) {
    return TickExecutor(network_).run(
        images_, [&](std::int64_t tick, std::size_t index, Values& values, ScanState* state) {
          if (index != places_.layers[layer]) {
            return;
          }
          for (const WordFault& fault : faults) {
            const TensorStore& store = stores_.all()[fault.store.value];
            const std::int64_t size = store.words / places_.ticks;
            const auto word = static_cast<std::int64_t>(fault.word);
            if (word / size == tick) {
              strike_now(store, row * size + word % size, fault, layer, values, *state);
            }
          }
        });
  }

  void strike_now(const TensorStore& store, std::int64_t place, const WordFault& fault,
                  std::size_t layer, Values& values, ScanState& state) {
    const auto change = [&](const at::Tensor& tensor) {
      if (tensor.scalar_type() == c10::kFloat) {
        float& one = tensor.mutable_data_ptr<float>()[place];
        one = stored_value(store.format,
                           static_cast<std::uint32_t>(stored_word(store.format, one) ^ fault.flip));
      } else if (tensor.scalar_type() == c10::kInt) {
        std::int32_t& one = tensor.mutable_data_ptr<std::int32_t>()[place];
        one = flipped(one, fault.flip, store.format.bits);
      } else {
        tensor.mutable_data_ptr<std::int8_t>()[place] ^= 1;
      }
    };
    if (store.role == TensorRole::kMembrane) {
      change(state.membrane);
      change(values[places_.membranes[layer].value].toTensor());
    } else {
      change(values[places_.spikes[layer].value].toTensor());
    }
  }

  RandomStream& random_;
  Network network_;
  at::Tensor images_;
  TensorStores stores_;
  SpikingPlaces places_;
  Tape golden_;
};

TEST(SpikingStoresTest, StruckSpikesAndMembranesAreStruckBetweenTicks) {
  RandomStream random(24, 0, Purpose::kTest);
  std::int64_t different = 0;
  for (const Readout readout : {Readout::kMembrane, Readout::kCount, Readout::kFirstSpike}) {
    for (const char* format : {"int8", "float32", "float16", "q3.12"}) {
      SCOPED_TRACE(format);
      const SpikingChoice choice = choice_of(readout);
      const bool is_integer = std::string(format) == "int8";
      TickStrikes strikes(random,
                          is_integer ? network_of(drawn_integer_model(random, choice))
                                     : network_of(drawn_model(random, choice)),
                          *NumberFormat::parse(format));
      for (const std::size_t layer : {std::size_t{0}, std::size_t{1}, std::size_t{2}}) {
        for (const int count : {1, 1, 1, 1, 40}) {
          strikes.expect(layer, count);
        }
      }
      different += strikes.different;
    }
  }
  EXPECT_GT(different, 60);
}

TEST(SpikingStoresTest, MembranesAreRoundedToTheirFormatInEachTick) {
  RandomStream random(25, 0, Purpose::kTest);
  const NumberFormat half = NumberFormat::floating(5, 10);
  const SpikingModel model = drawn_model(random, choice_of(Readout::kMembrane));
  TickStrikes strikes(random, network_of(model), half);
  for (const ValueId id : strikes.places().membranes) {
    const at::Tensor& membranes = strikes.golden().tensor(id);
    EXPECT_EQ(count_different(membranes, rounded_to(half, membranes)), 0);
  }
  const at::Tensor by_tick = TickExecutor(strikes.network())
                                 .run(strikes.golden().tensor(strikes.network().inputs.front()));
  EXPECT_EQ(count_different(by_tick, strikes.golden().tensor(strikes.network().output)), 0);
}

/// What plain loops give, layer by layer and tick by tick.
template <class Model>
void expect_one_tick(const Model& model, const at::Tensor& images) {
  const Network network = network_of(model);
  EXPECT_EQ(places_of(network).ticks, 1);
  const Tape by_layer = Executor(network).record(images);
  const Tape by_tick = TickExecutor(network).record(images);
  for (std::size_t id = 0; id < network.values.size(); ++id) {
    EXPECT_EQ(count_different(by_tick.values[id].toTensor(), by_layer.values[id].toTensor()), 0)
        << network.values[id].name;
  }
  const at::Tensor logits = by_layer.tensor(network.output).contiguous();
  const auto* first = logits.const_data_ptr<float>();
  EXPECT_EQ(std::vector<float>(first, first + logits.numel()), plain_run(model, images).logits);
}

TEST(SpikingStoresTest, OneTickIsATickToo) {
  RandomStream random(26, 0, Purpose::kTest);
  const at::Tensor images = drawn_images(random, {2, 9, 8}, kImages);
  for (const Encoding encode : {Encoding::kRate, Encoding::kConstant}) {
    for (const Readout readout : {Readout::kMembrane, Readout::kCount}) {
      SpikingChoice choice = choice_of(readout, encode);
      choice.ticks = 1;
      SCOPED_TRACE(choice.text());
      expect_one_tick(drawn_model(random, choice), images);
      expect_one_tick(drawn_integer_model(random, choice), images);
    }
  }
}

}  // namespace
}  // namespace tilestrike::dnn
