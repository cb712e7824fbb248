// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/constant_strike.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "dnn/word_faults.h"

namespace tilestrike::dnn {

ConstantStrike::ConstantStrike(TensorStores& stores, std::span<const WordFault> faults)
    : stores_(stores) {
  while (!faults.empty()) {
    const auto here = of_first_store(faults);
    faults = faults.subspan(here.size());
    const StoreId store = here.front().store;
    TS_CHECK(stores_.backing(store).is_constant(),
             "a strike on constants: " + stores_.all()[store.value].name);
    parts_.push_back({store, here, {}});
  }
  by_first_reader_.resize(parts_.size());
  std::iota(by_first_reader_.begin(), by_first_reader_.end(), std::size_t{0});
  by_last_reader_ = by_first_reader_;
  std::ranges::stable_sort(by_first_reader_, {},
                           [&](std::size_t i) { return backing(parts_[i]).first_reader; });
  std::ranges::stable_sort(by_last_reader_, {},
                           [&](std::size_t i) { return backing(parts_[i]).last_reader; });
}

ConstantStrike::~ConstantStrike() {
  try {
    restore_all();
  } catch (...) {
    TS_CHECK(false, "struck words get their old values back");
  }
}

at::Tensor ConstantStrike::run(const Executor& executor, const Inputs& images, bool is_last) {
  return run([&](const Hook& after) { return executor.run(images, after); }, is_last);
}

at::Tensor ConstantStrike::run(const Infer& infer, bool is_last) {
  const c10::InferenceMode no_gradients;
  const bool is_first = !has_run_;
  has_run_ = true;
  if (!is_first && !is_last) {
    return infer({});
  }
  if (is_first) {
    strike_until(-1);
    run_constant_layers();
    strike_until(0);
  }
  return infer([&](std::size_t layer, Values&) {
    const auto done = static_cast<std::ptrdiff_t>(layer);
    if (is_last) {
      restore_until(done);
    }
    if (is_first) {
      strike_until(done + 1);
    }
  });
}

void ConstantStrike::strike_until(std::ptrdiff_t layer) {
  while (struck_ < parts_.size() &&
         backing(parts_[by_first_reader_[struck_]]).first_reader <= layer) {
    strike(parts_[by_first_reader_[struck_++]]);
  }
}

void ConstantStrike::restore_until(std::ptrdiff_t layer) {
  while (restored_ < parts_.size() &&
         backing(parts_[by_last_reader_[restored_]]).last_reader <= layer) {
    restore(parts_[by_last_reader_[restored_++]]);
  }
}

void ConstantStrike::strike(Part& part) {
  const TensorStore& store = stores_.all()[part.store.value];
  StruckWords words = apply_faults(backing(part).words, part.faults);
  part.saved = std::move(words.saved);
  changed_ += words.changed;
  if (&part == &parts_.front()) {
    before_ = words.first & store.format.all_bits();
    after_ = part.faults.front().applied_to(words.first) & store.format.all_bits();
  }
  follow_words(store.format, backing(part), part.faults);
}

void ConstantStrike::restore(Part& part) {
  if (!part.saved.defined()) {
    return;
  }
  undo_faults(backing(part).words, part.faults, part.saved);
  follow_words(stores_.all()[part.store.value].format, backing(part), part.faults);
  part.saved.reset();
}

void ConstantStrike::restore_all() {
  const c10::InferenceMode no_gradients;
  for (Part& part : parts_) {
    restore(part);
  }
  for (const auto& [id, value] : results_) {
    stores_.network().constants[id.value] = value;
  }
}

void ConstantStrike::run_constant_layers() {
  Network& network = stores_.network();
  if (network.constant_layers.empty()) {
    return;
  }
  // A view of a struck constant shows it by itself; whatever else depends on one is computed again.
  std::vector<bool> is_struck(network.values.size(), false);
  for (const Part& part : parts_) {
    const ValueId id = backing(part).value;
    if (!part.saved.defined() || id.value < 0) {
      continue;
    }
    const void* memory = network.constants[id.value].toTensor().storage().data();
    for (std::size_t other = 0; other < network.constants.size(); ++other) {
      const c10::IValue& value = network.constants[other];
      is_struck[other] =
          is_struck[other] || (value.isTensor() && value.toTensor().storage().data() == memory);
    }
  }
  for (const Layer& layer : network.constant_layers) {
    if (!std::ranges::any_of(layer.inputs, [&](ValueId id) { return is_struck[id.value]; })) {
      continue;
    }
    for (const ValueId id : layer.outputs) {
      if (id.value >= 0) {
        results_.emplace_back(id, network.constants[id.value]);
        is_struck[id.value] = true;
      }
    }
    layer.kernel->run(layer, network.constants);
  }
}

}  // namespace tilestrike::dnn
