// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/results/tensor_trial.h"

namespace tilestrike::campaigns {

const Table<TensorTrial>& tensor_table() {
  using R = TensorTrial;
  static const Table<R> table = table_of_trials<R>(
      "tensor_trials", "a trial that strikes words of tensors",
      {
          column("word", &R::word, "element of the tensor, in the order of its memory"),
          column("before", &R::before, "struck word, of the first fault"),
          column("after", &R::after, "the same after the fault"),
      });
  return table;
}

TensorTrial tensor_trial(const FaultRecord& first, const Judged& judged) {
  TensorTrial trial;
  trial.word = first.word;
  trial.before = static_cast<std::int64_t>(judged.first.before);
  trial.after = static_cast<std::int64_t>(judged.first.after);
  return trial;
}

FaultRecord fault_record(const DrawnBit& bit, const bridge::StudyFacts& study) {
  const TensorStore& store = study.stores[bit.store.value];
  FaultRecord record;
  record.structure = name_of(store.role);
  record.register_name = store.name;
  record.word = static_cast<std::int64_t>(bit.word);
  record.bit = known(bit.bit);
  record.fault = bit.kind;
  return record;
}

std::vector<std::string> describe_words(const DrawnWords& words, const bridge::StudyFacts& study) {
  std::vector<std::string> lines;
  for (const DrawnBit& bit : words.first) {
    const TensorStore& store = study.stores[bit.store.value];
    lines.push_back(store.name + " word " + std::to_string(bit.word) +
                    (bit.bit < 0 ? std::string() : " bit " + std::to_string(bit.bit)) + ": " +
                    std::string(name_of(bit.kind)));
  }
  if (words.count > words.first.size()) {
    lines.push_back("... and " + std::to_string(words.count - words.first.size()) + " more");
  }
  return lines;
}

}  // namespace tilestrike::campaigns
