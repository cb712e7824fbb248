// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/memory/codeword_in_time.h"

#include <algorithm>
#include <tuple>

namespace tilestrike::bridge {

CodewordInTime::CodewordInTime(sim::MemoryArray& array, const StruckWord& word,
                               const sim::ScrubSchedule* scrub, Cycle end)
    : array_(array), codeword_(word.codeword) {
  Cycle first = end;
  for (const CellFault& fault : word.faults) {
    first = std::min(first, fault.when.from);
    if (fault.kind == FaultKind::kFlip) {
      events_.push_back({fault.when.from, Event::Kind::kFlip, &fault});
      continue;
    }
    events_.push_back({fault.when.from, Event::Kind::kHold, &fault});
    if (!fault.when.is_permanent()) {
      events_.push_back({fault.when.until, Event::Kind::kRelease, &fault});
    }
  }
  if (scrub != nullptr) {
    for (Cycle cycle = scrub->next(codeword_, std::max<Cycle>(first + 1, 0)); cycle < end;
         cycle = scrub->next(codeword_, cycle + 1)) {
      events_.push_back({cycle, Event::Kind::kScrub, nullptr});
    }
  }
  std::stable_sort(events_.begin(), events_.end(), [](const Event& x, const Event& y) {
    return std::tuple(x.cycle, x.kind) < std::tuple(y.cycle, y.kind);
  });
}

CodewordInTime::~CodewordInTime() {
  for (const sim::CodewordBit bit : held_) {
    array_.release(bit);
  }
  array_.write(codeword_, {});
}

void CodewordInTime::act(const Event& event) {
  switch (event.kind) {
    case Event::Kind::kScrub:
      scrubbed_.add(array_.scrub(codeword_).status);
      break;
    case Event::Kind::kRelease:
      array_.release(event.fault->bit);
      std::erase(held_, event.fault->bit);
      break;
    case Event::Kind::kHold:
      array_.hold(event.fault->bit, event.fault->kind == FaultKind::kStuckAt1);
      held_.push_back(event.fault->bit);
      break;
    case Event::Kind::kFlip:
      array_.flip(event.fault->bit);
      break;
  }
}

void CodewordInTime::advance(Cycle cycle, bool is_write) {
  for (; next_ < events_.size(); ++next_) {
    const Event& event = events_[next_];
    if (event.cycle > cycle || (event.cycle == cycle && !(is_write && event.is_before_writes()))) {
      return;
    }
    act(event);
  }
}

sim::CodewordRead CodewordInTime::read(Cycle cycle) {
  advance(cycle, false);
  return array_.read(codeword_);
}

void CodewordInTime::write(Cycle cycle, const sim::BitString& data) {
  advance(cycle, true);
  array_.write(codeword_, data);
}

void CodewordInTime::write_back(Cycle cycle, const sim::CodewordRead& changed) {
  advance(cycle, true);
  array_.write_back(codeword_, changed);
}

std::vector<ReadSpan> CodewordInTime::after_write(Cycle cycle, const sim::BitString& data) {
  write(cycle, data);
  std::vector<ReadSpan> spans;
  Cycle since = cycle;
  do {
    const sim::CodewordRead now = read(since + 1);
    spans.push_back({since, now.data, now.status});
    since = next_ < events_.size() ? events_[next_].cycle : since;
  } while (next_ < events_.size());
  return spans;
}

}  // namespace tilestrike::bridge
