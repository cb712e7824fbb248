// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The seam at which LibTorch's exceptions become ours.
#pragma once

#include <c10/core/InferenceMode.h>
#include <c10/util/Exception.h>

#include <new>
#include <string>

#include "base/error.h"

namespace tilestrike::bridge {

/// Calls without recording gradients. Inputs have been checked by then: what LibTorch throws is a
/// failure of the machine (a device or its memory) and becomes one of ours.
template <class Call>
auto torch_call(Call&& call) {
  try {
    const c10::InferenceMode no_gradients;
    return call();
  } catch (const c10::Error& error) {
    fail(ErrorCode::kMachine, std::string("LibTorch: ") + error.what_without_backtrace(), "",
         "check the device and its memory; 'cpu' does without a GPU");
  } catch (const std::bad_alloc&) {
    fail(ErrorCode::kMachine, "out of memory", "", "use fewer images or a smaller model");
  }
}

}  // namespace tilestrike::bridge
