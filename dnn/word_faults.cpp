// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/word_faults.h"

#include <ATen/ops/empty.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "base/error.h"
#include "dnn/stored_number.h"
#include "dnn/tensor_stores.h"
#ifdef TS_CUDA_ENABLED
#include "dnn/cuda/kernels.h"
#endif

namespace tilestrike::dnn {
namespace {

template <class Word>
std::span<Word> span_of(const at::Tensor& words) {
  // Raw bits, whatever the element type: apply() and undo() copy words as integers.
  return {static_cast<Word*>(words.mutable_data_ptr()), static_cast<std::size_t>(words.numel())};
}

/// Calls `function` with a zero of the unsigned type that has the width of an element.
template <class Function>
auto with_word(const at::Tensor& words, const Function& function) {
  switch (words.element_size()) {
    case 1:
      return function(std::uint8_t{0});
    case 2:
      return function(std::uint16_t{0});
    case 4:
      return function(std::uint32_t{0});
    default:
      TS_CHECK(words.element_size() == 8, "an element has 1, 2, 4 or 8 bytes");
      return function(std::uint64_t{0});
  }
}

/// Faults are sorted, so the last one tells for all.
void check_within(const at::Tensor& words, std::span<const WordFault> faults) {
  TS_CHECK(faults.empty() || faults.back().word < static_cast<std::uint64_t>(words.numel()),
           "a fault within its store");
}

at::Tensor positions_of(std::span<const WordFault> faults) {
  at::Tensor positions =
      at::empty({static_cast<std::int64_t>(faults.size())}, at::dtype(c10::kLong));
  auto* position = positions.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < faults.size(); ++i) {
    position[i] = static_cast<std::int64_t>(faults[i].word);
  }
  return positions;
}

#ifdef TS_CUDA_ENABLED
at::Tensor on_device(std::span<const WordFault> faults, std::uint64_t WordFault::*member,
                     c10::Device device) {
  at::Tensor host = at::empty({static_cast<std::int64_t>(faults.size())}, at::dtype(c10::kLong));
  auto* out = host.mutable_data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < faults.size(); ++i) {
    out[i] = static_cast<std::int64_t>(faults[i].*member);
  }
  return host.to(device);
}

void launch(const at::Tensor& words, std::span<const WordFault> faults, const at::Tensor& saved,
            bool is_undo) {
  const c10::DeviceGuard guard(words.device());
  const c10::impl::VirtualGuardImpl implementation(words.device().type());
  void* stream = implementation.getStream(words.device()).native_handle();
  const at::Tensor at = on_device(faults, &WordFault::word, words.device());
  const at::Tensor keep = on_device(faults, &WordFault::keep, words.device());
  const at::Tensor flip = on_device(faults, &WordFault::flip, words.device());
  const char* trouble = cuda::word_faults(
      words.mutable_data_ptr(), words.element_size(), at.const_data_ptr<std::int64_t>(),
      keep.const_data_ptr<std::int64_t>(), flip.const_data_ptr<std::int64_t>(),
      saved.mutable_data_ptr(), static_cast<std::int64_t>(faults.size()), is_undo, stream);
  if (trouble != nullptr) {
    fail(ErrorCode::kMachine, std::string("the CUDA kernel of word faults: ") + trouble, "device",
         "use 'device: cpu', or see to the driver");
  }
}
#else
void launch(const at::Tensor&, std::span<const WordFault>, const at::Tensor&, bool) {
  fail(ErrorCode::kUnsupported, "this build has no CUDA kernels", "device",
       "use 'device: cpu', or build with -DTS_WITH_CUDA=ON");
}
#endif

