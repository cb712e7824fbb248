// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do cells fail as often as the law says, always the same ones of a chip, more of them at a lower
// voltage, along rows and columns and in the direction that is asked for?
#include "sim/strikes/low_voltage.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <set>

#include "base/provenance.h"
#include "tests/sim/chi_square.h"

namespace tilestrike::sim {
namespace {

/// 2 banks of 128 rows of 288 columns, SEC-DED and interleaved: 73 728 cells.
const ArrayGeometry& geometry() {
  static const ArrayGeometry all({8 * 1024, 2, 32, 64, 8, 4});
  return all;
}

LowVoltageConfig law(double correlated) {
  LowVoltageConfig config;
  config.median = 0.5;
  config.sigma = 0.04;
  config.correlated = correlated;
  return config;
}

std::vector<FailingCell> failing(const LowVoltageConfig& config, std::uint64_t chip, double voltage,
                                 std::uint64_t array = 0) {
  return LowVoltageArray(geometry(), config, 1, chip, array).failing(voltage);
}

TEST(LowVoltageTest, TheLawIsNormal) {
  const LowVoltageConfig config = law(0);
  EXPECT_DOUBLE_EQ(failing_share(config, 0.5), 0.5);
  EXPECT_NEAR(failing_share(config, 0.54), 0.158655, 1e-6);
  EXPECT_NEAR(failing_share(config, 0.42), 0.977250, 1e-6);
  for (const double share : {1e-12, 1e-6, 0.01, 0.5, 0.9}) {
    EXPECT_NEAR(failing_share(config, voltage_of_share(config, share)) / share, 1.0, 1e-9);
  }
  // The shipped law goes through what its source says.
  EXPECT_NEAR(failing_share(LowVoltageConfig{}, 0.54), 6e-4, 0.2e-4);
  EXPECT_NEAR(failing_share(LowVoltageConfig{}, 0.61) * 37e6, 1.0, 0.3);
  for (const ParameterSource& parameter : low_voltage_sources()) {
    EXPECT_EQ(provenance_of(parameter.source), Provenance::kAssumed) << parameter.key;
  }
}

TEST(LowVoltageTest, AsManyCellsFailAsTheLawSaysWithoutCorrelation) {
  for (const double voltage : {0.62, 0.58, 0.52, 0.45}) {
    std::uint64_t count = 0;
    constexpr std::uint64_t kChips = 10;
    for (std::uint64_t chip = 0; chip < kChips; ++chip) {
      count += failing(law(0), chip, voltage).size();
    }
    EXPECT_LT(std::abs(binomial_score(count, kChips * geometry().cells(),
                                      failing_share(law(0), voltage))),
              kFarOff)
        << voltage;
  }
}

TEST(LowVoltageTest, AsManyCellsFailWithCorrelationOverManyChips) {
  // Chips spread more then: the interval is that of the chips' own counts.
  for (const double correlated : {0.3, 1.0}) {
    for (const double voltage : {0.61, 0.56}) {
      constexpr int kChips = 300;
      double sum = 0.0, squares = 0.0;
      for (std::uint64_t chip = 0; chip < kChips; ++chip) {
        const auto count = static_cast<double>(failing(law(correlated), chip, voltage).size());
        sum += count;
        squares += count * count;
      }
      const double mean = sum / kChips;
      const double error = std::sqrt((squares / kChips - mean * mean) / kChips);
      const double expected =
          failing_share(law(0), voltage) * static_cast<double>(geometry().cells());
      EXPECT_LT(std::abs(mean - expected), kFarOff * error) << correlated << " at " << voltage;
      EXPECT_LT(error / expected, 0.1);
    }
  }
}

TEST(LowVoltageTest, ACellThatFailsFailsAtEveryLowerVoltageTheSameWay) {
  const LowVoltageConfig config = law(0.4);
  for (std::uint64_t chip = 0; chip < 3; ++chip) {
    const auto most = failing(config, chip, 0.47);
    std::map<CodewordBit, FailingCell> known;
    for (const FailingCell& cell : most) {
      EXPECT_TRUE(known.emplace(cell.bit, cell).second) << "a cell is there once";
    }
    EXPECT_TRUE(std::ranges::is_sorted(most, {}, &FailingCell::bit));
    for (const double voltage : {0.65, 0.6, 0.55, 0.51, 0.49}) {
      const double share = failing_share(config, voltage);
      std::size_t expected = 0;
      for (const FailingCell& cell : most) {
        expected += cell.share < share ? 1 : 0;
      }
      const auto cells = failing(config, chip, voltage);
      EXPECT_EQ(cells.size(), expected) << voltage;
      if (!cells.empty()) {
        EXPECT_GE(voltage_of_share(config, cells.back().share), voltage);
      }
      for (const FailingCell& cell : cells) {
        const auto at = known.find(cell.bit);
        ASSERT_NE(at, known.end()) << voltage;
        EXPECT_EQ(at->second.value, cell.value);
        EXPECT_EQ(at->second.share, cell.share);
      }
    }
  }
}

TEST(LowVoltageTest, ChipsAndArraysFailEachInTheirOwnWay) {
  const auto bits = [](const std::vector<FailingCell>& cells) {
    std::set<CodewordBit> all;
    for (const FailingCell& cell : cells) {
      all.insert(cell.bit);
    }
    return all;
  };
  const auto one = bits(failing(law(0), 4, 0.55));
  EXPECT_EQ(one, bits(failing(law(0), 4, 0.55)));
  // Sharing cells by chance: p squared of all.
  const double p = failing_share(law(0), 0.55);
  for (const auto& other : {bits(failing(law(0), 5, 0.55)), bits(failing(law(0), 4, 0.55, 1)),
                            bits(LowVoltageArray(geometry(), law(0), 2, 4, 0).failing(0.55))}) {
    std::vector<CodewordBit> both;
    std::ranges::set_intersection(one, other, std::back_inserter(both));
    EXPECT_LT(std::abs(binomial_score(both.size(), geometry().cells(), p * p)), kFarOff);
  }
}

/// Standard scores of the counts by row, and by column, over chips.
std::pair<double, double> line_scores(const LowVoltageConfig& config, double voltage) {
  constexpr std::uint64_t kChips = 25;
  const auto rows = static_cast<std::size_t>(geometry().banks() * geometry().rows());
  const auto columns = static_cast<std::size_t>(geometry().banks() * geometry().columns());
  std::vector<std::uint64_t> by_row(rows * kChips), by_column(columns * kChips);
  double count = 0;
  for (std::uint64_t chip = 0; chip < kChips; ++chip) {
    for (const FailingCell& cell : failing(config, chip, voltage)) {
      const Cell at = geometry().cell_of(cell.bit);
      const auto bank = static_cast<std::size_t>(at.bank);
      ++by_row[(chip * 2 + bank) * static_cast<std::size_t>(geometry().rows()) +
               static_cast<std::size_t>(at.row)];
      ++by_column[(chip * 2 + bank) * static_cast<std::size_t>(geometry().columns()) +
                  static_cast<std::size_t>(at.column)];
      ++count;
    }
  }
  const std::vector<double> row_means(by_row.size(), count / static_cast<double>(by_row.size()));
  const std::vector<double> column_means(by_column.size(),
                                         count / static_cast<double>(by_column.size()));
  return {chi_square_score(by_row, row_means), chi_square_score(by_column, column_means)};
}

TEST(LowVoltageTest, OnlyCorrelatedFailuresLieInRowsAndColumns) {
  constexpr double kVoltage = 0.542;  // some 15 % of the cells
  const auto none = line_scores(law(0), kVoltage);
  // One-sided: a binomial count varies less than the Poisson count of the score.
  EXPECT_LT(none.first, kFarOff);
  EXPECT_LT(none.second, kFarOff);
  LowVoltageConfig rows = law(0.1);
  rows.in_rows = 1.0;
  rows.density = 0.3;
  EXPECT_GT(line_scores(rows, kVoltage).first, 20);
  EXPECT_LT(line_scores(rows, kVoltage).second, kFarOff);
  LowVoltageConfig columns = rows;
  columns.in_rows = 0.0;
  EXPECT_LT(line_scores(columns, kVoltage).first, kFarOff);
  EXPECT_GT(line_scores(columns, kVoltage).second, 20);
}

TEST(LowVoltageTest, AWeakRowLosesItsDensityOfCells) {
  LowVoltageConfig config = law(1.0);
  config.in_rows = 1.0;
  config.density = 0.25;
  // Rows fail one after the other, each with a quarter of its cells.
  std::uint64_t weak = 0, cells = 0;
  for (std::uint64_t chip = 0; chip < 200; ++chip) {
    std::set<std::pair<int, int>> rows;
    for (const FailingCell& cell : failing(config, chip, 0.6)) {
      const Cell at = geometry().cell_of(cell.bit);
      rows.emplace(at.bank, at.row);
      ++cells;
    }
    weak += rows.size();
  }
  ASSERT_GT(weak, 200U);
  EXPECT_LT(std::abs(binomial_score(cells, weak * 288, 0.25)), kFarOff);
  EXPECT_LT(std::abs(binomial_score(weak, 200 * 256, failing_share(config, 0.6) / 0.25)), kFarOff);
}

TEST(LowVoltageTest, CellsFailInTheDirectionThatIsAskedFor) {
  for (const double ones : {0.0, 0.1, 0.5, 1.0}) {
    LowVoltageConfig config = law(0.3);
    config.ones = ones;
    std::uint64_t count = 0, high = 0;
    for (const FailingCell& cell : failing(config, 3, 0.52)) {
      high += cell.value ? 1 : 0;
      ++count;
    }
    ASSERT_GT(count, 5000U);
    if (ones == 0.0 || ones == 1.0) {
      EXPECT_EQ(high, ones == 0.0 ? 0 : count);
    } else {
      EXPECT_LT(std::abs(binomial_score(high, count, ones)), kFarOff);
    }
  }
}

TEST(LowVoltageTest, ALargeArrayCostsWhatFails) {
  // 4 GiB, some 1e-9 of its cells.
  const ArrayGeometry large({std::int64_t{4} << 30, 16, 1024, 64, 8, 1});
  LowVoltageConfig config = law(0.2);
  const double voltage = voltage_of_share(config, 1e-9);
  const auto start = std::chrono::steady_clock::now();
  std::size_t cells = 0;
  for (std::uint64_t chip = 0; chip < 100; ++chip) {
    cells += LowVoltageArray(large, config, 1, chip, 0).failing(voltage).size();
  }
  EXPECT_GT(cells, 2000U);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(LowVoltageTest, BadParametersAreNamed) {
  Value map = Value::map();
  map.set("correlated", Value::of("1.5"));
  map.set("sigma", Value::of("0"));
  map.set("medain", Value::of("0.4"));
  LowVoltageConfig config;
  ErrorList errors;
  read_fields(low_voltage_fields(), map, "strike.low_voltage", config, errors);
  try {
    errors.throw_if_any();
    FAIL();
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 3U);
    EXPECT_NE(failure.errors()[0].what.find("strike.low_voltage.correlated"), std::string::npos);
    EXPECT_NE(failure.errors()[1].what.find("strike.low_voltage.sigma"), std::string::npos);
    EXPECT_NE(failure.errors()[2].cure.find("median"), std::string::npos);
  }
}

}  // namespace
}  // namespace tilestrike::sim
