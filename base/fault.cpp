// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/fault.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"

namespace tilestrike {

std::string_view name_of(FaultKind kind) {
  switch (kind) {
    case FaultKind::kFlip:
      return "flip";
    case FaultKind::kStuckAt0:
      return "stuck_at_0";
    case FaultKind::kStuckAt1:
      return "stuck_at_1";
    case FaultKind::kRandom:
      return "random";
  }
  return "?";
}

WordFault compose(const WordFault& first, const WordFault& second) {
  TS_CHECK(first.store == second.store && first.word == second.word,
           "only faults on one word compose");
  WordFault both = second;
  both.keep = first.keep & second.keep;
  both.flip = (first.flip & second.keep) ^ second.flip;
  return both;
}

std::vector<WordFault> normalised(std::span<const WordFault> faults) {
  std::vector<WordFault> sorted(faults.begin(), faults.end());
  const auto key = [](const WordFault& f) { return std::tuple(f.store, f.word, f.lifetime); };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const WordFault& x, const WordFault& y) { return key(x) < key(y); });
  std::vector<WordFault> merged;
  for (const WordFault& fault : sorted) {
    if (!merged.empty() && key(merged.back()) == key(fault)) {
      merged.back() = compose(merged.back(), fault);
    } else {
      merged.push_back(fault);
    }
  }
  return merged;
}

}  // namespace tilestrike
