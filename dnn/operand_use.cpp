// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/operand_use.h"

#include <functional>
#include <initializer_list>
#include <map>

namespace tilestrike::dnn {

Does does_of(std::string_view name) {
  static const std::map<std::string_view, Does, std::less<>> known = [] {
    std::map<std::string_view, Does, std::less<>> all;
    const auto add = [&](Does does, std::initializer_list<std::string_view> names) {
      for (const std::string_view one : names) {
        all.emplace(one, does);
      }
    };
    add(Does::kProduct, {"conv1d",
                         "conv2d",
                         "conv3d",
                         "convolution",
                         "_convolution",
                         "conv_transpose1d",
                         "conv_transpose2d",
                         "conv_transpose3d",
                         "conv_tbc",
                         "convolution_overrideable",
                         "mkldnn_convolution",
                         "thnn_conv2d",
                         "slow_conv3d",
                         "slow_conv_transpose2d",
                         "slow_conv_transpose3d",
                         "slow_conv_dilated2d",
                         "slow_conv_dilated3d",
                         "_slow_conv2d_forward",
                         "conv_depthwise3d",
                         "_conv_depthwise2d",
                         "deform_conv2d",
                         "linear",
                         "mkldnn_linear",
                         "addmm",
                         "_addmm_activation",
                         "addbmm",
                         "baddbmm",
                         "addmv",
                         "mm",
                         "bmm",
                         "mv",
                         "dot",
                         "vdot",
                         "matmul",
                         "linalg_matmul",
                         "linalg_vecdot",
                         "linalg_multi_dot",
                         "chain_matmul",
                         "einsum",
                         "inner",
                         "tensordot",
                         "bilinear",
                         "_trilinear",
                         "outer",
                         "kron",
                         "embedding",
                         "embedding_bag",
                         "_embedding_bag",
                         "_embedding_bag_forward_only",
                         "embedding_renorm",
                         "lstm",
                         "gru",
                         "rnn_tanh",
                         "rnn_relu",
                         "lstm_cell",
                         "gru_cell",
                         "rnn_tanh_cell",
                         "rnn_relu_cell",
                         "mkldnn_rnn_layer",
                         "scaled_dot_product_attention",
                         "_scaled_dot_product_flash_attention_for_cpu",
                         "_scaled_dot_product_flash_attention",
                         "_scaled_dot_product_efficient_attention",
                         "_scaled_dot_product_attention_math",
                         "_int_mm",
                         "_scaled_mm",
                         "_weight_int8pack_mm",
                         "_weight_int4pack_mm",
                         "_weight_int4pack_mm_for_cpu"});
    add(Does::kLookup,
        {"index", "_unsafe_index", "index_select", "gather", "take", "take_along_dim", "_index"});
    add(Does::kNormalise, {"batch_norm", "native_batch_norm", "_native_batch_norm_legit",
                           "_native_batch_norm_legit_no_training", "cudnn_batch_norm",
                           "_batch_norm_no_update", "layer_norm", "native_layer_norm", "group_norm",
                           "native_group_norm", "instance_norm", "rms_norm", "_fused_rms_norm"});
    add(Does::kMultiply, {"mul", "multiply"});
    add(Does::kDivide, {"div", "divide", "true_divide"});
    add(Does::kAdd, {"add", "sub", "subtract", "rsub"});
    add(Does::kRoot, {"sqrt", "rsqrt", "std", "linalg_vector_norm", "norm"});
    add(Does::kMove, {"view",
                      "_unsafe_view",
                      "reshape",
                      "_reshape_alias",
                      "flatten",
                      "unflatten",
                      "ravel",
                      "permute",
                      "transpose",
                      "t",
                      "swapaxes",
                      "movedim",
                      "adjoint",
                      "squeeze",
                      "unsqueeze",
                      "expand",
                      "broadcast_to",
                      "repeat",
                      "tile",
                      "contiguous",
                      "clone",
                      "alias",
                      "detach",
                      "lift_fresh_copy",
                      "to",
                      "_to_copy",
                      "slice",
                      "select",
                      "narrow",
                      "chunk",
                      "split",
                      "split_with_sizes",
                      "unsafe_split",
                      "unbind",
                      "tensor_split",
                      "unfold",
                      "flip",
                      "roll",
                      "constant_pad_nd",
                      "pad",
                      "as_strided",
                      "view_as_complex",
                      "view_as_real",
                      "float",
                      "convert_element_type",
                      "dropout",
                      "neg"});
    add(Does::kFire, {"lif", "if", "li", "integrator"});
    add(Does::kReadShapeOf, {"expand_as", "reshape_as", "view_as", "type_as"});
    add(Does::kReadShape,
        {"sym_size", "sym_numel", "zeros_like", "ones_like", "full_like", "empty_like", "rand_like",
         "new_zeros", "new_ones", "new_full", "new_empty"});
    return all;
  }();
  const auto found = known.find(name);
  return found == known.end() ? Does::kOther : found->second;
}

bool moves_elements(std::string_view name) {
  return does_of(name) == Does::kMove || name.find("pad") != std::string_view::npos ||
         name.starts_with("upsample_nearest");
}

bool is_index(std::string_view argument) {
  return argument == "indices" || argument == "index" || argument == "offsets" ||
         argument == "mask" || argument == "condition";
}

bool is_scale(std::string_view argument) {
  return argument.starts_with("scale") || argument.starts_with("zero_point");
}

Demand demand_in_product(std::string_view op, std::string_view argument, std::int64_t dimensions) {
  if (is_index(argument)) {
    return argument == "mask" ? Demand::kParameter : Demand::kNone;
  }
  if (is_scale(argument)) {
    return Demand::kBuffer;
  }
  if (argument.starts_with("attn_") || argument.starts_with("hx") || argument.starts_with("cx") ||
      argument == "per_sample_weights") {
    return Demand::kParameter;
  }
  if (argument.starts_with("bias") || argument == "b_ih" || argument == "b_hh" ||
      (argument == "self" && op.find("add") != std::string_view::npos)) {
    return Demand::kBias;
  }
  // Recurrent layers take weights and biases as one list.
  const bool is_listed = argument == "params" || op == "mkldnn_rnn_layer";
  return is_listed && dimensions == 1 ? Demand::kBias : Demand::kWeight;
}

}  // namespace tilestrike::dnn
