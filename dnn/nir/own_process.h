// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Work by a library that may crash, never end, or take all memory: done in a process of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace tilestrike::dnn {

struct ProcessLimits {
  int seconds = 2;                              // of processor time
  std::int64_t memory = std::int64_t{1} << 28;  // bytes, beside what this process has
  std::int64_t answer = std::int64_t{1} << 28;  // bytes
};

/// What `work` returns. Throws the Failure that it throws, or one that says how its process ended:
/// `what` names the work, `where` and `cure` are of that error. Nothing that `work` does elsewhere
/// is seen here.
std::string in_own_process(const std::function<std::string()>& work, const ProcessLimits& limits,
                           const std::string& what, const std::string& where,
                           const std::string& cure);

}  // namespace tilestrike::dnn
