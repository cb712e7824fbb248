// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Do events that meet in one codeword go wrong as often as Poisson strikes that are drawn one by
// one on a memory, with and without a scrubber?
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <boost/math/distributions/binomial.hpp>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "sim/memory/memory_array.h"
#include "sim/memory/scrub.h"
#include "sim/strikes/rates.h"
#include "tests/sim/accumulation_cases.h"

namespace tilestrike::sim {
namespace {

/// Exact interval of a share by Clopper and Pearson, Biometrika 26, 1934.
struct ShareInterval {
  double low, high;
  ShareInterval(std::uint64_t count, std::uint64_t trials) {
    using Binomial = boost::math::binomial_distribution<>;
    const double outside = 0.005;  // on each side
    const auto n = static_cast<double>(trials);
    const auto k = static_cast<double>(count);
    low = Binomial::find_lower_bound_on_p(n, k, outside);
    high = Binomial::find_upper_bound_on_p(n, k, outside);
  }
};

/// The share that was counted agrees with the expected one, which may be off by `left_out`, and
/// would not with one that is off by a tenth, if so many are expected.
void expect_share(const char* what, double expected, double left_out, std::uint64_t count,
                  std::uint64_t trials) {
  SCOPED_TRACE(testing::Message() << what << ": " << count << " of " << trials << ", expected "
                                  << expected * static_cast<double>(trials));
  const ShareInterval interval(count, trials);
  EXPECT_LE(interval.low, expected + left_out);
  EXPECT_GE(interval.high, expected - left_out);
  if (expected * static_cast<double>(trials) > 2000.0) {
    EXPECT_GT(interval.low, expected / 1.1);
    EXPECT_LT(interval.high, expected * 1.1);
  }
}

constexpr double kCyclesPerResidence = 1e9;  // the residence is the unit of time below

/// Residences of one memory under Poisson strikes, of which some codewords are watched: inside the
/// array, and so far apart that no event hits two of them.
class StruckMemory {
 public:
  StruckMemory(std::uint64_t seed, EccKind kind, int interleave, const ClusterLaw& law,
               double events_per_codeword, double scrub)
      : seed_(seed),
        contents_(seed, 0, Purpose::kOperand),
        code_(EccCode::make(kind, 64)),
        geometry_({kRows * kGroups * 8 * interleave, 1, kGroups * 8 * interleave, 64,
                   code_.check_bits(), interleave}),
        array_(geometry_, code_),
        sampler_(law),
        judge_(judge_by(code_)),
        events_per_hour_(events_per_codeword * static_cast<double>(geometry_.codewords())),
        scrub_(static_cast<Cycle>(scrub * kCyclesPerResidence)),
        index_of_(geometry_.codewords(), kNotWatched) {
    for (int row = kFurthest; row + kFurthest < kRows; row += kFurthest + 1) {
      for (int group = 1; group < kGroups; group += 2) {
        const auto word = static_cast<std::uint64_t>((row * kGroups + group) * interleave);
        index_of_[word] = watched_.size();
        watched_.push_back(CodewordId(word));
        written_.emplace_back();
        renew(watched_.size() - 1);
      }
    }
  }

  std::uint64_t watched() const { return watched_.size(); }

  /// Runs residence number k: visitor.hit(index, time, bits, read alone) for every event that flips
  /// bits of a watched codeword, then visitor.end(index) for every watched codeword, which writes
  /// those that were hit anew.
  template <class Visitor>
  void run(std::uint64_t k, Visitor& visitor) {
    RandomStream random(seed_, k, Purpose::kTest);
    if (scrub_ > 0) {
      const auto phase = static_cast<Cycle>(random.below(static_cast<std::uint64_t>(scrub_)));
      schedule_.emplace(scrub_, geometry_.codewords(), phase);
    }
    Cluster cluster;
    Upset upset;
    std::array<int, kMostClusterCells> bits;
    for (double time = gap(random); time < 1.0; time += gap(random)) {
      sampler_.draw(random, cluster);
      const Cell struck = geometry_.cell_at(random.below(geometry_.cells()));
      place_cluster(cluster, struck, geometry_, 0, upset);
      std::size_t count = 0;
      std::size_t index = 0;
      for (const CodewordBit& bit : upset.bits()) {
        const std::size_t hit = index_of_[bit.codeword.value];
        if (hit != kNotWatched) {
          bits[count++] = bit.bit;
          index = hit;
        }
      }
      if (count > 0) {
        const std::span<int> flipped{bits.data(), count};
        std::sort(flipped.begin(), flipped.end());
        visitor.hit(index, time, flipped, judge_(flipped));
      }
    }
    for (std::size_t index = 0; index < watched_.size(); ++index) {
      visitor.end(index);
    }
  }

