// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/enumerations.h"

#include <deque>
#include <mutex>
#include <utility>

#include "sim/ecc/ecc_code.h"

namespace tilestrike::campaigns {
namespace {

// Of a point: for each memory three radiations and two ends of their bands.
constexpr std::size_t kMostKept = 40;

/// The latest values that were asked for, by what they depend on.
template <class Key, class Value>
class Kept {
 public:
  template <class Make>
  std::shared_ptr<const Value> get(const Key& key, const Make& make) {
    const std::lock_guard lock(mutex_);
    for (const auto& [known, value] : values_) {
      if (known == key) {
        return value;
      }
    }
    values_.emplace_back(key, std::make_shared<const Value>(make()));
    if (values_.size() > kMostKept) {
      values_.pop_front();
    }
    return values_.back().second;
  }

 private:
  std::mutex mutex_;
  std::deque<std::pair<Key, std::shared_ptr<const Value>>> values_;
};

}  // namespace

std::shared_ptr<const sim::StrikeStrata> enumerated_strata(const StrataKey& key) {
  static Kept<StrataKey, sim::StrikeStrata> kept;
  return kept.get(key, [&] {
    const sim::EccCode& code = sim::EccCode::make(key.ecc, key.array.data_bits);
    return sim::StrikeStrata(key.law, sim::ArrayGeometry(key.array), key.tap_rows,
                             sim::judge_by(code));
  });
}

std::shared_ptr<const sim::CodewordUpsets> enumerated_upsets(const UpsetsKey& key) {
  static Kept<UpsetsKey, sim::CodewordUpsets> kept;
  return kept.get(key, [&] {
    std::vector<sim::EventSource> sources;
    for (const UpsetsKey::Source& source : key.sources) {
      sources.push_back({sim::patterns_of_event(source.law, key.layout), source.per_hour});
    }
    return sim::upsets_of(sim::EccCode::make(key.ecc, key.data_bits), sources);
  });
}

}  // namespace tilestrike::campaigns
