// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Reports as JSON.
#include <nlohmann/json.hpp>

#include "campaigns/report/report.h"

namespace tilestrike::campaigns {
namespace {

using Json = nlohmann::ordered_json;

Json numbers_of(const Estimate& estimate) {
  return {{"value", estimate.value},
          {"low", estimate.interval.low},
          {"high", estimate.interval.high},
          {"n", estimate.n}};
}

struct ValueJson {
  Json operator()(std::monostate) const { return {}; }
  Json operator()(std::nullptr_t) const { return {}; }
  Json operator()(const Share& share) const { return numbers_of(share.estimate); }
  Json operator()(const Estimate& estimate) const {
    Json json = numbers_of(estimate);
    json["kind"] = estimate.basis == Basis::kSampled      ? "sampled"
                   : estimate.basis == Basis::kEnumerated ? "enumerated bound"
                                                          : "impossible";
    return json;
  }
  template <class Value>
  Json operator()(const Value& value) const {
    return value;
  }
};

/// The value of "a/b" in an object.
Json& at(Json& json, const std::string& key) {
  const std::size_t end = key.find('/');
  return end == std::string::npos ? json[key] : at(json[key.substr(0, end)], key.substr(end + 1));
}

void put(const std::string& key, const FactValue& value, Json& json) {
  if (!key.empty() && !std::holds_alternative<std::monostate>(value)) {
    at(json, key) = std::visit(ValueJson{}, value);
  }
}

void put_items(const Report& report, Json& json);

struct ItemJson {
  Json& json;

  void operator()(const Fact& fact) const { put(fact.key, fact.value, json); }
  void operator()(const Line&) const {}
  void operator()(const ReportTable& table) const {
    if (table.key.empty()) {
      return;
    }
    Json& rows = at(json, table.key) = Json::array();
    for (const std::vector<Entry>& row : table.rows) {
      Json object = Json::object();
      for (std::size_t i = 0; i < row.size(); ++i) {
        put(table.columns[i].key, row[i].value, object);
      }
      rows.push_back(std::move(object));
    }
  }
  void operator()(const Parts& parts) const {
    if (!parts.is_list) {
      put_items(parts.reports.front(), parts.key.empty() ? json : at(json, parts.key));
      return;
    }
    Json& list = at(json, parts.key) = Json::array();
    for (const Report& report : parts.reports) {
      list.push_back(json_of(report));
    }
  }
};

void put_items(const Report& report, Json& json) {
  for (const Item& item : report.items()) {
    std::visit(ItemJson{json}, item.of);
  }
}

}  // namespace

Json json_of(const Report& report) {
  Json json = Json::object();
  put_items(report, json);
  return json;
}

}  // namespace tilestrike::campaigns
