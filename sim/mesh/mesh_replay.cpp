// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/mesh/mesh_replay.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::sim {
namespace {

constexpr std::int64_t kChunk = 64;  // steps that are fetched and computed at once

// The pass whose results leave the mesh in a window; -1: none.
int collected_pass(const MeshRun& run, const Window& window) {
  return run.config().is_weight_stationary() ? window.streams : window.drains;
}

// Goes back through the windows that c0 and c1 depend on and tells `visit` what each must fetch;
// returns the first. In each wavefront of a valid window the shadow registers are shifted by one
// row; once that has happened `rows` times, nothing of what they held before is left.
template <class Visit>
int go_back(const MeshRun& run, const Window& window, std::int64_t wavefront, StateReads reads,
            const Visit& visit) {
  const MeshConfig& config = run.config();
  const bool ws = config.is_weight_stationary();
  int first = window.index;
  std::int64_t older_rows[2] = {0, 0};  // of c0 and c1: read, and not yet accounted for
  if (reads.active) {
    older_rows[window.propagate] = config.rows;
  }
  if (reads.shadow) {
    const std::int64_t shifted =
        window.valid ? std::max<std::int64_t>(wavefront - window.start, 0) : 0;
    older_rows[!window.propagate] = config.rows - shifted;
  }
  if (ws && config.preload == Preload::kSerial) {
    older_rows[0] = 0;  // c0 is never loaded: it holds what the run started with
  }
  visit(GoldenPlan::Fetches{reads.shadow, !ws && reads.active});
  while (first > 0 && (older_rows[0] > 0 || older_rows[1] > 0)) {
    const Window before = run.window(--first);
    visit(GoldenPlan::Fetches{older_rows[!before.propagate] > 0,
                              !ws && older_rows[before.propagate] > 0});
    if (before.valid) {
      older_rows[!before.propagate] -= before.length;
    }
  }
  return first;
}

}  // namespace

WavefrontFault on_wavefronts(const MeshRun& run, const MeshSites& sites,
                             const RegisterFault& fault) {
  TS_CHECK(fault.kind != FaultKind::kRandom, "random faults are drawn before they reach the mesh");
  WavefrontFault result{
      .site = sites.describe(fault.site), .kind = fault.kind, .since = fault.when.from};
  result.bits = sites.block(result.site.kind).bits;
  result.delay = sites.delay(result.site);
  const Cycle end = run.cycles() + 1;
  const Cycle from = std::max<Cycle>(fault.when.from, 1);
  const Cycle until = fault.kind == FaultKind::kFlip ? fault.when.from + 1 : fault.when.until;
  result.from = std::min(from, end) - 1 - result.delay;
  result.until = std::min(until, end) - 1 - result.delay;
  return result;
}

GoldenPlan plan_golden(const MeshRun& run, std::int64_t wavefront, StateReads reads) {
  GoldenPlan plan;
  const Window window = run.window(std::max(0, run.window_of(wavefront)));
  plan.first_window =
      go_back(run, window, wavefront, reads,
              [&](const GoldenPlan::Fetches& fetches) { plan.fetches.push_back(fetches); });
  std::reverse(plan.fetches.begin(), plan.fetches.end());
  return plan;
}

int first_golden_window(const MeshRun& run, const Window& window, std::int64_t wavefront,
                        StateReads reads) {
  return go_back(run, window, wavefront, reads, [](const GoldenPlan::Fetches&) {});
}

void StrikeReads::add(const StrikeReads& other) {
  state.active = state.active || other.state.active;
  state.shadow = state.shadow || other.state.shadow;
  stream = stream || other.stream;
}

