// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/differential/element_lists.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_strided.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <limits>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

constexpr int kNumbers = 256;  // of an int8 element

/// Of which there are lists.
bool is_plain(const Tape& golden, ValueId id) {
  return id.value >= 0 && Elements::suit(golden.values[static_cast<std::size_t>(id.value)]);
}

bool is_int8(const Tape& golden, ValueId id) {
  return is_plain(golden, id) && golden.tensor(id).scalar_type() == c10::kChar;
}

std::int32_t entry(const ElementTable& table, std::int32_t element) {
  return table[static_cast<std::size_t>(element + kNumbers / 2)];
}

/// Lists whose cost is that of their length beside `elements` that the dense layer computes.
class ElementLists : public ListKernel {
 public:
  ElementLists(std::int64_t elements, double cost_of_change)
      : cost_of_change_(cost_of_change / static_cast<double>(std::max<std::int64_t>(elements, 1))) {
  }
  double cost(const ListRun& run) const override {
    double changes = 0.0;
    for (const Changes* input : run.inputs) {
      changes += input == nullptr ? 0.0 : static_cast<double>(input->size());
    }
    return changes * cost_of_change_;
  }

 private:
  double cost_of_change_;
};

class AdditionLists final : public ElementLists {
 public:
  AdditionLists(const ScaledAddition& ratios, Clamp clamp, ValueId a, ValueId b,
                std::int64_t elements)
      : ElementLists(elements, 2.0), ratios_(ratios), clamp_(clamp), a_(a), b_(b) {}

  void run(ListRun& run) const override {
    const auto* a = run.golden_of<std::int8_t>(a_);
    const auto* b = run.golden_of<std::int8_t>(b_);
    const auto* golden = run.golden_of<std::int8_t>(run.layer.outputs.front());
    const Changes* changed_a = run.input_of(a_);
    const Changes* changed_b = run.input_of(b_);
    const auto add = [&](std::uint32_t index, std::int32_t x, std::int32_t y) {
      const std::int32_t sum =
          ratios_.scaled(static_cast<std::int8_t>(x), static_cast<std::int8_t>(y));
      run.give(index, clamped(sum, clamp_.low, clamp_.high), golden);
    };
    if (a_ == b_) {
      each(changed_a, [&](const Change& change) { add(change.index, change.now, change.now); });
      return;
    }
    if (changed_a == nullptr || changed_b == nullptr) {
      each(changed_a,
           [&](const Change& change) { add(change.index, change.now, b[change.index]); });
      each(changed_b,
           [&](const Change& change) { add(change.index, a[change.index], change.now); });
      return;
    }
    std::int32_t* marks =
        run.scratch.input_marks(static_cast<std::size_t>(run.golden.tensor(a_).numel()));
    for (std::size_t i = 0; i < changed_b->size(); ++i) {
      marks[(*changed_b)[i].index] = static_cast<std::int32_t>(i);
    }
    for (const Change& change : *changed_a) {
      std::int32_t& mark = marks[change.index];
      add(change.index, change.now,
          mark < 0 ? b[change.index] : (*changed_b)[static_cast<std::size_t>(mark)].now);
      mark = -1;
    }
    for (const Change& change : *changed_b) {
      if (marks[change.index] >= 0) {
        marks[change.index] = -1;
        add(change.index, a[change.index], change.now);
      }
    }
  }

 private:
  template <class Visit>
  static void each(const Changes* changes, const Visit& visit) {
    if (changes != nullptr) {
      std::ranges::for_each(*changes, visit);
    }
  }

  ScaledAddition ratios_;
  Clamp clamp_;
  ValueId a_, b_;
};

class TableLists final : public ElementLists {
 public:
  TableLists(ElementTable table, ValueId input, std::int64_t elements)
      : ElementLists(elements, 2.0), table_(std::move(table)), input_(input) {}

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    const Elements golden(run.golden.row_major(run.layer.outputs.front()));
    for (const Change& change : *changes) {
      const std::int32_t now = entry(table_, change.now);
      if (now != golden.at(change.index)) {
        run.outputs.front().push_back({change.index, now});
      }
    }
  }

 private:
  ElementTable table_;
  ValueId input_;
};

