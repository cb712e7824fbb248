// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/codeword_in_time.h"

#include <algorithm>
#include <tuple>

namespace tilestrike::bridge {

CodewordInTime::CodewordInTime(sim::MemoryArray& array, const StruckWord& word,
                               const std::optional<sim::ScrubSchedule>& scrub)
    : array_(array), codeword_(word.codeword), scrub_(scrub) {
  for (const CellFault& fault : word.faults) {
    if (fault.kind == FaultKind::kFlip) {
      events_.push_back({fault.when.from, Event::Kind::kFlip, &fault});
      continue;
    }
    events_.push_back({fault.when.from, Event::Kind::kHold, &fault});
    if (!fault.when.is_permanent()) {
      events_.push_back({fault.when.until, Event::Kind::kRelease, &fault});
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
    case Event::Kind::kRelease:
      array_.release(event.fault->bit);
      std::erase(held_, event.fault->bit);
      await_scrub(event.cycle);
      return;
    case Event::Kind::kScrub:
      break;  // is no fault's
    case Event::Kind::kHold:
      array_.hold(event.fault->bit, event.fault->kind == FaultKind::kStuckAt1);
      held_.push_back(event.fault->bit);
      break;
    case Event::Kind::kFlip:
      array_.flip(event.fault->bit);
      break;
  }
  await_scrub(event.cycle + 1);
}

// What the codeword holds has changed: a scrub may find something in it, from cycle `from` on.
void CodewordInTime::await_scrub(Cycle from) {
  scrub_due_ = scrub_ && array_.is_marked(codeword_)
                   ? scrub_->next(codeword_, std::max<Cycle>(from, 0))
                   : kNever;
}

// Until the codeword changes again, later scrubs find no more than this one has: what was corrected
// is clean, what was not stays as it is, and what is stuck is corrected again.
void CodewordInTime::scrub() {
  const sim::EccStatus status = array_.scrub(codeword_).status;
  if (status != sim::EccStatus::kClean) {
    scrubbed_.at = scrubbed_.is_empty() ? scrub_due_ : scrubbed_.at;
    (status == sim::EccStatus::kCorrected ? scrubbed_.is_corrected : scrubbed_.is_detected) = true;
  }
  scrub_due_ = kNever;
}

void CodewordInTime::advance(Cycle cycle, bool is_write) {
  for (;;) {
    const Event* const event = next_ < events_.size() ? &events_[next_] : nullptr;
    const bool is_scrub = event == nullptr || std::tuple(scrub_due_, Event::Kind::kScrub) <
                                                  std::tuple(event->cycle, event->kind);
    const Cycle due = is_scrub ? scrub_due_ : event->cycle;
    const bool is_before_writes = is_scrub || event->kind == Event::Kind::kRelease;
    if (due > cycle || (due == cycle && !(is_write && is_before_writes))) {
      return;
    }
    if (is_scrub) {
      scrub();
    } else {
      ++next_;
      act(*event);
    }
  }
}

sim::CodewordRead CodewordInTime::read(Cycle cycle) {
  advance(cycle, false);
  return array_.read(codeword_);
}

void CodewordInTime::write(Cycle cycle, const sim::BitString& data) {
  advance(cycle, true);
  array_.write(codeword_, data);
  await_scrub(cycle + 1);
}

void CodewordInTime::write_back(Cycle cycle, const sim::CodewordRead& changed) {
  advance(cycle, true);
  array_.write_back(codeword_, changed);
  await_scrub(cycle + 1);
}

void CodewordInTime::refetch(Cycle cycle, const sim::BitString& data) {
  advance(cycle, false);
  array_.write(codeword_, data);
  await_scrub(cycle);
}

sim::BitString CodewordInTime::wait_until(Cycle cycle) {
  advance(cycle, true);
  return array_.cells(codeword_);
}

bool CodewordInTime::is_settled() const {
  return next_ == events_.size() && !array_.is_marked(codeword_);
}

std::vector<ReadSpan> CodewordInTime::after_write(Cycle cycle, const sim::BitString& data,
                                                  std::span<const Cycle> refetching_reads) {
  write(cycle, data);
  std::vector<ReadSpan> spans;
  for (Cycle since = cycle;;) {
    const sim::CodewordRead now = read(since + 1);
    const Cycle change =
        std::min(scrub_due_, next_ < events_.size() ? events_[next_].cycle : kNever);
    spans.push_back({since, now.data, now.status, std::nullopt});
    const auto reader = std::ranges::upper_bound(refetching_reads, since);
    if (now.status == sim::EccStatus::kDetected && reader != refetching_reads.end() &&
        *reader <= change) {
      spans.back().data = data;
      spans.back().status = sim::EccStatus::kCorrected;
      spans.back().refetched = *reader;
      refetch(*reader, data);
      since = *reader;
    } else if (change == kNever) {
      return spans;
    } else {
      since = change;
    }
  }
}

}  // namespace tilestrike::bridge
