// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/effects/struck_passes.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <set>

#include "base/error.h"
#include "bridge/effects/pass_steps.h"
#include "bridge/effects/struck_copies.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::bridge {
namespace {

using sim::AccessKind;
using sim::PlatformStep;

constexpr Cycle kForever = std::numeric_limits<Cycle>::max();

}  // namespace

class StruckPasses::Program final : public sim::PlatformProgram {
 public:
  Program(StruckPasses& owner, const MeshStrike& strike, sim::MeshEngine* mesh,
          const Observe& observe)
      : owner_(owner),
        mesh_(mesh),
        residency_(owner.residency_),
        memory_(residency_.memory()),
        strike_(strike),
        observe_(observe),
        scheduled_(residency_.schedule().layers()[strike.layer.layer()]),
        tiling_(*scheduled_.tiling),
        config_(scheduled_.run->config()),
        copies_(residency_, strike),
        found_(strike.on_chip.operands.size() + strike.on_chip.sums.size()),
        steps_(owner.steps_),
        accesses_(residency_.schedule(), strike.layer.layer(), steps_) {
    for (const std::int64_t block : copies_.blocks()) {
      blocks_.try_emplace(block);
    }
  }

  /// Makes all ready for a run: what was written at boot is in the arrays, strikes are armed.
  void start();
  std::span<const PlatformStep> next() override;
  void on_corrected(const PlatformStep& step, const sim::CodewordFinding& finding) override;
  sim::DueAction on_detected(const PlatformStep& step, const sim::CodewordFinding& finding,
                             sim::DueAction usual) override;

  bool has_passes() const { return !copies_.passes().empty(); }
  /// Whether the mesh has given other results than the platform's own: run once more with those.
  bool must_run_again() const { return must_run_again_; }
  LayerEffect effect() const;

 private:
  struct Action {
    enum class Kind { kBegin, kAdvance, kFinish } kind = Kind::kBegin;
    Cycle cycle = 0;
    int pass = 0;
  };
  struct Pass {  // at work
    Pass(const sim::MeshConfig& config, const sim::PassShape& shape)
        : run(config, {shape}), mesh(run) {}
    sim::MeshRun run;  // of this pass alone
    sim::StreamedMesh mesh;
    std::vector<std::int8_t*> padding;
    std::vector<std::int32_t> sums;
    std::vector<std::vector<std::uint8_t>> written;  // into the memories
  };
  using Block = std::vector<std::int32_t>;  // of sums, as the vector unit reads it

  Cycle begin_of(int pass) const;
  void add_pass(int pass);
  void write_weights(int pass, Pass& at_work);
  void write_activations(int pass, Pass& at_work, std::size_t first_read);
  void load(const StruckContent& struck, const StruckCopies::Operand& operand);
  void arm();
  void write_late(const OperandCopies& copies, std::int64_t copy,
                  const std::vector<std::int64_t>& words, Cycle cycle, Pass& at_work);
  void act(const Action& action);
  void finish(int pass);
  std::vector<std::int32_t> results_of(int pass, Pass& at_work);
  void compare(int pass, Pass& at_work, const std::vector<std::int32_t>& results);
  std::size_t content_of(const PlatformStep& step, sim::CodewordId codeword) const;
  void sort();

  StruckPasses& owner_;
  sim::MeshEngine* mesh_;
  const Residency& residency_;
  const MemorySchedule& memory_;
  const MeshStrike& strike_;
  const Observe& observe_;
  const ScheduledLayer& scheduled_;
  const Tiling& tiling_;
  const sim::MeshConfig& config_;
  StruckCopies copies_;
  std::vector<Findings> found_;                     // as StruckCopies::content_of() counts
  std::map<std::int64_t, Block> blocks_;            // whose sums are struck
  std::map<int, std::vector<std::int32_t>> given_;  // results of passes that the mesh has given
  bool must_run_again_ = false;

