// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/struck_activations.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "base/error.h"
#include "dnn/stored_number.h"

namespace tilestrike::bridge {
namespace {

/// Of a batch of which one image differs all over, that image is a list; of which many do, the
/// value is taken whole.
constexpr dnn::ListLimits kLimits{1.0, 0.05};

/// What an element of int8 or float32 stores, and the element that stores a word.
std::uint64_t word_of(std::int32_t element, const NumberFormat& format) {
  return static_cast<std::uint32_t>(element) & format.all_bits();
}
std::int32_t element_of(std::uint64_t word, const NumberFormat& format) {
  return format.bits == 8 ? static_cast<std::int8_t>(static_cast<std::uint8_t>(word))
                          : static_cast<std::int32_t>(static_cast<std::uint32_t>(word));
}

}  // namespace

bool StruckActivations::takes(std::span<const WordFault> faults) const {
  return network_.device.is_cpu() && std::ranges::all_of(faults, [&](const WordFault& fault) {
           const dnn::ValueId value = stores_.backing(fault.store).value;
           const c10::ScalarType type = network_.info(value).type;
           return !stores_.backing(fault.store).is_constant() &&
                  (type == c10::kFloat || type == c10::kChar) &&
                  stores_.all()[fault.store.value].format == dnn::format_of(type);
         });
}

void StruckActivations::strike(const Part& part, const dnn::Tape& golden, dnn::Divergence& run,
                               dnn::TensorStores::ImageStrike& struck) const {
  const StoreId store = part.faults.front().store;
  const dnn::StoreBacking& backing = stores_.backing(store);
  const NumberFormat& format = stores_.all()[store.value].format;
  const at::Tensor& tensor = golden.tensor(backing.value);
  const std::int64_t batch = tensor.numel() / stores_.all()[store.value].words;
  std::vector<dnn::Change> changes;
  for (const WordFault& fault : part.faults) {
    const auto index = static_cast<std::uint32_t>(dnn::element_of_word(
        tensor, backing, batch, part.row, static_cast<std::int64_t>(fault.word)));
    const std::uint64_t before = word_of(run.element(backing.value, index), format);
    const std::uint64_t after = fault.applied_to(before) & format.all_bits();
    if (struck.before == struck.after && &fault == &part.faults.front()) {
      struck.before = before;
      struck.after = after;
    }
    struck.changed += after != before ? 1 : 0;
    changes.push_back({index, element_of(after, format)});
  }
  run.put(backing.value, changes);
}

at::Tensor StruckActivations::answer(const dnn::Tape& golden,
                                     std::span<const dnn::TensorStores::ImageFaults> strikes,
                                     std::vector<dnn::TensorStores::ImageStrike>& struck) {
  const c10::InferenceMode no_gradients;
  struck.assign(strikes.size(), {});
  std::map<std::ptrdiff_t, std::vector<Part>> parts;  // by layer; -1: the images
  for (std::size_t i = 0; i < strikes.size(); ++i) {
    for (auto faults = strikes[i].faults; !faults.empty();) {
      const auto here = dnn::of_first_store(faults);
      faults = faults.subspan(here.size());
      parts[stores_.backing(here.front().store).layer].push_back({i, strikes[i].row, here});
    }
  }
  const std::int64_t images = golden.tensor(network_.inputs.front()).size(0);
  dnn::Differential& lists = differentials_.try_emplace(images, network_, kLimits).first->second;
  dnn::Divergence run(network_, golden, &lists);
  const auto layers = static_cast<std::ptrdiff_t>(network_.layers.size());
  for (std::ptrdiff_t at = parts.empty() ? layers : parts.begin()->first; at < layers; ++at) {
    if (at >= 0 && run.reads_changed(static_cast<std::size_t>(at))) {
      run.run(static_cast<std::size_t>(at));
    }
    for (const Part& part : parts[at]) {
      strike(part, golden, run, struck[part.strike]);
    }
    parts.erase(at);
    if (parts.empty() && at >= 0 && !run.is_alive_after(static_cast<std::size_t>(at))) {
      break;
    }
  }
  return run.output();
}

}  // namespace tilestrike::bridge
