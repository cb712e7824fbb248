// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/encoding.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/spiking_neuron.h"
#include "dnn/differential/list_kernel.h"
#include "dnn/spiking/tick_views.h"

namespace tilestrike::dnn {
namespace {

/// A code is a number's int32 from which it follows what the number is in each tick.
struct RateCode {
  std::int64_t ticks;
  c10::ScalarType type;
  std::int32_t one;  // a spike, as Change::now has it
  Sizes sizes;       // of an image

  std::int32_t of(float x) const { return static_cast<std::int32_t>(rate_spikes(x, ticks)); }
  std::int32_t now(std::int32_t code, std::int64_t tick) const {
    return has_rate_spike(code, tick, ticks) ? one : 0;
  }
};

struct ConstantCode {
  std::int64_t ticks;
  c10::ScalarType type;
  std::optional<double> scale;

  std::int32_t of(float x) const {
    if (!scale) {
      return std::bit_cast<std::int32_t>(x);
    }
    constexpr double kMost = kMostCurrent;
    const double current = std::nearbyint(*scale * static_cast<double>(x));
    return std::isnan(current) ? 0
                               : static_cast<std::int32_t>(std::clamp(current, -kMost - 1, kMost));
  }
  std::int32_t now(std::int32_t code, std::int64_t /*tick*/) const { return code; }
};

class BeginsTicks : public Kernel {
 public:
  virtual bool encodes_spikes() const = 0;
};

/// Each element of the input differs alone, in all ticks.
template <class Code>
class EncodingLists final : public ListKernel {
 public:
  EncodingLists(const Code& code, const Layer& layer, const Tape& golden)
      : code_(code), input_(layer.inputs.front()), elements_(golden.tensor(input_).numel()) {}

  double cost(const ListRun& run) const override {
    return kCostOfChange * run.share_of(input_, elements_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    const Elements golden(run.golden.row_major(run.layer.outputs.front()));
    for (const Change& change : *changes) {
      const std::int32_t code = code_.of(std::bit_cast<float>(change.now));
      for (std::int64_t tick = 0; tick < code_.ticks; ++tick) {
        const std::int64_t index = tick * elements_ + change.index;
        const std::int32_t now = code_.now(code, tick);
        if (now != golden.at(index)) {
          run.outputs.front().push_back({static_cast<std::uint32_t>(index), now});
        }
      }
    }
  }

 private:
  static constexpr double kCostOfChange = 2.0;
  Code code_;
  ValueId input_;
  std::int64_t elements_;
};

template <class Code>
class EncodingKernel final : public BeginsTicks {
 public:
  explicit EncodingKernel(const Code& code) : code_(code) {}

  bool encodes_spikes() const override { return std::is_same_v<Code, RateCode>; }

  void run(const Layer& layer, Values& values) const override {
    const at::Tensor given = values[layer.inputs.front().value].toTensor();
    const at::Tensor input = given.cpu().to(c10::kFloat).contiguous();
    std::vector<std::int64_t> sizes = input.sizes().vec();
    if constexpr (std::is_same_v<Code, RateCode>) {
      check_images(input, code_.sizes);
      sizes.insert(sizes.begin(), code_.ticks);
    } else {
      sizes.front() = code_.ticks;
    }
    const auto* numbers = input.const_data_ptr<float>();
    std::vector<std::int32_t> codes(static_cast<std::size_t>(input.numel()));
    std::transform(numbers, numbers + input.numel(), codes.begin(),
                   [&](float x) { return code_.of(x); });
    at::Tensor output = at::empty(sizes, at::dtype(code_.type));
    if (output.element_size() == 1) {
      fill(codes, static_cast<std::int8_t*>(output.mutable_data_ptr()));
    } else {
      fill(codes, static_cast<std::int32_t*>(output.mutable_data_ptr()));
    }
    values[layer.outputs.front().value] = output.to(given.device());
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& /*network*/,
                                    const Tape& golden) const override {
    const at::Tensor& input = golden.tensor(layer.inputs.front());
    if (input.scalar_type() != c10::kFloat || !Elements::suit(input) ||
        !Elements::suit(golden.tensor(layer.outputs.front()))) {
      return nullptr;
    }
    return std::make_unique<EncodingLists<Code>>(code_, layer, golden);
  }

 private:
  template <class Word>
  void fill(const std::vector<std::int32_t>& codes, Word* out) const {
    for (std::int64_t tick = 0; tick < code_.ticks; ++tick) {
      for (const std::int32_t code : codes) {
        *out++ = static_cast<Word>(code_.now(code, tick));
      }
    }
  }

  Code code_;
};

}  // namespace

std::int64_t rate_spikes(float x, std::int64_t ticks) {
  if (std::isnan(x)) {
    return 0;
  }
  const double clamped = std::clamp(static_cast<double>(x), 0.0, 1.0);
  return static_cast<std::int64_t>(std::floor(clamped * static_cast<double>(ticks) + 0.5));
}

std::shared_ptr<const Kernel> make_rate_encoding(std::int64_t ticks, c10::ScalarType type,
                                                 Sizes sizes) {
  TS_CHECK(type == c10::kChar || type == c10::kFloat, "spikes are int8 or float32");
  const std::int32_t one = type == c10::kChar ? 1 : std::bit_cast<std::int32_t>(1.0F);
  return std::make_shared<EncodingKernel<RateCode>>(RateCode{ticks, type, one, std::move(sizes)});
}

std::shared_ptr<const Kernel> make_constant_currents(std::int64_t ticks,
                                                     std::optional<double> scale) {
  return std::make_shared<EncodingKernel<ConstantCode>>(
      ConstantCode{ticks, scale ? c10::kInt : c10::kFloat, scale});
}

bool encodes_spikes(const Layer& layer) {
  const auto* kernel = dynamic_cast<const BeginsTicks*>(layer.kernel.get());
  return kernel != nullptr && kernel->encodes_spikes();
}

bool begins_ticks(const Layer& layer) {
  return dynamic_cast<const BeginsTicks*>(layer.kernel.get()) != nullptr;
}

std::int64_t count_outside_unit(const at::Tensor& images) {
  const at::Tensor numbers = images.cpu().to(c10::kFloat).contiguous();
  const auto* first = numbers.const_data_ptr<float>();
  return std::count_if(first, first + numbers.numel(),
                       [](float x) { return !(x >= 0.0F && x <= 1.0F); });
}

}  // namespace tilestrike::dnn
