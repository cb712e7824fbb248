// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Pooling and means from lists of changes: the windows that see a change are computed anew.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "dnn/differential/list_kernel.h"
#include "dnn/integer/integer_operators.h"

namespace tilestrike::dnn {

/// The largest element of each window; padding is smaller than all.
std::unique_ptr<ListKernel> make_max_pool_lists(const PoolWindow& window, const Layer& layer,
                                                const Tape& golden);
/// Of the sums of elements without their zero point; zeros of the padding count.
std::unique_ptr<ListKernel> make_average_pool_lists(const PoolWindow& window,
                                                    const Rescaling& rescaling, const Layer& layer,
                                                    const Tape& golden);
std::unique_ptr<ListKernel> make_mean_lists(const std::vector<std::int64_t>& dimensions,
                                            const Rescaling& rescaling, const Layer& layer,
                                            const Tape& golden);

}  // namespace tilestrike::dnn
