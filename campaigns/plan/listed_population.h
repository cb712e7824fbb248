// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Faults that the scenario lists, one trial after another: of registers of the mesh, of cells of
// memories, or of words of tensors.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridge/words/study_facts.h"
#include "campaigns/plan/memory_population.h"
#include "campaigns/plan/population.h"
#include "campaigns/plan/tensor_population.h"
#include "campaigns/scenario/scenario.h"

namespace tilestrike::campaigns {

/// A population of this kind whose members are the trials of the list.
template <class Kind>
class Listed : public Kind {
 public:
  template <class... Arguments>
  explicit Listed(Arguments&&... arguments) : Kind(std::forward<Arguments>(arguments)...) {}

  std::uint64_t members() const override { return this->strike().list.size(); }
  std::string text() const override { return fmt::format("{} listed trials", members()); }
  bool is_list() const override { return true; }
  std::optional<ImageId> named_image(TrialId trial) const override {
    const std::int64_t image = campaigns::named_image(this->strike().list[trial.value]);
    return image >= 0 ? std::optional(ImageId(image)) : std::nullopt;
  }
  std::string what() const override { return "listed faults"; }
};

class ListedRegisters final : public Listed<Population> {
 public:
  /// Throws Failure: a cycle beyond the inference, an image that is not in use.
  ListedRegisters(const StrikeConfig& strike, const bridge::StudyFacts& study);

  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;

 private:
  std::vector<std::vector<SiteId>> sites_;  // of the list's faults
};

class ListedCells final : public Listed<MemoryPopulation> {
 public:
  /// Throws Failure as ListedRegisters does.
  ListedCells(const Scenario& scenario, const bridge::StudyFacts& study);

  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;

 private:
  bool is_spread() const override { return is_spread_; }

  std::vector<std::vector<CellFault>> cells_;  // of the list's faults; kind and time are not set
  bool is_spread_ = false;                     // a trial names several memories
};

class ListedWords final : public Listed<TensorPopulation> {
 public:
  /// Throws Failure: no such tensor, word or bit, a bit twice in one trial, an image that is not in
  /// use.
  ListedWords(const StrikeConfig& strike, const bridge::StudyFacts& study);

  DrawnTrial draw(const TrialStreams& streams, std::optional<std::size_t> stratum) const override;

 private:
  using Stores = std::vector<std::vector<StoreId>>;  // of the list's faults
  ListedWords(const StrikeConfig& strike, const bridge::StudyFacts& study, Stores named);
  static Stores stores_of(const StrikeConfig& strike, const bridge::StudyFacts& study);

  Stores named_;
};

}  // namespace tilestrike::campaigns
