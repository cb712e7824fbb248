// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/scenario/tensor_selection.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/text.h"
#include "campaigns/scenario/fields.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::array<std::string_view, kTensorRoles> kKeys{
    "weights", "biases", "normalisation", "parameters", "buffers", "activations", "membranes"};

std::vector<std::string> read_texts(const Value& value, const std::string& path,
                                    const std::string& wanted, ErrorList& errors) {
  std::vector<std::string> texts;
  for (const Value& item : items_of(value)) {
    if (item.is_scalar() && !item.scalar.empty()) {
      texts.push_back(item.scalar);
    } else {
      field_detail::wrong_type(item, path, wanted, errors);
    }
  }
  return texts;
}

Value written(const std::vector<std::string>& texts) {
  if (texts.size() == 1) {
    return Value::of(texts.front());
  }
  std::vector<Value> items;
  for (const std::string& text : texts) {
    items.push_back(Value::of(text));
  }
  return items.empty() ? Value{} : Value::list(std::move(items));
}

struct BitRange {
  std::int64_t low = 0, high = 0;
};

/// "7", "0-7".
std::optional<BitRange> range_of(const std::string& text) {
  const std::size_t dash = text.find('-');
  const auto low = parse_integer(text.substr(0, dash));
  const auto high = dash == std::string::npos ? low : parse_integer(text.substr(dash + 1));
  if (!low || !high || *low < 0 || *high < *low) {
    return std::nullopt;
  }
  return BitRange{*low, *high};
}

bool is_field_of_any_format(const std::string& name) {
  static const std::vector<std::string> names{"sign",      "exponent", "mantissa",
                                              "magnitude", "integer",  "fraction"};
  return std::find(names.begin(), names.end(), name) != names.end();
}

void read_bits(TensorSelection& selection, const Value& value, const std::string& path,
               ErrorList& errors) {
  selection.bits.clear();
  if (value.is_scalar() && value.scalar == "all") {
    return;
  }
  for (const Value& item : items_of(value)) {
    if (!item.is_scalar() || (!range_of(item.scalar) && !is_field_of_any_format(item.scalar))) {
      field_detail::wrong_type(
          item, path, "all, sign, exponent, mantissa, a bit (30), a range (0-7), or a list of them",
          errors);
      continue;
    }
    selection.bits.push_back(item.scalar);
  }
}

void read_tick(TensorSelection& selection, const Value& value, const std::string& path,
               ErrorList& errors) {
  selection.tick.reset();
  if (value.is_scalar() && value.scalar == "uniform") {
    return;
  }
  constexpr std::int64_t kLatestTick = 65534;
  field_detail::read_integer(value, path, 0, kLatestTick, errors,
                             [&](std::int64_t tick) { selection.tick = tick; });
}

/// A glob is meant for a tensor's name or for a layer that it belongs to.
bool is_meant(const std::string& glob, const TensorStore& store) {
  return matches_glob(glob, store.name) || matches_glob(glob, store.layer) ||
         std::ranges::any_of(store.layers,
                             [&](const std::string& layer) { return matches_glob(glob, layer); });
}

}  // namespace

bool TensorSelection::is_empty() const {
  return std::all_of(globs.begin(), globs.end(), [](const auto& list) { return list.empty(); });
}

bool TensorSelection::strikes_activations() const {
  return !globs[static_cast<std::size_t>(TensorRole::kActivation)].empty() ||
         !globs[static_cast<std::size_t>(TensorRole::kMembrane)].empty();
}

bool TensorSelection::strikes_constants() const {
  for (std::size_t role = 0; role < kTensorRoles; ++role) {
    if (!is_computed(static_cast<TensorRole>(role)) && !globs[role].empty()) {
      return true;
    }
  }
  return false;
}

std::vector<std::string> tensor_keys() {
  std::vector<std::string> keys(kKeys.begin(), kKeys.end());
  keys.emplace_back("bits");
  keys.emplace_back("tick");
  return keys;
}

void read_tensor_key(TensorSelection& selection, const std::string& key, const Value& value,
                     const std::string& path, ErrorList& errors) {
  if (key == "bits") {
    read_bits(selection, value, path, errors);
    return;
  }
  if (key == "tick") {
    read_tick(selection, value, path, errors);
    return;
  }
  const auto role =
      static_cast<std::size_t>(std::find(kKeys.begin(), kKeys.end(), key) - kKeys.begin());
  TS_CHECK(role < kTensorRoles, "a key of tensor_keys(): " + key);
  selection.globs[role] = read_texts(value, path, "a glob of names, or a list of them", errors);
}