/// values[word] = what words[word] stands for, at the struck words.
void follow_values(const NumberFormat& format, const StoreBacking& backing,
                   std::span<const WordFault> faults) {
  const bool is_host = backing.words.is_cpu();
  const at::Tensor positions = is_host ? at::Tensor() : positions_of(faults);
  const at::Tensor words =
      is_host ? backing.words
              : backing.words.index_select(0, positions.to(backing.words.device())).cpu();
  at::Tensor values = is_host ? backing.values
                              : at::empty({static_cast<std::int64_t>(faults.size())},
                                          at::dtype(backing.values.scalar_type()));
  with_reals(values, [&]<class Real>(Real* value) {
    with_word(words, [&]<class Word>(Word) {
      const std::span<Word> stored = span_of<Word>(words);
      for (std::size_t i = 0; i < faults.size(); ++i) {
        const std::size_t at = is_host ? faults[i].word : i;
        value[at] = static_cast<Real>(stored_value(format, static_cast<std::uint32_t>(stored[at]),
                                                   scale_of_word(backing, faults[i].word)));
      }
    });
  });
  if (!is_host) {
    at::Tensor target = backing.values;
    target.index_copy_(0, positions.to(target.device()), values.to(target.device()));
  }
}

}  // namespace

std::uint64_t word_of(const at::Tensor& words, std::uint64_t index) {
  const at::Tensor one = words.narrow(0, static_cast<std::int64_t>(index), 1).cpu();
  return with_word(one,
                   [&](auto zero) -> std::uint64_t { return span_of<decltype(zero)>(one)[0]; });
}

at::Tensor memory_of(const at::Tensor& tensor) {
  std::int64_t reach = tensor.numel() == 0 ? 0 : 1;
  for (std::int64_t d = 0; d < tensor.dim() && reach > 0; ++d) {
    reach += (tensor.size(d) - 1) * tensor.stride(d);
  }
  return tensor.as_strided({reach}, {1}, tensor.storage_offset());
}

StruckWords apply_faults(const at::Tensor& words, std::span<const WordFault> faults) {
  check_within(words, faults);
  StruckWords result;
  result.saved = at::empty({static_cast<std::int64_t>(faults.size())}, words.options());
  if (!words.is_cpu()) {
    launch(words, faults, result.saved, false);
  }
  with_word(words, [&]<class Word>(Word) {
    if (words.is_cpu()) {
      result.changed = static_cast<std::int64_t>(
          tilestrike::apply<Word>(faults, span_of<Word>(words), span_of<Word>(result.saved)));
      result.first = faults.empty() ? 0 : span_of<Word>(result.saved)[0];
      return;
    }
    const at::Tensor host = result.saved.cpu();
    const std::span<Word> old = span_of<Word>(host);
    for (std::size_t i = 0; i < faults.size(); ++i) {
      result.changed += static_cast<Word>(faults[i].applied_to(old[i])) != old[i] ? 1 : 0;
    }
    result.first = faults.empty() ? 0 : old[0];
  });
  return result;
}

void undo_faults(const at::Tensor& words, std::span<const WordFault> faults,
                 const at::Tensor& saved) {
  if (!words.is_cpu()) {
    launch(words, faults, saved, true);
    return;
  }
  with_word(words, [&]<class Word>(Word) {
    tilestrike::undo<Word>(faults, span_of<Word>(saved), span_of<Word>(words));
  });
}

StruckWords apply_faults_to_values(const NumberFormat& format, const at::Tensor& values,
                                   std::span<const WordFault> faults) {
  check_within(values, faults);
  const bool is_host = values.is_cpu();
  const at::Tensor positions = is_host ? at::Tensor() : positions_of(faults).to(values.device());
  at::Tensor host = is_host ? values : values.index_select(0, positions).cpu();
  StruckWords result;
  with_reals(host, [&]<class Real>(Real* value) {
    for (std::size_t i = 0; i < faults.size(); ++i) {
      Real& here = value[is_host ? faults[i].word : i];
      const std::uint32_t word = stored_word(format, static_cast<float>(here));
      const auto struck =
          static_cast<std::uint32_t>(faults[i].applied_to(word) & format.all_bits());
      here = static_cast<Real>(stored_value(format, struck));
      result.first = i == 0 ? word : result.first;
      result.changed += struck != word ? 1 : 0;
    }
  });
  if (!is_host) {
    at::Tensor target = values;
    target.index_copy_(0, positions, host.to(values.device()));
  }
  return result;
}

void follow_words(const NumberFormat& format, const StoreBacking& backing,
                  std::span<const WordFault> faults) {
  if (backing.values.defined()) {
    follow_values(format, backing, faults);
  }
  for (const MatrixKernel* kernel : backing.kernels) {
    kernel->weights_changed(faults);
  }
}

}  // namespace tilestrike::dnn
