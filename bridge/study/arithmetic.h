// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a fixed order of summation changes in a float network's answers (docs/differential.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bridge/study/workload.h"
#include "dnn/fixed_order/fixed_order.h"

namespace tilestrike::bridge {

/// Gives the network sums of a fixed order. Throws Failure where it is not on the CPU.
dnn::FixedOrder fix_order(Workload& load, const std::string& model);

/// How far `answers`, the golden ones of all images, are from those of PyTorch's own sums, and
/// which layers sum as PyTorch does still. Runs all images once.
std::vector<std::string> compare_with_pytorch(const Workload& load, const dnn::Executor& executor,
                                              std::int64_t batch, const at::Tensor& answers,
                                              dnn::FixedOrder& order);

}  // namespace tilestrike::bridge
