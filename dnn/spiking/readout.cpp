// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/readout.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <map>
#include <utility>

#include "dnn/differential/list_kernel.h"

namespace tilestrike::dnn {
namespace {

/// A number of a value, which Change::now holds.
float number_of(std::int32_t now, bool is_float) {
  return is_float ? std::bit_cast<float>(now) : static_cast<float>(now);
}

class ReadoutKernel final : public Kernel {
 public:
  ReadoutKernel(Readout readout, double factor, Sizes sizes)
      : readout_(readout), factor_(static_cast<float>(factor)), sizes_(std::move(sizes)) {}

  /// `now(tick)`: the neuron's element, as Change::now has it.
  template <class Now>
  float answer(std::int64_t ticks, bool is_float, const Now& now) const {
    switch (readout_) {
      case Readout::kMembrane:
        return number_of(now(ticks - 1), is_float) * factor_;
      case Readout::kCount: {
        std::int64_t spikes = 0;
        for (std::int64_t tick = 0; tick < ticks; ++tick) {
          spikes += now(tick) != 0 ? 1 : 0;
        }
        return static_cast<float>(spikes) * factor_;
      }
      case Readout::kFirstSpike:
        for (std::int64_t tick = 0; tick < ticks; ++tick) {
          if (now(tick) != 0) {
            return static_cast<float>(ticks - tick) * factor_;
          }
        }
    }
    return 0.0F;
  }

  void run(const Layer& layer, Values& values) const override {
    const at::Tensor given = values[layer.inputs.front().value].toTensor();
    const at::Tensor input = given.cpu().contiguous();
    const std::int64_t ticks = input.size(0), places = input.numel() / ticks;
    std::vector<std::int64_t> sizes = sizes_;
    sizes.insert(sizes.begin(), input.size(1));
    const at::Tensor output = at::empty(sizes);
    auto* out = output.mutable_data_ptr<float>();
    const Elements elements(input);
    const bool is_float = input.scalar_type() == c10::kFloat;
    for (std::int64_t place = 0; place < places; ++place) {
      out[place] = answer(ticks, is_float,
                          [&](std::int64_t tick) { return elements.at(tick * places + place); });
    }
    values[layer.outputs.front().value] = output.to(given.device());
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override;

 private:
  Readout readout_;
  float factor_;
  Sizes sizes_;
};

/// Each neuron that has a change is read anew.
class ReadoutLists final : public ListKernel {
 public:
  ReadoutLists(const ReadoutKernel& kernel, ValueId input, const at::Tensor& in)
      : kernel_(kernel),
        input_(input),
        ticks_(in.size(0)),
        places_(in.numel() / std::max<std::int64_t>(in.size(0), 1)),
        is_float_(in.scalar_type() == c10::kFloat) {}

  double cost(const ListRun& run) const override {
    return kCostOfChange * run.share_of(input_, ticks_ * places_);
  }

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    std::map<std::int64_t, std::vector<std::pair<std::int64_t, std::int32_t>>> by_place;
    for (const Change& change : *changes) {
      by_place[change.index % places_].emplace_back(change.index / places_, change.now);
    }
    const Elements golden(run.golden.row_major(input_));
    const auto* answers = run.golden_of<float>(run.layer.outputs.front());
    for (const auto& [place, now] : by_place) {
      const auto at = [&](std::int64_t tick) {
        const auto found = std::ranges::find(now, tick, [](const auto& one) { return one.first; });
        return found == now.end() ? golden.at(tick * places_ + place) : found->second;
      };
      run.give(place, kernel_.answer(ticks_, is_float_, at), answers);
    }
  }

 private:
  static constexpr double kCostOfChange = 20.0;
  const ReadoutKernel& kernel_;
  ValueId input_;
  std::int64_t ticks_, places_;
  bool is_float_;
};

std::unique_ptr<ListKernel> ReadoutKernel::lists(const Layer& layer, const Network& /*network*/,
                                                 const Tape& golden) const {
  const ValueId input = layer.inputs.front();
  if (!Elements::suit(golden.tensor(input)) ||
      !Elements::suit(golden.tensor(layer.outputs.front()))) {
    return nullptr;
  }
  return std::make_unique<ReadoutLists>(*this, input, golden.tensor(input));
}

}  // namespace

std::shared_ptr<const Kernel> make_readout(Readout readout, double factor, Sizes sizes) {
  return std::make_shared<ReadoutKernel>(readout, factor, std::move(sizes));
}

}  // namespace tilestrike::dnn
