// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/spiking_workload.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/error.h"
#include "dnn/nir/nir_import.h"
#include "dnn/spiking/encoding.h"
#include "dnn/spiking/spike_counts.h"
#include "dnn/spiking/spiking_network.h"

namespace tilestrike::bridge {
namespace {

constexpr double kWorthWarning = 0.01;  // of all images
constexpr std::int64_t kBatch = 100;

/// Float networks are computed on the CPU, and so is the scan of integer ones.
c10::Device device_of(const NetworkSource& source) {
  return source.device == "auto" ? c10::Device(c10::kCPU) : dnn::device_of(source.device);
}

dnn::SpikingModel float_model(const NetworkSource& source) {
  if (!source.output.empty()) {
    fail(ErrorCode::kInvalidInput, "output: a spiking network has one answer", source.model,
         "leave 'output' out");
  }
  return dnn::import_nir(source.model, source.spiking);
}

}  // namespace

bool is_nir(const std::string& model) { return std::filesystem::path(model).extension() == ".nir"; }

void check_is_nir(const std::string& model) {
  if (!is_nir(model)) {
    fail(ErrorCode::kInvalidInput, "neuromorphic cores take spiking networks alone", model,
         "give a NIR file (NAME.nir with NAME.spiking.yaml), or an accelerator with a mesh");
  }
}

dnn::Network import_spiking(const NetworkSource& source) {
  return dnn::network_of(float_model(source), device_of(source));
}

dnn::IntegerModel model_on_cores(const NetworkSource& source,
                                 const AcceleratorConfig& accelerator) {
  check_is_nir(source.model);
  NetworkSource of_cores = source;
  of_cores.neurons = accelerator.core.format();
  return integer_model(of_cores);
}

dnn::Network integer_network(const dnn::IntegerModel& model, const NetworkSource& source) {
  return dnn::network_of(model, device_of(source));
}

dnn::IntegerModel integer_model(const NetworkSource& source) {
  return dnn::to_integer(float_model(source),
                         {source.neurons.membrane_bits, source.neurons.overflow});
}

std::string settings_hash(const NetworkSource& source) {
  const dnn::SpikingSettings settings = dnn::read_spiking_settings(source.model, source.spiking);
  std::string text = write_fields(dnn::spiking_fields(), settings).json();
  if (const NeuronFormat own; source.neurons.membrane_bits != own.membrane_bits ||
                              source.neurons.overflow != own.overflow) {
    text += fmt::format(" {} {}", source.neurons.membrane_bits,
                        static_cast<int>(source.neurons.overflow));
  }
  return content_hash(text);
}

std::vector<std::string> encoding_notes(const dnn::Network& network, const dnn::Inputs& images) {
  const dnn::SpikingPlaces places = dnn::places_of(network);
  if (!places.is_spiking() || !dnn::encodes_spikes(network.layers[places.first_tick_layer])) {
    return {};
  }
  const at::Tensor& numbers = images.tensors().front();
  const std::int64_t outside = dnn::count_outside_unit(numbers);
  if (outside == 0) {
    return {};
  }
  return {
      fmt::format("{} of {} numbers of the images are outside of 0 to 1, or none; `encode: rate` "
                  "takes them as 0 or 1",
                  outside, numbers.numel())};
}

std::vector<std::string> answer_notes(const dnn::Network& network, const at::Tensor& answers) {
  std::vector<std::string> notes;
  if (!dnn::places_of(network).is_spiking()) {
    return notes;
  }
  const dnn::AnswerCounts counts = dnn::count_answers(answers);
  const auto images = static_cast<double>(counts.images);
  const auto is_much = [&](std::int64_t count) {
    return static_cast<double>(count) > kWorthWarning * images;
  };
  const double percent = 100.0 / images;
  if (is_much(counts.ties)) {
    notes.push_back(
        fmt::format("on {:.1f} % of the images the two largest numbers of the answer "
                    "are equal; the first of them counts",
                    percent * static_cast<double>(counts.ties)));
  }
  if (is_much(counts.silent)) {
    notes.push_back(
        fmt::format("on {:.1f} % of the images the answer is silent: all its numbers "
                    "are 0",
                    percent * static_cast<double>(counts.silent)));
  }
  return notes;
}

std::vector<ImportError> import_errors_of(const NetworkSource& source, const Workload& integer) {
  NetworkSource on_cpu = source;
  on_cpu.device = "cpu";
  const dnn::Network real = import_spiking(on_cpu);
  std::vector<ImportError> errors;
  for (const dnn::SpikeDifference& one :
       dnn::compare_spikes(real, integer.network, integer.inputs, kBatch)) {
    errors.push_back({one.layer, one.places, one.first_spikes, one.second_spikes, one.different});
  }
  return errors;
}

void check_has_no_ticks(const dnn::Network& network, const std::string& model) {
  if (dnn::places_of(network).is_spiking()) {
    fail(ErrorCode::kUnsupported, "a spiking network runs tick by tick, and a mesh has no ticks",
         model, "write `accelerator: none` and strike tensors");
  }
}

}  // namespace tilestrike::bridge
