// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/reference/platform_run.h"

#include <ATen/ops/as_strided.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cstring>
#include <iterator>

#include "base/error.h"
#include "bridge/reference/platform_steps.h"

namespace tilestrike::bridge {
namespace {

using sim::AccessKind;
using sim::PlatformStep;

const at::Tensor& tensor_of(const dnn::Values& values, dnn::ValueId id) {
  return values[static_cast<std::size_t>(id.value)].toTensor();
}

/// A tensor laid out as `like`, of these bytes.
at::Tensor tensor_from(const at::Tensor& like, const void* bytes) {
  const at::Tensor flat = at::empty({like.numel()}, like.options());
  std::memcpy(flat.data_ptr(), bytes, flat.nbytes());
  return at::as_strided(flat, like.sizes(), like.strides());
}

sim::DueAction action_of(OnDue on_due) {
  switch (on_due) {
    case OnDue::kZero:
      return sim::DueAction::kZero;
    case OnDue::kUse:
      return sim::DueAction::kUse;
    case OnDue::kStop:
    case OnDue::kRefetch:
      break;
  }
  return sim::DueAction::kStop;
}

}  // namespace

class PlatformRun::Program final : public sim::PlatformProgram {
 public:
  Program(const dnn::Network& network, const Mapping& mapping, const dnn::Tape& shapes)
      : steps_(network, mapping, shapes),
        platform_(steps_.memories()),
        network_(network),
        mapping_(mapping),
        work_(mapping.work()),
        shapes_(shapes),
        requantised_(network.layers.size(), 0) {}

  sim::Platform& platform() { return platform_; }
  const PlatformSteps& steps() const { return steps_; }
  void boot();
  PlatformInference infer(const dnn::Tape& golden, Cycle start, Cycle last);

  std::span<const PlatformStep> next() override;
  sim::DueAction on_detected(const PlatformStep& step, const sim::CodewordFinding& finding,
                             sim::DueAction usual) override;

 private:
  std::size_t first_at(Cycle cycle) const;  // of the steps
  bool refetch(const PlatformStep& step, sim::CodewordId codeword);
  void act(const HostAction& action);
  void begin(std::size_t layer, int pass);
  void requantise(std::size_t layer, Cycle now);
  void compute(std::size_t layer);

