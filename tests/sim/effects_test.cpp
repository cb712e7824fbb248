// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does a flip change exactly what the table of docs/mesh.md says, by as much? Row by row, from
// closed formulas, for every site, bit and cycle of a 4x4 mesh.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "sim/mesh/engine_set.h"
#include "tests/sim/mesh_jobs.h"

namespace tilestrike::sim {
namespace {

using Deltas = std::map<std::tuple<int, int, int>, std::int32_t>;  // (pass, row, column)

// The closed formulas. Values beyond a pass are the zeros that pad it.
class Effects {
 public:
  Effects(const MeshRun& run, const RandomOperands& operands)
      : run_(run), operands_(operands), sites_(run.config()) {}

  // Deltas of the flip of `site` in the word that holds wavefront `u` (c0, c1: before it).
  Deltas of(const MeshSite& site, std::int64_t u) {
    deltas_.clear();
    site_ = site;
    bits_ = sites_.block(site.kind).bits;
    window_ = u < 0 || u >= run_.cycles() ? Window() : run_.window(run_.window_of(u));
    n_ = u - window_.start;
    if (window_.index >= 0) {
      apply();
    }
    std::erase_if(deltas_, [](const auto& entry) { return entry.second == 0; });
    return deltas_;
  }

  // A struck `propagate` has no closed formula: its column is replayed.
  static bool is_covered(Register kind) {
    return kind != Register::kPropagate && kind != Register::kSkewPropagate;
  }

 private:
  bool ws() const { return run_.config().is_weight_stationary(); }
  int mesh_rows() const { return run_.config().rows; }
  const PassShape& shape(int pass) const { return run_.passes()[static_cast<std::size_t>(pass)]; }

  std::int64_t a(int pass, std::int64_t row, std::int64_t depth) const {
    const bool is_inside = pass >= 0 && row < shape(pass).rows && depth < shape(pass).depth;
    return is_inside ? operands_.activation(pass, static_cast<int>(row), static_cast<int>(depth))
                     : 0;
  }
  std::int64_t w(int pass, std::int64_t depth, int column) const {
    const bool is_inside = pass >= 0 && depth < shape(pass).depth && column < shape(pass).columns;
    return is_inside ? operands_.weight(pass, static_cast<int>(depth), column) : 0;
  }
  // What a sum starts from, and what it is before product `depth`.
  std::int64_t start(int pass, std::int64_t row, int column) const {
    const bool is_inside = pass >= 0 && row < shape(pass).rows && column < shape(pass).columns;
    return is_inside ? operands_.accumulator(pass, static_cast<int>(row), column) : 0;
  }
  std::int64_t sum(int pass, std::int64_t row, int column, std::int64_t depth) const {
    std::int64_t value = start(pass, row, column);
    for (std::int64_t k = 0; k < depth; ++k) {
      value += a(pass, row, k) * w(pass, k, column);
    }
    return value;
  }
  std::int64_t result(int pass, std::int64_t row, int column) const {
    return pass < 0 ? 0 : sum(pass, row, column, shape(pass).depth);
  }
  // By how much the flip changes a word that holds `value`.
  std::int64_t flipped(std::int64_t value) const {
    return std::int64_t{struck(wrapped(value), site_.bit, bits_, FaultKind::kFlip)} -
           wrapped(value);
  }

  void add(int pass, std::int64_t row, int column, std::int64_t delta) {
    if (pass >= 0 && row < shape(pass).rows && column < shape(pass).columns) {
      std::int32_t& sum = deltas_[{pass, static_cast<int>(row), column}];
      sum = wrapped(sum + delta);
    }
  }

  void apply() {
    const int r = std::max(site_.row, 0);
    const int c = std::max(site_.column, 0);
    switch (site_.kind) {
      case Register::kActivation:
      case Register::kSkewActivation:
        return activation(r, c);
      case Register::kVertical:
      case Register::kSkewVertical:
        return ws() ? element(n_, c, sum(window_.streams, n_, c, r)) : weight_operand(r, c);
      case Register::kOutput:
      case Register::kDeskew:
        return ws() ? element(n_, c, result(window_.streams, n_, c))
                    : drained(mesh_rows() - 1 - n_, c);
      case Register::kLoad:
        return window_.valid ? shadow(r - 1, c) : void();
      case Register::kSkewLoad:
        return window_.valid ? shadow(-1, c) : void();
      case Register::kStationary0:
      case Register::kStationary1: {
        const bool is_active = (site_.kind == Register::kStationary1) == window_.propagate;
        return is_active ? active(r, c) : shadow(r, c);
      }
      case Register::kValid:
      case Register::kSkewValid:
        return window_.valid ? missed_valid(r, c) : void();
      case Register::kPropagate:
      case Register::kSkewPropagate:
        return;
    }
  }

