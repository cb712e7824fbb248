// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Faults (docs/architecture.md): RegisterFault on flip-flops of the mesh and storage bits of a
// core, CellFault on cells of memories, WordFault on the words of tensors.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace tilestrike {

enum class FaultKind { kFlip, kStuckAt0, kStuckAt1, kRandom };
std::string_view name_of(FaultKind kind);  // flip, stuck_at_0, stuck_at_1, random

/// Half-open span of cycles, [from, until).
struct CycleWindow {
  Cycle from = 0;
  Cycle until = std::numeric_limits<Cycle>::max();  // for ever
  bool contains(Cycle cycle) const { return from <= cycle && cycle < until; }
  bool is_permanent() const { return until == std::numeric_limits<Cycle>::max(); }
  friend bool operator==(const CycleWindow&, const CycleWindow&) = default;
};

/// A fault of one flip-flop, or of one storage bit of a core. A flip acts once, just after clock
/// edge `when.from`; a stuck-at holds the bit after every edge in `when`.
struct RegisterFault {
  SiteId site;
  FaultKind kind = FaultKind::kFlip;
  CycleWindow when;
  friend bool operator==(const RegisterFault&, const RegisterFault&) = default;
};

/// One bit of a codeword, in physical order: the data bits, then the check bits.
struct CodewordBit {
  CodewordId codeword;
  int bit = 0;
  friend auto operator<=>(const CodewordBit&, const CodewordBit&) = default;
};

/// A fault of one memory cell. A flip acts once, just after the clock edge of cycle `when.from`; a
/// stuck-at holds the cell over `when`.
struct CellFault {
  std::size_t memory = 0;  // of the study's memories
  CodewordBit bit;
  FaultKind kind = FaultKind::kFlip;  // never kRandom: the caller draws it
  CycleWindow when;
  friend bool operator==(const CellFault&, const CellFault&) = default;
};

enum class Lifetime : std::uint8_t {
  kOnce,       // acts once and ends at the next write (flip, random value)
  kReasserts,  // acts after each write (stuck-at)
};

/// Effect on one stored word: w' = (w & keep) ^ flip. A flip has keep = ~0; a stuck-at clears its
/// bits in keep and sets them through flip; a random value has keep = 0 on its bits. 32 bytes:
/// lists of a hundred thousand are walked between two inferences.
struct WordFault {
  StoreId store;
  Lifetime lifetime = Lifetime::kOnce;
  std::uint64_t word = 0;
  std::uint64_t keep = ~std::uint64_t{0};
  std::uint64_t flip = 0;

  std::uint64_t applied_to(std::uint64_t value) const { return (value & keep) ^ flip; }
  friend bool operator==(const WordFault&, const WordFault&) = default;
};

/// The effect of `first`, then `second`, on one word. Both must name the same store and word.
WordFault compose(const WordFault& first, const WordFault& second);

/// Sorts by (store, word) and composes records on one word in their given order. Records of
/// different lifetime on one word stay apart: the flip first, then what reasserts.
std::vector<WordFault> normalised(std::span<const WordFault> faults);

/// Words that lie so many records ahead are fetched into the cache meanwhile: after an inference
/// the struck words are nowhere near.
inline constexpr std::size_t kPrefetchedFaults = 24;

/// Applies the records of one store to `words` in place and writes the old words to `saved`, in the
/// order of `faults`, for undo(). Records must be sorted by word and lie within the span; `saved`
/// holds as many words as there are records. Returns how many gave their word another value.
template <class Word>
std::size_t apply(std::span<const WordFault> faults, std::span<Word> words, std::span<Word> saved) {
  const std::size_t count = faults.size();
  std::size_t changed = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (i + kPrefetchedFaults < count) {
      __builtin_prefetch(&words[faults[i + kPrefetchedFaults].word], 1);
    }
    Word& word = words[faults[i].word];
    const Word old = word;
    saved[i] = old;
    word = static_cast<Word>(faults[i].applied_to(old));
    changed += word != old ? 1 : 0;
  }
  return changed;
}

/// The same, with room of its own for the old words.
template <class Word>
std::vector<Word> apply(std::span<const WordFault> faults, std::span<Word> words) {
  std::vector<Word> saved(faults.size());
  apply<Word>(faults, words, saved);
  return saved;
}

/// Restores what apply() saved; last record first, so that several records on a word undo right.
template <class Word>
void undo(std::span<const WordFault> faults, std::span<const Word> saved, std::span<Word> words) {
  for (std::size_t i = faults.size(); i-- > 0;) {
    if (i >= kPrefetchedFaults) {
      __builtin_prefetch(&words[faults[i - kPrefetchedFaults].word], 1);
    }
    words[faults[i].word] = saved[i];
  }
}

}  // namespace tilestrike
