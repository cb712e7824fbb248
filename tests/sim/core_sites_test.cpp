// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is every storage bit of a core one site, of one field, with a place in the state? And are there
// as many as docs/core.md says?
#include "sim/core/core_sites.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "sim/core/core_state.h"
#include "tests/sim/core_jobs.h"

namespace tilestrike::sim {
namespace {

TEST(CoreSitesTest, TotalsAreThoseOfTheDocument) {
  const CoreSites sites(core_named("core_256x256"));
  const auto bits = [&](const char* name) { return sites.block_named(name)->size(); };
  EXPECT_EQ(bits("synapses"), 256U * 32 * 64);
  EXPECT_EQ(bits("accumulators"), 32U * 8 * 24);
  EXPECT_EQ(bits("membranes"), 32U * 8 * 24);
  EXPECT_EQ(bits("parameters"), 32U * 8 * 96);
  EXPECT_EQ(bits("refractory"), 32U * 8 * 4);
  EXPECT_EQ(bits("ring"), 16U * 256);
  EXPECT_EQ(bits("neuron_routes"), 256U * 2 * 10);
  EXPECT_EQ(bits("destinations"), 1024U * (1 + 8 + 10 + 4));
  EXPECT_EQ(bits("queue"), 16U * (8 + 10 + 4));
  EXPECT_EQ(bits("pending"), 256U);
  EXPECT_EQ(bits("sum_latch"), 192U);
  EXPECT_EQ(bits("parameter_latch"), 768U);
  std::uint64_t all = 0, of_fields = 0;
  for (const CoreBlock& block : sites.blocks()) {
    all += block.size();
  }
  for (const CoreField& field : sites.fields()) {
    of_fields += sites.bits_of(field);
  }
  EXPECT_EQ(all, sites.total_bits());
  EXPECT_EQ(of_fields, sites.total_bits());
  EXPECT_EQ(sites.total_bits(CoreCells::kSram) + sites.total_bits(CoreCells::kFlipFlop), all);
  EXPECT_EQ(sites.bits_of(*sites.field_named("threshold")), 256U * 24);
  EXPECT_EQ(sites.block_named("thresholds"), nullptr);
  EXPECT_EQ(sites.field_named("thresholds"), nullptr);
}

TEST(CoreSitesTest, EachBitIsOneSite) {
  for (const int bits : {16, 24}) {
    CoreConfig config = core_named("core_16x16");
    config.membrane_bits = bits;
    const CoreSites sites(config);
    CoreState state(sites);
    std::map<const CoreField*, std::uint64_t> seen;
    for (std::uint64_t id = 0; id < sites.total_bits(); ++id) {
      const CoreSite site = sites.describe(SiteId(id));
      ASSERT_EQ(sites.id_of(site).value, id);
      const CoreField& field = sites.field_of(site);
      ASSERT_EQ(field.storage, site.storage);
      ++seen[&field];
      ASSERT_FALSE(state.bit(site)) << sites.text(SiteId(id)) << " is another site, too";
      state.flip(site);
    }
    for (const CoreField& field : sites.fields()) {
      ASSERT_EQ(seen[&field], sites.bits_of(field)) << field.name;
      for (std::uint64_t number = 0; number < sites.bits_of(field); ++number) {
        ASSERT_EQ(&sites.field_of(sites.site_of(field, number)), &field);
      }
    }
    EXPECT_FALSE(sites.find({CoreStorage::kState, 0, 4}));
    EXPECT_FALSE(sites.find({CoreStorage::kState, 1, 0}));
    EXPECT_FALSE(sites.find({CoreStorage::kRing, 16, 0}));
    EXPECT_FALSE(sites.find({CoreStorage::kRing, 0, -1}));
  }
}

TEST(CoreSitesTest, SitesInWords) {
  const CoreSites sites(core_named("core_16x16"));
  const auto text = [&](const CoreSite& site) { return sites.text(sites.id_of(site)); };
  EXPECT_EQ(text({CoreStorage::kParameters, 1, 5 * 96 + 12}),
            "parameters[1] lane 5 threshold bit 12");
  EXPECT_EQ(text({CoreStorage::kParameters, 1, 95}), "parameters[1] lane 0 spare bit 1");
  EXPECT_EQ(text({CoreStorage::kSynapses, 31, 63}), "synapses[31] lane 7 bit 7");
  EXPECT_EQ(text({CoreStorage::kRing, 7, 3}), "ring[7] bit 3");
  EXPECT_EQ(text({CoreStorage::kDestinations, 2, 10}), "destinations[2] destination_axon bit 1");
  EXPECT_EQ(text({CoreStorage::kState, 0, 3}), "state bit 3");
  EXPECT_EQ(text({CoreStorage::kSumLatch, 0, 25}), "sum_latch lane 1 bit 1");
}

TEST(CoreSitesTest, ParametersLieInTheirFields) {
  const CoreSites sites(core_named("core_16x16"));
  RandomStream random(62, 0, Purpose::kTest);
  for (int trial = 0; trial < 2000; ++trial) {
    CoreState state(sites);
    const NeuronParameters neuron = random_neuron(random, true);
    const auto lane = static_cast<int>(random.below(8));
    std::uint64_t* word = state.word(CoreStorage::kParameters, 1);
    write_parameters(word, lane * kParameterBits, neuron);
    const auto field = [&](const char* name) {
      const CoreField* found = sites.field_named(name);
      return static_cast<std::int64_t>(
          state.field({found->storage, 1, lane * kParameterBits + found->first}));
    };
    ASSERT_EQ(sign_extended(field("threshold"), 24), neuron.threshold);
    ASSERT_EQ(sign_extended(field("bias"), 24), neuron.bias);
    ASSERT_EQ(sign_extended(field("reset"), 24), neuron.reset);
    ASSERT_EQ(field("leak"), neuron.leak);
    ASSERT_EQ(field("refractory_period"), neuron.refractory);
    ASSERT_EQ(field("enable"), neuron.is_enabled);
    ASSERT_EQ(field("reset_mode"), neuron.is_soft_reset);
    ASSERT_EQ(field("leak_rounding"), static_cast<int>(neuron.rounding));
    ASSERT_EQ(field("refractory_mode"), neuron.holds);
    ASSERT_EQ(field("spare"), 0);
    const NeuronParameters again = read_parameters(word, lane * kParameterBits);
    ASSERT_EQ(again.threshold, neuron.threshold);
    ASSERT_EQ(again.leak, neuron.leak);
    ASSERT_EQ(again.rounding, neuron.rounding);
    ASSERT_EQ(again.holds, neuron.holds);
    ASSERT_EQ(again.is_enabled, neuron.is_enabled);
    ASSERT_EQ(again.is_soft_reset, neuron.is_soft_reset);
    ASSERT_EQ(again.refractory, neuron.refractory);
    ASSERT_EQ(again.bias, neuron.bias);
    ASSERT_EQ(again.reset, neuron.reset);
  }
}

}  // namespace
}  // namespace tilestrike::sim