  PlatformSteps steps_;
  sim::Platform platform_;
  const dnn::Network& network_;
  const Mapping& mapping_;
  const NetworkWork& work_;
  const dnn::Tape& shapes_;
  std::vector<std::size_t> requantised_;  // rows of results, by layer
  std::size_t done_ = 0, acted_ = 0;
  std::size_t end_ = 0;                // of the steps of this inference
  const dnn::Tape* golden_ = nullptr;  // of the inference at hand
  PlatformInference* result_ = nullptr;
};

void PlatformRun::Program::act(const HostAction& action) {
  sim::StreamedMesh* const mesh = steps_.layers()[action.layer].mesh.get();
  switch (action.kind) {
    case HostAction::Kind::kRestart:
      mesh->restart();
      return;
    case HostAction::Kind::kAdvance:
      mesh->advance();
      return;
    case HostAction::Kind::kBegin:
      begin(action.layer, action.pass);
      return;
    case HostAction::Kind::kRequantise:
      requantise(action.layer, action.cycle);
      return;
    case HostAction::Kind::kCompute:
      compute(action.layer);
      return;
  }
}

// Padding enters the mesh at its edge, and the bias with the first depth fold.
void PlatformRun::Program::begin(std::size_t layer, int pass) {
  LayerTraffic& traffic = steps_.layers()[layer];
  const Tiling& tiling = *steps_.scheduled(layer).tiling;
  const Tile tile = tiling.tile(pass);
  traffic.mesh->begin_pass(pass);
  for (std::int8_t* const lane : traffic.padding[static_cast<std::size_t>(pass)]) {
    *lane = tiling.gemm().padding_value;
  }
  const at::Tensor& bias = dnn::matrix_kernel(network_.layers[layer])->parameters().bias;
  if (!bias.defined() || tile.depth > 0) {
    return;
  }
  const auto* const words = bias.const_data_ptr<std::int32_t>();
  for (std::int64_t row = 0; row < tile.shape.rows; ++row) {
    std::copy_n(words + tile.group * tiling.gemm().columns + tile.column, tile.shape.columns,
                traffic.mesh->accumulators(pass, row));
  }
}

// All rows that have been read by now, as if each were alone: no result depends on another.
void PlatformRun::Program::requantise(std::size_t layer, Cycle now) {
  LayerTraffic& traffic = steps_.layers()[layer];
  const GemmShape& gemm = steps_.scheduled(layer).tiling->gemm();
  const std::size_t first = requantised_[layer];
  std::size_t end = first;
  while (end < traffic.rows.size() && traffic.rows[end].read < now) {
    ++end;
  }
  requantised_[layer] = end;
  if (end == first) {
    return;
  }
  const auto count = static_cast<std::int64_t>(end - first);
  const std::int64_t channels = gemm.groups * gemm.columns;
  const bool is_convolution = gemm.is_convolution;
  at::Tensor sums = is_convolution ? at::zeros({1, channels, count, 1}, c10::kInt)
                                   : at::zeros({count, channels}, c10::kInt);
  auto* const words = sums.data_ptr<std::int32_t>();
  const auto place = [&](std::int64_t n, std::int64_t channel) {
    return is_convolution ? channel * count + n : n * channels + channel;
  };
  for (std::int64_t n = 0; n < count; ++n) {
    const ResultRow& row = traffic.rows[first + static_cast<std::size_t>(n)];
    for (std::int64_t c = 0; c < row.columns; ++c) {
      words[place(n, row.group * gemm.columns + row.column + c)] = row.sums[c];
    }
  }
  const dnn::MatrixKernel& kernel = *dnn::matrix_kernel(network_.layers[layer]);
  const at::Tensor out = kernel.requantise(sums).contiguous();
  const auto size = static_cast<std::int64_t>(out.element_size());
  const auto* const bytes = static_cast<const std::uint8_t*>(out.const_data_ptr());
  auto* const kept = result_->accumulators[layer].data_ptr<std::int32_t>();
  for (std::int64_t n = 0; n < count; ++n) {
    const ResultRow& row = traffic.rows[first + static_cast<std::size_t>(n)];
    for (std::int64_t c = 0; c < row.columns; ++c) {
      const std::int64_t index = gemm.output_index(row.group, row.row, row.column + c);
      kept[index] = row.sums[c];
      std::memcpy(&traffic.outputs[0][static_cast<std::size_t>(index * size)],
                  bytes + place(n, row.group * gemm.columns + row.column + c) * size,
                  static_cast<std::size_t>(size));
    }
  }
}

// The operator itself, on what was read.
void PlatformRun::Program::compute(std::size_t layer) {
  LayerTraffic& traffic = steps_.layers()[layer];
  const dnn::Layer& operation = network_.layers[layer];
  dnn::Values values = network_.constants;
  std::size_t k = 0;
  for (const dnn::ValueId id : operation.inputs) {
    const c10::IValue& known = golden_->values[static_cast<std::size_t>(id.value)];
    c10::IValue& value = values[static_cast<std::size_t>(id.value)];
    if (network_.info(id).is_constant) {
      continue;
    }
    value = known;
    if (!known.isTensor()) {
      continue;
    }
    if (work_.layers[layer].operands[k].tensor >= 0) {
      value = tensor_from(known.toTensor(), traffic.operands[k].data());
    }
    ++k;
  }
  operation.kernel->run(operation, values);
  std::size_t o = 0;
  for (const dnn::ValueId id : operation.outputs) {
    if (id.value < 0 || work_.tensor_of[static_cast<std::size_t>(id.value)] < 0) {
      continue;
    }
    const at::Tensor made = tensor_of(values, id).contiguous();
    std::memcpy(traffic.outputs[o].data(), made.const_data_ptr(), made.nbytes());
    result_->computed[static_cast<std::size_t>(id.value)] = made;
    ++o;
  }
}

std::span<const PlatformStep> PlatformRun::Program::next() {
  const std::vector<PlatformStep>& steps = steps_.steps();
  const std::vector<HostAction>& actions = steps_.actions();
  while (acted_ < actions.size() &&
         (done_ == end_ || actions[acted_].cycle <= steps[done_].cycle)) {
    act(actions[acted_++]);
  }
  const std::size_t first = done_;
  done_ = std::min(end_, acted_ == actions.size() ? steps.size() : first_at(actions[acted_].cycle));
  return std::span(steps).subspan(first, done_ - first);
}

std::size_t PlatformRun::Program::first_at(Cycle cycle) const {
  const std::vector<PlatformStep>& steps = steps_.steps();
  const auto found =
      std::lower_bound(steps.begin(), steps.end(), cycle,
                       [](const PlatformStep& step, Cycle at) { return step.cycle < at; });
  return static_cast<std::size_t>(found - steps.begin());
}

sim::DueAction PlatformRun::Program::on_detected(const PlatformStep& step,
                                                 const sim::CodewordFinding& finding,
                                                 sim::DueAction usual) {
  if (mapping_.accelerator().on_due != OnDue::kRefetch) {
    return usual;
  }
  return !step.is_write() && step.memory != steps_.backing() && refetch(step, finding.codeword)
             ? sim::DueAction::kUse
             : sim::DueAction::kStop;
}

// From where the last load of the codeword has come from, if that can be read. What the mesh has
// computed has no copy.
bool PlatformRun::Program::refetch(const PlatformStep& step, sim::CodewordId codeword) {
  const auto word =
      static_cast<std::uint64_t>(steps_.word_of(static_cast<std::size_t>(step.memory)));
  const std::uint64_t address = codeword.value * word;
  const auto holds = [&](const PlatformStep& other) {
    return other.kind == AccessKind::kWrite && other.memory == step.memory &&
           other.address == address;
  };
  const std::vector<PlatformStep>* list = &steps_.steps();
  const auto before = static_cast<std::ptrdiff_t>(list->size() - first_at(step.cycle));
  const auto last = std::find_if(list->rbegin() + before, list->rend(), holds);
  const PlatformStep* write = last == list->rend() ? nullptr : &*last;
  if (write == nullptr) {
    list = &steps_.at_boot();
    const auto booted = std::find_if(list->begin(), list->end(), holds);
    write = booted == list->end() ? nullptr : &*booted;
  }
  std::vector<std::uint8_t> again(word);
  std::vector<sim::CodewordFinding> findings;
  bool is_loaded = false;
  for (std::size_t i = 0; write != nullptr && i < list->size(); ++i) {
    const PlatformStep& source = (*list)[i];
    if (source.kind == AccessKind::kRead && source.memory == steps_.backing() &&
        source.data >= write->data && source.data < write->data + word) {
      platform_.array(steps_.backing())
          .read_bytes(source.address,
                      {&again[static_cast<std::size_t>(source.data - write->data)],
                       static_cast<std::size_t>(source.bytes)},
                      findings);
      is_loaded = true;
    }
  }
  const bool is_clean = std::none_of(findings.begin(), findings.end(), [](const auto& one) {
    return one.status == sim::EccStatus::kDetected;
  });
  if (!is_loaded || !is_clean) {
    return false;
  }
  platform_.array(step.memory).write_bytes(address, again, findings);
  const std::uint64_t end = std::min(address + word, step.address + step.bytes);
  for (std::uint64_t byte = std::max(address, step.address); byte < end; ++byte) {
    step.data[byte - step.address] = again[byte - address];
  }
  return true;
}

void PlatformRun::Program::boot() {
  platform_.clear();
  std::vector<sim::CodewordFinding> none;
  for (std::size_t i = 0; i < network_.layers.size(); ++i) {
    const int tensor = work_.weights_of[i];
    if (tensor >= 0) {
      const at::Tensor weights =
          on_host(dnn::matrix_kernel(network_.layers[i])->parameters().weight);
      platform_.array(steps_.backing())
          .write_bytes(
              static_cast<std::uint64_t>(steps_.backing_address(tensor)),
              {static_cast<const std::uint8_t*>(weights.const_data_ptr()), weights.nbytes()}, none);
    }
  }
  for (const PlatformStep& step : steps_.at_boot()) {
    sim::MemoryArray& array = platform_.array(step.memory);
    const std::span<std::uint8_t> data(step.data, static_cast<std::size_t>(step.bytes));
    if (step.is_write()) {
      array.write_bytes(step.address, data, none);
    } else {
      array.read_bytes(step.address, data, none);
    }
  }
}

PlatformInference PlatformRun::Program::infer(const dnn::Tape& golden, Cycle start, Cycle last) {
  const c10::InferenceMode no_gradients;
  PlatformInference result;
  result.computed.resize(network_.values.size());
  result.accumulators.resize(network_.layers.size());
  golden_ = &golden;
  result_ = &result;
  done_ = 0;
  acted_ = 0;
  end_ = last >= steps_.steps().back().cycle ? steps_.steps().size() : first_at(last + 1);
  std::fill(requantised_.begin(), requantised_.end(), 0);
  for (std::size_t i = 0; i < network_.inputs.size(); ++i) {
    if (steps_.inputs()[i] != nullptr) {
      const at::Tensor input = on_host(tensor_of(golden.values, network_.inputs[i]));
      std::memcpy(steps_.inputs()[i], input.const_data_ptr(), input.nbytes());
    }
  }
  std::vector<LayerTraffic>& layers = steps_.layers();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].mesh != nullptr) {
      result.accumulators[i] = at::zeros(shapes_.accumulators[i].sizes(), c10::kInt);
    }
  }
  result.report = platform_.run(*this, action_of(mapping_.accelerator().on_due), start);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i].mesh != nullptr) {
      const dnn::ValueId output = network_.layers[i].outputs.front();
      result.computed[static_cast<std::size_t>(output.value)] =
          tensor_from(tensor_of(golden.values, output), layers[i].outputs[0].data());
    }
  }
  if (!result.report.is_stopped && end_ == steps_.steps().size()) {
    result.answer = tensor_from(tensor_of(golden.values, network_.output), steps_.answer());
  }
  return result;
}

PlatformRun::PlatformRun(const dnn::Network& network, const Mapping& mapping,
                         const dnn::Tape& shapes)
    : program_(std::make_unique<Program>(network, mapping, shapes)) {}
PlatformRun::~PlatformRun() = default;

sim::Platform& PlatformRun::platform() { return program_->platform(); }
std::int32_t PlatformRun::backing() const { return program_->steps().backing(); }
void PlatformRun::boot() { program_->boot(); }
PlatformInference PlatformRun::infer(const dnn::Tape& golden, Cycle start, Cycle last) {
  return program_->infer(golden, start, last);
}
std::span<const PlatformStep> PlatformRun::accesses() const { return program_->steps().steps(); }

}  // namespace tilestrike::bridge
