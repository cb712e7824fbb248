// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/pictures/contents_picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "base/field_table.h"

namespace tilestrike::campaigns {
namespace {

constexpr double kLeft = 84.0, kTop = 48.0, kWide = 900.0, kHigh = 190.0;  // of a memory's panel
constexpr double kBetween = 52.0;                                          // panels
constexpr double kLine = 18.0;
constexpr double kFinest = 0.75;  // pixels; shorter gaps in time are not drawn
constexpr int kColumns = 4;       // of the legend

using bridge::ContentSpan;
using bridge::InferenceContents;
using bridge::MemoryContents;

/// Spans of one kind, layer and address, without the gaps that are too short to be seen.
std::vector<ContentSpan> joined(const std::vector<ContentSpan>& spans, Cycle shortest) {
  using Key = std::tuple<sim::MemoryContent, std::size_t, std::int64_t>;
  std::map<Key, std::vector<ContentSpan>> by_place;
  for (const ContentSpan& span : spans) {
    by_place[{span.kind, span.layer, span.address}].push_back(span);
  }
  std::vector<ContentSpan> all;
  for (auto& [key, here] : by_place) {
    std::ranges::sort(here, {}, &ContentSpan::from);
    std::size_t first = all.size();
    for (const ContentSpan& span : here) {
      if (all.size() > first && span.from - all.back().until < shortest) {
        all.back().until = std::max(all.back().until, span.until);
        all.back().bytes = std::max(all.back().bytes, span.bytes);
        all.back().what += all.back().what.ends_with(" ...") ? "" : " ...";
      } else {
        all.push_back(span);
      }
    }
  }
  return all;
}

class Drawing {
 public:
  Drawing(const InferenceContents& contents, const std::string& title)
      : contents_(contents), colour_of_(colours(contents)) {
    const auto panels = static_cast<double>(contents.memories.size());
    const auto lines = static_cast<double>((colour_of_.size() + kColumns - 1) / kColumns + 2);
    legend_ = kTop + panels * (kHigh + kBetween);
    picture_.emplace(kLeft + kWide + 30.0, legend_ + lines * kLine, title);
    picture_->text(12.0, 22.0, title, 15.0);
  }

  SvgPicture draw() {
    double y = kTop;
    for (const MemoryContents& memory : contents_.memories) {
      draw_memory(memory, y + 14.0);
      y += kHigh + kBetween;
    }
    draw_legend();
    return std::move(*picture_);
  }

 private:
  /// Layers that are seen, in order, each with a colour.
  static std::map<std::size_t, int> colours(const InferenceContents& contents) {
    std::set<std::size_t> seen;
    for (const MemoryContents& memory : contents.memories) {
      for (const ContentSpan& span : memory.spans) {
        seen.insert(span.layer);
      }
    }
    std::map<std::size_t, int> colour_of;
    for (const std::size_t layer : seen) {
      colour_of.emplace(layer, static_cast<int>(colour_of.size()));
    }
    return colour_of;
  }

  double x_of(Cycle cycle) const {
    const Cycle inside = std::clamp<Cycle>(cycle, 0, contents_.period);
    return kLeft + kWide * static_cast<double>(inside) / static_cast<double>(contents_.period);
  }

  void draw_memory(const MemoryContents& memory, double top) {
    picture_->text(12.0, top - 6.0,
                   fmt::format("{}, {}: {:.3g} % of its byte-cycles are live", memory.name,
                               field_detail::bytes_text(memory.capacity_bytes),
                               100.0 * live_share(memory, contents_.period)));
    picture_->rect(kLeft, top, kWide, kHigh, {"#d4d4d4"});
    const double scale = kHigh / static_cast<double>(memory.capacity_bytes);
    for (const ContentSpan& span : joined(memory.spans, shortest_gap())) {
      const double x = x_of(span.from), width = std::max(x_of(span.until) - x, 0.3);
      const double y = top + scale * static_cast<double>(span.address);
      const double height = std::max(scale * static_cast<double>(span.bytes), 0.5);
      picture_->rect(
          x, y, width, height, {std::string(svg_colour(colour_of_.at(span.layer)))},
          fmt::format("{} {} of {}: bytes {} to {}, cycles {} to {}", sim::name_of(span.kind),
                      span.what, layer_name(span.layer), span.address,
                      span.address + span.bytes - 1, span.from, span.until - 1));
      if (span.kind == sim::MemoryContent::kWeights) {
        picture_->hatch(x, y, width, height);
      }
    }
    draw_axes(memory, top);
  }

  void draw_axes(const MemoryContents& memory, double top) {
    const SvgStyle axis{"none", "#000000", 1.0, false};
    picture_->rect(kLeft, top, kWide, kHigh, axis);
    for (int i = 0; i <= 4; ++i) {
      const double y = top + kHigh * i / 4.0, x = kLeft + kWide * i / 4.0;
      picture_->line(kLeft - 4.0, y, kLeft, y, axis);
      picture_->text(kLeft - 7.0, y + 4.0, std::to_string(memory.capacity_bytes * i / 4), 10.0,
                     SvgAnchor::kEnd);
      picture_->line(x, top + kHigh, x, top + kHigh + 4.0, axis);
      picture_->text(x, top + kHigh + 15.0,
                     (i == 4 ? "cycle " : "") + std::to_string(contents_.period * i / 4), 10.0,
                     i == 4 ? SvgAnchor::kEnd : SvgAnchor::kMiddle);
    }
  }

  void draw_legend() {
    double y = legend_ + 4.0;
    int column = 0;
    for (const auto& [layer, colour] : colour_of_) {
      const double x = 14.0 + column * (kLeft + kWide) / kColumns;
      picture_->rect(x, y - 11.0, 13.0, 13.0, {std::string(svg_colour(colour))});
      picture_->text(x + 19.0, y, layer_name(layer), 11.0);
      if (++column == kColumns) {
        column = 0;
        y += kLine;
      }
    }
    y += column > 0 ? kLine : 0.0;
    picture_->text(14.0, y,
                   fmt::format("from the first byte written to the last read; address down; "
                               "hatched: weights; grey: dead; gaps of less than {} cycles are "
                               "not drawn",
                               shortest_gap()),
                   11.0);
  }

  Cycle shortest_gap() const {
    return std::max<Cycle>(
        1, static_cast<Cycle>(kFinest * static_cast<double>(contents_.period) / kWide));
  }
  const std::string& layer_name(std::size_t layer) const { return contents_.layers[layer]; }

  const InferenceContents& contents_;
  std::map<std::size_t, int> colour_of_;
  double legend_ = 0.0;
  std::optional<SvgPicture> picture_;
};

}  // namespace

double live_share(const MemoryContents& memory, Cycle period) {
  double live = 0.0;
  for (const ContentSpan& span : memory.spans) {
    const Cycle length = std::min(span.until, period) - std::max<Cycle>(span.from, 0);
    live += static_cast<double>(std::max<Cycle>(length, 0)) * static_cast<double>(span.bytes);
  }
  return live / (static_cast<double>(memory.capacity_bytes) * static_cast<double>(period));
}

SvgPicture draw_contents(const InferenceContents& contents, const std::string& title) {
  return Drawing(contents, title).draw();
}

}  // namespace tilestrike::campaigns
