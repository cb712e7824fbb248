// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "bridge/trial/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike::bridge {
namespace {

constexpr std::int64_t kBoxNumbers = 5;

[[noreturn]] void refuse(const Labels& labels, const std::string& what, const std::string& cure) {
  fail(ErrorCode::kInvalidInput, what, labels.file, cure);
}

std::int64_t product(std::span<const std::int64_t> sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// "label 12", "label 12, pixel (3, 4)".
std::string place_text(const Labels& labels, std::int64_t element, const std::string& what) {
  const std::int64_t inside = product(std::span(labels.sizes).subspan(1));
  std::string text = fmt::format("label {}", element / inside);
  std::int64_t rest = element % inside;
  if (inside > 1) {
    std::vector<std::string> places;
    for (std::size_t i = labels.sizes.size() - 1; i > 0; --i) {
      places.insert(places.begin(), std::to_string(rest % labels.sizes[i]));
      rest /= labels.sizes[i];
    }
    text +=
        fmt::format(", {} {}", what,
                    places.size() == 1 ? places.front() : fmt::format("({})", join(places, ", ")));
  }
  return text;
}

/// Whether each row has a single 1 and else zeros.
bool are_one_hot(const Labels& labels) {
  const auto width = static_cast<std::size_t>(product(std::span(labels.sizes).subspan(1)));
  const auto is_so = [&](const auto& all) {
    for (std::size_t first = 0; first < all.size(); first += width) {
      const auto row = std::span(all).subspan(first, width);
      const auto ones = std::ranges::count_if(row, [](auto number) { return number == 1; });
      const auto zeros = std::ranges::count_if(row, [](auto number) { return number == 0; });
      if (ones != 1 || zeros + 1 != static_cast<std::ptrdiff_t>(width)) {
        return false;
      }
    }
    return true;
  };
  return labels.are_integers() ? is_so(labels.integers) : is_so(labels.numbers);
}

void check_integers(const Labels& labels) {
  if (labels.are_integers()) {
    return;
  }
  if (labels.sizes.size() == 2 && labels.sizes[1] > 1 && are_one_hot(labels)) {
    refuse(labels, "labels are class numbers; these are one-hot, " + sizes_text(labels.sizes),
           "save labels.argmax(1)");
  }
  const bool are_whole =
      std::ranges::all_of(labels.numbers, [](float each) { return each == std::floor(each); });
  refuse(labels, "labels are class numbers; these are floating-point numbers",
         are_whole ? "save them with numpy.save(path, labels.astype(numpy.int64))"
                   : "give the class numbers, or write 'judge: regression', whose labels are "
                     "numbers");
}

void check_range(const Labels& labels, std::int64_t classes, std::optional<std::int64_t> ignore,
                 const std::string& what) {
  for (std::size_t i = 0; i < labels.integers.size(); ++i) {
    const std::int64_t label = labels.integers[i];
    if ((label >= 0 && label < classes) || (ignore && label == *ignore)) {
      continue;
    }
    const std::string ignored = what.empty() ? std::string()
                                             : fmt::format(
                                                   "; where it says that a {} does not count, "
                                                   "write 'ignore: {}' in the judge",
                                                   what, label);
    refuse(labels,
           fmt::format("{} is class {}, and the answers have {} classes, 0 to {}",
                       place_text(labels, static_cast<std::int64_t>(i), what), label, classes,
                       classes - 1),
           (label < 0 ? "classes count from 0" : "check that these labels are those of the model") +
               (what.empty() ? "; leave out images without a class" : ignored));
  }
}

bool is_shape(const Labels& labels, const std::vector<std::int64_t>& of_image) {
  return std::ranges::equal(std::span(labels.sizes).subspan(1), of_image);
}

/// (N, shape...), or the same with axes of length 1 more or fewer.
bool is_nearly_shape(const Labels& labels, const std::vector<std::int64_t>& of_image) {
  const auto longer = [](std::span<const std::int64_t> sizes) {
    std::vector<std::int64_t> kept;
    std::ranges::copy_if(sizes, std::back_inserter(kept), [](std::int64_t n) { return n != 1; });
    return kept;
  };
  return longer(std::span(labels.sizes).subspan(1)) == longer(of_image);
}

/// Classes that lie one-hot on the first axis or on the last one can be put right in one call.
std::string cure_of_positions(const Labels& labels, const std::vector<std::int64_t>& positions,
                              std::int64_t classes, const std::string& what) {
  const std::vector<std::int64_t> of_image(labels.sizes.begin() + 1, labels.sizes.end());
  std::vector<std::int64_t> first{classes}, last(positions);
  first.insert(first.end(), positions.begin(), positions.end());
  last.push_back(classes);
  if (of_image == first) {
    return "save labels.argmax(1)";
  }
  return of_image == last ? "save labels.argmax(-1)" : "save the class number of each " + what;
}

std::vector<std::int64_t> with_images(const std::vector<std::int64_t>& of_image) {
  std::vector<std::int64_t> sizes{-1};
  sizes.insert(sizes.end(), of_image.begin(), of_image.end());
  return sizes;
}

TrueBox box_of(std::span<const float> row, bool is_centre) {
  TrueBox box{static_cast<std::int32_t>(row[0]), row[1], row[2], row[3], row[4]};
  if (is_centre) {
    box = {box.kind, row[1] - row[3] / 2, row[2] - row[4] / 2, row[1] + row[3] / 2,
           row[2] + row[4] / 2};
  }
  return box;
}

}  // namespace

std::string sizes_text(std::span<const std::int64_t> sizes) {
  std::vector<std::string> parts;
  for (const std::int64_t size : sizes) {
    parts.push_back(size < 0 ? "N" : std::to_string(size));
  }
  return fmt::format("({}{})", join(parts, ", "), parts.size() == 1 ? "," : "");
}

bool are_classes_of_images(const Labels& labels) {
  return labels.are_given() && labels.are_integers() && product(labels.sizes) == labels.images();
}

std::vector<std::int32_t> classes_of_images(const Labels& labels, std::int64_t classes) {
  if (product(labels.sizes) != labels.images()) {
    const bool is_one_hot = labels.sizes.size() == 2 && are_one_hot(labels);
    refuse(labels,
           fmt::format("the answer of an image is one vector of {} classes, and its label is one "
                       "number; these labels have the shape {}",
                       classes, sizes_text(labels.sizes)),
           is_one_hot ? "save labels.argmax(1)"
                      : "save one class number for each image, of the shape (N,), or write the "
                        "`judge:` that takes such labels (docs/judges.md)");
  }
  check_integers(labels);
  check_range(labels, classes, std::nullopt, "");
  return labels.integers;
}

std::vector<std::int32_t> classes_of_positions(const Labels& labels,
                                               const std::vector<std::int64_t>& positions,
                                               std::int64_t classes,
                                               std::optional<std::int64_t> ignore,
                                               const std::string& what) {
  if (!is_nearly_shape(labels, positions)) {
    refuse(labels,
           fmt::format("the answers have a class at each {} of {}, so that labels have the shape "
                       "{}; these have {}",
                       what, sizes_text(positions), sizes_text(with_images(positions)),
                       sizes_text(labels.sizes)),
           cure_of_positions(labels, positions, classes, what));
  }
  check_integers(labels);
  check_range(labels, classes, ignore, what);
  return labels.integers;
}

std::vector<std::int32_t> decisions_of(const Labels& labels,
                                       const std::vector<std::int64_t>& answer) {
  if (!is_nearly_shape(labels, answer)) {
    const bool is_one_hot = product(answer) == 1 && labels.sizes.size() == 2 &&
                            labels.sizes[1] == 2 && are_one_hot(labels);
    refuse(labels,
           fmt::format("each of the {} numbers of an answer is a decision, so that labels have the "
                       "shape {}; these have {}",
                       product(answer),
                       product(answer) == 1 ? "(N,)" : sizes_text(with_images(answer)),
                       sizes_text(labels.sizes)),
           is_one_hot ? "save labels.argmax(1)" : "save a 0 or a 1 for each decision");
  }
  std::vector<std::int32_t> decisions = labels.integers;
  if (!labels.are_integers()) {  // as BCEWithLogitsLoss takes them
    decisions.assign(labels.numbers.begin(), labels.numbers.end());
  }
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const bool is_whole =
        labels.are_integers() || labels.numbers[i] == std::floor(labels.numbers[i]);
    if (!is_whole || decisions[i] < 0 || decisions[i] > 1) {
      const std::string found = labels.are_integers() ? std::to_string(decisions[i])
                                                      : fmt::format("{}", labels.numbers[i]);
      refuse(labels,
             fmt::format("{} is {}, and a decision is 0 or 1",
                         place_text(labels, static_cast<std::int64_t>(i), "decision"), found),
             found == "-1" ? "save (labels > 0).astype(numpy.int64)"
                           : "save a 0 or a 1 for each decision");
    }
  }
  return decisions;
}