MeshReplay::MeshReplay(const MeshJob& job, const MeshSites& sites)
    : job_(job),
      run_(*job.run),
      sites_(sites),
      inputs_(*job.run, *job.operands),
      first_struck_(job.run->cycles()) {
  const MeshConfig& config = run_.config();
  const MeshState* faulty_start = job.faulty_start != nullptr ? job.faulty_start : job.golden_start;
  const bool starts_apart = faulty_start != job.golden_start;
  int last_column = -1;
  first_column_ = config.columns - 1;
  for (const RegisterFault& fault : job.faults) {
    const WavefrontFault seen = on_wavefronts(run_, sites_, fault);
    if (seen.from >= seen.until) {
      continue;
    }
    first_struck_ = std::min(first_struck_, seen.from);
    last_struck_ = std::max(last_struck_, seen.until - 1);
    const bool goes_right =
        seen.site.kind == Register::kActivation || seen.site.kind == Register::kSkewActivation;
    first_column_ = std::min(first_column_, std::max(seen.site.column, 0));
    last_column = std::max(last_column, goes_right ? config.columns - 1 : seen.site.column);
  }
  if (starts_apart || job.wants_outputs) {
    first_struck_ = std::min<std::int64_t>(first_struck_, 0);
    first_column_ = 0;
    last_column = config.columns - 1;
  }
  columns_ = last_column - first_column_ + 1;
  result_.cycles = run_.cycles();
  if (last_column < 0) {
    is_done_ = true;  // nothing acts within the run
    return;
  }

  if (!arithmetic_of(config).is_linear || first_struck_ != last_struck_ || starts_apart ||
      job.wants_outputs || job.wants_end) {
    reads_ = {{true, true}, true};
  } else {
    const bool propagate = run_.window(run_.window_of(first_struck_)).propagate;
    for (const RegisterFault& fault : job.faults) {
      const WavefrontFault seen = on_wavefronts(run_, sites_, fault);
      if (seen.from < seen.until) {
        reads_.add(reads_of(config, seen.site.kind, propagate));
      }
    }
  }
  plan_ = plan_golden(run_, first_struck_, reads_.state);
  if (starts_apart || job.wants_outputs) {
    faulty_.emplace(run_, first_column_, columns_);
    faulty_->set_state(faulty_start);
  }
  if (job.wants_outputs) {
    for (const PassShape& pass : run_.passes()) {
      result_.outputs.emplace_back(static_cast<std::size_t>(pass.rows) *
                                   static_cast<std::size_t>(pass.columns));
    }
  } else {
    golden_results_.resize(static_cast<std::size_t>(kChunk * columns_));
    golden_.emplace(run_, first_column_, columns_);
    golden_->set_state(job.golden_start);
  }
}

// The effect of a single strike, where sums wrap, is a difference that most registers have no part
// in (docs/mesh.md, "How a struck pass is computed").
StrikeReads reads_of(const MeshConfig& config, Register kind, bool propagate) {
  constexpr StrikeReads kActive{{.active = true, .shadow = false}, false};
  constexpr StrikeReads kActiveAndStream{{.active = true, .shadow = false}, true};
  constexpr StrikeReads kShadow{{.active = false, .shadow = true}, false};
  constexpr StrikeReads kShadowAndStream{{.active = false, .shadow = true}, true};
  constexpr StrikeReads kAll{{.active = true, .shadow = true}, true};
  constexpr StrikeReads kStream{{.active = false, .shadow = false}, true};
  // By kind; c0 and c1 as shadow, and at the end as active.
  static constexpr StrikeReads kWeightStationary[kRegisterKinds + 1] = {
      kActiveAndStream, kActiveAndStream, kShadow,          kShadow, kAll,    kShadow,
      kShadow,          kActiveAndStream, kActiveAndStream, kShadow, kShadow, kAll,
      kActiveAndStream, kActiveAndStream, kActiveAndStream};
  static constexpr StrikeReads kOutputStationary[kRegisterKinds + 1] = {
      kStream,          kStream, kShadow, kShadowAndStream, kAll,
      kShadow,          kShadow, kStream, kStream,          kShadow,
      kShadowAndStream, kAll,    kShadow, kShadow,          kActive};
  const bool is_active = (kind == Register::kStationary0 && !propagate) ||
                         (kind == Register::kStationary1 && propagate);
  const std::size_t which = is_active ? kRegisterKinds : static_cast<std::size_t>(kind);
  return config.is_weight_stationary() ? kWeightStationary[which] : kOutputStationary[which];
}

void MeshReplay::arrive(const RegisterFault& fault) {
  WavefrontFault seen = on_wavefronts(run_, sites_, fault);
  if (seen.from < seen.until) {
    seen.order = static_cast<int>(faults_.size());
    faults_.insert(std::upper_bound(faults_.begin(), faults_.end(), seen, is_met_before), seen);
  }
}

