// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Are images and labels read as they were meant, and is everything else refused with a cure?
#include "dnn/data.h"

#include <ATen/ops/arange.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <array>
#include <filesystem>
#include <limits>

#include "dnn/count_different.h"
#include "dnn/executor.h"
#include "tests/dnn/support.h"

namespace tilestrike::dnn {
namespace {

std::string file(const std::string& name) { return scratch_folder() + "/" + name; }

/// A .npy file by hand.
std::string npy(const std::string& descr, const std::string& shape, const std::string& data,
                bool is_fortran = false, char version = 1) {
  std::string header = "{'descr': " + descr +
                       ", 'fortran_order': " + (is_fortran ? "True" : "False") +
                       ", 'shape': " + shape + ", }";
  header.resize(117, ' ');
  header += '\n';
  std::string bytes = "\x93NUMPY";
  bytes += version;
  bytes += '\0';
  bytes += static_cast<char>(header.size());
  bytes += std::string(version == 1 ? 1 : 3, '\0');
  return bytes + header + data;
}

std::string idx(std::vector<int> sizes, const std::string& data, char type = 8) {
  std::string bytes{'\0', '\0', type, static_cast<char>(sizes.size())};
  for (const int size : sizes) {
    for (const int shift : {24, 16, 8, 0}) {
      bytes += static_cast<char>(size >> shift);
    }
  }
  return bytes + data;
}

void write_gzip(const std::string& path, const std::string& bytes) {
  const gzFile zipped = gzopen(path.c_str(), "wb");
  gzwrite(zipped, bytes.data(), static_cast<unsigned>(bytes.size()));
  gzclose(zipped);
}

void expect_failure(const std::string& images, const std::string& labels,
                    const std::vector<std::string>& parts) {
  const std::string message = failure_of([&] { load_data(images, labels); });
  EXPECT_FALSE(message.empty());
  for (const std::string& part : parts) {
    EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
  }
}

TEST(NpyTest, WhatIsWrittenIsReadBack) {
  for (const c10::ScalarType type : {c10::kFloat, c10::kDouble, c10::kHalf, c10::kByte, c10::kChar,
                                     c10::kShort, c10::kInt, c10::kLong, c10::kBool}) {
    for (const std::vector<std::int64_t>& shape :
         {std::vector<std::int64_t>{}, {0}, {24}, {2, 12}, {2, 3, 4}, {1, 24, 1, 1}}) {
      std::int64_t count = 1;
      for (const std::int64_t size : shape) {
        count *= size;
      }
      const at::Tensor tensor = at::arange(count).to(type).reshape(shape);
      write_npy(file("a.npy"), tensor);
      EXPECT_EQ(count_different(read_npy(file("a.npy")), tensor), 0) << c10::toString(type);
    }
  }
  EXPECT_EQ(bytes_of_file(file("a.npy")).size() % 64,
            24U % 64);  // 24 bools after an aligned header
}

TEST(NpyTest, TypesThatNumpyDoesNotHaveAreWrittenAsFloat32) {
  for (const c10::ScalarType type : {c10::kBFloat16, c10::kFloat8_e5m2}) {
    const at::Tensor tensor = at::arange(6).to(c10::kFloat).to(type);
    write_npy(file("a.npy"), tensor);
    EXPECT_EQ(count_different(read_npy(file("a.npy")), tensor.to(c10::kFloat)), 0)
        << c10::toString(type);
  }
}

TEST(NpyTest, ViewsAreWrittenInRowMajorOrder) {
  const at::Tensor tensor = at::arange(6).reshape({2, 3}).t();
  write_npy(file("a.npy"), tensor);
  EXPECT_TRUE(read_npy(file("a.npy")).equal(tensor));
}

TEST(NpyTest, OtherVersionsAndColumnMajorOrderAreRead) {
  const std::string bytes("\1\0\2\0\3\0\4\0\5\0\6\0", 12);
  write_file(file("a.npy"), npy("'<i2'", "(2, 3)", bytes, true));
  EXPECT_TRUE(
      read_npy(file("a.npy")).equal((at::arange(1, 7).to(c10::kShort).reshape({3, 2}).t())));
  for (const char version : {1, 2, 3}) {
    write_file(file("a.npy"), npy("'<i2'", "(6,)", bytes, false, version));
    EXPECT_TRUE(read_npy(file("a.npy")).equal(at::arange(1, 7).to(c10::kShort)));
  }
}

TEST(NpyTest, NumPyItselfReadsWhatIsWritten) {
  TS_NEEDS_PYTHON();
  write_npy(file("a.npy"), at::arange(12).to(c10::kFloat).reshape({3, 4}));
  write_file(file("check.py"),
             "import numpy, sys\na = numpy.load(sys.argv[1])\n"
             "assert a.dtype == numpy.float32 and (a == numpy.arange(12).reshape(3, 4)).all()\n");
  EXPECT_TRUE(run_python(file("check.py"), file("a.npy")));
}

TEST(NpyTest, CannotBeWrittenIsSaid) {
  const std::string message =
      failure_of([] { write_npy(file("no/folder/a.npy"), at::zeros({2})); });
  EXPECT_NE(message.find("no/folder/a.npy"), std::string::npos);
  EXPECT_NE(message.find("folder exists"), std::string::npos);
}

TEST(DataTest, BytesAreDividedBy255AndFloatsAreKept) {
  write_npy(file("x.npy"), at::arange(24).to(c10::kByte).reshape({2, 3, 4}));
  const at::Tensor images = load_data(file("x.npy"), "").images;
  EXPECT_EQ(images.sizes().vec(), (std::vector<std::int64_t>{2, 3, 4}));
  EXPECT_EQ(images.flatten()[5].item().toFloat(), 5.0F / 255.0F);
  write_npy(file("x.npy"), at::arange(24).to(c10::kDouble).reshape({2, 3, 4}));
  EXPECT_EQ(load_data(file("x.npy"), "").images.scalar_type(), c10::kFloat);
  EXPECT_EQ(load_data(file("x.npy"), "").images.flatten()[5].item().toFloat(), 5.0F);
}

TEST(DataTest, IdxFilesPlainAndCompressed) {
  const std::string bytes("\0\1\2\3\4\5\6\7\10\11\12\13", 12);
  write_file(file("x.idx"), idx({3, 2, 2}, bytes));
  write_gzip(file("x.idx.gz"), idx({3, 2, 2}, bytes));
  write_file(file("y.idx"), idx({3}, "\7\10\11"));
  for (const std::string name : {"x.idx", "x.idx.gz"}) {
    const DataSet data = load_data(file(name), file("y.idx"), 2);
    EXPECT_EQ(data.images.sizes().vec(), (std::vector<std::int64_t>{2, 1, 2, 2}));
    EXPECT_EQ(data.images.flatten()[7].item().toFloat(), 7.0F / 255.0F);
    EXPECT_TRUE(data.labels.equal(at::arange(7, 9)));
  }
}

TEST(RowChoiceTest, ASpreadHasARowOfEachPartAndNoPeriod) {
  for (const auto& [most, total] : std::vector<std::pair<std::int64_t, std::int64_t>>{
           {1000, 60'000}, {1000, 1001}, {7, 100}, {1, 50}, {999, 1'000'000'007}}) {
    const RowChoice choice = RowChoice::spread(most);
    ASSERT_EQ(choice.count(total), most);
    EXPECT_EQ(choice.row(0, total), 0);
    for (std::int64_t i = 0; i < most; ++i) {
      const std::int64_t row = choice.row(i, total);
      ASSERT_GE(row, i * total / most) << most << " of " << total;
      ASSERT_LT(row, (i + 1) * total / most) << most << " of " << total;
    }
  }
  // Classes in turns, with a period that the length of a part is a multiple of.
  std::array<int, 10> classes{};
  for (std::int64_t i = 0; i < 1000; ++i) {
    ++classes[static_cast<std::size_t>(RowChoice::spread(1000).row(i, 60'000) % 10)];
  }
  for (const int count : classes) {
    EXPECT_NEAR(count, 100, 5);
  }
  for (const RowChoice& all : {RowChoice(), RowChoice(60), RowChoice::spread(60)}) {
    EXPECT_EQ(all.count(50), 50);
    EXPECT_EQ(all.row(49, 50), 49);
  }
}

TEST(RowChoiceTest, EveryFormatGivesTheChosenRows) {
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    bytes += static_cast<char>(i);
  }
  write_file(file("s.idx"), idx({100, 1, 2}, bytes));
  write_gzip(file("s.gz"), idx({100, 1, 2}, bytes));
  write_file(file("s.npy"), npy("'|u1'", "(100, 1, 2)", bytes));
  std::string columns;  // Fortran's order: the first index varies fastest
  for (int i = 0; i < 200; ++i) {
    columns += static_cast<char>(i % 100 * 2 + i / 100);
  }
  write_file(file("f.npy"), npy("'|u1'", "(100, 1, 2)", columns, true));
  write_file(file("y.idx"), idx({100}, bytes.substr(0, 100)));
  const RowChoice choice = RowChoice::spread(7);
  for (const char* name : {"s.idx", "s.gz", "s.npy", "f.npy"}) {
    const DataSet data = load_data(file(name), file("y.idx"), choice);
    ASSERT_EQ(data.images.size(0), 7) << name;
    ASSERT_EQ(data.images.numel(), 14) << name;
    for (std::int64_t i = 0; i < 7; ++i) {
      const std::int64_t row = choice.row(i, 100);
      const auto* pixels = data.images.const_data_ptr<float>() + 2 * i;
      EXPECT_FLOAT_EQ(pixels[0] * 255.0F, static_cast<float>(2 * row)) << name;
      EXPECT_FLOAT_EQ(pixels[1] * 255.0F, static_cast<float>(2 * row + 1)) << name;
      EXPECT_EQ(data.labels.const_data_ptr<std::int64_t>()[i], row) << name;
    }
  }
}

TEST(DataTest, FashionMnistBringsItsLabels) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    expect_failure("fashion_mnist/test", "", {"dataset-fashion-mnist", "apt-get install"});
    return;
  }
  const DataSet data = load_data("fashion_mnist/test", "", 100);
  EXPECT_EQ(data.images.sizes().vec(), (std::vector<std::int64_t>{100, 1, 28, 28}));
  EXPECT_EQ(data.labels[0].item().toLong(), 9);  // an ankle boot
  EXPECT_EQ(load_data("fashion_mnist/test", "").images.size(0), 10000);
  expect_failure("fashion_mnist/tset", "",
                 {"'fashion_mnist/tset'", "did you mean 'fashion_mnist/test'"});
}

TEST(DataTest, MostKeepsTheFirstAndReadsNoFurther) {
  write_npy(file("x.npy"), at::arange(24).to(c10::kFloat).reshape({6, 2, 2}));
  write_npy(file("y.npy"), at::arange(6).to(c10::kByte));
  const DataSet data = load_data(file("x.npy"), file("y.npy"), 4);
  EXPECT_TRUE(data.images.equal(at::arange(16).to(c10::kFloat).reshape({4, 2, 2})));
  EXPECT_TRUE(data.labels.equal(at::arange(4)));
  EXPECT_EQ(load_data(file("x.npy"), file("y.npy"), 99).images.size(0), 6);
}

TEST(DataTest, FilesThatCannotBeImagesAreRefused) {
  expect_failure(file("missing.npy"), "", {"missing.npy", "no such file", "fashion_mnist/test"});
  expect_failure(scratch_folder(), "", {"folder"});
  write_file(file("x.npy"), "hello");
  expect_failure(file("x.npy"), "", {"x.npy", "not a .npy file", "numpy.save"});
  write_file(file("x.bin"), "hello, this is text");
  expect_failure(file("x.bin"), "", {"x.bin", "neither a .npy nor an IDX file", "numpy.save"});
  write_file(file("x.npy"), npy("'|O'", "(2, 2)", "0123"));
  expect_failure(file("x.npy"), "", {"Python objects", "astype"});
  write_file(file("x.npy"), npy("'>f4'", "(1, 1)", "0123"));
  expect_failure(file("x.npy"), "", {"'>f4'", "little-endian", "astype"});
  write_file(file("x.npy"), npy("[('a', '<f4')]", "(1, 1)", "0123"));
  expect_failure(file("x.npy"), "", {"records", "numpy.save"});
  write_npy(file("x.npy"), at::zeros({2, 2}, c10::kInt));
  expect_failure(file("x.npy"), "", {"Int", "float32", "uint8"});
  write_npy(file("x.npy"), at::zeros({4}));
  expect_failure(file("x.npy"), "", {"(4,)", "channels, height, width"});
  write_npy(file("x.npy"), at::zeros({0, 1, 2, 2}));
  expect_failure(file("x.npy"), "", {"no images", "(0, 1, 2, 2)"});
  at::Tensor bad = at::zeros({3, 2, 2});
  bad[1][0][1] = std::numeric_limits<float>::quiet_NaN();
  write_npy(file("x.npy"), bad);
  expect_failure(file("x.npy"), "", {"image 1 holds NaN", "nan_to_num"});
}

TEST(DataTest, TruncatedFilesAreRefusedAtAnyLength) {
  write_npy(file("whole.npy"), at::zeros({3, 2, 2}));
  write_file(file("whole.idx"), idx({3, 2, 2}, std::string(12, '\1')));
  write_gzip(file("whole.gz"), idx({3, 2, 2}, std::string(12, '\1')));
  for (const std::string name : {"whole.npy", "whole.idx", "whole.gz"}) {
    const std::string bytes = bytes_of_file(file(name));
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      const std::string part = file("part" + name.substr(5));
      write_file(part, bytes.substr(0, length));
      const std::string message = failure_of([&] { load_data(part, ""); });
      EXPECT_TRUE(message.starts_with(part)) << name << " " << length << ": " << message;
    }
  }
  write_file(file("x.npy"), npy("'<f4'", "(3, 2, 2)", "0123"));
  expect_failure(file("x.npy"), "", {"4 bytes", "(3, 2, 2) takes 48", "truncated or damaged"});
  write_file(file("x.npy"), npy("'<f4'", "(1099511627776, 1099511627776)", "0123"));
  expect_failure(file("x.npy"), "", {"takes more", "truncated or damaged"});
  write_file(file("x.idx"), idx({2147483647, 65535, 65535}, "0123"));
  expect_failure(file("x.idx"), "", {"fewer bytes", "fetch it again"});
  write_file(file("x.idx"), idx({2, 1, 1}, "012"));
  expect_failure(file("x.idx"), "", {"more bytes", "(2, 1, 1)"});
  write_file(file("x.idx"), idx({1, 1, 1}, "0123", 13));
  expect_failure(file("x.idx"), "", {"IDX type 13", "numpy.save"});
}

TEST(DataTest, LabelsThatDoNotMatchAreRefused) {
  write_npy(file("x.npy"), at::zeros({3, 2, 2}));
  write_npy(file("y.npy"), at::zeros({2}, c10::kLong));
  expect_failure(file("x.npy"), file("y.npy"), {"y.npy", "2 labels for 3 images"});
  write_npy(file("y.npy"), at::zeros({2, 3}));
  expect_failure(file("x.npy"), file("y.npy"), {"y.npy", "2 labels for 3 images"});
  at::Tensor bad = at::zeros({3, 2});
  bad[1][0] = std::numeric_limits<float>::quiet_NaN();
  write_npy(file("y.npy"), bad);
  expect_failure(file("x.npy"), file("y.npy"), {"label 1 holds a NaN", "leave"});
}

TEST(DataTest, LabelsKeepTheirShape) {
  write_npy(file("x.npy"), at::zeros({3, 2, 2}));
  write_npy(file("y.npy"), at::arange(12).to(c10::kByte).reshape({3, 2, 2}));
  EXPECT_TRUE(load_data(file("x.npy"), file("y.npy"), 2)
                  .labels.equal(at::arange(8).to(c10::kByte).reshape({2, 2, 2})));
  write_npy(file("y.npy"), at::arange(6).to(c10::kDouble).reshape({3, 2}));
  EXPECT_TRUE(load_data(file("x.npy"), file("y.npy"))
                  .labels.equal(at::arange(6).to(c10::kFloat).reshape({3, 2})));
}

TEST(DataTest, ImagesThatDoNotFitTheNetworkAreRefusedWithBothShapes) {
  const std::vector<std::int64_t> network{-1, 3, 32, 24};
  EXPECT_NO_THROW(check_images_fit(at::zeros({7, 3, 32, 24}), "x.npy", network));
  const auto expect = [&](const at::Tensor& images, const std::string& shape,
                          const std::string& cure) {
    const std::string message = failure_of([&] { check_images_fit(images, "x.npy", network); });
    for (const std::string& part :
         {std::string("x.npy"), shape, std::string("(N, 3, 32, 24)"), cure}) {
      EXPECT_NE(message.find(part), std::string::npos) << "no '" << part << "' in: " << message;
    }
  };
  expect(at::zeros({7, 1, 28, 28}), "(7, 1, 28, 28)", "export the model");
  expect(at::zeros({7, 32, 24, 3}), "(7, 32, 24, 3)", "transpose(0, 3, 1, 2)");
  expect(at::zeros({3, 32, 24}), "(3, 32, 24)", "images[None]");
  const std::string message = failure_of([] {
    check_images_fit(at::zeros({7, 28, 28}), "x.npy", {-1, 1, 28, 28});
  });
  EXPECT_NE(message.find("images[:, None]"), std::string::npos) << message;
}

}  // namespace
}  // namespace tilestrike::dnn
