// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/closed_form.h"

#include <algorithm>
#include <tuple>

#include "sim/mesh/arithmetic.h"
#include "sim/mesh/mesh_replay.h"

namespace tilestrike::sim {
namespace {

constexpr int kChunk = 64;  // rows of a pass that are fetched at once

std::int32_t difference(std::int32_t x, std::int32_t y) { return wrapped(std::int64_t{x} - y); }

std::int32_t product(std::int32_t x, std::int32_t y) { return wrapped(std::int64_t{x} * y); }

bool is_activation(Register kind) {
  return kind == Register::kActivation || kind == Register::kSkewActivation;
}

bool is_result(Register kind) { return kind == Register::kOutput || kind == Register::kDeskew; }

bool is_vertical(Register kind) {
  return kind == Register::kVertical || kind == Register::kSkewVertical;
}

bool is_load(Register kind) { return kind == Register::kLoad || kind == Register::kSkewLoad; }

// Lets a container construct what a call returns where it is to lie: copying words that were
// written a moment ago costs as much as a formula.
template <class Make>
struct InPlace {
  const Make& make;
  operator WavefrontFault() const { return make(); }
};

// The window in which the results of an OS pass leave.
int draining_window(const MeshConfig& config, int pass) {
  return config.preload == Preload::kOverlapped ? pass + 2 : 2 * pass + 2;
}

}  // namespace

// Registers through which every wavefront passes once and on which no later wavefront depends but
// through sums: whatever they did to earlier wavefronts, they hold what they would hold.
bool ClosedForm::is_edge_value(Register kind) const {
  return is_activation(kind) || is_vertical(kind) || (ws() && is_result(kind));
}

bool ClosedForm::may_meet(const WavefrontFault& x, const WavefrontFault& y) const {
  const bool x_spreads = is_activation(x.site.kind);
  const bool y_spreads = is_activation(y.site.kind);
  if (x_spreads && y_spreads) {
    if (x.site.row != y.site.row) {
      return false;
    }
  } else if (!x_spreads && !y_spreads) {
    if (x.site.column != y.site.column) {
      return false;
    }
  } else {
    const WavefrontFault& spreading = x_spreads ? x : y;
    const WavefrontFault& staying = x_spreads ? y : x;
    if (staying.site.column < spreading.site.column) {
      return false;
    }
  }
  const bool are_apart = x.until <= y.from || y.until <= x.from;
  return !(are_apart && is_edge_value(x.site.kind) && is_edge_value(y.site.kind));
}

bool ClosedForm::has_formula(const MeshJob& job, const MeshSites& sites) {
  job_ = &job;
  run_ = job.run;
  if (job.wants_outputs || !arithmetic_of(run_->config()).is_linear) {
    return false;
  }
  const bool starts_apart = job.faulty_start != nullptr && job.faulty_start != job.golden_start;
  faults_.clear();
  for (const RegisterFault& fault : job.faults) {
    const auto make = [&] { return on_wavefronts(*run_, sites, fault); };
    faults_.emplace_back(InPlace<decltype(make)>{make});
    WavefrontFault& seen = faults_.back();
    if (seen.from >= seen.until) {
      faults_.pop_back();
      continue;
    }
    const Register kind = seen.site.kind;
    const bool lasts = seen.until - seen.from > 1;
    if (lasts && !is_edge_value(kind) && !is_result(kind) && !is_load(kind)) {
      return false;  // what is held changes what is to be held
    }
    if ((starts_apart || job.wants_end) && !is_edge_value(kind) && !is_result(kind)) {
      return false;  // may leave c0 or c1 changed
    }
    seen.order = static_cast<int>(faults_.size()) - 1;
    for (std::size_t i = 0; i + 1 < faults_.size(); ++i) {
      if (may_meet(seen, faults_[i])) {
        return false;
      }
    }
  }
  return true;
}

void ClosedForm::compute(MeshResult& result) {
  const MeshState* start = job_->faulty_start != nullptr ? job_->faulty_start : job_->golden_start;
  golden_.emplace(*run_, *job_->operands, start);
  result_ = &result;
  result.changes.clear();
  result.outputs.clear();
  result.cycles = run_->cycles();
  result.activated = false;
  result.hung = false;
  result.before = 0;
  result.after = 0;
  last_window_ = -1;
  first_fault_ = nullptr;
  if (faults_.size() == 1 && faults_.front().until - faults_.front().from == 1) {
    const WavefrontFault& fault = faults_.front();
    const WavefrontPlace at = place_of(*run_, fault.from);
    strike(fault, at);
    result.windows_simulated = windows_touched(
        at, fault.from, reads_of(run_->config(), fault.site.kind, at.window.propagate));
  } else {
    strike_all();
  }
  if (job_->wants_end) {
    // The differences that such faults leave are gone with the pass that they met (has_formula).
    result.end = golden_end(*run_, *job_->operands, start);
  } else if (!result.end.stationary[0].empty()) {
    result.end = {};
  }
}

void ClosedForm::strike_all() {
  result_->windows_simulated = 0;
  if (faults_.empty()) {
    return;
  }
  std::int64_t first = faults_.front().from;
  std::int64_t last = -1;
  for (const WavefrontFault& fault : faults_) {
    first = std::min(first, fault.from);
    last = std::max(last, fault.until - 1);
    WavefrontPlace at = place_of(*run_, fault.from);
    for (std::int64_t wavefront = fault.from; wavefront < fault.until; ++wavefront, ++at.step) {
      if (at.step == at.window.length) {
        at = place_of(*run_, wavefront);
      }
      strike(fault, at);
    }
  }
  merge_changes();
  StrikeReads reads;
  const WavefrontPlace at = place_of(*run_, first);
  if (first != last) {
    reads = {{true, true}, true};
  }
  for (const WavefrontFault& fault : faults_) {
    reads.add(reads_of(run_->config(), fault.site.kind, at.window.propagate));
  }
  result_->windows_simulated = windows_touched(at, last, reads);
}

// As a replay counts them: from the first window that the golden words of the first strike come
// from.
int ClosedForm::windows_touched(const WavefrontPlace& first, std::int64_t last,
                                const StrikeReads& reads) const {
  const int last_struck = last < first.window.end() ? first.window.index : run_->window_of(last);
  int settled = std::max({0, last_window_, last_struck});
  if (!ws() && !result_->changes.empty()) {  // what differs is alive until it has left
    settled = std::max(settled, draining_window(run_->config(), result_->changes.back().pass));
  }
  const int begin = first.window.index < 0
                        ? 0
                        : first_golden_window(*run_, first.window, first.wavefront(), reads.state);
  return settled + 1 - begin;
}

void ClosedForm::merge_changes() {
  std::vector<OutputChange>& changes = result_->changes;
  std::ranges::sort(changes, {}, &OutputChange::place);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < changes.size();) {
    OutputChange sum = changes[i];
    for (++i; i < changes.size() && changes[i].place() == sum.place(); ++i) {
      sum.faulty = wrapped(std::int64_t{sum.faulty} + changes[i].faulty);
    }
    if (sum.faulty != 0) {
      changes[kept++] = sum;
    }
  }
  changes.resize(kept);
}

