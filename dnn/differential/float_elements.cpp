// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/float_elements.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "dnn/count_different.h"

namespace tilestrike::dnn {
namespace {

/// An operand of every output element: its own element, or one that several share.
struct Operand {
  struct Dimension {
    std::int64_t size, out_stride, stride;
  };
  ValueId id{-1};
  bool is_same_shape = true;
  std::vector<Dimension> shared;  // where it is not: how to find its element

  std::int64_t place(std::int64_t index) const {
    std::int64_t place = 0;
    for (const Dimension& dimension : shared) {
      place += index / dimension.out_stride % dimension.size * dimension.stride;
    }
    return is_same_shape ? index : place;
  }
};

class FloatElementLists final : public ListKernel {
 public:
  FloatElementLists(std::vector<Operand> operands, std::int64_t elements)
      : operands_(std::move(operands)), elements_(elements) {}

  double cost(const ListRun& run) const override {
    double changes = 0.0;
    std::ptrdiff_t others =
        std::ranges::count_if(run.inputs, [](const Changes* input) { return input != nullptr; });
    for (const Operand& operand : operands_) {
      const Changes* its = run.input_of(operand.id);
      const bool is_ambiguous = operands_.size() > 1 && has_nan(its);
      if (its != nullptr && (!operand.is_same_shape || is_ambiguous)) {
        return std::numeric_limits<double>::infinity();
      }
      others -= its == nullptr ? 0 : 1;
      changes += its == nullptr ? 0.0 : static_cast<double>(its->size());
    }
    return others > 0 ? std::numeric_limits<double>::infinity()  // a number that all take
                      : kCostOfChange * changes / static_cast<double>(elements_);
  }

  void run(ListRun& run) const override {
    find_touched(run);
    const std::vector<std::uint32_t>& touched = run.scratch.touched;
    if (touched.empty()) {
      return;
    }
    std::vector<ValueId> ids;
    std::vector<at::Tensor> gathered;
    for (const Operand& operand : operands_) {
      ids.push_back(operand.id);
      gathered.push_back(gather(operand, run));
    }
    const at::Tensor now = output_for(run.layer, run.golden, ids, gathered).contiguous();
    const auto* golden = run.golden_of<float>(run.layer.outputs.front());
    for (std::size_t i = 0; i < touched.size(); ++i) {
      run.give(touched[i], now.const_data_ptr<float>()[i], golden);
    }
  }

 private:
  static constexpr double kCostOfChange = 12.0;

  void find_touched(ListRun& run) const {
    std::vector<std::uint32_t>& touched = run.scratch.touched;
    std::int32_t* marks = run.scratch.output_marks(static_cast<std::size_t>(elements_));
    touched.clear();
    for (const Operand& operand : operands_) {
      const Changes* changes = run.input_of(operand.id);
      for (std::size_t i = 0; changes != nullptr && i < changes->size(); ++i) {
        const std::uint32_t index = (*changes)[i].index;
        if (marks[index] < 0) {
          marks[index] = static_cast<std::int32_t>(touched.size());
          touched.push_back(index);
        }
      }
    }
    for (const std::uint32_t index : touched) {
      marks[index] = -1;
    }
  }

  /// The operand's elements at the touched places, as this run has them.
  at::Tensor gather(const Operand& operand, const ListRun& run) const {
    const std::vector<std::uint32_t>& touched = run.scratch.touched;
    at::Tensor result =
        at::empty({static_cast<std::int64_t>(touched.size())}, at::dtype(c10::kFloat));
    auto* to = result.mutable_data_ptr<float>();
    const auto* golden = run.golden_of<float>(operand.id);
    for (std::size_t i = 0; i < touched.size(); ++i) {
      to[i] = golden[operand.place(touched[i])];
    }
    const Changes* changes = run.input_of(operand.id);
    if (changes == nullptr) {
      return result;
    }
    if (operands_.size() == 1) {  // touched are its changes, in their order
      for (std::size_t i = 0; i < touched.size(); ++i) {
        to[i] = std::bit_cast<float>((*changes)[i].now);
      }
      return result;
    }
    std::int32_t* marks = run.scratch.output_marks(static_cast<std::size_t>(elements_));
    for (std::size_t i = 0; i < touched.size(); ++i) {
      marks[touched[i]] = static_cast<std::int32_t>(i);
    }
    for (const Change& change : *changes) {
      to[marks[change.index]] = std::bit_cast<float>(change.now);
    }
    for (const std::uint32_t index : touched) {
      marks[index] = -1;
    }
    return result;
  }

