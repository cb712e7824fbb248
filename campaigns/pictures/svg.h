// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A small writer of SVG pictures: the same calls give the same bytes.
#pragma once

#include <string>
#include <string_view>

namespace tilestrike::campaigns {

/// Text as content or attribute of SVG and HTML.
std::string escaped_markup(std::string_view text);

/// How a shape is drawn; colours are SVG's own ("#ff0000", "none").
struct SvgStyle {
  std::string fill = "none";
  std::string stroke = "none";
  double stroke_width = 1.0;
  bool is_dashed = false;
};

enum class SvgAnchor { kStart, kMiddle, kEnd };

class SvgPicture {
 public:
  /// `title` is what a reader that cannot show it says.
  SvgPicture(double width, double height, const std::string& title);

  /// `tip` is shown where the pointer rests; empty: nothing.
  void rect(double x, double y, double width, double height, const SvgStyle& style,
            const std::string& tip = {});
  /// Diagonal hatching over a rectangle, whatever lies beneath.
  void hatch(double x, double y, double width, double height);
  void line(double x1, double y1, double x2, double y2, const SvgStyle& style);
  void text(double x, double y, const std::string& text, double size = 12.0,
            SvgAnchor anchor = SvgAnchor::kStart);

  /// The whole file.
  std::string text_of_file() const;
  /// Throws Failure when it cannot be written.
  void write(const std::string& path) const;

 private:
  std::string body_;
  std::string head_;
};

/// Colour `index` of a row of colours that are told apart easily; a pale one for areas that others
/// lie on. They repeat after kSvgColours.
inline constexpr int kSvgColours = 12;
std::string_view svg_colour(int index);
std::string_view svg_pale_colour(int index);

}  // namespace tilestrike::campaigns
