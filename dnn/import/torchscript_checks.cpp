// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/torchscript_checks.h"

#include <torch/csrc/jit/ir/ir.h>

#include <string_view>

#include "base/error.h"

namespace tilestrike::dnn {

namespace jit = torch::jit;

std::vector<std::string> argument_names(const jit::Module& module, std::size_t given,
                                        const std::string& path) {
  std::vector<std::string> names;
  const auto& arguments = module.get_method("forward").function().getSchema().arguments();
  for (std::size_t i = 1; i < arguments.size(); ++i) {  // the first is the module
    const bool has_default = arguments[i].default_value().has_value();
    const c10::TypeKind kind = arguments[i].type()->kind();
    if (!has_default && kind != c10::TypeKind::TensorType && kind != c10::TypeKind::OptionalType) {
      fail(ErrorCode::kUnsupported,
           "the argument '" + arguments[i].name() + "' of the TorchScript model is of the type " +
               arguments[i].type()->str() + ", and the file does not say what value it has",
           path,
           "give it a default (def forward(self, x, " + arguments[i].name() + ": " +
               arguments[i].type()->str() + " = ...)), or save the model with torch.export.save");
    }
    if (names.size() < given || !has_default) {
      names.push_back(arguments[i].name());
    }
  }
  return names;
}

void refuse_packed_weights(const jit::Module& module, const std::string& path) {
  std::string found;
  const auto look = [&](const std::string& where, const c10::IValue& value) {
    const bool is_packed = value.isCustomClass() && value.isObject() && found.empty();
    const std::string type = is_packed ? value.type()->repr_str() : "";
    found = is_packed && type.find("PackedParams") != std::string::npos ? where : found;
  };
  for (const auto& part : module.named_modules()) {
    for (const auto& attribute : part.value.named_attributes(/*recurse=*/false)) {
      look(part.name.empty() ? attribute.name : part.name, attribute.value);
    }
  }
  const auto look_at_constants = [&](const auto& self, jit::Block* block) -> void {
    for (jit::Node* node : block->nodes()) {
      if (std::string_view(node->kind().toQualString()).starts_with("quantized::")) {
        found = found.empty() ? node->kind().toQualString() : found;
      }
      for (jit::Block* inner : node->blocks()) {
        self(self, inner);
      }
    }
  };
  look_at_constants(look_at_constants, module.get_method("forward").graph()->block());
  const std::string own = "._packed_params";  // of a linear layer: a module of its own
  found.resize(found.ends_with(own) ? found.size() - own.size() : found.size());
  if (!found.empty()) {
    fail(ErrorCode::kUnsupported,
         "the TorchScript model is quantised by FX or eager mode: its weights ('" + found +
             "') are packed for the kernels of one processor",
         path,
         "quantise the float model with PT2E (torchao.quantization.pt2e: prepare_pt2e, calibrate, "
         "convert_pt2e) and save it with torch.export.save, or give the float model, which "
         "TileStrike quantises itself");
  }
}

}  // namespace tilestrike::dnn
