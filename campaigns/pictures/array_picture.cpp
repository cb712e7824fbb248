// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/pictures/array_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/text.h"

namespace tilestrike::campaigns {
namespace {

// That are drawn:
constexpr int kFewestRows = 12, kMostRows = 24, kFewestColumns = 28, kMostColumns = 56;
constexpr int kMargin = 3;      // cells around the struck ones
constexpr double kSide = 16.0;  // of a cell
constexpr double kLeft = 70.0, kTop = 64.0;
constexpr double kLine = 18.0;  // of text
constexpr std::size_t kMostTold = 16;

/// Rows or columns [first, last) that are drawn: all of `numbers` with a margin, or as many as fit
/// around the first of them.
struct Span {
  int first = 0, last = 0;
  bool contains(int number) const { return first <= number && number < last; }
};

Span span_of(const std::vector<int>& numbers, int size, int least, int most) {
  const auto [low, high] = std::ranges::minmax(numbers);
  Span span{std::max(0, low - kMargin), std::min(size, high + kMargin + 1)};
  if (span.last - span.first > most) {
    span.first = std::clamp(numbers.front() - most / 2, 0, std::max(0, size - most));
    span.last = std::min(size, span.first + most);
  }
  // At least so many, where the array has them, for the eye.
  while (span.last - span.first < std::min({size, most, least})) {
    span.first -= span.first > 0 ? 1 : 0;
    span.last += span.last < size ? 1 : 0;
  }
  return span;
}

std::string_view told(const sim::EccCode& code, const sim::ErrorEffect& effect) {
  const bool is_wrong = effect.data_error.any();
  switch (effect.status) {
    case sim::EccStatus::kDetected:
      return is_wrong ? "detected, not corrected" : "detected, though its data are right";
    case sim::EccStatus::kCorrected:
      return is_wrong ? "miscorrected: silently wrong" : "corrected";
    default:
      return !is_wrong                            ? "check bits alone, accepted: data right"
             : code.kind() == sim::EccKind::kNone ? "wrong data, no ECC"
                                                  : "not detected: silently wrong";
  }
}

class Drawing {
 public:
  explicit Drawing(const ArrayPicture& given)
      : given_(given), geometry_(given.memory->array()), code_(given.memory->code()) {
    const sim::Cell& first = given.struck.front();
    std::vector<int> rows, columns;
    for (const sim::Cell& cell : given.struck) {
      if (cell.bank == first.bank) {
        rows.push_back(cell.row);
        columns.push_back(cell.column);
      }
    }
    rows_ = span_of(rows, geometry_.rows(), kFewestRows, kMostRows);
    columns_ = span_of(columns, geometry_.columns(), kFewestColumns, kMostColumns);
    for (const sim::Cell& cell : given.struck) {
      struck_[geometry_.bit_at(cell).codeword].push_back(geometry_.bit_at(cell).bit);
      cells_.insert(cell);
      is_all_ = is_all_ && cell.bank == first.bank && rows_.contains(cell.row) &&
                columns_.contains(cell.column);
    }
  }

  SvgPicture draw() {
    for (auto& [codeword, bits] : struck_) {
      std::ranges::sort(bits);
    }
    const double wide = (columns_.last - columns_.first) * kSide;
    const double high = (rows_.last - rows_.first) * kSide;
    const auto lines = static_cast<double>(std::min(struck_.size(), kMostTold) + 2);
    SvgPicture picture(std::max(kLeft + wide + 20.0, 620.0), kTop + high + 12.0 + lines * kLine,
                       given_.title);
    picture.text(12.0, 22.0, given_.title, 15.0);
    picture.text(12.0, 40.0,
                 fmt::format("bank {} of {}, {} rows, {} columns; codewords of {} + {} bits ({}), "
                             "interleave {}",
                             given_.struck.front().bank, geometry_.banks(), geometry_.rows(),
                             geometry_.columns(), code_.data_bits(), code_.check_bits(),
                             sim::info_of(code_.kind()).name, geometry_.interleave()));
    choose_colours();
    for (int row = rows_.first; row < rows_.last; ++row) {
      for (int column = columns_.first; column < columns_.last; ++column) {
        draw_cell(picture, {given_.struck.front().bank, row, column});
      }
    }
    draw_frame(picture, wide, high);
    tell(picture, kTop + high + 24.0);
    return picture;
  }

 private:
  double x_of(int column) const { return kLeft + (column - columns_.first) * kSide; }
  double y_of(int row) const { return kTop + (row - rows_.first) * kSide; }

  /// Struck codewords take colours first, so that they differ; the others in the order in which
  /// the eye meets them, so that neighbours do.
  void choose_colours() {
    for (const auto& [codeword, bits] : struck_) {
      colours_.emplace(codeword, static_cast<int>(colours_.size()));
    }
    for (int row = rows_.first; row < rows_.last; ++row) {
      for (int column = columns_.first; column < columns_.last; ++column) {
        const sim::Cell cell{given_.struck.front().bank, row, column};
        colours_.emplace(geometry_.bit_at(cell).codeword, static_cast<int>(colours_.size()));
      }
    }
  }

