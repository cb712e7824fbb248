// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/import/names.h"

namespace tilestrike::dnn {

void Names::define(const std::string& name, ValueId value, bool is_external) {
  ++next_;
  meanings_[name] = {value, next_, next_, is_external, {}};
}

void Names::define_view(const std::string& name, ValueId value, const std::string& of) {
  Meaning meaning = meanings_.at(of);
  meaning.value = value;
  meaning.tensor = ++next_;
  meanings_[name] = meaning;
}

void Names::define_same(const std::string& name, const std::string& of) {
  const Meaning meaning = meanings_.at(of);
  meanings_[name] = meaning;
}

void Names::define_copy(const std::string& name, const std::string& of) {
  define(name, meanings_.at(of).value);
}

void Names::write(const std::string& name, ValueId value, const std::string& target,
                  const std::string& by) {
  const Meaning written = meanings_.at(target);
  for (auto& [other, meaning] : meanings_) {
    if (meaning.tensor == written.tensor) {
      meaning.value = value;
    } else if (meaning.memory == written.memory) {
      meaning.stale = by;
    }
  }
  define_same(name, target);
}

}  // namespace tilestrike::dnn
