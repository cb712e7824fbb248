// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a start computes from files alone (int8 ranges, golden answers), kept for the next start. It
// may be deleted at any time: it saves seconds, and changes no number.
#pragma once

#include <ATen/core/ivalue.h>

#include <optional>
#include <string>
#include <vector>

#include "dnn/integer/calibrate.h"

namespace tilestrike::bridge {

/// Files in a folder. Each is found by the hash of all that its content is a function of, among it
/// this very program and the processor's instructions, and has a hash of its content.
class StartCache {
 public:
  /// `folder`: made when something is kept; empty: nothing is.
  explicit StartCache(std::string folder);

  bool is_on() const { return !folder_.empty(); }
  /// Nothing: it was not kept, or is not what was kept.
  std::optional<c10::IValue> find(const std::string& what, const std::string& key) const;
  /// Tensors, numbers, strings, lists and tuples of them. A folder that cannot be written to costs
  /// the next start its time, and nothing else.
  void keep(const std::string& what, const std::string& key, const c10::IValue& content) const;

 private:
  std::string path_of(const std::string& what, const std::string& key) const;
  std::string folder_;
};

/// What calibration found, and what is told about its images.
struct Calibration {
  std::vector<dnn::ValueStatistics> values;
  std::string images_hash;
  std::vector<std::string> warnings;

  c10::IValue kept() const;
  static Calibration of(const c10::IValue& kept);
};

}  // namespace tilestrike::bridge
