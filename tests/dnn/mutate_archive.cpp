// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/dnn/mutate_archive.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/dnn/changed_archive.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

using nlohmann::json;

constexpr char kNest[] = "@nest@";  // becomes a value of many brackets

std::size_t below(RandomStream& stream, std::size_t bound) {
  return static_cast<std::size_t>(stream.below(bound));
}

template <class T>
const T& pick(RandomStream& stream, const std::vector<T>& all) {
  return all[below(stream, all.size())];
}

void damage_bytes(std::string& bytes, RandomStream& stream) {
  if (bytes.empty()) {
    bytes = "x";
    return;
  }
  const std::size_t longest = std::size_t{1} << (1 + below(stream, 16));
  const std::size_t first = below(stream, bytes.size());
  const std::size_t length = std::min(1 + below(stream, longest), bytes.size() - first);
  switch (stream.below(6)) {
    case 0:  // flips, anywhere or in the last 32 KiB, where an archive has its directory
      for (std::size_t i = 0; i <= below(stream, 8); ++i) {
        const std::size_t span = stream.below(2) == 0 ? bytes.size() : std::size_t{32768};
        const std::size_t place = bytes.size() - 1 - below(stream, std::min(span, bytes.size()));
        bytes[place] = static_cast<char>(bytes[place] ^ (1 << stream.below(8)));
      }
      break;
    case 1:
      bytes.resize(first);
      break;
    case 2:
      bytes.erase(first, length);
      break;
    case 3:
      bytes.insert(below(stream, bytes.size()), bytes.substr(first, length));
      break;
    case 4:
      std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(first), length,
                  stream.below(2) == 0 ? '\0' : '\xff');
      break;
    default:
      for (std::size_t i = 0; i < length; ++i) {
        bytes[first + i] = static_cast<char>(stream.next());
      }
  }
}

json strange_number(const json& number, RandomStream& stream) {
  const std::int64_t huge = std::int64_t{1} << (8 + stream.below(55));
  switch (stream.below(8)) {
    case 0:
      return huge;
    case 1:
      return -huge;
    case 2:
      return stream.next();
    case 3:
      return 1e300;
    case 4:
      return 0.5;
    case 5:
      return std::numeric_limits<std::int64_t>::min();
    default:
      return number.is_number_integer() ? json(number.get<std::int64_t>() % 1000000 +
                                               static_cast<std::int64_t>(stream.below(5)) - 2)
                                        : json(0);
  }
}

json strange_value(RandomStream& stream) {
  static const std::vector<json> values{nullptr,
                                        true,
                                        -1,
                                        0,
                                        7,
                                        "conv2d",
                                        "",
                                        kNest,
                                        "NaN",
                                        "\xc3\xa9",
                                        json::array(),
                                        json::array({1, 2, 3}),
                                        json::object(),
                                        {{"as_int", 3}},
                                        {{"as_none", true}},
                                        {{"as_bool", true}},
                                        {{"as_float", "Infinity"}},
                                        {{"as_string", ""}},
                                        {{"as_int", -(std::int64_t{1} << 62)}},
                                        {{"as_ints", {std::int64_t{1} << 40, 0}}},
                                        {{"as_tensor", {{"name", "relu"}}}},
                                        {{"as_tensors", json::array()}},
                                        {{"as_sym_int", {{"as_name", "sym_size_int"}}}},
                                        {{"as_optional_tensors", json::array()}}};
  return pick(stream, values);
}

void collect(json& value, std::vector<json*>& places) {
  places.push_back(&value);
  if (value.is_structured()) {
    for (json& inner : value) {
      collect(inner, places);
    }
  }
}

/// Removes a member, doubles it, or exchanges it with another one.
void rearrange(json& structure, RandomStream& stream) {
  if (!structure.is_structured() || structure.empty()) {
    structure = strange_value(stream);
    return;
  }
  const auto member = [&] {
    return std::next(structure.begin(),
                     static_cast<std::ptrdiff_t>(below(stream, structure.size())));
  };
  const auto kind = stream.below(3);
  if (kind == 0) {
    structure.erase(member());
  } else if (kind == 1 && structure.is_array()) {
    const json copy = *member();
    structure.insert(member(), copy);
  } else {
    std::swap(*member(), *member());
  }
}

void damage_once(json& content, RandomStream& stream) {
  // Two thirds in the nodes, where there are any.
  json* root = &content;
  if (stream.below(3) > 0 && content.is_object()) {
    for (const char* name : {"graph_module", "graph", "nodes"}) {
      root = root->is_object() && root->contains(name) ? &root->at(name) : root;
    }
  }
  std::vector<json*> places;
  collect(*root, places);
  json& place = *pick(stream, places);
  if (place.is_structured() && stream.below(3) > 0) {
    rearrange(place, stream);
    return;
  }
  if (place.is_number() && stream.below(4) > 0) {
    place = strange_number(place, stream);
    return;
  }
  if (stream.below(4) == 0) {
    place = strange_value(stream);
    return;
  }
  // Another value of the document: of the same kind if one is met soon.
  json other = *pick(stream, places);
  for (int tries = 0; tries < 16 && other.type() != place.type(); ++tries) {
    other = *pick(stream, places);
  }
  place = std::move(other);
}

std::string damaged_json(const std::string& text, RandomStream& stream) {
  json content = json::parse(text, nullptr, false);
  if (content.is_discarded()) {
    return text;
  }
  const auto times = std::size_t{1} << stream.below(4);
  for (std::size_t i = 0; i < times; ++i) {
    damage_once(content, stream);
  }
  std::string changed = content.dump();
  const std::string nest = '"' + std::string(kNest) + '"';
  if (const std::size_t place = changed.find(nest); place != std::string::npos) {
    const std::size_t depth = std::size_t{1} << (8 + below(stream, 12));
    changed.replace(place, nest.size(), std::string(depth, '[') + std::string(depth, ']'));
  }
  return changed;
}

}  // namespace

std::string write_damaged(const std::string& from, const std::string& to, RandomStream& stream) {
  if (stream.below(4) == 0) {
    std::string bytes = bytes_of_file(from);
    damage_bytes(bytes, stream);
    write_file(to, bytes);
    return "bytes of the file";
  }
  const auto kind = stream.below(8);
  const std::vector<std::string> records = records_of(from);
  const auto has = [&](const std::string& name) {
    return std::ranges::find(records, name) != records.end();
  };
  std::string record = has(kProgramRecord) ? kProgramRecord : "serialized_exported_program.json";
  if (kind == 0 || kind == 6) {
    record = has(kWeightsRecord) ? kWeightsRecord : record;
  } else if (kind == 1) {
    record = pick(stream, records);
  }
  const auto how = stream.below(16);
  write_changed(from, to, record, [&](std::string bytes) -> std::optional<std::string> {
    if (how == 0 && kind <= 1) {
      return std::nullopt;
    }
    if (how <= 2 || kind == 1) {
      damage_bytes(bytes, stream);
      return bytes;
    }
    return damaged_json(bytes, stream);
  });
  return record;
}

}  // namespace tilestrike::dnn
