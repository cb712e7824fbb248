// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Word faults on the memory of tensors, on the CPU and on a GPU alike: a scatter whose cost is that
// of the faults. No word is named twice.
#pragma once

#include <ATen/core/Tensor.h>

#include <span>

#include "base/fault.h"
#include "base/number_format.h"

namespace tilestrike::dnn {

struct StoreBacking;

/// An element of 1, 2, 4 or 8 bytes of a flat tensor, as its memory holds it.
std::uint64_t word_of(const at::Tensor& words, std::uint64_t index);

struct StruckWords {
  at::Tensor saved;         // the old words, for undo_faults(); undefined of apply_faults_to_values
  std::uint64_t first = 0;  // the first of them
  std::int64_t changed = 0;  // faults that gave their word another value
};

/// The elements of a tensor from its first one on, as its memory holds them, flat.
at::Tensor memory_of(const at::Tensor& tensor);

/// w' = (w & keep) ^ flip on elements of 1, 2, 4 or 8 bytes.
StruckWords apply_faults(const at::Tensor& words, std::span<const WordFault> faults);
void undo_faults(const at::Tensor& words, std::span<const WordFault> faults,
                 const at::Tensor& saved);

/// The same on real numbers (is_real) that are stored in another format: the bits that the format
/// stores meet the fault.
StruckWords apply_faults_to_values(const NumberFormat& format, const at::Tensor& values,
                                   std::span<const WordFault> faults);

/// After words of a constant have changed: what is derived from them follows.
void follow_words(const NumberFormat& format, const StoreBacking& backing,
                  std::span<const WordFault> faults);

}  // namespace tilestrike::dnn