  // Of the run at hand. What the passes do is worked out as time comes to them.
  std::vector<PlatformStep>& steps_;
  std::vector<Action> actions_;
  std::size_t done_ = 0, acted_ = 0, added_ = 0;  // steps, actions, passes
  std::map<int, std::unique_ptr<Pass>> at_work_;
  std::int64_t block_ = -1;          // of activations
  std::vector<bool> block_written_;  // by codeword of it: it lies in the memory
  PassSteps accesses_;
  std::vector<sim::OutputChange> of_passes_;  // results less those of operands as they should be
  bool is_read_wrong_ = false;
};

void StruckPasses::Program::start() {
  steps_.clear();
  actions_.clear();
  done_ = acted_ = added_ = 0;
  at_work_.clear();
  block_ = -1;
  of_passes_.clear();
  is_read_wrong_ = false;
  must_run_again_ = false;
  owner_.platform_->clear();
  std::ranges::fill(found_, Findings());
  for (std::size_t i = 0; i < copies_.operands().size(); ++i) {
    load(strike_.on_chip.operands[i], copies_.operands()[i]);
  }
  sort();
  arm();
}

void StruckPasses::Program::load(const StruckContent& struck,
                                 const StruckCopies::Operand& operand) {
  const std::int32_t memory = owner_.places_[struck.word->memory];
  const auto address = static_cast<std::uint64_t>(operand.address);
  if (struck.occupant.written < 0) {
    std::vector<sim::CodewordFinding> none;
    owner_.platform_->array(memory).write_bytes(address, operand.loaded, none);
    return;
  }
  PlatformStep load;
  load.cycle = struck.occupant.written;
  load.kind = AccessKind::kWrite;
  load.memory = memory;
  load.address = address;
  load.bytes = operand.loaded.size();
  load.data = const_cast<std::uint8_t*>(operand.loaded.data());  // a write only reads it
  steps_.push_back(load);
}

void StruckPasses::Program::arm() {
  std::vector<sim::PlatformStrike> strikes;
  std::set<const StruckWord*> armed;  // a word may hold several of the contents
  for (const std::vector<StruckContent>* const contents :
       {&strike_.on_chip.operands, &strike_.on_chip.sums}) {
    for (const StruckContent& content : *contents) {
      const StruckWord& word = *content.word;
      if (!armed.insert(&word).second) {
        continue;
      }
      const std::int32_t memory = owner_.places_[word.memory];
      owner_.platform_->set_scrub_phase(memory, word.scrub_phase);
      for (const CellFault& fault : word.faults) {
        strikes.push_back({memory, fault.bit, fault.kind, fault.when, false});
      }
    }
  }
  std::ranges::stable_sort(strikes, {},
                           [](const sim::PlatformStrike& strike) { return strike.when.from; });
  owner_.platform_->arm(strikes);
}

// Steps come in few stretches that are in order of time, each for itself.
void StruckPasses::Program::sort() {
  const auto is_before = [](const PlatformStep& x, const PlatformStep& y) {
    return x.cycle != y.cycle ? x.cycle < y.cycle : x.is_write() < y.is_write();
  };
  for (auto end = std::is_sorted_until(steps_.begin(), steps_.end(), is_before);
       end != steps_.end();) {
    const auto next = std::is_sorted_until(end, steps_.end(), is_before);
    std::inplace_merge(steps_.begin(), end, next, is_before);
    end = next;
  }
  std::stable_sort(actions_.begin(), actions_.end(),
                   [](const Action& x, const Action& y) { return x.cycle < y.cycle; });
}

// Nothing of a pass happens before.
Cycle StruckPasses::Program::begin_of(int pass) const {
  const sim::MeshRun& run = *scheduled_.run;
  return scheduled_.start + run.window(MemorySchedule::loading_window(run, pass)).start - 1;
}

