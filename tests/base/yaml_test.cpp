// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does YAML become values with the right places, and does bad YAML say where it is bad?
#include "base/yaml.h"

#include <gtest/gtest.h>

#include "tests/scratch_files.h"

namespace tilestrike {
namespace {

TEST(YamlTest, ValuesKnowTheirPlaces) {
  const Value value = parse_yaml("a: 1\nb:\n  c: [x, {d: y}]\ne:\n", "f.yaml");
  EXPECT_EQ(value.find("a")->scalar, "1");
  EXPECT_EQ(value.find("a")->place.text(), "f.yaml:1:4");
  const Value& list = *value.find("b")->find("c");
  EXPECT_EQ(list.items[0].place.text(), "f.yaml:3:7");
  EXPECT_EQ(list.items[1].find("d")->place.text(), "f.yaml:3:14");
  EXPECT_EQ(value.entries[1].place.text(), "f.yaml:2:1");
  EXPECT_TRUE(value.find("e")->is_null());
}

TEST(YamlTest, AliasesAreCopies) {
  const Value value = parse_yaml("a: &x {b: 1}\nc: *x\n", "f.yaml");
  EXPECT_EQ(value.find("c")->find("b")->scalar, "1");
}

TEST(YamlTest, WhatIsPrintedReadsBack) {
  const Value value = parse_yaml(
      "a: \"x: y\"\nb: [1, {c: 'it''s', d: [2]}, [-3, {e: f}]]\n\"*\": null\ng: {}\nh: \"\"\n"
      "\"key: odd\": {i: \"#\"}\n",
      "f.yaml");
  const Value again = parse_yaml(value.yaml(), "g.yaml");
  EXPECT_EQ(again.json(), value.json());
  EXPECT_EQ(again.yaml(), value.yaml());
}

TEST(YamlTest, ErrorsHaveAPlace) {
  EXPECT_NE(errors_of([] { parse_yaml("a: [1, 2\n", "f.yaml"); }).find("f.yaml:2:1: not YAML"),
            std::string::npos);
  EXPECT_EQ(errors_of([] { parse_yaml("a: 1\n---\nb: 2\n", "f.yaml"); }),
            "f.yaml:3:1: the file holds more than one YAML document; keep one document per file");
  EXPECT_EQ(errors_of([] { parse_yaml("[a, b]: 1\n", "f.yaml"); }),
            "f.yaml:1:1: a key must be a single word; write 'key: value'");
}

TEST(YamlTest, AliasesOfAliasesAreBounded) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string name = "a" + std::to_string(i);
    const std::string before = "*a" + std::to_string(i - 1);
    text += name + ": &" + name + " [";
    for (int j = 0; j < 10; ++j) {
      text += (j == 0 ? "" : ", ") + before;
    }
    text += "]\n";
  }
  EXPECT_NE(errors_of([&] { parse_yaml(text, "f.yaml"); }).find("too large"), std::string::npos);
}

TEST(YamlTest, UnreadableFilesAreNamed) {
  const ScratchFolder folder;
  const std::string missing = folder.path("missing.yaml");
  EXPECT_EQ(errors_of([&] { load_yaml(missing); }), missing + ": no such file; check the path");
  const std::string here = folder.path("");
  EXPECT_NE(errors_of([&] { load_yaml(here); }).find("this is a folder"), std::string::npos);
  EXPECT_TRUE(load_yaml(folder.write("empty.yaml", "")).is_null());
}

}  // namespace
}  // namespace tilestrike
