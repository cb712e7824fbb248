// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The slow way, for proof: whole inferences on the platform, every element read from and written
// into the memories in the cycle that docs/memory_schedule.md says, by steps that are worked out
// beforehand and know nothing of what is alive. Nothing but registers is on the host.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "sim/platform/platform.h"

namespace tilestrike::bridge {

struct PlatformInference {
  at::Tensor answer;                     // undefined: stopped before it was read
  dnn::Values computed;                  // by value: what each layer has sent to its tensor
  std::vector<at::Tensor> accumulators;  // by layer on the mesh: as the vector unit has read them
  sim::PlatformReport report;            // cycles count from boot()
};

class PlatformRun {
 public:
  /// `shapes`: a run of the network with one image. All three must outlive this object. Throws
  /// Failure for what it does not do: products of two activations, views that leave out elements.
  PlatformRun(const dnn::Network& network, const Mapping& mapping, const dnn::Tape& shapes);
  ~PlatformRun();

  /// Memories in the order of the accelerator's file; then, if none of them holds the backing
  /// copies, one without ECC that does.
  sim::Platform& platform();
  std::int32_t backing() const;
  /// As after boot: constant weights are where they stay; all else is 0, and it is cycle 0.
  void boot();
  /// The inference of the image of `golden`, a run whose inputs count, and what no memory holds. It
  /// begins in cycle `start`, and its accesses go no further than to cycle `last` of the inference.
  PlatformInference infer(const dnn::Tape& golden, Cycle start,
                          Cycle last = std::numeric_limits<Cycle>::max());
  /// Every access of one inference, in time order.
  std::span<const sim::PlatformStep> accesses() const;

 private:
  class Program;
  std::unique_ptr<Program> program_;
};

}  // namespace tilestrike::bridge