class ConcatenationLists final : public ElementLists {
 public:
  struct Part {
    ValueId id;
    ElementTable table;
    std::int64_t inner = 0, first = 0;  // elements of one outer index, and where they begin
  };
  ConcatenationLists(std::vector<Part> parts, std::int64_t inner, std::int64_t elements)
      : ElementLists(elements, 2.0), parts_(std::move(parts)), inner_(inner) {}

  void run(ListRun& run) const override {
    const auto* golden = run.golden_of<std::int8_t>(run.layer.outputs.front());
    for (const Part& part : parts_) {
      const Changes* changes = run.input_of(part.id);
      if (changes == nullptr) {
        continue;
      }
      for (const Change& change : *changes) {
        const std::int64_t index =
            change.index / part.inner * inner_ + part.first + change.index % part.inner;
        const std::int32_t now = part.table.empty() ? change.now : entry(part.table, change.now);
        if (now != golden[index]) {
          run.outputs.front().push_back({static_cast<std::uint32_t>(index), now});
        }
      }
    }
  }

 private:
  std::vector<Part> parts_;
  std::int64_t inner_;
};

/// Where each element of an input goes: to none, one or several of an output's elements.
struct Places {
  bool is_row_major = false;              // as in the input, all of them
  std::vector<std::uint32_t> first, all;  // by element, and where its places end
};

class MoveLists final : public ElementLists {
 public:
  /// `table`: what becomes of an element on its way; empty: it stays.
  MoveLists(ValueId input, std::int64_t elements, std::vector<Places> places, ElementTable table)
      : ElementLists(elements, 2.0),
        input_(input),
        places_(std::move(places)),
        table_(std::move(table)) {}

  void run(ListRun& run) const override {
    const Changes* changes = run.input_of(input_);
    if (changes == nullptr) {
      return;
    }
    for (std::size_t output = 0; output < places_.size(); ++output) {
      const Places& places = places_[output];
      if (places.is_row_major && table_.empty()) {
        run.outputs[output] = *changes;
        continue;
      }
      const Elements golden(run.golden.row_major(run.layer.outputs[output]));
      for (const Change& change : *changes) {
        const std::int32_t now = table_.empty() ? change.now : entry(table_, change.now);
        const auto give = [&](std::uint32_t place) {
          if (now != golden.at(place)) {
            run.outputs[output].push_back({place, now});
          }
        };
        if (places.is_row_major) {
          give(change.index);
          continue;
        }
        for (std::uint32_t i = places.first[change.index]; i < places.first[change.index + 1];
             ++i) {
          give(places.all[i]);
        }
      }
    }
  }

 private:
  ValueId input_;
  std::vector<Places> places_;  // by output
  ElementTable table_;
};

/// What an operator did to numbers that count up from `offset`, and to some that count down to it.
/// Nothing: it does not only move them.
std::optional<Places> places_of(const at::Tensor& up, const at::Tensor& down, std::int32_t offset,
                                std::int64_t count) {
  const at::Tensor one = up.to(c10::kInt).contiguous(), other = down.to(c10::kInt).contiguous();
  const auto* to = one.const_data_ptr<std::int32_t>();
  const auto* back = other.const_data_ptr<std::int32_t>();
  const std::int64_t outputs = one.numel();
  Places places;
  places.is_row_major = outputs == count;
  places.first.assign(static_cast<std::size_t>(count) + 1, 0);
  for (std::int64_t k = 0; k < outputs; ++k) {
    const std::int64_t from = std::int64_t{to[k]} - offset;
    const bool is_moved = from >= 0 && from < count;
    if (is_moved ? std::int64_t{back[k]} - offset != count - 1 - from : back[k] != to[k]) {
      return std::nullopt;
    }
    places.is_row_major = places.is_row_major && from == k;
    if (is_moved) {
      ++places.first[static_cast<std::size_t>(from) + 1];
    }
  }
  if (places.is_row_major) {
    places.first.clear();
    return places;
  }
  for (std::size_t k = 1; k < places.first.size(); ++k) {
    places.first[k] += places.first[k - 1];
  }
  places.all.resize(places.first.back());
  std::vector<std::uint32_t> next(places.first.begin(), places.first.end() - 1);
  for (std::int64_t k = 0; k < outputs; ++k) {
    const std::int64_t from = std::int64_t{to[k]} - offset;
    if (from >= 0 && from < count) {
      places.all[next[static_cast<std::size_t>(from)]++] = static_cast<std::uint32_t>(k);
    }
  }
  return places;
}

