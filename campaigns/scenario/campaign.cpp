// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/campaign.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "base/yaml.h"
#include "campaigns/scenario/library.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::size_t kMostPoints = 10'000;

void move_to(Value& value, const Place& place) {
  value.place = place;
  for (Value& item : value.items) {
    move_to(item, place);
  }
  for (Entry& entry : value.entries) {
    entry.place = place;
    move_to(entry.value, place);
  }
}

std::vector<std::string> parts_of(const std::string& address) {
  std::vector<std::string> parts;
  std::size_t start = 0;
  while (start <= address.size()) {
    const std::size_t dot = std::min(address.find('.', start), address.size());
    parts.push_back(address.substr(start, dot - start));
    start = dot + 1;
  }
  return parts;
}

/// Names that the field table knows directly below `prefix` ("" or "strike.").
std::vector<std::string> known_below(const std::string& prefix) {
  static const std::vector<FieldHelp> fields = help_of(scenario_fields({}));
  std::vector<std::string> names;
  for (const FieldHelp& field : fields) {
    if (field.name.rfind(prefix, 0) == 0) {
      const std::string rest = field.name.substr(prefix.size());
      const std::string name = rest.substr(0, rest.find('.'));
      if (std::find(names.begin(), names.end(), name) == names.end()) {
        names.push_back(name);
      }
    }
  }
  return names;
}

class Assignment {
 public:
  Assignment(const Setting& setting, ErrorList& errors)
      : setting_(setting), parts_(parts_of(setting.address)), errors_(errors) {}

  void apply(Value& document) { apply_at(document, 0, ""); }

 private:
  void refuse(std::string what, std::string cure) {
    errors_.add(ErrorCode::kInvalidInput, setting_.address + ": " + std::move(what),
                setting_.value.place.text(), std::move(cure));
  }

  void apply_at(Value& node, std::size_t index, const std::string& prefix) {
    if (index == parts_.size()) {
      node = setting_.value;
      return;
    }
    const std::string& part = parts_[index];
    if (!node.is_map() && !node.is_null()) {
      refuse("'" + prefix.substr(0, prefix.size() - 1) + "' has no keys",
             "set it as a whole, for instance to {" + part + ": ...}");
      return;
    }
    if (part == "*" && node.entries.empty()) {
      refuse("'" + prefix.substr(0, prefix.size() - 1) + "' has no entries",
             "name the key instead of *");
      return;
    }
    if (part == "*") {
      for (Entry& entry : node.entries) {
        apply_at(entry.value, index + 1, prefix + entry.key + ".");
      }
      return;
    }
    std::vector<std::string> known = known_below(prefix);
    for (const Entry& entry : node.entries) {
      if (std::find(known.begin(), known.end(), entry.key) == known.end()) {
        known.push_back(entry.key);
      }
    }
    if (std::find(known.begin(), known.end(), part) == known.end()) {
      refuse("the expanded scenario has no such key",
             known.empty() ? "see it with --dry-run" : suggestion(part, known));
      return;
    }
    apply_at(node.at_or_add(part), index + 1, prefix + part + ".");
  }

  const Setting& setting_;
  std::vector<std::string> parts_;
  ErrorList& errors_;
};

/// Applies one setting; a newly named accelerator is looked up, so that the next setting can reach
/// into it.
void apply(const Setting& setting, Value& document, ErrorList& errors) {
  Assignment(setting, errors).apply(document);
  if (Value* accelerator = document.find("accelerator");
      accelerator != nullptr && !(accelerator->is_scalar() && accelerator->scalar == "none") &&
      (!accelerator->is_map() || accelerator->find("base") != nullptr)) {
    *accelerator = resolve_accelerator(*accelerator, "accelerator", errors);
  }
}

std::string short_text(const Value& value) {
  return value.is_scalar() ? value.scalar : value.json();
}

/// Settings that go together, and all alternatives of them.
using Axis = std::vector<std::vector<Setting>>;

bool is_axis(const Entry& entry, ErrorList& errors) {
  if (entry.value.is_list() && !entry.value.items.empty()) {
    return true;
  }
  errors.add(ErrorCode::kInvalidInput, "sweep." + entry.key + ": found no list of values",
             entry.place.text(), "write [VALUE, ...]");
  return false;
}

Axis axis_of(const Entry& entry) {
  Axis axis;
  for (const Value& item : entry.value.items) {
    axis.push_back({Setting{entry.key, item}});
  }
  return axis;
}

