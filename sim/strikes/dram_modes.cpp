// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/strikes/dram_modes.h"

#include <algorithm>
#include <limits>

#include "base/random.h"

namespace tilestrike::sim {
namespace {

constexpr ParameterSource kSources[] = {
    {"density", "A:what is read of a failed part is random"},
    {"ones", "A:both directions alike"},
};

int device_of(const CodewordBit& bit, const ArrayGeometry& geometry, const DramConfig& config) {
  if (config.spread == DeviceSpread::kAcross) {
    return bit.bit / (geometry.codeword_bits() / config.devices);
  }
  const auto words = static_cast<std::uint64_t>(geometry.words_per_row());
  return static_cast<int>(bit.codeword.value % words) % config.devices;
}

}  // namespace

FieldTable<DramConfig> dram_fields() {
  return {
      integer_field("devices", &DramConfig::devices, 1, std::numeric_limits<std::int32_t>::max(),
                    "", "chips that make up the memory, those with check bits included"),
      choice_field("codewords", &DramConfig::spread,
                   {{"across", DeviceSpread::kAcross}, {"within", DeviceSpread::kWithin}},
                   "whether a codeword lies across all devices or within one (ECC on the die)"),
      real_field("density", &DramConfig::density, 1e-9, 1.0, "",
                 "share of the cells of a transient failure that flip"),
      real_field("ones", &DramConfig::ones, 0.0, 1.0, "",
                 "share of the cells of a permanent failure that are stuck at 1"),
  };
}

std::span<const ParameterSource> dram_sources() { return kSources; }

void check_dram(const DramConfig& config, const ArrayConfig& array, const std::string& path,
                const std::string& where, ErrorList& errors) {
  const bool is_across = config.spread == DeviceSpread::kAcross;
  const int shared = is_across ? array.data_bits + array.check_bits
                               : static_cast<int>(8LL * array.row_bytes / array.data_bits);
  if (config.devices < 1 || shared % config.devices != 0) {
    std::vector<std::string> divisors;
    for (int divisor = 1; divisor <= shared && divisors.size() < 12; ++divisor) {
      if (shared % divisor == 0) {
        divisors.push_back(std::to_string(divisor));
      }
    }
    errors.add(ErrorCode::kInvalidInput,
               path + ".devices: " + std::to_string(config.devices) + " do not share the " +
                   std::to_string(shared) +
                   (is_across ? " bits of a codeword evenly" : " codewords of a row evenly"),
               where, "allowed here: " + join(divisors, ", "));
  }
}

DramEventLaw::DramEventLaw(std::vector<DramModeRate> rates) : rates_(std::move(rates)) {
  double sum = 0.0;
  for (const DramModeRate& rate : rates_) {
    up_to_.push_back(sum += rate.transient.value);
    up_to_.push_back(sum += rate.permanent.value);
  }
  if (!(sum > 0.0)) {
    fail(ErrorCode::kInvalidInput, "dram mode: all rates are 0", "",
         "give one of them a rate above 0");
  }
}

DramEvent DramEventLaw::draw(const ArrayGeometry& geometry, std::uint64_t seed,
                             std::uint64_t trial) const {
  const double at = RandomStream(seed, trial, Purpose::kMode).unit() * up_to_.back();
  const auto chosen =
      static_cast<std::size_t>(std::ranges::upper_bound(up_to_, at) - up_to_.begin());
  DramEvent event;
  event.mode = rates_[chosen / 2].mode;
  event.is_permanent = chosen % 2 != 0;
  event.struck =
      geometry.cell_at(RandomStream(seed, trial, Purpose::kSite).below(geometry.cells()));
  event.seed = RandomStream(seed, trial, Purpose::kUpset).next();
  return event;
}

DramUpset::DramUpset(const DramEvent& event, const ArrayGeometry& geometry,
                     const DramConfig& config)
    : event_(event), geometry_(&geometry), config_(config) {
  const CodewordBit struck = geometry.bit_at(event.struck);
  const int word = static_cast<int>(struck.codeword.value %
                                    static_cast<std::uint64_t>(geometry.words_per_row()));
  device_ = device_of(struck, geometry, config);
  first_bank_ = event.struck.bank;
  first_row_ = event.struck.row;
  first_word_ = word;
  if (config.spread == DeviceSpread::kAcross) {
    const int width = geometry.codeword_bits() / config.devices;
    bits_ = BitString::ones((device_ + 1) * width) ^ BitString::ones(device_ * width);
  } else {
    bits_ = BitString::ones(geometry.codeword_bits());
  }
  if (event.mode == DramMode::kBit || event.mode == DramMode::kColumn) {
    bits_ = {};
    bits_.set(struck.bit);
  }
  if (event.mode >= DramMode::kRow) {  // all of the device's words
    const bool is_across = config.spread == DeviceSpread::kAcross;
    first_word_ = is_across ? 0 : device_;
    word_step_ = is_across ? 1 : config.devices;
    words_ = geometry.words_per_row() / word_step_;
  }
  if (event.mode == DramMode::kColumn || event.mode >= DramMode::kBank) {
    first_row_ = 0;
    rows_ = geometry.rows();
  }
  if (event.mode >= DramMode::kMultiBank) {
    first_bank_ = 0;
    banks_ = geometry.banks();
  }
}

bool DramUpset::contains(CodewordId codeword) const { return next(codeword) == codeword; }

bool DramUpset::contains(const Cell& cell) const {
  const CodewordBit bit = geometry_->bit_at(cell);
  return bits_.test(bit.bit) && contains(bit.codeword);
}

std::uint64_t DramUpset::codewords() const {
  return static_cast<std::uint64_t>(banks_) * static_cast<std::uint64_t>(rows_) *
         static_cast<std::uint64_t>(words_);
}

std::uint64_t DramUpset::cells() const {
  return codewords() * static_cast<std::uint64_t>(bits_.count());
}

std::optional<CodewordId> DramUpset::next(CodewordId from) const {
  const auto per_row = static_cast<std::uint64_t>(geometry_->words_per_row());
  const auto per_bank = static_cast<std::uint64_t>(geometry_->rows());
  const std::uint64_t line = from.value / per_row;
  auto bank = static_cast<std::int64_t>(line / per_bank);
  auto row = static_cast<std::int64_t>(line % per_bank);
  auto word = static_cast<std::int64_t>(from.value % per_row);
  if (word > first_word_ + std::int64_t{word_step_} * (words_ - 1)) {
    ++row;
    word = 0;
  }
  if (row >= first_row_ + rows_) {
    ++bank;
    row = 0;
    word = 0;
  }
  if (bank >= first_bank_ + banks_) {
    return std::nullopt;
  }
  if (bank < first_bank_) {
    bank = first_bank_;
    row = 0;
    word = 0;
  }
  if (row < first_row_) {
    row = first_row_;
    word = 0;
  }
  const std::int64_t beyond = std::max<std::int64_t>(word - first_word_, 0);
  word = first_word_ + (beyond + word_step_ - 1) / word_step_ * word_step_;
  return CodewordId(
      (static_cast<std::uint64_t>(bank) * per_bank + static_cast<std::uint64_t>(row)) * per_row +
      static_cast<std::uint64_t>(word));
}

BitString DramUpset::region(CodewordId codeword) const {
  return contains(codeword) ? bits_ : BitString();
}

BitString DramUpset::struck(CodewordId codeword) const {
  const BitString all = region(codeword);
  if (event_.is_permanent || event_.mode == DramMode::kBit || !all.any()) {
    return all;
  }
  // A failure of a word is one of several bits; one of a single bit would be that of a cell.
  const int fewest = event_.mode == DramMode::kWord ? std::min(all.count(), 2) : 0;
  RandomStream random(event_.seed, codeword.value, Purpose::kUpset);
  std::vector<int> spared;
  BitString flipped;
  all.for_each([&](int bit) {
    if (random.unit() < config_.density) {
      flipped.set(bit);
    } else {
      spared.push_back(bit);
    }
  });
  while (flipped.count() < fewest) {
    const auto chosen = static_cast<std::ptrdiff_t>(random.below(spared.size()));
    flipped.set(spared[static_cast<std::size_t>(chosen)]);
    spared.erase(spared.begin() + chosen);
  }
  return flipped;
}

BitString DramUpset::values(CodewordId codeword) const {
  BitString high;
  RandomStream random(event_.seed, codeword.value, Purpose::kKind);
  region(codeword).for_each([&](int bit) {
    if (random.unit() < config_.ones) {
      high.set(bit);
    }
  });
  return high;
}

}  // namespace tilestrike::sim
