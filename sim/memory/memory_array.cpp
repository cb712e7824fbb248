// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/memory_array.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/error.h"

namespace tilestrike::sim {
namespace {

static_assert(std::endian::native == std::endian::little, "bit strings are copied as bytes");

// A codeword's data and the bits before and behind them in their first and last byte.
constexpr std::size_t kMostDataBytes = sizeof(BitString::words);
using DataBytes = std::array<std::uint8_t, kMostDataBytes>;

BitString shifted_down(BitString bits, int by) {
  for (std::size_t i = 0; by > 0 && i < bits.words.size(); ++i) {
    const std::uint64_t above = i + 1 < bits.words.size() ? bits.words[i + 1] : 0;
    bits.words[i] = bits.words[i] >> by | above << (64 - by);
  }
  return bits;
}

BitString shifted_up(BitString bits, int by) {
  for (std::size_t i = bits.words.size(); by > 0 && i-- > 0;) {
    const std::uint64_t below = i > 0 ? bits.words[i - 1] : 0;
    bits.words[i] = bits.words[i] << by | below >> (64 - by);
  }
  return bits;
}

}  // namespace

MemoryArray::MemoryArray(const ArrayGeometry& geometry, const EccCode& code)
    : geometry_(geometry),
      code_(&code),
      words_per_codeword_((code.codeword_bits() + 63) / 64),
      pages_((bytes() + kPageBytes - 1) / kPageBytes) {
  TS_CHECK(geometry.config().data_bits == code.data_bits() &&
               geometry.config().check_bits == code.check_bits(),
           "an array's geometry and code are of one codeword");
}

void MemoryArray::copy_out(std::uint64_t address, std::span<std::uint8_t> out) const {
  while (!out.empty()) {
    const std::uint64_t offset = address % kPageBytes;
    const std::size_t count = std::min<std::size_t>(kPageBytes - offset, out.size());
    const std::unique_ptr<Page>& page = pages_[address >> kPageBits];
    if (page != nullptr) {
      std::memcpy(out.data(), page->data() + offset, count);
    } else {
      std::memset(out.data(), 0, count);
    }
    address += count;
    out = out.subspan(count);
  }
}

void MemoryArray::copy_in(std::uint64_t address, std::span<const std::uint8_t> data) {
  while (!data.empty()) {
    const std::uint64_t offset = address % kPageBytes;
    const std::size_t count = std::min<std::size_t>(kPageBytes - offset, data.size());
    std::unique_ptr<Page>& page = pages_[address >> kPageBits];
    if (page == nullptr) {
      page = std::make_unique<Page>();  // of zeros
    }
    std::memcpy(page->data() + offset, data.data(), count);
    address += count;
    data = data.subspan(count);
  }
}

BitString MemoryArray::data_of(CodewordId codeword) const {
  TS_CHECK(codeword.value < geometry_.codewords(), "a codeword of the array");
  const std::uint64_t first = first_bit(codeword);
  const auto count = static_cast<std::uint64_t>(code_->data_bits());
  DataBytes bytes{};
  copy_out(first / 8, {bytes.data(), (first + count + 7) / 8 - first / 8});
  return shifted_down(std::bit_cast<BitString>(bytes), static_cast<int>(first % 8)) &
         BitString::ones(code_->data_bits());
}

void MemoryArray::set_data(CodewordId codeword, const BitString& data) {
  TS_CHECK(codeword.value < geometry_.codewords(), "a codeword of the array");
  const std::uint64_t first = first_bit(codeword);
  const auto count = static_cast<std::uint64_t>(code_->data_bits());
  const std::span<std::uint8_t>::size_type size = (first + count + 7) / 8 - first / 8;
  const int shift = static_cast<int>(first % 8);
  const BitString mask = BitString::ones(code_->data_bits());
  DataBytes bytes{};
  if (count % 8 != 0) {  // neighbours share its first and last byte
    copy_out(first / 8, {bytes.data(), size});
  }
  const BitString mixed =
      (std::bit_cast<BitString>(bytes) & ~shifted_up(mask, shift)) | shifted_up(data & mask, shift);
  bytes = std::bit_cast<DataBytes>(mixed);
  copy_in(first / 8, {bytes.data(), size});
}

BitString MemoryArray::cells(CodewordId codeword) const {
  if (!marked_.empty()) {
    const auto marked = marked_.find(first_bit(codeword));
    if (marked != marked_.end()) {
      return marked->second.cells;
    }
  }
  return code_->encode(data_of(codeword));
}

void MemoryArray::store(CodewordId codeword, const BitString& cells, bool is_poisoned) {
  const auto known = marked_.find(first_bit(codeword));
  BitString kept = cells;
  bool is_stuck = false;
  if (known != marked_.end()) {
    kept = (cells & ~known->second.held) | known->second.value;
    is_stuck = known->second.held.any();
  }
  if (is_stuck || is_poisoned || code_->syndrome(kept) != 0) {
    Marked& marked = known != marked_.end() ? known->second : marked_[first_bit(codeword)];
    marked.cells = kept;
    marked.is_poisoned = is_poisoned;
    return;
  }
  if (known != marked_.end()) {
    marked_.erase(known);
  }
  set_data(codeword, kept);
}

bool MemoryArray::is_poisoned(CodewordId codeword) const {
  const auto marked = marked_.find(first_bit(codeword));
  return marked != marked_.end() && marked->second.is_poisoned;
}

CodewordRead MemoryArray::read_marked(const Marked& marked) const {
  const Decoded decoded = code_->decode(marked.cells);
  return {decoded.data, decoded.corrected,
          marked.is_poisoned ? EccStatus::kDetected : decoded.status, marked.is_poisoned};
}

CodewordRead MemoryArray::read(CodewordId codeword) const {
  const auto marked = marked_.find(first_bit(codeword));
  return marked != marked_.end() ? read_marked(marked->second)
                                 : CodewordRead{data_of(codeword), {}, EccStatus::kClean, false};
}

void MemoryArray::write(CodewordId codeword, const BitString& data) {
  write_back(codeword, {data, {}, EccStatus::kClean, false});
}

CodewordRead MemoryArray::write_part(CodewordId codeword, int first, int count,
                                     std::uint64_t value) {
  TS_CHECK(first >= 0 && count >= 1 && count <= 64 && first + count <= code_->data_bits(),
           "a part of the codeword's data");
  const CodewordRead found = read(codeword);
  if (count == code_->data_bits()) {  // a whole word: nothing is left of what was read
    write(codeword, BitString(value));
    return found;
  }
  CodewordRead merged = found;
  merged.data.set_field(first, count, value);
  write_back(codeword, merged);
  return found;
}

void MemoryArray::write_back(CodewordId codeword, const CodewordRead& read) {
  store(codeword, code_->encode(read.data), read.status == EccStatus::kDetected);
}

CodewordRead MemoryArray::scrub(CodewordId codeword) {
  const CodewordRead found = read(codeword);
  if (found.status == EccStatus::kCorrected) {
    write_back(codeword, found);
  }
  return found;
}

template <class Words>
auto MemoryArray::first_marked(Words& marked, std::uint64_t address, int data_bits) {
  const std::uint64_t bit = address * 8;
  const auto width = static_cast<std::uint64_t>(data_bits);
  return marked.lower_bound(bit >= width ? bit - width + 1 : 0);  // one that reaches into the range
}

bool MemoryArray::is_whole(CodewordId codeword, std::uint64_t address, std::uint64_t bytes) const {
  const std::uint64_t first = first_bit(codeword);
  return first >= address * 8 &&
         first + static_cast<std::uint64_t>(code_->data_bits()) <= (address + bytes) * 8;
}

// A codeword that is marked is rare: bit by bit.
void MemoryArray::overlay(CodewordId codeword, const BitString& data, std::uint64_t address,
                          std::span<std::uint8_t> out) const {
  for (int b = 0; b < code_->data_bits(); ++b) {
    const std::uint64_t bit = first_bit(codeword) + static_cast<std::uint64_t>(b);
    if (bit >= address * 8 && bit < (address + out.size()) * 8) {
      std::uint8_t& byte = out[bit / 8 - address];
      const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
      byte = static_cast<std::uint8_t>(data.test(b) ? byte | mask : byte & ~mask);
    }
  }
}

BitString MemoryArray::merged(CodewordId codeword, BitString data, std::uint64_t address,
                              std::span<const std::uint8_t> bytes) const {
  for (int b = 0; b < code_->data_bits(); ++b) {
    const std::uint64_t bit = first_bit(codeword) + static_cast<std::uint64_t>(b);
    if (bit >= address * 8 && bit < (address + bytes.size()) * 8) {
      data.set_field(b, 1, (bytes[bit / 8 - address] >> (bit % 8)) & 1U);
    }
  }
  return data;
}

void MemoryArray::read_bytes(std::uint64_t address, std::span<std::uint8_t> out,
                             std::vector<CodewordFinding>& findings) const {
  TS_CHECK(address <= bytes() && out.size() <= bytes() - address, "bytes of the array");
  copy_out(address, out);
  if (marked_.empty() || out.empty()) [[likely]] {
    return;
  }
  const std::uint64_t end = (address + out.size()) * 8;
  for (auto marked = first_marked(marked_, address, code_->data_bits());
       marked != marked_.end() && marked->first < end; ++marked) {
    const CodewordId codeword = codeword_of(marked->first);
    const CodewordRead read = read_marked(marked->second);
    overlay(codeword, read.data, address, out);
    if (read.status != EccStatus::kClean) {
      findings.push_back({codeword, read.status, read.is_poisoned});
    }
  }
}

void MemoryArray::write_bytes(std::uint64_t address, std::span<const std::uint8_t> data,
                              std::vector<CodewordFinding>& findings) {
  TS_CHECK(address <= bytes() && data.size() <= bytes() - address, "bytes of the array");
  copy_in(address, data);  // right where nothing is marked
  if (marked_.empty() || data.empty()) [[likely]] {
    return;
  }
  const std::uint64_t end = (address + data.size()) * 8;
  for (auto next = first_marked(marked_, address, code_->data_bits());
       next != marked_.end() && next->first < end;) {
    const auto marked = next++;  // which a write may end
    const CodewordId codeword = codeword_of(marked->first);
    if (is_whole(codeword, address, data.size())) {
      write(codeword, merged(codeword, {}, address, data));
      continue;
    }
    CodewordRead read = read_marked(marked->second);
    if (read.status != EccStatus::kClean) {
      findings.push_back({codeword, read.status, read.is_poisoned});
    }
    read.data = merged(codeword, read.data, address, data);
    write_back(codeword, read);
  }
}

HeldRead MemoryArray::read_and_hold(std::uint64_t address, std::span<std::uint8_t> out,
                                    std::vector<CodewordFinding>& findings) const {
  HeldRead held{address, out.size(), {}};
  const std::size_t known = findings.size();
  read_bytes(address, out, findings);
  for (std::size_t i = known; i < findings.size(); ++i) {
    held.codewords.emplace_back(findings[i].codeword, read(findings[i].codeword));
  }
  const auto width = static_cast<std::uint64_t>(code_->data_bits());
  const bool is_even = std::has_single_bit(width) &&
                       ((address | out.size()) * 8 & (width - 1)) == 0;  // whole codewords
  if (!out.empty() && !is_even) {
    for (const std::uint64_t bit : {address * 8, (address + out.size()) * 8 - 1}) {
      const CodewordId codeword = codeword_of(bit);
      const bool is_known = std::any_of(held.codewords.begin(), held.codewords.end(),
                                        [&](const auto& word) { return word.first == codeword; });
      if (!is_known && !is_whole(codeword, address, out.size())) {
        held.codewords.emplace_back(codeword, read(codeword));
      }
    }
  }
  return held;
}

void MemoryArray::write_back_bytes(const HeldRead& read, std::span<const std::uint8_t> data) {
  TS_CHECK(data.size() == read.bytes, "what is written back is what was read");
  std::vector<CodewordFinding> nobody_reads;
  write_bytes(read.address, data, nobody_reads);
  for (const auto& [codeword, found] : read.codewords) {
    CodewordRead back = found;
    back.data = merged(codeword, found.data, read.address, data);
    write_back(codeword, back);
  }
}

bool MemoryArray::flip(CodewordBit bit) {
  const BitString before = cells(bit.codeword);
  BitString now = before;
  now.flip(bit.bit);
  store(bit.codeword, now, is_poisoned(bit.codeword));
  return cells(bit.codeword) != before;
}

bool MemoryArray::hold(CodewordBit bit, bool value) {
  const BitString before = cells(bit.codeword);
  Marked& marked = marked_[first_bit(bit.codeword)];
  BitString one;
  one.set(bit.bit);
  marked.held |= one;
  marked.value = value ? marked.value | one : marked.value & ~one;
  store(bit.codeword, before, marked.is_poisoned);
  return cells(bit.codeword) != before;
}

void MemoryArray::release(CodewordBit bit) {
  const auto marked = marked_.find(first_bit(bit.codeword));
  if (marked == marked_.end()) {
    return;
  }
  BitString one;
  one.set(bit.bit);
  marked->second.held &= ~one;
  marked->second.value &= ~one;
  store(bit.codeword, BitString(marked->second.cells), marked->second.is_poisoned);
}

WordFault MemoryArray::fault_of(StoreId store, CodewordBit bit, FaultKind kind,
                                bool random_value) const {
  const std::uint64_t one = std::uint64_t{1} << (bit.bit % 64);
  WordFault fault;
  fault.store = store;
  fault.word = bit.codeword.value * static_cast<std::uint64_t>(words_per_codeword_) +
               static_cast<std::uint64_t>(bit.bit / 64);
  switch (kind) {
    case FaultKind::kFlip:
      fault.flip = one;
      break;
    case FaultKind::kStuckAt0:
    case FaultKind::kStuckAt1:
      fault.lifetime = Lifetime::kReasserts;
      fault.keep = ~one;
      fault.flip = kind == FaultKind::kStuckAt1 ? one : 0;
      break;
    case FaultKind::kRandom:
      fault.keep = ~one;
      fault.flip = random_value ? one : 0;
      break;
  }
  return fault;
}

bool MemoryArray::apply(const WordFault& fault) {
  const auto words = static_cast<std::uint64_t>(words_per_codeword_);
  const CodewordId codeword(fault.word / words);
  const auto word = static_cast<std::size_t>(fault.word % words);
  const BitString all = BitString::ones(code_->codeword_bits());
  const BitString before = cells(codeword);
  if (fault.lifetime == Lifetime::kReasserts) {
    TS_CHECK((fault.keep & fault.flip) == 0, "what reasserts sets only what it clears");
    BitString held, value;
    held.words[word] = ~fault.keep & all.words[word];
    value.words[word] = fault.flip & all.words[word];
    if (held.any()) {
      Marked& marked = marked_[first_bit(codeword)];
      marked.value = (marked.value & ~held) | value;
      marked.held |= held;
    }
  }
  BitString now = before;
  now.words[word] = fault.applied_to(now.words[word]) & all.words[word];
  store(codeword, now, is_poisoned(codeword));
  return cells(codeword) != before;
}

void MemoryArray::clear() {
  for (std::unique_ptr<Page>& page : pages_) {
    page.reset();
  }
  marked_.clear();
}

}  // namespace tilestrike::sim
