// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/shared_memory.h"

#include <ATen/core/Tensor.h>

#include <algorithm>
#include <tuple>

#include "base/error.h"

namespace tilestrike::dnn {
namespace {

/// The bytes of its storage between a tensor's first and last element.
struct Extent {
  const void* storage = nullptr;
  std::int64_t begin = 0, end = 0;
  std::size_t order = 0;  // among the constants as they were given
};

Extent extent_of(const at::Tensor& tensor, std::size_t order) {
  std::int64_t last = 0;
  for (std::int64_t d = 0; d < tensor.dim(); ++d) {
    last += (tensor.size(d) - 1) * tensor.stride(d);
  }
  const auto bytes = static_cast<std::int64_t>(tensor.element_size());
  return {tensor.storage().data(), tensor.storage_offset() * bytes,
          (tensor.storage_offset() + last + 1) * bytes, order};
}

void mark(const at::Tensor& tensor, std::int64_t dimension, std::int64_t offset,
          std::vector<bool>& is_shown) {
  if (dimension == tensor.dim()) {
    is_shown[static_cast<std::size_t>(offset)] = true;
    return;
  }
  for (std::int64_t i = 0; i < tensor.size(dimension); ++i) {
    mark(tensor, dimension + 1, offset + i * tensor.stride(dimension), is_shown);
  }
}

class Grouper {
 public:
  Grouper(Network& network, const std::vector<ValueId>& constants)
      : network_(network), constants_(constants) {}

  std::vector<SharedMemory> groups() {
    std::vector<Extent> extents;
    for (std::size_t i = 0; i < constants_.size(); ++i) {
      if (tensor(i).numel() > 0) {
        extents.push_back(extent_of(tensor(i), i));
      }
    }
    std::ranges::sort(extents, {}, [](const Extent& extent) {
      return std::tuple(extent.storage, extent.begin, extent.order);
    });
    std::vector<std::vector<std::size_t>> together;
    Extent reached;
    for (const Extent& extent : extents) {
      if (together.empty() || extent.storage != reached.storage || extent.begin >= reached.end) {
        together.emplace_back();
        reached = extent;
      }
      together.back().push_back(extent.order);
      reached.end = std::max(reached.end, extent.end);
    }
    for (std::vector<std::size_t>& members : together) {
      std::ranges::sort(members);
    }
    std::ranges::sort(together);  // by their first members
    std::vector<SharedMemory> groups;
    for (const std::vector<std::size_t>& members : together) {
      groups.push_back(group_of(members));
    }
    return groups;
  }

 private:
  const at::Tensor& tensor(std::size_t order) const {
    return network_.constants[static_cast<std::size_t>(constants_[order].value)].toTensor();
  }

  SharedMemory group_of(const std::vector<std::size_t>& members) {
    const at::Tensor first = tensor(members.front());
    SharedMemory group;
    for (const std::size_t member : members) {
      group.members.push_back(constants_[member]);
    }
    group.name = group.members.front();
    const bool is_one_look = std::ranges::all_of(members, [&](std::size_t member) {
      return tensor(member).sizes() == first.sizes() &&
             tensor(member).strides() == first.strides() &&
             tensor(member).scalar_type() == first.scalar_type() &&
             tensor(member).storage_offset() == first.storage_offset();
    });
    if (is_one_look) {
      group.whole = first.is_non_overlapping_and_dense() ? first : first.contiguous();
      for (const ValueId id : group.members) {
        network_.constants[static_cast<std::size_t>(id.value)] = group.whole;
      }
      return group;
    }
    find_whole(members, group);
    return group;
  }

  void find_whole(const std::vector<std::size_t>& members, SharedMemory& group) const {
    const at::Tensor first = tensor(members.front());
    Extent all = extent_of(first, 0);
    for (const std::size_t member : members) {
      const Extent extent = extent_of(tensor(member), member);
      all.begin = std::min(all.begin, extent.begin);
      all.end = std::max(all.end, extent.end);
      if (tensor(member).scalar_type() != first.scalar_type()) {
        refuse(members.front(), member, "of different types");
      }
    }
    const auto bytes = static_cast<std::int64_t>(first.element_size());
    const std::int64_t begin = all.begin / bytes, count = (all.end - all.begin) / bytes;
    for (const std::size_t member : members) {
      if (tensor(member).is_non_overlapping_and_dense() && tensor(member).numel() == count) {
        group.whole = tensor(member);
        group.name = constants_[member];
        return;
      }
    }
    std::vector<bool> is_shown(static_cast<std::size_t>(count), false);
    for (const std::size_t member : members) {
      mark(tensor(member), 0, tensor(member).storage_offset() - begin, is_shown);
    }
    if (!std::ranges::all_of(is_shown, [](bool shown) { return shown; })) {
      refuse(members[0], members[1], "with gaps between them");
    }
    group.whole = first.as_strided({count}, {1}, begin);
  }

  [[noreturn]] void refuse(std::size_t one, std::size_t other, const std::string& how) const {
    const auto name = [&](std::size_t order) {
      const ValueInfo& info = network_.info(constants_[order]);
      return "'" + (info.parameter.empty() ? info.name : info.parameter) + "'";
    };
    fail(ErrorCode::kUnsupported,
         "the parameters " + name(one) + " and " + name(other) + " are parts of one memory, " + how,
         network_.name, "clone one of them in the model before it is exported");
  }

  Network& network_;
  const std::vector<ValueId>& constants_;
};

}  // namespace

std::vector<SharedMemory> shared_memories(Network& network, const std::vector<ValueId>& constants) {
  return Grouper(network, constants).groups();
}

}  // namespace tilestrike::dnn
