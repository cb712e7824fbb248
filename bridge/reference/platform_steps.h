// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Every access of one inference to the memories, worked out from the schedule: what the slow
// reference executes (platform_run.h). Positions and times depend on the network alone, the bytes
// on their way lie in buffers.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "bridge/schedule/mapping.h"
#include "bridge/schedule/memory_schedule.h"
#include "sim/mesh/streamed_mesh.h"
#include "sim/platform/platform.h"

namespace tilestrike::bridge {

/// A row of results that the vector unit reads from the accumulator memory.
struct ResultRow {
  Cycle read = 0;
  std::int64_t group = 0, row = 0, column = 0, columns = 0;
  const std::int32_t* sums = nullptr;
};

/// One layer's bytes on their way.
struct LayerTraffic {
  std::unique_ptr<sim::StreamedMesh> mesh;
  std::vector<std::vector<std::int8_t*>> padding;  // lanes of the mesh that padding enters, by pass
  std::vector<std::int32_t> sums;    // rows of the accumulator memory between its two halves
  std::vector<std::int32_t> blocks;  // the same as the vector unit reads them
  std::vector<ResultRow> rows;       // in the order in which they are read
  std::vector<std::vector<std::uint8_t>> outputs;   // by output that a memory holds
  std::vector<std::vector<std::uint8_t>> operands;  // as read, by operand; not on the mesh
};

/// What happens beside the memories in a cycle, before its reads.
struct HostAction {
  enum class Kind {
    kRestart,     // the mesh, for a layer
    kAdvance,     // its next stretch of wavefronts
    kBegin,       // a pass: padding and bias
    kRequantise,  // the rows of results that have been read by now
    kCompute,     // an operator that is not on the mesh
  };
  Cycle cycle = 0;
  Kind kind = Kind::kRestart;
  std::size_t layer = 0;
  int pass = 0;
};

class PlatformSteps {
 public:
  PlatformSteps(const dnn::Network& network, const Mapping& mapping, const dnn::Tape& shapes);

  const std::vector<sim::MemoryConfig>& memories() const { return memories_; }
  std::int32_t backing() const { return backing_; }
  const std::vector<sim::PlatformStep>& steps() const { return steps_; }         // in time order
  const std::vector<sim::PlatformStep>& at_boot() const { return boot_steps_; }  // loads, in order
  const std::vector<HostAction>& actions() const { return actions_; }            // in time order

  std::vector<LayerTraffic>& layers() { return layers_; }
  const std::vector<std::uint8_t*>& inputs() const { return inputs_; }  // nullptr: in no memory
  const std::uint8_t* answer() const { return answer_; }

  const ScheduledLayer& scheduled(std::size_t layer) const {
    return mapping_.schedule().layers()[layer];
  }
  std::int64_t backing_address(int tensor) const { return placement().tensor_base(tensor); }
  std::int64_t word_of(std::size_t memory) const {  // bytes of a codeword
    return memories_[memory].data_bits / 8;
  }

 private:
  const Placement& placement() const { return memory_.placement(); }
  const StoredTensor& stored(int tensor) const {
    return placement().tensors()[static_cast<std::size_t>(tensor)];
  }
  std::uint8_t* new_buffer(std::int64_t bytes);
  void step(Cycle cycle, sim::AccessKind kind, std::size_t memory, std::int64_t address,
            std::int64_t bytes, void* data);
  void act(Cycle cycle, HostAction::Kind kind, std::size_t layer, int pass = 0) {
    actions_.push_back({cycle, kind, layer, pass});
  }
  /// Calls fetch(cycle, offset, end) for each codeword of a load and writes it.
  template <class Fetch>
  void load(std::size_t memory, Cycle requested, std::int64_t address, std::int64_t bytes,
            std::uint8_t* buffer, const Fetch& fetch);
  void store(int tensor, std::uint8_t* bytes, const std::function<Cycle(std::int64_t)>& arrival);

  void check(const dnn::Tape& shapes) const;
  void add_inputs();
  void add_mesh_layer(std::size_t layer);
  void load_weights(std::size_t layer);
  void load_input(std::size_t layer);
  void add_results(std::size_t layer);
  void add_vector_layer(std::size_t layer);
  void add_answer();

  const dnn::Network& network_;
  const Mapping& mapping_;
  const NetworkWork& work_;
  const MemorySchedule& memory_;
  std::vector<sim::MemoryConfig> memories_;
  std::int32_t backing_ = 0;
  std::vector<LayerTraffic> layers_;
  std::vector<std::unique_ptr<std::uint8_t[]>> buffers_;
  std::vector<std::uint8_t*> inputs_;
  std::uint8_t* answer_ = nullptr;
  std::vector<sim::PlatformStep> steps_, boot_steps_;
  std::vector<sim::PlatformStep>* building_ = &steps_;
  std::vector<HostAction> actions_;
};

}  // namespace tilestrike::bridge
