// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/tally/trial_seen.h"

#include <algorithm>
#include <vector>

namespace tilestrike::campaigns {
namespace {

/// The columns of seen_of(), in the order in which it takes them.
std::vector<std::string> seen_columns() {
  std::vector<std::string> names = {"trial",       "structure",    "register",
                                    "layer",       "stratum",      "radiation",
                                    "activated",   "masked_at",    "outcome",
                                    "faults",      "images",       "images_correct",
                                    "stored",      "without_stop", "later_images",
                                    "later_wrong", "later_due",    "images_golden_correct"};
  for (const std::string& rate : rate_names()) {
    names.push_back("images_" + rate);
  }
  return names;
}

/// The cells of a row, one after the other.
class Cells {
 public:
  explicit Cells(const Row& row) : row_(row) {}

  std::int64_t number() { return std::get<std::int64_t>(row_[next_++]); }
  std::optional<std::int64_t> known_number() {
    const auto* number = std::get_if<std::int64_t>(&row_[next_++]);
    return number == nullptr ? std::nullopt : std::optional(*number);
  }
  /// Empty where there is none.
  std::string text() {
    const auto* text = std::get_if<std::string>(&row_[next_++]);
    return text == nullptr ? "" : *text;
  }
  /// One of the terms, of which the one without a name is the first.
  template <class Value, std::size_t n>
  Value term(const std::array<Term, n>& terms) {
    const auto found = std::ranges::find(terms, text(), &Term::name);
    return static_cast<Value>(found == terms.end() ? 0 : found - terms.begin());
  }

 private:
  const Row& row_;
  std::size_t next_ = 0;
};

TrialSeen seen_of(const Row& row) {
  Cells cells(row);
  TrialSeen seen;
  seen.trial = cells.number();
  seen.structure = cells.text();
  seen.register_name = cells.text();
  seen.layer = cells.text();
  seen.stratum = cells.text();
  seen.radiation = cells.text();
  seen.activated = cells.number() != 0;
  seen.masked_at = cells.term<MaskedAt>(kMaskedAtTerms);
  seen.outcome = cells.term<Outcome>(kOutcomeTerms);
  seen.faults = cells.number();
  seen.images = cells.number();
  seen.images_correct = cells.known_number();
  MemorySeen memory;
  if (const std::optional<std::int64_t> stored = cells.known_number()) {
    memory.stored = *stored != 0;
  }
  const bool is_memory = !std::holds_alternative<std::monostate>(row[13]);
  memory.without_stop = cells.term<Outcome>(kOutcomeTerms);
  memory.later_images = cells.known_number();
  memory.later_wrong = cells.known_number();
  memory.later_due = cells.known_number();
  if (is_memory) {
    seen.memory = memory;
  }
  seen.images_golden_correct = cells.known_number();
  for (const Rate rate : kRates) {
    seen.images_of[rate] = cells.number();
  }
  return seen;
}

}  // namespace

void each_seen(const Results& results, std::int64_t scenario, std::int64_t first,
               const std::function<bool(const TrialSeen&)>& visit) {
  results.each_trial(scenario, seen_columns(), [&](const Row& row) {
    const TrialSeen seen = seen_of(row);
    return seen.trial < first || visit(seen);
  });
}

}  // namespace tilestrike::campaigns
