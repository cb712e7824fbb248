// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/count_different.h"

#include <ATen/ops/ne.h>
#include <ATen/ops/view_as_real.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

/// Counted in the words themselves for as long as they hold it, which vectorises.
template <class Word>
std::int64_t count_words(const void* a, const void* b, std::int64_t count) {
  constexpr std::int64_t kTogether = 128;
  const auto* x = static_cast<const unsigned char*>(a);
  const auto* y = static_cast<const unsigned char*>(b);
  std::int64_t different = 0;
  for (std::int64_t first = 0; first < count; first += kTogether) {
    const std::int64_t end = std::min(count, first + kTogether);
    Word found = 0;
    for (std::int64_t i = first; i < end; ++i) {
      Word u, v;
      std::memcpy(&u, x + i * sizeof(Word), sizeof(Word));
      std::memcpy(&v, y + i * sizeof(Word), sizeof(Word));
      found = static_cast<Word>(found + (u != v ? 1 : 0));
    }
    different += static_cast<std::int64_t>(found);
  }
  return different;
}

/// The integer type that shows an element's bits.
c10::ScalarType bits_of(std::size_t bytes) {
  switch (bytes) {
    case 1:
      return c10::kByte;
    case 2:
      return c10::kShort;
    case 4:
      return c10::kInt;
    default:
      TS_CHECK(bytes == 8, "an element has 1, 2, 4 or 8 bytes");
      return c10::kLong;
  }
}

std::int64_t count_on_cpu(const at::Tensor& a, const at::Tensor& b) {
  const void* x = a.const_data_ptr();
  const void* y = b.const_data_ptr();
  const std::int64_t count = a.numel();
  if (std::memcmp(x, y, a.nbytes()) == 0) {
    return 0;
  }
  switch (bits_of(a.element_size())) {
    case c10::kByte:
      return count_words<std::uint8_t>(x, y, count);
    case c10::kShort:
      return count_words<std::uint16_t>(x, y, count);
    case c10::kInt:
      return count_words<std::uint32_t>(x, y, count);
    default:
      return count_words<std::uint64_t>(x, y, count);
  }
}

}  // namespace

std::int64_t count_different(const at::Tensor& a, const at::Tensor& b) {
  if (a.is_same(b)) {
    return 0;
  }
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) {
    return std::max(a.numel(), b.numel());
  }
  if (a.numel() == 0) {
    return 0;
  }
  const c10::InferenceMode no_gradients;
  if (a.is_complex()) {  // their parts: of 16 bytes there is no word
    return count_different(at::view_as_real(a.resolve_conj()), at::view_as_real(b.resolve_conj()));
  }
  if (a.is_neg() || b.is_neg()) {
    return count_different(a.resolve_neg(), b.resolve_neg());
  }
  const at::Tensor there = b.to(a.device());
  if (!a.is_cpu()) {
    const auto bits = bits_of(a.element_size());
    return at::ne(a.contiguous().view(bits), there.contiguous().view(bits))
        .sum()
        .item<std::int64_t>();
  }
  const bool same_layout = a.strides() == there.strides() && a.is_non_overlapping_and_dense();
  return same_layout ? count_on_cpu(a, there) : count_on_cpu(a.contiguous(), there.contiguous());
}

}  // namespace tilestrike::dnn
