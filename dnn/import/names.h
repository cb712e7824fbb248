// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the names of a model's graph mean while it is read from top to bottom. The graph may write
// in place, also through views; a network never does. So a write gives new values to its target
// and to all that its target is a view of; every other look at that memory is stale then, until it
// is taken again from what it is a view of.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dnn/network.h"

namespace tilestrike::dnn {

/// How a name shows the memory of another one.
struct View {
  std::string parent;
  Layer layer;             // the operator that takes the view; its first argument is the parent
  std::size_t output = 0;  // which of its outputs
  bool is_certain = true;  // false: whether it shares the parent's memory is not known
};

class Names {
 public:
  /// A value in memory of its own; `is_external`: memory that the caller owns (inputs, weights).
  void define(const std::string& name, ValueId value, bool is_external = false);
  /// Another look at the memory of view.parent.
  void define_view(const std::string& name, ValueId value, View view);
  /// The very tensor that `of` is.
  void define_same(const std::string& name, const std::string& of);
  /// What `of` holds now, in memory of its own.
  void define_copy(const std::string& name, const std::string& of);

  /// From here on all looks at the memory of `target` are stale; `by` says who writes.
  void begin_write(const std::string& target, const std::string& by);
  /// What this tensor, under all its names, holds now.
  void assign(const std::string& name, ValueId value);

  bool has(const std::string& name) const { return meanings_.contains(name); }
  bool is_external(const std::string& name) const { return meanings_.at(name).is_external; }
  ValueId value(const std::string& name) const { return meanings_.at(name).value; }
  bool is_stale(const std::string& name) const;
  /// Who wrote last into this name's memory; empty: nobody.
  const std::string& writer(const std::string& name) const;
  /// nullptr: the name is no view.
  const View* view(const std::string& name) const { return meanings_.at(name).view.get(); }
  /// Whether some look at this name's memory is one of which that is not certain.
  bool has_uncertain_view(const std::string& name) const;

 private:
  struct Meaning {
    ValueId value;
    std::int32_t memory = 0;  // names that share memory
    std::int32_t tensor = 0;  // names of the very same tensor
    bool is_external = false;
    std::int32_t version = 0;  // of the memory, when this value was taken from it
    std::shared_ptr<const View> view;
  };
  struct Memory {
    std::int32_t version = 0;
    std::string writer;
  };
  std::map<std::string, Meaning> meanings_;
  std::map<std::int32_t, Memory> memories_;
  std::int32_t next_ = 0;
};

}  // namespace tilestrike::dnn
