// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/random.h"

#include <Random123/philox.h>

#include <bit>
#include <limits>

#include "base/error.h"

namespace tilestrike {
namespace {

std::uint32_t low_half(std::uint64_t value) { return static_cast<std::uint32_t>(value); }
std::uint32_t high_half(std::uint64_t value) { return static_cast<std::uint32_t>(value >> 32); }

/// A set of at most so many numbers below 2^64 - 1, quick for a hundred thousand of them.
class NumberSet {
 public:
  explicit NumberSet(std::uint64_t most) : slots_(std::bit_ceil(2 * most + 2), kEmpty) {}

  /// Whether it was not in the set.
  bool insert(std::uint64_t number) {
    const std::uint64_t mask = slots_.size() - 1;
    std::uint64_t slot = (number * 0x9E3779B97F4A7C15ULL) >> 20 & mask;
    while (slots_[slot] != kEmpty) {
      if (slots_[slot] == number) {
        return false;
      }
      slot = (slot + 1) & mask;
    }
    slots_[slot] = number;
    return true;
  }

 private:
  static constexpr std::uint64_t kEmpty = std::numeric_limits<std::uint64_t>::max();
  std::vector<std::uint64_t> slots_;
};

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, std::uint64_t trial, Purpose purpose)
    : key_{low_half(seed), high_half(seed)},
      counter_{0, static_cast<std::uint32_t>(purpose), low_half(trial), high_half(trial)} {}

std::uint64_t RandomStream::next() {
  if (used_ == 4) {
    const r123::Philox4x32 philox;
    const auto block =
        philox({{counter_[0], counter_[1], counter_[2], counter_[3]}}, {{key_[0], key_[1]}});
    for (int i = 0; i < 4; ++i) {
      block_[i] = block[i];
    }
    ++counter_[0];
    TS_CHECK(counter_[0] != 0, "a random stream ran out");
    used_ = 0;
  }
  const std::uint64_t value = block_[used_] | (std::uint64_t{block_[used_ + 1]} << 32);
  used_ += 2;
  return value;
}

std::uint64_t RandomStream::below(std::uint64_t bound) {
  TS_CHECK(bound >= 1, "an empty range has no member to draw");
  // Multiply-shift with rejection: Lemire, ACM TOMACS 29(1), 2019, algorithm 5.
  auto product = static_cast<unsigned __int128>(next()) * bound;
  if (static_cast<std::uint64_t>(product) < bound) {
    const std::uint64_t threshold = (0 - bound) % bound;
    while (static_cast<std::uint64_t>(product) < threshold) {
      product = static_cast<unsigned __int128>(next()) * bound;
    }
  }
  return static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t RandomStream::nested_below(std::uint64_t bound) {
  TS_CHECK(bound >= 1 && bound < std::uint64_t{1} << 53, "a range whose members are counted");
  // As the bound grows by one to n + 1, the number becomes n with probability 1 / (n + 1). The next
  // bound at which it does, after n: P(beyond m) = (n + 1) / m (Lamping and Veach, arXiv
  // 1406.2294).
  std::uint64_t number = 0;
  while (true) {
    const double next = static_cast<double>(number + 1) / (1.0 - unit());
    if (next >= static_cast<double>(bound)) {
      return number;
    }
    number = static_cast<std::uint64_t>(next);
  }
}

double RandomStream::unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

std::uint64_t seed_of_part(std::uint64_t seed, std::uint64_t part) {
  return RandomStream(seed, part, Purpose::kPart).next();
}

std::vector<std::uint64_t> draw_without_replacement(RandomStream& stream, std::uint64_t population,
                                                    std::uint64_t count) {
  TS_CHECK(count <= population, "cannot draw more members than the population has");
  // Floyd's sampling (Bentley and Floyd, CACM 30(9), 1987).
  std::vector<std::uint64_t> drawn;
  drawn.reserve(count);
  NumberSet seen(count);
  for (std::uint64_t top = population - count; top < population; ++top) {
    const std::uint64_t candidate = stream.below(top + 1);
    drawn.push_back(seen.insert(candidate) ? candidate : top);
    seen.insert(drawn.back());
  }
  return drawn;
}

}  // namespace tilestrike