  std::vector<Operand> operands_;
  std::int64_t elements_;
};

/// Nothing: the tensor has no element for each of the output's.
std::optional<Operand> operand_of(ValueId id, const at::Tensor& tensor, const at::Tensor& output) {
  Operand operand{id, tensor.sizes() == output.sizes(), {}};
  if (operand.is_same_shape) {
    return operand;
  }
  if (tensor.dim() > output.dim()) {
    return std::nullopt;
  }
  std::int64_t out_stride = 1, stride = 1;
  for (std::int64_t k = 1; k <= tensor.dim(); ++k) {
    const std::int64_t size = tensor.size(-k), out_size = output.size(-k);
    if (size != out_size && size != 1) {
      return std::nullopt;
    }
    if (size > 1) {
      operand.shared.push_back({size, out_stride, stride});
    }
    out_stride *= out_size;
    stride *= size;
  }
  return operand;
}

/// Whether the operator gives an element the same bits among many as among few and alone. NaN of
/// one operand at a time.
bool stands_alone(const Layer& layer, const Tape& golden, const std::vector<Operand>& operands) {
  constexpr std::int64_t kCount = 1031;  // whole vectors of any length, and a rest
  std::vector<ValueId> ids;
  for (const Operand& operand : operands) {
    ids.push_back(operand.id);
  }
  for (std::size_t odd = 0; odd < operands.size(); ++odd) {
    std::vector<at::Tensor> many;
    for (std::size_t i = 0; i < operands.size(); ++i) {
      many.push_back(made_up_numbers(kCount, i + 10 * odd, i == odd));
    }
    const at::Tensor whole = output_for(layer, golden, ids, many);
    if (whole.sizes() != many.front().sizes() || whole.scalar_type() != c10::kFloat) {
      return false;
    }
    std::int64_t count = 1;
    for (std::int64_t first = 0; first + count <= kCount; first += count, count = count % 37 + 1) {
      std::vector<at::Tensor> few;
      for (const at::Tensor& tensor : many) {
        few.push_back(tensor.narrow(0, first, count).clone());
      }
      if (count_different(output_for(layer, golden, ids, few), whole.narrow(0, first, count)) !=
          0) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace

at::Tensor made_up_numbers(std::int64_t count, std::uint64_t seed, bool with_nan) {
  constexpr std::uint32_t kSpecial[] = {0x7f800000, 0xff800000, 0x80000000, 0x00000000,
                                        0x00000001, 0x807fffff, 0x7f7fffff, 0xff000000,
                                        0x7fc00000, 0xffc00001, 0x7fa12345};
  const std::size_t specials = std::size(kSpecial) - (with_nan ? 0 : 3);
  RandomStream random(seed, 0, Purpose::kOperand);
  at::Tensor numbers = at::empty({count}, at::dtype(c10::kFloat));
  auto* data = numbers.mutable_data_ptr<float>();
  for (std::int64_t i = 0; i < count; ++i) {
    const auto kind = random.below(4);
    const auto bits = static_cast<std::uint32_t>(random.next());
    data[i] = kind == 0   ? std::bit_cast<float>(kSpecial[bits % specials])
              : kind == 1 ? static_cast<float>(static_cast<std::int32_t>(bits)) * 0x1p-29F
                          : std::bit_cast<float>(bits);
    if (std::isnan(data[i]) && !with_nan) {
      data[i] = 1.5F;
    }
  }
  return numbers;
}

bool has_nan(const Changes* changes) {
  return changes != nullptr && std::ranges::any_of(*changes, [](const Change& change) {
           return std::isnan(std::bit_cast<float>(change.now));
         });
}

at::Tensor output_for(const Layer& layer, const Tape& golden, std::span<const ValueId> inputs,
                      std::span<const at::Tensor> tensors) {
  Values values(golden.values.size());
  for (const ValueId id : layer.inputs) {
    values[static_cast<std::size_t>(id.value)] = golden.values[static_cast<std::size_t>(id.value)];
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[static_cast<std::size_t>(inputs[i].value)] = tensors[i];
  }
  layer.kernel->run(layer, values);
  return values[static_cast<std::size_t>(layer.outputs.front().value)].toTensor();
}

std::unique_ptr<ListKernel> make_float_element_lists(const Layer& layer, const Tape& golden) {
  const at::Tensor& output = golden.tensor(layer.outputs.front());
  std::vector<Operand> operands;
  for (const ValueId id : layer.inputs) {
    const c10::IValue& value = golden.values[static_cast<std::size_t>(id.value)];
    if (!value.isTensor() || value.toTensor().dim() == 0) {
      continue;  // a number, which is the same for all
    }
    if (!Elements::suit(value) || value.toTensor().scalar_type() != c10::kFloat) {
      return nullptr;
    }
    const auto operand = operand_of(id, value.toTensor(), output);
    if (!operand) {
      return nullptr;
    }
    operands.push_back(*operand);
  }
  const bool has_any = std::ranges::any_of(operands, &Operand::is_same_shape);
  if (!has_any || !stands_alone(layer, golden, operands)) {
    return nullptr;
  }
  return std::make_unique<FloatElementLists>(std::move(operands), output.numel());
}

}  // namespace tilestrike::dnn
