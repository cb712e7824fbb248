// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/memory/memory_array.h"

#include "base/error.h"

namespace tilestrike::sim {

MemoryArray::MemoryArray(const ArrayGeometry& geometry, const EccCode& code)
    : geometry_(geometry),
      code_(&code),
      words_per_codeword_((code.codeword_bits() + 63) / 64),
      pages_((geometry.codewords() + kPageCodewords - 1) / kPageCodewords) {
  TS_CHECK(geometry.config().data_bits == code.data_bits() &&
               geometry.config().check_bits == code.check_bits(),
           "an array's geometry and code are of one codeword");
}

BitString MemoryArray::cells(CodewordId codeword) const {
  TS_CHECK(codeword.value < geometry_.codewords(), "a codeword of the array");
  BitString cells;
  const std::unique_ptr<Page>& page = pages_[codeword.value / kPageCodewords];
  if (page != nullptr) {
    const auto words = static_cast<std::size_t>(words_per_codeword_);
    const std::uint64_t* stored = &page->words[codeword.value % kPageCodewords * words];
    std::copy_n(stored, words, cells.words.begin());
  }
  return cells;
}

MemoryArray::Page& MemoryArray::page_of(CodewordId codeword) {
  TS_CHECK(codeword.value < geometry_.codewords(), "a codeword of the array");
  std::unique_ptr<Page>& page = pages_[codeword.value / kPageCodewords];
  if (page == nullptr) {
    page = std::make_unique<Page>();
    page->words.assign(kPageCodewords * static_cast<std::size_t>(words_per_codeword_), 0);
  }
  return *page;
}

void MemoryArray::store(CodewordId codeword, const BitString& cells) {
  BitString kept = cells;
  if (!held_.empty()) [[unlikely]] {
    const auto held = held_.find(codeword.value);
    if (held != held_.end()) {
      kept = (cells & ~held->second.mask) | held->second.value;
    }
  }
  const auto words = static_cast<std::size_t>(words_per_codeword_);
  std::copy_n(kept.words.begin(), words,
              &page_of(codeword).words[codeword.value % kPageCodewords * words]);
}

bool MemoryArray::is_poisoned(CodewordId codeword) const {
  const std::unique_ptr<Page>& page = pages_[codeword.value / kPageCodewords];
  return page != nullptr && page->poisoned[codeword.value % kPageCodewords];
}

CodewordRead MemoryArray::read(CodewordId codeword) const {
  const Decoded decoded = code_->decode(cells(codeword));
  if (is_poisoned(codeword)) [[unlikely]] {
    return {decoded.data, decoded.corrected, EccStatus::kDetected, true};
  }
  return {decoded.data, decoded.corrected, decoded.status, false};
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
  store(codeword, code_->encode(read.data));
  page_of(codeword).poisoned[codeword.value % kPageCodewords] = read.status == EccStatus::kDetected;
}

CodewordRead MemoryArray::scrub(CodewordId codeword) {
  const CodewordRead found = read(codeword);
  if (found.status == EccStatus::kCorrected) {
    write_back(codeword, found);
  }
  return found;
}

bool MemoryArray::flip(CodewordBit bit) {
  BitString now = cells(bit.codeword);
  const BitString before = now;
  now.flip(bit.bit);
  store(bit.codeword, now);
  return cells(bit.codeword) != before;
}

bool MemoryArray::hold(CodewordBit bit, bool value) {
  Held& held = held_[bit.codeword.value];
  BitString one;
  one.set(bit.bit);
  held.mask |= one;
  held.value = value ? held.value | one : held.value & ~one;
  const BitString before = cells(bit.codeword);
  store(bit.codeword, before);
  return cells(bit.codeword) != before;
}

void MemoryArray::release(CodewordBit bit) {
  const auto held = held_.find(bit.codeword.value);
  if (held == held_.end()) {
    return;
  }
  BitString one;
  one.set(bit.bit);
  held->second.mask &= ~one;
  held->second.value &= ~one;
  if (!held->second.mask.any()) {
    held_.erase(held);
  }
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
  if (fault.lifetime == Lifetime::kReasserts) {
    TS_CHECK((fault.keep & fault.flip) == 0, "what reasserts sets only what it clears");
    Held held;
    held.mask.words[word] = ~fault.keep & all.words[word];
    held.value.words[word] = fault.flip & all.words[word];
    if (held.mask.any()) {
      Held& known = held_[codeword.value];
      known.value = (known.value & ~held.mask) | held.value;
      known.mask |= held.mask;
    }
  }
  const BitString before = cells(codeword);
  BitString now = before;
  now.words[word] = fault.applied_to(now.words[word]) & all.words[word];
  store(codeword, now);
  return cells(codeword) != before;
}

void MemoryArray::clear() {
  for (std::unique_ptr<Page>& page : pages_) {
    page.reset();
  }
  held_.clear();
}

}  // namespace tilestrike::sim
