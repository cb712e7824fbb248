// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/coverage.h"

#include <algorithm>
#include <set>

namespace tilestrike::campaigns {
namespace {

void add(const std::string& tensor, std::string what, std::int64_t words, bool is_covered,
         Coverage& coverage) {
  coverage.words += words;
  if (is_covered) {
    coverage.covered += words;
  } else {
    coverage.left_out.push_back({tensor, std::move(what), words});
  }
}

void largest_first(Coverage& coverage) {
  std::ranges::stable_sort(coverage.left_out, std::ranges::greater{}, &LeftOut::words);
}

}  // namespace

TensorCoverage coverage_of(std::span<const StoreId> selected, const bridge::StudyFacts& study) {
  std::vector<bool> is_selected(study.stores.size());
  for (const StoreId id : selected) {
    is_selected[id.value] = true;
  }
  TensorCoverage coverage;
  Coverage activations;
  std::set<std::string> stored_layers;
  for (std::size_t i = 0; i < study.stores.size(); ++i) {
    const TensorStore& store = study.stores[i];
    const bool is_activation = is_computed(store.role);
    add(store.name, std::string(name_of(store.role)), store.words, is_selected[i],
        is_activation ? activations : coverage.stored);
    if (is_activation) {
      stored_layers.insert(store.layer);
    }
    if (is_selected[i] && !store.note.empty()) {
      coverage.notes.push_back(store.name + ": " + store.note);
    }
  }
  for (const UnstruckTensor& tensor : study.unstruck) {
    add(tensor.name, tensor.why, tensor.words, false, coverage.stored);
  }
  largest_first(coverage.stored);
  if (activations.covered > 0) {
    largest_first(activations);
    coverage.activations = std::move(activations);
    for (const bridge::LayerSummary& layer : study.layers) {
      if (!stored_layers.contains(layer.name)) {
        coverage.unstored.push_back(layer.name);
      }
    }
  }
  return coverage;
}

}  // namespace tilestrike::campaigns
