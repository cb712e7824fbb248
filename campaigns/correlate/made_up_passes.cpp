// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/correlate/made_up_passes.h"

#include <algorithm>
#include <limits>

#include "base/random.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::campaigns {
namespace {

constexpr int kWaitingWindow = 2;

std::vector<sim::PassShape> shapes_of(const sim::MeshConfig& config) {
  const int r = config.rows;
  const int c = config.columns;
  const int narrow = std::max(1, c - 2);
  return config.is_weight_stationary()
             ? std::vector<sim::PassShape>{{r + 2, r, c},
                                           {r + 2, r - 1, c},
                                           {1, r, narrow},
                                           {3, 1, c - 1}}
             : std::vector<sim::PassShape>{
                   {r, r + 1, c}, {r, r - 1, c}, {1, r + 2, narrow}, {r - 1, 1, c - 1}};
}

/// One window waits until the rows that it loads come apart from the steps that it streams.
sim::WindowHold hold_of(const sim::MeshConfig& config) {
  return [rows = config.rows](const sim::Window& window, const sim::Window&) {
    return window.length + (window.index == kWaitingWindow ? rows + 2 : 0);
  };
}

}  // namespace

class MadeUpPasses::Set final : public sim::Operands {
 public:
  Set(const sim::MeshRun& run, const sim::MeshSites& sites, std::uint64_t seed,
      std::uint64_t number)
      : config_(run.config()) {
    RandomStream random(seed, number, Purpose::kOperand);
    const bool is_extreme = number % 2 == 1;
    for (const sim::PassShape& shape : run.passes()) {
      Pass& pass = passes_.emplace_back();
      pass.shape = shape;
      fill(pass.activations, shape.rows * shape.depth, is_extreme, random);
      fill(pass.weights, shape.depth * shape.columns, is_extreme, random);
      fill(pass.accumulators, shape.rows * shape.columns, is_extreme, random);
    }
    for (const sim::Register kind : {sim::Register::kStationary0, sim::Register::kStationary1}) {
      const sim::RegisterBlock& block = sites.block(kind);
      for (std::uint64_t cell = 0; cell < block.cells; ++cell) {
        start_.stationary[kind == sim::Register::kStationary0 ? 0 : 1].push_back(
            sim::fitted(static_cast<std::uint32_t>(random.next()), block.bits));
      }
    }
  }

  const sim::MeshState& start() const { return start_; }

  void activations(int pass, int first, int count, std::int8_t* out) const override {
    const Pass& from = of(pass);
    const bool ws = config_.is_weight_stationary();
    for (int n = 0; n < count; ++n) {
      for (int r = 0; r < (ws ? from.shape.depth : from.shape.rows); ++r) {
        const int row = ws ? first + n : r;
        const int depth = ws ? r : first + n;
        out[n * config_.rows + r] =
            from.activations[static_cast<std::size_t>(row * from.shape.depth + depth)];
      }
    }
  }
  void weights(int pass, int first, int count, std::int8_t* out) const override {
    copy_rows(of(pass).weights, of(pass).shape.columns, first, count, out);
  }
  void accumulators(int pass, int first, int count, std::int32_t* out) const override {
    copy_rows(of(pass).accumulators, of(pass).shape.columns, first, count, out);
  }

 private:
  struct Pass {
    sim::PassShape shape;
    std::vector<std::int8_t> activations, weights;
    std::vector<std::int32_t> accumulators;
  };

  template <class Number>
  static void fill(std::vector<Number>& numbers, int count, bool is_extreme, RandomStream& random) {
    constexpr Number kEnds[] = {std::numeric_limits<Number>::min(),
                                std::numeric_limits<Number>::max(), 0};
    for (int i = 0; i < count; ++i) {
      numbers.push_back(is_extreme ? kEnds[random.below(3)] : static_cast<Number>(random.next()));
    }
  }

  template <class Number>
  void copy_rows(const std::vector<Number>& from, int columns, int first, int count,
                 Number* out) const {
    for (int n = 0; n < count; ++n) {
      std::copy_n(from.begin() + std::ptrdiff_t{first + n} * columns, columns,
                  out + std::ptrdiff_t{n} * config_.columns);
    }
  }

  const Pass& of(int pass) const { return passes_[static_cast<std::size_t>(pass)]; }

  const sim::MeshConfig config_;
  std::vector<Pass> passes_;
  sim::MeshState start_;
};

MadeUpPasses::MadeUpPasses(const sim::MeshConfig& config, std::uint64_t seed, std::int64_t sets)
    : facts_(config), run_(config, shapes_of(config), hold_of(config)) {
  for (std::int64_t i = 0; i < sets; ++i) {
    sets_.push_back(std::make_unique<Set>(run_, facts_.sites, seed, static_cast<std::uint64_t>(i)));
  }
  bridge::LayerSummary& layer = facts_.layers.emplace_back();
  layer.name = "made_up_passes";
  layer.is_on_mesh = true;
  layer.mesh_cycles = run_.cycles();
  facts_.cycles = run_.cycles();
  facts_.images = sets;
}

MadeUpPasses::~MadeUpPasses() = default;

void MadeUpPasses::each_struck_run(ImageId image, std::span<const RegisterFault> faults,
                                   const VisitRun& visit) const {
  if (faults.empty()) {
    return;
  }
  const Set& set = *sets_[static_cast<std::size_t>(image.value)];
  std::vector<RegisterFault> in_run(faults.begin(), faults.end());
  for (RegisterFault& fault : in_run) {  // cycle c is state c + 1
    fault.when.from += 1;
    fault.when.until += fault.when.is_permanent() ? 0 : 1;
  }
  std::stable_sort(in_run.begin(), in_run.end(),
                   [](const auto& x, const auto& y) { return x.when.from < y.when.from; });
  sim::MeshJob job;
  job.run = &run_;
  job.operands = &set;
  job.faults = in_run;
  job.golden_start = &set.start();
  visit(facts_.layers.front().name, job);
}

}  // namespace tilestrike::campaigns