// Codewords of a copy that nothing strikes, side by side in one access, in the last cycle in which
// nobody has read them: when exactly they were loaded changes nothing.
void StruckPasses::Program::write_late(const OperandCopies& copies, std::int64_t copy,
                                       const std::vector<std::int64_t>& words, Cycle cycle,
                                       Pass& at_work) {
  const std::size_t memory = copies.region().memory;
  const std::int64_t address = copies.address(strike_.layer.layer(), copy);
  const std::int64_t bytes = residency_.placement().codeword_bytes(memory);
  for (std::size_t first = 0; first < words.size();) {
    if (copies_.is_struck(copies, copy, words[first] * bytes)) {
      ++first;
      continue;
    }
    std::size_t last = first + 1;
    while (last < words.size() && words[last] == words[last - 1] + 1 &&
           !copies_.is_struck(copies, copy, words[last] * bytes)) {
      ++last;
    }
    const std::int64_t offset = words[first] * bytes;
    std::vector<std::uint8_t>& data =
        at_work.written.emplace_back((last - first) * static_cast<std::size_t>(bytes));
    copies_.fill(copies, copy, offset, data);
    PlatformStep step;
    step.cycle = cycle;
    step.kind = AccessKind::kWrite;
    step.memory = static_cast<std::int32_t>(memory);
    step.address = static_cast<std::uint64_t>(address + offset);
    step.bytes = data.size();
    step.data = data.data();
    steps_.push_back(step);
    first = last;
  }
}

void StruckPasses::Program::write_weights(int pass, Pass& at_work) {
  const std::size_t layer = strike_.layer.layer();
  const sim::MeshRun& run = *scheduled_.run;
  const std::size_t memory = residency_.placement().weights().memory;
  const std::int64_t tile = memory_.tile_of_pass(layer, tiling_, pass);
  const std::int64_t word = residency_.placement().codeword_bytes(memory);
  std::vector<std::int64_t> words(
      static_cast<std::size_t>((memory_.tile_bytes(tiling_, pass) + word - 1) / word));
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i] = static_cast<std::int64_t>(i);
  }
  const int reading = config_.is_weight_stationary() ? MemorySchedule::loading_window(run, pass)
                                                     : MemorySchedule::streaming_window(run, pass);
  write_late(residency_.weights(), tile, words, scheduled_.start + run.window(reading).start - 1,
             at_work);
}

// What the pass reads of its block, as far as it was not written for passes before.
void StruckPasses::Program::write_activations(int pass, Pass& at_work, std::size_t first_read) {
  const std::size_t layer = strike_.layer.layer();
  const ActivationBlock& block = memory_.block_of_pass(layer, pass);
  const std::int64_t word =
      residency_.placement().codeword_bytes(residency_.activations().region().memory);
  const std::int64_t index = &block - memory_.blocks().data();
  if (index != block_) {
    block_ = index;
    block_written_.assign(static_cast<std::size_t>((block.bytes + word - 1) / word), false);
  }
  const std::int64_t address = residency_.activations().address(layer, index);
  std::vector<std::int64_t> words;
  for (std::size_t i = first_read; i < steps_.size(); ++i) {
    const std::int64_t first = static_cast<std::int64_t>(steps_[i].address) - address;
    const std::int64_t last = first + static_cast<std::int64_t>(steps_[i].bytes) - 1;
    for (std::int64_t at = first / word; at <= last / word; ++at) {
      if (!block_written_[static_cast<std::size_t>(at)]) {
        block_written_[static_cast<std::size_t>(at)] = true;
        words.push_back(at);
      }
    }
  }
  std::sort(words.begin(), words.end());
  const sim::MeshRun& run = *scheduled_.run;
  write_late(residency_.activations(), index, words,
             scheduled_.start + run.window(MemorySchedule::streaming_window(run, pass)).start - 1,
             at_work);
}