Value write_tensor_key(const TensorSelection& selection, const std::string& key) {
  if (key == "bits") {
    return written(selection.bits);
  }
  if (key == "tick") {
    return selection.tick ? Value::of(std::to_string(*selection.tick)) : Value{};
  }
  const auto role =
      static_cast<std::size_t>(std::find(kKeys.begin(), kKeys.end(), key) - kKeys.begin());
  return written(selection.globs.at(role));
}

WordRange selected_words(const TensorSelection& selection, const TensorStore& store) {
  const auto words = static_cast<std::uint64_t>(store.words);
  if (!selection.tick || !is_computed(store.role)) {
    return {0, words};
  }
  if (*selection.tick >= store.ticks) {
    fail(ErrorCode::kInvalidInput,
         "strike.where.tick: " + store.name +
             (store.ticks == 0 ? " has no ticks"
                               : " has no tick " + std::to_string(*selection.tick) +
                                     "; its ticks are 0 to " + std::to_string(store.ticks - 1)),
         "scenario",
         store.ticks == 0 ? "leave 'tick' out, or strike spikes and membranes of a spiking network"
                          : "write one of them, or 'uniform'");
  }
  const std::uint64_t of_tick = words / static_cast<std::uint64_t>(store.ticks);
  return {static_cast<std::uint64_t>(*selection.tick) * of_tick, of_tick};
}

std::uint64_t selected_bits(const TensorSelection& selection, const NumberFormat& format,
                            const std::string& tensor) {
  if (selection.bits.empty()) {
    return format.all_bits();
  }
  std::uint64_t mask = 0;
  for (const std::string& text : selection.bits) {
    if (const auto range = range_of(text)) {
      if (range->high >= format.bits) {
        fail(ErrorCode::kInvalidInput,
             "strike.where.bits: '" + text + "' is beyond the " + std::to_string(format.bits) +
                 " bits of " + format.name() + ", in which " + tensor + " is stored",
             "scenario", "bits are 0 to " + std::to_string(format.bits - 1));
      }
      for (std::int64_t bit = range->low; bit <= range->high; ++bit) {
        mask |= std::uint64_t{1} << bit;
      }
      continue;
    }
    const auto field = format.field(text);
    if (!field) {
      fail(ErrorCode::kInvalidInput,
           "strike.where.bits: " + format.name() + ", in which " + tensor +
               " is stored, has no field '" + text + "'",
           "scenario", "it has " + join(format.field_names(), ", "));
    }
    mask |= *field;
  }
  return mask;
}

std::string near_names(const std::string& glob, const std::vector<std::string>& names) {
  constexpr std::size_t kMostNames = 6;
  if (names.empty()) {
    return "the network stores no such tensors; `tilestrike inspect MODEL --tensors` lists all";
  }
  std::vector<std::string> near = nearest(glob, names, kMostNames);
  const bool is_near = !near.empty();
  if (!is_near) {
    near.assign(names.begin(),
                names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMostNames)));
  }
  const std::size_t left = is_near ? 0 : names.size() - near.size();
  return (is_near ? "near: " : "there are: ") + join(near, ", ") +
         (left > 0 ? " and " + std::to_string(left) + " more" : "") +
         "; `tilestrike inspect MODEL --tensors` lists all";
}

std::vector<std::uint32_t> selected_stores(const TensorSelection& selection,
                                           const std::vector<TensorStore>& stores) {
  std::vector<bool> is_selected(stores.size(), false);
  for (std::size_t role = 0; role < kTensorRoles; ++role) {
    for (const std::string& glob : selection.globs[role]) {
      bool is_matched = false;
      std::vector<std::string> names;
      for (std::size_t i = 0; i < stores.size(); ++i) {
        if (static_cast<std::size_t>(stores[i].role) != role) {
          continue;
        }
        names.push_back(stores[i].name);
        if (is_meant(glob, stores[i])) {
          is_selected[i] = is_matched = true;
        }
      }
      if (!is_matched) {
        fail(ErrorCode::kNotFound,
             "strike.where." + std::string(kKeys[role]) + ": nothing matches '" + glob + "'",
             "scenario", near_names(glob, names));
      }
    }
  }
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < stores.size(); ++i) {
    if (is_selected[i]) {
      chosen.push_back(static_cast<std::uint32_t>(i));
    }
  }
  return chosen;
}

}  // namespace tilestrike::campaigns
