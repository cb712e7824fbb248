// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/backing_copies.h"

#include <algorithm>

#include "bridge/exposure/load_order.h"
#include "bridge/exposure/memory_contents.h"
#include "bridge/exposure/run_values.h"
#include "bridge/exposure/struck_contents.h"

namespace tilestrike::bridge {
namespace {

/// Nothing where the accelerator has no such memory.
Region backing_region(const Placement& placement) {
  const auto memory = placement.memory_of(sim::MemoryContent::kBacking);
  return memory ? Region{*memory, 0, placement.accelerator().memory[*memory].second.capacity_bytes}
                : Region{};
}

}  // namespace

BackingCopies::BackingCopies(const Schedule& schedule, std::vector<const OperandCopies*> on_chip)
    : Copies(schedule, sim::MemoryContent::kBacking,
             backing_region(schedule.memory()->placement())),
      on_chip_(std::move(on_chip)),
      producers_(placement().tensors().size()) {
  for (std::size_t i = 0; i < memory().work().size(); ++i) {
    const std::vector<int>& outputs = memory().work()[i].outputs;
    for (std::size_t output = 0; output < outputs.size(); ++output) {
      producers_[static_cast<std::size_t>(outputs[output])] = {i, output, false};
    }
  }
}

const OperandCopies& BackingCopies::loaded_to(std::size_t layer, std::size_t operand) const {
  return **std::ranges::find_if(
      on_chip_, [&](const OperandCopies* copies) { return copies->hold(layer, operand); });
}

std::int64_t BackingCopies::last_byte(const Occupant& occupant) const {
  const std::int64_t word = placement().codeword_bytes(region().memory);
  return std::min((occupant.offset / word + 1) * word, tensor(occupant.index).bytes()) - 1;
}

Occupant BackingCopies::at(std::int64_t address, Cycle cycle) const {
  const std::vector<StoredTensor>& tensors = placement().tensors();
  if (tensors.empty()) {
    return {};
  }
  std::size_t low = 0;
  std::size_t high = tensors.size();
  while (low + 1 < high) {
    const std::size_t middle = (low + high) / 2;
    (placement().tensor_base(static_cast<int>(middle)) <= address ? low : high) = middle;
  }
  Occupant found{this,
                 true,
                 Occupant::kNoLayer,
                 static_cast<std::int64_t>(low),
                 address - placement().tensor_base(static_cast<int>(low)),
                 kBoot};
  if (found.offset >= tensors[low].bytes()) {
    return {};
  }
  found.written = written(found);
  return found.written <= cycle ? found : left_over();
}

// Written once in an inference, or at boot.
std::vector<Occupant> BackingCopies::all_in(std::int64_t address) const {
  const Occupant found = at(address, schedule().cycles_per_inference());
  return found.is_nothing() ? std::vector<Occupant>() : std::vector<Occupant>{found};
}

void BackingCopies::for_each_place(const StoredElement& element, const LoadOrder& /*order*/,
                                   const VisitPlace& visit) const {
  if (region().bytes > 0) {
    visit(placement().tensor_base(element.tensor) +
              element.element * tensor(element.tensor).element_bytes,
          Occupant::kNoLayer, element.tensor);
  }
}

void BackingCopies::add_spans(int answer, std::vector<ContentSpan>& spans) const {
  if (region().bytes == 0) {
    return;
  }
  const std::vector<StoredTensor>& tensors = placement().tensors();
  std::vector<ContentSpan> all(tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    all[i] = {placement().tensor_base(static_cast<int>(i)),
              tensors[i].bytes(),
              0,
              0,
              role(),
              0,
              tensors[i].name};
    // Constants stay for the inferences to come.
    all[i].until = tensors[i].is_constant ? schedule().cycles_per_inference() : 0;
    all[i].is_fetched = !tensors[i].is_constant;
  }
  if (answer >= 0) {
    all[static_cast<std::size_t>(answer)].until = memory().answer_read();
  }
  for (std::size_t layer = 0; layer < memory().work().size(); ++layer) {
    const LayerWork& work = memory().work()[layer];
    for (const int output : work.outputs) {
      ContentSpan& span = all[static_cast<std::size_t>(output)];
      span.from = schedule().layers()[layer].tiling == nullptr
                      ? memory().vector_result(layer, 0)
                      : memory().mesh_result(layer, 0, 0, 1);
      span.layer = layer;
    }
    // What a layer reads must lie here until its last byte was fetched.
    for (std::size_t operand = 0; operand < work.operands.size(); ++operand) {
      const std::optional<Cycle> fetched = loaded_to(layer, operand).last_fetched(layer);
      if (work.operands[operand].tensor >= 0 && fetched) {
        ContentSpan& span = all[static_cast<std::size_t>(work.operands[operand].tensor)];
        span.until = std::max(span.until, *fetched);
        span.is_fetched = true;
      }
    }
  }
  std::ranges::move(all, std::back_inserter(spans));
}

CopyByte BackingCopies::byte(std::size_t /*layer*/, std::int64_t index, std::int64_t offset) const {
  const int bytes = tensor(index).element_bytes;
  return offset >= tensor(index).bytes()
             ? CopyByte{}
             : CopyByte{0, offset / bytes, static_cast<int>(offset % bytes)};
}

StoredElement BackingCopies::stored(const Occupant& occupant, const CopyByte& byte,
                                    const LoadOrder& /*order*/) const {
  return {static_cast<int>(occupant.index), byte.element};
}

sim::BitString BackingCopies::data(const Occupant& occupant, const RunValues& values,
                                   Cycle /*cycle*/) const {
  const at::Tensor now = values.stored(static_cast<int>(occupant.index));
  const auto* bytes = static_cast<const std::uint8_t*>(now.const_data_ptr());
  sim::BitString data;
  for (std::int64_t byte = occupant.offset; byte <= last_byte(occupant); ++byte) {
    data.set_field(static_cast<int>(8 * (byte - occupant.offset)), 8, bytes[byte]);
  }
  return data;
}

void BackingCopies::add_reads(const Occupant& occupant, const CopyByte& byte,
                              const LoadOrder& order, std::vector<Cycle>& cycles) const {
  for (std::size_t layer = 0; layer < memory().work().size(); ++layer) {
    const std::vector<StoredOperand>& operands = memory().work()[layer].operands;
    for (std::size_t operand = 0; operand < operands.size(); ++operand) {
      if (operands[operand].tensor != occupant.index) {
        continue;
      }
      const OperandCopies& copies = loaded_to(layer, operand);
      for (const std::int64_t element : order.loaded(layer, operand, byte.element)) {
        copies.for_each_with(layer, operand, element, [&](std::int64_t copy, std::int64_t offset) {
          if (const auto fetched = copies.fetched(layer, copy, offset + byte.byte)) {
            cycles.push_back(*fetched);
          }
        });
      }
    }
  }
}

void BackingCopies::add_to(StruckContents& contents, StruckContent content) const {
  contents.backing.push_back(std::move(content));
  contents.last_layer = contents.on_chip.size() - 1;
}

std::string BackingCopies::text(const Occupant& occupant, std::string_view /*layer*/) const {
  return "a backing copy of " + tensor(occupant.index).name;
}

Cycle BackingCopies::written(const Occupant& occupant) const {
  const StoredTensor& stored = tensor(occupant.index);
  if (stored.is_constant) {
    return kBoot;
  }
  const Producer& producer = producers_[static_cast<std::size_t>(occupant.index)];
  if (producer.is_input) {
    return 0;
  }
  const std::int64_t last = last_byte(occupant);
  if (schedule().layers()[producer.layer].tiling == nullptr) {
    return memory().vector_result(producer.layer, last);
  }
  const std::int64_t word = placement().codeword_bytes(region().memory);
  Cycle written = 0;
  for (std::int64_t element = occupant.offset / word * word / stored.element_bytes;
       element <= last / stored.element_bytes; ++element) {
    written = std::max(written, result_arrives(producer.layer, producer.output, element));
  }
  return written;
}

Cycle BackingCopies::result_arrives(std::size_t index, std::size_t output,
                                    std::int64_t element) const {
  const Tiling& tiling = *schedule().layers()[index].tiling;
  const auto [group, row, column] = tiling.gemm().output_place(element);
  const std::int64_t fold = column / tiling.column_step();
  const std::int64_t block =
      (group * tiling.column_folds() + fold) * tiling.row_folds() + row / tiling.row_step();
  const Tile tile = tiling.tile(static_cast<int>(block * tiling.depth_folds()));
  const Cycle pitch = memory().result_pitch(
      tile.shape.columns, tensor(memory().work()[index].outputs[output]).element_bytes);
  return memory().mesh_result(index, block, row - tile.row, pitch);
}

}  // namespace tilestrike::bridge
