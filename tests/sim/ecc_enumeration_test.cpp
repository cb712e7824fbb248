// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// How often does each code fail beyond its promise? Every pattern is counted, and compared with
// known counts, with another program's and with the tables of docs/ecc.md.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "sim/ecc/ecc_definition.h"
#include "sim/strikes/ecc_enumeration.h"

namespace tilestrike::sim {
namespace {

std::string text_of(const EccCode& code) {
  return std::string(info_of(code.kind()).name) + " (" + std::to_string(code.codeword_bits()) +
         "," + std::to_string(code.data_bits()) + ")";
}

PatternCounts counts(std::uint64_t patterns, std::uint64_t corrected, std::uint64_t miscorrected,
                     std::uint64_t undetected) {
  return {patterns,
          corrected,
          miscorrected,
          undetected,
          patterns - corrected - miscorrected - undetected,
          0};
}

void expect_table(const EccCode& code, const std::vector<PatternCounts>& expected) {
  int bits = 1;
  for (const PatternCounts& want : expected) {
    PatternCounts have = enumerate_patterns(code, bits);
    have.detected_clean = 0;
    EXPECT_EQ(have, want) << text_of(code) << ": of " << bits << " bits, " << have.patterns
                          << " patterns, corrected " << have.corrected << ", miscorrected "
                          << have.miscorrected << ", undetected " << have.undetected;
    ++bits;
  }
}

// Hamming's (71,64) with a parity bit over all: a check of the enumeration, no code of a memory.
EccCode extended_hamming() {
  EccDefinition code = hamming_code(64);
  for (std::uint32_t& column : code.data_columns) {
    column |= static_cast<std::uint32_t>((1 + std::popcount(column)) % 2) << code.check_bits;
  }
  ++code.check_bits;
  code.correctable = single_bits(72);
  return EccCode(EccKind::kSecded, std::move(code));
}

// Published counts, and those of this project's own enumeration in another program.
TEST(EccEnumerationTest, TablesOfTheKnownCodes) {
  const EccCode& hsiao72 = EccCode::make(EccKind::kSecded, 64);
  EXPECT_EQ(enumerate_patterns(hsiao72, 3).miscorrected, 33568);
  EXPECT_EQ(enumerate_patterns(hsiao72, 3).patterns, 59640);
  EXPECT_EQ(enumerate_patterns(hsiao72, 4).undetected, 8392);
  expect_table(hsiao72, {counts(72, 72, 0, 0), counts(2556, 0, 0, 0), counts(59640, 0, 33568, 0),
                         counts(1028790, 0, 0, 8392)});
  expect_table(EccCode::make(EccKind::kSecded, 32),
               {counts(39, 39, 0, 0), counts(741, 0, 0, 0), counts(9139, 0, 5500, 0),
                counts(82251, 0, 0, 1375)});
  expect_table(EccCode::make(EccKind::kDected, 64),
               {counts(79, 79, 0, 0), counts(3081, 3081, 0, 0), counts(79079, 0, 0, 0),
                counts(1502501, 0, 261315, 0)});
  expect_table(extended_hamming(), {counts(72, 72, 0, 0), counts(2556, 0, 0, 0),
                                    counts(59640, 0, 45304, 0), counts(1028790, 0, 0, 11326)});
}

// In a SEC-DED code of odd columns, three bits are taken for a fourth where the four are a
// codeword.
TEST(EccEnumerationTest, MiscorrectedTriplesAreFourTimesTheUndetectedQuads) {
  for (const EccKind kind : {EccKind::kSecded, EccKind::kSecdedDaec}) {
    for (const int bits : {8, 11, 16, 24, 26, 32, 40, 48, 57, 64, 80, 128}) {
      const EccCode& code = EccCode::make(kind, bits);
      const PatternCounts three = enumerate_patterns(code, 3);
      const PatternCounts four = enumerate_patterns(code, 4);
      EXPECT_EQ(three.undetected, 0) << text_of(code);
      EXPECT_GT(four.undetected, 0) << text_of(code);
      EXPECT_EQ(three.miscorrected, 4 * four.undetected) << text_of(code);
    }
  }
}

// The enumeration sees the data bits of false DUEs: pairs of check bits are all of them here.
TEST(EccEnumerationTest, PairsOfCheckBitsAreFalseDues) {
  const EccCode& code = EccCode::make(EccKind::kSecded, 64);
  EXPECT_EQ(enumerate_patterns(code, 2).detected_clean, 8 * 7 / 2);
  EXPECT_EQ(enumerate_runs(code, 2).detected_clean, 7);
  EXPECT_EQ(enumerate_runs(code, 2).detected, 71);
}

// Two decoders: ours, and one that compares the syndrome with every column in turn.
TEST(EccEnumerationTest, ClustersCountedAnotherWay) {
  struct Sum {
    std::uint64_t clusters = 0, detected = 0, silent = 0, both = 0;
  };
  for (const int bits : {16, 32, 64}) {
    const EccCode& code = EccCode::make(EccKind::kSecded, bits);
    const int n = code.codeword_bits();
    const auto fate = [&](std::uint32_t syndrome, int count) {  // 0 right, 1 detected, 2 silent
      const auto columns = code.columns();
      if (syndrome == 0) {
        return 2;
      }
      const bool is_column = std::find(columns.begin(), columns.end(), syndrome) != columns.end();
      return !is_column ? 1 : count == 1 ? 0 : 2;
    };
    // Cells of 2 to 4, in rows 0 to 3, within 4 columns, connected, touching row 0 and column 0.
    std::map<int, Sum> sums;
    for (unsigned cells = 1; cells < 0x10000; ++cells) {
      const int size = std::popcount(cells);
      if (size < 2 || size > 4 || (cells & 0xF) == 0 || (cells & 0x1111) == 0) {
        continue;
      }
      unsigned reached = cells & -cells;
      for (int step = 0; step < 4; ++step) {
        reached |= cells & (reached << 4 | reached >> 4 | (reached & 0x7777) << 1 |
                            (reached & 0xEEEE) >> 1);
      }
      if (reached != cells) {
        continue;
      }
      for (int place = 0; place < n; ++place) {
        bool is_detected = false;
        bool is_silent = false;
        for (int row = 0; row < 4; ++row) {
          std::uint32_t syndrome[2] = {0, 0};
          int count[2] = {0, 0};
          for (int column = 0; column < 4; ++column) {
            if (((cells >> (4 * row + column)) & 1) != 0) {
              const int word = (place + column) / n;
              syndrome[word] ^= code.columns()[static_cast<std::size_t>((place + column) % n)];
              ++count[word];
            }
          }
          for (int word = 0; word < 2; ++word) {
            const int what = count[word] == 0 ? 0 : fate(syndrome[word], count[word]);
            is_detected |= what == 1;
            is_silent |= what == 2;
          }
        }
        Sum& sum = sums[size];
        ++sum.clusters;
        sum.detected += is_detected && !is_silent ? 1 : 0;
        sum.silent += is_silent && !is_detected ? 1 : 0;
        sum.both += is_silent && is_detected ? 1 : 0;
      }
    }
    for (int size = 2; size <= 4; ++size) {
      const ClusterCounts counts = enumerate_clusters(code, size);
      EXPECT_EQ(counts.clusters, sums[size].clusters);
      EXPECT_EQ(counts.detected, sums[size].detected);
      EXPECT_EQ(counts.silent, sums[size].silent);
      EXPECT_EQ(counts.both, sums[size].both);
      EXPECT_EQ(counts.corrected + counts.detected + counts.silent + counts.both, counts.clusters);
    }
  }
}

// | `name` (n,k) | what | number | ...
struct DocumentRow {
  const EccCode* code;
  std::string what;
  std::vector<std::uint64_t> numbers;
};

std::vector<DocumentRow> rows_of_document() {
  std::ifstream file(std::string(std::getenv("TILESTRIKE_ROOT")) + "/docs/ecc.md");
  const std::regex form(R"(\| `(\w+)` \((\d+),(\d+)\) \| ([\w ]+) \|(.*)\|)");
  std::vector<DocumentRow> rows;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (!std::regex_match(line, match, form)) {
      continue;
    }
    DocumentRow row;
    for (const EccKindInfo& info : ecc_kinds()) {
      if (info.name == match[1].str()) {
        row.code = &EccCode::make(info.kind, std::stoi(match[3].str()));
      }
    }
    EXPECT_EQ(row.code->codeword_bits(), std::stoi(match[2].str())) << line;
    row.what = match[4].str();
    std::stringstream cells(std::regex_replace(match[5].str(), std::regex("[ ,]"), ""));
    for (std::string cell; std::getline(cells, cell, '|');) {
      row.numbers.push_back(std::stoull(cell));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

TEST(EccEnumerationTest, TheTablesOfTheDocumentAreTheseCounts) {
  const std::vector<DocumentRow> rows = rows_of_document();
  EXPECT_EQ(rows.size(), 6 * 6 + 3 * 7);
  for (const DocumentRow& row : rows) {
    const int bits = std::stoi(row.what.substr(row.what.find_first_of("0123456789")));
    std::vector<std::uint64_t> expected;
    if (row.numbers.size() == 6) {
      const PatternCounts counts = row.what.starts_with("any") ? enumerate_patterns(*row.code, bits)
                                                               : enumerate_runs(*row.code, bits);
      expected = {counts.patterns,   counts.corrected, counts.miscorrected,
                  counts.undetected, counts.detected,  counts.detected_clean};
    } else {
      const ClusterCounts counts = enumerate_clusters(*row.code, bits);
      expected = {counts.clusters, counts.corrected, counts.detected, counts.silent, counts.both};
    }
    EXPECT_EQ(row.numbers, expected) << text_of(*row.code) << " " << row.what;
  }
}

TEST(EccEnumerationTest, ClustersOfTheKnownCodesAtInterleaveOne) {
  struct Row {
    EccKind kind;
    int cells;
    std::uint64_t clusters, corrected, detected, silent, both;
  };
  for (const Row& row :
       {Row{EccKind::kSecded, 2, 144, 73, 71, 0, 0}, Row{EccKind::kSecded, 3, 432, 76, 321, 35, 0},
        Row{EccKind::kSecded, 4, 1368, 81, 1070, 217, 0},
        Row{EccKind::kSecdedDaec, 2, 144, 144, 0, 0, 0},
        Row{EccKind::kSecdedDaec, 3, 432, 362, 52, 18, 0},
        Row{EccKind::kSecdedDaec, 4, 1368, 877, 349, 142, 0},
        Row{EccKind::kDected, 2, 158, 158, 0, 0, 0}, Row{EccKind::kDected, 3, 474, 397, 77, 0, 0},
        Row{EccKind::kDected, 4, 1501, 961, 540, 0, 0}}) {
    const ClusterCounts counts = enumerate_clusters(EccCode::make(row.kind, 64), row.cells);
    EXPECT_EQ(counts.clusters, row.clusters);
    EXPECT_EQ(counts.corrected, row.corrected);
    EXPECT_EQ(counts.detected, row.detected);
    EXPECT_EQ(counts.silent, row.silent);
    EXPECT_EQ(counts.both, row.both);
  }
}

// A cluster no wider than the interleaving distance puts one bit into every codeword.
TEST(EccEnumerationTest, InterleavingTakesClustersApart) {
  const EccCode& code = EccCode::make(EccKind::kSecded, 32);
  for (const auto& [cells, interleave] : {std::pair(2, 2), {3, 4}, {4, 4}}) {
    const ClusterCounts counts = enumerate_clusters(code, cells, interleave);
    EXPECT_EQ(counts.corrected, counts.clusters);
    EXPECT_EQ(counts.codewords.patterns, counts.clusters * static_cast<std::uint64_t>(cells));
  }
  EXPECT_GT(enumerate_clusters(code, 3, 2).detected, 0);
}

}  // namespace
}  // namespace tilestrike::sim
