// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// ecc_decode: codewords with 0, 1 or 2 flipped bits decoded. ecc_encode: data encoded. `rate` is
// codewords per second. ecc_make: the tables of a code built from nothing.
#include <benchmark/benchmark.h>

#include <vector>

#include "base/random.h"
#include "sim/ecc/ecc_code.h"
#include "sim/ecc/ecc_definition.h"

namespace tilestrike::sim {
namespace {

constexpr std::size_t kCodewords = 1024;

std::vector<BitString> random_data() {
  RandomStream random(1, 0, Purpose::kTest);
  std::vector<BitString> data(kCodewords);
  for (BitString& word : data) {
    word = BitString(random.next(), random.next());
  }
  return data;
}

void set_rate(benchmark::State& state) {
  state.counters["rate"] =
      benchmark::Counter(static_cast<double>(state.iterations()) * static_cast<double>(kCodewords),
                         benchmark::Counter::kIsRate);
}

void ecc_encode(benchmark::State& state, EccKind kind, int data_bits) {
  const EccCode& code = EccCode::make(kind, data_bits);
  const std::vector<BitString> data = random_data();
  for (auto _ : state) {
    for (const BitString& word : data) {
      benchmark::DoNotOptimize(code.encode(word));
    }
  }
  set_rate(state);
}

void ecc_decode(benchmark::State& state, EccKind kind, int data_bits, int flips) {
  const EccCode& code = EccCode::make(kind, data_bits);
  RandomStream random(2, 0, Purpose::kTest);
  std::vector<BitString> codewords = random_data();
  for (BitString& word : codewords) {
    word = code.encode(word);
    for (int i = 0; i < flips; ++i) {
      word.flip(static_cast<int>(random.below(static_cast<std::uint64_t>(code.codeword_bits()))));
    }
  }
  for (auto _ : state) {
    for (const BitString& word : codewords) {
      benchmark::DoNotOptimize(code.decode(word));
    }
  }
  set_rate(state);
}

void ecc_make(benchmark::State& state, EccKind kind, EccDefinition (*define)(int), int data_bits) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(EccCode(kind, define(data_bits)));
  }
}

BENCHMARK_CAPTURE(ecc_encode, secded_64, EccKind::kSecded, 64)->Name("ecc_encode/secded_64");
BENCHMARK_CAPTURE(ecc_decode, secded_64, EccKind::kSecded, 64, 0)->Name("ecc_decode/secded_64");
BENCHMARK_CAPTURE(ecc_decode, ce, EccKind::kSecded, 64, 1)->Name("ecc_decode/secded_64/1_flip");
BENCHMARK_CAPTURE(ecc_decode, due, EccKind::kSecded, 64, 2)->Name("ecc_decode/secded_64/2_flips");
BENCHMARK_CAPTURE(ecc_decode, dected, EccKind::kDected, 64, 2)
    ->Name("ecc_decode/dected_64/2_flips");
BENCHMARK_CAPTURE(ecc_make, secded, EccKind::kSecded, hsiao_code, 64)
    ->Name("ecc_make/secded_64")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ecc_make, daec, EccKind::kSecdedDaec, daec_code, 128)
    ->Name("ecc_make/secded_daec_128")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(ecc_make, dected, EccKind::kDected, bch_code, 128)
    ->Name("ecc_make/dected_128")
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace tilestrike::sim
