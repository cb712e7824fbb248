// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh_replay.h"

#include <algorithm>

#include "base/error.h"
#include "sim/arithmetic.h"

namespace tilestrike::sim {
namespace {

constexpr std::int64_t kChunk = 64;  // steps that are fetched and computed at once

bool is_stationary(Register kind) {
  return kind == Register::kStationary0 || kind == Register::kStationary1;
}

// c0 and c1 before window w are fixed by the operands of windows w-3 .. w-1: each of them is
// reloaded at least every second window.
constexpr int kWindowsToSettle = 3;

}  // namespace

WavefrontFault on_wavefronts(const MeshRun& run, const MeshSites& sites,
                             const RegisterFault& fault) {
  TS_CHECK(fault.kind != FaultKind::kRandom, "random faults are drawn before they reach the mesh");
  WavefrontFault result;
  result.site = sites.describe(fault.site);
  result.bits = sites.block(result.site.kind).bits;
  result.kind = fault.kind;
  const int delay = sites.delay(result.site);
  const Cycle last = run.cycles() + 1;
  const Cycle from = std::clamp<Cycle>(fault.when.from, 1, last);
  const Cycle until = fault.kind == FaultKind::kFlip
                          ? from + (fault.when.from >= 1 && fault.when.from < last ? 1 : 0)
                          : std::clamp<Cycle>(fault.when.until, from, last);
  result.from = from - 1 - delay;
  result.until = until - 1 - delay;
  if (fault.when.is_permanent() && fault.kind != FaultKind::kFlip) {
    result.until = run.cycles();
  }
  if (is_stationary(result.site.kind) && result.from < 0 && result.from < result.until) {
    // Struck before the first wavefront arrives: the register still holds it then.
    result.until = std::max<std::int64_t>(result.until, 1);
    result.from = 0;
  }
  return result;
}

MeshReplay::MeshReplay(const MeshJob& job, const MeshSites& sites)
    : job_(job), run_(*job.run), sites_(sites), inputs_(*job.run, *job.operands) {
  const MeshConfig& config = run_.config();
  int first_column = config.columns;
  int last_column = -1;
  first_struck_ = run_.cycles();
  for (const RegisterFault& fault : job.faults) {
    const WavefrontFault seen = on_wavefronts(run_, sites, fault);
    if (seen.from >= seen.until) {
      continue;
    }
    first_struck_ = std::min(first_struck_, seen.from);
    last_struck_ = std::max(last_struck_, seen.until - 1);
    const bool goes_right =
        seen.site.kind == Register::kActivation || seen.site.kind == Register::kSkewActivation;
    first_column = std::min(first_column, std::max(seen.site.column, 0));
    last_column = std::max(last_column, goes_right ? config.columns - 1 : seen.site.column);
  }
  const bool starts_apart = job.faulty_start != nullptr && job.faulty_start != job.golden_start;
  if (job.wants_outputs || starts_apart) {
    first_column = 0;
    last_column = config.columns - 1;
  }
  if (starts_apart) {
    first_struck_ = std::min<std::int64_t>(first_struck_, 0);
  }
  result_.cycles = run_.cycles();
  if (job.wants_outputs) {
    first_window_ = 0;
    for (const PassShape& pass : run_.passes()) {
      result_.outputs.emplace_back(static_cast<std::size_t>(pass.rows) *
                                   static_cast<std::size_t>(pass.columns));
    }
  } else {
    if (last_column < 0 && !starts_apart) {
      is_done_ = true;  // no fault acts within the run
      return;
    }
    const int struck_window = std::max(0, run_.window_of(first_struck_));
    first_window_ = std::max(0, struck_window - kWindowsToSettle);
  }
  const int columns = last_column - first_column + 1;
  faulty_.emplace(run_, first_column, columns);
  faulty_->set_state(job.faulty_start != nullptr ? job.faulty_start : job.golden_start);
  is_split_ = starts_apart && !job.wants_outputs;
  if (!job.wants_outputs) {
    golden_.emplace(run_, first_column, columns);
    golden_->set_state(job.golden_start);
  }
}

void MeshReplay::arrive(const RegisterFault& fault) {
  const WavefrontFault seen = on_wavefronts(run_, sites_, fault);
  if (seen.from < seen.until) {
    faults_.push_back(seen);
  }
}

void MeshReplay::on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                           std::int32_t after) {
  if (!has_struck_) {
    has_struck_ = true;
    const std::uint64_t mask = fault.bits == 32 ? 0xFFFFFFFFU : (1U << fault.bits) - 1U;
    result_.before = static_cast<std::uint32_t>(before) & mask;
    result_.after = static_cast<std::uint32_t>(after) & mask;
  }
  result_.activated = result_.activated || is_live(run_, fault.site, wavefront);
}

bool MeshReplay::fetches_stream(const Window& window) const {
  // A WS window that only settles c0 and c1 needs no activations.
  return window.streams >= 0 &&
         (job_.wants_outputs || is_split_ || !run_.config().is_weight_stationary() ||
          window.end() > first_struck_);
}

void MeshReplay::process_golden(const Window& window, std::int64_t first, std::int64_t count) {
  golden_->advance(window, inputs_, first, count, nullptr);
}

