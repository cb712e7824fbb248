// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/pictures/svg.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "base/error.h"

namespace tilestrike::campaigns {
namespace {

constexpr std::array<std::string_view, kSvgColours> kColours = {
    "#3b6fb6", "#d9822b", "#3f9b5f", "#b8405a", "#7a5ab5", "#8a6d3b",
    "#c2609c", "#5f7d8c", "#9aa52e", "#2fa5a8", "#d1563f", "#4c4f9c"};
constexpr std::array<std::string_view, kSvgColours> kPaleColours = {
    "#cfdff2", "#f8dfc3", "#cfe9d8", "#f1cfd7", "#ded3f0", "#e6dcc8",
    "#f2d5e6", "#d6e0e5", "#e6eabf", "#c9e8e9", "#f6d2ca", "#d2d3ec"};

/// At most two digits behind the point, none where there is nothing to say.
std::string number(double value) {
  std::string text = fmt::format("{:.2f}", value);
  while (text.back() == '0') {
    text.pop_back();
  }
  if (text.back() == '.') {
    text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

std::string attributes_of(const SvgStyle& style) {
  std::string text = fmt::format(" fill=\"{}\"", style.fill);
  if (style.stroke != "none") {
    text += fmt::format(" stroke=\"{}\"", style.stroke);
    if (style.stroke_width != 1.0) {
      text += fmt::format(" stroke-width=\"{}\"", number(style.stroke_width));
    }
    if (style.is_dashed) {
      text += " stroke-dasharray=\"4 3\"";
    }
  }
  return text;
}

std::string place_of(double x, double y, double width, double height) {
  return fmt::format("x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", number(x), number(y),
                     number(width), number(height));
}

}  // namespace

std::string escaped_markup(std::string_view text) {
  std::string safe;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return safe;
}

SvgPicture::SvgPicture(double width, double height, const std::string& title)
    : head_(fmt::format(
          "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
          "viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\">\n<title>{2}</title>\n"
          "<defs><pattern id=\"hatch\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\">"
          "<path d=\"M-1 1L1 -1M0 5L5 0M4 6L6 4\" stroke=\"#000000\" stroke-width=\"0.7\"/>"
          "</pattern></defs>\n<rect width=\"{0}\" height=\"{1}\" fill=\"#ffffff\"/>\n",
          number(width), number(height), escaped_markup(title))) {}

void SvgPicture::rect(double x, double y, double width, double height, const SvgStyle& style,
                      const std::string& tip) {
  body_ += fmt::format("<rect {}{}", place_of(x, y, width, height), attributes_of(style));
  body_ += tip.empty() ? "/>\n" : fmt::format("><title>{}</title></rect>\n", escaped_markup(tip));
}

void SvgPicture::hatch(double x, double y, double width, double height) {
  body_ += fmt::format("<rect {} fill=\"url(#hatch)\" pointer-events=\"none\"/>\n",
                       place_of(x, y, width, height));
}

void SvgPicture::line(double x1, double y1, double x2, double y2, const SvgStyle& style) {
  body_ += fmt::format("<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\"{}/>\n", number(x1),
                       number(y1), number(x2), number(y2), attributes_of(style));
}

void SvgPicture::text(double x, double y, const std::string& text, double size, SvgAnchor anchor) {
  constexpr std::array<std::string_view, 3> kAnchors = {"", " text-anchor=\"middle\"",
                                                        " text-anchor=\"end\""};
  body_ +=
      fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}>{}</text>\n", number(x), number(y),
                  number(size), kAnchors[static_cast<std::size_t>(anchor)], escaped_markup(text));
}

std::string SvgPicture::text_of_file() const { return head_ + body_ + "</svg>\n"; }

void SvgPicture::write(const std::string& path) const {
  std::ofstream file(path, std::ios::binary);
  file << text_of_file();
  file.close();
  if (!file) {
    fail(ErrorCode::kMachine, "cannot write the picture", path,
         "name a file in a folder that exists and has room");
  }
}

std::string_view svg_colour(int index) {
  return kColours[static_cast<std::size_t>(index % kSvgColours)];
}
std::string_view svg_pale_colour(int index) {
  return kPaleColours[static_cast<std::size_t>(index % kSvgColours)];
}

}  // namespace tilestrike::campaigns
