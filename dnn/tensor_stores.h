// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The tensors of a network as stores of words, and faults on activations (docs/tensor_faults.md);
// those on constants are in dnn/constant_strike.h. The cost of a strike grows with the number of
// faults, not with the size of the tensors.
#pragma once

#include <span>
#include <vector>

#include "base/fault.h"
#include "base/tensor_store.h"
#include "dnn/executor.h"
#include "dnn/integer/integer_layers.h"
#include "dnn/network.h"

namespace tilestrike::dnn {

/// Where the words of a store are.
struct StoreBacking {
  // Of a constant, in the order of its memory:
  at::Tensor words;   // the stored bits, flat
  at::Tensor values;  // what they stand for, flat, of the type that is read; undefined: `words`
  at::Tensor scale;   // float32 on the host, one per channel; undefined: 1
  std::int64_t channel_stride = 1;             // word / stride % channels is the channel
  std::vector<const MatrixKernel*> kernels{};  // whose int8 weights they are
  // The layers between which a fault has to be there; -1: before the first, for constant layers
  // read it; layers.size(): the answer shows it.
  std::ptrdiff_t first_reader = -1, last_reader = -1;
  // Of an activation:
  ValueId value{-1};
  std::ptrdiff_t layer = -1;  // that computes it; -1: the images
  std::int64_t batch_dimension = 0;

  bool is_constant() const { return words.defined(); }
};

/// The stores of a network, and what it stores that no strike can name.
struct FoundStores {
  std::vector<TensorStore> stores;
  std::vector<StoreBacking> backings;  // by store
  std::vector<UnstruckTensor> unstruck;
};

class TensorStores {
 public:
  /// Finds the stores of a network, and makes it store its numbers in `format`: constants become
  /// the values of their words, and kernels round what they compute (docs/number_formats.md says
  /// which tensors a format stores). A network with integer layers keeps its numbers; `format` is
  /// then int8. `images`: at least one that the network takes; two runs tell tensors that belong to
  /// one image each from others. `network` must outlive this object.
  TensorStores(Network& network, const Inputs& images, const NumberFormat& format);

  const std::vector<TensorStore>& all() const { return found_.stores; }
  const StoreBacking& backing(StoreId id) const { return found_.backings[id.value]; }
  const std::vector<UnstruckTensor>& unstruck() const { return found_.unstruck; }
  Network& network() { return network_; }

  /// Faults on activations that belong to one image of a batch: sorted, no word twice.
  struct ImageFaults {
    std::int64_t row = 0;  // of the batch
    std::span<const WordFault> faults;
  };
  /// What became of one entry of a batch.
  struct ImageStrike {
    std::int64_t changed = 0;
    std::uint64_t before = 0, after = 0;
  };
  /// The inference of a batch in which these faults strike what is stored. Layers before the first
  /// struck one are taken from `golden`, a run of the same images; nullptr: all are computed.
  /// `struck`, where given, gets one entry per entry of `strikes`; `after`, where given, sees each
  /// layer once its outputs are struck.
  at::Tensor run(const Executor& executor, const Inputs& images, const Tape* golden,
                 std::span<const ImageFaults> strikes, std::vector<ImageStrike>* struck = nullptr,
                 const Hook& after = {}) const;

 private:
  void strike_neurons(const Layer& layer, const Values& values, std::int64_t row,
                      std::span<const WordFault> faults, ImageStrike& struck) const;
  void strike_output(const at::Tensor& tensor, StoreId store, std::int64_t batch, std::int64_t row,
                     std::span<const WordFault> faults, ImageStrike& struck) const;

  Network& network_;
  FoundStores found_;
};

/// Which element of an activation of a batch, row-major, is word `word` of image `row`.
std::int64_t element_of_word(const at::Tensor& activation, const StoreBacking& backing,
                             std::int64_t batch, std::int64_t row, std::int64_t word);

/// The records of the first store that `faults`, sorted by store, name.
std::span<const WordFault> of_first_store(std::span<const WordFault> faults);

/// What one unit of a constant's stored word is worth, besides its format.
float scale_of_word(const StoreBacking& backing, std::uint64_t word);

/// The work of TensorStores' constructor.
FoundStores find_stores(Network& network, const Inputs& images, const NumberFormat& format);

}  // namespace tilestrike::dnn
