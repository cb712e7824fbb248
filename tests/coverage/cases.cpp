// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/coverage/cases.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "campaigns/statistics/rates.h"
#include "tests/bridge/tiny_network.h"
#include "tests/coverage/other_intervals.h"

namespace tilestrike::coverage {
namespace {

using campaigns::Group;
using campaigns::Rate;
using campaigns::StrikeRates;
using campaigns::Summary;

NamedRate overall(Rate rate) {
  return {name_of(rate), [rate](const Summary& summary) { return summary.all.rates[rate]; }};
}

std::vector<NamedRate> overall_rates(const std::vector<Rate>& rates) {
  std::vector<NamedRate> all;
  for (const Rate rate : rates) {
    all.push_back(overall(rate));
  }
  return all;
}

/// The rate of each part of the population that the summary lists: registers, tensors.
void add_parts(const Summary& truth, Rate rate, std::vector<NamedRate>& rates) {
  for (const Group& part : truth.registers) {
    const std::string name = part.name;
    rates.push_back({name_of(rate) + " of " + name, [name, rate](const Summary& summary) {
                       return std::ranges::find(summary.registers, name, &Group::name)->rates[rate];
                     }});
  }
}

/// In FIT, of all structures and of each.
void add_fit(const Summary& truth, Rate rate, std::vector<NamedRate>& rates) {
  rates.push_back({"FIT " + name_of(rate), [rate](const Summary& summary) {
                     const StrikeRates& all = summary.strikes->all;
                     return all.in_fit(all.avf[rate]);
                   }});
  for (std::size_t i = 0; i < truth.strikes->structures.size(); ++i) {
    rates.push_back({"FIT " + name_of(rate) + " of " + truth.strikes->structures[i].name,
                     [rate, i](const Summary& summary) {
                       const StrikeRates& part = summary.strikes->structures[i];
                       return part.in_fit(part.avf[rate]);
                     }});
  }
}

std::string data_of(const bridge::TinyFiles& files) {
  return "model: " + files.model + "\ndata: {images: " + files.images +
         ", labels: " + files.labels + ", calibrate: " + files.images +
         "}\ndevice: cpu\noutcomes: none\n";
}

const char kMesh[] = "accelerator: {mesh: {rows: 4, columns: 4}}\nengine: closed_form\n";

CampaignSize trials(std::int64_t number, bool is_in_test = true) {
  const std::string text = std::to_string(number);
  return {text, "trials: " + text + "\n", "", is_in_test};
}

CampaignSize until(int percent, const std::string& rate, bool is_in_test = true) {
  const std::string text = std::to_string(percent);
  return {"until " + text + " %",
          "trials: 1000000\nuntil: {relative: " + text + "%, of: " + rate + "}\n", rate,
          is_in_test};
}

const char kCensus[] = "trials: exhaustive\n";

/// Of another seed than the campaigns have.
std::string direct(std::int64_t number) {
  return "trials: " + std::to_string(number) + "\nseed: 1000003\n";
}

/// Small memories, each with one code.
std::string memories(const std::string& ecc, const std::string& node = "130nm") {
  const std::string array = "row: 16, codeword: 32, interleave: 1, ecc: " + ecc + "}";
  return "accelerator: {mesh: {rows: 4, columns: 4}, node: " + node +
         ", schedule: {vector_lanes: 4}, "
         "memory: {w: {holds: weights, capacity: 512, " +
         array + ", a: {holds: activations, capacity: 256, " + array +
         ", s: {holds: accumulators, capacity: 512, " + array + "}}\nengine: closed_form\n";
}

}  // namespace

CoverageFolder::CoverageFolder() {
  const std::filesystem::path shared = "/dev/shm";
  std::error_code error;
  const auto parent = std::filesystem::is_directory(shared, error)
                          ? shared
                          : std::filesystem::temp_directory_path();
  path_ = (parent / ("tilestrike-coverage-" + std::to_string(::getpid()))).string();
  std::filesystem::create_directories(path_);
}

CoverageFolder::~CoverageFolder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::vector<CoverageCase> mesh_cases(const std::string& folder) {
  const std::string data =
      data_of(bridge::write_tiny_network(folder, {.channels = 3, .classes = 4, .images = 3})) +
      kMesh;
  std::vector<CoverageCase> cases;

  CoverageCase transients;
  transients.name = "mesh transients";
  transients.scenario = data + "strike: {fault: flip, where: {mesh: {}}}\n";
  transients.truth = kCensus;
  transients.sizes = {trials(200),      trials(1000, false),     until(50, "sdc"),
                      until(20, "sdc"), until(10, "sdc", false), until(50, "sdc_1", false)};
  transients.rates = [](const Summary& truth) {
    std::vector<NamedRate> rates = overall_rates({Rate::kSdc, Rate::kSdc1});
    add_parts(truth, Rate::kSdc, rates);
    return rates;
  };
  cases.push_back(transients);

  CoverageCase stuck;
  stuck.name = "stuck-ats of the mesh";
  stuck.scenario = data + "strike: {fault: [stuck_at_0, stuck_at_1], where: {mesh: {}}}\n";
  stuck.truth = kCensus;
  stuck.sizes = {trials(30), trials(100)};
  stuck.rates = [](const Summary&) {
    return overall_rates({Rate::kSdc, Rate::kSdc1, Rate::kSdc20});
  };
  cases.push_back(stuck);
  return cases;
}

std::vector<CoverageCase> tensor_cases(const std::string& folder) {
  const std::string data =
      data_of(bridge::write_tiny_network(folder, {.channels = 4, .classes = 10, .images = 8})) +
      "accelerator: none\n";
  std::vector<CoverageCase> cases;
  for (const std::string format : {"float32", "int8"}) {
    for (const bool is_divided : {true, false}) {
      CoverageCase weights;
      weights.name = "weights in " + format + (is_divided ? ", strata" : ", no strata");
      weights.scenario = data + "format: " + format + "\nstrike: {where: {weights: \"*\"}" +
                         (is_divided ? "" : ", strata: false") + "}\n";
      weights.truth = kCensus;
      // What the test leaves out costs minutes.
      weights.sizes = {trials(30), trials(100, format == "float32" || is_divided),
                       trials(300, format == "float32" && is_divided)};
      if (is_divided) {
        weights.sizes.push_back(until(50, "sdc_1", format == "float32"));
        weights.sizes.push_back(until(20, "sdc_1", false));
      }
      weights.rates = [format](const Summary& truth) {
        std::vector<NamedRate> rates = overall_rates({Rate::kSdc1, Rate::kSdc});
        if (format == "float32") {
          rates.push_back(overall(Rate::kNonfinite));
        }
        rates.push_back({"accuracy", [](const Summary& s) { return s.score.estimate; }});
        add_parts(truth, Rate::kSdc1, rates);
        return rates;
      };
      if (!is_divided && format == "float32") {
        weights.others = {{"Student's t", Rate::kSdc1, student_interval}};
      }
      cases.push_back(weights);
    }
  }
  CoverageCase conditioned;
  conditioned.name = "weights, 0.1 faults expected";
  conditioned.scenario =
      data + "format: float32\nstrike: {where: {weights: \"*\"}, per_parameter: 5e-4}\n";
  conditioned.truth = direct(300'000);
  conditioned.sizes = {trials(30), trials(100, false)};
  conditioned.rates = [](const Summary&) {
    std::vector<NamedRate> rates = overall_rates({Rate::kSdc1, Rate::kSdc, Rate::kNonfinite});
    rates.push_back({"accuracy", [](const Summary& s) { return s.score.estimate; }});
    return rates;
  };
  cases.push_back(conditioned);
  return cases;
}

std::vector<CoverageCase> memory_cases(const std::string& folder) {
  const std::string data =
      data_of(bridge::write_tiny_network(folder, {.channels = 3, .classes = 4, .images = 3}));
  const auto particles = [&](const std::string& name, const std::string& ecc,
                             const std::string& node, bool is_divided) {
    const std::string strike =
        data + memories(ecc, node) + "strike: {process: particle, where: {memory: all}";
    CoverageCase made;
    made.name = "particles, " + name + (is_divided ? ", strata" : ", no strata");
    made.truth_scenario = strike + "}\n";
    made.scenario = strike + (is_divided ? "" : ", strata: false") + "}\n";
    made.truth = direct(400'000);
    made.sizes = {trials(500), trials(2000, false)};
    made.rates = [ecc](const Summary& truth) {
      std::vector<NamedRate> rates;
      add_fit(truth, Rate::kSdc, rates);
      if (ecc != "none") {
        add_fit(truth, Rate::kDue, rates);
      }
      return rates;
    };
    return made;
  };
  std::vector<CoverageCase> cases = {
      particles("no ECC", "none", "130nm", true), particles("no ECC", "none", "130nm", false),
      particles("SEC-DED", "secded", "130nm", true), particles("SEC-DED", "secded", "130nm", false),
      // A cell that holds a 0 counts more than one that holds a 1.
      particles("stored values", "secded", "28nm", true)};
  cases.front().sizes.front().is_in_test = false;
  cases.back().sizes.front().is_in_test = false;

  CoverageCase chips;
  chips.name = "low voltage";
  chips.scenario = data + memories("none") +
                   "strike: {process: low_voltage, where: {memory: all}, low_voltage: {voltage: "
                   "0.54}}\n";
  chips.truth = direct(100'000);
  chips.sizes = {trials(30)};
  chips.rates = [](const Summary&) { return overall_rates({Rate::kSdc, Rate::kSdc1}); };
  cases.push_back(chips);
  return cases;
}

std::vector<CoverageCase> all_cases(const std::string& folder) {
  std::vector<CoverageCase> cases = mesh_cases(folder);
  for (const auto& more : {tensor_cases(folder), memory_cases(folder)}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

}  // namespace tilestrike::coverage