void StruckPasses::Program::add_pass(int pass) {
  steps_.erase(steps_.begin(), steps_.begin() + static_cast<std::ptrdiff_t>(done_));
  actions_.erase(actions_.begin(), actions_.begin() + static_cast<std::ptrdiff_t>(acted_));
  done_ = acted_ = 0;
  const Tile tile = tiling_.tile(pass);
  std::unique_ptr<Pass>& made = at_work_[pass];
  made = std::make_unique<Pass>(config_, tile.shape);
  const std::size_t first = steps_.size();
  write_weights(pass, *made);
  accesses_.read_weights(pass, made->mesh, 0);
  const std::size_t first_read = steps_.size();
  accesses_.read_activations(pass, made->mesh, 0, made->padding);
  write_activations(pass, *made, first_read);
  if (const auto block = blocks_.find(pass / tiling_.depth_folds()); block != blocks_.end()) {
    made->sums.resize(static_cast<std::size_t>(tile.shape.rows * config_.columns));
    accesses_.add_up(pass, made->mesh, 0, made->sums.data());
    if (pass % tiling_.depth_folds() == tiling_.depth_folds() - 1) {
      block->second.resize(made->sums.size());
      for (std::int64_t row = 0; row < tile.shape.rows; ++row) {
        accesses_.read_result(block->first, row,
                              &block->second[static_cast<std::size_t>(row * config_.columns)]);
      }
    }
  }
  // Its run is as long as it needs; what the real one waits for changes nothing in the mesh.
  const sim::MeshRun& run = *scheduled_.run;
  const Cycle start = scheduled_.start +
                      run.window(MemorySchedule::streaming_window(run, pass)).start -
                      made->run.window(MemorySchedule::streaming_window(made->run, 0)).start;
  const int last_window = config_.is_weight_stationary()
                              ? MemorySchedule::streaming_window(made->run, 0)
                              : MemorySchedule::draining_window(made->run, 0);
  actions_.push_back({Action::Kind::kBegin, begin_of(pass), pass});
  Cycle last = 0;
  std::int64_t wavefront = 0;
  for (int index = 0; index <= last_window; ++index) {
    while (wavefront < made->run.window(index).end()) {
      wavefront = sim::StreamedMesh::stop_after(made->run, index, wavefront);
      last = start + wavefront;
      actions_.push_back({Action::Kind::kAdvance, last, pass});
    }
  }
  for (std::size_t i = first; i < steps_.size(); ++i) {
    steps_[i].memory = owner_.places_[static_cast<std::size_t>(steps_[i].memory)];
    last = std::max(last, steps_[i].cycle + 1);
  }
  actions_.push_back({Action::Kind::kFinish, last, pass});
  sort();
}

std::span<const PlatformStep> StruckPasses::Program::next() {
  const std::vector<int>& passes = copies_.passes();
  for (;;) {
    const Cycle pass = added_ < passes.size() ? begin_of(passes[added_]) : kForever;
    const Cycle action = acted_ < actions_.size() ? actions_[acted_].cycle : kForever;
    const Cycle step = done_ < steps_.size() ? steps_[done_].cycle : kForever;
    if (pass <= std::min(action, step)) {
      if (pass == kForever) {
        return {};
      }
      add_pass(passes[added_++]);
      continue;
    }
    if (action <= step) {
      act(actions_[acted_++]);
      continue;
    }
    const std::size_t first = done_;
    while (done_ < steps_.size() && steps_[done_].cycle < std::min(pass, action)) {
      ++done_;
    }
    return std::span(steps_).subspan(first, done_ - first);
  }
}

void StruckPasses::Program::act(const Action& action) {
  Pass& at_work = *at_work_.at(action.pass);
  sim::StreamedMesh& mesh = at_work.mesh;
  const std::int64_t rows = at_work.run.passes()[0].rows;
  switch (action.kind) {
    case Action::Kind::kBegin:
      mesh.begin_pass(0);
      for (std::int8_t* const lane : at_work.padding) {
        *lane = tiling_.gemm().padding_value;
      }
      strike_.layer.operands().accumulators(action.pass, 0, static_cast<int>(rows),
                                            mesh.accumulators(0, 0));
      return;
    case Action::Kind::kAdvance:
      mesh.advance();
      if (const auto given = given_.find(action.pass); given != given_.end()) {
        const std::int64_t columns = at_work.run.passes()[0].columns;
        for (std::int64_t row = 0; row < rows; ++row) {
          std::copy_n(&given->second[static_cast<std::size_t>(row * columns)], columns,
                      mesh.results(0, row));
        }
      }
      return;
    case Action::Kind::kFinish:
      finish(action.pass);
      return;
  }
}

