// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A waveform as another program reads it.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/ids.h"

namespace tilestrike::sim {

/// Reads a value change dump as IEEE 1364 defines it, and complains of all else.
class ValueChangeDump {
 public:
  explicit ValueChangeDump(const std::string& path) : in_(path) {
    EXPECT_TRUE(in_.good()) << path;
    read_header();
    read_changes();
  }

  /// Of "engine.scope.name", which has at most 64 bits, at a time: the last change until then.
  std::uint64_t value(const std::string& name, Cycle time) const {
    const std::string bits = text(name, time);
    return bits.empty() ? 0 : std::stoull(bits, nullptr, 2);
  }
  /// The same as binary digits, without leading zeros.
  std::string text(const std::string& name, Cycle time) const {
    const auto variable = variables_.find(name);
    EXPECT_NE(variable, variables_.end()) << name;
    if (variable == variables_.end()) {
      return "";
    }
    const auto& changes = changes_.at(variable->second.code);
    auto after = changes.upper_bound(time);
    if (after == changes.begin()) {
      ADD_FAILURE() << name << " has no value at " << time;
      return "";
    }
    return (--after)->second;
  }
  std::size_t variables() const { return variables_.size(); }
  bool has(const std::string& name) const { return variables_.contains(name); }
  int bits(const std::string& name) const { return variables_.at(name).bits; }
  Cycle first = -1, last = -1;

 private:
  struct Variable {
    std::string code;
    int bits;
  };

  std::string word() {
    std::string text;
    in_ >> text;
    return text;
  }
  void expect_end() { EXPECT_EQ(word(), "$end"); }

  void read_header() {
    std::vector<std::string> scopes;
    std::set<std::string> codes;
    for (std::string keyword = word(); keyword != "$enddefinitions"; keyword = word()) {
      ASSERT_TRUE(in_.good()) << "no $enddefinitions";
      if (keyword == "$comment") {
        while (in_.good() && word() != "$end") {
        }
      } else if (keyword == "$timescale") {
        EXPECT_EQ(word(), "1");
        EXPECT_EQ(word(), "ns");
        expect_end();
      } else if (keyword == "$scope") {
        EXPECT_EQ(word(), "module");
        scopes.push_back(word());
        expect_end();
      } else if (keyword == "$upscope") {
        ASSERT_FALSE(scopes.empty());
        scopes.pop_back();
        expect_end();
      } else if (keyword == "$var") {
        EXPECT_EQ(word(), "wire");
        const int bits = std::stoi(word());
        const std::string code = word();
        std::string name;
        for (const std::string& scope : scopes) {
          name += scope + ".";
        }
        name += word();
        expect_end();
        for (const char letter : code) {
          EXPECT_TRUE('!' <= letter && letter <= '~');
        }
        EXPECT_TRUE(codes.insert(code).second) << code << " is used twice";
        EXPECT_TRUE(variables_.emplace(name, Variable{code, bits}).second) << name;
        bits_[code] = bits;
      } else {
        FAIL() << "unknown keyword " << keyword;
      }
    }
    expect_end();
    EXPECT_TRUE(scopes.empty());
  }

  void read_changes() {
    bool is_dumping = false;
    for (std::string text = word(); in_.good(); text = word()) {
      if (text[0] == '#') {
        const Cycle time = std::stoll(text.substr(1));
        EXPECT_GT(time, last);
        first = first < 0 ? time : first;
        last = time;
      } else if (text == "$dumpvars") {
        is_dumping = true;
      } else if (text == "$end") {
        EXPECT_TRUE(is_dumping);
        is_dumping = false;
        EXPECT_EQ(changes_.size(), bits_.size());  // every variable has a value
      } else {
        const bool is_vector = text[0] == 'b';
        const std::string value = is_vector ? text.substr(1) : text.substr(0, 1);
        const std::string code = is_vector ? word() : text.substr(1);
        ASSERT_EQ(bits_.count(code), 1) << text;
        ASSERT_EQ(value.find_first_not_of("01"), std::string::npos) << text;
        ASSERT_LE(value.size(), static_cast<std::size_t>(bits_[code]));
        ASSERT_EQ(is_vector, bits_[code] > 1);
        changes_[code][last] = value;
      }
    }
    EXPECT_FALSE(is_dumping);
  }

  std::ifstream in_;
  std::map<std::string, Variable> variables_;  // by full name
  std::map<std::string, int> bits_;
  std::map<std::string, std::map<Cycle, std::string>> changes_;  // by code, then time
};

}  // namespace tilestrike::sim
