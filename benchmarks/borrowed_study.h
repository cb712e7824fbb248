// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A study that outlives the campaigns which run on it, for benchmarks.
#pragma once

#include <utility>
#include <vector>

#include "bridge/study/study.h"

namespace tilestrike {

class BorrowedStudy final : public bridge::Study {
 public:
  explicit BorrowedStudy(bridge::Study& study) : Study(sim::MeshConfig()), study_(study) {
    facts_ = study.facts();
  }
  std::vector<bridge::JobResult> strike(std::span<const bridge::StrikeJob> jobs,
                                        bridge::RunObserver* observer) override {
    return study_.strike(jobs, observer);
  }
  void expect(std::vector<ImageId> images) override { study_.expect(std::move(images)); }
  std::vector<float> golden_answer(ImageId image) override { return study_.golden_answer(image); }
  bool stored(ImageId image, std::size_t memory, CodewordBit bit, Cycle cycle) override {
    return study_.stored(image, memory, bit, cycle);
  }

 private:
  bridge::Study& study_;
};

}  // namespace tilestrike
