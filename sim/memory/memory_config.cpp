// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/memory_config.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "sim/memory/scrub.h"

namespace tilestrike::sim {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 46;
constexpr int kMany = std::numeric_limits<std::int32_t>::max();

const Choices<MemoryContent>& contents() {
  static const Choices<MemoryContent> all{{"weights", MemoryContent::kWeights},
                                          {"activations", MemoryContent::kActivations},
                                          {"accumulators", MemoryContent::kAccumulators},
                                          {"backing", MemoryContent::kBacking}};
  return all;
}

void read_content(const Value& item, const std::string& path, MemoryConfig& memory,
                  ErrorList& errors) {
  std::vector<std::string> names;
  for (const auto& [name, content] : contents()) {
    names.push_back(name);
    if (item.is_scalar() && item.scalar == name) {
      const bool is_new = std::ranges::find(memory.holds, content) == memory.holds.end();
      if (is_new) {
        memory.holds.push_back(content);
      }
      return;
    }
  }
  if (!item.is_scalar()) {
    field_detail::wrong_type(item, path, "one of " + join(names, ", "), errors);
    return;
  }
  errors.add(ErrorCode::kInvalidInput, path + ": '" + item.scalar + "' is not a choice",
             item.place.text(), suggestion(item.scalar, names));
}

Field<MemoryConfig> holds_field() {
  Field<MemoryConfig> field;
  field.about = {"holds",
                 "list",
                 "",
                 "",
                 "weights, activations, accumulators, backing",
                 "what lies in this memory"};
  field.is_required = true;
  field.read = [](MemoryConfig& memory, const Value& value, const std::string& path,
                  ErrorList& errors) {
    memory.holds.clear();
    if (value.is_list()) {
      for (const Value& item : value.items) {
        read_content(item, path, memory, errors);
      }
    } else {
      read_content(value, path, memory, errors);
    }
  };
  field.write = [](const MemoryConfig& memory) {
    std::vector<Value> items;
    for (const MemoryContent content : memory.holds) {
      items.push_back(Value::of(std::string(name_of(content))));
    }
    return Value::list(std::move(items));
  };
  return field;
}

/// Cycles or a time. What was written is kept: the clock may change, from point to point of a
/// sweep.
Field<MemoryConfig> scrub_field() {
  Field<MemoryConfig> field;
  field.about = {"scrub",
                 "cycles or time",
                 "cycles, " + std::string(kTimeUnits),
                 "0",
                 "0 to " + std::to_string(kLongestScrubPeriod) + " cycles",
                 "a scrubber reads and repairs every codeword once in so long (1000, 10us, 1d); "
                 "0: none"};
  field.read = [](MemoryConfig& memory, const Value& value, const std::string& path,
                  ErrorList& errors) {
    memory.scrub_cycles = 0;
    memory.scrub_time.clear();
    const auto nanoseconds = value.is_scalar() ? parse_nanoseconds(value.scalar) : std::nullopt;
    if (nanoseconds && *nanoseconds >= 0.0L) {
      memory.scrub_time = value.scalar;
    } else if (nanoseconds) {
      errors.add(ErrorCode::kInvalidInput, path + ": '" + value.scalar + "' is negative",
                 value.place.text(), "write a time such as 10us, or 0: no scrubber");
    } else if (value.is_scalar() && parse_integer(value.scalar)) {
      field_detail::read_integer(value, path, 0, kLongestScrubPeriod, errors,
                                 [&](std::int64_t cycles) { memory.scrub_cycles = cycles; });
    } else {
      field_detail::wrong_type(value, path,
                               "a number of cycles such as 1000, or a time such as 10us (units: " +
                                   std::string(kTimeUnits) + ")",
                               errors);
    }
  };
  field.write = [](const MemoryConfig& memory) {
    return Value::of(memory.scrub_time.empty() ? std::to_string(memory.scrub_cycles)
                                               : memory.scrub_time);
  };
  return field;
}

}  // namespace

void convert_scrub_time(MemoryConfig& memory, double clock_mhz, const std::string& path,
                        const std::string& where, ErrorList& errors) {
  if (memory.scrub_time.empty()) {
    return;
  }
  const long double cycles = parse_nanoseconds(memory.scrub_time).value() * clock_mhz / 1000.0L;
  if (cycles < 1.0L) {
    errors.add(ErrorCode::kInvalidInput,
               path + ": " + memory.scrub_time + " is shorter than a cycle of " +
                   field_detail::real_text(1000.0 / clock_mhz) + " ns",
               where, "write a longer time, or 0: no scrubber");
  } else if (cycles > static_cast<long double>(kLongestScrubPeriod)) {
    errors.add(ErrorCode::kInvalidInput, path + ": " + memory.scrub_time + " is out of range",
               where,
               "allowed: at most " + std::to_string(kLongestScrubPeriod) + " cycles, " +
                   field_detail::real_text(
                       std::floor(static_cast<double>(kLongestScrubPeriod) / clock_mhz / 86400e6)) +
                   " d at this clock");
  } else {
    memory.scrub_cycles = std::llround(cycles);
  }
}

std::string_view name_of(MemoryContent content) {
  for (const auto& [name, known] : contents()) {
    if (known == content) {
      return name;
    }
  }
  return "?";
}

ArrayConfig MemoryConfig::array() const {
  return {capacity_bytes, banks, row_bytes, data_bits, code().check_bits(), interleave};
}

FieldTable<MemoryConfig> memory_fields() {
  Field<MemoryConfig> capacity =
      bytes_field("capacity", &MemoryConfig::capacity_bytes, 1, kMostBytes,
                  "data of all banks; another ECC or interleave leaves it alone");
  capacity.is_required = true;
  return {
      holds_field(),
      std::move(capacity),
      integer_field("banks", &MemoryConfig::banks, 1, kMany, "", "arrays of cells side by side"),
      integer_field("row", &MemoryConfig::row_bytes, 1, kMany, "bytes",
                    "data of one row (word line) of a bank; check bits come on top"),
      integer_field("codeword", &MemoryConfig::data_bits, 1, kMany, "bits",
                    "data that ECC protects together; without ECC, what is read at once"),
      integer_field("interleave", &MemoryConfig::interleave, 1, kMany, "columns",
                    "from one bit of a codeword to the next (column multiplexing)"),
      choice_field("ecc", &MemoryConfig::ecc, ecc_choices(),
                   "code of each codeword; `tilestrike list codes` describes them"),
      scrub_field(),
      choice_field("double_buffered", &MemoryConfig::buffering,
                   {{"true", Buffering::kDouble}, {"false", Buffering::kSingle}},
                   "whether one half is filled while the other is read"),
  };
}

void check_memory(const MemoryConfig& memory, const std::string& path, const std::string& where,
                  ErrorList& errors) {
  try {
    EccCode::make(memory.ecc, memory.data_bits, where);
  } catch (const Failure& failure) {
    for (const Error& error : failure.errors()) {
      errors.add(error.code, path + ".codeword: " + error.what, where, error.cure);
    }
    return;
  }
  check_array(memory.array(), path, where, errors);
}

}  // namespace tilestrike::sim