void add_zipped(const Value& zip, std::vector<Axis>& axes, ErrorList& errors) {
  if (!zip.is_map() || zip.entries.empty()) {
    errors.add(ErrorCode::kInvalidInput, "sweep.zip: found no map of lists", zip.place.text(),
               "write {KEY: [...], KEY: [...]}, all lists of one length");
    return;
  }
  Axis zipped(zip.entries.front().value.items.size());
  for (const Entry& entry : zip.entries) {
    if (!is_axis(entry, errors)) {
      return;
    }
    if (entry.value.items.size() != zipped.size()) {
      errors.add(ErrorCode::kInvalidInput,
                 "sweep.zip." + entry.key + ": " + std::to_string(entry.value.items.size()) +
                     " values, but '" + zip.entries.front().key + "' has " +
                     std::to_string(zipped.size()),
                 entry.place.text(), "give lists that go in step the same length");
      return;
    }
    for (std::size_t i = 0; i < zipped.size(); ++i) {
      zipped[i].push_back({entry.key, entry.value.items[i]});
    }
  }
  axes.push_back(std::move(zipped));
}

std::vector<Axis> read_sweep(const Value& sweep, ErrorList& errors) {
  std::vector<Axis> axes;
  if (!sweep.is_map()) {
    field_detail::wrong_type(sweep, "sweep", "a map of dotted keys to lists", errors);
    return axes;
  }
  for (const Entry& entry : sweep.entries) {
    if (entry.key == "zip") {
      add_zipped(entry.value, axes, errors);
    } else if (is_axis(entry, errors)) {
      axes.push_back(axis_of(entry));
    }
  }
  std::size_t points = 1;
  for (const Axis& axis : axes) {
    points *= axis.size();
    if (points > kMostPoints) {
      errors.add(ErrorCode::kInvalidInput,
                 "sweep: more than " + std::to_string(kMostPoints) + " points", sweep.place.text(),
                 "split the campaign");
      return {};
    }
  }
  return axes;
}

/// Every combination of one alternative per axis; the last axis varies fastest.
std::vector<std::vector<Setting>> combinations(const std::vector<Axis>& axes) {
  std::vector<std::vector<Setting>> all{{}};
  for (const Axis& axis : axes) {
    std::vector<std::vector<Setting>> longer;
    for (const std::vector<Setting>& start : all) {
      for (const std::vector<Setting>& alternative : axis) {
        longer.push_back(start);
        longer.back().insert(longer.back().end(), alternative.begin(), alternative.end());
      }
    }
    all = std::move(longer);
  }
  return all;
}

/// Whether setting `over` sets what setting `under` has set, too.
bool covers(const std::string& over, const std::string& under) {
  const std::vector<std::string> above = parts_of(over);
  const std::vector<std::string> below = parts_of(under);
  if (above.size() > below.size()) {
    return false;
  }
  for (std::size_t i = 0; i < above.size(); ++i) {
    if (above[i] != below[i] && above[i] != "*" && below[i] != "*") {
      return false;
    }
  }
  return true;
}

/// A key that is set is swept no more, so that one point of a sweep can be run alone. One that a
/// sweep would overwrite in another way is refused.
void narrow(Value& sweep, const Setting& setting, ErrorList& errors) {
  if (!sweep.is_map()) {
    return;
  }
  std::erase_if(sweep.entries, [&](const Entry& entry) { return entry.key == setting.address; });
  Value* zip = sweep.find("zip");
  if (zip != nullptr && zip->is_map()) {
    std::erase_if(zip->entries, [&](const Entry& entry) { return entry.key == setting.address; });
    if (zip->entries.empty()) {
      std::erase_if(sweep.entries, [](const Entry& entry) { return entry.key == "zip"; });
      zip = nullptr;
    }
  }
  const auto check = [&](const Entry& entry) {
    if (covers(entry.key, setting.address)) {
      errors.add(ErrorCode::kInvalidInput,
                 setting.address + ": the sweep sets '" + entry.key + "' after it",
                 setting.value.place.text(),
                 "set '" + entry.key + "', which takes it out of the sweep");
    }
  };
  std::ranges::for_each(sweep.entries, check);
  if (zip != nullptr) {
    std::ranges::for_each(zip->entries, check);
  }
}

/// The addresses of a sweep.
std::vector<std::string> addresses_of(const std::vector<Axis>& axes) {
  std::vector<std::string> addresses;
  for (const Axis& axis : axes) {
    for (const Setting& setting : axis.empty() ? std::vector<Setting>() : axis.front()) {
      addresses.push_back(setting.address);
    }
  }
  return addresses;
}

std::string label_of(const std::vector<Setting>& settings) {
  std::vector<std::string> parts;
  for (const Setting& setting : settings) {
    parts.push_back(setting.address + "=" + short_text(setting.value));
  }
  return join(parts, ", ");
}

