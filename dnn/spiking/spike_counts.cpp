// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/spiking/spike_counts.h"

#include <algorithm>

#include "base/error.h"
#include "dnn/executor.h"
#include "dnn/spiking/spiking_network.h"

namespace tilestrike::dnn {
namespace {

/// The spikes of each layer of neurons, as bytes; undefined where a layer has none.
std::vector<at::Tensor> spikes_of(const Network& network, const SpikingPlaces& places,
                                  const Inputs& images) {
  std::vector<at::Tensor> spikes(places.layers.size());
  Executor(network).run(images, [&](std::size_t layer, Values& values) {
    const auto found = std::ranges::find(places.layers, layer);
    const auto index = static_cast<std::size_t>(found - places.layers.begin());
    if (found != places.layers.end() && places.spikes[index].value >= 0) {
      spikes[index] =
          values[places.spikes[index].value].toTensor().to(c10::kCPU, c10::kChar).contiguous();
    }
  });
  return spikes;
}

void add(const at::Tensor& first, const at::Tensor& second, SpikeDifference& sum) {
  const auto* a = first.const_data_ptr<std::int8_t>();
  const auto* b = second.const_data_ptr<std::int8_t>();
  sum.places += first.numel();
  for (std::int64_t i = 0; i < first.numel(); ++i) {
    sum.first_spikes += a[i];
    sum.second_spikes += b[i];
    sum.different += a[i] != b[i] ? 1 : 0;
  }
}

}  // namespace

std::vector<SpikeDifference> compare_spikes(const Network& first, const Network& second,
                                            const Inputs& images, std::int64_t batch) {
  const SpikingPlaces a = places_of(first), b = places_of(second);
  TS_CHECK(a.layers.size() == b.layers.size(), "two networks of one spiking model");
  std::vector<SpikeDifference> sums(a.layers.size());
  for (std::int64_t row = 0; row < images.rows(); row += batch) {
    const Inputs part = images.narrow(row, std::min(batch, images.rows() - row));
    const std::vector<at::Tensor> ours = spikes_of(first, a, part);
    const std::vector<at::Tensor> theirs = spikes_of(second, b, part);
    for (std::size_t i = 0; i < sums.size(); ++i) {
      if (ours[i].defined() && theirs[i].defined()) {
        TS_CHECK(ours[i].sizes() == theirs[i].sizes(), "two networks of one spiking model");
        sums[i].layer = first.layers[a.layers[i]].name;
        add(ours[i], theirs[i], sums[i]);
      }
    }
  }
  std::erase_if(sums, [](const SpikeDifference& one) { return one.places == 0; });
  return sums;
}

AnswerCounts count_answers(const at::Tensor& logits) {
  const at::Tensor host = logits.cpu().to(c10::kFloat).contiguous();
  AnswerCounts counts;
  counts.images = host.size(0);
  const std::int64_t size = counts.images == 0 ? 0 : host.numel() / counts.images;
  for (std::int64_t image = 0; image < counts.images && size > 0; ++image) {
    const float* first = host.const_data_ptr<float>() + image * size;
    const float* end = first + size;
    if (std::all_of(first, end, [](float x) { return x == 0.0F; })) {
      ++counts.silent;
    } else {
      const float most = *std::max_element(first, end);
      counts.ties += std::count(first, end, most) > 1 ? 1 : 0;
    }
  }
  return counts;
}

}  // namespace tilestrike::dnn
