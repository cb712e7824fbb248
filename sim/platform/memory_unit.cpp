// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/platform/memory_unit.h"

#include <algorithm>

#include "base/error.h"

namespace tilestrike::sim {

MemoryUnit::MemoryUnit(const MemoryConfig& config)
    : array_(ArrayGeometry(config.array()), config.code()), scrub_period_(config.scrub_cycles) {
  clear();
}

void MemoryUnit::set_scrub_phase(std::optional<Cycle> phase) {
  TS_CHECK(!phase || (*phase >= 0 && *phase < scrub_period_), "a phase within a scrubber's round");
  TS_CHECK(scrubs_.empty() && arrivals_.empty(), "nothing has struck the memory");
  scrubber_.reset();
  if (phase) {
    scrubber_.emplace(scrub_period_, array_.geometry().codewords(), -*phase);
  }
}

void MemoryUnit::arm(const PlatformStrike& strike) {
  TS_CHECK(strike.bit.codeword.value < array_.geometry().codewords() && strike.bit.bit >= 0 &&
               strike.bit.bit < array_.geometry().codeword_bits(),
           "a cell of the memory");
  const auto add = [&](Cycle cycle, Part part, Action action) {
    // What struck before cycle 0 is there when it begins.
    const Arrival arrival{cycle < 0 ? 0 : tick_of(cycle, part), strike.bit, action};
    arrivals_.insert(
        std::upper_bound(arrivals_.begin() + static_cast<std::ptrdiff_t>(arrived_), arrivals_.end(),
                         arrival,
                         [](const Arrival& x, const Arrival& y) { return x.tick < y.tick; }),
        arrival);
  };
  switch (strike.kind) {
    case FaultKind::kFlip:
      add(strike.when.from, Part::kStrikes, Action::kFlip);
      return;
    case FaultKind::kRandom:
      add(strike.when.from, Part::kStrikes, strike.random_value ? Action::kSet1 : Action::kSet0);
      return;
    case FaultKind::kStuckAt0:
    case FaultKind::kStuckAt1:
      if (strike.when.from >= strike.when.until || strike.when.until <= 0) {
        return;
      }
      add(strike.when.from, Part::kStrikes,
          strike.kind == FaultKind::kStuckAt1 ? Action::kHold1 : Action::kHold0);
      if (!strike.when.is_permanent()) {
        add(strike.when.until, Part::kReleases, Action::kRelease);
      }
  }
}

void MemoryUnit::await_scrub(CodewordId codeword, Cycle from) {
  if (scrubber_ && array_.is_marked(codeword) && awaiting_scrub_.insert(codeword.value).second) {
    scrubs_.emplace(scrubber_->next(codeword, from), codeword.value);
  }
}

void MemoryUnit::arrive(Tick tick) {
  for (; arrived_ < arrivals_.size() && arrivals_[arrived_].tick <= tick; ++arrived_) {
    const Arrival& arrival = arrivals_[arrived_];
    switch (arrival.action) {
      case Action::kFlip:
        array_.flip(arrival.bit);
        break;
      case Action::kHold0:
      case Action::kHold1:
        array_.hold(arrival.bit, arrival.action == Action::kHold1);
        break;
      case Action::kSet0:
      case Action::kSet1:
        array_.apply(
            array_.fault_of({}, arrival.bit, FaultKind::kRandom, arrival.action == Action::kSet1));
        break;
      case Action::kRelease:
        array_.release(arrival.bit);
        break;
    }
    // Strikes come after their cycle's scrub.
    const Cycle now = cycle_of(tick);
    await_scrub(arrival.bit.codeword, tick < tick_of(now, Part::kScrubs) ? now : now + 1);
  }
  if (arrived_ == arrivals_.size()) {
    arrivals_.clear();
    arrived_ = 0;
  }
}

void MemoryUnit::scrub(Tick tick, std::vector<std::pair<Cycle, CodewordFinding>>& findings) {
  while (next_scrub() <= tick) {
    const auto [cycle, word] = *scrubs_.begin();
    const CodewordId codeword(word);
    scrubs_.erase(scrubs_.begin());
    awaiting_scrub_.erase(word);
    if (!array_.is_marked(codeword)) {
      continue;  // written since
    }
    const CodewordRead found = array_.scrub(codeword);
    if (found.status != EccStatus::kClean) {
      findings.emplace_back(cycle, CodewordFinding{codeword, found.status, found.is_poisoned});
    }
    await_scrub(codeword, cycle + 1);
  }
}

bool MemoryUnit::shares_codeword(const HeldRead& other, std::uint64_t address,
                                 std::uint64_t bytes) const {
  const auto width = static_cast<std::uint64_t>(array_.code().data_bits());
  if (address * 8 >= (other.address + other.bytes) * 8 + width ||
      other.address * 8 >= (address + bytes) * 8 + width) {
    return false;  // far apart
  }
  const auto first = [&](std::uint64_t at) { return at * 8 / width; };
  const auto last = [&](std::uint64_t end) { return (end * 8 - 1) / width; };
  return bytes > 0 && other.bytes > 0 && first(address) <= last(other.address + other.bytes) &&
         first(other.address) <= last(address + bytes);
}

void MemoryUnit::access(AccessKind kind, std::uint64_t address, std::span<std::uint8_t> data,
                        std::uint32_t beats, std::vector<CodewordFinding>& findings) {
  if (beats > 1 && (kind == AccessKind::kReadForUpdate || kind == AccessKind::kWriteBack)) {
    const std::size_t bytes = data.size() / beats;  // halves are matched beat by beat
    for (std::uint32_t beat = 0; beat < beats; ++beat) {
      access(kind, address + beat * bytes, data.subspan(beat * bytes, bytes), 1, findings);
    }
    return;
  }
  switch (kind) {
    case AccessKind::kRead:
      array_.read_bytes(address, data, findings);
      return;
    case AccessKind::kReadForUpdate:
      for (const HeldRead& other : held_) {
        TS_CHECK(!shares_codeword(other, address, data.size()),
                 "a codeword is in one read-modify-write at a time");
      }
      held_.push_back(array_.read_and_hold(address, data, findings));
      return;
    case AccessKind::kWrite:
      array_.write_bytes(address, data, findings);
      return;
    case AccessKind::kWriteBack: {
      const auto held = std::find_if(held_.begin(), held_.end(), [&](const HeldRead& read) {
        return read.address == address && read.bytes == data.size();
      });
      TS_CHECK(held != held_.end(), "what is written back was read for it");
      array_.write_back_bytes(*held, data);
      held_.erase(held);
      return;
    }
  }
}

void MemoryUnit::zero_held(CodewordId codeword) {
  for (HeldRead& held : held_) {
    for (auto& [word, read] : held.codewords) {
      if (word == codeword) {
        read = {};
      }
    }
  }
}

void MemoryUnit::clear() {
  array_.clear();
  arrivals_.clear();
  arrived_ = 0;
  scrubs_.clear();
  awaiting_scrub_.clear();
  held_.clear();
  set_scrub_phase(scrub_period_ > 0 ? std::optional<Cycle>(0) : std::nullopt);
}

}  // namespace tilestrike::sim
