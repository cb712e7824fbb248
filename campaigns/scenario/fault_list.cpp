// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/fault_list.h"

#include <algorithm>
#include <map>

#include "base/csv.h"
#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

ListedFault read_entry(const Value& value, const std::string& path, ErrorList& errors) {
  ListedFault fault;
  fault.place = value.place;
  read_fields(listed_fault_fields(), value, path, fault, errors);
  return fault;
}

std::vector<ListedTrial> read_csv_list(const std::string& file, const std::string& path,
                                       ErrorList& errors) {
  const CsvTable table = parse_csv(read_text_file(file), file, path, errors);
  std::vector<ListedTrial> list;
  std::map<std::string, std::size_t> trials;  // text of the trial column -> index in `list`
  for (const std::vector<CsvCell>& row : table.rows) {
    Value entry = Value::map();
    entry.place = {file, row.front().place.line, 1};
    std::string trial;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (table.header[i].text == "trial") {
        trial = row[i].text;
      } else if (!row[i].text.empty()) {
        Value value = Value::of(row[i].text);
        value.place = row[i].place;
        entry.entries.push_back({table.header[i].text, std::move(value), table.header[i].place});
      }
    }
    const auto known = trials.find(trial);
    if (trial.empty() || known == trials.end()) {
      trials[trial] = list.size();
      list.emplace_back();
    }
    list[trial.empty() ? list.size() - 1 : trials[trial]].push_back(
        read_entry(entry, path, errors));
  }
  if (list.empty()) {
    errors.add(ErrorCode::kInvalidInput, path + ": the file lists no faults", file,
               "write column names in the first line and one fault on each further line");
  }
  return list;
}

}  // namespace

void read_fault_list(StrikeConfig& strike, const Value& value, const std::string& path,
                     ErrorList& errors) {
  strike.list.clear();
  strike.list_file.clear();
  if (value.is_scalar()) {
    strike.list_file = absolute_path(value.scalar, folder_of(value.place));
    try {
      strike.list = read_csv_list(strike.list_file, path, errors);
    } catch (const Failure& failure) {
      for (const Error& error : failure.errors()) {
        errors.add(error.code, path + ": " + error.what, error.where, error.cure);
      }
    }
    return;
  }
  if (!value.is_list()) {
    field_detail::wrong_type(value, path, "a list of faults, or the path of a CSV file", errors);
    return;
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const Value& item = value.items[i];
    const std::string here = path + "[" + std::to_string(i) + "]";
    ListedTrial trial;
    if (item.is_list()) {
      for (std::size_t j = 0; j < item.items.size(); ++j) {
        trial.push_back(read_entry(item.items[j], here + "[" + std::to_string(j) + "]", errors));
      }
    } else {
      trial.push_back(read_entry(item, here, errors));
    }
    if (trial.empty()) {
      errors.add(ErrorCode::kInvalidInput, here + ": a trial without faults", item.place.text(),
                 "list at least one fault");
      continue;
    }
    strike.list.push_back(std::move(trial));
  }
}

Value write_fault_list(const std::vector<ListedTrial>& list) {
  if (list.empty()) {
    return Value{};
  }
  const FieldTable<ListedFault> table = listed_fault_fields();
  std::vector<Value> trials;
  for (const ListedTrial& trial : list) {
    std::vector<Value> faults;
    for (const ListedFault& fault : trial) {
      faults.push_back(write_fields(table, fault));
      faults.back().place = fault.place;  // for what the plan finds
    }
    trials.push_back(faults.size() == 1 ? std::move(faults.front())
                                        : Value::list(std::move(faults)));
  }
  return Value::list(std::move(trials));
}

std::vector<SiteId> selected_sites(const MeshSelection& selection, const sim::MeshSites& sites) {
  std::vector<SiteId> chosen;
  for (const sim::RegisterBlock& block : sites.blocks()) {
    const auto& names = selection.registers;
    if (!names.empty() && std::find(names.begin(), names.end(), block.name) == names.end()) {
      continue;
    }
    for (std::uint64_t offset = 0; offset < block.size(); ++offset) {
      const SiteId id(block.first + offset);
      if (!selection.bits.empty()) {
        const int bit = static_cast<int>(offset % static_cast<std::uint64_t>(block.bits));
        if (std::find(selection.bits.begin(), selection.bits.end(), bit) == selection.bits.end()) {
          continue;
        }
      }
      if (!selection.pe.empty()) {
        const sim::MeshSite site = sites.describe(id);
        if (site.row != selection.pe[0] || site.column != selection.pe[1]) {
          continue;
        }
      }
      chosen.push_back(id);
    }
  }
  return chosen;
}

bool check_register(const std::string& name, const std::string& path, const std::string& place,
                    const sim::MeshSites& sites, ErrorList& errors) {
  if (sites.block_named(name) != nullptr) {
    return true;
  }
  std::vector<std::string> known;
  for (const sim::RegisterBlock& block : sites.blocks()) {
    known.push_back(block.name);
  }
  errors.add(ErrorCode::kInvalidInput, path + ": this mesh has no register named '" + name + "'",
             place, suggestion(name, known));
  return false;
}

std::optional<SiteId> site_of(const ListedFault& fault, const sim::MeshSites& sites) {
  const sim::RegisterBlock* block = sites.block_named(fault.register_name);
  return block == nullptr
             ? std::nullopt
             : sites.find({block->kind, fault.row, fault.column, fault.position, fault.bit});
}

std::string place_rule(const std::string& register_name, const sim::MeshSites& sites) {
  const sim::RegisterBlock* block = sites.block_named(register_name);
  TS_CHECK(block != nullptr, "a register that is not on this mesh");
  return "name " + join(sites.indices(block->kind), ", ") + ", and no other place";
}

std::optional<CodewordBit> cell_of(const ListedFault& fault, const sim::ArrayGeometry& geometry) {
  const bool has_place = fault.bank >= 0 || fault.row >= 0 || fault.column >= 0;
  if (fault.codeword >= 0 || fault.bit >= 0) {
    const bool is_there = fault.codeword >= 0 && fault.bit >= 0 && !has_place &&
                          static_cast<std::uint64_t>(fault.codeword) < geometry.codewords() &&
                          fault.bit < geometry.codeword_bits();
    return is_there ? std::optional(CodewordBit{
                          CodewordId(static_cast<std::uint64_t>(fault.codeword)), fault.bit})
                    : std::nullopt;
  }
  const auto is_below = [](int number, int end) { return 0 <= number && number < end; };
  const bool is_there = is_below(fault.bank, geometry.banks()) &&
                        is_below(fault.row, geometry.rows()) &&
                        is_below(fault.column, geometry.columns());
  return is_there ? std::optional(geometry.bit_at({fault.bank, fault.row, fault.column}))
                  : std::nullopt;
}

std::string place_rule(const sim::ArrayGeometry& geometry) {
  const auto range = [](const char* name, std::uint64_t count) {
    return std::string(name) + " (0 to " + std::to_string(count - 1) + ")";
  };
  const sim::ArrayConfig& array = geometry.config();
  std::string bits = "bit (0 to " + std::to_string(geometry.codeword_bits() - 1);
  if (array.check_bits > 0) {
    bits += ", check bits from " + std::to_string(array.data_bits) + " on";
  }
  return "name " + range("codeword", geometry.codewords()) + " and " + bits + "), or " +
         range("bank", static_cast<std::uint64_t>(geometry.banks())) + ", " +
         range("row", static_cast<std::uint64_t>(geometry.rows())) + " and " +
         range("column", static_cast<std::uint64_t>(geometry.columns()));
}

}  // namespace tilestrike::campaigns
