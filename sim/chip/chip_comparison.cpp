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

std::string told(const std::string& what, std::int64_t first, std::int64_t second) {
  return what + ": " + std::to_string(first) + "; " + std::to_string(second);
}

std::string first_difference_of_ecc(const ChipResult& one, const ChipResult& other) {
  if (one.ecc.corrected != other.ecc.corrected) {
    return told("codewords corrected", one.ecc.corrected, other.ecc.corrected);
  }
  if (one.ecc.detected != other.ecc.detected) {
    return told("codewords detected", one.ecc.detected, other.ecc.detected);
  }
  if (one.ecc_core != other.ecc_core) {
    return told("core of the first codeword detected", one.ecc_core, other.ecc_core);
  }
  if (one.ecc.tick != other.ecc.tick) {
    return told("tick of the first codeword detected", one.ecc.tick, other.ecc.tick);
  }
  return one.ecc == other.ecc
             ? ""
             : told("first codeword detected", static_cast<std::int64_t>(one.ecc.codeword.value),
                    static_cast<std::int64_t>(other.ecc.codeword.value));
}

}  // namespace

std::string first_difference(const ChipResult& one, const ChipResult& other) {
  if (one.hung || other.hung) {
    return one.hung == other.hung ? "" : told("hung", one.hung ? 1 : 0, other.hung ? 1 : 0);
  }
  const auto [first, second] = std::ranges::mismatch(one.readout, other.readout);
  if (first != one.readout.end() && second != other.readout.end()) {
    return told("membrane " + std::to_string(first - one.readout.begin()) + " of the answer",
                *first, *second);
  }
  if (one.readout.size() != other.readout.size()) {
    return told("membranes of the answer", std::ssize(one.readout), std::ssize(other.readout));
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
  if (one.before != other.before) {
    return told("struck field before", static_cast<std::int64_t>(one.before),
                static_cast<std::int64_t>(other.before));
  }
  if (one.after != other.after) {
    return told("struck field after", static_cast<std::int64_t>(one.after),
                static_cast<std::int64_t>(other.after));
  }
  return first_difference_of_ecc(one, other);
}

ChipOnEngine::ChipOnEngine(std::unique_ptr<CoreEngine> engine)
    : chip_(std::make_unique<NotingEngine>(std::move(engine), has_covered_)) {}

std::optional<ChipResult> ChipOnEngine::strike(const ChipRun& run, const ChipJob& job) {
  has_covered_ = true;
  ChipResult result = chip_.strike(run, job);
  // In lockstep all cores were stepped together, whatever the engine has said before.
  const bool is_its_own = has_covered_ && !result.was_lockstep;
  return is_its_own ? std::optional(std::move(result)) : std::nullopt;
}

}  // namespace tilestrike::sim