/// What the layer makes of `operand` in the place of its one int8 input.
std::vector<at::Tensor> outputs_for(const Layer& layer, const Tape& golden, ValueId input,
                                    const at::Tensor& operand) {
  Values values(golden.values.size());
  for (const ValueId id : layer.inputs) {
    values[static_cast<std::size_t>(id.value)] = golden.values[static_cast<std::size_t>(id.value)];
  }
  values[static_cast<std::size_t>(input.value)] = operand;
  layer.kernel->run(layer, values);
  std::vector<at::Tensor> outputs;
  for (const ValueId id : layer.outputs) {
    outputs.push_back(values[static_cast<std::size_t>(id.value)].toTensor());
  }
  return outputs;
}

/// Constant numbers aside. -1: there is none, or several.
ValueId only_tensor_input(const Layer& layer, const Network& network, const Tape& golden) {
  ValueId found(-1);
  for (const ValueId id : layer.inputs) {
    const c10::IValue& value = golden.values[static_cast<std::size_t>(id.value)];
    const bool is_number =
        network.info(id).is_constant && value.isTensor() && value.toTensor().dim() == 0;
    if (value.isTensor() && !is_number) {
      if (found.value >= 0) {
        return ValueId(-1);
      }
      found = id;
    }
  }
  return found;
}

/// What the layer makes of each int8 number, found among many others and alone: a library's vectors
/// and its remainders may round differently, and an operator may move elements. Empty: it depends
/// on where an element stands.
std::optional<ElementTable> table_of(const Layer& layer, const Tape& golden, ValueId input) {
  constexpr int kOrders = 8;  // odd steps through the numbers, so that no two lie in one order
  at::Tensor numbers = at::empty({kOrders * kNumbers}, at::dtype(c10::kChar));
  auto* data = numbers.mutable_data_ptr<std::int8_t>();
  for (int i = 0; i < kOrders * kNumbers; ++i) {
    data[i] = static_cast<std::int8_t>(i * (2 * (i / kNumbers) + 1));
  }
  const at::Tensor many = outputs_for(layer, golden, input, numbers).front().contiguous();
  if (many.numel() != numbers.numel()) {
    return std::nullopt;
  }
  ElementTable table(kNumbers);
  for (int i = 0; i < kNumbers; ++i) {
    const at::Tensor alone = outputs_for(layer, golden, input, numbers.slice(0, i, i + 1)).front();
    table[static_cast<std::size_t>(data[i] + kNumbers / 2)] = Elements(alone).at(0);
  }
  const Elements found(many);
  for (int i = 0; i < kOrders * kNumbers; ++i) {
    if (found.at(i) != entry(table, data[i])) {
      return std::nullopt;
    }
  }
  return table;
}

/// Element numbers in the shape and, where each has memory of its own, with the strides of a
/// tensor: offset, offset +- 1, ...
at::Tensor numbered(const at::Tensor& like, std::int32_t offset, std::int32_t step,
                    c10::ScalarType type) {
  const std::int64_t count = like.numel();
  const at::Tensor row_major =
      at::arange(offset, offset + step * count, step, at::dtype(c10::kInt)).view(like.sizes());
  if (shares_elements(like)) {
    return row_major.to(type);
  }
  at::Tensor numbers = at::empty_strided(like.sizes(), like.strides(), like.options().dtype(type));
  return numbers.copy_(row_major);
}

}  // namespace

std::unique_ptr<ListKernel> make_addition_lists(const ScaledAddition& ratios, Clamp clamp,
                                                const Layer& layer, const Tape& golden) {
  const ValueId a = layer.arguments[0].values.front(), b = layer.arguments[1].values.front();
  if (!is_int8(golden, a) || !is_int8(golden, b) ||
      golden.tensor(a).sizes() != golden.tensor(b).sizes()) {
    return nullptr;
  }
  return std::make_unique<AdditionLists>(ratios, clamp, a, b, golden.tensor(a).numel());
}

