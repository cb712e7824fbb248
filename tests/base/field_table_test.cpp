// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does one field table read, check, suggest, expand and document a configuration?
#include "base/field_table.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tilestrike {
namespace {

enum class Colour { kRed, kGreen };

struct Inner {
  int depth = 2;
};

struct Config {
  std::int64_t count = 10;
  double share = 0.25;
  std::string name;
  Colour colour = Colour::kGreen;
  Inner inner;
};

FieldTable<Inner> inner_fields() {
  return {integer_field<Inner>("depth", &Inner::depth, 1, 8, "levels", "how deep")};
}

FieldTable<Config> fields() {
  FieldTable<Config> table{
      integer_field<Config>("count", &Config::count, 1, 100, "", "how many"),
      real_field<Config>("share", &Config::share, 0.0, 1.0, "", "which part"),
      text_field<Config>("name", &Config::name, "what it is called"),
      choice_field<Config, Colour>("colour", &Config::colour,
                                   {{"red", Colour::kRed}, {"green", Colour::kGreen}}, "its hue"),
      nested_field<Config, Inner>("inner", &Config::inner, inner_fields(), "what is inside")};
  table[2].is_required = true;
  return table;
}

/// A map whose entry i stands in line i + 1 of "x.yaml".
Value map_of(std::vector<std::pair<std::string, Value>> entries) {
  Value map = Value::map();
  map.place = Place{"x.yaml", 1, 1};
  for (auto& [key, value] : entries) {
    const Place place{"x.yaml", static_cast<int>(map.entries.size()) + 1, 3};
    value.place = place;
    map.entries.push_back(Entry{key, std::move(value), place});
  }
  return map;
}

std::vector<std::string> errors_of(const Value& map) {
  Config config;
  ErrorList errors;
  read_fields(fields(), map, "", config, errors);
  std::vector<std::string> texts;
  try {
    errors.throw_if_any();
  } catch (const Failure& failure) {
    for (const Error& error : failure.errors()) {
      EXPECT_EQ(error.code, ErrorCode::kInvalidInput);
      texts.push_back(error.text());
    }
  }
  return texts;
}

using Texts = std::vector<std::string>;

TEST(FieldTable, ReadsEveryType) {
  Config config;
  ErrorList errors;
  read_fields(fields(),
              map_of({{"name", Value::of("a")},
                      {"count", Value::of("42")},
                      {"share", Value::of("0.5")},
                      {"colour", Value::of("red")},
                      {"inner", map_of({{"depth", Value::of("3")}})}}),
              "", config, errors);
  errors.throw_if_any();
  EXPECT_EQ(config.name, "a");
  EXPECT_EQ(config.count, 42);
  EXPECT_EQ(config.share, 0.5);
  EXPECT_EQ(config.colour, Colour::kRed);
  EXPECT_EQ(config.inner.depth, 3);
}

TEST(FieldTable, RangesIncludeTheirEnds) {
  for (const char* inside : {"1", "100"}) {
    EXPECT_EQ(errors_of(map_of({{"name", Value::of("a")}, {"count", Value::of(inside)}})), Texts{});
  }
  for (const std::string outside : {"0", "101", "-5"}) {
    EXPECT_EQ(errors_of(map_of({{"name", Value::of("a")}, {"count", Value::of(outside)}})),
              Texts{"x.yaml:2:3: count: " + outside + " is out of range; allowed: 1 to 100"});
  }
  EXPECT_EQ(errors_of(map_of({{"name", Value::of("a")}, {"share", Value::of("1.5")}})),
            Texts{"x.yaml:2:3: share: 1.5 is out of range; allowed: 0 to 1"});
}

TEST(FieldTable, WrongTypesSayWhatToWrite) {
  EXPECT_EQ(errors_of(map_of({{"name", Value::list({})},
                              {"count", Value::of("many")},
                              {"share", Value{}},
                              {"colour", Value::map()},
                              {"inner", Value::of("deep")}})),
            (Texts{"x.yaml:1:3: name: found a list; write text",
                   "x.yaml:2:3: count: found 'many'; write an integer from 1 to 100",
                   "x.yaml:3:3: share: found nothing; write a number, 0 to 1",
                   "x.yaml:4:3: colour: found a map; write one of red, green",
                   "x.yaml:5:3: inner: found 'deep'; write a map of keys"}));
}

TEST(FieldTable, UnknownKeysAndChoicesGetSuggestions) {
  EXPECT_EQ(errors_of(map_of({{"name", Value::of("a")},
                              {"cuont", Value::of("1")},
                              {"colour", Value::of("gren")},
                              {"inner", map_of({{"dept", Value::of("3")}})}})),
            (Texts{"x.yaml:2:3: cuont: unknown key; did you mean 'count'?",
                   "x.yaml:3:3: colour: 'gren' is not a choice; did you mean 'green'?",
                   "x.yaml:1:3: inner.dept: unknown key; did you mean 'depth'?"}));
  EXPECT_EQ(errors_of(map_of({{"name", Value::of("a")}, {"temperature", Value::of("1")}})),
            Texts{"x.yaml:2:3: temperature: unknown key; allowed: count, share, name, colour, "
                  "inner"});
}

TEST(FieldTable, DuplicateAndMissingKeysAreErrors) {
  EXPECT_EQ(errors_of(map_of({{"count", Value::of("1")}, {"count", Value::of("2")}})),
            (Texts{"x.yaml:2:3: count: the key stands twice; keep one; the first is at x.yaml:1:3",
                   "x.yaml:1:1: name: this key is required; add 'name: ...' (what it is called)"}));
}

TEST(FieldTable, WhatIsNoMapIsAnError) {
  Value list = Value::list({Value::of("a")});
  list.place = Place{"x.yaml", 1, 1};
  EXPECT_EQ(errors_of(list), Texts{"x.yaml:1:1: document: found a list; write a map of keys"});
}

TEST(FieldTable, ExpandedFormReadsBackAsItself) {
  Config config;
  config.name = "a";
  config.count = 7;
  config.share = 0.1 + 0.2;  // needs all 17 digits
  config.colour = Colour::kRed;
  config.inner.depth = 8;
  const Value expanded = write_fields(fields(), config);
  Config again;
  ErrorList errors;
  read_fields(fields(), expanded, "", again, errors);
  errors.throw_if_any();
  EXPECT_EQ(again.share, config.share);
  EXPECT_EQ(write_fields(fields(), again).json(), expanded.json());
  EXPECT_EQ(expanded.json(),
            R"({"count":"7","share":"0.30000000000000004","name":"a","colour":"red",)"
            R"("inner":{"depth":"8"}})");
}

TEST(FieldTable, EmptyTextIsLeftOutOfTheExpandedForm) {
  EXPECT_EQ(write_fields(fields(), Config{}).find("name"), nullptr);
}

TEST(FieldTable, HelpNamesTypeDefaultRangeAndNestedKeys) {
  const auto help = help_of(fields());
  const auto about = [&](const std::string& name) {
    return *std::find_if(help.begin(), help.end(), [&](const auto& h) { return h.name == name; });
  };
  EXPECT_EQ(help.size(), 6U);
  EXPECT_EQ(about("count").default_text, "10");
  EXPECT_EQ(about("count").range, "1 to 100");
  EXPECT_EQ(about("colour").range, "red | green");
  EXPECT_EQ(about("colour").default_text, "green");
  EXPECT_EQ(about("inner.depth").unit, "levels");
  EXPECT_EQ(about("inner.depth").help, "how deep");
}

struct Room {
  std::int64_t bytes = 1024;
  int doors = 1;
};

struct House {
  NamedParts<Room> rooms;
};

FieldTable<House> house_fields() {
  const FieldTable<Room> room{
      bytes_field<Room>("bytes", &Room::bytes, 1, std::int64_t{1} << 40, "how large"),
      integer_field<Room>("doors", &Room::doors, 1, 8, "", "how many doors")};
  const auto check = [](const Room& part, const std::string& path, const std::string& where,
                        ErrorList& errors) {
    if (part.bytes % part.doors != 0) {
      errors.add(ErrorCode::kInvalidInput, path + ": the doors do not divide it", where, "");
    }
  };
  return {named_parts_field<House, Room>("rooms", &House::rooms, room, check, "its rooms")};
}

std::string errors_of_house(const Value& map, House& house) {
  ErrorList errors;
  read_fields(house_fields(), map, "", house, errors);
  try {
    errors.throw_if_any();
  } catch (const Failure& failure) {
    std::string text;
    for (const Error& error : failure.errors()) {
      text += error.what + "\n";
    }
    return text;
  }
  return {};
}

TEST(FieldTableTest, NumbersOfBytesHaveUnits) {
  for (const auto& [text, bytes] : std::vector<std::pair<std::string, std::int64_t>>{
           {"256KiB", 262144}, {"3 MiB", 3145728}, {"1GiB", 1073741824}, {"17", 17}, {"17B", 17}}) {
    House house;
    EXPECT_EQ(
        errors_of_house(map_of({{"rooms", map_of({{"a", map_of({{"bytes", Value::of(text)}})}})}}),
                        house),
        "");
    EXPECT_EQ(house.rooms.front().second.bytes, bytes);
  }
  EXPECT_EQ(field_detail::bytes_text(262144), "256KiB");
  EXPECT_EQ(field_detail::bytes_text(262145), "262145B");
  for (const char* text : {"KiB", "-1KiB", "1kb", "9999999999GiB", "1.5MiB"}) {
    House house;
    EXPECT_NE(
        errors_of_house(map_of({{"rooms", map_of({{"a", map_of({{"bytes", Value::of(text)}})}})}}),
                        house),
        "")
        << text;
  }
}

TEST(FieldTableTest, PartsAreNamedByTheUserAndCheckedAsAWhole) {
  House house;
  const Value good = map_of({{"rooms", map_of({{"hall", map_of({{"doors", Value::of("4")}})},
                                               {"attic", map_of({{"bytes", Value::of("7")}})}})}});
  EXPECT_EQ(errors_of_house(good, house), "");
  ASSERT_EQ(house.rooms.size(), 2);
  EXPECT_EQ(house.rooms[0].first, "hall");
  EXPECT_EQ(house.rooms[1].second.bytes, 7);
  House again;
  const Value expanded = write_fields(house_fields(), house);
  EXPECT_EQ(errors_of_house(expanded, again), "");
  EXPECT_EQ(write_fields(house_fields(), again).json(), expanded.json());

  const Value bad = map_of({{"rooms", map_of({{"hall", map_of({{"doors", Value::of("3")}})},
                                              {"attic", map_of({{"door", Value::of("7")}})}})}});
  EXPECT_EQ(errors_of_house(bad, house),
            "rooms.hall: the doors do not divide it\nrooms.attic.door: unknown key\n");
  EXPECT_EQ(errors_of_house(map_of({{"rooms", Value::of("3")}}), house), "rooms: found '3'\n");
}

}  // namespace
}  // namespace tilestrike
