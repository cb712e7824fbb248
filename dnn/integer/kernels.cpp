// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/integer/kernels.h"

#include <ATen/ops/add.h>
#include <ATen/ops/broadcast_tensors.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/round.h>
#include <ATen/ops/sub.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/error.h"
#include "dnn/integer/channel_ratios.h"
#ifdef TS_CUDA_ENABLED
#include "dnn/cuda/kernels.h"
#endif

namespace tilestrike::dnn {
namespace {

// -- CPU loops, written so that the compiler vectorises them
// ---------------------------------------

constexpr std::uint64_t kLift = std::uint64_t{1} << 62;

/// requantise() of one channel. From shift 31 on a result fits int32 before the clamp; then
/// acc * multiplier + half + 2^62, which is never negative, is taken in unsigned arithmetic, for
/// which the vector instructions exist: floor((x + 2^62) / 2^shift) - 2^62 / 2^shift = floor(x /
/// 2^shift).
template <class Number>
void requantise_run(const Number* in, std::int8_t* out, std::int64_t count, FixedPoint ratio,
                    Clamp clamp) {
  constexpr std::uint32_t kSign = std::uint32_t{1} << 31;
  if (ratio.shift < 31) {
    for (std::int64_t i = 0; i < count; ++i) {
      out[i] = clamped(ratio.scaled(in[i]), clamp.low, clamp.high);
    }
    return;
  }
  const auto multiplier = static_cast<std::uint32_t>(ratio.multiplier);
  const std::uint64_t offset =
      static_cast<std::uint64_t>(half_of(ratio.shift)) + kLift - std::uint64_t{kSign} * multiplier;
  const auto lifted = static_cast<std::uint32_t>(kLift >> ratio.shift);
  const std::int32_t zero = ratio.zero, low = clamp.low - zero, high = clamp.high - zero;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t positive = static_cast<std::uint32_t>(std::int32_t{in[i]}) ^ kSign;
    const std::uint64_t scaled = std::uint64_t{positive} * multiplier + offset;
    const auto result =
        static_cast<std::int32_t>(static_cast<std::uint32_t>(scaled >> ratio.shift) - lifted);
    out[i] = static_cast<std::int8_t>(std::min(std::max(result, low), high) + zero);
  }
}

/// Nearest integer of a float that is one, or nearly.
template <class Real>
std::int32_t nearest(Real value) {
  if constexpr (sizeof(Real) == sizeof(float)) {
    return static_cast<std::int32_t>(value);  // exact sums: nothing to round
  } else {
    return static_cast<std::int32_t>(value + (value < 0 ? -0.5 : 0.5));
  }
}

/// Sum modulo 2^32: with a struck bias an accumulator may leave int32.
std::int32_t wrapped_sum(std::int32_t a, std::int32_t b) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(a) + static_cast<std::uint32_t>(b));
}

template <class Real>
void to_accumulators_on_cpu(const at::Tensor& sums, const ChannelLayout& layout,
                            const std::int32_t* bias, std::int32_t* out) {
  const Real* in = sums.const_data_ptr<Real>();
  for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
    if (layout.inner == 1) {
      for (std::int64_t c = 0; c < layout.channels; ++c) {
        out[c] = wrapped_sum(nearest(in[c]), bias == nullptr ? 0 : bias[c]);
      }
    } else {
      for (std::int64_t c = 0; c < layout.channels; ++c) {
        const std::int32_t addend = bias == nullptr ? 0 : bias[c];
        const Real* row = in + c * layout.inner;
        std::int32_t* out_row = out + c * layout.inner;
        for (std::int64_t i = 0; i < layout.inner; ++i) {
          out_row[i] = wrapped_sum(nearest(row[i]), addend);
        }
      }
    }
    in += layout.channels * layout.inner;
    out += layout.channels * layout.inner;
  }
}

void add_on_cpu(const std::int8_t* a, const std::int8_t* b, std::int8_t* out, std::int64_t count,
                ScaledAddition ratios, Clamp clamp) {
  const std::int32_t low = clamp.low, high = clamp.high;
  for (std::int64_t i = 0; i < count; ++i) {
    out[i] = static_cast<std::int8_t>(std::min(std::max(ratios.scaled(a[i], b[i]), low), high));
  }
}

void quantise_on_cpu(const float* in, std::int8_t* out, std::int64_t count, float inverse,
                     int zero) {
  // Adding and subtracting 1.5 * 2^23 rounds to an integer, ties to even, what lies within +-2^22.
  constexpr float kRound = 12582912.0F;
  const auto low = static_cast<float>(-128 - zero), high = static_cast<float>(127 - zero);
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = in[i] * inverse;
    const float raised = value > low ? value : low;  // NaN, too
    const float bounded = raised < high ? raised : high;
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(bounded + kRound - kRound) + zero);
  }
}

