// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Which cores are there, and what is said of one that is not, or of contents that do not fit?
#include "sim/core/core_config.h"

#include <gtest/gtest.h>

#include "sim/core/core_run.h"

namespace tilestrike::sim {
namespace {

std::vector<Error> errors_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Failure& failure) {
    return failure.errors();
  }
  return {};
}

TEST(CoreConfigTest, AName) {
  const CoreConfig config = core_named("core_1024x64");
  EXPECT_EQ(config.axons, 1024);
  EXPECT_EQ(config.neurons, 64);
  EXPECT_EQ(config.destinations, 256);
  EXPECT_EQ(config.groups(), 8);
  EXPECT_EQ(config.ring_words(), 16);
  EXPECT_EQ(config.reset_words(), 256);
  EXPECT_EQ(config.watchdog_cycles(), 2 * (16 + 1024 * 17 + 16 + 64 + 256 + 1));
  EXPECT_EQ(core_named("core_16x16").ring_bits(), 16);
}

TEST(CoreConfigTest, ABadNameOrSizeIsNamedWithItsCure) {
  for (const char* name :
       {"core", "core_16", "core_16x", "mesh_16x16", "core_-16x16", "core_axb"}) {
    const std::vector<Error> errors = errors_of([&] { core_named(name); });
    ASSERT_EQ(errors.size(), 1U) << name;
    EXPECT_EQ(errors[0].what, "'" + std::string(name) + "' is no name of a core");
    EXPECT_NE(errors[0].cure.find("core_1024x64"), std::string::npos);
  }
  const std::vector<Error> errors = errors_of([&] { core_named("core_2048x24"); });
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].what, "axons: no core has 2048 of them");
  EXPECT_EQ(errors[0].cure, "give a power of two from 16 to 1024");
  EXPECT_EQ(errors[1].what, "neurons: no core has 24 of them");
  EXPECT_EQ(errors[2].what, "destinations: no core has 96 of them");
}

TEST(CoreConfigTest, FieldsAreRead) {
  Value file = Value::map();
  file.set("axons", Value::of("64"));
  file.set("membrane_bits", Value::of("16"));
  file.set("overflow", Value::of("symmetric"));
  Value cells = Value::map();
  cells.set("ring", Value::of("flip_flop"));
  file.set("cells", std::move(cells));
  CoreConfig config;
  ErrorList errors;
  read_fields(core_fields(), file, "core", config, errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(config.axons, 64);
  EXPECT_EQ(config.membrane_bits, 16);
  EXPECT_EQ(config.overflow, NeuronOverflow::kSymmetric);
  EXPECT_EQ(config.cells.ring, CoreCells::kFlipFlop);
  CoreConfig again;
  read_fields(core_fields(), write_fields(core_fields(), config), "core", again, errors);
  EXPECT_EQ(again, config);
}

TEST(CoreConfigTest, OtherSizesThatNoCoreHas) {
  CoreConfig config;
  config.membrane_bits = 20;
  config.queue = 3;
  config.watchdog = 10;
  ErrorList errors;
  check_core(config, "core.yaml:3", errors);
  const std::vector<Error> found = errors_of([&] { errors.throw_if_any(); });
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].what, "queue: no core has 3 of them");
  EXPECT_EQ(found[1].what, "membrane_bits: no core has membranes of 20 bits");
  EXPECT_EQ(found[1].where, "core.yaml:3");
  config = {};
  config.watchdog = 10;
  ErrorList late;
  check_core(config, "", late);
  EXPECT_EQ(errors_of([&] { late.throw_if_any(); }).at(0).what,
            "watchdog: 10 cycles are not enough for the reset before an inference");
}

TEST(CoreConfigTest, ContentsThatDoNotFit) {
  const CoreConfig config = core_named("core_16x16");
  CoreContents contents;
  contents.synapses.resize(257);
  NeuronParameters neuron;
  neuron.threshold = 1 << 23;
  neuron.leak = 4097;
  contents.neurons = {neuron};
  contents.routes = {{0, 64}};
  contents.destinations = {{true, 256, 1024, 16}};
  contents.ticks = 65536;
  ErrorList errors;
  check_contents(contents, config, errors);
  const std::vector<Error> found = errors_of([&] { errors.throw_if_any(); });
  ASSERT_EQ(found.size(), 8U);
  EXPECT_EQ(found[0].what, "257 synapses; the core has room for 256");
  EXPECT_EQ(found[1].what, "neuron 0: threshold is 8388608");
  EXPECT_EQ(found[1].cure, "give -8388608 to 8388607");
  EXPECT_EQ(found[2].what, "neuron 0: leak is 4097");
  EXPECT_EQ(found[3].what, "route of neuron 0: count is 64");
  EXPECT_EQ(found[4].what, "destination 0: core is 256");
  EXPECT_EQ(found[5].what, "destination 0: axon is 1024");
  EXPECT_EQ(found[6].what, "destination 0: delay is 16");
  EXPECT_EQ(found[7].what, "ticks is 65536");
}

TEST(CoreConfigTest, AFeedThatDoesNotFit) {
  const CoreConfig config = core_named("core_16x16");
  const auto refused = [&](const std::function<void(CoreFeed&)>& spoil) {
    CoreFeed feed;
    feed.ticks = 2;
    spoil(feed);
    const std::vector<Error> errors = errors_of([&] { CoreRun(config, {}, feed); });
    return errors.size() == 1 ? errors[0].what : "";
  };
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.ticks = 0; }), "an inference of 0 ticks");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.readout = 17; }), "a readout of 17 neurons");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.barrier = -1; }), "a tick of negative length");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.arrivals.resize(4); }), "arrivals in 4 ticks");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.core_number = kHostCore; }),
            "a core with the number 255");
  EXPECT_EQ(refused([](CoreFeed& feed) {
              feed.golden_lengths = {20, 9};
            }),
            "golden lengths of 2 ticks");
  EXPECT_EQ(refused([](CoreFeed& feed) {
              feed.golden_lengths = {20, 9, 0};
            }),
            "golden lengths of 3 ticks");
  EXPECT_EQ(refused([](CoreFeed& feed) {
              feed.arrivals = {{{17, 3, 0}}};
            }),
            "an event for axon 3 in slot 0 at cycle 17 of tick -1");
  EXPECT_EQ(refused([](CoreFeed& feed) {
              feed.arrivals = {{{18, 3, 16}}};
            }),
            "an event for axon 3 in slot 16 at cycle 18 of tick -1");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.fixed_tick = 5; }), "tick 0 takes 6 cycles of 5");
  EXPECT_EQ(refused([](CoreFeed& feed) { feed.fixed_tick = 6; }), "");
  CoreConfig impatient = config;
  impatient.watchdog = 20;
  CoreFeed feed;
  feed.arrivals = host_arrivals(impatient, {{0, 1, 2, 3}});
  const std::vector<Error> errors = errors_of([&] { CoreRun(impatient, {}, feed); });
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].what, "tick 0 takes 26 cycles, the watchdog 20");
}

}  // namespace
}  // namespace tilestrike::sim
