// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/stored_format.h"

#include <ATen/ops/abs.h>
#include <ATen/ops/empty.h>

#include "dnn/stored_number.h"

namespace tilestrike::dnn {
namespace {

/// A layer that stores what it computes in another format than it computes in.
class StoringKernel final : public Kernel {
 public:
  StoringKernel(std::shared_ptr<const Kernel> inner, NumberFormat format)
      : inner_(std::move(inner)), format_(format) {}

  void run(const Layer& layer, Values& values) const override {
    inner_->run(layer, values);
    for (const ValueId id : layer.outputs) {
      if (id.value < 0 || !values[id.value].isTensor()) {
        continue;
      }
      const at::Tensor& computed = values[id.value].toTensor();
      if (is_real(computed.scalar_type()) && !is_view_of_input(layer, values, computed)) {
        values[id.value] = rounded_to(format_, computed);
      }
    }
  }

 private:
  std::shared_ptr<const Kernel> inner_;
  NumberFormat format_;
};

/// What a format stores besides weights (docs/number_formats.md).
struct Reach {
  bool biases = false, normalisation = false, activations = false;
};

Reach reach_of(const NumberFormat& format) {
  switch (format.kind) {
    case NumberFormat::Kind::kFloat:
      return format.bits == 8 ? Reach{false, false, true} : Reach{true, true, true};
    case NumberFormat::Kind::kFixed:
      return {true, false, true};
    case NumberFormat::Kind::kInteger:
    case NumberFormat::Kind::kUnsigned:
      break;
  }
  return {};
}

/// int4: one scale per output channel; float8: one per tensor; the others have none.
void choose_scale(const NumberFormat& format, const at::Tensor& tensor, TensorRole role,
                  StoreBacking& backing) {
  const bool is_integer = format.kind == NumberFormat::Kind::kInteger;
  if (role != TensorRole::kWeight || !(is_integer || (format.is_float() && format.bits == 8))) {
    return;
  }
  const bool has_channels = is_integer && tensor.dim() >= 2;
  const at::Tensor magnitude = at::abs(tensor).cpu().to(c10::kFloat);
  backing.scale =
      (has_channels ? magnitude.flatten(1).amax(1) : magnitude.max().reshape({1})).contiguous();
  float* scale = backing.scale.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < backing.scale.numel(); ++i) {
    scale[i] = scale[i] > 0.0F ? static_cast<float>(scale[i] / largest_stored(format)) : 1.0F;
  }
  backing.channel_stride = has_channels ? tensor.stride(0) : 1;
}

}  // namespace

bool is_stored_in(const NumberFormat& format, TensorRole role) {
  const Reach reach = reach_of(format);
  switch (role) {
    case TensorRole::kWeight:
      return true;
    case TensorRole::kBias:
    case TensorRole::kParameter:
    case TensorRole::kBuffer:
      return reach.biases;
    case TensorRole::kNormalisation:
      return reach.normalisation;
    case TensorRole::kActivation:
    case TensorRole::kMembrane:
      return reach.activations;
  }
  return false;
}

void store_in(const NumberFormat& format, const at::Tensor& whole, TensorRole role,
              c10::Device device, StoreBacking& backing) {
  choose_scale(format, whole, role, backing);
  const at::Tensor host = backing.words.cpu().to(c10::kFloat);
  const auto count = host.numel();
  at::Tensor words = at::empty({count}, at::dtype(format.bits <= 8    ? c10::kByte
                                                  : format.bits <= 16 ? c10::kShort
                                                                      : c10::kInt));
  at::Tensor values = at::empty({count}, at::dtype(c10::kFloat));
  const float* in = host.const_data_ptr<float>();
  float* out = values.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const float scale = scale_of_word(backing, static_cast<std::uint64_t>(i));
    const std::uint32_t word = stored_word(format, in[i], scale);
    switch (words.element_size()) {
      case 1:
        words.mutable_data_ptr<std::uint8_t>()[i] = static_cast<std::uint8_t>(word);
        break;
      case 2:
        words.mutable_data_ptr<std::int16_t>()[i] = static_cast<std::int16_t>(word);
        break;
      default:
        words.mutable_data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(word);
    }
    out[i] = stored_value(format, word, scale);
  }
  backing.words = words.to(device);
  backing.values = values.to(device, whole.scalar_type());
}

std::shared_ptr<const Kernel> storing_kernel(std::shared_ptr<const Kernel> inner,
                                             const NumberFormat& format) {
  return std::make_shared<StoringKernel>(std::move(inner), format);
}

}  // namespace tilestrike::dnn