void ClosedForm::strike(const WavefrontFault& fault, const WavefrontPlace& at) {
  const MeshSite& site = fault.site;
  const std::int32_t before = golden_->word(site, at);
  const std::int32_t after = struck(before, site.bit, fault.bits, fault.kind);
  if (after == before) {
    return;
  }
  const Cycle cycle = at.wavefront() + 1 + fault.delay;
  if (first_fault_ == nullptr || std::tuple(cycle, fault.effect_order()) <
                                     std::tuple(first_change_, first_fault_->effect_order())) {
    first_fault_ = &fault;
    first_change_ = cycle;
    const std::uint64_t mask = (std::uint64_t{1} << fault.bits) - 1;
    result_->before = static_cast<std::uint32_t>(before) & mask;
    result_->after = static_cast<std::uint32_t>(after) & mask;
  }
  if (at.window.index < 0 || !is_live(*run_, site, at.window, at.step)) {
    return;
  }
  result_->activated = true;
  change({&fault, at, std::max(site.row, 0), std::max(site.column, 0), difference(after, before)});
}

void ClosedForm::add(int pass, std::int64_t row, int column, std::int32_t delta) {
  if (delta != 0 && pass >= 0 && row >= 0 && row < shape(pass).rows &&
      column < shape(pass).columns) {
    result_->changes.push_back({pass, static_cast<std::int32_t>(row), column, 0, delta});
  }
}

// For a place that the pass has.
void ClosedForm::append(int pass, std::int64_t row, int column, std::int32_t delta) {
  if (delta != 0) {
    result_->changes.push_back({pass, static_cast<std::int32_t>(row), column, 0, delta});
  }
}

