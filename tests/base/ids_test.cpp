// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are ids of different kinds different types, and do they compare as their numbers?
#include "base/ids.h"

#include <gtest/gtest.h>

#include <type_traits>

namespace tilestrike {
namespace {

static_assert(!std::is_convertible_v<std::uint64_t, TrialId>, "a number is no id by itself");
static_assert(!std::is_convertible_v<TrialId, std::uint64_t>, "an id is no number by itself");
static_assert(!std::is_convertible_v<TrialId, SiteId>, "a trial is not a site");
static_assert(!std::is_constructible_v<SiteId, TrialId>, "a trial is not a site");

TEST(Ids, CompareAsTheirNumbers) {
  EXPECT_EQ(TrialId(3), TrialId(3));
  EXPECT_LT(TrialId(3), TrialId(4));
  EXPECT_EQ(ImageId().value, 0);
}

}  // namespace
}  // namespace tilestrike
