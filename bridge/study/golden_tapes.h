// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Golden runs of single images, for trials. Several are recorded at once where each is, bit for
// bit, what a run of its own would be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/ids.h"
#include "dnn/executor.h"
#include "dnn/inputs.h"

namespace tilestrike::bridge {

class GoldenTapes {
 public:
  /// `bytes`: what the tapes kept at one time may hold. Executor and inputs must outlive this
  /// object.
  GoldenTapes(const dnn::Executor& executor, const dnn::Inputs& inputs, std::int64_t bytes);

  /// The images that will be asked for, in this order.
  void expect(std::vector<ImageId> images);
  /// Until another image is asked for.
  const dnn::Tape& of(ImageId image);

  /// Whether of() an image keeps the tapes that there are.
  bool holds(ImageId image) const { return std::ranges::find(images_, image) != images_.end(); }

  /// Images recorded at once; 1: a batch gives other bits, or too much.
  std::int64_t block() const { return block_; }

 private:
  dnn::Tape of_one(ImageId image) const;
  void record(ImageId first);
  std::int64_t suited_block(const dnn::Tape& one, ImageId image) const;

  const dnn::Executor& executor_;
  const dnn::Inputs& inputs_;
  std::int64_t bytes_;
  std::int64_t block_ = 0;  // 0: not known yet
  std::vector<ImageId> expected_;
  std::vector<ImageId> images_;
  std::vector<dnn::Tape> tapes_;  // by images_
};

}  // namespace tilestrike::bridge
