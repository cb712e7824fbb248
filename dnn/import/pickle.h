// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reads what torch.save writes, without running any of it: calls of Python functions become values
// that name the function, and the few that rebuild plain tensors are understood. A pickle from
// outside can therefore ask for nothing but to be read.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <deque>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace tilestrike::dnn {

/// The pickle is damaged, or of a kind that torch.save does not write.
class PickleError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct PickleValue {
  enum class Kind {
    kNone,
    kBool,
    kInteger,
    kReal,
    kText,     // or bytes
    kList,     // list, tuple or set
    kMap,      // dictionary
    kName,     // of something in a Python module: text
    kCall,     // items: the function and its arguments, then what was set on the result
    kStorage,  // items: what torch.save calls a persistent id
  };
  Kind kind = Kind::kNone;
  std::int64_t number = 0;
  double real = 0.0;
  std::string text;
  std::vector<const PickleValue*> items;
  std::vector<std::pair<const PickleValue*, const PickleValue*>> pairs;  // of a map, or on a call

  bool is_call_of(std::string_view function) const {
    return kind == Kind::kCall && items.front()->text == function;
  }
};

/// Owns its values, which may refer to one another in any way.
class Pickle {
 public:
  /// Throws PickleError.
  explicit Pickle(std::string_view bytes);
  const PickleValue& root() const { return *root_; }

 private:
  friend class PickleReader;
  std::deque<PickleValue> values_;
  const PickleValue* root_ = nullptr;
};

/// A tensor as a pickle describes it: a view of a record of bytes.
struct StoredTensor {
  std::string record;  // "data/3"
  c10::ScalarType type = c10::ScalarType::Float;
  std::int64_t offset = 0;  // in elements
  std::vector<std::int64_t> sizes, strides;
};

/// Throws PickleError, with the class where it is no plain tensor ("torchao...Int8Tensor").
StoredTensor stored_tensor(const PickleValue& value);

}  // namespace tilestrike::dnn