std::vector<std::int32_t> StruckPasses::Program::results_of(int pass, Pass& at_work) {
  const auto [rows, depth, columns] = tiling_.tile(pass).shape;
  std::vector<std::int32_t> results(static_cast<std::size_t>(rows) *
                                    static_cast<std::size_t>(columns));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(at_work.mesh.results(0, row), columns,
                &results[static_cast<std::size_t>(row * columns)]);
  }
  return results;
}

void StruckPasses::Program::finish(int pass) {
  Pass& at_work = *at_work_.at(pass);
  std::vector<std::int32_t> results = results_of(pass, at_work);
  sim::MeshJob job;
  job.run = &at_work.run;
  job.operands = &at_work.mesh.operands();
  job.wants_outputs = true;
  if (mesh_ != nullptr && !given_.contains(pass) && mesh_->covers(job)) {
    std::vector<std::int32_t> other = std::move(mesh_->run(job).outputs.front());
    if (other != results) {
      results = given_[pass] = std::move(other);
      must_run_again_ = must_run_again_ || blocks_.contains(pass / tiling_.depth_folds());
    }
  }
  if (observe_) {
    observe_(job, results);
  }
  compare(pass, at_work, results);
  at_work_.erase(pass);
}

// With what the pass gives when all operands are read as they should be.
void StruckPasses::Program::compare(int pass, Pass& at_work,
                                    const std::vector<std::int32_t>& results) {
  const auto [rows, depth, columns] = tiling_.tile(pass).shape;
  const auto width = static_cast<std::size_t>(config_.columns);
  const bool ws = config_.is_weight_stationary();
  const int count = at_work.run.steps(0);
  const auto lanes = static_cast<std::size_t>(config_.rows);
  std::vector<std::int8_t> left(static_cast<std::size_t>(count) * lanes);
  std::vector<std::int8_t> right(static_cast<std::size_t>(depth) * width);
  strike_.layer.operands().activations(pass, 0, count, left.data());
  strike_.layer.operands().weights(pass, 0, depth, right.data());
  const bool is_right =
      std::memcmp(left.data(), at_work.mesh.activations(0, 0), left.size()) == 0 &&
      std::memcmp(right.data(), at_work.mesh.weights(0, 0), right.size()) == 0;
  is_read_wrong_ = is_read_wrong_ || !is_right;
  if (is_right && !given_.contains(pass)) {
    return;
  }
  std::vector<std::int32_t> sums(width);
  for (int row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), 0);
    strike_.layer.operands().accumulators(pass, row, 1, sums.data());
    for (int k = 0; k < depth; ++k) {
      const auto n = static_cast<std::size_t>(ws ? row : k);
      const std::int32_t activation = left[n * lanes + static_cast<std::size_t>(ws ? k : row)];
      const std::int8_t* const weights = &right[static_cast<std::size_t>(k) * width];
      for (std::size_t c = 0; c < width; ++c) {
        sums[c] += activation * weights[c];
      }
    }
    for (int column = 0; column < columns; ++column) {
      const std::int32_t golden = sums[static_cast<std::size_t>(column)];
      const std::int32_t found = results[static_cast<std::size_t>(row * columns + column)];
      if (found != golden) {
        of_passes_.push_back({pass, row, column, golden, found});
      }
    }
  }
}

std::size_t StruckPasses::Program::content_of(const PlatformStep& step,
                                              sim::CodewordId codeword) const {
  const auto memory = std::ranges::find(owner_.places_, step.memory) - owner_.places_.begin();
  return copies_.content_of(static_cast<std::size_t>(memory), codeword, step.cycle);
}

void StruckPasses::Program::on_corrected(const PlatformStep& step,
                                         const sim::CodewordFinding& finding) {
  found_[content_of(step, finding.codeword)].corrected = 1;
}

