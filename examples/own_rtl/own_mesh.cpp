// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Drives own_mesh.sv, and says which of its registers hold what (docs/own_rtl.md goes through this
// file).
#include <Vown_mesh.h>
#include <verilated.h>

#include <algorithm>
#include <cstring>

#include "rtl/foreign_mesh.h"
#include "rtl/verilated_registers.h"

namespace {

using namespace tilestrike;
using rtl::ForeignPlace;
using rtl::OperandSite;
using rtl::PassResults;
using rtl::PassStreams;
using sim::Register;

// As it was Verilated (CMakeLists.txt).
constexpr int kRows = OWN_MESH_ROWS;
constexpr int kColumns = OWN_MESH_COLUMNS;

/// When what happens, by pass: the edge at which row 0 of its weights is written, and the one at
/// which its first activations enter.
struct Timing {
  std::vector<std::int64_t> write, enter;
  std::int64_t end = 0;  // the last result is out
};

// A pass's weights may be written once the pass before has taken over its own everywhere.
Timing timing_of(const PassStreams& passes) {
  Timing timing;
  std::int64_t free = 1;     // the waiting weights may be overwritten
  std::int64_t entered = 1;  // the rows before have entered
  for (int pass = 0; pass < passes.passes(); ++pass) {
    timing.write.push_back(free);
    timing.enter.push_back(std::max(free + kRows, entered));
    entered = timing.enter.back() + passes.steps(pass);
    free = timing.enter.back() + kRows + kColumns;
  }
  timing.end = entered + kRows + kColumns;
  return timing;
}

class OwnMesh final : public rtl::ForeignMesh {
 public:
  OwnMesh() {
    context_.threads(1);
    top_ = std::make_unique<Vown_mesh>(&context_, "TOP");
  }

  bool takes(const sim::MeshConfig& config) const override {
    return config.rows == kRows && config.columns == kColumns && config.is_weight_stationary() &&
           config.overflow == sim::Overflow::kWrap;
  }

  void run(const PassStreams& passes, PassResults& results) override {
    restart();
    top_->rst_ni = 0;
    top_->clk_i = 0;
    top_->eval();
    top_->rst_ni = 1;
    const Timing timing = timing_of(passes);
    int writing = 0, entering = 0, leaving = 0, row = 0;  // passes, and the row that leaves next
    for (std::int64_t edge = 1; edge <= timing.end; ++edge) {
      if (writing < passes.passes() && edge == timing.write[index(writing)] + kRows) {
        ++writing;
      }
      top_->write_i = writing < passes.passes() && edge >= timing.write[index(writing)];
      if (top_->write_i != 0) {
        const auto at = static_cast<int>(edge - timing.write[index(writing)]);
        top_->write_row_i = static_cast<std::uint8_t>(at);
        put(&top_->weight_i, passes.weights(writing, at));
      }
      if (entering < passes.passes() &&
          edge == timing.enter[index(entering)] + passes.steps(entering)) {
        ++entering;
      }
      top_->valid_i = entering < passes.passes() && edge >= timing.enter[index(entering)];
      top_->swap_i = top_->valid_i != 0 && edge == timing.enter[index(entering)];
      if (top_->valid_i != 0) {
        const auto step = static_cast<int>(edge - timing.enter[index(entering)]);
        put(&top_->activation_i, passes.activations(entering, step));
        put(&top_->bias_i, passes.accumulators(entering, step));
      }
      clock();
      if (top_->result_valid_o != 0 && leaving < passes.passes()) {
        const int columns = passes.shape(leaving).columns;
        std::memcpy(&results[index(leaving)][index(row * columns)], &top_->result_o,
                    index(columns) * sizeof(std::int32_t));
        if (++row == passes.shape(leaving).rows) {
          row = 0;
          ++leaving;
        }
      }
    }
  }

  std::optional<ForeignPlace> place(const PassStreams& passes,
                                    const OperandSite& site) const override {
    const auto& [kind, r, c, position, bit] = site.site;
    const Timing timing = timing_of(passes);
    // After this edge the PE at the top left holds the activations of the operand's row.
    const std::int64_t enters = timing.enter[index(site.pass)] + site.index;
    switch (kind) {
      case Register::kActivation:
        return in_pe(r, c, "a_q", bit, enters + r + c);
      case Register::kSkewActivation:
        return in_chain("gen_row[" + std::to_string(r) + "].gen_skewed.u_skew", position, 8, bit,
                        enters + position);
      case Register::kVertical:  // the sum that enters this PE is the one that left the PE above
        return r == 0 ? bias(c, c + 1, bit, enters + c + 1)
                      : in_pe(r - 1, c, "sum_q", bit, enters + r + c + 1);
      case Register::kSkewVertical:
        return bias(c, position, bit, enters + position);
      case Register::kOutput:
        return in_pe(kRows - 1, c, "sum_q", bit, enters + kRows + c + 1);
      case Register::kDeskew:
        return in_chain("gen_result[" + std::to_string(c) + "].gen_deskewed.u_deskew", position, 32,
                        bit, enters + kRows + c + 2 + position);
      case Register::kStationary0:  // multiplied at the next edge
        return in_pe(r, c, "weight_q", bit, enters + r + c);
      case Register::kStationary1:  // wherever it is in the chain there, here it has one place
      case Register::kLoad:
      case Register::kSkewLoad:
        return in_pe(site.index, c, "waiting_q", bit, timing.write[index(site.pass)] + site.index);
      default:
        return std::nullopt;
    }
  }

 private:
  static std::size_t index(int number) { return static_cast<std::size_t>(number); }

  template <class Lane>
  static void put(void* port, std::span<const Lane> lanes) {
    std::memcpy(port, lanes.data(), lanes.size_bytes());
  }

  std::optional<ForeignPlace> in_pe(int row, int column, const std::string& name, int bit,
                                    std::int64_t edge) const {
    const rtl::Storage storage =
        rtl::find_register(context_,
                           "TOP.own_mesh.gen_row[" + std::to_string(row) + "].gen_column[" +
                               std::to_string(column) + "].u_pe",
                           name);
    return ForeignPlace{storage, bit, 0, storage.bits, edge};
  }

  std::optional<ForeignPlace> in_chain(const std::string& scope, int position, int width, int bit,
                                       std::int64_t edge) const {
    const rtl::Storage storage = rtl::find_register(context_, "TOP.own_mesh." + scope, "data_q");
    return ForeignPlace{storage, position * width + bit, position * width, width, edge};
  }

  std::optional<ForeignPlace> bias(int column, int position, int bit, std::int64_t edge) const {
    return in_chain("gen_bias[" + std::to_string(column) + "].u_skew", position, 32, bit, edge);
  }

  void clock_edge() override {
    top_->clk_i = 0;
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
  }
  void settle() override { top_->eval(); }

  VerilatedContext context_;
  std::unique_ptr<Vown_mesh> top_;
};

}  // namespace

extern "C" void tilestrike_add_engines(tilestrike::sim::EngineSet& engines) {
  tilestrike::rtl::add_foreign_engine(engines, "own_mesh",
                                      [] { return std::make_unique<OwnMesh>(); });
}
