// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do intervals hold as often as they say, in campaigns whose truth is known?
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/coverage/cases.h"
#include "tests/whole_proofs.h"

namespace tilestrike::coverage {
namespace {

const std::int64_t kCampaigns = proof_size(1000, 200);
// Of 200 campaigns the share of those that hold scatters by 1.5 %.
const double kScatter = proof_size(0, 1) * 0.015;
constexpr double kOthersFailAt = 100;  // trials, or fewer

std::vector<CoverageCase> cases_of(const std::string& folder) {
#if defined(TS_COVERAGE_MESH)
  return mesh_cases(folder);
#elif defined(TS_COVERAGE_TENSORS)
  return tensor_cases(folder);
#else
  return memory_cases(folder);
#endif
}

TEST(IntervalsTest, HoldInRepeatedCampaigns) {
  const CoverageFolder folder;
  std::vector<Coverage> rows;
  for (const CoverageCase& each : cases_of(folder.path())) {
    if (std::ranges::none_of(each.sizes, &CampaignSize::is_in_test)) {
      continue;
    }
    RepeatedCampaigns repeated(each, folder.path());
    for (const CampaignSize& size : each.sizes) {
      if (size.is_in_test) {
        const std::vector<Coverage> found = repeated.run(size, kCampaigns);
        rows.insert(rows.end(), found.begin(), found.end());
      }
    }
  }
  std::printf("%s", table_of(rows, false).c_str());
  for (const Coverage& row : rows) {
    const std::string name = row.case_name + ", " + row.size + ", " + row.rate;
    EXPECT_GT(row.campaigns, kCampaigns / 4) << name;  // some strike no register of a kind
    if (row.interval.empty()) {
      EXPECT_GE(row.share(), kLeastCoverage - kScatter) << name;
    } else if (row.mean_trials <= kOthersFailAt) {
      // The suite tells a wrong interval from a right one.
      EXPECT_LT(row.share(), kLeastCoverage) << row.interval << ": " << name;
    }
  }
}

}  // namespace
}  // namespace tilestrike::coverage
