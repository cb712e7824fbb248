// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// One fault without clock edges: what becomes of the field that its bit is of, from write to read
// to write. For use by the engine `closed_form`.
#pragma once

#include <cstdint>

#include "sim/core/core_engine.h"

namespace tilestrike::sim {

class StruckField {
 public:
  /// Of a job of one fault. What the result is to say of it is entered by and by: the struck field
  /// and `activated`. All must outlive this object.
  StruckField(const CoreJob& job, CoreResult& result);

  const CoreSite& site() const { return site_; }
  const CoreSites& sites() const { return golden_.sites(); }

  struct Held {
    std::uint64_t at_read, at_end;
  };
  /// What becomes of a value that is written at cycle `written`, read at `read` and overwritten at
  /// `end`: a strike at the read or after it is too late for that.
  Held hold(std::uint64_t value, Cycle written, Cycle read, Cycle end);
  /// One that nothing reads before it is overwritten.
  void lose(std::uint64_t value, Cycle written, Cycle end) { hold(value, written, written, end); }
  /// What is written at boot alone, as it stands after the strike.
  std::uint64_t hold_for_good(std::uint64_t value) {
    return hold(value, 1, 1, run_.cycles() + 1).at_end;
  }
  /// Whether what hold_for_good() gives is there when it is read at that cycle.
  bool is_before(Cycle read) const { return from_ < read; }
  /// Whether the fault acts at a cycle of [first, end).
  bool acts_within(Cycle first, Cycle end) const { return first_action(first, end) < end; }

 private:
  std::uint64_t struck(std::uint64_t value) const;
  Cycle first_action(Cycle first, Cycle end) const;
  void note(std::uint64_t value, std::uint64_t after, Cycle cycle);
  // The fault-free word of the ring just after the edge of a cycle.
  std::uint64_t ring_word(Cycle cycle) const;

  const CoreGolden& golden_;
  const CoreRun& run_;
  const RegisterFault fault_;
  const CoreSite site_;
  const Cycle from_;
  std::uint64_t mask_ = 0;
  CoreResult& result_;
};

}  // namespace tilestrike::sim
