// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// `tilestrike inspect`: the layers of a network, and how they lie on an accelerator.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "bridge/exposure/memory_contents.h"
#include "bridge/study/study.h"
#include "campaigns/cli/commands.h"
#include "campaigns/cli/inspect_cores.h"
#include "campaigns/pictures/contents_picture.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns::cli {
namespace {

struct InspectArguments {
  bridge::NetworkSource source;
  std::vector<std::string> images;
  std::string accelerator;
  std::string format = "float32";
  bool has_tensors = false;
  std::string memories;  // file of a picture
  bool is_json = false;
};

std::string gemm_text(const bridge::LayerSummary& layer) {
  if (!layer.is_on_mesh) {
    return "-";
  }
  return fmt::format("{}{} x {} x {}", layer.groups > 1 ? fmt::format("{} of ", layer.groups) : "",
                     layer.gemm_rows, layer.gemm_depth, layer.gemm_columns);
}

/// The layers that read a tensor, or make it.
std::string readers_text(const TensorStore& store) {
  constexpr std::ptrdiff_t kMostNamed = 4;
  const std::ptrdiff_t count = std::ssize(store.layers);
  if (count < 2) {
    return store.layer;
  }
  const auto end = store.layers.begin() + std::min(count, kMostNamed);
  return fmt::format("{}: {}{}", count, join({store.layers.begin(), end}, ", "),
                     count > kMostNamed ? ", ..." : "");
}

std::string text_of(const bridge::TensorList& tensors) {
  std::vector<std::vector<std::string>> rows{
      {"tensor", "role", "shape", "format", "words", "layers", "note"}};
  std::array<std::int64_t, kTensorRoles> words{};
  for (const TensorStore& store : tensors.stores) {
    rows.push_back({store.name, std::string(name_of(store.role)), store.shape, store.format.name(),
                    std::to_string(store.words), readers_text(store), store.note});
    words[static_cast<std::size_t>(store.role)] += store.words;
  }
  std::string text = table_of(rows) + "\nwords:";
  for (std::size_t role = 0; role < kTensorRoles; ++role) {
    if (static_cast<TensorRole>(role) == TensorRole::kMembrane && words[role] == 0) {
      continue;  // no spiking network
    }
    text += fmt::format("{} {} {}", role == 0 ? "" : ",", kTensorRoleNames[role], words[role]);
  }
  text += " (activations: of one image)\n";
  for (const UnstruckTensor& tensor : tensors.unstruck) {
    text += fmt::format("not to be struck: {}, {} {} words, {}\n", tensor.name, tensor.words,
                        tensor.type, tensor.why);
  }
  return text;
}

nlohmann::ordered_json json_of(const bridge::TensorList& tensors) {
  auto json = nlohmann::ordered_json::array();
  for (const TensorStore& store : tensors.stores) {
    json.push_back({{"name", store.name},
                    {"layer", store.layer},
                    {"role", name_of(store.role)},
                    {"shape", store.shape},
                    {"format", store.format.name()},
                    {"words", store.words},
                    {"layers", store.layers},
                    {"note", store.note}});
    if (store.ticks > 0) {
      json.back()["ticks"] = store.ticks;
    }
  }
  for (const UnstruckTensor& tensor : tensors.unstruck) {
    json.push_back({{"name", tensor.name},
                    {"format", tensor.type},
                    {"words", tensor.words},
                    {"unstruck", tensor.why}});
  }
  return json;
}

std::string text_of(const std::vector<bridge::LayerSummary>& layers,
                    const std::optional<bridge::AcceleratorConfig>& accelerator) {
  std::vector<std::vector<std::string>> rows = {{"layer", "operator", "output"}};
  if (accelerator) {
    for (const char* title : {"numbers", "rows x depth x columns", "passes", "mesh cycles",
                              "other cycles", "SCALE-Sim", "utilisation"}) {
      rows.front().push_back(title);
    }
  }
  rows.front().push_back("note");
  Cycle cycles = 0;
  double own = 0.0, guards = 0.0;  // multiply-accumulates on the mesh
  std::vector<std::string> unmapped;
  for (const bridge::LayerSummary& layer : layers) {
    std::vector<std::string> row = {layer.name, layer.target, layer.shape};
    if (accelerator) {
      const auto mesh_only = [&](std::string text) { return layer.is_on_mesh ? text : "-"; };
      row.push_back(layer.is_integer ? "int8" : "float");
      row.push_back(gemm_text(layer));
      row.push_back(mesh_only(std::to_string(layer.passes)));
      row.push_back(mesh_only(std::to_string(layer.mesh_cycles)));
      row.push_back(std::to_string(layer.vector_cycles));
      row.push_back(mesh_only(std::to_string(layer.scale_sim_cycles)));
      row.push_back(mesh_only(fmt::format("{:.1f} %", 100.0 * layer.utilisation)));
      cycles += layer.mesh_cycles + layer.vector_cycles;
      own += layer.multiply_accumulates();
      guards += layer.guard_overhead * layer.multiply_accumulates();
      if (!layer.is_on_mesh) {
        unmapped.push_back(layer.name);
      }
    }
    row.push_back(layer.note);
    rows.push_back(std::move(row));
  }
  std::string text = table_of(rows);
  if (accelerator) {
    text += fmt::format(
        "\n{}: {} x {} mesh, {}; {} cycles in mesh and vector unit\n", accelerator->name,
        accelerator->mesh.rows, accelerator->mesh.columns,
        accelerator->mesh.is_weight_stationary() ? "weight-stationary" : "output-stationary",
        cycles);
    if (guards > 0.0) {
      text +=
          fmt::format("the guard takes {:.1f} % more multiply-accumulates\n", 100.0 * guards / own);
    }
    text += "not on the mesh: " + (unmapped.empty() ? "nothing" : join(unmapped, ", ")) + "\n";
  }
  return text;
}

nlohmann::ordered_json json_of(const std::vector<bridge::LayerSummary>& layers) {
  auto json = nlohmann::ordered_json::array();
  for (const bridge::LayerSummary& layer : layers) {
    json.push_back({{"name", layer.name},
                    {"operator", layer.target},
                    {"shape", layer.shape},
                    {"is_integer", layer.is_integer},
                    {"is_on_mesh", layer.is_on_mesh},
                    {"groups", layer.groups},
                    {"gemm_rows", layer.gemm_rows},
                    {"gemm_depth", layer.gemm_depth},
                    {"gemm_columns", layer.gemm_columns},
                    {"passes", layer.passes},
                    {"first_cycle", layer.first_cycle},
                    {"mesh_cycles", layer.mesh_cycles},
                    {"vector_cycles", layer.vector_cycles},
                    {"scale_sim_cycles", layer.scale_sim_cycles},
                    {"utilisation", layer.utilisation},
                    {"guard_overhead", layer.guard_overhead},
                    {"note", layer.note}});
  }
  return json;
}

bridge::NetworkSource source_of(const InspectArguments& arguments) {
  bridge::NetworkSource source = arguments.source;
  source.model = model_path(source.model);
  source.images = files_of_flag(arguments.images);
  source.use = 1;
  return source;
}

int run_on_tensors(const InspectArguments& arguments) {
  if (!arguments.accelerator.empty()) {
    fail(ErrorCode::kInvalidInput, "tensors are listed without an accelerator", "--accelerator",
         "add '--format int8' for the integer network");
  }
  const auto format = NumberFormat::parse(arguments.format);
  if (!format || format->bits > 32 || (*format == NumberFormat::integer(32))) {
    fail(ErrorCode::kInvalidInput, "'" + arguments.format + "' is not a number format", "--format",
         suggestion(arguments.format, number_format_names()));
  }
  const auto tensors = bridge::inspect_tensors(source_of(arguments), *format);
  print(arguments.is_json ? json_of(tensors).dump(2) + "\n" : text_of(tensors));
  return 0;
}

int draw_memories(const InspectArguments& arguments) {
  if (arguments.accelerator.empty() || arguments.has_tensors) {
    fail(ErrorCode::kInvalidInput, "memories are those of an accelerator", "--memories",
         arguments.has_tensors ? "leave out --tensors" : "add '--accelerator NAME'");
  }
  const bridge::AcceleratorConfig accelerator = accelerator_of_flag(arguments.accelerator);
  if (accelerator.has_core) {
    fail(
        ErrorCode::kUnsupported, "what the arrays of cores hold in a cycle depends on the image",
        "--memories",
        "leave it out to see what a network uses of them; `tilestrike locate MODEL --accelerator " +
            accelerator.name + "` says what a cell holds");
  }
  const auto contents = bridge::inspect_memories(source_of(arguments), accelerator);
  draw_contents(contents,
                fmt::format("{} in the memories of {}", arguments.source.model, accelerator.name))
      .write(arguments.memories);
  std::vector<std::vector<std::string>> rows = {{"memory", "capacity", "loads", "live"}};
  auto json = nlohmann::ordered_json::array();
  for (const bridge::MemoryContents& memory : contents.memories) {
    const double live = live_share(memory, contents.period);
    rows.push_back({memory.name, field_detail::bytes_text(memory.capacity_bytes),
                    std::to_string(memory.spans.size()), fmt::format("{:.3g} %", 100.0 * live)});
    json.push_back({{"memory", memory.name},
                    {"capacity", memory.capacity_bytes},
                    {"loads", memory.spans.size()},
                    {"live", live}});
  }
  print(arguments.is_json ? json.dump(2) + "\n" : table_of(rows));
  return 0;
}

int run(const InspectArguments& arguments) {
  if (!arguments.memories.empty()) {
    return draw_memories(arguments);
  }
  if (arguments.has_tensors) {
    return run_on_tensors(arguments);
  }
  std::optional<bridge::AcceleratorConfig> accelerator;
  if (!arguments.accelerator.empty()) {
    accelerator = accelerator_of_flag(arguments.accelerator);
  }
  if (accelerator && accelerator->has_core) {
    const bridge::CoresSummary cores = bridge::inspect_cores(source_of(arguments), *accelerator);
    print(arguments.is_json ? json_of_cores(cores) : text_of_cores(cores, *accelerator));
    return 0;
  }
  const auto layers = bridge::inspect(source_of(arguments), accelerator);
  print(arguments.is_json ? json_of(layers).dump(2) + "\n" : text_of(layers, accelerator));
  return 0;
}

}  // namespace

Command inspect_command() {
  const auto arguments = std::make_shared<InspectArguments>();
  return {
      .name = "inspect",
      .about = "Layers of a network: shapes, and on an accelerator tiles, cycles, utilisation",
      .options =
          {{"MODEL",
            &arguments->source.model,
            "Path of a .pt2 archive, of a TorchScript or a .nir file, or a zoo model",
            {.is_required = true}},
           files_option("--images", arguments->images,
                        "Of a TorchScript file: images whose shape it takes, which it does not say "
                        "itself"),
           {"--output", &arguments->source.output,
            "Which output is the answer, where the model has several"},
           {"--accelerator", &arguments->accelerator,
            "Name or YAML file: show how the int8 network lies on it"},
           {"--tensors", &arguments->has_tensors,
            "List the tensors that a strike may name instead, with roles and words"},
           {"--format", &arguments->format,
            "With --tensors: the number format that they are stored in [float32]"},
           {"--memories", &arguments->memories,
            "Draw what the accelerator's memories hold over an inference to this .svg file, and "
            "print how much of them is live"},
           {"--json", &arguments->is_json, "Print JSON"}},
      .run = [arguments] { return run(*arguments); },
  };
}

}  // namespace tilestrike::campaigns::cli
