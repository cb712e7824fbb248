// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/contents.h"

#include <algorithm>

#include "base/error.h"
#include "bridge/exposure/residency.h"

namespace tilestrike::bridge {

CodewordsInUse codewords_in_use(const MemoryContents& contents, Cycle period,
                                std::int64_t codeword_bytes) {
  std::vector<std::pair<std::int64_t, std::int64_t>> resident, all;  // first, one past the last
  for (const ContentSpan& span : contents.spans) {
    if (!span.is_fetched) {
      continue;
    }
    const std::pair codewords{span.address / codeword_bytes,
                              (span.address + span.bytes - 1) / codeword_bytes + 1};
    all.push_back(codewords);
    if (span.from == 0 && span.until == period) {
      resident.push_back(codewords);
    }
  }
  const auto count = [](std::vector<std::pair<std::int64_t, std::int64_t>>& spans) {
    std::ranges::sort(spans);
    std::int64_t end = 0, sum = 0;
    for (const auto& [first, last] : spans) {
      sum += std::max<std::int64_t>(0, last - std::max(first, end));
      end = std::max(end, last);
    }
    return static_cast<std::uint64_t>(sum);
  };
  const std::uint64_t stays = count(resident);
  return {stays, count(all) - stays};
}

InferenceContents contents_of(const Schedule& schedule, std::vector<std::string> layer_names,
                              int answer) {
  TS_CHECK(schedule.memory() != nullptr, "a schedule with memories");
  InferenceContents contents;
  for (const auto& [name, memory] : schedule.memory()->placement().accelerator().memory) {
    contents.memories.push_back({name, memory.capacity_bytes, {}});
  }
  contents.layers = std::move(layer_names);
  contents.period = schedule.cycles_per_inference();
  const Residency residency(schedule);
  for (const Copies* copies : residency.all()) {
    std::vector<ContentSpan> spans;
    copies->add_spans(answer, spans);
    for (ContentSpan& span : spans) {
      if (span.from < span.until) {  // else nobody reads it
        contents.memories[copies->region().memory].spans.push_back(std::move(span));
      }
    }
  }
  return contents;
}

}  // namespace tilestrike::bridge
