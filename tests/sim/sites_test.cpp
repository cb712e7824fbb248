// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every flip-flop one site, and every site one flip-flop?
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "sim/mesh/mesh_sites.h"

namespace tilestrike::sim {
namespace {

class SitesTest : public testing::TestWithParam<std::tuple<int, int, Dataflow>> {
 protected:
  MeshConfig config() const {
    MeshConfig config;
    std::tie(config.rows, config.columns, config.dataflow) = GetParam();
    return config;
  }
};

TEST_P(SitesTest, DescribeAndIdAreInverse) {
  const MeshSites sites(config());
  std::set<std::tuple<Register, int, int, int, int>> seen;
  for (std::uint64_t id = 0; id < sites.total_bits(); ++id) {
    const MeshSite site = sites.describe(SiteId(id));
    ASSERT_EQ(sites.id_of(site), SiteId(id)) << sites.text(SiteId(id));
    ASSERT_LT(site.row, config().rows);
    ASSERT_LT(site.column, config().columns);
    ASSERT_GE(sites.delay(site), 0);
    ASSERT_LT(sites.delay(site), config().rows + config().columns);
    ASSERT_TRUE(seen.emplace(site.kind, site.row, site.column, site.position, site.bit).second);
  }
}

// Around the mesh, one beyond each end: what is found is every site, once, and nothing else.
TEST_P(SitesTest, APlaceIsFoundWhereThereIsASite) {
  const MeshSites sites(config());
  const int longest = std::max(config().rows, config().columns);
  std::uint64_t found = 0;
  MeshSite place;
  for (const RegisterBlock& block : sites.blocks()) {
    place.kind = block.kind;
    for (place.row = -1; place.row <= config().rows; ++place.row) {
      for (place.column = -1; place.column <= config().columns; ++place.column) {
        for (place.position = -1; place.position <= longest; ++place.position) {
          for (place.bit = -1; place.bit <= block.bits; ++place.bit) {
            const std::optional<SiteId> site = sites.find(place);
            found += site ? 1 : 0;
            ASSERT_TRUE(!site || sites.describe(*site) == place) << sites.text(*site);
          }
        }
      }
    }
  }
  EXPECT_EQ(found, sites.total_bits());
}

TEST_P(SitesTest, TotalsAreTheFormula) {
  const MeshConfig mesh = config();
  const auto r = static_cast<std::uint64_t>(mesh.rows);
  const auto c = static_cast<std::uint64_t>(mesh.columns);
  const std::uint64_t across = c * (c - 1) / 2;  // registers of a chain of each column
  // WS: a 8, b 32, d 8, v 1, s 1, c0 8, c1 8. OS: a 8, b 8, d 32, v 1, s 1, c0 32, c1 32.
  const std::uint64_t pe = mesh.is_weight_stationary() ? 66 : 114;
  const std::uint64_t expected =
      r * c * pe + 8 * r * (r - 1) / 2 + (32 + 8 + 1 + 1) * across + 32 * c + 32 * across;
  const MeshSites sites(mesh);
  EXPECT_EQ(sites.total_bits(), expected);
  std::uint64_t sum = 0;
  for (const RegisterBlock& block : sites.blocks()) {
    EXPECT_EQ(block.first, sum);
    EXPECT_EQ(&sites.block(block.kind), &block);
    sum += block.size();
  }
  EXPECT_EQ(sum, expected);
  EXPECT_EQ(sites.blocks().size(), static_cast<std::size_t>(kRegisterKinds));
}

INSTANTIATE_TEST_SUITE_P(Meshes, SitesTest,
                         testing::Combine(testing::Values(2, 5, 7, 16), testing::Values(2, 5, 16),
                                          testing::Values(Dataflow::kWeightStationary,
                                                          Dataflow::kOutputStationary)));

TEST(SiteNamesTest, NamesSayWhichRegisterAndWhere) {
  const MeshSites ws(MeshConfig{16, 16, Dataflow::kWeightStationary});
  MeshSite site;
  site.kind = Register::kVertical;
  site.row = 3;
  site.column = 5;
  site.bit = 12;
  EXPECT_EQ(ws.text(ws.id_of(site)), "partial_sum[3][5] bit 12");
  MeshSite skew;
  skew.kind = Register::kSkewActivation;
  skew.row = 4;
  skew.position = 2;
  EXPECT_EQ(ws.text(ws.id_of(skew)), "skew_activation[4] position 2 bit 0");
  const MeshSites os(MeshConfig{16, 16, Dataflow::kOutputStationary});
  site.bit = 7;
  EXPECT_EQ(os.text(os.id_of(site)), "weight[3][5] bit 7");
  EXPECT_EQ(os.block(Register::kStationary1).name, "accumulator_1");
}

TEST(SiteNamesTest, ARegisterIsKnownByItsName) {
  const MeshSites sites(MeshConfig{8, 4, Dataflow::kWeightStationary});
  for (const RegisterBlock& block : sites.blocks()) {
    EXPECT_EQ(sites.block_named(block.name), &block);
  }
  EXPECT_EQ(sites.block_named("accumulator_1"), nullptr);
}

TEST(SiteNamesTest, IndicesSayHowARegisterIsFound) {
  using Texts = std::vector<std::string>;
  const MeshSites sites(MeshConfig{8, 4, Dataflow::kWeightStationary});
  EXPECT_EQ(sites.indices(Register::kVertical),
            (Texts{"row (0 to 7)", "column (0 to 3)", "bit (0 to 31)"}));
  EXPECT_EQ(sites.indices(Register::kSkewActivation),
            (Texts{"row (0 to 7)", "position (below row)", "bit (0 to 7)"}));
  EXPECT_EQ(sites.indices(Register::kSkewValid),
            (Texts{"column (0 to 3)", "position (below column)", "bit (0 to 0)"}));
  EXPECT_EQ(sites.indices(Register::kOutput), (Texts{"column (0 to 3)", "bit (0 to 31)"}));
  EXPECT_EQ(sites.indices(Register::kDeskew),
            (Texts{"column (0 to 3)", "position (below columns - 1 - column)", "bit (0 to 31)"}));
}

TEST(SiteNamesTest, TheLargestMeshHasItsLastSite) {
  const MeshSites sites(MeshConfig{128, 128, Dataflow::kOutputStationary});
  const MeshSite last = sites.describe(SiteId(sites.total_bits() - 1));
  EXPECT_EQ(last.kind, Register::kDeskew);
  EXPECT_EQ(last.column, 0);
  EXPECT_EQ(last.position, 126);
  EXPECT_EQ(last.bit, 31);
  EXPECT_DEATH(sites.describe(SiteId(sites.total_bits())), "site beyond the mesh");
}

}  // namespace
}  // namespace tilestrike::sim
