// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is what a start keeps what the next one finds, and never anything else?
#include "bridge/study/start_cache.h"

#include <ATen/ops/equal.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "bridge/study/workload.h"
#include "dnn/executor.h"
#include "tests/bridge/zoo.h"

namespace tilestrike::bridge {
namespace {

class StartCacheTest : public testing::Test {
 protected:
  StartCacheTest()
      : folder_(std::filesystem::temp_directory_path() /
                ("tilestrike-start-cache-" + std::to_string(::getpid()))) {
    std::filesystem::remove_all(folder_);
    source_.model = zoo_path("lenet5");
    source_.images = "fashion_mnist/test";
    source_.calibrate = "fashion_mnist/train";
    source_.calibrate_use = 20;
    source_.use = 30;
    source_.device = "cpu";
    source_.cache = folder_.string();
  }
  ~StartCacheTest() override { std::filesystem::remove_all(folder_); }

  std::vector<std::filesystem::path> files() const {
    std::vector<std::filesystem::path> all;
    if (std::filesystem::exists(folder_)) {
      for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
        all.push_back(entry.path());
      }
    }
    return all;
  }

  at::Tensor golden_answers() const {
    const Workload load = load_workload(source_, true);
    return run_golden(load, dnn::Executor(load.network), 10, source_, "int8").answers;
  }

  std::filesystem::path folder_;
  NetworkSource source_;
};

TEST_F(StartCacheTest, FindsWhatWasKeptUnderItsKeyAlone) {
  const StartCache cache(folder_.string());
  EXPECT_FALSE(cache.find("scales", "a key"));
  cache.keep("scales", "a key", std::string("some content"));
  ASSERT_TRUE(cache.find("scales", "a key"));
  EXPECT_EQ(cache.find("scales", "a key")->toStringRef(), "some content");
  EXPECT_FALSE(cache.find("scales", "another key"));
  EXPECT_FALSE(cache.find("golden", "a key"));
}

TEST_F(StartCacheTest, WhatIsNotWhatWasKeptIsNotFound) {
  const StartCache cache(folder_.string());
  cache.keep("scales", "key", std::string("some content"));
  const std::string kept = read_text_file(files().at(0).string());
  for (std::size_t length : {std::size_t{0}, std::size_t{20}, kept.size() - 1}) {
    std::ofstream(files().at(0), std::ios::binary) << kept.substr(0, length);
    EXPECT_FALSE(cache.find("scales", "key")) << length;
  }
  std::string changed = kept;
  changed.back() ^= 1;
  std::ofstream(files().at(0), std::ios::binary) << changed;
  EXPECT_FALSE(cache.find("scales", "key"));
  std::ofstream(files().at(0), std::ios::binary) << kept;
  EXPECT_TRUE(cache.find("scales", "key"));
}

TEST_F(StartCacheTest, WithoutAFolderNothingIsKept) {
  const StartCache cache("");
  cache.keep("scales", "key", std::string("some content"));
  EXPECT_FALSE(cache.find("scales", "key"));
}

TEST_F(StartCacheTest, AFolderThatCannotBeMadeCostsNothingElse) {
  const StartCache cache("/dev/null/folder");
  cache.keep("scales", "key", std::string("some content"));
  EXPECT_FALSE(cache.find("scales", "key"));
}

TEST_F(StartCacheTest, ASecondStartGivesTheSameFromWhatIsKept) {
  const at::Tensor first = golden_answers();
  ASSERT_EQ(files().size(), 2U);  // scales, golden
  std::vector<std::filesystem::file_time_type> written;
  for (const auto& file : files()) {
    written.push_back(std::filesystem::last_write_time(file));
  }
  EXPECT_TRUE(at::equal(golden_answers(), first));
  ASSERT_EQ(files().size(), 2U);
  for (std::size_t i = 0; i < written.size(); ++i) {
    EXPECT_EQ(std::filesystem::last_write_time(files()[i]), written[i]);
  }
  source_.cache.clear();
  EXPECT_TRUE(at::equal(golden_answers(), first));
}

TEST_F(StartCacheTest, WhatDependsOnOtherInputsIsComputedAnew) {
  const at::Tensor first = golden_answers();
  const auto expect_more_files = [&](std::size_t more, const std::string& what) {
    const std::size_t before = files().size();
    golden_answers();
    EXPECT_EQ(files().size(), before + more) << what;
  };
  source_.use = 20;
  expect_more_files(2, "other images");
  source_.calibrate_use = 30;
  expect_more_files(2, "other calibration images");
  source_.model = zoo_path("resnet8");
  expect_more_files(2, "another model");
  expect_more_files(0, "the same");
}

TEST_F(StartCacheTest, ACalibrationComesBackWhole) {
  Calibration before;
  before.images_hash = "hash";
  before.warnings = {"one", "two"};
  before.values.resize(3);
  before.values[1].is_tensor = before.values[1].is_float = true;
  before.values[1].largest = 0.1;
  before.values[1].sizes = {50, 1, 28, 28};
  before.values[2].is_tensor = true;
  before.values[2].type = c10::kLong;
  const Calibration after = Calibration::of(before.kept());
  EXPECT_EQ(after.images_hash, before.images_hash);
  EXPECT_EQ(after.warnings, before.warnings);
  ASSERT_EQ(after.values.size(), before.values.size());
  for (std::size_t i = 0; i < after.values.size(); ++i) {
    EXPECT_EQ(after.values[i].is_tensor, before.values[i].is_tensor);
    EXPECT_EQ(after.values[i].is_float, before.values[i].is_float);
    EXPECT_EQ(after.values[i].type, before.values[i].type);
    EXPECT_EQ(after.values[i].largest, before.values[i].largest);
    EXPECT_EQ(after.values[i].sizes, before.values[i].sizes);
  }
}

}  // namespace
}  // namespace tilestrike::bridge
