// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Networks that were exported for batches of one size alone, which is built into their views: they
// run in groups of that size, the last one filled up with rows that are there already.
#pragma once

#include <cstdint>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Which dimension of a value counts images: the one whose size may be any; of an archive of a
/// fixed batch, which does not say it, the first.
std::int64_t batch_dimension(const ValueInfo& info);

/// The rows of each inference of such a network: the first size of its inputs, which is -1 where
/// any number of rows will do. 0: any.
std::int64_t fixed_batch(const Network& network);

/// Whether a network that was exported for `batch` rows gives the same answers, row by row, to
/// twice as many. Runs it on made-up inputs.
bool takes_any_batch(const Network& network, std::int64_t batch);

/// Inputs with their rows over and over, from the first on, until there are so many.
Inputs filled_up(const Inputs& inputs, std::int64_t rows);

/// An input of this kind: numbers that spread over [0, 1], or true, or the number 0, which any
/// table has a row for. Sizes that may be any are those of the file's example.
at::Tensor made_up_input(const ValueInfo& info, std::int64_t rows);

}  // namespace tilestrike::dnn
