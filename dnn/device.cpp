// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which device a network lives on.
#include <ATen/ops/zeros.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>

#include "base/error.h"
#include "base/text.h"
#include "dnn/network.h"

namespace tilestrike::dnn {
namespace {

int cuda_devices() {
  if (!c10::impl::hasDeviceGuardImpl(c10::kCUDA)) {
    return 0;  // a LibTorch for the CPU alone
  }
  return static_cast<int>(c10::impl::getDeviceGuardImpl(c10::kCUDA)->deviceCount());
}

/// Empty when a tensor can be made there, else what the device said.
std::string trouble_with(c10::Device device) {
  try {
    at::zeros({1}, at::TensorOptions(at::kFloat).device(device));
    return {};
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }
}

}  // namespace

c10::Device device_of(const std::string& text) {
  if (text == "cpu") {
    return c10::kCPU;
  }
  const int count = cuda_devices();
  if (text == "auto") {
    for (int index = 0; index < count; ++index) {
      const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(index));
      if (trouble_with(device).empty()) {
        return device;
      }
    }
    return c10::kCPU;
  }
  const std::string where = "device";
  const std::string prefix = "cuda:";
  const auto index =
      text.starts_with(prefix) ? parse_integer(text.substr(prefix.size())) : std::nullopt;
  if (!index || *index < 0) {
    fail(ErrorCode::kInvalidInput, "unknown device '" + text + "'", where,
         "allowed: auto, cpu, cuda:N (cuda:0 is the first)");
  }
  if (*index >= count) {
    fail(ErrorCode::kNotFound, "there is no device '" + text + "'", where,
         count == 0 ? "this LibTorch sees no CUDA device; use 'cpu' or 'auto', or install a CUDA "
                      "build of LibTorch and name it in CMAKE_PREFIX_PATH"
                    : "the last one is cuda:" + std::to_string(count - 1));
  }
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
  if (const std::string trouble = trouble_with(device); !trouble.empty()) {
    fail(ErrorCode::kMachine, "the device '" + text + "' does not work: " + trouble, where,
         "use 'cpu', or see to the driver");
  }
  return device;
}

}  // namespace tilestrike::dnn
