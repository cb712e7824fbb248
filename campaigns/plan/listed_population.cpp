// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/listed_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fault_list.h"

namespace tilestrike::campaigns {
namespace {

void check_list(const StrikeConfig& strike, const bridge::StudyFacts& study) {
  ErrorList errors;
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      const std::string place = fault.place.text();
      const Cycle last = std::max(fault.cycle, fault.until - 1);
      if (last >= study.cycles) {
        errors.add(ErrorCode::kInvalidInput,
                   "strike.faults.cycle: " + std::to_string(last) + " is beyond the inference",
                   place, "cycles are 0 to " + std::to_string(study.cycles - 1));
      }
      if (fault.image >= study.images) {
        errors.add(ErrorCode::kInvalidInput,
                   "strike.faults.image: image " + std::to_string(fault.image) + " is not in use",
                   place, "images are 0 to " + std::to_string(study.images - 1));
      }
    }
  }
  errors.throw_if_any();
}

std::string text_of(const std::vector<ListedTrial>& list) {
  return std::to_string(list.size()) + " listed trials";
}

std::optional<ImageId> image_of(const ListedTrial& trial) {
  return trial.front().image >= 0 ? std::optional(ImageId(trial.front().image)) : std::nullopt;
}

bool strikes_listed_constants(const StrikeConfig& strike, const std::vector<TensorStore>& stores) {
  bool is_constant = false;
  bool is_activation = false;
  for (const ListedTrial& trial : strike.list) {
    for (const ListedFault& fault : trial) {
      for (const TensorStore& store : stores) {
        if (store.name == fault.tensor) {
          (store.role == TensorRole::kActivation ? is_activation : is_constant) = true;
        }
      }
    }
  }
  if (is_constant && is_activation) {
    fail(ErrorCode::kUnsupported,
         "strike.faults: activations live for one inference, other tensors for all", "scenario",
         "put them into two campaigns");
  }
  return is_constant;
}

/// The tensor that a listed fault names, which has that word and bit.
StoreId store_of(const ListedFault& fault, const std::vector<TensorStore>& stores) {
  const auto found = std::ranges::find(stores, fault.tensor, &TensorStore::name);
  const std::string place = fault.place.text();
  if (found == stores.end()) {
    std::vector<std::string> names;
    for (const TensorStore& store : stores) {
      names.push_back(store.name);
    }
    fail(ErrorCode::kNotFound,
         "strike.faults.tensor: the network stores no tensor '" + fault.tensor + "'", place,
         suggestion(fault.tensor, names));
  }
  if (fault.word < 0 || fault.word >= found->words) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("strike.faults.word: {} has no word {}", fault.tensor, fault.word), place,
         fmt::format("words are 0 to {}", found->words - 1));
  }
  if (fault.bit >= found->format.bits) {
    fail(ErrorCode::kInvalidInput,
         fmt::format("strike.faults.bit: {} is stored in {} and has no bit {}", fault.tensor,
                     found->format.name(), fault.bit),
         place, fmt::format("bits are 0 to {}", found->format.bits - 1));
  }
  return StoreId(static_cast<std::uint32_t>(found - stores.begin()));
}

}  // namespace

ListedRegisters::ListedRegisters(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : Population(strike, times_of(strike, study)) {
  for (const ListedTrial& trial : strike.list) {
    sites_.emplace_back();
    for (const ListedFault& fault : trial) {
      const auto site = site_of(fault, study.sites);
      TS_CHECK(site.has_value(), "a listed fault was not checked");
      sites_.back().push_back(*site);
    }
  }
  check_list(strike, study);
}

std::string ListedRegisters::text() const { return text_of(strike().list); }

std::optional<ImageId> ListedRegisters::named_image(TrialId trial) const {
  return image_of(strike().list[trial.value]);
}

DrawnTrial ListedRegisters::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  const ListedTrial& listed = strike().list[streams.trial.value];
  DrawnTrial drawn;
  RandomStream kind_stream = streams.of(Purpose::kKind);
  for (std::size_t i = 0; i < listed.size(); ++i) {
    DrawnFault fault;
    fault.fault.site = sites_[streams.trial.value][i];
    const FaultKind drawn_kind = kinds()[kind_stream.below(kinds().size())];
    fault.fault.kind = listed[i].kind.value_or(drawn_kind);
    fault.acts = kind_stream.below(2) == 0 || fault.fault.kind != FaultKind::kRandom;
    CycleWindow& when = fault.fault.when;
    when = is_persistent() ? times().at(0) : CycleWindow{listed[i].cycle, listed[i].cycle + 1};
    if (is_persistent() && listed[i].cycle >= 0) {
      when.from = listed[i].cycle;
    }
    if (listed[i].until >= 0) {
      when.until = listed[i].until;
    }
    drawn.faults.push_back(fault);
  }
  return drawn;
}

ListedWords::ListedWords(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : TensorPopulation(strike, study.stores, strikes_listed_constants(strike, study.stores)) {
  check_list(strike, study);
  expect(0.0, 1.0);
}

std::string ListedWords::text() const { return text_of(strike().list); }

std::optional<ImageId> ListedWords::named_image(TrialId trial) const {
  return image_of(strike().list[trial.value]);
}

DrawnTrial ListedWords::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  RandomStream kind_stream = streams.of(Purpose::kKind);
  RandomStream bit_stream = streams.of(Purpose::kBit);
  struct One {
    DrawnBit bit;
    std::uint64_t mask, random;
  };
  std::vector<One> ones;
  for (const ListedFault& fault : strike().list[streams.trial.value]) {
    One one;
    one.bit.store = store_of(fault, stores());
    one.bit.word = static_cast<std::uint64_t>(fault.word);
    one.bit.kind = fault.kind.value_or(kinds()[kind_stream.below(kinds().size())]);
    one.bit.bit = fault.bit;
    const NumberFormat& format = stores()[one.bit.store.value].format;
    one.mask = fault.bit < 0 ? format.all_bits() : std::uint64_t{1} << fault.bit;
    one.random = bit_stream.next();
    ones.push_back(one);
  }
  std::stable_sort(ones.begin(), ones.end(), [](const One& x, const One& y) {
    return std::tie(x.bit.store, x.bit.word) < std::tie(y.bit.store, y.bit.word);
  });
  DrawnTrial drawn;
  for (const One& one : ones) {
    add(one.bit, one.mask, one.random, drawn.words);
  }
  return drawn;
}

}  // namespace tilestrike::campaigns