  void flip(std::size_t index, std::span<const int> bits) {
    for (const int bit : bits) {
      array_.flip({watched_[index], bit});
    }
  }
  /// When the scrubber comes by the first time after `time`; beyond the residence without one.
  double next_scrub(std::size_t index, double time) const {
    if (scrub_ == 0) {
      return 2.0;
    }
    // It has been at work for two periods when the residence begins.
    const Cycle begin = 2 * scrub_;
    const auto cycle = static_cast<Cycle>(std::ceil(time * kCyclesPerResidence));
    return static_cast<double>(schedule_->next(watched_[index], begin + cycle) - begin) /
           kCyclesPerResidence;
  }
  ReadResult read(std::size_t index) const {
    return result_of(index, array_.read(watched_[index]));
  }
  ReadResult scrub(std::size_t index) { return result_of(index, array_.scrub(watched_[index])); }
  /// Writes the codeword with data of another residence.
  void renew(std::size_t index) {
    written_[index] = BitString(contents_.next());
    rewrite(index);
  }
  void rewrite(std::size_t index) { array_.write(watched_[index], written_[index]); }

 private:
  static constexpr int kFurthest = 4;  // rows from one cell of a cluster of five to another
  static constexpr int kRows = 5 * (kFurthest + 1) + kFurthest;
  static constexpr int kGroups = 7;  // of codewords, in a row
  static constexpr auto kNotWatched = std::numeric_limits<std::size_t>::max();

  double gap(RandomStream& random) const { return -std::log1p(-random.unit()) / events_per_hour_; }
  ReadResult result_of(std::size_t index, const CodewordRead& read) const {
    if (read.status == EccStatus::kDetected) {
      return ReadResult::kDetected;
    }
    return read.data == written_[index] ? ReadResult::kRight : ReadResult::kSilent;
  }

  std::uint64_t seed_;
  RandomStream contents_;
  const EccCode& code_;
  ArrayGeometry geometry_;
  MemoryArray array_;
  ClusterSampler sampler_;
  JudgeCodeword judge_;
  double events_per_hour_;
  Cycle scrub_;
  std::optional<ScrubSchedule> schedule_;
  std::vector<CodewordId> watched_;
  std::vector<std::size_t> index_of_;  // by codeword
  std::vector<BitString> written_;
};

/// Codewords that go wrong by events that are each right alone, until the scrubber or the end of
/// the residence finds them.
struct CountPairs {
  explicit CountPairs(StruckMemory& struck)
      : memory(struck), last_hit(struck.watched(), -1.0), is_wrong(struck.watched(), false) {}

  void hit(std::size_t index, double time, std::span<const int> flipped, ReadResult alone) {
    if (alone != ReadResult::kRight || is_wrong[index]) {
      return;
    }
    if (last_hit[index] >= 0.0 && memory.next_scrub(index, last_hit[index]) <= time) {
      note(index, memory.scrub(index));
    }
    memory.flip(index, flipped);
    last_hit[index] = time;
  }
  void end(std::size_t index) {
    if (last_hit[index] < 0.0) {
      return;
    }
    if (!is_wrong[index]) {
      note(index, memory.read(index));
    }
    memory.renew(index);
    last_hit[index] = -1.0;
    is_wrong[index] = false;
  }
  void note(std::size_t index, ReadResult result) {
    due += result == ReadResult::kDetected ? 1 : 0;
    silent += result == ReadResult::kSilent ? 1 : 0;
    is_wrong[index] = result != ReadResult::kRight;
  }

