// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Who looks on while trials run: stories, audits, correlation, dumps. No LibTorch in this header.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sim/mesh/engine.h"

namespace tilestrike::bridge {

struct CellRun;       // bridge/trial/memory_trials.h
struct ChipStrike;    // bridge/trial/chip_strike.h
struct TouchedLayer;  // bridge/trial/trial_run.h
class TrialRun;
struct WordRun;  // bridge/study/word_run.h

/// A struck run of the mesh; all of it lives for the call.
struct StruckRun {
  const std::string& layer;
  const std::string& engine;  // that was asked; what it does not cover ran on another
  const sim::MeshJob& job;    // starts as the runs before it have left the mesh
  const sim::MeshResult& result;
};

class RunObserver {
 public:
  virtual ~RunObserver() = default;
  /// Asked between two inferences: true ends what was asked for, and what is not done has no
  /// result.
  virtual bool is_interrupted() const { return false; }
  /// Whether any of the calls below is wanted; else trials may run side by side.
  virtual bool looks_on() const { return true; }
  /// Whether on_line() is wanted: lines go to those who listen alone.
  virtual bool listens() const { return false; }
  /// What happens in a trial, told in the order in which it happens.
  virtual void on_line(std::string_view /*line*/) {}
  virtual void on_run(const StruckRun& /*run*/) {}
  /// A layer on the mesh that reads struck cells.
  virtual void on_cells(const CellRun& /*run*/) {}
  /// A struck chip of neuromorphic cores.
  virtual void on_chip(const ChipStrike& /*strike*/) {}
  /// Whether on_layer() is wanted: what layers give is put together whole for it.
  virtual bool wants_layers() const { return false; }
  /// A layer that a strike has touched, once its results are put together; after its on_run().
  virtual void on_layer(const TouchedLayer& /*layer*/) {}
  /// The trial, with its verdict.
  virtual void on_end(const TrialRun& /*run*/) {}
  /// Whether on_words() is wanted: an inference runs once more for it.
  virtual bool wants_values() const { return false; }
  /// A strike on words of tensors, with every layer's values.
  virtual void on_words(const WordRun& /*run*/) {}
};

struct TrialAudit {
  std::vector<std::string> engines;  // that computed all that was struck in the trial, too
  std::string disagreement;          // engine, layer, fault and first differing result; empty: none
};

/// Asks other engines.
class Auditor : public RunObserver {
 public:
  /// What was found since the last call, of one trial or more; begins anew.
  virtual TrialAudit take() = 0;
};

/// Keeps the lines.
class Story final : public RunObserver {
 public:
  bool listens() const override { return true; }
  void on_line(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

/// Several at once.
class Observers final : public RunObserver {
 public:
  explicit Observers(std::vector<RunObserver*> all) : all_(std::move(all)) {}
  bool is_interrupted() const override {
    return any([](const RunObserver& one) { return one.is_interrupted(); });
  }
  bool looks_on() const override {
    return any([](const RunObserver& one) { return one.looks_on(); });
  }
  bool listens() const override {
    return any([](const RunObserver& one) { return one.listens(); });
  }
  void on_line(std::string_view line) override {
    each([&](RunObserver& one) { one.on_line(line); });
  }
  void on_run(const StruckRun& run) override {
    each([&](RunObserver& one) { one.on_run(run); });
  }
  void on_cells(const CellRun& run) override {
    each([&](RunObserver& one) { one.on_cells(run); });
  }
  void on_chip(const ChipStrike& strike) override {
    each([&](RunObserver& one) { one.on_chip(strike); });
  }
  bool wants_layers() const override {
    return any([](const RunObserver& one) { return one.wants_layers(); });
  }
  void on_layer(const TouchedLayer& layer) override {
    each([&](RunObserver& one) { one.on_layer(layer); });
  }
  void on_end(const TrialRun& run) override {
    each([&](RunObserver& one) { one.on_end(run); });
  }
  bool wants_values() const override {
    return any([](const RunObserver& one) { return one.wants_values(); });
  }
  void on_words(const WordRun& run) override {
    each([&](RunObserver& one) { one.on_words(run); });
  }

 private:
  template <class Ask>
  bool any(const Ask& ask) const {
    for (const RunObserver* one : all_) {
      if (ask(*one)) {
        return true;
      }
    }
    return false;
  }
  template <class Call>
  void each(const Call& call) {
    for (RunObserver* one : all_) {
      call(*one);
    }
  }
  std::vector<RunObserver*> all_;
};

}  // namespace tilestrike::bridge
