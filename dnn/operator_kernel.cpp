// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/operator_kernel.h"

#include "base/error.h"
#include "dnn/differential/element_lists.h"
#include "dnn/differential/float_lists.h"
#include "dnn/direct_calls.h"
#include "dnn/operand_use.h"
#include "dnn/operators.h"

namespace tilestrike::dnn {
namespace {

c10::IValue given(const Argument& argument, const Values& values) {
  switch (argument.kind) {
    case Argument::Kind::kConstant:
      return argument.constant;
    case Argument::Kind::kValue:
      return values[argument.values.front().value];
    case Argument::Kind::kValueList: {
      c10::List<at::Tensor> list;
      list.reserve(argument.values.size());
      for (const ValueId id : argument.values) {
        list.push_back(values[id.value].toTensor());
      }
      return list;
    }
    case Argument::Kind::kOptionalValueList: {
      c10::List<std::optional<at::Tensor>> list;
      list.reserve(argument.values.size());
      for (const ValueId id : argument.values) {
        list.push_back(id.value < 0 ? std::nullopt
                                    : std::optional<at::Tensor>(values[id.value].toTensor()));
      }
      return list;
    }
    case Argument::Kind::kIntegerList: {
      c10::List<std::int64_t> list = argument.constant.toIntList().copy();
      for (std::size_t i = 0; i < argument.values.size(); ++i) {
        if (argument.values[i].value >= 0) {
          list.set(i, values[argument.values[i].value].toInt());
        }
      }
      return list;
    }
  }
  TS_CHECK(false, "an argument has one of five kinds");
}

[[noreturn]] void fail_in(const Layer& layer, const std::string& text) {
  const bool is_memory =
      text.find("allocate") != std::string::npos || text.find("out of memory") != std::string::npos;
  fail(is_memory ? ErrorCode::kMachine : ErrorCode::kInvalidInput,
       "layer '" + layer.name + "' (" + layer.target +
           ") cannot be computed: " + text.substr(0, text.find('\n')),
       layer.source,
       is_memory
           ? "use fewer images at a time"
           : "check that the images have the shape that the model was exported with, and that "
             "PyTorch itself runs the exported model on them");
}

class OperatorKernel final : public Kernel {
 public:
  explicit OperatorKernel(const c10::OperatorHandle& handle)
      : handle_(handle), returns_list_(returns_list(handle.schema())) {}

  void run(const Layer& layer, Values& values) const override {
    thread_local c10::Stack stack;  // its memory is used again by the next layer
    stack.clear();
    for (const Argument& argument : layer.arguments) {
      stack.push_back(given(argument, values));
    }
    try {
      handle_.callBoxed(stack);
    } catch (const c10::Error& error) {
      fail_in(layer, error.what_without_backtrace());
    } catch (const std::exception& error) {  // a container that could not grow so far
      fail_in(layer, error.what());
    }
    if (returns_list_) {
      unpack(stack.front(), layer, values);
    } else {
      for (std::size_t i = 0; i < layer.outputs.size(); ++i) {
        if (layer.outputs[i].value >= 0) {
          values[layer.outputs[i].value] = std::move(stack[i]);
        }
      }
    }
    stack.clear();
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override {
    auto lists = moves_elements(short_name(layer.target)) ? make_move_lists(layer, network, golden)
                                                          : nullptr;
    return lists != nullptr ? std::move(lists) : make_float_lists(layer, network, golden);
  }

 private:
  static void unpack(const c10::IValue& result, const Layer& layer, Values& values) {
    const c10::List<at::Tensor> list = result.toTensorList();
    if (list.size() != layer.outputs.size()) {
      fail_in(layer, "it gives " + std::to_string(list.size()) + " tensors where the model takes " +
                         std::to_string(layer.outputs.size()));
    }
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (layer.outputs[i].value >= 0) {
        values[layer.outputs[i].value] = list.get(i);
      }
    }
  }

  c10::OperatorHandle handle_;
  bool returns_list_;
};

class DirectKernel final : public Kernel {
 public:
  DirectKernel(DirectCall call, std::size_t inputs, const c10::OperatorHandle& handle)
      : call_(std::move(call)), inputs_(inputs), boxed_(handle) {}

  void run(const Layer& layer, Values& values) const override {
    if (layer.inputs.size() != inputs_) {  // in a copy of the layer two of them have become one
      boxed_.run(layer, values);
      return;
    }
    try {
      values[layer.outputs.front().value] = call_(layer, values);
    } catch (const c10::Error& error) {
      fail_in(layer, error.what_without_backtrace());
    } catch (const std::exception& error) {
      fail_in(layer, error.what());
    }
  }

  std::unique_ptr<ListKernel> lists(const Layer& layer, const Network& network,
                                    const Tape& golden) const override {
    return boxed_.lists(layer, network, golden);
  }

 private:
  DirectCall call_;
  std::size_t inputs_;
  OperatorKernel boxed_;
};

}  // namespace

std::optional<c10::OperatorHandle> dispatched_operator(const std::string& target) {
  const std::size_t first = target.find('.');
  const std::size_t last = target.rfind('.');
  if (first == std::string::npos || first == last) {
    return std::nullopt;
  }
  const std::string overload = target.substr(last + 1);
  return c10::Dispatcher::singleton().findSchema(
      {target.substr(0, first) + "::" + target.substr(first + 1, last - first - 1),
       overload == "default" ? "" : overload});
}

bool returns_list(const c10::FunctionSchema& schema) {
  return schema.returns().size() == 1 &&
         schema.returns().front().type()->kind() == c10::TypeKind::ListType;
}

std::shared_ptr<const Kernel> make_operator_kernel(const Layer& layer) {
  const auto handle = dispatched_operator(layer.target);
  TS_CHECK(handle.has_value(), "LibTorch has the operator " + layer.target);
  if (DirectCall call = direct_call(layer)) {
    return std::make_shared<DirectKernel>(std::move(call), layer.inputs.size(), *handle);
  }
  return std::make_shared<OperatorKernel>(*handle);
}

}  // namespace tilestrike::dnn
