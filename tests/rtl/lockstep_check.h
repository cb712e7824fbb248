// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Strikes the RTL and the stepped machine alike, edge by edge, and counts by kind of register.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <vector>

#include "rtl/mesh_model.h"
#include "sim/compare/lockstep.h"
#include "sim/mesh/stepped_mesh.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::rtl {

/// Random operands of which every other one is extreme: -128, 127 or 0.
class ExtremeOperands final : public sim::Operands {
 public:
  ExtremeOperands(const sim::MeshRun& run, RandomStream& random)
      : config_(run.config()), plain_(run, random) {}
  void activations(int pass, int first, int count, std::int8_t* out) const override {
    plain_.activations(pass, first, count, out);
    sharpen(out, count * config_.rows);
  }
  void weights(int pass, int first, int count, std::int8_t* out) const override {
    plain_.weights(pass, first, count, out);
    sharpen(out, count * config_.columns);
  }
  void accumulators(int pass, int first, int count, std::int32_t* out) const override {
    plain_.accumulators(pass, first, count, out);
  }

 private:
  // By value, so that an operand is the same however it is fetched; padding stays zero.
  static void sharpen(std::int8_t* values, int count) {
    constexpr std::int8_t kExtremes[] = {-128, 127, 0};
    for (int i = 0; i < count; ++i) {
      const auto value = static_cast<std::uint8_t>(values[i]);
      values[i] = value % 2 == 1 ? kExtremes[value / 2 % 3] : values[i];
    }
  }
  const sim::MeshConfig config_;
  const sim::RandomOperands plain_;
};

class LockstepCheck {
 public:
  explicit LockstepCheck(const sim::MeshConfig& config)
      : config_(config), sites_(config), rtl_(config, sites_), counts_(kKinds) {}

  /// Every bit of every register at every cycle, from the first preload to the last drain; with a
  /// `step`, every step-th bit.
  void strike_everywhere(const sim::MeshRun& run, const sim::Operands& operands,
                         std::uint64_t step = 1) {
    ASSERT_NO_FATAL_FAILURE(begin(run, operands));
    for (std::uint64_t site = 0; site < sites_.total_bits(); site += step) {
      for (Cycle cycle = 1; cycle <= run.cycles(); ++cycle) {
        const RegisterFault fault = sim::flip_of(site, cycle);
        ASSERT_NO_FATAL_FAILURE(strike({&fault, 1}));
      }
    }
  }

  /// `strikes` that are uniform over sites and cycles: three quarters single flips, the others
  /// stuck-ats, and pairs of faults of any kind.
  void sample(const sim::MeshRun& run, const sim::Operands& operands, int strikes,
              RandomStream& random) {
    ASSERT_NO_FATAL_FAILURE(begin(run, operands));
    for (int i = 0; i < strikes; ++i) {
      std::vector<RegisterFault> faults;
      const int count = i % 8 == 7 ? 2 : 1;
      for (int j = 0; j < count; ++j) {
        RegisterFault fault = sim::flip_of(
            random.below(sites_.total_bits()),
            1 + static_cast<Cycle>(random.below(static_cast<std::uint64_t>(run.cycles()))));
        if (i % 8 == 6 || (count == 2 && random.below(2) == 1)) {
          fault.kind = random.below(2) == 0 ? FaultKind::kStuckAt0 : FaultKind::kStuckAt1;
          fault.when.until = fault.when.from + 1 + static_cast<Cycle>(random.below(40));
        }
        faults.push_back(fault);
      }
      std::sort(faults.begin(), faults.end(),
                [](const auto& x, const auto& y) { return x.when.from < y.when.from; });
      ASSERT_NO_FATAL_FAILURE(strike(faults));
    }
  }

  /// Per kind of register: strikes, how many changed a result, agreement.
  void print(const char* title) const {
    std::printf("%s\n%-16s %10s %10s %9s %10s %9s\n", title, "register", "strikes", "no effect",
                "masked", "corrupted", "agree");
    Count all;
    const auto line = [](const char* name, const Count& count) {
      std::printf("%-16s %10lld %10lld %9lld %10lld %9lld\n", name, count.strikes, count.unchanged,
                  count.masked, count.corrupted, count.agreed);
    };
    for (const sim::RegisterBlock& block : sites_.blocks()) {
      const Count& count = counts_[static_cast<std::size_t>(block.kind)];
      line(block.name.c_str(), count);
      all.strikes += count.strikes;
      all.unchanged += count.unchanged;
      all.masked += count.masked;
      all.corrupted += count.corrupted;
      all.agreed += count.agreed;
    }
    line("all", all);
    std::printf(
        "disagreements: %lld of %lld; were there none, upper 95 %% bound of their rate %.2g\n\n",
        all.strikes - all.agreed, all.strikes,
        -std::expm1(std::log(0.05) / static_cast<double>(all.strikes)));
  }

  const sim::MeshSites& sites() const { return sites_; }
  long long strikes() const {
    long long all = 0;
    for (const Count& count : counts_) {
      all += count.strikes;
    }
    return all;
  }
  long long corrupted() const {
    long long all = 0;
    for (const Count& count : counts_) {
      all += count.corrupted;
    }
    return all;
  }

 private:
  struct Count {
    long long strikes = 0, unchanged = 0, masked = 0, corrupted = 0, agreed = 0;
  };
  static constexpr std::size_t kKinds = sim::kRegisterKinds;

  void begin(const sim::MeshRun& run, const sim::Operands& operands) {
    stepped_.emplace(run.config(), sites_);
    rtl_.reset();
    pair_.emplace(run, operands, sites_, *stepped_, rtl_);
    const auto found = pair_->record();
    ASSERT_FALSE(found) << "without a fault: " << found->text(sites_);
  }

  void strike(std::span<const RegisterFault> faults) {
    Count& count = counts_[static_cast<std::size_t>(sites_.describe(faults[0].site).kind)];
    ++count.strikes;
    const sim::LockstepResult result = pair_->strike(faults);
    ASSERT_FALSE(result.disagreement)
        << name_of(faults[0].kind) << " of " << sites_.text(faults[0].site) << " at "
        << faults[0].when.from << ": " << result.disagreement->text(sites_);
    ++count.agreed;
    ++(!result.changed_word          ? count.unchanged
       : result.changed_results == 0 ? count.masked
                                     : count.corrupted);
  }

  const sim::MeshConfig config_;  // but for the preload
  const sim::MeshSites sites_;
  std::optional<sim::SteppedMesh> stepped_;
  MeshModel rtl_;
  std::optional<sim::Lockstep> pair_;
  std::vector<Count> counts_;  // by kind
};

}  // namespace tilestrike::rtl