void ClosedForm::change(const Strike& strike) {
  const Window& window = strike.at.window;
  const std::int64_t step = strike.at.step;
  const int row = strike.row;
  switch (strike.fault->site.kind) {
    case Register::kActivation:
    case Register::kSkewActivation:
      return change_activation(strike);
    case Register::kVertical:
    case Register::kSkewVertical:
      return ws() ? add(window.streams, step, strike.column, strike.delta)
                  : change_weight_operand(strike);
    case Register::kOutput:
    case Register::kDeskew:
      return ws() ? add(window.streams, step, strike.column, strike.delta)
                  : add(window.drains, mesh_rows() - 1 - step, strike.column, strike.delta);
    case Register::kLoad:
    case Register::kSkewLoad:
      return change_shadow(strike, strike.fault->site.kind == Register::kLoad ? row - 1 : -1);
    case Register::kValid:
    case Register::kSkewValid:
    case Register::kPropagate:
    case Register::kSkewPropagate:
      return change_control(strike);
    case Register::kStationary0:
    case Register::kStationary1:
      if ((strike.fault->site.kind == Register::kStationary1) != window.propagate) {
        return change_shadow(strike, row);
      }
      if (!ws()) {
        return add(window.streams, row, strike.column, strike.delta);
      }
      off_.assign(1, strike.delta);
      return change_weights(window.streams, step, strike.column, row);
  }
}

void ClosedForm::change_activation(const Strike& strike) {
  const int pass = strike.at.window.streams;
  const std::int64_t row = ws() ? strike.at.step : strike.row;
  const std::int64_t depth = ws() ? strike.row : strike.at.step;
  if (depth >= shape(pass).depth) {
    return;  // its products are with zeros
  }
  std::int8_t weights[kLargestMesh] = {};
  job_->operands->weights(pass, static_cast<int>(depth), 1, weights);
  for (int column = strike.column; column < shape(pass).columns; ++column) {
    append(pass, row, column, product(strike.delta, weights[column]));
  }
}

void ClosedForm::change_weight_operand(const Strike& strike) {
  const int pass = strike.at.window.streams;
  if (strike.at.step >= shape(pass).depth) {
    return;
  }
  std::int8_t activations[kLargestMesh] = {};
  job_->operands->activations(pass, static_cast<int>(strike.at.step), 1, activations);
  for (int row = strike.row; row < shape(pass).rows; ++row) {
    append(pass, row, strike.column, product(activations[row], strike.delta));
  }
}

// The word that is in shadow row `row` before the step; row -1: about to enter row 0.
void ClosedForm::change_shadow(const Strike& strike, std::int64_t row) {
  const Window& window = strike.at.window;
  if (row >= strike.at.step) {
    return add(window.drains, row - strike.at.step, strike.column, strike.delta);
  }
  const std::int64_t loaded = row + window.length - strike.at.step;
  if (!ws()) {
    return add(window.loads, loaded, strike.column, strike.delta);
  }
  last_window_ = std::max(last_window_, window.index + 1);
  off_.assign(1, strike.delta);
  change_weights(window.loads, 0, strike.column, static_cast<int>(loaded));
}

void ClosedForm::change_weights(int pass, std::int64_t from, int column, int first) {
  const PassShape& of = shape(pass);
  const int depth = std::min(static_cast<int>(off_.size()), of.depth - first);
  if (depth <= 0 || column >= of.columns) {
    return;
  }
  const auto pitch = static_cast<std::size_t>(run_->config().rows);
  for (std::int64_t row = from; row < of.rows; row += kChunk) {
    const int count = static_cast<int>(std::min<std::int64_t>(kChunk, of.rows - row));
    if (depth == 1) {
      lanes_.resize(kChunk);
      job_->operands->activation_lane(run_->config(), pass, first, static_cast<int>(row), count,
                                      lanes_.data());
      std::vector<OutputChange>& changes = result_->changes;
      std::size_t end = changes.size();
      changes.resize(end + static_cast<std::size_t>(count));
      for (int n = 0; n < count; ++n) {
        const std::int32_t delta = product(lanes_[static_cast<std::size_t>(n)], off_.front());
        changes[end] = {pass, static_cast<std::int32_t>(row + n), column, 0, delta};
        end += delta != 0 ? 1 : 0;
      }
      changes.resize(end);
      continue;
    }
    lanes_.assign(kChunk * pitch, 0);
    job_->operands->activations(pass, static_cast<int>(row), count, lanes_.data());
    for (int n = 0; n < count; ++n) {
      const std::int8_t* activations = &lanes_[static_cast<std::size_t>(n) * pitch];
      std::int32_t sum = 0;
      for (int k = 0; k < depth; ++k) {
        sum += activations[first + k] * off_[static_cast<std::size_t>(k)];
      }
      append(pass, row + n, column, sum);
    }
  }
}

