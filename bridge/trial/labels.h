// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// What the answers of images should be, as a file has it, and as judges take it. Every function
// throws Failure that names file, row and cure. No LibTorch in this header.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tilestrike::bridge {

struct Labels {
  std::string file;                    // for messages
  std::vector<std::int64_t> sizes;     // (N, ...); empty: there are no labels
  std::vector<std::int32_t> integers;  // where the file has integers or bools, else
  std::vector<float> numbers;
  bool is_of_data_set = false;  // they came with the images, and nobody asked for them

  bool are_given() const { return !sizes.empty(); }
  bool are_integers() const { return numbers.empty(); }
  std::int64_t images() const { return sizes.empty() ? 0 : sizes.front(); }
};

/// "(2, 3)", and "(N, 3)" where the first is -1.
std::string sizes_text(std::span<const std::int64_t> sizes);

/// A class of each image, 0 to classes - 1: labels (N) or (N, 1). One-hot ones are refused with the
/// cure that works.
std::vector<std::int32_t> classes_of_images(const Labels& labels, std::int64_t classes);

/// A class at each position of each answer, 0 to classes - 1 or `ignore`: labels (N, positions...).
/// `what`: one of them, "pixel".
std::vector<std::int32_t> classes_of_positions(const Labels& labels,
                                               const std::vector<std::int64_t>& positions,
                                               std::int64_t classes,
                                               std::optional<std::int64_t> ignore,
                                               const std::string& what);

/// Yes or no for each number of an answer: 0 or 1, labels (N, answer...), or (N) where the answer
/// is one number.
std::vector<std::int32_t> decisions_of(const Labels& labels,
                                       const std::vector<std::int64_t>& answer);

/// What each number should be: labels (N, answer...), or (N) where the answer is one number.
std::vector<float> numbers_of(const Labels& labels, const std::vector<std::int64_t>& answer);

/// Whether they may be classes of images.
bool are_classes_of_images(const Labels& labels);

/// The box of an object that is there.
struct TrueBox {
  std::int32_t kind = 0;  // its class
  float x1 = 0.0F, y1 = 0.0F, x2 = 0.0F, y2 = 0.0F;
};
/// Of each image, from labels (N, M, 5): class, then the box as the answer has it; class -1 fills
/// up. `classes`: how many the answer tells apart; 0: any.
std::vector<std::vector<TrueBox>> boxes_of(const Labels& labels, std::int64_t classes,
                                           bool is_centre);

}  // namespace tilestrike::bridge