// -- Choice of device
// -------------------------------------------------------------------------------

[[maybe_unused]] void* stream_of(const at::Tensor& tensor) {
  const c10::impl::VirtualGuardImpl guard(tensor.device().type());
  return guard.getStream(tensor.device()).native_handle();
}

void check_has_kernels(const at::Tensor& tensor) {
#ifdef TS_CUDA_ENABLED
  const bool has_kernels = tensor.is_cpu() || tensor.is_cuda();
#else
  const bool has_kernels = tensor.is_cpu();
#endif
  if (!has_kernels) {
    fail(ErrorCode::kUnsupported, "no integer kernels for device " + tensor.device().str(), {},
         "use device cpu, or a build with CUDA kernels (TS_WITH_CUDA=ON, nvcc on PATH)");
  }
}

[[maybe_unused]] void check_launch(const char* error, const at::Tensor& tensor) {
  if (error != nullptr) {
    fail(ErrorCode::kMachine, std::string("a CUDA kernel could not be started: ") + error,
         tensor.device().str(), "run with device cpu, or check the driver");
  }
}

/// Memory for a result of these kernels.
at::Tensor result_like(const at::Tensor& operand, c10::ScalarType type) {
  check_has_kernels(operand);
  return at::empty(operand.sizes(), operand.options().dtype(type));
}

}  // namespace

ChannelLayout ChannelLayout::around(const at::Tensor& tensor, std::int64_t dimension) {
  ChannelLayout layout;
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    (i < dimension    ? layout.outer
     : i == dimension ? layout.channels
                      : layout.inner) *= tensor.size(i);
  }
  return layout;
}

at::Tensor requantise(const at::Tensor& sums, const ChannelLayout& layout,
                      const at::Tensor& multiplier, const at::Tensor& shift, Clamp clamp,
                      int zero) {
  const at::Tensor in = sums.contiguous();
  at::Tensor result = result_like(in, c10::kChar);
  const std::int32_t* values = in.const_data_ptr<std::int32_t>();
  const std::int32_t* multipliers = multiplier.const_data_ptr<std::int32_t>();
  const std::int32_t* shifts = shift.const_data_ptr<std::int32_t>();
  auto* out = result.mutable_data_ptr<std::int8_t>();
  if (in.is_cpu() && layout.inner == 1) {
    const auto channels = static_cast<std::size_t>(layout.channels);
    ChannelRatios({multipliers, channels}, {shifts, channels}, zero, clamp.low, clamp.high)
        .requantise_rows(values, layout.outer, out);
    return result;
  }
  if (in.is_cpu()) {
    for (std::int64_t outer = 0; outer < layout.outer; ++outer) {
      for (std::int64_t c = 0; c < layout.channels; ++c) {
        requantise_run(values, out, layout.inner, {multipliers[c], shifts[c], zero}, clamp);
        values += layout.inner;
        out += layout.inner;
      }
    }
    return result;
  }
#ifdef TS_CUDA_ENABLED
  const c10::DeviceGuard guard(in.device());
  check_launch(cuda::requantise(values, out, in.numel(), layout.channels, layout.inner, multipliers,
                                shifts, zero, clamp.low, clamp.high, stream_of(in)),
               in);
#endif
  return result;
}

at::Tensor requantise(const at::Tensor& values, FixedPoint ratio, Clamp clamp) {
  const at::Tensor in = values.contiguous();
  at::Tensor result = result_like(in, c10::kChar);
  const auto run = [&](const auto* data) {
    auto* out = result.mutable_data_ptr<std::int8_t>();
    if (in.is_cpu()) {
      requantise_run(data, out, in.numel(), ratio, clamp);
      return;
    }
#ifdef TS_CUDA_ENABLED
    const c10::DeviceGuard guard(in.device());
    check_launch(
        cuda::requantise(data, out, in.numel(), ratio, clamp.low, clamp.high, stream_of(in)), in);
#endif
  };
  if (in.scalar_type() == c10::kChar) {
    run(in.const_data_ptr<std::int8_t>());
  } else {
    run(in.const_data_ptr<std::int32_t>());
  }
  return result;
}

