// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What is counted of spiking networks beside their answers: how far the integer one is from the
// float one, and answers that decide nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dnn/inputs.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Of a layer of neurons that fires in both networks, over all images and ticks.
struct SpikeDifference {
  std::string layer;
  std::int64_t places = 0;  // neurons x images x ticks
  std::int64_t first_spikes = 0, second_spikes = 0, different = 0;
};

/// Two networks of one spiking model, layer by layer, each from its own spikes before; images run
/// `batch` at a time.
std::vector<SpikeDifference> compare_spikes(const Network& first, const Network& second,
                                            const Inputs& images, std::int64_t batch);

struct AnswerCounts {
  std::int64_t images = 0;
  std::int64_t ties = 0;    // the two largest numbers are equal, and not all are 0
  std::int64_t silent = 0;  // all numbers are 0: no membrane, no spike
};

/// Of logits (images, ...).
AnswerCounts count_answers(const at::Tensor& logits);

}  // namespace tilestrike::dnn
