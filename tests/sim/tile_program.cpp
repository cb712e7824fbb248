// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/tile_program.h"

#include <algorithm>
#include <tuple>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

// What a step that only reads its data points to: the program's interface has one pointer for both.
template <class Number>
std::uint8_t* bytes_of(const Number* numbers) {
  return reinterpret_cast<std::uint8_t*>(const_cast<Number*>(numbers));
}

}  // namespace

TileProgram::TileProgram(const MeshRun& run, const TileOperands& operands, TilePlace activations,
                         TilePlace weights, TilePlace accumulators)
    : run_(run), mesh_(run) {
  TS_CHECK(run.passes().size() == 1, "one pass");
  mesh_.begin_pass(0);
  sums_.resize(operands.accumulators.size());
  write_operands(operands, activations, weights, accumulators);
  read_operands(activations, weights);
  add_results(accumulators);
  std::stable_sort(steps_.begin(), steps_.end(), [](const auto& x, const auto& y) {
    return std::tuple(x.cycle, x.is_write()) < std::tuple(y.cycle, y.is_write());
  });
}

// A burst never goes beyond the end of a stretch of the mesh: what it reads is needed there.
void TileProgram::add(PlatformStep step) {
  while (step.beats > 0) {
    const auto stop = std::upper_bound(stops_.begin(), stops_.end(), step.cycle);
    PlatformStep part = step;
    if (stop != stops_.end()) {
      part.beats = static_cast<std::uint32_t>(std::min<Cycle>(step.beats, *stop - step.cycle));
    }
    part.bytes = step.bytes / step.beats * part.beats;
    steps_.push_back(part);
    step.beats -= part.beats;
    step.cycle += part.beats;
    step.address += part.bytes;
    step.bytes -= part.bytes;
    step.data += part.bytes;
    step.addend = step.addend == nullptr ? nullptr : step.addend + part.bytes / 4;
  }
}

// Three channels, a row per cycle.
void TileProgram::write_operands(const TileOperands& operands, TilePlace activations,
                                 TilePlace weights, TilePlace accumulators) {
  const auto write = [&](TilePlace place, const auto& numbers, int lanes) {
    PlatformStep step;
    step.kind = AccessKind::kWrite;
    step.memory = place.memory;
    step.address = place.address;
    step.beats = static_cast<std::uint32_t>(numbers.size() / static_cast<std::size_t>(lanes));
    step.bytes = numbers.size_bytes();
    step.data = bytes_of(numbers.data());
    steps_.push_back(step);
    mesh_start_ = std::max<Cycle>(mesh_start_, step.beats);
  };
  write(activations, operands.activations, run_.config().rows);
  write(weights, operands.weights, run_.config().columns);
  write(accumulators, operands.accumulators, run_.config().columns);
  std::int64_t wavefront = 0;
  for (int index = 0; index < run_.windows(); ++index) {
    while (wavefront < run_.window(index).end()) {
      wavefront = StreamedMesh::stop_after(run_, index, wavefront);
      stops_.push_back(mesh_start_ + wavefront);
    }
  }
}

void TileProgram::read_operands(TilePlace activations, TilePlace weights) {
  const PassShape& shape = run_.passes()[0];
  const bool ws = run_.config().is_weight_stationary();
  // `rows` rows, one in each cycle; of each its first `lanes` elements.
  const auto read = [&](TilePlace place, std::int64_t wavefront, std::int64_t row, int rows,
                        int pitch, int lanes, std::int8_t* to) {
    PlatformStep step;
    step.cycle = mesh_start_ + wavefront;
    step.memory = place.memory;
    step.address = place.address + static_cast<std::uint64_t>(row * pitch);
    step.data = bytes_of(to);
    step.bytes = static_cast<std::uint64_t>(lanes);
    if (lanes == pitch) {
      step.beats = static_cast<std::uint32_t>(rows);
      step.bytes *= step.beats;
      add(step);
      return;
    }
    for (int i = 0; i < rows; ++i) {
      add(step);
      ++step.cycle;
      step.address += static_cast<std::uint64_t>(pitch);
      step.data += pitch;
    }
  };
  for (int index = 0; index < run_.windows(); ++index) {
    const Window window = run_.window(index);
    for (std::int64_t row = 0; window.loads == 0 && ws && row < shape.depth; ++row) {
      read(weights, window.end() - 1 - row, row, 1, run_.config().columns, shape.columns,
           mesh_.weights(0, row));
    }
    if (window.streams == 0) {
      read(activations, window.start, 0, run_.steps(0), run_.config().rows,
           ws ? shape.depth : shape.rows, mesh_.activations(0, 0));
      if (!ws) {
        read(weights, window.start, 0, shape.depth, run_.config().columns, shape.columns,
             mesh_.weights(0, 0));
      }
    }
  }
}

// A row leaves R + C - 1 cycles after its wavefront has entered: then the memory is read, and the
// sum is written in the next cycle. OS: the last row leaves first.
void TileProgram::add_results(TilePlace accumulators) {
  const MeshConfig& config = run_.config();
  const bool ws = config.is_weight_stationary();
  const std::uint64_t bytes = static_cast<std::uint64_t>(config.columns) * sizeof(std::int32_t);
  const int rows = run_.passes()[0].rows;
  for (int index = 0; index < run_.windows(); ++index) {
    const Window window = run_.window(index);
    if ((ws ? window.streams : window.drains) != 0) {
      continue;
    }
    for (int row = 0; row < rows; row += ws ? rows : 1) {
      const std::int64_t wavefront = window.start + (ws ? row : config.rows - 1 - row);
      PlatformStep step;
      step.cycle = mesh_start_ + wavefront + config.rows + config.columns - 1;
      step.kind = AccessKind::kReadForUpdate;
      step.memory = accumulators.memory;
      step.address = accumulators.address + static_cast<std::uint64_t>(row) * bytes;
      step.beats = ws ? static_cast<std::uint32_t>(rows) : 1;
      step.bytes = bytes * step.beats;
      step.data = bytes_of(&sums_[static_cast<std::size_t>(row * config.columns)]);
      add(step);
      ++step.cycle;
      step.kind = AccessKind::kWriteBack;
      step.addend = mesh_.results(0, row);
      step.overflow = config.overflow;
      add(step);
    }
  }
}

void TileProgram::restart() {
  mesh_.restart();
  mesh_.begin_pass(0);
  done_ = 0;
  has_begun_ = false;
}

std::span<const PlatformStep> TileProgram::next() {
  const std::size_t first = done_;
  while (done_ == first && first < steps_.size()) {
    if (has_begun_ && !mesh_.is_done()) {
      mesh_.advance();  // all of its operands have been read by now
    }
    has_begun_ = true;
    const Cycle stop =
        mesh_.is_done() ? std::numeric_limits<Cycle>::max() : mesh_start_ + mesh_.next_stop();
    while (done_ < steps_.size() && steps_[done_].cycle < stop) {
      ++done_;
    }
  }
  return std::span(steps_).subspan(first, done_ - first);
}

}  // namespace tilestrike::sim
