// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/chip/chip_comparison.h"

#include <algorithm>
#include <utility>

namespace tilestrike::sim {
namespace {

/// Says whether it has covered all that it was asked.
class NotingEngine final : public CoreEngine {
 public:
  NotingEngine(std::unique_ptr<CoreEngine> engine, bool& has_covered)
      : engine_(std::move(engine)), has_covered_(has_covered) {}
  bool covers(const CoreJob& job) override {
    const bool is_covered = engine_->covers(job);
    has_covered_ = has_covered_ && is_covered;
    return is_covered;
  }
  CoreResult run(const CoreJob& job) override { return engine_->run(job); }

 private:
  std::unique_ptr<CoreEngine> engine_;
  bool& has_covered_;
};

std::string number_text(std::int64_t number) { return std::to_string(number); }

}  // namespace

std::string first_difference(const ChipResult& one, const ChipResult& other) {
  const auto told = [](const std::string& what, std::int64_t first, std::int64_t second) {
    return what + ": " + number_text(first) + "; " + number_text(second);
  };
  if (one.hung || other.hung) {
    return one.hung == other.hung ? "" : told("hung", one.hung ? 1 : 0, other.hung ? 1 : 0);
  }
  const auto [first, second] = std::ranges::mismatch(one.readout, other.readout);
  if (first != one.readout.end() && second != other.readout.end()) {
    return told("membrane " + number_text(first - one.readout.begin()) + " of the answer", *first,
                *second);
  }
  if (one.outputs != other.outputs) {
    return told("spikes of the answer, changes", std::ssize(one.outputs),
                std::ssize(other.outputs));
  }
  if (one.cores != other.cores) {
    return told("events of cores, spikes changed", one.changed_spikes, other.changed_spikes);
  }
  if (one.errors != other.errors) {
    return told("register error", static_cast<std::int64_t>(one.errors),
                static_cast<std::int64_t>(other.errors));
  }
  if (one.activated != other.activated) {
    return told("activated", one.activated ? 1 : 0, other.activated ? 1 : 0);
  }
  if (one.before != other.before || one.after != other.after) {
    return told("struck field after", static_cast<std::int64_t>(one.after),
                static_cast<std::int64_t>(other.after));
  }
  return one.ecc == other.ecc ? ""
                              : told("codewords corrected", one.ecc.corrected, other.ecc.corrected);
}

ChipOnEngine::ChipOnEngine(std::unique_ptr<CoreEngine> engine)
    : chip_(std::make_unique<NotingEngine>(std::move(engine), has_covered_)) {}

std::optional<ChipResult> ChipOnEngine::strike(const ChipRun& run, const ChipJob& job) {
  has_covered_ = true;
  ChipResult result = chip_.strike(run, job);
  return has_covered_ ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace tilestrike::sim
