// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/tensor_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace tilestrike::campaigns {
namespace {

bool strikes_constants_alone(const StruckRoles& roles) {
  return roles.constants && !roles.activations;
}

}  // namespace

std::string bit_stratum_of(const NumberFormat& format, int bit) {
  if (!format.is_float()) {
    constexpr int kAlone = 3;  // the others are worth less than a sixteenth of the range
    return bit < format.bits - kAlone ? "low bits" : fmt::format("bit {}", bit);
  }
  const int exponent = bit - format.fraction_bits;
  return exponent < 0                           ? "mantissa"
         : exponent == format.exponent_bits     ? "sign"
         : exponent + 1 == format.exponent_bits ? "top exponent bit"
                                                : "exponent";
}

TensorPopulation::TensorPopulation(const StrikeConfig& strike,
                                   const std::vector<TensorStore>& stores, StruckRoles roles)
    : Population(strike, StrikeTimes(),
                 strikes_constants_alone(roles) || campaigns::is_persistent(strike)),
      stores_(&stores),
      roles_(roles) {}

void TensorPopulation::add_store(Part part) {
  part.first_bit = bits_;
  part.first_word = words_;
  words_ += part.words;
  bits_ += part.words * part.bits.size();
  parts_.push_back(std::move(part));
}

void TensorPopulation::divide_bits() {
  std::vector<Stratum> strata;
  for (Part& part : parts_) {
    for (const int bit : part.bits) {
      const std::string name = bit_stratum_of((*stores_)[part.store.value].format, bit);
      const auto found = std::ranges::find(strata, name, &Stratum::name);
      const auto number = static_cast<std::size_t>(found - strata.begin());
      if (found == strata.end()) {
        strata.push_back({name});
      }
      strata[number].bits += part.words;
      part.strata.resize(strata.size());
      part.strata[number].push_back(bit);
    }
  }
  if (strata.size() < 2) {
    return;
  }
  std::vector<double> weights, shares;
  for (std::size_t i = 0; i < strata.size(); ++i) {
    strata[i].weight = static_cast<double>(strata[i].bits) / static_cast<double>(bits_);
    weights.push_back(strata[i].weight);
    shares.push_back(0.5 * strata[i].weight + 0.5 / static_cast<double>(strata.size()));
  }
  for (Part& part : parts_) {
    part.strata.resize(strata.size());
  }
  divide(std::move(strata), Allocation::fixed(std::move(weights), std::move(shares)));
}

std::vector<double> TensorPopulation::stratum_weights(const std::vector<StoreId>& stores) const {
  std::vector<double> weights(strata().size());
  double all = 0.0;
  for (const Part& part : parts_) {
    if (std::ranges::find(stores, part.store) == stores.end()) {
      continue;
    }
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double bits = static_cast<double>(part.words * part.strata[i].size());
      weights[i] += bits;
      all += bits;
    }
  }
  for (double& weight : weights) {
    weight = all > 0.0 ? weight / all : 0.0;
  }
  return weights;
}

std::vector<std::string> TensorPopulation::formats() const {
  std::vector<std::pair<std::string, std::uint64_t>> words;
  for (const Part& part : parts_) {
    const std::string name = (*stores_)[part.store.value].format.name();
    const auto found =
        std::ranges::find(words, name, &std::pair<std::string, std::uint64_t>::first);
    (found == words.end() ? words.emplace_back(name, 0) : *found).second += part.words;
  }
  std::ranges::stable_sort(words, std::ranges::greater(),
                           &std::pair<std::string, std::uint64_t>::second);
  std::vector<std::string> names;
  for (const auto& [name, count] : words) {
    names.push_back(name);
  }
  return names;
}

std::optional<double> TensorPopulation::expected_per_word() const {
  return words_ == 0 ? 0.0 : expected() / static_cast<double>(words_);
}

Weights TensorPopulation::strata_among(const Among& which) const {
  if (strata().empty()) {
    return {};
  }
  const auto is_meant = [](const std::optional<std::string>& wanted, const std::string& name) {
    return !wanted || *wanted == name;
  };
  std::vector<StoreId> chosen;
  for (std::size_t i = 0; i < stores_->size(); ++i) {
    const TensorStore& store = (*stores_)[i];
    if (is_meant(which.part, store.name) && is_meant(which.layer, store.layer)) {
      chosen.emplace_back(static_cast<std::uint32_t>(i));
    }
  }
  const std::vector<double> shares = stratum_weights(chosen);
  Weights weights;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (shares[i] > 0.0) {
      weights.emplace_back(strata()[i].name, shares[i]);
    }
  }
  return weights;
}

std::vector<std::string> TensorPopulation::not_modelled() const {
  return {"the hardware that holds and moves these tensors, and its ECC"};
}

std::string TensorPopulation::stratum_name(const DrawnTrial& drawn) const {
  return drawn.words.stratum ? strata()[*drawn.words.stratum].name : "";
}

std::vector<StoreId> TensorPopulation::selected() const {
  std::vector<StoreId> stores;
  for (const Part& part : parts_) {
    stores.push_back(part.store);
  }
  return stores;
}

std::vector<std::string> TensorPopulation::parts() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    names.push_back((*stores_)[part.store.value].name);
  }
  return names;
}

std::string TensorPopulation::lasts() const {
  return strikes_constants_alone(roles_) ? "until written again"
         : is_persistent()               ? "permanent"
                                         : "for one inference";
}

std::string TensorPopulation::selection() const {
  std::string text;
  for (const std::string& key : tensor_keys()) {
    const Value value = write_tensor_key(strike().where.tensors, key);
    if (!value.is_null()) {
      text += (text.empty() ? "" : ", ") + key + " " +
              (value.is_scalar() ? value.scalar : value.json());
    }
  }
  return text;
}

void TensorPopulation::add(const DrawnBit& bit, std::uint64_t mask, std::uint64_t random,
                           DrawnWords& drawn) {
  WordFault fault;
  fault.store = bit.store;
  fault.word = bit.word;
  switch (bit.kind) {
    case FaultKind::kFlip:
      fault.flip = mask;
      break;
    case FaultKind::kStuckAt0:
      fault.keep = ~mask;
      break;
    case FaultKind::kStuckAt1:
      fault.keep = ~mask;
      fault.flip = mask;
      break;
    case FaultKind::kRandom:
      fault.keep = ~mask;
      fault.flip = random & mask;
      break;
  }
  if (!drawn.faults.empty() && drawn.faults.back().store == fault.store &&
      drawn.faults.back().word == fault.word) {
    drawn.faults.back() = compose(drawn.faults.back(), fault);
  } else {
    drawn.faults.push_back(fault);
  }
  if (drawn.first.size() < kMostDrawnBits) {
    drawn.first.push_back(bit);
  }
  ++drawn.count;
}

}  // namespace tilestrike::campaigns
