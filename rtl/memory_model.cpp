// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "rtl/memory_model.h"

#include <cstring>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::rtl {
namespace {

using sim::BitString;
using sim::Cell;
using sim::CodewordId;

const BuiltMemory* find_built(const sim::ArrayConfig& array, sim::EccKind ecc,
                              sim::Overflow overflow) {
  for (const BuiltMemory& built : built_memories()) {
    if (built.array == array && built.ecc == ecc && built.overflow == overflow) {
      return &built;
    }
  }
  return nullptr;
}

// As the list in CMakeLists.txt writes it.
std::string described(const sim::ArrayConfig& array, sim::EccKind ecc, sim::Overflow overflow) {
  const std::vector<std::string> fields{std::to_string(array.capacity_bytes),
                                        std::to_string(array.banks),
                                        std::to_string(array.row_bytes),
                                        std::to_string(array.data_bits),
                                        std::string(info_of(ecc).name),
                                        std::to_string(array.interleave),
                                        overflow == sim::Overflow::kSaturate ? "saturate" : "wrap"};
  return join(fields, ":");
}

void put_bits(const BitString& bits, const VerilatedMemory::Port& port) {
  std::memcpy(port.data, bits.words.data(), port.bytes);
}

BitString bits_of(const VerilatedMemory::Port& port) {
  BitString bits;
  std::memcpy(bits.words.data(), port.data, port.bytes);
  return bits;
}

unsigned char& byte_of(const VerilatedMemory::Storage& storage, std::uint64_t word, int bit) {
  return storage.data[word * storage.bytes + static_cast<std::size_t>(bit / 8)];
}

bool bit_of(const VerilatedMemory::Storage& storage, std::uint64_t word, int bit) {
  return (byte_of(storage, word, bit) >> (bit % 8) & 1) != 0;
}

void flip_bit(const VerilatedMemory::Storage& storage, std::uint64_t word, int bit) {
  unsigned char& byte = byte_of(storage, word, bit);
  byte = static_cast<unsigned char>(byte ^ 1U << (bit % 8));
}

}  // namespace

bool MemoryModel::is_built(const sim::ArrayConfig& array, sim::EccKind ecc,
                           sim::Overflow overflow) {
  return find_built(array, ecc, overflow) != nullptr;
}

MemoryModel::MemoryModel(const sim::ArrayGeometry& geometry, const sim::EccCode& code,
                         sim::Overflow overflow)
    : geometry_(geometry), code_(code) {
  const BuiltMemory* built = find_built(geometry.config(), code.kind(), overflow);
  if (built == nullptr) {
    std::vector<std::string> names;
    for (const BuiltMemory& other : built_memories()) {
      names.push_back(described(other.array, other.ecc, other.overflow));
    }
    fail(ErrorCode::kInvalidInput,
         "the RTL of a memory " + described(geometry.config(), code.kind(), overflow) +
             " is not built",
         "memory",
         "add it to TS_RTL_MEMORIES in rtl/CMakeLists.txt, or use one that is built: " +
             join(names, ", "));
  }
  model_ = built->make();
  ports_ = model_->ports();
  model_->visit([&](const std::string& name, const Storage& storage) {
    std::memset(storage.data, 0, static_cast<std::size_t>(storage.words) * storage.bytes);
    storage_.emplace(name, storage);
  });
  for (int bank = 0; bank < geometry.banks(); ++bank) {
    banks_.push_back(storage_.at("gen_bank[" + std::to_string(bank) + "].u_cells.cells_q"));
  }
  if (code.kind() != sim::EccKind::kNone) {
    poison_ = storage_.at("gen_poison.u_poison.cells_q");
  }
  *ports_.request = 0;
  *ports_.reset = 0;
  edge();
  *ports_.reset = 1;
  model_->eval();
}

void MemoryModel::edge() {
  *ports_.clock = 0;
  model_->eval();
  *ports_.clock = 1;
  model_->eval();
  bool is_changed = false;
  for (const auto& [cell, value] : held_) {
    is_changed |= put(cell, value);
  }
  if (is_changed) {
    model_->eval();
  }
}