std::unique_ptr<ListKernel> make_table_lists(const Layer& layer, const Network& network,
                                             const Tape& golden) {
  const ValueId input = only_tensor_input(layer, network, golden);
  if (layer.outputs.size() != 1 || !is_int8(golden, input) ||
      !is_plain(golden, layer.outputs.front()) ||
      golden.tensor(input).sizes() != golden.tensor(layer.outputs.front()).sizes()) {
    return nullptr;
  }
  try {
    std::optional<ElementTable> table = table_of(layer, golden, input);
    return table ? std::make_unique<TableLists>(std::move(*table), input,
                                                golden.tensor(input).numel())
                 : nullptr;
  } catch (const Failure&) {
    return nullptr;  // it takes no tensor of one dimension
  }
}

std::unique_ptr<ListKernel> make_concatenation_lists(std::int64_t dimension,
                                                     std::vector<ElementTable> tables,
                                                     const Layer& layer, const Tape& golden) {
  const std::vector<ValueId>& ids = layer.arguments.front().values;
  const at::Tensor& output = golden.tensor(layer.outputs.front());
  dimension += dimension < 0 ? output.dim() : 0;
  std::int64_t inner = 1;
  for (std::int64_t i = dimension + 1; i < output.dim(); ++i) {
    inner *= output.size(i);
  }
  std::vector<ConcatenationLists::Part> parts;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const at::Tensor& part = golden.tensor(ids[i]);
    if (!is_int8(golden, ids[i]) || part.dim() != output.dim()) {
      return nullptr;
    }
    const std::int64_t here = part.size(dimension) * inner;
    parts.push_back({ids[i], std::move(tables[i]), here, first});
    first += here;
  }
  return std::make_unique<ConcatenationLists>(std::move(parts), output.size(dimension) * inner,
                                              output.numel());
}

std::unique_ptr<ListKernel> make_move_lists(const Layer& layer, const Network& network,
                                            const Tape& golden) {
  const ValueId input = only_tensor_input(layer, network, golden);
  return make_move_lists(
      layer, network, golden, c10::kInt,
      [&](const at::Tensor& numbers) { return outputs_for(layer, golden, input, numbers); }, {});
}

std::unique_ptr<ListKernel> make_move_lists(const Layer& layer, const Network& network,
                                            const Tape& golden, c10::ScalarType type,
                                            const MoveElements& move, ElementTable table) {
  // Above what an operator pads with, and exact in float32.
  const std::int32_t offset = type == c10::kInt ? 1 << 29 : 1 << 23;
  const ValueId input = only_tensor_input(layer, network, golden);
  const bool is_dropped =
      std::ranges::any_of(layer.outputs, [](ValueId id) { return id.value < 0; });
  if (!is_plain(golden, input) || is_dropped) {
    return nullptr;
  }
  const at::Tensor& like = golden.tensor(input);
  const std::int64_t count = like.numel();
  if (count == 0 || count >= offset) {
    return nullptr;
  }
  std::vector<at::Tensor> up, down;  // twice, so that what computes is told from what moves
  try {
    up = move(numbered(like, offset, 1, type));
    down = move(numbered(like, offset + static_cast<std::int32_t>(count) - 1, -1, type));
  } catch (const Failure&) {
    return nullptr;  // it takes no such numbers
  } catch (const c10::Error&) {
    return nullptr;
  }
  std::vector<Places> places;
  for (std::size_t i = 0; i < up.size(); ++i) {
    if (!is_plain(golden, layer.outputs[i]) || up[i].scalar_type() != type ||
        up[i].sizes() != golden.tensor(layer.outputs[i]).sizes()) {
      return nullptr;
    }
    std::optional<Places> found = places_of(up[i], down[i], offset, count);
    if (!found) {
      return nullptr;
    }
    places.push_back(std::move(*found));
  }
  return std::make_unique<MoveLists>(input, count, std::move(places), std::move(table));
}

}  // namespace tilestrike::dnn
