// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes two machines of a core alike, edge by edge, and counts by field.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <map>
#include <optional>

#include "sim/core/core_lockstep.h"
#include "sim/core/stepped_core.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::sim {

inline CoreConfig small_core() { return core_named("core_16x16"); }

/// With events of the host and of other cores during each tick, loops, and a window of three ticks.
inline CoreTaste busy_taste() {
  CoreTaste taste;
  taste.pending = 0.4;
  taste.has_loop = true;
  return taste;
}

class CoreLockstepCheck {
 public:
  CoreLockstepCheck(const CoreSites& sites, CoreMachine& other)
      : sites_(sites), stepped_(sites), other_(other) {}

  /// Steps the fault-free run.
  void begin(const CoreRun& run) {
    run_ = &run;
    pair_.emplace(run, stepped_, other_);
    const auto found = pair_->record();
    ASSERT_FALSE(found) << "without a fault: " << found->text(sites_);
  }

  /// Every bit of all storage at every cycle.
  void strike_everywhere() {
    for (std::uint64_t site = 0; site < sites_.total_bits(); ++site) {
      for (Cycle cycle = 1; cycle <= run_->cycles(); ++cycle) {
        const RegisterFault fault = core_fault(site, FaultKind::kFlip, cycle, 0);
        ASSERT_NO_FATAL_FAILURE(strike({&fault, 1}));
      }
    }
  }

  /// A flip of every bit at `times` cycles each.
  void strike_every_bit(int times, RandomStream& random) {
    for (std::uint64_t site = 0; site < sites_.total_bits(); ++site) {
      for (int i = 0; i < times; ++i) {
        const RegisterFault fault = core_fault(site, FaultKind::kFlip, cycle(random), 0);
        ASSERT_NO_FATAL_FAILURE(strike({&fault, 1}));
      }
    }
  }

  /// `strikes`, each field as often as any other: half of them flips, the others stuck-ats and
  /// pairs of any kind.
  void sample(int strikes, RandomStream& random) {
    for (int i = 0; i < strikes; ++i) {
      std::vector<RegisterFault> faults;
      for (int j = 0; j < (i % 8 == 7 ? 2 : 1); ++j) {
        const CoreField& field = sites_.fields()[random.below(sites_.fields().size())];
        const CoreSite site = sites_.site_of(field, random.below(sites_.bits_of(field)));
        const Cycle from = cycle(random);
        const bool is_stuck = i % 8 >= 4 && random.below(4) != 0;
        faults.push_back(core_fault(sites_.id_of(site).value,
                                    !is_stuck              ? FaultKind::kFlip
                                    : random.below(2) == 0 ? FaultKind::kStuckAt0
                                                           : FaultKind::kStuckAt1,
                                    from,
                                    random.below(8) == 0
                                        ? CycleWindow{}.until
                                        : from + 1 + static_cast<Cycle>(random.below(60))));
      }
      ASSERT_NO_FATAL_FAILURE(strike(faults));
    }
  }

  void strike(std::span<const RegisterFault> faults) {
    const CoreField& field = sites_.field_of(sites_.describe(faults[0].site));
    Count& count = counts_[&field];
    ++count.strikes;
    const CoreLockstepResult result = pair_->strike(faults);
    ASSERT_FALSE(result.disagreement)
        << name_of(faults[0].kind) << " of " << sites_.text(faults[0].site) << " at "
        << faults[0].when.from << ": " << result.disagreement->text(sites_);
    ++(!result.has_changed_word     ? count.unchanged
       : result.is_hung             ? count.hung
       : result.has_changed_outputs ? count.corrupted
                                    : count.masked);
    edges_ += result.edges;
  }

  void print(const char* title) const {
    std::printf("%s\n%-20s %9s %9s %9s %9s %9s\n", title, "field", "strikes", "no effect", "masked",
                "corrupted", "hung");
    Count all;
    for (const CoreField& field : sites_.fields()) {
      const auto found = counts_.find(&field);
      const Count count = found == counts_.end() ? Count{} : found->second;
      std::printf("%-20s %9lld %9lld %9lld %9lld %9lld\n", field.name.c_str(), count.strikes,
                  count.unchanged, count.masked, count.corrupted, count.hung);
      all.strikes += count.strikes;
      all.unchanged += count.unchanged;
      all.masked += count.masked;
      all.corrupted += count.corrupted;
      all.hung += count.hung;
    }
    std::printf("%-20s %9lld %9lld %9lld %9lld %9lld\n", "all", all.strikes, all.unchanged,
                all.masked, all.corrupted, all.hung);
    std::printf(
        "disagreements: 0 of %lld, upper 95 %% bound of their rate %.2g; %lld edges compared\n\n",
        all.strikes, -std::expm1(std::log(0.05) / static_cast<double>(all.strikes)), edges_);
  }

  long long strikes() const { return sum(&Count::strikes); }
  long long corrupted() const { return sum(&Count::corrupted); }
  long long hung() const { return sum(&Count::hung); }

 private:
  struct Count {
    long long strikes = 0, unchanged = 0, masked = 0, corrupted = 0, hung = 0;
  };
  Cycle cycle(RandomStream& random) const {
    return 1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run_->cycles())));
  }
  long long sum(long long Count::*member) const {
    long long all = 0;
    for (const auto& [field, count] : counts_) {
      all += count.*member;
    }
    return all;
  }

  const CoreSites& sites_;
  SteppedCore stepped_;
  CoreMachine& other_;
  const CoreRun* run_ = nullptr;
  std::optional<CoreLockstep> pair_;
  std::map<const CoreField*, Count> counts_;
  long long edges_ = 0;
};

}  // namespace tilestrike::sim