void MeshReplay::on_struck(const WavefrontFault& fault, std::int64_t wavefront, std::int32_t before,
                           std::int32_t after) {
  const Cycle cycle = wavefront + 1 + fault.delay;
  if (!first_fault_ || std::tuple(cycle, fault.effect_order()) <
                           std::tuple(first_change_, first_fault_->effect_order())) {
    first_fault_ = fault;
    first_change_ = cycle;
    const std::uint64_t mask = (std::uint64_t{1} << fault.bits) - 1;
    result_.before = static_cast<std::uint32_t>(before) & mask;
    result_.after = static_cast<std::uint32_t>(after) & mask;
  }
  result_.activated = result_.activated || is_live(run_, fault.site, wavefront);
}

void MeshReplay::process_window(int index) {
  ++result_.windows_simulated;
  if (index == 0 && first_struck_ < 0) {  // faults meet wavefronts of the idle mesh before the run
    Window idle = run_.window(-1);
    idle.start = first_struck_;
    idle.length = -first_struck_;
    process_steps(idle);
  }
  if (!is_done_) {
    process_steps(run_.window(index));
  }
}

void MeshReplay::process_steps(const Window& window) {
  const bool is_linear = arithmetic_of(run_.config()).is_linear && !job_.wants_end && golden_;
  for (std::int64_t step = 0; step < window.length && !is_done_;) {
    const std::int64_t wavefront = window.start + step;
    std::int64_t end = std::min(step + kChunk, window.length);
    if (golden_ && wavefront < first_struck_) {
      end = std::min(end, first_struck_ - window.start);
      process_golden(window, step, end - step);
    } else if (is_linear && wavefront > last_struck_) {
      process_difference(window, step, end - step);
    } else {
      if (wavefront <= last_struck_) {
        end = std::min(end, last_struck_ + 1 - window.start);
      }
      process_together(window, step, end - step);
    }
    step = end;
    is_done_ = is_settled(window.start + step);
  }
}

void MeshReplay::process_golden(const Window& window, std::int64_t first, std::int64_t count) {
  const GoldenPlan::Fetches& fetches =
      plan_.fetches[static_cast<std::size_t>(window.index - plan_.first_window)];
  inputs_.enter(window);
  if (fetches.load) {
    inputs_.fetch_load();
  }
  if (fetches.stream) {
    inputs_.fetch_stream(first, count);
  }
  golden_->advance(window, inputs_, first, count, nullptr);
}

void MeshReplay::process_together(const Window& window, std::int64_t first, std::int64_t count) {
  if (!faulty_) {
    faulty_.emplace(*golden_);
  }
  inputs_.enter(window);
  if (reads_.state.shadow) {
    inputs_.fetch_load();
  }
  if (reads_.stream) {
    inputs_.fetch_stream(first, count);
  }
  if (golden_) {
    golden_->advance(window, inputs_, first, count,
                     collected_pass(run_, window) < 0 ? nullptr : golden_results_.data());
  }
  if (std::int32_t* const in_place = output_lines(window, first, count)) {
    advance_faulty(window, first, count, in_place);
    return;
  }
  faulty_results_.resize(static_cast<std::size_t>(kChunk * columns_));
  advance_faulty(window, first, count, faulty_results_.data());
  collect(window, first, count);
}

// Where results of these steps lie in the outputs, if they do so as they leave the mesh.
std::int32_t* MeshReplay::output_lines(const Window& window, std::int64_t first,
                                       std::int64_t count) {
  if (!job_.wants_outputs || !run_.config().is_weight_stationary() || window.streams < 0) {
    return nullptr;
  }
  const auto pass = static_cast<std::size_t>(window.streams);
  const PassShape& shape = run_.passes()[pass];
  return shape.columns == columns_ && first + count <= shape.rows
             ? &result_.outputs[pass][static_cast<std::size_t>(first * columns_)]
             : nullptr;
}

void MeshReplay::advance_faulty(const Window& window, std::int64_t first, std::int64_t count,
                                std::int32_t* results) {
  for (std::int64_t step = first; step < first + count;) {
    std::int32_t* const line = results + (step - first) * columns_;
    std::int64_t next = first + count;  // struck step
    met_.clear();
    for (const WavefrontFault& fault : faults_) {
      if (fault.meets(window.start + step)) {
        met_.push_back(&fault);
      } else if (fault.from > window.start + step) {
        next = std::min(next, fault.from - window.start);
      }
    }
    if (met_.empty()) {
      faulty_->advance(window, inputs_, step, next - step,
                       collected_pass(run_, window) < 0 ? nullptr : line);
      step = next;
    } else {
      faulty_->step(window, inputs_, step, met_, *this, line);
      ++step;
    }
  }
}

