// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/names.h"

#include <algorithm>

namespace tilestrike::dnn {

void Names::define(const std::string& name, ValueId value, bool is_external) {
  ++next_;
  memories_[next_] = {};
  meanings_[name] = {value, next_, next_, is_external, 0, nullptr};
}

void Names::define_view(const std::string& name, ValueId value, View view) {
  Meaning meaning = meanings_.at(view.parent);
  meaning.value = value;
  meaning.tensor = ++next_;
  meaning.view = std::make_shared<const View>(std::move(view));
  meanings_[name] = std::move(meaning);
}

void Names::define_same(const std::string& name, const std::string& of) {
  const Meaning meaning = meanings_.at(of);
  meanings_[name] = meaning;
}

void Names::define_copy(const std::string& name, const std::string& of) {
  define(name, meanings_.at(of).value);
}

void Names::begin_write(const std::string& target, const std::string& by) {
  Memory& memory = memories_.at(meanings_.at(target).memory);
  ++memory.version;
  memory.writer = by;
}

void Names::assign(const std::string& name, ValueId value) {
  const Meaning& assigned = meanings_.at(name);
  const std::int32_t tensor = assigned.tensor;
  const std::int32_t version = memories_.at(assigned.memory).version;
  for (auto& [other, meaning] : meanings_) {
    if (meaning.tensor == tensor) {
      meaning.value = value;
      meaning.version = version;
    }
  }
}

bool Names::is_stale(const std::string& name) const {
  const Meaning& meaning = meanings_.at(name);
  return meaning.version != memories_.at(meaning.memory).version;
}

const std::string& Names::writer(const std::string& name) const {
  return memories_.at(meanings_.at(name).memory).writer;
}

bool Names::has_uncertain_view(const std::string& name) const {
  const std::int32_t memory = meanings_.at(name).memory;
  return std::ranges::any_of(meanings_, [memory](const auto& entry) {
    const Meaning& meaning = entry.second;
    return meaning.memory == memory && meaning.view != nullptr && !meaning.view->is_certain;
  });
}

}  // namespace tilestrike::dnn
