// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What a codeword of a memory holds: part of a copy of data, from one write to the next. There is
// one class for each kind of copy, which knows where its copies lie and when, what their bytes are
// and who reads them (docs/memory_schedule.md). No LibTorch in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/fault.h"
#include "bridge/schedule/schedule.h"
#include "sim/ecc/bit_string.h"

namespace tilestrike::bridge {

class Copies;
class LoadOrder;
class RunValues;
struct ContentSpan;
struct StruckContent;
struct StruckContents;

/// When what was written at boot was written.
inline constexpr Cycle kBoot = std::numeric_limits<Cycle>::min() / 2;

/// The content of a codeword from one write to the next.
struct Occupant {
  static constexpr std::size_t kNoLayer = std::numeric_limits<std::size_t>::max();

  const Copies* copies = nullptr;  // it is of one of them; nullptr: nothing that is read later
  bool is_used = false;            // of nothing: whether the cells hold anything in an inference
  std::size_t layer = kNoLayer;    // that reads it; kNoLayer: every one that loads from it
  std::int64_t index = 0;          // of the copy: among those of its layer or of its kind
  std::int64_t offset = 0;         // of the codeword's first byte in the copy
  Cycle written = kBoot;

  bool is_nothing() const { return copies == nullptr; }
  bool has_layer() const { return layer != kNoLayer; }
  bool is_of(const Copies& kind, std::size_t its_layer, std::int64_t its_index) const {
    return copies == &kind && layer == its_layer && index == its_index;
  }
};

/// Which element a byte of a copy belongs to.
struct CopyByte {
  std::size_t operand = 0;    // of the layer that reads it, where the copy is of operands
  std::int64_t element = -1;  // of the operand as it is loaded, or of the tensor; -1: of none
  int byte = 0;               // of the element
};

/// An element of a stored tensor.
struct StoredElement {
  int tensor = -1;
  std::int64_t element = -1;
};

/// All copies of one kind.
class Copies {
 public:
  /// `schedule` has memories, and must outlive this object. `region`: where the copies lie.
  Copies(const Schedule& schedule, sim::MemoryContent role, const Region& region)
      : schedule_(schedule), role_(role), region_(region) {}
  virtual ~Copies() = default;
  Copies(const Copies&) = delete;
  Copies& operator=(const Copies&) = delete;

  sim::MemoryContent role() const { return role_; }
  const Region& region() const { return region_; }
  bool lie_at(std::size_t memory, std::int64_t address) const {
    return memory == region_.memory && region_.contains(address);
  }

  /// What the codeword at an address of the region holds just after the edge of `cycle`.
  virtual Occupant at(std::int64_t address, Cycle cycle) const = 0;
  /// All that it holds in an inference, in order.
  virtual std::vector<Occupant> all_in(std::int64_t address) const = 0;
  /// Told of the address of a copy's byte, of the layer that reads the copy, and of its index.
  using VisitPlace =
      std::function<void(std::int64_t address, std::size_t layer, std::int64_t index)>;
  /// The first bytes of an element, or of the sums that become it, wherever copies hold it.
  virtual void for_each_place(const StoredElement& element, const LoadOrder& order,
                              const VisitPlace& visit) const = 0;
  /// Bits of an element, or of the sum that becomes it, in these copies; 0: none holds it.
  virtual int bits_of(int tensor) const {
    return 8 * placement().tensors()[static_cast<std::size_t>(tensor)].element_bytes;
  }
  /// For pictures. `answer`: the stored tensor that is read when the inference has ended.
  virtual void add_spans(int answer, std::vector<ContentSpan>& spans) const = 0;

  virtual CopyByte byte(std::size_t layer, std::int64_t index, std::int64_t offset) const = 0;
  CopyByte byte(const Occupant& occupant, std::int64_t number) const {
    return byte(occupant.layer, occupant.index, occupant.offset + number);
  }
  /// The element of a byte as one of its stored tensor; of a sum, the one that it becomes.
  virtual StoredElement stored(const Occupant& occupant, const CopyByte& byte,
                               const LoadOrder& order) const = 0;
  /// The data bits of the codeword in `cycle`, where nothing in the memories is struck.
  virtual sim::BitString data(const Occupant& occupant, const RunValues& values,
                              Cycle cycle) const = 0;

  /// Adds the cycles in which a byte that is of an element is read.
  virtual void add_reads(const Occupant& occupant, const CopyByte& byte, const LoadOrder& order,
                         std::vector<Cycle>& cycles) const = 0;
  /// The reads at which the codeword can be fetched again where its error is uncorrectable: all
  /// reads of a copy that was loaded from another, in order, each cycle once.
  virtual std::vector<Cycle> refetching_reads(const Occupant& /*occupant*/) const { return {}; }
  /// The reads after which it is written back changed, one cycle later.
  virtual std::vector<Cycle> updates(const Occupant& /*occupant*/) const { return {}; }
  /// Whether what is written into it is known only when its layer has run.
  virtual bool is_computed() const { return false; }

  /// Puts a struck content of this kind where its readers look for it.
  virtual void add_to(StruckContents& contents, StruckContent content) const = 0;
  /// `layer`: the name of the one that reads it.
  virtual std::string text(const Occupant& occupant, std::string_view layer) const;

  const Schedule& schedule() const { return schedule_; }
  const MemorySchedule& memory() const { return *schedule_.memory(); }
  const Placement& placement() const { return memory().placement(); }

 protected:
  /// What nobody reads any more, or was written by the inference before.
  static Occupant left_over() {
    Occupant nothing;
    nothing.is_used = true;
    return nothing;
  }

 private:
  const Schedule& schedule_;
  sim::MemoryContent role_;
  Region region_;
};

}  // namespace tilestrike::bridge
