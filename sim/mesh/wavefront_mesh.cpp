// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/wavefront_mesh.h"

#include <algorithm>

#include "base/error.h"
#include "sim/mesh/arithmetic.h"
#include "sim/mesh/mesh_kernels.h"

namespace tilestrike::sim {

bool is_met_before(const WavefrontFault& x, const WavefrontFault& y) {
  return std::tuple(x.site.position, x.site.column, x.effect_order()) <
         std::tuple(y.site.position, y.site.column, y.effect_order());
}

WavefrontMesh::WavefrontMesh(const MeshRun& run, int first_column, int columns)
    : run_(&run), first_column_(first_column), columns_(columns) {
  const auto width = static_cast<std::size_t>(columns);
  for (auto& registers : stationary_) {
    registers.assign(static_cast<std::size_t>(run.config().rows) * width, 0);
  }
  a_.resize(width);
  b_.resize(width);
  d_.resize(width);
  v_.resize(width);
  s_.resize(width);
}

void WavefrontMesh::set_state(const MeshState* state) {
  const int all = run_->config().columns;
  for (int which = 0; which < 2; ++which) {
    if (state == nullptr || state->stationary[which].empty()) {
      std::fill(stationary_[which].begin(), stationary_[which].end(), 0);
      continue;
    }
    for (int r = 0; r < run_->config().rows; ++r) {
      const std::int32_t* from = &state->stationary[which][static_cast<std::size_t>(r * all)];
      std::copy_n(from + first_column_, columns_, row(which, r));
    }
  }
}

void WavefrontMesh::store_state(MeshState& state) const {
  const int all = run_->config().columns;
  for (int which = 0; which < 2; ++which) {
    if (columns_ == all) {
      state.stationary[which] = stationary_[which];
      continue;
    }
    state.stationary[which].resize(static_cast<std::size_t>(run_->config().rows * all));
    for (int r = 0; r < run_->config().rows; ++r) {
      std::int32_t* to = &state.stationary[which][static_cast<std::size_t>(r * all)];
      std::copy_n(row(which, r), columns_, to + first_column_);
    }
  }
}

void WavefrontMesh::shift_shadow(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                                 std::int64_t count) {
  const bool shadow = !window.propagate;
  for (int r = run_->config().rows - 1; r >= 0; --r) {
    const std::int32_t* from = r >= count ? row(shadow, r - static_cast<int>(count))
                                          : inputs.load(first + count - 1 - r) + first_column_;
    std::copy_n(from, columns_, row(shadow, r));
  }
}

void WavefrontMesh::advance(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                            std::int64_t count, std::int32_t* results) {
  const MeshConfig& config = run_->config();
  const bool active = window.propagate;
  const bool saturates = config.overflow == Overflow::kSaturate;
  const auto width = static_cast<std::size_t>(columns_);
  const std::int64_t streamed =
      inputs.has_stream(first)
          ? std::clamp<std::int64_t>(run_->steps(window.streams) - first, 0, count)
          : 0;
  const ActivationBlock block{inputs.activations(first), static_cast<int>(streamed), config.rows};
  if (config.is_weight_stationary()) {
    if (results != nullptr) {
      std::fill(results + static_cast<std::size_t>(streamed) * width,
                results + static_cast<std::size_t>(count) * width, 0);
      stream_rows(block, row(active, 0), columns_, inputs.vertical(first) + first_column_,
                  inputs.vertical_pitch(), results, saturates);
    }
  } else {
    const std::int64_t draining = std::min<std::int64_t>(count, config.rows - first);
    for (std::int64_t n = 0; results != nullptr && n < draining; ++n) {
      std::copy_n(row(!active, config.rows - 1 - static_cast<int>(n)), columns_,
                  results + static_cast<std::size_t>(n) * width);
    }
    accumulate_outer(block, inputs.vertical(first) + first_column_, inputs.vertical_pitch(),
                     row(active, 0), columns_, saturates);
  }
  if (window.valid) {
    shift_shadow(window, inputs, first, count);
  }
}

// One row of PEs whose wavefront has the window's `valid` and `propagate` in all columns.
void WavefrontMesh::pass_row(int r, bool is_valid, bool propagate) {
  const Overflow overflow = run_->config().overflow;
  std::int32_t* active = row(propagate, r);
  std::int32_t* shadow = row(!propagate, r);
  const auto width = static_cast<std::size_t>(columns_);
  if (run_->config().is_weight_stationary()) {
    for (std::size_t c = 0; c < width; ++c) {
      b_[c] = sum_of(b_[c], std::int64_t{a_[c]} * active[c], overflow);
    }
  } else if (is_valid) {
    for (std::size_t c = 0; c < width; ++c) {
      active[c] = sum_of(active[c], std::int64_t{a_[c]} * b_[c], overflow);
    }
  }
  if (is_valid) {
    std::swap_ranges(d_.begin(), d_.end(), shadow);
  } else {
    std::copy_n(shadow, width, d_.begin());
  }
}

// The same where a fault has changed `valid` or `propagate` in some column.
void WavefrontMesh::pass_row_by_column(int r) {
  const MeshConfig& config = run_->config();
  for (std::size_t c = 0; c < static_cast<std::size_t>(columns_); ++c) {
    std::int32_t& active = row(s_[c] != 0, r)[c];
    std::int32_t& shadow = row(s_[c] == 0, r)[c];
    if (config.is_weight_stationary()) {
      b_[c] = sum_of(b_[c], std::int64_t{a_[c]} * active, config.overflow);
    } else if (v_[c] != 0) {
      active = sum_of(active, std::int64_t{a_[c]} * b_[c], config.overflow);
    }
    const std::int32_t below = shadow;
    if (v_[c] != 0) {
      shadow = d_[c];
    }
    d_[c] = below;
  }
}

void WavefrontMesh::step(const Window& window, const EdgeInputs& inputs, std::int64_t step,
                         std::span<const WavefrontFault* const> faults, StrikeObserver& observer,
                         std::int32_t* result) {
  const MeshConfig& config = run_->config();
  const std::int64_t wavefront = window.start + step;
  const auto strike = [&](const WavefrontFault& fault, std::int32_t& word) {
    const std::int32_t before = word;
    word = struck(before, fault.site.bit, fault.bits, fault.kind);
    if (word != before) {
      observer.on_struck(fault, wavefront, before, word);
    }
  };
  const auto place = [&](const MeshSite& site) {
    return static_cast<std::size_t>(site.column - first_column_);
  };

  std::copy_n(inputs.vertical(step) + first_column_, columns_, b_.begin());
  std::copy_n(inputs.load(step) + first_column_, columns_, d_.begin());
  std::fill(v_.begin(), v_.end(), window.valid);
  std::fill(s_.begin(), s_.end(), window.propagate);
  bool is_control_struck = false;
  for (const WavefrontFault* fault : faults) {
    const std::size_t c = place(fault->site);
    switch (fault->site.kind) {
      case Register::kSkewVertical:
        strike(*fault, b_[c]);
        break;
      case Register::kSkewLoad:
        strike(*fault, d_[c]);
        break;
      case Register::kSkewValid:
        strike(*fault, v_[c]);
        is_control_struck = true;
        break;
      case Register::kSkewPropagate:
        strike(*fault, s_[c]);
        is_control_struck = true;
        break;
      default:
        break;
    }
  }

  for (int r = 0; r < config.rows; ++r) {
    std::int32_t entering = inputs.activations(step)[r];
    for (const WavefrontFault* fault : faults) {
      if (fault->site.kind == Register::kSkewActivation && fault->site.row == r) {
        strike(*fault, entering);
      }
    }
    std::fill(a_.begin(), a_.end(), entering);
    for (const WavefrontFault* fault : faults) {
      const MeshSite& site = fault->site;
      if (site.row != r || site.column < 0) {
        continue;
      }
      const std::size_t c = place(site);
      switch (site.kind) {
        case Register::kActivation:
          strike(*fault, a_[c]);
          std::fill(a_.begin() + static_cast<std::ptrdiff_t>(c), a_.end(), a_[c]);
          break;
        case Register::kVertical:
          strike(*fault, b_[c]);
          break;
        case Register::kLoad:
          strike(*fault, d_[c]);
          break;
        case Register::kValid:
          strike(*fault, v_[c]);
          is_control_struck = true;
          break;
        case Register::kPropagate:
          strike(*fault, s_[c]);
          is_control_struck = true;
          break;
        case Register::kStationary0:
        case Register::kStationary1:
          strike(*fault, row(site.kind == Register::kStationary1, r)[c]);
          break;
        default:
          TS_CHECK(false, "a register outside of the PEs has no row and column");
      }
    }
    if (is_control_struck) {
      pass_row_by_column(r);
    } else {
      pass_row(r, window.valid, window.propagate);
    }
  }

  std::vector<std::int32_t>& leaves = config.is_weight_stationary() ? b_ : d_;
  // Output registers start at zero: what would have entered them by state 0 did not.
  for (int c = 0; c < std::min<std::int64_t>(columns_, -wavefront - config.rows - first_column_);
       ++c) {
    leaves[static_cast<std::size_t>(c)] = 0;
  }
  for (const Register kind : {Register::kOutput, Register::kDeskew}) {
    for (const WavefrontFault* fault : faults) {
      if (fault->site.kind == kind) {
        strike(*fault, leaves[place(fault->site)]);
      }
    }
  }
  std::copy(leaves.begin(), leaves.end(), result);
}

void WavefrontMesh::subtract(const WavefrontMesh& other) {
  for (int which = 0; which < 2; ++which) {
    std::transform(stationary_[which].begin(), stationary_[which].end(),
                   other.stationary_[which].begin(), stationary_[which].begin(),
                   [](std::int32_t x, std::int32_t y) { return wrapped(std::int64_t{x} - y); });
  }
}

bool WavefrontMesh::is_zero(bool which) const {
  return std::all_of(stationary_[which].begin(), stationary_[which].end(),
                     [](std::int32_t word) { return word == 0; });
}

bool WavefrontMesh::agrees(const WavefrontMesh& other) const {
  return stationary_[0] == other.stationary_[0] && stationary_[1] == other.stationary_[1];
}

bool WavefrontMesh::agrees_where_live(const WavefrontMesh* other, std::int64_t wavefront) const {
  for (const bool which : {false, true}) {
    MeshSite site;
    site.kind = which ? Register::kStationary1 : Register::kStationary0;
    for (int r = 0; r < run_->config().rows; ++r) {
      for (int c = 0; c < columns_; ++c) {
        if (row(which, r)[c] == (other == nullptr ? 0 : other->row(which, r)[c])) {
          continue;
        }
        site.row = r;
        site.column = first_column_ + c;
        if (is_live(*run_, site, wavefront)) {
          return false;
        }
      }
    }
  }
  return true;
}

}  // namespace tilestrike::sim
