// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/plan/listed_population.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>
#include <numeric>
#include <set>
#include <span>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "campaigns/scenario/fault_list.h"
#include "campaigns/scenario/list_checks.h"

namespace tilestrike::campaigns {
namespace {

/// Cycles and images, which only the study knows.
void check_times(const StrikeConfig& strike, const bridge::StudyFacts& study) {
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

std::uint64_t mask_of(const ListedFault& fault, const NumberFormat& format) {
  return fault.bit < 0 ? format.all_bits() : std::uint64_t{1} << fault.bit;
}

/// The stores that listed faults may name: by their names, and a parameter that layers share by
/// what it is to each of them, too: "head.weight" of "embedding.weight".
class NamedStores {
 public:
  explicit NamedStores(const bridge::StudyFacts& study) : study_(study) {
    for (std::size_t i = 0; i < study.stores.size(); ++i) {
      numbers_.emplace(study.stores[i].name, static_cast<std::uint32_t>(i));
    }
    std::map<std::string, std::set<std::uint32_t>> others;
    for (std::size_t i = 0; i < study.stores.size(); ++i) {
      const TensorStore& store = study.stores[i];
      const std::size_t dot = store.name.rfind('.');
      for (const std::string& layer : store.layers) {
        if (dot != std::string::npos) {
          others[layer + store.name.substr(dot)].insert(static_cast<std::uint32_t>(i));
        }
      }
    }
    for (const auto& [name, numbers] : others) {
      if (numbers.size() == 1) {
        numbers_.emplace(name, *numbers.begin());
      }
    }
  }

  /// The one that has the fault's word and bit; nothing, and an error, where there is none.
  std::optional<StoreId> find(const ListedFault& fault, ErrorList& errors) const {
    const std::string place = fault.place.text();
    const auto found = numbers_.find(fault.tensor);
    if (found == numbers_.end()) {
      refuse_name(fault, errors);
      return std::nullopt;
    }
    const TensorStore& store = study_.stores[found->second];
    if (fault.word < 0 || fault.word >= store.words) {
      errors.add(ErrorCode::kInvalidInput,
                 fmt::format("strike.faults.word: {} has no word {}", fault.tensor, fault.word),
                 place, fmt::format("words are 0 to {}", store.words - 1));
      return std::nullopt;
    }
    if (fault.bit >= store.format.bits) {
      errors.add(ErrorCode::kInvalidInput,
                 fmt::format("strike.faults.bit: {} is stored in {} and has no bit {}",
                             fault.tensor, store.format.name(), fault.bit),
                 place, fmt::format("bits are 0 to {}", store.format.bits - 1));
      return std::nullopt;
    }
    return StoreId(found->second);
  }

 private:
  void refuse_name(const ListedFault& fault, ErrorList& errors) const {
    const bool is_layer = std::ranges::any_of(
        study_.layers, [&](const auto& layer) { return layer.name == fault.tensor; });
    std::vector<std::string> names;
    for (const TensorStore& store : study_.stores) {
      names.push_back(store.name);
    }
    errors.add(ErrorCode::kNotFound,
               is_layer ? "strike.faults.tensor: the layer '" + fault.tensor +
                              "' stores no words of its own: what it computes is a view of "
                              "another tensor, or belongs to no one image"
                        : "strike.faults.tensor: the network, in the format of this scenario, "
                          "stores no tensor '" +
                              fault.tensor + "'",
               fault.place.text(), near_names(fault.tensor, names));
  }

  const bridge::StudyFacts& study_;
  std::map<std::string, std::uint32_t> numbers_;
};

/// Of a trial: a word may be struck in several bits, in each of them once.
void check_once(const ListedTrial& trial, std::span<const StoreId> named,
                const std::vector<TensorStore>& stores, const StrikeConfig& strike,
                ErrorList& errors) {
  std::vector<std::size_t> order(trial.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto word_of = [&](std::size_t i) { return std::pair(named[i], trial[i].word); };
  std::ranges::stable_sort(order, {}, word_of);
  for (std::size_t i = 1; i < order.size(); ++i) {
    const ListedFault& fault = trial[order[i]];
    const TensorStore& store = stores[named[order[i]].value];
    for (std::size_t k = i; k-- > 0 && word_of(order[k]) == word_of(order[i]);) {
      const ListedFault& other = trial[order[k]];
      const std::uint64_t both = mask_of(fault, store.format) & mask_of(other, store.format);
      if (both != 0) {
        refuse_twice(
            other, fault,
            fmt::format("bit {} of word {} of {}", std::countr_zero(both), fault.word, store.name),
            strike, errors);
      }
    }
  }
}

StruckRoles roles_of(const std::vector<std::vector<StoreId>>& named,
                     const std::vector<TensorStore>& stores) {
  StruckRoles roles;
  for (const std::vector<StoreId>& trial : named) {
    for (const StoreId store : trial) {
      (is_computed(stores[store.value].role) ? roles.activations : roles.constants) = true;
    }
  }
  return roles;
}

}  // namespace

ListedRegisters::ListedRegisters(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : Listed(strike, times_of(strike, study)) {
  for (const ListedTrial& trial : strike.list) {
    sites_.emplace_back();
    for (const ListedFault& fault : trial) {
      const auto site = site_of(fault, study.sites);
      TS_CHECK(site.has_value(), "a listed fault was not checked");
      sites_.back().push_back(*site);
    }
  }
  check_times(strike, study);
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
    fault.fault.when =
        window_of(listed[i], is_persistent(), is_persistent() ? times().at(0) : CycleWindow{});
    drawn.faults.push_back(fault);
  }
  return drawn;
}

ListedCells::ListedCells(const Scenario& scenario, const bridge::StudyFacts& study)
    : Listed(scenario, study) {
  for (const ListedTrial& trial : strike().list) {
    cells_.emplace_back();
    for (const ListedFault& fault : trial) {
      const auto memory = std::ranges::find(memories(), fault.memory, &bridge::StudyMemory::name);
      TS_CHECK(memory != memories().end(), "a listed memory was not checked");
      CellFault cell;
      cell.memory = static_cast<std::size_t>(memory - memories().begin());
      const auto bit = cell_of(fault, geometry(cell.memory));
      TS_CHECK(bit.has_value(), "a listed cell was not checked");
      cell.bit = *bit;
      is_spread_ =
          is_spread_ || (!cells_.back().empty() && cells_.back().front().memory != cell.memory);
      cells_.back().push_back(cell);
    }
  }
  check_times(strike(), study);
}

DrawnTrial ListedCells::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  const ListedTrial& listed = strike().list[streams.trial.value];
  RandomStream kind_stream = streams.of(Purpose::kKind);
  RandomStream cycle_stream = streams.of(Purpose::kCycle);
  const CycleWindow otherwise = times().draw(cycle_stream, streams.image);
  DrawnStrike drawn;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    DrawnCell cell;
    cell.fault = cells_[streams.trial.value][i];
    const FaultKind drawn_kind = kinds()[kind_stream.below(kinds().size())];
    cell.fault.kind = listed[i].kind.value_or(drawn_kind);
    cell.acts = kind_stream.below(2) == 0 || cell.fault.kind != FaultKind::kRandom;
    cell.fault.when = window_of(listed[i], is_persistent(), otherwise);
    drawn.cells.push_back(cell);
  }
  return trial_of(std::move(drawn));
}

ListedWords::ListedWords(const StrikeConfig& strike, const bridge::StudyFacts& study)
    : ListedWords(strike, study, stores_of(strike, study)) {}

ListedWords::ListedWords(const StrikeConfig& strike, const bridge::StudyFacts& study, Stores named)
    : Listed(strike, study.stores, roles_of(named, study.stores)), named_(std::move(named)) {
  check_times(strike, study);
  std::set<StoreId> distinct;
  std::uint64_t faults = 0;
  for (std::size_t k = 0; k < named_.size(); ++k) {
    distinct.insert(named_[k].begin(), named_[k].end());
    faults += named_[k].size();
    const ListedTrial& trial = strike.list[k];
    if (is_persistent() && campaigns::named_image(trial) >= 0) {
      fail(ErrorCode::kInvalidInput,
           "strike.faults.image: these faults stay, and are judged on all images in use",
           trial.front().place.text(),
           "leave 'image' out; 'data.use' says which images are in use");
    }
  }
  for (const StoreId id : distinct) {
    Part part;
    part.store = id;
    part.words = static_cast<std::uint64_t>(study.stores[id.value].words);
    add_store(std::move(part));
  }
  expect(static_cast<double>(faults) / static_cast<double>(std::max<std::size_t>(named_.size(), 1)),
         1.0);
}

ListedWords::Stores ListedWords::stores_of(const StrikeConfig& strike,
                                           const bridge::StudyFacts& study) {
  const NamedStores known(study);
  ErrorList errors;
  Stores named;
  for (const ListedTrial& trial : strike.list) {
    named.emplace_back();
    for (const ListedFault& fault : trial) {
      if (const auto store = known.find(fault, errors)) {
        named.back().push_back(*store);
      }
    }
    if (named.back().size() == trial.size()) {
      check_once(trial, named.back(), study.stores, strike, errors);
    }
  }
  errors.throw_if_any();
  return named;
}

DrawnTrial ListedWords::draw(const TrialStreams& streams, std::optional<std::size_t>) const {
  RandomStream kind_stream = streams.of(Purpose::kKind);
  RandomStream bit_stream = streams.of(Purpose::kBit);
  struct One {
    DrawnBit bit;
    std::uint64_t mask, random;
  };
  std::vector<One> ones;
  const ListedTrial& listed = strike().list[streams.trial.value];
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const ListedFault& fault = listed[i];
    One one;
    one.bit.store = named_[streams.trial.value][i];
    one.bit.word = static_cast<std::uint64_t>(fault.word);
    one.bit.kind = fault.kind.value_or(kinds()[kind_stream.below(kinds().size())]);
    one.bit.bit = fault.bit;
    one.mask = mask_of(fault, stores()[one.bit.store.value].format);
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
