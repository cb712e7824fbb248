// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A mesh of one's own as an engine: the struck passes run in it twice, without and with the flips,
// and what differs is the answer.
#include <algorithm>
#include <utility>

#include "base/error.h"
#include "rtl/foreign_mesh.h"
#include "sim/mesh/engines.h"

namespace tilestrike::rtl {
namespace {

constexpr int kMostPassesTogether = 64;  // without strikes: nothing crosses from one to the next
// A struck run that takes so many times the edges of the same run without strikes has hung.
constexpr std::int64_t kHungAfter = 4;

class ForeignEngine final : public sim::MeshEngine {
 public:
  ForeignEngine(std::string name, std::unique_ptr<ForeignMesh> design)
      : name_(std::move(name)), design_(std::move(design)) {}

  bool covers(const sim::MeshJob& job) const override {
    if (!design_->takes(job.run->config()) ||
        (job.faulty_start != nullptr && job.faulty_start != job.golden_start)) {
      return false;
    }
    const std::optional<Strikes> strikes = strikes_of(job);
    if (!strikes) {
      return false;
    }
    if (strikes->sites.empty()) {
      return true;
    }
    // What a struck weight register keeps after the run is a matter of the structure.
    const bool keeps = std::ranges::any_of(strikes->sites, [](const OperandSite& site) {
      return site.site.kind == sim::Register::kStationary0 ||
             site.site.kind == sim::Register::kStationary1;
    });
    if (job.wants_end && keeps) {
      return false;
    }
    const PassStreams passes(*job.run, *job.operands, strikes->first, strikes->passes);
    return std::ranges::all_of(strikes->sites, [&](OperandSite site) {
      site.pass -= strikes->first;
      return design_->place(passes, site).has_value();
    });
  }

  sim::MeshResult run(const sim::MeshJob& job) override {
    sim::MeshResult result;
    result.cycles = job.run->cycles();
    if (job.wants_outputs) {
      result.outputs = outputs_of(job);
    }
    const std::optional<Strikes> strikes = strikes_of(job);
    TS_CHECK(strikes.has_value(), "a job that the engine covers");
    if (!strikes->sites.empty()) {
      strike(job, *strikes, result);
    }
    if (job.wants_end || job.wants_outputs) {
      result.end = golden_end(*job.run, *job.operands, job.golden_start);
    }
    return result;
  }

 private:
  struct Strikes {
    std::vector<OperandSite> sites;  // of the faults, in order
    std::vector<bool> are_live;
    int first = 0, passes = 0;  // from the first struck one to the one after the last
  };

  // nullopt: some fault is of no operand.
  std::optional<Strikes> strikes_of(const sim::MeshJob& job) const {
    const sim::MeshSites& sites = sites_.of(job.run->config());
    Strikes strikes;
    int first = static_cast<int>(job.run->passes().size());
    int last = 0;
    for (const RegisterFault& fault : job.faults) {
      const std::optional<OperandSite> site = operand_site(*job.run, sites, fault);
      if (!site) {
        return std::nullopt;
      }
      first = std::min(first, site->pass);
      last = std::max(last, site->pass);
      const sim::MeshSite place = sites.describe(fault.site);
      strikes.sites.push_back(*site);
      strikes.are_live.push_back(
          is_live(*job.run, place, fault.when.from - 1 - sites.delay(place)));
    }
    const int end = std::min(last + 2, static_cast<int>(job.run->passes().size()));
    strikes.first = first;
    strikes.passes = std::max(0, end - first);
    return strikes;
  }

  static PassResults results_for(const PassStreams& passes) {
    PassResults results;
    for (int pass = 0; pass < passes.passes(); ++pass) {
      const sim::PassShape& shape = passes.shape(pass);
      results.emplace_back(static_cast<std::size_t>(shape.rows) *
                           static_cast<std::size_t>(shape.columns));
    }
    return results;
  }

  std::vector<std::vector<std::int32_t>> outputs_of(const sim::MeshJob& job) {
    std::vector<std::vector<std::int32_t>> outputs;
    const int passes = static_cast<int>(job.run->passes().size());
    for (int first = 0; first < passes; first += kMostPassesTogether) {
      const PassStreams together(*job.run, *job.operands, first,
                                 std::min(kMostPassesTogether, passes - first));
      PassResults results = results_for(together);
      design_->arm({});
      design_->run(together, results);
      outputs.insert(outputs.end(), std::make_move_iterator(results.begin()),
                     std::make_move_iterator(results.end()));
    }
    return outputs;
  }

  void strike(const sim::MeshJob& job, const Strikes& strikes, sim::MeshResult& result) {
    const PassStreams passes(*job.run, *job.operands, strikes.first, strikes.passes);
    std::vector<ForeignPlace> places;
    for (OperandSite site : strikes.sites) {
      site.pass -= strikes.first;
      const std::optional<ForeignPlace> place = design_->place(passes, site);
      TS_CHECK(place.has_value(), "a job that the engine covers");
      places.push_back(*place);
    }
    PassResults golden = results_for(passes);
    PassResults faulty = golden;
    design_->arm({});
    design_->run(passes, golden);
    const std::int64_t edges = design_->edges();
    design_->arm(places);
    design_->limit_edges(kHungAfter * edges);
    try {
      design_->run(passes, faulty);
    } catch (const ForeignMesh::Hung&) {
      result.hung = true;
    }
    design_->limit_edges(ForeignMesh::kNoLimit);
    result.windows_simulated = passes.passes();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const ForeignMesh::Strike& struck = design_->strikes()[i];
      if (!struck.has_acted && !result.hung) {
        fail(ErrorCode::kInvalidInput,
             "a strike for edge " + std::to_string(places[i].edge) + " of a run that has " +
                 std::to_string(edges),
             "engine " + name_, "let place() give an edge of run()");
      }
      result.activated = result.activated || strikes.are_live[i];
      if (result.before == result.after) {
        result.before = struck.before;
        result.after = struck.after;
      }
    }
    for (int pass = 0; pass < passes.passes(); ++pass) {
      const auto& was = golden[static_cast<std::size_t>(pass)];
      const auto& is = faulty[static_cast<std::size_t>(pass)];
      const int columns = passes.shape(pass).columns;
      for (std::size_t i = 0; i < was.size(); ++i) {
        if (was[i] == is[i]) {
          continue;
        }
        if (job.wants_outputs) {
          result.outputs[static_cast<std::size_t>(strikes.first + pass)][i] = is[i];
        } else {
          const auto at = static_cast<int>(i);
          result.changes.push_back(
              {strikes.first + pass, at / columns, at % columns, was[i], is[i]});
        }
      }
    }
  }

  std::string name_;
  std::unique_ptr<ForeignMesh> design_;
  mutable sim::LastSites sites_;
};

}  // namespace

void add_foreign_engine(sim::EngineSet& engines, const std::string& name,
                        std::function<std::unique_ptr<ForeignMesh>()> make) {
  engines.add({.name = name, .make = [name, make = std::move(make)] {
                 return std::make_unique<ForeignEngine>(name, make());
               }});
}

}  // namespace tilestrike::rtl