void MeshReplay::process_together(const Window& window, std::int64_t first, std::int64_t count) {
  if (job_.wants_outputs) {
    faulty_->advance(window, inputs_, first, count, faulty_results_.data());
  } else {
    golden_->advance(window, inputs_, first, count, golden_results_.data());
    faulty_->advance(window, inputs_, first, count, faulty_results_.data());
  }
  collect(window, first, count);
}

void MeshReplay::process_struck(const Window& window, std::int64_t step,
                                std::span<const WavefrontFault* const> faults) {
  const EdgeInputs* inputs = window.index < 0 ? nullptr : &inputs_;
  if (golden_ && inputs != nullptr) {
    golden_->advance(window, inputs_, step, 1, golden_results_.data());
  }
  faulty_->step(window, inputs, step, faults, this, faulty_results_.data());
  if (inputs != nullptr) {
    collect(window, step, 1);
  }
}

void MeshReplay::collect(const Window& window, std::int64_t first, std::int64_t count) {
  const bool ws = run_.config().is_weight_stationary();
  const int pass = ws ? window.streams : window.drains;
  if (pass < 0) {
    return;
  }
  const PassShape& shape = run_.passes()[static_cast<std::size_t>(pass)];
  const int width = faulty_->columns();
  const int first_column = faulty_->first_column();
  const int columns = std::min(width, shape.columns - first_column);
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t row = ws ? first + n : run_.config().rows - 1 - (first + n);
    if (row < 0 || row >= shape.rows) {
      continue;
    }
    const std::int32_t* faulty = &faulty_results_[static_cast<std::size_t>(n * width)];
    if (job_.wants_outputs) {
      std::copy_n(faulty, std::max(columns, 0),
                  &result_.outputs[static_cast<std::size_t>(pass)]
                                  [static_cast<std::size_t>(row * shape.columns + first_column)]);
      continue;
    }
    const std::int32_t* golden = &golden_results_[static_cast<std::size_t>(n * width)];
    for (int c = 0; c < columns; ++c) {
      if (faulty[c] != golden[c]) {
        result_.deltas.push_back({pass, static_cast<std::int32_t>(row), first_column + c,
                                  wrapped(std::int64_t{faulty[c]} - golden[c])});
      }
    }
  }
}

void MeshReplay::process_window(int index) {
  const Window window = run_.window(index);
  ++result_.windows_simulated;
  std::vector<const WavefrontFault*> here;  // faults that meet a wavefront of this window
  for (const WavefrontFault& fault : faults_) {
    if (fault.from < window.end() && fault.until > window.start) {
      here.push_back(&fault);
    }
  }
  const bool with_stream = fetches_stream(window) || !here.empty();
  const auto width = static_cast<std::size_t>(faulty_->columns());
  golden_results_.resize(static_cast<std::size_t>(kChunk) * width);
  faulty_results_.resize(static_cast<std::size_t>(kChunk) * width);
  if (index == 0) {  // idle wavefronts ahead of the run, where a fault meets them
    std::vector<const WavefrontFault*> at;
    for (std::int64_t u = first_struck_; u < 0; ++u) {
      at.clear();
      for (const WavefrontFault& fault : faults_) {
        if (fault.meets(u)) {
          at.push_back(&fault);
        }
      }
      if (!at.empty()) {
        is_split_ = true;
        Window idle = run_.window(-1);
        idle.start = u;
        process_struck(idle, 0, at);
      }
    }
  }
  std::vector<const WavefrontFault*> at;
  for (std::int64_t step = 0; step < window.length && !is_done_;) {
    const std::int64_t chunk_end = std::min(step + kChunk, window.length);
    inputs_.fetch(window, step, chunk_end - step, with_stream);
    while (step < chunk_end) {
      // Up to the next struck wavefront, or the end of the chunk, nothing happens.
      std::int64_t next = chunk_end;
      at.clear();
      for (const WavefrontFault* fault : here) {
        const std::int64_t from = std::max(fault->from - window.start, step);
        if (from >= fault->until - window.start || from >= next + (at.empty() ? 0 : 1)) {
          continue;
        }
        if (from < next) {
          at.clear();
          next = from;
        }
        at.push_back(fault);
      }
      if (next > step) {
        if (is_split_ || job_.wants_outputs) {
          process_together(window, step, next - step);
        } else {
          process_golden(window, step, next - step);
        }
        step = next;
      } else {
        if (golden_ && !is_split_) {
          faulty_.emplace(*golden_);
          is_split_ = true;
        }
        process_struck(window, step, at);
        ++step;
      }
      if (is_split_ && window.start + step > last_struck_ &&
          golden_->agrees_where_live(*faulty_, window, step)) {
        is_done_ = step < window.length || index + 1 >= run_.windows() ||
                   golden_->agrees_where_live(*faulty_, run_.window(index + 1), 0);
        if (is_done_) {
          return;
        }
      }
    }
  }
}

MeshResult MeshReplay::finish() {
  std::sort(result_.deltas.begin(), result_.deltas.end());
  if (faulty_) {
    faulty_->store_state(result_.end);
  }
  return std::move(result_);
}

}  // namespace tilestrike::sim