  StruckMemory& memory;
  std::vector<double> last_hit;
  std::vector<bool> is_wrong;
  std::uint64_t due = 0, silent = 0;
};

struct PairsCase {
  EccKind kind;
  int interleave;
  double x;      // events that are right alone, in a codeword and residence
  double scrub;  // period, in residences
  ClusterLaw law;
  std::uint64_t residences;
};

TEST(AccumulationStrikesTest, PairsOfRightEventsAreThoseOfStrikesDrawnOneByOne) {
  const ClusterLaw usual = law_of(0.3, 0.5, 5, 0.5);
  const ClusterLaw flat = law_of(0.7, 0.5, 4, 0.9);
  const PairsCase cases[] = {
      {EccKind::kSecded, 1, 0.2, 0.0, usual, 20'000},
      {EccKind::kSecded, 1, 0.3, 0.3, usual, 25'000},
      {EccKind::kSecded, 4, 0.2, 0.0, usual, 20'000},
      {EccKind::kSecded, 4, 0.3, 0.37, usual, 20'000},
      {EccKind::kSecded, 1, 0.2, 1.7, usual, 20'000},  // less than one scrub in a residence
      {EccKind::kSecdedDaec, 1, 0.2, 0.0, usual, 30'000},
      {EccKind::kSecdedDaec, 4, 0.3, 0.6, usual, 20'000},
      {EccKind::kDected, 1, 0.1, 0.0, flat, 80'000},   // doubles that are right alone
      {EccKind::kDected, 4, 0.3, 0.0, usual, 60'000},  // three singles
      {EccKind::kSec, 1, 0.1, 0.0, usual, 60'000},
  };
  std::uint64_t seed = 20;
  for (const PairsCase& each : cases) {
    SCOPED_TRACE(testing::Message() << info_of(each.kind).name << " at interleave "
                                    << each.interleave << ", scrub " << each.scrub);
    const EccCode& code = EccCode::make(each.kind, 64);
    const double right = upsets_at(code, each.law, each.interleave, 1.0).right_per_hour;
    const double per_codeword = each.x / right;
    const CodewordUpsets upsets = upsets_at(code, each.law, each.interleave, per_codeword);
    EXPECT_NEAR(upsets.right_per_hour, each.x, 1e-12);
    const AccumulationRates rates = accumulate(upsets, 1.0, {1.0, each.scrub, 0.0});
    StruckMemory memory(++seed, each.kind, each.interleave, each.law, per_codeword, each.scrub);
    CountPairs counts(memory);
    for (std::uint64_t k = 0; k < each.residences; ++k) {
      memory.run(k, counts);
    }
    const std::uint64_t trials = each.residences * memory.watched();
    const double left_out = rates.left_out / kHoursPerFit;
    EXPECT_LT(left_out, 0.1 * (rates.due + rates.silent) / kHoursPerFit);
    expect_share("due", rates.due / kHoursPerFit, left_out, counts.due, trials);
    expect_share("silent", rates.silent / kHoursPerFit, left_out, counts.silent, trials);
  }
}

/// Codewords that are read silently wrong with an event among theirs that would have been detected.
struct CountHidden {
  CountHidden(StruckMemory& struck, double read_every)
      : memory(struck), read_period(read_every), words(struck.watched()) {}

  void hit(std::size_t index, double time, std::span<const int> flipped, ReadResult alone) {
    Word& word = words[index];
    if (alone == ReadResult::kSilent || word.is_over) {
      return;
    }
    look_until(index, time);
    memory.flip(index, flipped);
    word.last_hit = time;
    word.has_detected = word.has_detected || alone == ReadResult::kDetected;
  }
  void end(std::size_t index) {
    if (words[index].last_hit < 0.0) {
      return;
    }
    look_until(index, 1.0);
    note(index, memory.read(index));
    memory.renew(index);
    words[index] = {};
  }
  /// Nothing happens to a codeword between two hits but the first read and the first scrub.
  void look_until(std::size_t index, double time) {
    Word& word = words[index];
    if (word.last_hit < 0.0) {
      return;
    }
    const double scrub = memory.next_scrub(index, word.last_hit);
    const double read =
        read_period > 0.0 ? std::ceil(word.last_hit / read_period) * read_period : 2.0;
    if (read < scrub && read <= time) {
      note(index, memory.read(index));
    }
    if (scrub <= time) {
      note(index, memory.scrub(index));
    }
    if (scrub < read && read <= time) {
      note(index, memory.read(index));
    }
  }
  void note(std::size_t index, ReadResult result) {
    Word& word = words[index];
    if (word.is_over || result == ReadResult::kRight) {
      return;
    }
    hidden += result == ReadResult::kSilent && word.has_detected ? 1 : 0;
    word.is_over = result == ReadResult::kSilent;
    word.has_detected = false;
    memory.rewrite(index);
  }

  struct Word {
    double last_hit = -1.0;
    bool has_detected = false, is_over = false;
  };
  StruckMemory& memory;
  double read_period;
  std::vector<Word> words;
  std::uint64_t hidden = 0;
};

TEST(AccumulationStrikesTest, DetectedErrorsAreHiddenAsOftenAsInStrikesDrawnOneByOne) {
  const ClusterLaw usual = law_of(0.3, 0.5, 5, 0.5);
  const ClusterLaw flat = law_of(0.7, 0.5, 5, 0.9);
  struct Case {
    EccKind kind;
    int interleave;
    double events;  // in a codeword and residence, with the struck cell in it
    double scrub, read;
    ClusterLaw law;
    std::uint64_t residences;
  };
  const Case cases[] = {
      {EccKind::kParity, 1, 0.4, 0.0, 0.3, usual, 12'000},
      {EccKind::kParity, 4, 0.4, 0.35, 0.0, usual, 6'000},
      {EccKind::kSecded, 1, 0.05, 0.0, 0.2, flat, 900'000},
      {EccKind::kSecded, 1, 0.08, 0.4, 0.0, flat, 500'000},
  };
  std::uint64_t seed = 40;
  for (const Case& each : cases) {
    SCOPED_TRACE(testing::Message()
                 << info_of(each.kind).name << " at interleave " << each.interleave << ", scrub "
                 << each.scrub << ", reads " << each.read);
    const EccCode& code = EccCode::make(each.kind, 64);
    const CodewordUpsets upsets = upsets_at(code, each.law, each.interleave, each.events);
    const AccumulationRates rates = accumulate(upsets, 1.0, {1.0, each.scrub, each.read});
    StruckMemory memory(++seed, each.kind, each.interleave, each.law, each.events, each.scrub);
    CountHidden counts(memory, each.read);
    for (std::uint64_t k = 0; k < each.residences; ++k) {
      memory.run(k, counts);
    }
    expect_share("hidden", (rates.silent_after_right + rates.silent_between_reads) / kHoursPerFit,
                 0.0, counts.hidden, each.residences * memory.watched());
  }
}

}  // namespace
}  // namespace tilestrike::sim
