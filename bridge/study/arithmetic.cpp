// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/study/arithmetic.h"

#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "bridge/schedule/mapping.h"

namespace tilestrike::bridge {
namespace {

struct Difference {
  double largest = 0.0, magnitude = 0.0;
  std::int64_t other_classes = 0;  // images with another top number
};

Difference difference_of(const at::Tensor& ours, const at::Tensor& theirs) {
  const std::vector<float> a = floats(ours), b = floats(theirs);
  const auto images = static_cast<std::size_t>(ours.size(0));
  const auto numbers = static_cast<std::ptrdiff_t>(a.size() / images);
  Difference difference;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference.largest = std::max(difference.largest, std::abs(double{a[i]} - double{b[i]}));
    difference.magnitude = std::max(difference.magnitude, std::abs(double{b[i]}));
  }
  for (std::size_t image = 0; image < images; ++image) {
    const auto first = static_cast<std::ptrdiff_t>(image) * numbers;
    const auto top = [&](const std::vector<float>& all) {
      return std::max_element(all.begin() + first, all.begin() + first + numbers) - all.begin();
    };
    difference.other_classes += top(a) != top(b) ? 1 : 0;
  }
  return difference;
}

}  // namespace

dnn::FixedOrder fix_order(Workload& load, const std::string& model) {
  if (!load.network.device.is_cpu()) {
    fail(ErrorCode::kUnsupported,
         "arithmetic: fixed_order: its sums are computed on the CPU, and the network is on " +
             load.network.device.str(),
         model, "write `device: cpu`, or leave `arithmetic` out");
  }
  return dnn::FixedOrder(load.network);
}

std::vector<std::string> compare_with_pytorch(const Workload& load, const dnn::Executor& executor,
                                              std::int64_t batch, const at::Tensor& answers,
                                              dnn::FixedOrder& order) {
  order.set_on(false);
  std::vector<at::Tensor> parts;
  for (std::int64_t first = 0; first < load.images(); first += batch) {
    const std::int64_t count = std::min(batch, load.images() - first);
    parts.push_back(on_host(executor.run(load.inputs.narrow(first, count))));
  }
  order.set_on(true);
  const Difference found = difference_of(answers, at::cat(parts));
  const std::string top =
      answers.dim() != 2 ? ""
      : found.other_classes == 0
          ? "; the top class is the same on all of them"
          : fmt::format("; the top class is another on {} of them", found.other_classes);
  std::vector<std::string> notes = {fmt::format(
      "arithmetic: fixed_order: over {} images the answers differ from those of PyTorch's sums by "
      "at most {:.3g}, {:.3g} of the largest{}",
      load.images(), found.largest, found.magnitude > 0.0 ? found.largest / found.magnitude : 0.0,
      top)};
  if (!order.left().empty()) {
    notes.push_back("arithmetic: fixed_order: these layers still sum as PyTorch does: " +
                    join(order.left(), ", "));
  }
  return notes;
}

}  // namespace tilestrike::bridge
