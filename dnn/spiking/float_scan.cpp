// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Compiled without fused multiply-add (dnn/CMakeLists.txt): processors that have it round as
// others.
#include "dnn/spiking/float_scan.h"

#include <limits>

#include "base/multiversion.h"
#include "dnn/stored_number.h"

namespace tilestrike::dnn {
namespace {

/// Neurons side by side of one image.
TS_MULTIVERSION void step_range(const FloatLayer& given, std::int64_t count, const float* current,
                                float* membrane, float* spike) {
  const FloatLayer layer = given;  // a copy: what is written below is none of it
  constexpr float kNone = std::numeric_limits<float>::quiet_NaN();
#pragma GCC ivdep  // no two of these arrays are one
  for (std::int64_t i = 0; i < count; ++i) {
    const float v = membrane[i];
    const float drive = layer.r[i] * current[i];
    const float charged = layer.is_leaky ? v + layer.gain[i] * ((layer.v_leak[i] - v) + drive)
                                         : v + drive * layer.gain[i];
    const bool fires = charged > layer.threshold[i];
    const float fired = layer.is_soft_reset ? charged - layer.threshold[i] : layer.reset[i];
    const float next = fires ? fired : charged;
    membrane[i] = next == next ? next : kNone;
    spike[i] = fires ? 1.0F : 0.0F;
  }
}

FloatLayer from(const FloatLayer& layer, std::int64_t neuron) {
  FloatLayer part = layer;
  part.gain += neuron;
  part.r += neuron;
  part.v_leak = layer.is_leaky ? layer.v_leak + neuron : layer.v_leak;
  part.threshold += neuron;
  part.reset += neuron;
  return part;
}

float rounded(const NumberFormat& format, float value) {
  return format == kFloat32 ? value : stored_value(format, stored_word(format, value));
}

}  // namespace

void step_all(const FloatLayer& layer, std::int64_t images, const float* currents, float* membranes,
              float* spikes) {
  for (std::int64_t image = 0; image < images; ++image) {
    const std::int64_t first = image * layer.size;
    step_range(layer, layer.size, currents + first, membranes + first, spikes + first);
  }
  for (std::int64_t i = 0; layer.stored != kFloat32 && i < images * layer.size; ++i) {
    membranes[i] = rounded(layer.stored, membranes[i]);
  }
}

bool step_one(const FloatLayer& layer, std::int64_t neuron, float current, float& membrane) {
  float spike = 0.0F;
  step_range(from(layer, neuron), 1, &current, &membrane, &spike);
  membrane = rounded(layer.stored, membrane);
  return spike != 0.0F;
}

}  // namespace tilestrike::dnn