  void activation(int r, int c) {
    const int pass = window_.streams;
    const std::int64_t i = ws() ? n_ : r;
    const std::int64_t k = ws() ? r : n_;
    const std::int64_t delta = flipped(a(pass, i, k));
    for (int j = c; pass >= 0 && j < run_.config().columns; ++j) {
      add(pass, i, j, delta * w(pass, k, j));
    }
  }
  void weight_operand(int r, int c) {
    const int pass = window_.streams;
    const std::int64_t delta = flipped(w(pass, n_, c));
    for (int i = r; pass >= 0 && i < mesh_rows(); ++i) {
      add(pass, i, c, a(pass, i, n_) * delta);
    }
  }
  void element(std::int64_t row, int c, std::int64_t value) {
    add(window_.streams, row, c, flipped(value));
  }
  void drained(std::int64_t row, int c) {
    if (row >= 0) {
      add(window_.drains, row, c, flipped(result(window_.drains, row, c)));
    }
  }
  void active(int r, int c) {
    const int pass = window_.streams;
    if (pass < 0) {
      return;
    }
    if (!ws()) {
      const std::int64_t depth = std::min<std::int64_t>(n_, shape(pass).depth);
      add(pass, r, c, flipped(sum(pass, r, c, depth)));
      return;
    }
    for (std::int64_t i = n_; i < shape(pass).rows; ++i) {
      add(pass, i, c, a(pass, i, r) * flipped(w(pass, r, c)));
    }
  }
  // Content of the shadow chain at row r before step n; row -1: on its way into row 0.
  void shadow(int r, int c) {
    if (r >= n_) {
      if (!ws()) {
        drained(r - n_, c);
      }
      return;
    }
    const std::int64_t q = r + window_.length - n_;
    if (window_.loads < 0 || q >= mesh_rows()) {
      return;
    }
    if (ws()) {
      loaded(q, c, flipped(w(window_.loads, q, c)));
    } else {
      add(window_.loads, q, c, flipped(start(window_.loads, q, c)));
    }
  }
  // The weight that the next pass has in row q is off by `delta`.
  void loaded(std::int64_t q, int c, std::int64_t delta) {
    for (int i = 0; i < shape(window_.loads).rows; ++i) {
      add(window_.loads, i, c, a(window_.loads, i, q) * delta);
    }
  }
  // `valid` from 1 to 0 at rows r and below: no products there in OS, and the chain slips by one.
  void missed_valid(int r, int c) {
    if (!ws()) {
      for (int i = r; window_.streams >= 0 && i < mesh_rows(); ++i) {
        add(window_.streams, i, c, -a(window_.streams, i, n_) * w(window_.streams, n_, c));
      }
      for (std::int64_t i = std::max<std::int64_t>(0, r - n_ - 1);
           window_.drains >= 0 && i <= mesh_rows() - 2 - n_; ++i) {
        add(window_.drains, i, c, result(window_.drains, i + 1, c) - result(window_.drains, i, c));
      }
    }
    if (window_.loads < 0) {
      return;
    }
    for (std::int64_t q = std::max<std::int64_t>(0, r + window_.length - n_ - 1); q < mesh_rows();
         ++q) {
      if (ws()) {
        const std::int64_t next =
            q + 1 < mesh_rows() ? w(window_.loads, q + 1, c) : older_than_load(c);
        loaded(q, c, next - w(window_.loads, q, c));
      } else {
        const std::int64_t next =
            q + 1 < mesh_rows() ? start(window_.loads, q + 1, c) : older_than_load(c);
        add(window_.loads, q, c, next - start(window_.loads, q, c));
      }
    }
  }
  // What enters the chain before the last row to be loaded: zeros, if the window is longer than the
  // load, else what row 0 held at its start.
  std::int64_t older_than_load(int c) const {
    if (window_.length > mesh_rows()) {
      return 0;
    }
    if (!ws()) {
      return result(window_.drains, 0, c);
    }
    const int back = run_.config().preload == Preload::kOverlapped ? 2 : 1;
    return w(std::max(window_.loads - back, -1), 0, c);
  }

