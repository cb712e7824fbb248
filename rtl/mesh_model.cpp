// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/mesh_model.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "base/error.h"
#include "base/text.h"
#include "rtl/register_names.h"
#include "sim/mesh/arithmetic.h"

namespace tilestrike::rtl {
namespace {

const BuiltMesh* find_built(const sim::MeshConfig& config) {
  for (const BuiltMesh& built : built_meshes()) {
    if (built.rows == config.rows && built.columns == config.columns &&
        built.dataflow == config.dataflow && built.overflow == config.overflow) {
      return &built;
    }
  }
  return nullptr;
}

std::string described(const BuiltMesh& built) {
  return std::to_string(built.rows) + "x" + std::to_string(built.columns) +
         (built.dataflow == sim::Dataflow::kWeightStationary ? " ws" : " os") +
         (built.overflow == sim::Overflow::kSaturate ? " saturating" : "");
}

// Operands of 8 bits that come in lanes of 32.
void narrow(const std::int32_t* lanes, int count, void* port) {
  auto* bytes = static_cast<std::uint8_t*>(port);
  for (int lane = 0; lane < count; ++lane) {
    bytes[lane] = static_cast<std::uint8_t>(lanes[lane]);
  }
}

}  // namespace

bool MeshModel::is_built(const sim::MeshConfig& config) { return find_built(config) != nullptr; }

std::string MeshModel::built_sizes() {
  std::vector<std::string> names;
  for (const BuiltMesh& built : built_meshes()) {
    names.push_back(described(built));
  }
  return join(names, ", ");
}

MeshModel::MeshModel(const sim::MeshConfig& config, const sim::MeshSites& sites)
    : config_(config), sites_(sites) {
  const BuiltMesh* built = find_built(config);
  if (built == nullptr) {
    fail(ErrorCode::kInvalidInput,
         "the RTL of a mesh of " +
             described({config.rows, config.columns, config.dataflow, config.overflow, nullptr}) +
             " is not built",
         "mesh", "add its size in rtl/CMakeLists.txt, or use one that is built: " + built_sizes());
  }
  model_ = built->make();
  ports_ = model_->ports();
  std::map<std::string, RegisterArray, std::less<>> arrays;
  model_->visit(
      [&](const std::string& name, const RegisterArray& array) { arrays.emplace(name, array); });
  for (const sim::RegisterBlock& block : sites.blocks()) {
    const auto found = arrays.find(array_of(block.kind));
    TS_CHECK(found != arrays.end() && found->second.bits == block.bits &&
                 found->second.words == block.cells,
             "the RTL has all registers " + block.name);
    cells_.push_back(found->second);
  }
  reset();
}

void MeshModel::reset() {
  *ports_.reset = 0;
  *ports_.clock = 0;
  model_->eval();
  *ports_.clock = 1;
  model_->eval();
  *ports_.reset = 1;
  model_->eval();
}

void MeshModel::set_state(const sim::MeshState& state) {
  for (const auto& [kind, words] : {std::pair(sim::Register::kStationary0, &state.stationary[0]),
                                    std::pair(sim::Register::kStationary1, &state.stationary[1])}) {
    for (std::uint64_t cell = 0; cell < cells(kind).words; ++cell) {
      put(kind, cell, words->empty() ? 0 : (*words)[cell]);
    }
  }
  model_->eval();
}

sim::MeshState MeshModel::state() const {
  sim::MeshState state;
  read_all(sim::Register::kStationary0, state.stationary[0]);
  read_all(sim::Register::kStationary1, state.stationary[1]);
  return state;
}

void MeshModel::step(const sim::EdgeValues& edge) {
  const auto columns = static_cast<std::size_t>(config_.columns);
  std::memcpy(ports_.activation, edge.activations, static_cast<std::size_t>(config_.rows));
  if (config_.is_weight_stationary()) {
    std::memcpy(ports_.vertical, edge.vertical, columns * sizeof(std::int32_t));
    narrow(edge.load, config_.columns, ports_.load);
  } else {
    narrow(edge.vertical, config_.columns, ports_.vertical);
    std::memcpy(ports_.load, edge.load, columns * sizeof(std::int32_t));
  }
  *ports_.valid = edge.valid ? 1 : 0;
  *ports_.propagate = edge.propagate ? 1 : 0;
  *ports_.clock = 0;
  model_->eval();
  *ports_.clock = 1;
  model_->eval();
}

MeshModel::Words MeshModel::strike(const RegisterFault& fault) {
  const sim::MeshSite site = sites_.describe(fault.site);
  const sim::RegisterBlock& block = sites_.block(site.kind);
  const std::uint64_t cell =
      (fault.site.value - block.first) / static_cast<std::uint64_t>(block.bits);
  const std::int32_t before = read(site.kind, cell);
  const std::int32_t after = sim::struck(before, site.bit, block.bits, fault.kind);
  if (before != after) {
    write(site.kind, cell, after);
  }
  return {before, after};
}

std::int32_t MeshModel::collected(int column) const {
  std::int32_t value = 0;
  std::memcpy(
      &value,
      static_cast<const char*>(ports_.result) + static_cast<std::size_t>(column) * sizeof value,
      sizeof value);
  return value;
}

std::int32_t MeshModel::read(sim::Register kind, std::uint64_t cell) const {
  const RegisterArray& all = cells(kind);
  return all.bits == 32 ? static_cast<const std::int32_t*>(all.data)[cell]
                        : sim::fitted(static_cast<const std::uint8_t*>(all.data)[cell], all.bits);
}

void MeshModel::put(sim::Register kind, std::uint64_t cell, std::int32_t value) {
  const RegisterArray& all = cells(kind);
  if (all.bits == 32) {
    static_cast<std::int32_t*>(all.data)[cell] = value;
  } else {
    const std::uint32_t mask = (1U << all.bits) - 1U;
    static_cast<std::uint8_t*>(all.data)[cell] =
        static_cast<std::uint8_t>(static_cast<std::uint32_t>(value) & mask);
  }
}

void MeshModel::write(sim::Register kind, std::uint64_t cell, std::int32_t value) {
  put(kind, cell, value);
  model_->eval();
}

void MeshModel::read_all(sim::Register kind, std::vector<std::int32_t>& words) const {
  words.resize(cells(kind).words);
  for (std::uint64_t cell = 0; cell < words.size(); ++cell) {
    words[cell] = read(kind, cell);
  }
}

bool MeshModel::has_registers_of(const MeshModel& other) const {
  // From the bottom up: what differs longest is what leaves last.
  for (std::size_t kind = cells_.size(); kind-- > 0;) {
    const RegisterArray& ours = cells_[kind];
    if (std::memcmp(ours.data, other.cells_[kind].data, ours.words * (ours.bits == 32 ? 4 : 1)) !=
        0) {
      return false;
    }
  }
  return true;
}

void MeshModel::write_all(sim::Register kind, const std::vector<std::int32_t>& words) {
  TS_CHECK(words.size() == cells(kind).words, "one word per register");
  for (std::uint64_t cell = 0; cell < words.size(); ++cell) {
    put(kind, cell, words[cell]);
  }
  model_->eval();
}

}  // namespace tilestrike::rtl