at::Tensor to_accumulators(const at::Tensor& sums, const ChannelLayout& layout,
                           const at::Tensor& bias) {
  const at::Tensor in = sums.contiguous();
  if (!in.is_cpu()) {
    at::Tensor whole = at::round(in).to(c10::kInt);
    if (!bias.defined()) {
      return whole;
    }
    const std::int64_t channels[3] = {1, layout.channels, 1};
    const std::int64_t around[3] = {layout.outer, layout.channels, layout.inner};
    return at::add(whole.view(around), bias.view(channels)).view(in.sizes());
  }
  at::Tensor result = result_like(in, c10::kInt);
  const std::int32_t* addends = bias.defined() ? bias.const_data_ptr<std::int32_t>() : nullptr;
  auto* out = result.mutable_data_ptr<std::int32_t>();
  if (in.scalar_type() == c10::kFloat) {
    to_accumulators_on_cpu<float>(in, layout, addends, out);
  } else {
    to_accumulators_on_cpu<double>(in, layout, addends, out);
  }
  return result;
}

at::Tensor add(const at::Tensor& a, const at::Tensor& b, const ScaledAddition& ratios,
               Clamp clamp) {
  // Of one shape on the calibration images; a batch of another size may be one of them repeated.
  const bool is_one_shape = a.sizes() == b.sizes();
  const std::vector<at::Tensor> both =
      is_one_shape ? std::vector<at::Tensor>{a, b} : at::broadcast_tensors({a, b});
  const at::Tensor x = both[0].contiguous(), y = both[1].contiguous();
  at::Tensor result = result_like(x, c10::kChar);
  const auto* first = x.const_data_ptr<std::int8_t>();
  const auto* second = y.const_data_ptr<std::int8_t>();
  auto* out = result.mutable_data_ptr<std::int8_t>();
  if (x.is_cpu()) {
    add_on_cpu(first, second, out, x.numel(), ratios, clamp);
    return result;
  }
#ifdef TS_CUDA_ENABLED
  const c10::DeviceGuard guard(x.device());
  check_launch(
      cuda::add(first, second, out, x.numel(), ratios, clamp.low, clamp.high, stream_of(x)), x);
#endif
  return result;
}

at::Tensor quantise_values(const at::Tensor& values, Quantisation quantisation) {
  const at::Tensor in = values.to(c10::kFloat).contiguous();
  at::Tensor result = result_like(in, c10::kChar);
  const auto* data = in.const_data_ptr<float>();
  auto* out = result.mutable_data_ptr<std::int8_t>();
  const float inverse = 1.0F / quantisation.scale;
  if (in.is_cpu()) {
    quantise_on_cpu(data, out, in.numel(), inverse, quantisation.zero);
    return result;
  }
#ifdef TS_CUDA_ENABLED
  const c10::DeviceGuard guard(in.device());
  check_launch(cuda::quantise(data, out, in.numel(), inverse, quantisation.zero, stream_of(in)),
               in);
#endif
  return result;
}

at::Tensor dequantise_values(const at::Tensor& values, Quantisation quantisation,
                             c10::ScalarType type) {
  const at::Tensor shifted =
      quantisation.zero == 0 ? values : at::sub(values.to(c10::kFloat), quantisation.zero);
  return at::mul(shifted, static_cast<double>(quantisation.scale)).to(type);
}

ScaledAddition ScaledAddition::of(double a_ratio, double b_ratio) {
  constexpr std::int32_t kMostMultiplier = 32767;
  constexpr int kBits = 15, kMostAdditionShift = 30;
  const double larger = std::max(a_ratio, b_ratio), smaller = std::min(a_ratio, b_ratio);
  if (!std::isfinite(larger) || !(smaller > 0.0)) {
    fail(ErrorCode::kUnsupported,
         "an addition scaled by " + std::to_string(a_ratio) + " and " + std::to_string(b_ratio) +
             " has no fixed-point form",
         {}, "ratios of scales are finite and positive; look for non-finite activations");
  }
  int exponent = 0;
  const double fraction = std::frexp(larger, &exponent);  // in [0.5, 1)
  if (std::nearbyint(std::ldexp(fraction, kBits)) > kMostMultiplier) {
    ++exponent;
  }
  const int shift = std::clamp(kBits - exponent, 0, kMostAdditionShift);
  const auto multiplier = [&](double ratio) {
    const double rounded = std::nearbyint(std::ldexp(ratio, shift));
    return static_cast<std::int16_t>(std::min<double>(rounded, kMostMultiplier));
  };
  ScaledAddition addition;
  addition.a_multiplier = multiplier(a_ratio);
  addition.b_multiplier = multiplier(b_ratio);
  addition.shift = shift;
  return addition;
}

}  // namespace tilestrike::dnn