std::optional<MemoryAnswer> MemoryModel::begin(MemoryOperation operation, CodewordId codeword,
                                               const BitString& data, const BitString& mask) {
  TS_CHECK(!is_busy(), "one operation at a time");
  TS_CHECK(codeword.value < geometry_.codewords(), "a codeword of the array");
  const BitString all = BitString::ones(code_.data_bits());
  *ports_.operation = static_cast<std::uint8_t>(operation);
  put_bits(BitString(codeword.value), ports_.address);
  put_bits(data & all, ports_.data);
  put_bits(mask & all, ports_.mask);
  *ports_.request = 1;
  edge();
  *ports_.request = 0;
  model_->eval();
  if (*ports_.found == 0) {
    return std::nullopt;
  }
  MemoryAnswer answer;
  answer.codeword = CodewordId(bits_of(ports_.found_address).words[0]);
  answer.read.data = bits_of(ports_.found_data);
  answer.read.corrected = bits_of(ports_.flipped);
  answer.read.is_poisoned = *ports_.poisoned != 0;
  answer.read.status = *ports_.detected != 0    ? sim::EccStatus::kDetected
                       : *ports_.corrected != 0 ? sim::EccStatus::kCorrected
                                                : sim::EccStatus::kClean;
  return answer;
}

void MemoryModel::finish() {
  if (is_busy()) {
    edge();
  }
}

std::optional<MemoryAnswer> MemoryModel::run(MemoryOperation operation, CodewordId codeword,
                                             const BitString& data, const BitString& mask) {
  const std::optional<MemoryAnswer> answer = begin(operation, codeword, data, mask);
  finish();
  return answer;
}

bool MemoryModel::cell(const Cell& cell) const {
  return bit_of(banks_[static_cast<std::size_t>(cell.bank)], static_cast<std::uint64_t>(cell.row),
                cell.column);
}

BitString MemoryModel::cells(CodewordId codeword) const {
  BitString held;
  for (int bit = 0; bit < geometry_.codeword_bits(); ++bit) {
    if (cell(geometry_.cell_of({codeword, bit}))) {
      held.set(bit);
    }
  }
  return held;
}

bool MemoryModel::is_poisoned(CodewordId codeword) const {
  const auto words = static_cast<std::uint64_t>(geometry_.words_per_row());
  return poison_.data != nullptr &&
         bit_of(poison_, codeword.value / words, static_cast<int>(codeword.value % words));
}

bool MemoryModel::put(const Cell& cell, bool value) {
  if (this->cell(cell) == value) {
    return false;
  }
  flip_bit(banks_[static_cast<std::size_t>(cell.bank)], static_cast<std::uint64_t>(cell.row),
           cell.column);
  return true;
}

bool MemoryModel::flip(const Cell& cell) {
  if (held_.contains(cell)) {
    return false;
  }
  put(cell, !this->cell(cell));
  model_->eval();
  return true;
}

bool MemoryModel::hold(const Cell& cell, bool value) {
  held_[cell] = value;
  const bool is_changed = put(cell, value);
  model_->eval();
  return is_changed;
}

void MemoryModel::release(const Cell& cell) { held_.erase(cell); }

void MemoryModel::flip_storage(const std::string& name, int word, int bit) {
  const auto found = storage_.find(name);
  TS_CHECK(found != storage_.end() && word >= 0 && word < found->second.words && bit >= 0 &&
               bit < found->second.bits,
           "a bit of a storage element");
  flip_bit(found->second, static_cast<std::uint64_t>(word), bit);
  model_->eval();
}

void MemoryModel::visit_storage(
    const std::function<void(const std::string&, int words, int bits)>& visit) const {
  for (const auto& [name, storage] : storage_) {
    visit(name, storage.words, storage.bits);
  }
}

}  // namespace tilestrike::rtl