void add_point(const Value& base, const std::vector<Setting>& settings,
               const sim::EngineSet& engines, Campaign& campaign, ErrorList& errors) {
  Point point;
  point.label = label_of(settings);
  ErrorList own;
  Value document = base;
  for (const Setting& setting : settings) {
    apply(setting, document, own);
  }
  if (own.empty()) {
    // At one point of a sweep the voltage may be the node's.
    point.scenario = read_scenario(document, engines, own, addresses_of({Axis{settings}}));
  }
  try {
    own.throw_if_any();
  } catch (const Failure& failure) {
    for (const Error& error : failure.errors()) {
      const std::string of = point.label.empty() ? "" : "sweep point " + point.label + ": ";
      errors.add(error.code, of + error.what, error.where, error.cure);
    }
    return;
  }
  point.document = expanded(point.scenario);
  campaign.points.push_back(std::move(point));
}

void flatten(const Value& value, const std::string& address,
             std::vector<std::pair<std::string, std::string>>& leaves) {
  if (!value.is_map() || value.entries.empty()) {
    leaves.emplace_back(address, short_text(value));
    return;
  }
  for (const Entry& entry : value.entries) {
    flatten(entry.value, address.empty() ? entry.key : address + "." + entry.key, leaves);
  }
}

bool changes_no_trial(const std::string& address) {
  const std::string key = address.substr(0, address.find('.'));
  return key == "trials" || key == "until" || key == "device" || key == "differential" ||
         key == "memory";
}

}  // namespace

Setting parse_setting(const std::string& text, const std::string& flag) {
  const std::size_t equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) {
    fail(ErrorCode::kInvalidInput, "'" + text + "' is not a setting", flag,
         "write KEY=VALUE with a dotted key of the expanded scenario (see --dry-run)");
  }
  Setting setting;
  setting.address = text.substr(0, equals);
  const std::string where = flag + " " + setting.address;
  setting.value = parse_yaml(text.substr(equals + 1), where);
  move_to(setting.value, {where, 0, 0});
  return setting;
}

Campaign read_campaign(Value document, const sim::EngineSet& engines,
                       const std::vector<Setting>& settings) {
  ErrorList errors;
  std::optional<Value> sweep;
  if (document.is_map()) {
    const auto is_sweep = [](const Entry& entry) { return entry.key == "sweep"; };
    const auto entry = std::find_if(document.entries.begin(), document.entries.end(), is_sweep);
    if (entry != document.entries.end()) {
      sweep = entry->value;
      document.entries.erase(entry);
    }
  }
  for (const Setting& setting : settings) {
    if (sweep) {
      narrow(*sweep, setting, errors);
    }
  }
  if (sweep && sweep->is_map() && sweep->entries.empty() && !settings.empty()) {
    sweep.reset();
  }
  const std::vector<Axis> axes = sweep ? read_sweep(*sweep, errors) : std::vector<Axis>{};
  const std::vector<std::string> swept = addresses_of(axes);
  std::vector<std::string> later = swept;
  for (const Setting& setting : settings) {
    later.push_back(setting.address);
  }
  Value base = expanded(read_scenario(document, engines, errors, later));
  errors.throw_if_any();
  for (const Setting& setting : settings) {
    apply(setting, base, errors);
  }
  errors.throw_if_any();
  Campaign campaign;
  campaign.document = expanded(read_scenario(base, engines, errors, swept));
  errors.throw_if_any();
  if (sweep) {
    campaign.document.set("sweep", *sweep);
  }
  for (const std::vector<Setting>& point : combinations(axes)) {
    add_point(base, point, engines, campaign, errors);
  }
  errors.throw_if_any();
  return campaign;
}

Campaign load_campaign(const std::string& path, const sim::EngineSet& engines,
                       const std::vector<Setting>& settings) {
  return read_campaign(load_yaml(path), engines, settings);
}

std::optional<std::string> first_difference(const Value& stored, const Value& given) {
  std::vector<std::pair<std::string, std::string>> ours, theirs;
  flatten(given, "", ours);
  flatten(stored, "", theirs);
  const std::map<std::string, std::string> known(theirs.begin(), theirs.end());
  std::set<std::string> seen;
  for (const auto& [address, text] : ours) {
    seen.insert(address);
    const auto other = known.find(address);
    const std::string there = other == known.end() ? "nothing" : "'" + other->second + "'";
    if (!changes_no_trial(address) && there != "'" + text + "'") {
      return address + " is " + there + " there and '" + text + "' here";
    }
  }
  for (const auto& [address, text] : theirs) {
    if (!changes_no_trial(address) && seen.count(address) == 0) {
      return address + " is '" + text + "' there and nothing here";
    }
  }
  return std::nullopt;
}

std::vector<FieldHelp> campaign_help(const sim::EngineSet& engines) {
  std::vector<FieldHelp> all = help_of(scenario_fields(engines));
  all.push_back(
      {"sweep", "map of lists", "", "", "",
       "dotted keys of the expanded scenario, each with a list of values: lists multiply"});
  all.push_back({"sweep.zip", "map of lists", "", "", "",
                 "lists of one length that go in step instead of multiplying"});
  return all;
}

}  // namespace tilestrike::campaigns
