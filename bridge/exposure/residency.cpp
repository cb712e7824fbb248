// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/exposure/residency.h"

#include "base/error.h"

namespace tilestrike::bridge {
namespace {

const Schedule& checked(const Schedule& schedule) {
  TS_CHECK(schedule.memory() != nullptr, "a schedule with memories");
  return schedule;
}

}  // namespace

Residency::Residency(const Schedule& schedule)
    : schedule_(checked(schedule)),
      weights_(schedule),
      activations_(schedule),
      sums_(schedule),
      backing_(schedule, {&weights_, &activations_}),
      all_{&weights_, &activations_, &sums_, &backing_} {}

const Copies* Residency::copies_at(std::size_t memory, std::int64_t address) const {
  for (const Copies* copies : all_) {
    if (copies->lie_at(memory, address)) {
      return copies;
    }
  }
  return nullptr;
}

Occupant Residency::at(std::size_t memory, sim::CodewordId codeword, Cycle cycle) const {
  const std::int64_t address = address_of(memory, codeword);
  const Copies* const copies = copies_at(memory, address);
  return copies == nullptr ? Occupant() : copies->at(address, cycle);
}

std::vector<Occupant> Residency::all_in(std::size_t memory, sim::CodewordId codeword) const {
  const std::int64_t address = address_of(memory, codeword);
  const Copies* const copies = copies_at(memory, address);
  return copies == nullptr ? std::vector<Occupant>() : copies->all_in(address);
}

std::vector<Occupant> Residency::during(std::size_t memory, sim::CodewordId codeword,
                                        CycleWindow window) const {
  std::vector<Occupant> all = all_in(memory, codeword);
  std::vector<Occupant> alive;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool is_gone = i + 1 < all.size() && all[i + 1].written <= window.from;
    if (all[i].written < window.until && !is_gone) {
      alive.push_back(all[i]);
    }
  }
  return alive;
}

}  // namespace tilestrike::bridge
