// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// In-place operators through views, made functional.
#pragma once

#include <vector>

#include "dnn/import/names.h"

namespace tilestrike::dnn {

/// The layers that give `parent` with what `written` holds where `view` looks; the last one is
/// without outputs. Empty where there are none for such a view.
std::vector<Layer> write_through(const View& view, ValueId parent, ValueId written,
                                 Network& network);

}  // namespace tilestrike::dnn
