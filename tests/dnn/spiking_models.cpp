// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Compiled without fused multiply-add, as the networks are.
#include "tests/dnn/spiking_models.h"

#include <ATen/ops/empty.h>

#include <cmath>
#include <limits>

namespace tilestrike::dnn {
namespace {

float uniform(RandomStream& random, double least, double most) {
  return static_cast<float>(least + random.unit() * (most - least));
}

std::int32_t whole(RandomStream& random, std::int64_t least, std::int64_t most) {
  return static_cast<std::int32_t>(least + static_cast<std::int64_t>(random.below(
                                               static_cast<std::uint64_t>(most - least + 1))));
}

SynapseStep linear(const std::string& name, std::int64_t in, std::int64_t out) {
  SynapseStep step;
  step.name = name;
  step.input_sizes = {in};
  step.output_sizes = {out};
  step.weight_sizes = {out, in};
  return step;
}

SynapseStep flatten(const Sizes& sizes) {
  SynapseStep step;
  step.kind = SynapseKind::kFlatten;
  step.name = "flat";
  step.input_sizes = sizes;
  step.output_sizes = {count_of(sizes)};
  return step;
}

std::int64_t reach(const SynapseStep& step, int side) {
  const auto i = static_cast<std::size_t>(side);
  const std::int64_t padded =
      step.input_sizes[i + 1] + step.padding_before[i] + step.padding_after[i];
  return (padded - step.dilation[i] * (step.window[i] - 1) - 1) / step.stride[i] + 1;
}

SynapseStep pool(const std::string& name, SynapseKind kind, const Sizes& sizes) {
  SynapseStep step;
  step.kind = kind;
  step.name = name;
  step.window = {2, 3};
  step.stride = {2, 1};
  step.padding_before = {0, 1};
  step.padding_after = {1, 0};
  step.input_sizes = sizes;
  step.output_sizes = {sizes[0], reach(step, 0), reach(step, 1)};
  return step;
}

SynapseStep convolution(const std::string& name, const Sizes& sizes, std::int64_t out,
                        std::int64_t groups, bool is_even) {
  SynapseStep step;
  step.kind = SynapseKind::kConv2d;
  step.name = name;
  step.groups = groups;
  step.window = {3, 2};
  step.stride = {1, is_even ? 1 : 2};
  step.dilation = {is_even ? 1 : 2, 1};
  step.padding_before = {1, is_even ? 1 : 0};
  step.padding_after = {is_even ? 1 : 2, 1};
  step.input_sizes = sizes;
  step.output_sizes = {out, reach(step, 0), reach(step, 1)};
  step.weight_sizes = {out, sizes[0] / groups, step.window[0], step.window[1]};
  return step;
}

/// The synapses of all layers.
std::vector<std::vector<SynapseStep>> shape_of(bool has_convolutions) {
  if (!has_convolutions) {
    return {{linear("fc1", 12, 10)}, {linear("fc2", 10, 7)}, {linear("fc3", 7, 5)}};
  }
  std::vector<std::vector<SynapseStep>> layers;
  layers.push_back({convolution("conv1", {2, 9, 8}, 4, 1, false)});
  const SynapseStep sums = pool("sums", SynapseKind::kSumPool2d, layers.back().back().output_sizes);
  layers.push_back({sums, convolution("conv2", sums.output_sizes, 4, 2, true)});
  const SynapseStep averages =
      pool("averages", SynapseKind::kAveragePool2d, layers.back().back().output_sizes);
  const SynapseStep flat = flatten(averages.output_sizes);
  layers.push_back({averages, flat, linear("fc", flat.output_sizes[0], 5)});
  return layers;
}

SpikingSettings settings_of(const SpikingChoice& choice) {
  return {choice.ticks, 0.25, choice.spike_as, choice.reset, choice.encode, choice.readout};
}

std::vector<float> numbers(RandomStream& random, std::int64_t count, double least, double most) {
  std::vector<float> all;
  while (static_cast<std::int64_t>(all.size()) < count) {
    all.push_back(uniform(random, least, most));
  }
  return all;
}

FloatNeurons drawn_neurons(RandomStream& random, const SpikingChoice& choice, std::size_t layer,
                           const Sizes& sizes, bool fires) {
  FloatNeurons neurons;
  neurons.kind = fires ? (random.below(3) == 0 ? NeuronKind::kIf : NeuronKind::kLif)
                 : random.below(2) == 0 ? NeuronKind::kLi
                                        : NeuronKind::kIf;
  neurons.name = "neurons" + std::to_string(layer);
  neurons.sizes = sizes;
  const std::int64_t count = neurons.size();
  const double current = choice.spike_as == SpikeAs::kCurrent ? 4.0 : 1.0;
  neurons.r = numbers(random, count, 1.0, 2.0);
  if (neurons.kind != NeuronKind::kIf) {
    neurons.tau = numbers(random, count, 0.3, 2.0);
    neurons.v_leak = numbers(random, count, -0.1, 0.2);
  } else {
    for (float& r : neurons.r) {
      r *= static_cast<float>(current);
    }
  }
  if (neurons.kind != NeuronKind::kLi) {
    neurons.v_threshold = fires ? numbers(random, count, 0.3, 1.2)
                                : std::vector<float>(static_cast<std::size_t>(count),
                                                     std::numeric_limits<float>::infinity());
    neurons.v_reset = numbers(random, count, -0.1, 0.1);
  }
  return neurons;
}

NeuronParameters drawn_neuron(RandomStream& random, const SpikingChoice& choice, bool fires) {
  const std::int64_t reach = choice.membrane_bits < 12 ? 150 : 300;
  NeuronParameters neuron;
  neuron.threshold = whole(random, 20, reach);
  neuron.bias = whole(random, -10, 30);
  neuron.reset = whole(random, -40, 10);
  neuron.leak = fires ? whole(random, 0, 3000) : 0;
  neuron.refractory = random.below(2) == 0 ? 0 : whole(random, 1, 3);
  neuron.is_enabled = fires;
  neuron.is_soft_reset = choice.reset == ResetKind::kSoft;
  neuron.rounding = static_cast<LeakRounding>(random.below(3));
  neuron.holds = random.below(2) == 0;
  return neuron;
}

// -- By plain loops

using Numbers = std::vector<float>;

/// What an output of a convolution or pooling reads: function(channel, line, column, tap).
template <class Visit>
void each_tap(const SynapseStep& step, std::int64_t y, std::int64_t x, const Visit& visit) {
  for (std::int64_t ky = 0; ky < step.window[0]; ++ky) {
    for (std::int64_t kx = 0; kx < step.window[1]; ++kx) {
      const std::int64_t iy = y * step.stride[0] - step.padding_before[0] + ky * step.dilation[0];
      const std::int64_t ix = x * step.stride[1] - step.padding_before[1] + kx * step.dilation[1];
      if (iy >= 0 && iy < step.input_sizes[1] && ix >= 0 && ix < step.input_sizes[2]) {
        visit(iy * step.input_sizes[2] + ix, ky * step.window[1] + kx);
      }
    }
  }
}

Numbers convolved(const SynapseStep& step, const Numbers& weights, const Numbers& in) {
  const std::int64_t inputs = step.weight_sizes[1], taps = step.window[0] * step.window[1];
  const std::int64_t outputs = step.output_sizes[0] / step.groups;
  const std::int64_t plane = step.input_sizes[1] * step.input_sizes[2];
  Numbers out;
  for (std::int64_t o = 0; o < step.output_sizes[0]; ++o) {
    for (std::int64_t y = 0; y < step.output_sizes[1]; ++y) {
      for (std::int64_t x = 0; x < step.output_sizes[2]; ++x) {
        float sum = step.bias.empty() ? 0.0F : step.bias[static_cast<std::size_t>(o)];
        for (std::int64_t c = 0; c < inputs; ++c) {
          each_tap(step, y, x, [&](std::int64_t pixel, std::int64_t tap) {
            const std::int64_t from = (o / outputs * inputs + c) * plane + pixel;
            sum += weights[static_cast<std::size_t>((o * inputs + c) * taps + tap)] *
                   in[static_cast<std::size_t>(from)];
          });
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

Numbers pooled(const SynapseStep& step, const Numbers& in) {
  const std::int64_t plane = step.input_sizes[1] * step.input_sizes[2];
  Numbers out;
  for (std::int64_t c = 0; c < step.output_sizes[0]; ++c) {
    for (std::int64_t y = 0; y < step.output_sizes[1]; ++y) {
      for (std::int64_t x = 0; x < step.output_sizes[2]; ++x) {
        float sum = 0.0F;
        each_tap(step, y, x, [&](std::int64_t pixel, std::int64_t /*tap*/) {
          sum += in[static_cast<std::size_t>(c * plane + pixel)];
        });
        out.push_back(step.kind == SynapseKind::kSumPool2d
                          ? sum
                          : sum / static_cast<float>(step.window[0] * step.window[1]));
      }
    }
  }
  return out;
}

Numbers product(const SynapseStep& step, const Numbers& weights, const Numbers& in) {
  Numbers out;
  for (std::size_t o = 0; o < static_cast<std::size_t>(step.weight_sizes[0]); ++o) {
    float sum = step.bias.empty() ? 0.0F : step.bias[o];
    for (std::size_t i = 0; i < in.size(); ++i) {
      sum += weights[o * in.size() + i] * in[i];
    }
    out.push_back(sum);
  }
  return out;
}

Numbers through(const SynapseStep& step, const Numbers& weights, const Numbers& in) {
  switch (step.kind) {
    case SynapseKind::kLinear:
      return product(step, weights, in);
    case SynapseKind::kConv2d:
      return convolved(step, weights, in);
    case SynapseKind::kSumPool2d:
    case SynapseKind::kAveragePool2d:
      return pooled(step, in);
    case SynapseKind::kFlatten:
      break;
  }
  return in;
}

/// What an image is in a tick.
Numbers encoded(const SpikingSettings& settings, const Numbers& image, std::int64_t tick) {
  Numbers now;
  for (const float x : image) {
    if (settings.encode == Encoding::kConstant) {
      now.push_back(x);
      continue;
    }
    const double clamped = std::fmin(std::fmax(static_cast<double>(x), 0.0), 1.0);
    const auto spikes =
        static_cast<std::int64_t>(clamped * static_cast<double>(settings.ticks) + 0.5);
    now.push_back((tick + 1) * spikes / settings.ticks > tick * spikes / settings.ticks ? 1.0F
                                                                                        : 0.0F);
  }
  return now;
}

void read_out(const SpikingSettings& settings, double factor, PlainRun& run) {
  const Numbers& from =
      settings.readout == Readout::kMembrane ? run.membranes.back() : run.spikes.back();
  const auto ticks = static_cast<std::size_t>(settings.ticks);
  const std::size_t places = from.size() / ticks;
  for (std::size_t place = 0; place < places; ++place) {
    float number = settings.readout == Readout::kMembrane ? from[(ticks - 1) * places + place] : 0;
    for (std::size_t t = 0; t < ticks && settings.readout != Readout::kMembrane; ++t) {
      const bool fires = from[t * places + place] != 0.0F;
      if (settings.readout == Readout::kCount) {
        number += fires ? 1.0F : 0.0F;
      } else if (fires && number == 0.0F) {
        number = static_cast<float>(ticks - t);
      }
    }
    run.logits.push_back(number * static_cast<float>(factor));
  }
}

/// One float neuron's tick: whether it fires.
bool step(const FloatNeurons& neurons, const SpikingSettings& settings, std::size_t i,
          float current, float& v) {
  const auto dt = static_cast<float>(settings.dt);
  const float drive = neurons.r[i] * current;
  if (neurons.kind == NeuronKind::kIf) {
    v = v + drive * (settings.spike_as == SpikeAs::kCurrent ? dt : 1.0F);
  } else {
    const float gain = dt / neurons.tau[i];
    v = v + gain * ((neurons.v_leak[i] - v) + drive);
  }
  const bool fires = neurons.kind != NeuronKind::kLi && v > neurons.v_threshold[i];
  if (fires) {
    v = settings.reset == ResetKind::kSoft ? v - neurons.v_threshold[i] : neurons.v_reset[i];
  }
  return fires;
}

/// Calls layer(index, tick, image, spikes of the layer before) tick by tick, which gives spikes.
template <class Step>
void each_tick(const SpikingSettings& settings, const at::Tensor& images, std::size_t layers,
               const Step& step) {
  const std::int64_t count = images.size(0), size = images.numel() / count;
  const at::Tensor all = images.contiguous();
  for (std::int64_t tick = 0; tick < settings.ticks; ++tick) {
    for (std::int64_t image = 0; image < count; ++image) {
      const float* first = all.const_data_ptr<float>() + image * size;
      Numbers now = encoded(settings, {first, first + size}, tick);
      for (std::size_t layer = 0; layer < layers; ++layer) {
        now = step(layer, static_cast<std::size_t>(image), now);
      }
    }
  }
}

void append(std::vector<float>& all, const Numbers& more) {
  all.insert(all.end(), more.begin(), more.end());
}

}  // namespace

std::string SpikingChoice::text() const {
  return std::string(has_convolutions ? "convolutions" : "dense") + " encode " +
         std::to_string(static_cast<int>(encode)) + " readout " +
         std::to_string(static_cast<int>(readout)) + " reset " +
         std::to_string(static_cast<int>(reset)) + " spike_as " +
         std::to_string(static_cast<int>(spike_as)) + " overflow " +
         std::to_string(static_cast<int>(overflow)) + " bits " + std::to_string(membrane_bits);
}

std::vector<SpikingChoice> spiking_choices() {
  std::vector<SpikingChoice> all;
  int number = 0;
  for (const bool has_convolutions : {false, true}) {
    for (const Encoding encode : {Encoding::kRate, Encoding::kConstant}) {
      for (const Readout readout : {Readout::kMembrane, Readout::kCount, Readout::kFirstSpike}) {
        for (const ResetKind reset : {ResetKind::kHard, ResetKind::kSoft}) {
          SpikingChoice choice{has_convolutions, encode, readout, reset};
          choice.spike_as = number % 2 == 0 ? SpikeAs::kCharge : SpikeAs::kCurrent;
          choice.overflow = static_cast<NeuronOverflow>(number % 3);
          choice.membrane_bits = number % 4 == 0 ? 24 : number % 4 == 1 ? 16 : 9;
          choice.ticks = 5 + number % 4;
          ++number;
          all.push_back(choice);
        }
      }
    }
  }
  return all;
}

SpikingModel drawn_model(RandomStream& random, const SpikingChoice& choice) {
  SpikingModel model;
  model.name = "drawn";
  model.input_sizes = choice.has_convolutions ? Sizes{2, 9, 8} : Sizes{12};
  model.output_sizes = {5};
  model.settings = settings_of(choice);
  std::vector<std::vector<SynapseStep>> shape = shape_of(choice.has_convolutions);
  for (std::vector<SynapseStep>& steps : shape) {
    for (SynapseStep& step : steps) {
      if (step.has_weights()) {
        const double depth = static_cast<double>(count_of(step.weight_sizes)) /
                             static_cast<double>(step.weight_sizes[0]);
        step.weights = numbers(random, count_of(step.weight_sizes), -2 / std::sqrt(depth),
                               2.4 / std::sqrt(depth));
        if (random.below(2) == 0) {
          step.bias = numbers(random, step.weight_sizes[0], -0.1, 0.2);
        }
      }
    }
    const std::size_t index = model.layers.size();
    const bool fires = index < 2 || choice.readout != Readout::kMembrane;
    const Sizes sizes = steps.back().output_sizes;
    model.layers.push_back({steps, drawn_neurons(random, choice, index, sizes, fires)});
  }
  return model;
}

IntegerModel drawn_integer_model(RandomStream& random, const SpikingChoice& choice) {
  IntegerModel model;
  model.name = "drawn integers";
  model.input_sizes = choice.has_convolutions ? Sizes{2, 9, 8} : Sizes{12};
  model.output_sizes = {5};
  model.settings = settings_of(choice);
  model.output_factor = 1.0 / 37.0;
  std::vector<std::vector<SynapseStep>> shape = shape_of(choice.has_convolutions);
  for (std::vector<SynapseStep>& steps : shape) {
    IntegerLayer layer;
    const std::size_t index = model.layers.size();
    layer.name = "neurons" + std::to_string(index);
    layer.sizes = steps.back().output_sizes;
    layer.format = {choice.membrane_bits, choice.overflow};
    layer.is_beside_cores = index == 0 && choice.encode == Encoding::kConstant;
    for (SynapseStep& step : steps) {
      if (step.kind == SynapseKind::kAveragePool2d) {
        step.kind = SynapseKind::kSumPool2d;
      }
      for (std::int64_t i = 0; step.has_weights() && i < count_of(step.weight_sizes); ++i) {
        if (layer.is_beside_cores) {
          step.weights.push_back(uniform(random, -0.5, 1.0));
        } else {
          layer.weights.push_back(static_cast<std::int8_t>(whole(random, -60, 100)));
        }
      }
    }
    layer.scale = 50.3;
    (layer.is_beside_cores ? layer.float_synapses : layer.synapses) = steps;
    const bool fires = index < 2 || choice.readout != Readout::kMembrane;
    for (std::int64_t i = 0; i < count_of(layer.sizes); ++i) {
      layer.neurons.push_back(drawn_neuron(random, choice, fires));
    }
    model.layers.push_back(std::move(layer));
  }
  return model;
}

at::Tensor drawn_images(RandomStream& random, const Sizes& sizes, std::int64_t count) {
  Sizes all = sizes;
  all.insert(all.begin(), count);
  const at::Tensor images = at::empty(all);
  for (std::int64_t i = 0; i < images.numel(); ++i) {
    images.mutable_data_ptr<float>()[i] = uniform(random, -0.1, 1.1);
  }
  return images;
}

PlainRun plain_run(const SpikingModel& model, const at::Tensor& images) {
  const std::size_t layers = model.layers.size();
  PlainRun run{
      std::vector<Numbers>(layers), std::vector<Numbers>(layers), std::vector<Numbers>(layers), {}};
  std::vector<Numbers> states(layers);
  each_tick(model.settings, images, layers,
            [&](std::size_t index, std::size_t image, const Numbers& in) {
              const SpikingLayer& layer = model.layers[index];
              Numbers currents = in;
              for (const SynapseStep& one : layer.synapses) {
                currents = through(one, one.weights, currents);
              }
              append(run.currents[index], currents);
              const std::size_t size = currents.size();
              states[index].resize(size * static_cast<std::size_t>(images.size(0)), 0.0F);
              Numbers spikes;
              for (std::size_t i = 0; i < size; ++i) {
                float& v = states[index][image * size + i];
                spikes.push_back(step(layer.neurons, model.settings, i, currents[i], v) ? 1 : 0);
                run.membranes[index].push_back(v);
              }
              append(run.spikes[index], spikes);
              return spikes;
            });
  read_out(model.settings, 1.0 / static_cast<double>(model.settings.ticks), run);
  return run;
}

PlainRun plain_run(const IntegerModel& model, const at::Tensor& images) {
  const std::size_t layers = model.layers.size();
  PlainRun run{
      std::vector<Numbers>(layers), std::vector<Numbers>(layers), std::vector<Numbers>(layers), {}};
  std::vector<std::vector<NeuronState>> states(layers);
  each_tick(model.settings, images, layers,
            [&](std::size_t index, std::size_t image, const Numbers& in) {
              const IntegerLayer& layer = model.layers[index];
              Numbers currents = in;
              for (const SynapseStep& one : layer.synapses) {
                currents = through(one, {layer.weights.begin(), layer.weights.end()}, currents);
              }
              for (const SynapseStep& one : layer.float_synapses) {
                currents = through(one, one.weights, currents);
              }
              for (float& current : currents) {
                current = layer.is_beside_cores
                              ? static_cast<float>(std::nearbyint(layer.scale * double{current}))
                              : current;
              }
              append(run.currents[index], currents);
              const std::size_t size = currents.size();
              states[index].resize(size * static_cast<std::size_t>(images.size(0)));
              Numbers spikes;
              for (std::size_t i = 0; i < size; ++i) {
                NeuronState& state = states[index][image * size + i];
                const NeuronStep next = step_neuron(layer.neurons[i], layer.format, state,
                                                    static_cast<std::int32_t>(currents[i]));
                state = next.state;
                spikes.push_back(next.fires ? 1.0F : 0.0F);
                run.membranes[index].push_back(static_cast<float>(state.membrane));
              }
              append(run.spikes[index], spikes);
              return spikes;
            });
  read_out(model.settings, model.output_factor, run);
  return run;
}

}  // namespace tilestrike::dnn
