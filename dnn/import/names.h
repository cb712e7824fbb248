// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the names of an archive's graph mean while it is read from top to bottom. The graph may
// write in place; a network never does, so a write gives its target's names a new value, and makes
// the other views of that memory stale.
#pragma once

#include <map>
#include <string>

#include "dnn/network.h"

namespace tilestrike::dnn {

class Names {
 public:
  /// A value in memory of its own; `is_external`: memory that the caller owns (inputs, weights).
  void define(const std::string& name, ValueId value, bool is_external = false);
  /// Another look at the memory of `of`.
  void define_view(const std::string& name, ValueId value, const std::string& of);
  /// The very tensor that `of` is.
  void define_same(const std::string& name, const std::string& of);
  /// What `of` holds now, in memory of its own.
  void define_copy(const std::string& name, const std::string& of);
  /// `name` is what `target` and all names of the same tensor hold from now on; `by` says who
  /// writes.
  void write(const std::string& name, ValueId value, const std::string& target,
             const std::string& by);

  bool has(const std::string& name) const { return meanings_.contains(name); }
  bool is_external(const std::string& name) const { return meanings_.at(name).is_external; }
  ValueId value(const std::string& name) const { return meanings_.at(name).value; }
  /// Who wrote into this name's memory through another view, or empty.
  const std::string& stale(const std::string& name) const { return meanings_.at(name).stale; }

 private:
  struct Meaning {
    ValueId value;
    std::int32_t memory = 0;  // names that may share memory
    std::int32_t tensor = 0;  // names of the very same tensor
    bool is_external = false;
    std::string stale;
  };
  std::map<std::string, Meaning> meanings_;
  std::int32_t next_ = 0;
};

}  // namespace tilestrike::dnn
