// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Pickles as torch.save writes them, for tests of what reads them.
#pragma once

#include <string>
#include <vector>

namespace tilestrike::dnn {

/// A dense tensor of such sizes, all below 256, that `rebuild` ("cMODULE\nNAME\n") makes of a
/// storage of a class of torch's.
inline std::string pickle_of(const std::string& rebuild, const std::string& storage,
                             const std::vector<int>& sizes) {
  const auto text = [](const std::string& of) {
    return std::string("X") + static_cast<char>(of.size()) + std::string(3, '\0') + of;
  };
  const auto number = [](int of) {
    return std::string("M") + static_cast<char>(of & 255) + static_cast<char>(of >> 8);
  };
  std::string shape = "(", strides = ")";
  int words = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides = strides == ")" ? number(words) + "t" : number(words) + strides;
    words *= sizes[i];
  }
  for (const int size : sizes) {
    shape += number(size);
  }
  return "\x80\x02" + rebuild + "((" + text("storage") + "ctorch\n" + storage + "\n" + text("0") +
         text("cpu") + number(words) + "tQ" + number(0) + shape + "t(" + strides +
         "\x89"
         "ccollections\nOrderedDict\n)RtR.";
}

}  // namespace tilestrike::dnn
