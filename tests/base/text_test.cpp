// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do suggestions, numbers, patterns and hashes come out as messages and files need them?
#include "base/text.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace tilestrike {
namespace {

const std::vector<std::string> kKeys{"rows", "columns", "dataflow", "overflow"};

TEST(Nearest, FindsTheMisspeltAndNothingForTheForeign) {
  EXPECT_EQ(nearest("colums", kKeys), std::vector<std::string>{"columns"});
  EXPECT_EQ(nearest("row", kKeys), std::vector<std::string>{"rows"});
  EXPECT_TRUE(nearest("temperature", kKeys).empty());
  EXPECT_EQ(nearest("overflw", kKeys, 5).front(), "overflow") << "the best comes first";
}

TEST(Suggestion, NamesTheNearestOrAllThatIsAllowed) {
  EXPECT_EQ(suggestion("datflow", kKeys), "did you mean 'dataflow'?");
  EXPECT_EQ(suggestion("temperature", kKeys), "allowed: rows, columns, dataflow, overflow");
}

TEST(ParseNanoseconds, ReadsANumberAndAUnit) {
  EXPECT_EQ(parse_nanoseconds("250ns"), 250.0L);
  EXPECT_EQ(parse_nanoseconds("10us"), 1e4L);
  EXPECT_EQ(parse_nanoseconds("1.5 ms"), 1.5e6L);
  EXPECT_EQ(parse_nanoseconds("1e3s"), 1e12L);
  EXPECT_EQ(parse_nanoseconds("30min"), 1.8e12L);
  EXPECT_EQ(parse_nanoseconds("2h"), 7.2e12L);
  EXPECT_EQ(parse_nanoseconds("365d"), 31'536'000e9L);
  EXPECT_EQ(parse_nanoseconds("-1s"), -1e9L);
  for (const char* text :
       {"", "s", "10", "10m", "10 y", "ten s", "1 0s", "infs", "10sec", "10 S"}) {
    EXPECT_FALSE(parse_nanoseconds(text)) << text;
  }
}

TEST(Join, PutsSeparatorsBetweenOnly) {
  EXPECT_EQ(join(std::vector<std::string>{"a", "", "b"}, "-"), "a--b");
  EXPECT_EQ(join(std::vector<std::string>{"", "a"}, "-"), "-a");
  EXPECT_EQ(join(std::vector<std::string>{}, "-"), "");
}

TEST(ParseInteger, TakesWholeNumbersOnly) {
  EXPECT_EQ(parse_integer("-12"), -12);
  EXPECT_EQ(parse_integer("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  for (const char* text : {"", "1.5", "12x", " 12", "0x10", "9223372036854775808", "1e3"}) {
    EXPECT_FALSE(parse_integer(text)) << text;
  }
}

TEST(ParseReal, TakesFiniteNumbersOnly) {
  EXPECT_EQ(parse_real("1e-7"), 1e-7);
  EXPECT_EQ(parse_real("-2"), -2.0);
  for (const char* text : {"", "1.5 ", "x", "inf", "nan", "1e999", "1,5"}) {
    EXPECT_FALSE(parse_real(text)) << text;
  }
}

TEST(MatchesGlob, StarsAndQuestionMarks) {
  EXPECT_TRUE(matches_glob("stage2.*", "stage2.conv1"));
  EXPECT_FALSE(matches_glob("stage2.*", "stage3.conv1"));
  EXPECT_TRUE(matches_glob("*.conv?", "stage2.conv1"));
  EXPECT_FALSE(matches_glob("*.conv?", "stage2.conv"));
  EXPECT_TRUE(matches_glob("*", ""));
  EXPECT_TRUE(matches_glob("", ""));
  EXPECT_FALSE(matches_glob("", "a"));
  EXPECT_FALSE(matches_glob("?", ""));
  EXPECT_TRUE(matches_glob("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_glob("a*b*c", "a-b-b"));
  EXPECT_TRUE(matches_glob("**", "anything"));
}

TEST(MatchesGlob, AgreesWithItsRecursiveDefinition) {
  const std::function<bool(std::string_view, std::string_view)> defined =
      [&](std::string_view pattern, std::string_view text) -> bool {
    if (pattern.empty()) {
      return text.empty();
    }
    if (pattern[0] == '*') {
      return defined(pattern.substr(1), text) ||
             (!text.empty() && defined(pattern, text.substr(1)));
    }
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           defined(pattern.substr(1), text.substr(1));
  };
  const auto words = [](const std::string& letters, int longest) {
    std::vector<std::string> all{""};
    for (std::size_t i = 0; i < all.size(); ++i) {
      for (const char letter : all[i].size() < longest ? letters : "") {
        all.push_back(all[i] + letter);
      }
    }
    return all;
  };
  for (const std::string& pattern : words("ab*?", 5)) {
    for (const std::string& text : words("ab", 5)) {
      ASSERT_EQ(matches_glob(pattern, text), defined(pattern, text)) << pattern << " on " << text;
    }
  }
}

TEST(MatchesGlob, ManyStarsDoNotTakeForEver) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) {
    pattern += "*a";
  }
  EXPECT_FALSE(matches_glob(pattern + "b", std::string(2000, 'a')));
}

TEST(ContentHash, IsXxh3With128Bits) {
  EXPECT_EQ(content_hash(""), "99aa06d3014798d86001c324468d497f") << "xxHash's known answer";
  EXPECT_EQ(content_hash("tile").size(), 32U);
  EXPECT_NE(content_hash("tile"), content_hash("Tile"));
}

TEST(ContentHash, OfAFileIsThatOfItsBytes) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("tilestrike_hash_" + std::to_string(::getpid())))
          .string();
  std::string bytes;
  for (int i = 0; i < 3000000; ++i) {  // more than one buffer
    bytes += static_cast<char>(i * 7 + i / 251);
  }
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_EQ(content_hash_of_file(path), content_hash(bytes));
  std::filesystem::remove(path);
  try {
    content_hash_of_file(path);
    FAIL() << "the file is gone";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.errors()[0].code, ErrorCode::kNotFound);
    EXPECT_EQ(failure.errors()[0].where, path);
    EXPECT_FALSE(failure.errors()[0].cure.empty());
  }
}

}  // namespace
}  // namespace tilestrike
