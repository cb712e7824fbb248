// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the tree of a configuration merge, keep its order, and print as JSON and YAML?
#include "base/document.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

Value map_of(std::vector<std::pair<std::string, Value>> entries) {
  Value map = Value::map();
  for (auto& [key, value] : entries) {
    map.set(key, std::move(value));
  }
  return map;
}

Value text(std::string scalar) { return Value::of(std::move(scalar)); }

TEST(Place, LeavesOutAnUnknownLine) {
  EXPECT_EQ((Place{"a.yaml", 3, 7}.text()), "a.yaml:3:7");
  EXPECT_EQ(Place{"--set"}.text(), "--set");
}

TEST(Value, FindsSetsAndReplacesInOrder) {
  Value map = map_of({{"b", text("1")}, {"a", text("2")}});
  EXPECT_EQ(map.find("a")->scalar, "2");
  EXPECT_EQ(map.find("c"), nullptr);
  map.set("b", text("3"));
  map.at_or_add("c").set("d", text("4"));
  EXPECT_EQ(map.json(), R"({"b":"3","a":"2","c":{"d":"4"}})");
}

TEST(Value, JsonEscapes) {
  EXPECT_EQ(Value{}.json(), "null");
  EXPECT_EQ(text("a\"b\\c\nd").json(), R"("a\"b\\c\u000ad")");
  EXPECT_EQ(Value::list({text("1"), Value{}, Value::map()}).json(), R"(["1",null,{}])");
}

TEST(Value, YamlIsBlocksOfMapsAndFlowsOfLists) {
  const Value document =
      map_of({{"model", text("resnet8")},
              {"strike", map_of({{"where", map_of({{"mesh", Value::map()}})},
                                 {"bits", Value::list({text("0"), text("7")})}})},
              {"until", Value{}}});
  EXPECT_EQ(document.yaml(),
            "model: resnet8\nstrike:\n  where:\n    mesh: {}\n  bits: [0, 7]\nuntil: null\n");
}

TEST(Value, YamlQuotesWhatWouldReadAsSomethingElse) {
  for (const char* plain : {"resnet8", "a/b.pt2", "20%", "1e-7", "-5", "16nm", "true"}) {
    EXPECT_EQ(text(plain).yaml(), plain);
  }
  for (const char* special :
       {"", "null", "~", "-", "- a", "a: b", "a #b", "*", "[", "{", "%x", " a", "?", "&a", "!a"}) {
    EXPECT_EQ(text(special).yaml(), '"' + std::string(special) + '"');
  }
}

TEST(Merged, MapsMergeAndEverythingElseIsReplaced) {
  const Value under = map_of({{"mesh", map_of({{"rows", text("16")}, {"dataflow", text("ws")}})},
                              {"list", Value::list({text("1"), text("2")})},
                              {"name", text("a")}});
  const Value over = map_of({{"mesh", map_of({{"dataflow", text("os")}, {"columns", text("4")}})},
                             {"list", Value::list({text("3")})},
                             {"extra", text("x")}});
  EXPECT_EQ(merged(under, over).json(),
            R"({"mesh":{"rows":"16","dataflow":"os","columns":"4"},"list":["3"],"name":"a",)"
            R"("extra":"x"})");
  EXPECT_EQ(merged(under, text("gone")).json(), R"("gone")");
  EXPECT_EQ(merged(text("gone"), over).json(), over.json());
  EXPECT_EQ(merged(under, under).json(), under.json());
}

TEST(Merged, KeepsThePlaceOfWhatIsReplaced) {
  Value over = map_of({{"name", text("b")}});
  over.find("name")->place = Place{"b.yaml", 4, 2};
  EXPECT_EQ(merged(map_of({{"name", text("a")}}), over).find("name")->place.text(), "b.yaml:4:2");
}

}  // namespace
}  // namespace tilestrike