  const MeshRun& run_;
  const RandomOperands& operands_;
  const MeshSites sites_;
  Deltas deltas_;
  MeshSite site_;
  int bits_ = 1;
  Window window_;
  std::int64_t n_ = 0;
};

int delay_of(const MeshConfig& config, const MeshSite& site) {
  switch (site.kind) {
    case Register::kSkewActivation:
    case Register::kSkewVertical:
    case Register::kSkewLoad:
    case Register::kSkewValid:
    case Register::kSkewPropagate:
      return site.position;
    case Register::kOutput:
      return config.rows + site.column;
    case Register::kDeskew:
      return config.rows + site.column + 1 + site.position;
    default:
      return site.row + site.column;
  }
}

void expect_table(const MeshConfig& config, std::vector<PassShape> shapes) {
  RandomStream random(7, 0, Purpose::kTest);
  const MeshRun run(config, std::move(shapes));
  const RandomOperands operands(run, random);
  const MeshSites sites(config);
  const auto engine = builtin_engines().make("systemc");
  Effects effects(run, operands);
  std::map<Register, int> changed;
  for (std::uint64_t id = 0; id < sites.total_bits(); ++id) {
    const MeshSite site = sites.describe(SiteId(id));
    for (Cycle cycle = 1; cycle <= run.cycles(); ++cycle) {
      const RegisterFault fault = flip_of(id, cycle);
      MeshJob job;
      job.run = &run;
      job.operands = &operands;
      job.faults = {&fault, 1};
      Deltas got;
      int first_pass = run.windows();
      int last_pass = 0;
      for (const OutputChange& change : engine->run(job).changes) {
        got[{change.pass, change.row, change.column}] = change.delta();
        first_pass = std::min(first_pass, change.pass);
        last_pass = std::max(last_pass, change.pass);
        if (!Effects::is_covered(site.kind)) {
          ASSERT_EQ(change.column, site.column) << sites.text(SiteId(id)) << " at " << cycle;
        }
      }
      changed[site.kind] += got.empty() ? 0 : 1;
      if (Effects::is_covered(site.kind)) {
        ASSERT_EQ(got, effects.of(site, cycle - 1 - delay_of(config, site)))
            << sites.text(SiteId(id)) << " at " << cycle;
      } else if (!got.empty()) {
        ASSERT_LE(last_pass - first_pass, 2) << sites.text(SiteId(id)) << " at " << cycle;
      }
    }
  }
  for (const RegisterBlock& block : sites.blocks()) {
    // With serial loading every pass is in c1: c0 is the shadow only while nothing is loaded.
    const bool is_unused =
        block.kind == Register::kStationary0 && config.preload == Preload::kSerial;
    EXPECT_EQ(changed[block.kind] == 0, is_unused) << block.name;
  }
}

TEST(EffectsTest, EveryFlipDoesWhatTheTableSays) {
  for (const Preload preload : {Preload::kOverlapped, Preload::kSerial}) {
    const MeshConfig ws{4, 4, Dataflow::kWeightStationary, Overflow::kWrap, preload};
    expect_table(ws, {{4, 4, 4}, {6, 4, 4}, {4, 4, 4}});
    expect_table(ws, {{3, 4, 2}, {6, 3, 4}, {1, 4, 4}, {4, 1, 3}, {2, 4, 4}});
    const MeshConfig os{4, 4, Dataflow::kOutputStationary, Overflow::kWrap, preload};
    expect_table(os, {{4, 4, 4}, {4, 6, 4}, {4, 4, 4}});
    expect_table(os, {{3, 4, 2}, {4, 3, 4}, {1, 7, 4}, {4, 1, 3}, {4, 4, 4}});
  }
}

}  // namespace
}  // namespace tilestrike::sim