std::vector<float> numbers_of(const Labels& labels, const std::vector<std::int64_t>& answer) {
  if (!is_shape(labels, answer) && !is_nearly_shape(labels, answer)) {
    refuse(labels,
           fmt::format("labels are what the answers should be, {}; these have the shape {}",
                       sizes_text(with_images(answer)), sizes_text(labels.sizes)),
           "save the number that belongs to each number of the answer, or leave the labels out");
  }
  if (labels.are_integers()) {
    return {labels.integers.begin(), labels.integers.end()};
  }
  return labels.numbers;
}

std::vector<std::vector<TrueBox>> boxes_of(const Labels& labels, std::int64_t classes,
                                           bool is_centre) {
  if (labels.sizes.size() != 3 || labels.sizes[2] != kBoxNumbers) {
    refuse(labels,
           "labels are boxes of the shape (N, M, 5), each a class and four numbers; these have " +
               sizes_text(labels.sizes),
           "fill up images with fewer boxes by rows of class -1");
  }
  std::vector<float> numbers(labels.numbers);
  if (labels.are_integers()) {
    numbers.assign(labels.integers.begin(), labels.integers.end());
  }
  std::vector<std::vector<TrueBox>> all(static_cast<std::size_t>(labels.images()));
  const auto boxes = static_cast<std::size_t>(labels.sizes[1]);
  for (std::size_t i = 0; i < numbers.size(); i += kBoxNumbers) {
    const std::span<const float> row(numbers.data() + i, kBoxNumbers);
    if (row[0] == -1.0F) {
      continue;
    }
    const std::size_t image = i / kBoxNumbers / boxes;
    const TrueBox box = box_of(row, is_centre);
    const std::string place = fmt::format("label {}, box {}", image, i / kBoxNumbers % boxes);
    if (row[0] < 0.0F || row[0] != std::floor(row[0]) ||
        (classes > 0 && row[0] >= static_cast<float>(classes))) {
      refuse(labels,
             fmt::format("{} has the class {}{}", place, row[0],
                         classes > 0 ? fmt::format(", and the answers have {} classes, 0 to {}",
                                                   classes, classes - 1)
                                     : ""),
             "classes count from 0; rows of class -1 fill up");
    }
    if (!(box.x2 > box.x1) || !(box.y2 > box.y1)) {
      refuse(labels, place + " has no area",
             is_centre ? "a box is class, cx, cy, width, height, as 'boxes: cxcywh' says"
                       : "a box is class, x1, y1, x2, y2; if it is cx, cy, width, height, write "
                         "'boxes: cxcywh' in the judge");
    }
    all[image].push_back(box);
  }
  return all;
}

}  // namespace tilestrike::bridge