void MeshReplay::process_difference(const Window& window, std::int64_t first, std::int64_t count) {
  if (!difference_) {
    faulty_->subtract(*golden_);
    difference_ = std::move(faulty_);
    difference_inputs_.emplace(run_, *job_.operands);
  }
  faulty_results_.resize(static_cast<std::size_t>(kChunk * columns_));
  difference_inputs_->enter(window);
  if (run_.config().is_weight_stationary() && !difference_->is_zero(window.propagate)) {
    difference_inputs_->fetch_activations(first, count);
  }
  difference_->advance(window, *difference_inputs_, first, count,
                       collected_pass(run_, window) < 0 ? nullptr : faulty_results_.data());
  collect(window, first, count);
}

void MeshReplay::collect(const Window& window, std::int64_t first, std::int64_t count) {
  const bool ws = run_.config().is_weight_stationary();
  const int pass = collected_pass(run_, window);
  if (pass < 0) {
    return;
  }
  const PassShape& shape = run_.passes()[static_cast<std::size_t>(pass)];
  const int columns = std::min(columns_, shape.columns - first_column_);
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t row = ws ? first + n : run_.config().rows - 1 - (first + n);
    if (row < 0 || row >= shape.rows) {
      continue;
    }
    const auto line = static_cast<std::size_t>(n * columns_);
    const std::int32_t* faulty = &faulty_results_[line];
    if (job_.wants_outputs) {
      std::copy_n(faulty, columns,
                  &result_.outputs[static_cast<std::size_t>(pass)]
                                  [static_cast<std::size_t>(row * shape.columns)]);
      continue;
    }
    for (int c = 0; c < columns; ++c) {
      const std::int32_t golden =
          difference_ ? 0 : golden_results_[line + static_cast<std::size_t>(c)];
      if (faulty[c] != golden) {
        result_.changes.push_back(
            {pass, static_cast<std::int32_t>(row), first_column_ + c, golden, faulty[c]});
      }
    }
  }
}

// Whether golden and faulty mesh cannot part any more from this wavefront on.
bool MeshReplay::is_settled(std::int64_t wavefront) const {
  if (!golden_ || wavefront <= last_struck_) {
    return false;
  }
  if (difference_) {
    return difference_->agrees_where_live(nullptr, wavefront);
  }
  if (!faulty_) {
    return false;  // not struck yet
  }
  return job_.wants_end ? faulty_->agrees(*golden_)
                        : faulty_->agrees_where_live(&*golden_, wavefront);
}

MeshResult MeshReplay::finish() {
  std::ranges::sort(result_.changes, {}, &OutputChange::place);
  if (job_.wants_outputs) {
    faulty_->store_state(result_.end);
  } else if (job_.wants_end) {
    result_.end = golden_end(run_, *job_.operands, job_.golden_start);
    if (faulty_ && !is_done_) {  // the columns that still differ
      faulty_->store_state(result_.end);
    }
  }
  return std::move(result_);
}

MeshResult replay(const MeshJob& job, const MeshSites& sites) {
  MeshReplay machine(job, sites);
  for (const RegisterFault& fault : job.faults) {
    machine.arrive(fault);
  }
  for (int window = machine.first_window(); !machine.is_done() && window < job.run->windows();
       ++window) {
    machine.process_window(window);
  }
  return machine.finish();
}

MeshState golden_end(const MeshRun& run, const Operands& operands, const MeshState* start) {
  const GoldenPlan plan = plan_golden(run, run.cycles(), {.active = true, .shadow = true});
  WavefrontMesh mesh(run, 0, run.config().columns);
  mesh.set_state(start);
  EdgeInputs inputs(run, operands);
  for (int index = plan.first_window; index < run.windows(); ++index) {
    const Window window = run.window(index);
    const GoldenPlan::Fetches& fetches =
        plan.fetches[static_cast<std::size_t>(index - plan.first_window)];
    inputs.enter(window);
    if (fetches.load) {
      inputs.fetch_load();
    }
    for (std::int64_t step = 0; step < window.length; step += kChunk) {
      const std::int64_t count = std::min(kChunk, window.length - step);
      if (fetches.stream) {
        inputs.fetch_stream(step, count);
      }
      mesh.advance(window, inputs, step, count, nullptr);
    }
  }
  MeshState end;
  mesh.store_state(end);
  return end;
}

}  // namespace tilestrike::sim