// `valid` or `propagate` is wrong for one wavefront in `column`, rows `row` and below: that
// wavefront is stepped there, golden and faulty, and what c0 and c1 differ by then is followed by
// formula.
void ClosedForm::change_control(const Strike& strike) {
  const Window& window = strike.at.window;
  const std::int64_t step = strike.at.step;
  const int column = strike.column;
  const int rows = mesh_rows();
  const Register kind = strike.fault->site.kind;
  const bool roles_change = kind == Register::kPropagate || kind == Register::kSkewPropagate;
  const bool is_valid = window.valid;
  const bool is_faulty_valid = roles_change ? is_valid : !is_valid;
  const bool needs_active = roles_change;
  std::int8_t lanes[kLargestMesh] = {};  // activations of this wavefront
  const bool is_streaming = window.streams >= 0 && step < run_->steps(window.streams);
  if (is_streaming) {
    job_->operands->activations(window.streams, static_cast<int>(step), 1, lanes);
  }
  const std::int32_t weight = ws() ? 0 : golden_->weight(window.streams, step, column);

  std::int32_t above =  // what golden's load pipe brings
      strike.row > 0 ? golden_->shadow(strike.at, strike.row - 1, column)
                     : golden_->load(strike.at, column);
  std::int32_t faulty_above = above;
  std::int32_t sum_is_off = 0;               // WS: the partial sum that leaves
  std::int32_t active_is_off[kLargestMesh];  // after the wavefront
  std::int32_t shadow_is_off[kLargestMesh];
  for (int r = strike.row; r < rows; ++r) {
    const std::int32_t active = needs_active ? golden_->active(strike.at, r, column) : 0;
    const std::int32_t shadow = golden_->shadow(strike.at, r, column);
    const std::int32_t added = product(lanes[r], weight);
    // Golden, then faulty; in the end both by the names of golden's roles.
    const std::int32_t golden_active =
        !ws() && is_valid ? sum_of(active, added, Overflow::kWrap) : active;
    const std::int32_t golden_shadow = is_valid ? above : shadow;
    std::int32_t faulty_active = active;
    std::int32_t faulty_shadow = shadow;
    std::int32_t& as_active = roles_change ? faulty_shadow : faulty_active;
    std::int32_t& as_shadow = roles_change ? faulty_active : faulty_shadow;
    const std::int32_t faulty_below = as_shadow;
    if (ws()) {
      sum_is_off = sum_of(sum_is_off, std::int64_t{lanes[r]} * difference(as_active, active),
                          Overflow::kWrap);
    } else if (is_faulty_valid) {
      as_active = sum_of(as_active, added, Overflow::kWrap);
    }
    if (is_faulty_valid) {
      as_shadow = faulty_above;
    }
    active_is_off[r] = difference(faulty_active, golden_active);
    shadow_is_off[r] = difference(faulty_shadow, golden_shadow);
    above = shadow;
    faulty_above = faulty_below;
  }

  if (ws()) {
    add(window.streams, step, column, sum_is_off);
    return follow_weights(strike, active_is_off, shadow_is_off);
  }
  const std::int64_t next = step + 1;
  for (std::int64_t r = std::max<std::int64_t>(strike.row, next); r < rows; ++r) {
    add(window.drains, r - next, column, shadow_is_off[r]);
  }
  if (step < rows) {
    add(window.drains, rows - 1 - step, column, difference(faulty_above, above));
  }
  for (int r = strike.row; r < rows; ++r) {
    add(window.streams, r, column, active_is_off[r]);
  }
  for (int r = strike.row; r < std::min<std::int64_t>(rows, next); ++r) {
    add(window.loads, r + window.length - next, column, shadow_is_off[r]);
  }
}

// Weights that differ in rows `strike.row` and below after its step.
void ClosedForm::follow_weights(const Strike& strike, const std::int32_t* active_is_off,
                                const std::int32_t* shadow_is_off) {
  const Window& window = strike.at.window;
  const std::int64_t next = strike.at.step + 1;
  const int rows = mesh_rows();
  if (window.streams >= 0) {
    off_.assign(active_is_off + strike.row, active_is_off + rows);
    change_weights(window.streams, next, strike.column, strike.row);
  }
  if (window.loads < 0 || strike.column >= shape(window.loads).columns) {
    return;
  }
  // Shadow row r ends as row r + length - next.
  const std::int64_t moves = window.length - next;
  off_.clear();
  for (std::int64_t r = strike.row; r < next && r + moves < rows; ++r) {
    off_.push_back(shadow_is_off[r]);
    if (off_.back() != 0) {
      last_window_ = std::max(last_window_, window.index + 1);
    }
  }
  change_weights(window.loads, 0, strike.column, static_cast<int>(strike.row + moves));
}

}  // namespace tilestrike::sim