  void draw_cell(SvgPicture& picture, const sim::Cell& cell) const {
    const sim::CodewordBit bit = geometry_.bit_at(cell);
    const bool is_check = bit.bit >= code_.data_bits();
    const bool is_struck_word = struck_.contains(bit.codeword);
    const double x = x_of(cell.column), y = y_of(cell.row);
    const int colour = colours_.at(bit.codeword);
    picture.rect(x, y, kSide, kSide,
                 {std::string(is_struck_word ? svg_colour(colour) : svg_pale_colour(colour)),
                  "#ffffff", 1.0, false},
                 fmt::format("{}: codeword {} {} bit {}", text_of(cell), bit.codeword.value,
                             is_check ? "check" : "data", bit.bit));
    if (is_check) {
      picture.hatch(x, y, kSide, kSide);
    }
    if (cells_.contains(cell)) {
      const SvgStyle cross{"none", "#000000", 2.5, false};
      picture.rect(x + 1.5, y + 1.5, kSide - 3.0, kSide - 3.0, {"none", "#ffffff", 2.0, false});
      picture.line(x + 3.0, y + 3.0, x + kSide - 3.0, y + kSide - 3.0, cross);
      picture.line(x + 3.0, y + kSide - 3.0, x + kSide - 3.0, y + 3.0, cross);
    }
  }

  void draw_frame(SvgPicture& picture, double wide, double high) const {
    for (int row = rows_.first; row < rows_.last; ++row) {
      picture.text(kLeft - 8.0, y_of(row) + 12.0, fmt::format("row {}", row), 10.0,
                   SvgAnchor::kEnd);
      if (given_.tap_rows > 0 && row % given_.tap_rows == 0) {
        picture.line(kLeft - 4.0, y_of(row), kLeft + wide + 4.0, y_of(row),
                     {"none", "#000000", 1.5, true});
      }
    }
    for (int column = columns_.first; column < columns_.last; ++column) {
      if (column % 8 == 0 || (column == columns_.first && column % 8 < 6)) {
        picture.text(x_of(column) + kSide / 2.0, kTop - 6.0, std::to_string(column), 10.0,
                     SvgAnchor::kMiddle);
      }
    }
    // The bank's own edges, where they are in sight.
    const SvgStyle edge{"none", "#000000", 2.0, false};
    const double right = kLeft + wide, bottom = kTop + high;
    if (rows_.first == 0) {
      picture.line(kLeft, kTop, right, kTop, edge);
    }
    if (rows_.last == geometry_.rows()) {
      picture.line(kLeft, bottom, right, bottom, edge);
    }
    if (columns_.first == 0) {
      picture.line(kLeft, kTop, kLeft, bottom, edge);
    }
    if (columns_.last == geometry_.columns()) {
      picture.line(right, kTop, right, bottom, edge);
    }
  }

  void tell(SvgPicture& picture, double y) const {
    std::size_t count = 0;
    for (const auto& [codeword, bits] : struck_) {
      if (count++ == kMostTold) {
        picture.text(34.0, y, fmt::format("... and {} more", struck_.size() - kMostTold));
        y += kLine;
        break;
      }
      std::vector<std::string> names;
      for (const int bit : bits) {
        names.push_back(std::to_string(bit) + (bit >= code_.data_bits() ? " (check)" : ""));
      }
      picture.rect(14.0, y - 11.0, 13.0, 13.0,
                   {std::string(svg_colour(colours_.at(codeword))), "none", 1.0, false});
      picture.text(
          34.0, y,
          fmt::format("codeword {}: bit{} {}: {}", codeword.value, bits.size() == 1 ? "" : "s",
                      join(names, ", "), told(code_, code_.decode_error(bits))));
      y += kLine;
    }
    std::string legend = "crossed: struck; pale: codewords that are not struck";
    legend += code_.check_bits() > 0 ? "; hatched: check bits" : "";
    legend += given_.tap_rows > 0 ? "; dashed: well taps" : "";
    legend += "; behind the bits: what a read gives";
    picture.text(14.0, y, legend, 11.0);
    if (!is_all_) {
      picture.text(14.0, y + kLine, "not all struck cells are in sight", 11.0);
    }
  }

  const ArrayPicture& given_;
  sim::ArrayGeometry geometry_;
  const sim::EccCode& code_;
  Span rows_, columns_;
  std::map<sim::CodewordId, std::vector<int>> struck_;  // bits by codeword
  std::set<sim::Cell> cells_;
  std::map<sim::CodewordId, int> colours_;
  bool is_all_ = true;
};

}  // namespace

SvgPicture draw_array(const ArrayPicture& picture) {
  TS_CHECK(!picture.struck.empty(), "a picture of struck cells needs one");
  return Drawing(picture).draw();
}

}  // namespace tilestrike::campaigns