sim::DueAction StruckPasses::Program::on_detected(const PlatformStep& step,
                                                  const sim::CodewordFinding& finding,
                                                  sim::DueAction usual) {
  const std::size_t index = content_of(step, finding.codeword);
  const bool is_operand =
      index < copies_.operands().size();  // else sums, which nothing holds again
  if (owner_.on_due_ != OnDue::kRefetch || !is_operand ||
      copies_.operands()[index].is_from_struck) {
    found_[index].detected = 1;
    return usual;
  }
  const StruckCopies::Operand& content = copies_.operands()[index];
  found_[index].corrected = 1;
  found_[index].refetched.push_back(step.cycle);
  std::vector<sim::CodewordFinding> none;
  const auto address = static_cast<std::uint64_t>(content.address);
  owner_.platform_->array(step.memory).write_bytes(address, content.loaded, none);
  const std::uint64_t end = std::min(address + content.loaded.size(), step.address + step.bytes);
  for (std::uint64_t byte = std::max(address, step.address); byte < end; ++byte) {
    step.data[byte - step.address] = content.loaded[byte - address];
  }
  return sim::DueAction::kUse;
}

LayerEffect StruckPasses::Program::effect() const {
  LayerEffect effect;
  effect.is_felt = is_read_wrong_;
  effect.passes = static_cast<std::int64_t>(copies_.passes().size());
  const auto sums = found_.begin() + static_cast<std::ptrdiff_t>(strike_.on_chip.operands.size());
  effect.operands_found.assign(found_.begin(), sums);
  effect.sums_found.assign(sums, found_.end());
  // What the operands alone make of it; of a struck block, what the vector unit reads.
  std::map<std::int64_t, std::int32_t> deltas;
  for (const AccumulatorDelta& one : accumulator_deltas(strike_.layer, of_passes_)) {
    deltas.emplace(one.index, one.delta);
  }
  for (const auto& [block, words] : blocks_) {
    const Tile tile = tiling_.tile(static_cast<int>(block) * tiling_.depth_folds());
    for (std::int64_t row = 0; row < tile.shape.rows; ++row) {
      for (std::int64_t column = 0; column < tile.shape.columns; ++column) {
        const std::int64_t index =
            tiling_.gemm().output_index(tile.group, tile.row + row, tile.column + column);
        const std::int32_t delta = sim::wrapped(
            std::int64_t{words[static_cast<std::size_t>(row * config_.columns + column)]} -
            strike_.clean[static_cast<std::size_t>(index)]);
        const auto known = deltas.find(index);
        if (delta == (known == deltas.end() ? 0 : known->second)) {
          continue;
        }
        effect.is_felt = true;
        deltas[index] = delta;
      }
    }
  }
  for (const auto& [index, delta] : deltas) {
    if (delta != 0) {
      effect.deltas.push_back({index, delta});
    }
  }
  return effect;
}

StruckPasses::StruckPasses(const Residency& residency, OnDue on_due)
    : residency_(residency), on_due_(on_due) {
  const Placement& placement = residency.placement();
  const auto& memories = placement.accelerator().memory;
  std::vector<sim::MemoryConfig> configs;
  places_.assign(memories.size(), -1);
  for (const std::size_t memory : {placement.weights().memory, placement.activations().memory,
                                   placement.accumulators().memory}) {
    if (places_[memory] < 0) {
      places_[memory] = static_cast<std::int32_t>(configs.size());
      configs.push_back(memories[memory].second);
    }
  }
  platform_ = std::make_unique<sim::Platform>(configs);
}

LayerEffect StruckPasses::run(const MeshStrike& strike, sim::MeshEngine* mesh,
                              const Observe& observe) {
  Program program(*this, strike, mesh, observe);
  if (!program.has_passes()) {
    return program.effect();
  }
  do {
    program.start();
    platform_->run(program, on_due_ == OnDue::kZero ? sim::DueAction::kZero : sim::DueAction::kUse);
  } while (program.must_run_again());
  return program.effect();
}

}  // namespace tilestrike::bridge
