// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which words and bits of a network's tensors a strike may hit (docs/tensor_faults.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/field_table.h"
#include "base/tensor_store.h"

namespace tilestrike::campaigns {

/// Globs of names, by role; empty lists select nothing.
struct TensorSelection {
  std::array<std::vector<std::string>, kTensorRoles> globs;
  std::vector<std::string> bits;     // "exponent", "30", "0-7"; empty: all
  std::optional<std::int64_t> tick;  // of spiking networks: words of this tick alone; else of all

  bool is_empty() const;
  bool strikes_constants() const;
  bool strikes_activations() const;  // or membranes
};

/// The keys weights, biases, normalisation, parameters, buffers, activations, membranes, bits and
/// tick of a `where`.
std::vector<std::string> tensor_keys();

/// Reads the value of one of these keys.
void read_tensor_key(TensorSelection& selection, const std::string& key, const Value& value,
                     const std::string& path, ErrorList& errors);
/// The value of a key in the expanded form; nothing where it selects nothing.
Value write_tensor_key(const TensorSelection& selection, const std::string& key);

/// A range of a store's words.
struct WordRange {
  std::uint64_t first = 0, count = 0;
};
/// The words of a store that a selection means. Throws Failure: a tick that the store does not
/// have.
WordRange selected_words(const TensorSelection& selection, const TensorStore& store);

/// The bits that a selection means in one format. Throws Failure: a field that the format does not
/// have, or a bit beyond its width; `tensor` is for the message.
std::uint64_t selected_bits(const TensorSelection& selection, const NumberFormat& format,
                            const std::string& tensor);

/// "near: a, b; ...": which of `names` may have been meant where none is `glob`, and where all are.
std::string near_names(const std::string& glob, const std::vector<std::string>& names);

/// Stores that the selection names, in order. Throws Failure: a glob that matches none, with the
/// nearest names.
std::vector<std::uint32_t> selected_stores(const TensorSelection& selection,
                                           const std::vector<TensorStore>& stores);

}  // namespace tilestrike::campaigns
