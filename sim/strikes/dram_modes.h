// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The strike process `dram`: how whole parts of a DRAM device fail, how often, and which cells of
// an array that are (docs/strike_processes.md). A bank is never a list of its cells: the struck
// codewords are walked, and each says which of its bits are struck.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/field_table.h"
#include "base/provenance.h"
#include "sim/ecc/bit_string.h"
#include "sim/memory/array_geometry.h"
#include "sim/strikes/parameter_source.h"

namespace tilestrike::sim {

/// What of one device fails.
enum class DramMode {
  kBit,        // one cell
  kWord,       // several bits of its part of one codeword
  kColumn,     // one column of cells in all rows of a bank
  kRow,        // its part of one row
  kBank,       // its part of one bank
  kMultiBank,  // all of it
  kMultiRank,  // it and the same device of other ranks; of one array, all of it
};
inline constexpr std::size_t kDramModes = 7;
std::string_view name_of(DramMode mode);  // bit, word ..., as in the file

/// The size of a device of the study behind data/dram_modes.csv, in bits: a DDR2 device of the
/// Jaguar system.
inline constexpr double kStudiedDeviceBits = 1024.0 * 1024.0 * 1024.0;
inline constexpr const char* kStudiedDeviceSource = "R:1 Gbit DDR2 devices of Jaguar";

/// How often a device fails in one way, FIT.
struct DramModeRate {
  DramMode mode = DramMode::kBit;
  Sourced transient, permanent;
};

/// All modes, each once, in the order of DramMode. Errors name file, line and column; throws
/// Failure with all of them. A mode that the file leaves out does not occur.
std::vector<DramModeRate> read_dram_modes(const std::string& file);
/// The same of its text.
std::vector<DramModeRate> parse_dram_modes(const std::string& text, const std::string& file);

/// Where the bits of a codeword lie.
enum class DeviceSpread {
  kAcross,  // an equal part in each device, in physical order: a symbol, for codes of symbols
  kWithin,  // all in one device, words of a row in turns: ECC on the die
};

struct DramConfig {
  int devices = 1;
  DeviceSpread spread = DeviceSpread::kAcross;
  double density = 0.5;  // share of the cells of a transient failure that flip
  double ones = 0.5;     // share of the cells of a permanent one that are stuck at 1
  friend bool operator==(const DramConfig&, const DramConfig&) = default;
};
FieldTable<DramConfig> dram_fields();
/// Where the defaults of `density` and `ones` come from, for reports.
std::span<const ParameterSource> dram_sources();

/// Adds what is wrong with devices that do not share the array evenly.
void check_dram(const DramConfig& config, const ArrayConfig& array, const std::string& path,
                const std::string& where, ErrorList& errors);

struct DramEvent {
  DramMode mode = DramMode::kBit;
  bool is_permanent = false;
  Cell struck;             // any cell of what fails; it says which bit, word, column ... that is
  std::uint64_t seed = 0;  // of what becomes of each cell
};

/// Draws events as often as the file says.
class DramEventLaw {
 public:
  /// Throws Failure where nothing ever happens.
  explicit DramEventLaw(std::vector<DramModeRate> rates);

  double fit_per_device() const { return up_to_.back(); }
  /// Mode and duration by their rates, the struck cell uniform over all cells.
  DramEvent draw(const ArrayGeometry& geometry, std::uint64_t seed, std::uint64_t trial) const;

 private:
  std::vector<DramModeRate> rates_;
  std::vector<double> up_to_;  // FIT of all before: transient, permanent of each mode in turns
};

/// The cells that an event strikes: those of one device in a range of banks, rows and words.
class DramUpset {
 public:
  /// The geometry must outlive it; `config` has no errors of check_dram().
  DramUpset(const DramEvent& event, const ArrayGeometry& geometry, const DramConfig& config);

  const DramEvent& event() const { return event_; }
  int device() const { return device_; }
  /// Whether the cell lies in what fails.
  bool contains(const Cell& cell) const;
  std::uint64_t cells() const;
  std::uint64_t codewords() const;
  /// The first codeword from `from` on with cells in what fails; nothing: there are no more.
  std::optional<CodewordId> next(CodewordId from) const;

  /// Bits of a codeword that lie in what fails.
  BitString region(CodewordId codeword) const;
  /// Of these the ones that flip (transient) or are stuck (permanent: all of them).
  BitString struck(CodewordId codeword) const;
  /// What the struck bits of a permanent failure are stuck at.
  BitString values(CodewordId codeword) const;

 private:
  bool contains(CodewordId codeword) const;

  DramEvent event_;
  const ArrayGeometry* geometry_;
  DramConfig config_;
  int device_ = 0;
  int first_bank_ = 0, banks_ = 1;
  int first_row_ = 0, rows_ = 1;
  int first_word_ = 0, word_step_ = 1, words_ = 1;  // of a row
  BitString bits_;                                  // of each codeword
};

}  // namespace tilestrike::sim
