// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the engine `rtl` answer a struck core as the engine `stepped` does, although it simulates
// only what the faults touch?
#include "rtl/core_model.h"
#include "rtl/engines.h"
#include "tests/sim/core_engine_jobs.h"

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

TEST_F(CoreEngineTest, ACoreThatIsNotBuiltIsNotCovered) {
  const auto rtl = make_core_engine("rtl", with_rtl());
  const Case job(core_named("core_32x16"), {}, random_);
  EXPECT_FALSE(rtl->covers({&job.golden, {}}));
}

}  // namespace
}  // namespace tilestrike::sim
