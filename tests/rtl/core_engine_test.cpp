// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the engine `rtl` answer a struck core as the engine `stepped` does, although it simulates
// only what the faults touch?
#include "rtl/core_model.h"
#include "rtl/engines.h"
#include "tests/sim/core_engine_jobs.h"
#include "tests/whole_proofs.h"

namespace tilestrike::sim {
namespace {

std::vector<CoreEngineEntry> with_rtl() {
  std::vector<CoreEngineEntry> engines = builtin_core_engines();
  rtl::add_core_engines(engines);
  return engines;
}

TEST_F(CoreEngineTest, RtlEqualsStepped) {
  const auto rtl = make_core_engine("rtl", with_rtl());
  for (int trial = 0; trial < 16; ++trial) {
    const Case job(small_core(), taste_of(trial), random_);
    for (int i = 0; i < 150; ++i) {
      std::vector<RegisterFault> faults;
      for (int j = 0; j < (i % 6 == 5 ? 2 : 1); ++j) {
        faults.push_back(any_fault(job, i % 2 == 0 ? 0 : static_cast<int>(random_.below(3))));
      }
      ASSERT_NO_FATAL_FAILURE(expect_equal(job, faults, *rtl)) << trial;
    }
  }
  EXPECT_EQ(not_covered_, 0);
  EXPECT_GT(changed_, compared_ / 10);
  EXPECT_GT(hung_, 5);
  EXPECT_GT(saved_, compared_ / 2);
}

// Flips, stuck-ats and clusters of neighbouring bits, each field as often as any other.
TEST_F(CoreEngineTest, FieldByFieldInTheShippedSizes) {
  const auto rtl = make_core_engine("rtl", with_rtl());
  const int strikes = proof_size(3000, 4);
  for (const char* name : {"core_1024x64", "core_256x256"}) {
    CoreTaste taste;
    taste.pending = 0.05;
    taste.ticks = 4;
    const Case job(core_named(name), taste, random_);
    for (const CoreField& field : job.sites.fields()) {
      for (int i = 0; i < strikes; ++i) {
        CoreSite site = job.sites.site_of(field, random_.below(job.sites.bits_of(field)));
        const Cycle from =
            1 + static_cast<Cycle>(random_.below(static_cast<std::uint64_t>(job.run.cycles())));
        std::vector<RegisterFault> faults;
        const int bits = i % 4 == 3 ? 2 + static_cast<int>(random_.below(3)) : 1;
        for (int bit = 0; bit < bits && job.sites.find(site); ++bit, ++site.bit) {
          faults.push_back(core_fault(job.sites.id_of(site).value,
                                      i % 4 != 2   ? FaultKind::kFlip
                                      : i % 8 == 2 ? FaultKind::kStuckAt0
                                                   : FaultKind::kStuckAt1,
                                      from, from + 1 + static_cast<Cycle>(random_.below(4000))));
        }
        ASSERT_NO_FATAL_FAILURE(expect_equal(job, faults, *rtl)) << field.name;
        ASSERT_NO_FATAL_FAILURE(expect_equal(job, faults, *systemc_)) << field.name;
        ASSERT_NO_FATAL_FAILURE(expect_equal(job, faults, *closed_form_)) << field.name;
      }
    }
  }
  std::printf("%d answers compared, %d with an effect, %d hung, %d not covered\n", compared_,
              changed_, hung_, not_covered_);
  EXPECT_GT(changed_, compared_ / 10);
}

TEST_F(CoreEngineTest, ACoreThatIsNotBuiltIsNotCovered) {
  const auto rtl = make_core_engine("rtl", with_rtl());
  const Case job(core_named("core_32x16"), {}, random_);
  EXPECT_FALSE(rtl->covers({&job.golden, {}}));
}

}  // namespace
}  // namespace tilestrike::sim
