// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>

#include "base/error.h"
#include "base/text.h"

namespace tilestrike {
namespace {

// Aliases copy what they name; this bounds a document that grows by aliases of aliases.
constexpr std::size_t kMostNodes = 1'000'000;

std::size_t nodes_of(const Value& value) {
  std::size_t count = 1;
  for (const Value& item : value.items) {
    count += nodes_of(item);
  }
  for (const Entry& entry : value.entries) {
    count += nodes_of(entry.value);
  }
  return count;
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string file) : file_(std::move(file)) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(made(Value{}, mark), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) {
      fail(ErrorCode::kInvalidInput, "an alias inside the value that it names",
           place_of(mark).text(), "write the value out");
    }
    count(nodes_of(named->second), mark);
    finish(named->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                const std::string& text) override {
    finish(made(Value::of(text), mark), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open_.push_back({made(Value::list({}), mark), anchor, false, {}});
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open_.push_back({made(Value::map(), mark), anchor, false, {}});
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor;
    bool has_key;
    Value key;
  };

  Place place_of(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1}; }

  void count(std::size_t more, const YAML::Mark& mark) {
    nodes_ += more;
    if (nodes_ > kMostNodes) {
      fail(ErrorCode::kInvalidInput, "the document is too large", place_of(mark).text(),
           "at most " + std::to_string(kMostNodes) + " values; list faults in a CSV file");
    }
  }

  Value made(Value value, const YAML::Mark& mark) {
    count(1, mark);
    value.place = place_of(mark);
    return value;
  }

  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    finish(std::move(done.value), done.anchor);
  }

  void finish(Value value, YAML::anchor_t anchor) {
    if (anchor != 0) {
      anchors_[anchor] = value;
    }
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& parent = open_.back();
    if (parent.value.is_list()) {
      parent.value.items.push_back(std::move(value));
    } else if (!parent.has_key) {
      if (!value.is_scalar()) {
        fail(ErrorCode::kInvalidInput, "a key must be a single word", value.place.text(),
             "write 'key: value'");
      }
      parent.key = std::move(value);
      parent.has_key = true;
    } else {
      parent.value.entries.push_back({parent.key.scalar, std::move(value), parent.key.place});
      parent.has_key = false;
    }
  }

  std::string file_;
  Value root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Value> anchors_;
  std::size_t nodes_ = 0;
};

}  // namespace

Value parse_yaml(const std::string& text, const std::string& file) {
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    TreeBuilder builder(file);
    if (!parser.HandleNextDocument(builder)) {
      Value nothing;
      nothing.place = {file, 1, 1};
      return nothing;
    }
    Value root = builder.take();
    TreeBuilder second(file);
    if (parser.HandleNextDocument(second)) {
      fail(ErrorCode::kInvalidInput, "the file holds more than one YAML document",
           second.take().place.text(), "keep one document per file");
    }
    return root;
  } catch (const YAML::Exception& error) {
    const Place place{file, error.mark.line + 1, error.mark.column + 1};
    fail(ErrorCode::kInvalidInput, "not YAML: " + error.msg,
         error.mark.is_null() ? file : place.text(),
         "check indentation, colons, brackets and quotes there");
  }
}

Value load_yaml(const std::string& path) { return parse_yaml(read_text_file(path), path); }

}  // namespace tilestrike
