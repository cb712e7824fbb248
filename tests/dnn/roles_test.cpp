// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is the role of a stored tensor that which its values have in the network, however the network is
// written?
#include "dnn/roles.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/complex.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <tuple>

#include "dnn/constant_strike.h"
#include "dnn/count_different.h"
#include "dnn/import/import.h"
#include "dnn/tensor_stores.h"
#include "tests/dnn/network_maker.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

namespace fs = std::filesystem;

at::Tensor images() { return NetworkMaker::noise({2, 3, 8, 8}, 5); }

/// The folder, with its last slash, of what export_roles.py writes.
const std::string& models() {
  static const std::string folder = [] {
    const std::string made = scratch_folder() + "/roles/";
    return run_python("tests/dnn/export_roles.py", made) ? made : std::string();
  }();
  return folder;
}

/// name -> (role, words, format), of what is stored for longer than an inference.
using Stored = std::map<std::string, std::tuple<std::string, std::int64_t, std::string>>;

Stored stored_of(const std::string& path) {
  Network network = import_pt2(path);
  const TensorStores stores(network, images(), kFloat32);
  Stored stored;
  for (const TensorStore& store : stores.all()) {
    if (store.role != TensorRole::kActivation) {
      const bool is_new =
          stored.try_emplace(store.name, name_of(store.role), store.words, store.format.name())
              .second;
      EXPECT_TRUE(is_new) << path << ": two stores have the name " << store.name;
    }
  }
  for (const UnstruckTensor& tensor : stores.unstruck()) {
    stored.try_emplace(tensor.name, "unstruck", tensor.words, tensor.type);
  }
  return stored;
}

std::map<std::string, std::string> roles_of(const Stored& stored) {
  std::map<std::string, std::string> roles;
  for (const auto& [name, what] : stored) {
    roles[name] = std::get<0>(what);
  }
  return roles;
}

TEST(RolesTest, WhatAPersonWouldSayBeforeAndAfterDecomposition) {
  TS_NEEDS_PYTHON();
  ASSERT_FALSE(models().empty());
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(models())) {
    if (entry.path().extension() != ".txt") {
      continue;
    }
    std::ifstream file(entry.path());
    std::map<std::string, std::string> expected;
    for (std::string name, role; file >> name >> role;) {
      expected[name] = role;
    }
    const std::string path = models() + entry.path().stem().string();
    const Stored stored = stored_of(path + ".pt2");
    EXPECT_EQ(roles_of(stored), expected) << path;
    EXPECT_EQ(stored_of(path + "_decomposed.pt2"), stored) << path;
    ++seen;
  }
  EXPECT_GE(seen, 10);
}

TEST(RolesTest, EveryOperatorsModelStoresTheSameBeforeAndAfterDecomposition) {
  TS_NEEDS_EXPORTED();
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(exported())) {
    const std::string path = entry.path().string();
    const std::string end = "_decomposed.pt2";
    if (!path.ends_with(end)) {
      continue;
    }
    const std::string before = path.substr(0, path.size() - end.size()) + ".pt2";
    if (fs::exists(before)) {
      EXPECT_EQ(stored_of(path), stored_of(before)) << path;
      ++seen;
    }
  }
  EXPECT_GE(seen, 10);
}

TEST(RolesTest, AFlipInAStoredIntegerReachesTheWeightThatIsMadeOfIt) {
  TS_NEEDS_PYTHON();
  ASSERT_FALSE(models().empty());
  const std::string path = models() + "integers.pt2";
  Network network = import_pt2(path), changed = import_pt2(path);
  TensorStores stores(network, images(), kFloat32);
  for (const std::string name : {"q", "u"}) {
    const auto store = std::ranges::find(stores.all(), name, &TensorStore::name);
    ASSERT_NE(store, stores.all().end());
    EXPECT_EQ(store->format.name(), name == "q" ? "int8" : "uint8");
    const StoreId id(static_cast<std::uint32_t>(store - stores.all().begin()));
    const WordFault fault{.store = id, .word = 5, .flip = 0x40};
    const ValueId value = stores.backing(id).value;
    const c10::IValue before = changed.constants[value.value];
    at::Tensor words = before.toTensor().clone();
    static_cast<std::uint8_t*>(words.mutable_data_ptr())[5] ^= 0x40U;
    const auto answer_with = [&](const c10::IValue& constant) {
      changed.constants[value.value] = constant;
      for (const Layer& layer : changed.constant_layers) {
        layer.kernel->run(layer, changed.constants);
      }
      return Executor(changed).run(images());
    };
    const Executor executor(network);
    const at::Tensor golden = executor.run(images()), expected = answer_with(words);
    {
      ConstantStrike strike(stores, {&fault, 1});
      EXPECT_EQ(count_different(strike.run(executor, images(), true), expected), 0) << name;
    }
    EXPECT_GT(count_different(golden, expected), 0) << name;
    EXPECT_EQ(count_different(executor.run(images()), golden), 0) << name;
    EXPECT_EQ(count_different(answer_with(before), golden), 0) << name;
  }
}

TEST(RolesTest, AComplexParameterIsTwoWordsAnElement) {
  NetworkMaker maker;
  const at::Tensor number = at::complex(NetworkMaker::noise({6}, 1), NetworkMaker::noise({6}, 2));
  const ValueId product =
      maker.call("turn", "aten.mul.Tensor", {maker.images(), maker.constant(number)});
  Network network = maker.finish(maker.call("size", "aten.abs.default", {product}));
  const at::Tensor x = NetworkMaker::noise({2, 6}, 3);
  TensorStores stores(network, x, kFloat32);
  const TensorStore& store = stores.all().front();
  EXPECT_EQ(store.words, 12);
  EXPECT_EQ(store.format, kFloat32);
  EXPECT_EQ(store.role, TensorRole::kParameter);
  const WordFault fault{.store = StoreId(0), .word = 7, .flip = std::uint64_t{1} << 30};
  const Executor executor(network);
  const at::Tensor golden = executor.run(x);
  ConstantStrike strike(stores, {&fault, 1});
  const at::Tensor struck = strike.run(executor, x, true);
  for (std::int64_t column = 0; column < 6; ++column) {
    // Word 7 is the imaginary part of element 3.
    EXPECT_EQ(count_different(struck.select(1, column), golden.select(1, column)),
              column == 3 ? 2 : 0);
  }
}

}  // namespace
}  // namespace tilestrike::dnn
