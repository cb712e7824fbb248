// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "sim/compare/waveform.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/value_change_dump.h"
#include "sim/compare/engine_comparison.h"
#include "sim/mesh/engines.h"
#include "sim/mesh/run_edges.h"

namespace tilestrike::sim {
namespace {

std::string numbered(std::string text, int first, int second = -1) {
  text += "_" + std::to_string(first);
  return second < 0 ? text : text + "_" + std::to_string(second);
}

/// The scope that a register belongs to, and its name in there.
std::pair<std::string, std::string> place_of(const RegisterBlock& block, const MeshSite& site) {
  switch (site.kind) {
    case Register::kSkewActivation:
      return {numbered("skew_row", site.row), numbered(block.name, site.position)};
    case Register::kSkewVertical:
    case Register::kSkewLoad:
    case Register::kSkewValid:
    case Register::kSkewPropagate:
      return {numbered("skew_column", site.column), numbered(block.name, site.position)};
    case Register::kOutput:
      return {numbered("below", site.column), block.name};
    case Register::kDeskew:
      return {numbered("below", site.column), numbered(block.name, site.position)};
    default:
      return {numbered("pe", site.row, site.column), block.name};
  }
}

class Dump {
 public:
  Dump(const std::string& path, const MeshSites& sites, int columns)
      : path_(path), file_(path), sites_(sites), columns_(columns) {}

  void begin(const std::string& engine, const std::string& about) {
    file_ << "$comment " << about << " $end\n$timescale 1 ns $end\n$scope module " << engine
          << " $end\n$var wire 1 " << vcd_code(0) << " struck $end\n";
    declare("golden");
    declare("faulty");
    file_ << "$upscope $end\n$enddefinitions $end\n";
    last_.assign(variables_, std::nullopt);
  }

  void sample(Cycle state, bool is_struck, const MeshMachine& golden, const MeshMachine& faulty) {
    file_ << '#' << state << '\n';
    const bool is_first = !last_.front();
    if (is_first) {
      file_ << "$dumpvars\n";
    }
    next_ = 0;
    put(is_struck ? 1 : 0, 1);
    put_all(golden);
    put_all(faulty);
    if (is_first) {
      file_ << "$end\n";
    }
  }

  void end(Cycle state) {
    file_ << '#' << state << '\n';
    file_.close();
    if (!file_) {
      fail(ErrorCode::kMachine, "cannot write the waveform", path_, "check folder and disk");
    }
  }

 private:
  // By scope; the variables of a scope are numbered in the order of the sites, as put_all() writes.
  void declare(const std::string& machine) {
    std::map<std::string, std::string> scopes;
    for (const RegisterBlock& block : sites_.blocks()) {
      for (std::uint64_t cell = 0; cell < block.cells; ++cell) {
        const auto [scope, name] = place_of(
            block,
            sites_.describe(SiteId(block.first + cell * static_cast<std::uint64_t>(block.bits))));
        scopes[scope] += "$var wire " + std::to_string(block.bits) + " " + vcd_code(variables_++) +
                         " " + name + " $end\n";
      }
    }
    for (int column = 0; column < columns_; ++column) {
      scopes[numbered("below", column)] +=
          "$var wire 32 " + vcd_code(variables_++) + " result $end\n";
    }
    file_ << "$scope module " << machine << " $end\n";
    for (const auto& [scope, variables] : scopes) {
      file_ << "$scope module " << scope << " $end\n" << variables << "$upscope $end\n";
    }
    file_ << "$upscope $end\n";
  }

  void put_all(const MeshMachine& machine) {
    for (const RegisterBlock& block : sites_.blocks()) {
      machine.read_all(block.kind, words_);
      for (const std::int32_t word : words_) {
        put(word, block.bits);
      }
    }
    for (int column = 0; column < columns_; ++column) {
      put(machine.collected(column), 32);
    }
  }

  void put(std::int32_t value, int bits) {
    std::optional<std::int32_t>& last = last_[next_];
    if (last != value) {
      const std::uint64_t limb = static_cast<std::uint32_t>(value);
      file_ << vcd_change(&limb, bits, next_) << '\n';
      last = value;
    }
    ++next_;
  }

  std::string path_;
  std::ofstream file_;
  const MeshSites& sites_;
  const int columns_;
  std::size_t variables_ = 1;  // `struck` is the first
  std::vector<std::optional<std::int32_t>> last_;
  std::size_t next_ = 0;
  std::vector<std::int32_t> words_;
};

bool are_equal(const MeshSites& sites, const MeshMachine& x, const MeshMachine& y) {
  std::vector<std::int32_t> of_x, of_y;
  return std::ranges::all_of(sites.blocks(), [&](const RegisterBlock& block) {
    x.read_all(block.kind, of_x);
    y.read_all(block.kind, of_y);
    return of_x == of_y;
  });
}

}  // namespace

void write_waveform(const std::string& path, const std::string& engine, const MeshJob& job,
                    const MeshSites& sites, int first_window, MeshMachine& golden,
                    MeshMachine& faulty) {
  const MeshRun& run = *job.run;
  std::error_code ignored;  // the file says so
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  const Cycle margin = run.config().rows + run.config().columns;
  const Cycle start = run.window(first_window).start;
  const std::vector<RegisterFault> faults = in_order_of_effect(job.faults);
  Cycle first_fault = run.cycles();
  Cycle last_fault = 0;
  for (const RegisterFault& fault : faults) {
    const bool is_flip = fault.kind == FaultKind::kFlip;
    first_fault = std::min(first_fault, std::max<Cycle>(fault.when.from, start + 1));
    last_fault = std::max(last_fault, is_flip ? fault.when.from : fault.when.until - 1);
  }
  if (job.golden_start != nullptr) {
    golden.set_state(*job.golden_start);
    faulty.set_state(*job.golden_start);
  }
  if (job.faulty_start != nullptr) {
    faulty.set_state(*job.faulty_start);
    first_fault = start + 1;
  }
  const Cycle shown_from = std::max(start + 1, first_fault - margin);

  Dump dump(path, sites, run.config().columns);
  dump.begin(engine, text_of_faults(job, sites));
  RunEdges edges(run, *job.operands);
  Cycle last = std::min(run.cycles(), shown_from + kMostStatesInWaveform - 1);
  bool is_over = false;
  for (Cycle state = start + 1; state <= last; ++state) {
    const EdgeValues edge = edges.of(state - 1);
    golden.step(edge);
    faulty.step(edge);
    bool is_struck = false;
    for (const RegisterFault& fault : faults) {
      if (fault.kind == FaultKind::kFlip ? fault.when.from == state : fault.when.contains(state)) {
        faulty.strike(fault);
        is_struck = true;
      }
    }
    if (state >= shown_from) {
      dump.sample(state, is_struck, golden, faulty);
    }
    if (!is_over && state >= std::max(first_fault, last_fault) &&
        are_equal(sites, golden, faulty)) {
      is_over = true;
      last = std::min(last, state + margin);
    }
  }
  dump.end(last + 1);
}

}  // namespace tilestrike::sim
