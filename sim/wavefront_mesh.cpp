// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/wavefront_mesh.h"

#include <algorithm>

#include "base/error.h"
#include "sim/arithmetic.h"
#include "sim/mesh_kernels.h"

namespace tilestrike::sim {

WavefrontMesh::WavefrontMesh(const MeshRun& run, int first_column, int columns)
    : run_(run), first_column_(first_column), columns_(columns) {
  const auto width = static_cast<std::size_t>(columns);
  for (auto& registers : stationary_) {
    registers.assign(static_cast<std::size_t>(run.config().rows) * width, 0);
  }
  b_.resize(width);
  d_.resize(width);
  v_.resize(width);
  s_.resize(width);
}

void WavefrontMesh::set_state(const MeshState* state) {
  const int all = run_.config().columns;
  for (int which = 0; which < 2; ++which) {
    if (state == nullptr || state->stationary[which].empty()) {
      std::fill(stationary_[which].begin(), stationary_[which].end(), 0);
      continue;
    }
    for (int r = 0; r < run_.config().rows; ++r) {
      const std::int32_t* from = &state->stationary[which][static_cast<std::size_t>(r * all)];
      std::copy_n(from + first_column_, columns_, row(which, r));
    }
  }
}

void WavefrontMesh::store_state(MeshState& state) const {
  const int all = run_.config().columns;
  for (int which = 0; which < 2; ++which) {
    state.stationary[which].resize(static_cast<std::size_t>(run_.config().rows * all));
    for (int r = 0; r < run_.config().rows; ++r) {
      std::int32_t* to = &state.stationary[which][static_cast<std::size_t>(r * all)];
      std::copy_n(row(which, r), columns_, to + first_column_);
    }
  }
}

void WavefrontMesh::shift_shadow(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                                 std::int64_t count) {
  const bool shadow = !window.propagate;
  for (int r = run_.config().rows - 1; r >= 0; --r) {
    const std::int32_t* from = r >= count ? row(shadow, r - static_cast<int>(count))
                                          : inputs.load(first + count - 1 - r) + first_column_;
    std::copy_n(from, columns_, row(shadow, r));
  }
}

void WavefrontMesh::advance(const Window& window, const EdgeInputs& inputs, std::int64_t first,
                            std::int64_t count, std::int32_t* results) {
  if (count <= 0) {
    return;
  }
  const MeshConfig& config = run_.config();
  const bool active = window.propagate;
  const bool saturates = config.overflow == Overflow::kSaturate;
  const auto width = static_cast<std::size_t>(columns_);
  const std::int64_t streamed =
      window.streams < 0 ? 0
                         : std::clamp<std::int64_t>(run_.steps(window.streams) - first, 0, count);
  if (config.is_weight_stationary()) {
    if (results != nullptr) {
      std::fill(results + static_cast<std::size_t>(streamed) * width,
                results + static_cast<std::size_t>(count) * width, 0);
      if (streamed > 0) {
        stream_rows({inputs.activations(first), static_cast<int>(streamed), config.rows},
                    row(active, 0), columns_, inputs.vertical(first) + first_column_,
                    config.columns, results, saturates);
      }
    }
  } else {
    if (results != nullptr) {
      for (std::int64_t n = 0; n < count; ++n) {
        const std::int32_t* leaves = n < config.rows
                                         ? row(!active, config.rows - 1 - static_cast<int>(n))
                                         : inputs.load(first + n - config.rows) + first_column_;
        std::copy_n(leaves, columns_, results + static_cast<std::size_t>(n) * width);
      }
    }
    if (streamed > 0) {
      accumulate_outer({inputs.activations(first), static_cast<int>(streamed), config.rows},
                       inputs.vertical(first) + first_column_, config.columns, row(active, 0),
                       columns_, saturates);
    }
  }
  if (window.valid) {
    shift_shadow(window, inputs, first, count);
  }
}

void WavefrontMesh::step(const Window& window, const EdgeInputs* inputs, std::int64_t step,
                         std::span<const WavefrontFault* const> faults, StrikeObserver* observer,
                         std::int32_t* result) {
  const MeshConfig& config = run_.config();
  const bool ws = config.is_weight_stationary();
  const std::int64_t wavefront = window.start + step;
  const auto strike = [&](const WavefrontFault& fault, std::int32_t value) {
    const std::int32_t after = struck(value, fault.site.bit, fault.bits, fault.kind);
    if (after != value && observer != nullptr) {
      observer->on_struck(fault, wavefront, value, after);
    }
    return after;
  };
  const auto in_range = [&](int column) {
    return column >= first_column_ && column < first_column_ + columns_;
  };
  const auto local = [&](int column) { return static_cast<std::size_t>(column - first_column_); };

  // Faults of one register apply in their given order, which is time order; along a skew chain the
  // order of positions is the order in time for one wavefront.
  std::vector<const WavefrontFault*> ordered(faults.begin(), faults.end());
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* x, const auto* y) {
    return x->site.position < y->site.position;
  });

  for (std::size_t c = 0; c < b_.size(); ++c) {
    const std::size_t column = c + static_cast<std::size_t>(first_column_);
    b_[c] = inputs != nullptr ? inputs->vertical(step)[column] : 0;
    d_[c] = inputs != nullptr ? inputs->load(step)[column] : 0;
    v_[c] = window.valid;
    s_[c] = window.propagate;
  }
  const auto strike_vertical = [&](Register b, Register d, Register v, Register s, int at_row) {
    for (const WavefrontFault* fault : ordered) {
      const MeshSite& site = fault->site;
      if (site.row != at_row || !in_range(site.column)) {
        continue;
      }
      const std::size_t c = local(site.column);
      if (site.kind == b) {
        b_[c] = strike(*fault, b_[c]);
      } else if (site.kind == d) {
        d_[c] = strike(*fault, d_[c]);
      } else if (site.kind == v) {
        v_[c] = static_cast<std::uint8_t>(strike(*fault, v_[c]));
      } else if (site.kind == s) {
        s_[c] = static_cast<std::uint8_t>(strike(*fault, s_[c]));
      }
    }
  };
  strike_vertical(Register::kSkewVertical, Register::kSkewLoad, Register::kSkewValid,
                  Register::kSkewPropagate, -1);

  for (int r = 0; r < config.rows; ++r) {
    strike_vertical(Register::kVertical, Register::kLoad, Register::kValid, Register::kPropagate,
                    r);
    std::int32_t a = inputs != nullptr ? inputs->activations(step)[r] : 0;
    for (const WavefrontFault* fault : ordered) {
      const MeshSite& site = fault->site;
      if (site.row != r) {
        continue;
      }
      const bool is_stationary =
          site.kind == Register::kStationary0 || site.kind == Register::kStationary1;
      if (site.kind == Register::kSkewActivation) {
        a = strike(*fault, a);
      } else if (is_stationary && in_range(site.column)) {
        std::int32_t& held = row(site.kind == Register::kStationary1, r)[local(site.column)];
        held = strike(*fault, held);
      }
    }
    int struck_until = first_column_;  // columns before it have seen this row's activation faults
    for (int c = 0; c < columns_; ++c) {
      for (; struck_until <= first_column_ + c; ++struck_until) {
        for (const WavefrontFault* fault : ordered) {
          if (fault->site.kind == Register::kActivation && fault->site.row == r &&
              fault->site.column == struck_until) {
            a = strike(*fault, a);
          }
        }
      }
      const auto i = static_cast<std::size_t>(c);
      std::int32_t& active = row(s_[i] != 0, r)[c];
      std::int32_t& shadow = row(s_[i] == 0, r)[c];
      const std::int32_t below = shadow;
      const std::int64_t product = std::int64_t{a} * (ws ? active : b_[i]);
      if (ws) {
        b_[i] = sum_of(b_[i], product, config.overflow);
      } else if (v_[i] != 0) {
        active = sum_of(active, product, config.overflow);
      }
      if (v_[i] != 0) {
        shadow = d_[i];
      }
      d_[i] = below;
    }
  }

  std::vector<std::int32_t>& leaves = ws ? b_ : d_;
  for (const Register kind : {Register::kOutput, Register::kDeskew}) {
    for (const WavefrontFault* fault : ordered) {
      if (fault->site.kind == kind && in_range(fault->site.column)) {
        const std::size_t c = local(fault->site.column);
        leaves[c] = strike(*fault, leaves[c]);
      }
    }
  }
  std::copy(leaves.begin(), leaves.end(), result);
}

bool WavefrontMesh::agrees_where_live(const WavefrontMesh& other, const Window& window,
                                      std::int64_t step) const {
  for (int which = 0; which < 2; ++which) {
    if (stationary_[which] == other.stationary_[which]) {
      continue;
    }
    for (int r = 0; r < run_.config().rows; ++r) {
      for (int c = 0; c < columns_; ++c) {
        MeshSite site;
        site.kind = which == 0 ? Register::kStationary0 : Register::kStationary1;
        site.row = r;
        site.column = first_column_ + c;
        if (row(which, r)[c] != other.row(which, r)[c] &&
            is_live(run_, site, window.start + step)) {
          return false;
        }
      }
    }
  }
  return true;
}

}  // namespace tilestrike::sim
