// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Faults on the constants of a network that last over several inferences (docs/tensor_faults.md).
// Each store is struck when the first layer that reads it is about to run: what the strike brings
// into the cache is what that layer reads next. It gets its words back when the last layer that
// reads it has run, while they are still near.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "base/fault.h"
#include "dnn/executor.h"
#include "dnn/tensor_stores.h"

namespace tilestrike::dnn {

class ConstantStrike {
 public:
  /// `faults`: on constants, sorted by store and word, no word twice. They, `stores` and the
  /// network of the stores must outlive this object; one strike on a network at a time.
  ConstantStrike(TensorStores& stores, std::span<const WordFault> faults);
  /// Whatever happened, every word has its old value again.
  ~ConstantStrike();
  ConstantStrike(const ConstantStrike&) = delete;
  ConstantStrike& operator=(const ConstantStrike&) = delete;

  /// One inference of the struck network: the first one strikes store by store, the last one gives
  /// back. No further one after one that has thrown.
  at::Tensor run(const Executor& executor, const Inputs& images, bool is_last);
  /// The same of an inference that strikes more: a run of all layers that calls the hook, which may
  /// be empty, after each.
  using Infer = std::function<at::Tensor(const Hook& after)>;
  at::Tensor run(const Infer& infer, bool is_last);

  // Known after the first inference:
  std::int64_t changed() const { return changed_; }  // faults whose word has another value
  std::uint64_t before() const { return before_; }   // the first struck word
  std::uint64_t after() const { return after_; }

 private:
  /// The faults of one store.
  struct Part {
    StoreId store;
    std::span<const WordFault> faults;
    at::Tensor saved;  // the old words; undefined: not struck (yet, or any more)
  };

  const StoreBacking& backing(const Part& part) const { return stores_.backing(part.store); }
  void strike_until(std::ptrdiff_t layer);
  void restore_until(std::ptrdiff_t layer);
  void strike(Part& part);
  void restore(Part& part);
  void run_constant_layers();
  void restore_all();

  TensorStores& stores_;
  std::vector<Part> parts_;
  std::vector<std::size_t> by_first_reader_, by_last_reader_;  // indices of parts
  std::size_t struck_ = 0, restored_ = 0;                      // how far along these two
  std::vector<std::pair<ValueId, c10::IValue>> results_;       // of constant layers, the old ones
  bool has_run_ = false;
  std::int64_t changed_ = 0;
  std::uint64_t before_ = 0, after_ = 0;
};

}  // namespace tilestrike::dnn
