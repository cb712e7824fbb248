// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Is a file that is no NIR file, damaged, or made to do harm, refused before it takes memory?
#include <gtest/gtest.h>
#include <hdf5.h>
#include <zlib.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "tests/dnn/nir_files.h"

namespace tilestrike::dnn {
namespace {

/// small_nir(), changed by HDF5's own calls; what import says.
class DamagedFile {
 public:
  explicit DamagedFile(const std::function<void(hid_t)>& change, bool is_old = true) {
    NirTestFile file = small_nir();
    file.is_old = is_old;
    path_ = folder_.write(file);
    const hid_t opened = H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    change(opened);
    EXPECT_EQ(H5Fclose(opened), 0);
  }
  std::string refusal() const {
    return folder_.without_folder(errors_of([&] { import_nir(path_); }));
  }
  /// Of the first layer.
  std::vector<float> weights() const {
    return import_nir(path_).layers.front().synapses.front().weights;
  }

 private:
  NirFolder folder_;
  std::string path_;
};

std::string refusal(const std::function<void(hid_t)>& change) {
  return DamagedFile(change).refusal();
}

std::string read_bytes(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

constexpr const char* kWeight = "/node/nodes/fc/weight";
constexpr const char* kAgain = "; write the file again, with h5py or the Python package nir";

hid_t creation_of(const std::vector<hsize_t>& chunk) {
  const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
  EXPECT_EQ(H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data()), 0);
  return creation;
}

/// A data set in the place of the weights, with nothing in it yet.
hid_t replace_weight(hid_t file, const std::vector<hsize_t>& sizes, hid_t type,
                     hid_t creation = H5P_DEFAULT) {
  EXPECT_EQ(H5Ldelete(file, kWeight, H5P_DEFAULT), 0);
  const hid_t space = H5Screate_simple(static_cast<int>(sizes.size()), sizes.data(), nullptr);
  const hid_t data = H5Dcreate2(file, kWeight, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
  EXPECT_GE(data, 0);
  H5Sclose(space);
  return data;
}

std::vector<unsigned char> deflated(std::size_t zeros) {
  const std::vector<unsigned char> plain(zeros, 0);
  uLongf size = compressBound(zeros);
  std::vector<unsigned char> packed(size);
  EXPECT_EQ(compress(packed.data(), &size, plain.data(), zeros), Z_OK);
  packed.resize(size);
  return packed;
}

/// (2, 3) float32 weights in one deflated chunk with the bytes given.
std::string refusal_of_chunk(const std::vector<unsigned char>& bytes) {
  return refusal([&](hid_t file) {
    const hid_t creation = creation_of({2, 3});
    EXPECT_EQ(H5Pset_deflate(creation, 9), 0);
    const hid_t data = replace_weight(file, {2, 3}, H5T_IEEE_F32LE, creation);
    const hsize_t first[] = {0, 0};
    EXPECT_EQ(H5Dwrite_chunk(data, H5P_DEFAULT, 0, first, bytes.size(), bytes.data()), 0);
    H5Dclose(data);
    H5Pclose(creation);
  });
}

TEST(NirDamagedTest, WhatIsNoHdf5File) {
  const NirFolder folder;
  const std::string path = folder.folder().write("net.nir", "this is no HDF5 file");
  EXPECT_EQ(folder.without_folder(errors_of([&] { import_nir(path); })),
            std::string("net.nir: this is no HDF5 file, or a damaged one (HDF5 says: file "
                        "signature not found)") +
                kAgain);
  folder.folder().write("net.nir", "");
  EXPECT_NE(errors_of([&] { import_nir(path); }).find("this is no HDF5 file"), std::string::npos);
  std::filesystem::remove(path);
  EXPECT_EQ(folder.without_folder(errors_of([&] { import_nir(path); })),
            "net.nir: no such file; check the path");
  std::filesystem::create_directory(path);
  EXPECT_EQ(folder.without_folder(errors_of([&] { import_nir(path); })),
            "net.nir: this is no regular file; name the .nir file");
}

TEST(NirDamagedTest, TruncatedFiles) {
  for (const bool is_old : {true, false}) {
    NirTestFile file = small_nir();
    file.is_old = is_old;
    const NirFolder folder;
    const std::string path = folder.write(file);
    const auto size = std::filesystem::file_size(path);
    for (std::uintmax_t left = 0; left < size; left += size / 23) {
      folder.write(file);
      std::filesystem::resize_file(path, left);
      const std::string text = errors_of([&] { import_nir(path); });
      EXPECT_NE(text.find("this is no HDF5 file, or a damaged one"), std::string::npos)
          << left << " of " << size << ": " << text;
    }
  }
}

TEST(NirDamagedTest, WhatIsHdf5ButNoNir) {
  EXPECT_EQ(refusal([](hid_t file) { H5Ldelete(file, "/node", H5P_DEFAULT); }),
            "net.nir: there is no group 'node', so this is no NIR file; write the file with "
            "nir.write() of the Python package nir");
  EXPECT_EQ(refusal([](hid_t file) { H5Ldelete(file, "/node/type", H5P_DEFAULT); }),
            "net.nir:/node: there is no 'type' here; write the file with nir.write() of the Python "
            "package nir");
  EXPECT_EQ(refusal([](hid_t file) { H5Ldelete(file, "/node/nodes/fc/type", H5P_DEFAULT); }),
            "net.nir:/node/nodes/fc: there is no 'type' here; write the file with nir.write() of "
            "the Python package nir");
  EXPECT_EQ(refusal([](hid_t file) { H5Ldelete(file, "/node/edges", H5P_DEFAULT); }),
            "net.nir:/node/edges: there are no edges; write the file with nir.write() of the "
            "Python package nir");
  EXPECT_EQ(refusal([](hid_t file) {
              H5Lcreate_hard(file, kWeight, file, "/node/nodes/bare", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "net.nir:/node/nodes/bare: this is no group of a node's values; write the file with "
            "nir.write() of the Python package nir");
  EXPECT_EQ(refusal([](hid_t file) {
              H5Ldelete(file, "/node/nodes/fc/type", H5P_DEFAULT);
              H5Lcreate_hard(file, kWeight, file, "/node/nodes/fc/type", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "net.nir:/node/nodes/fc: 'type' is not one text; write the file with nir.write() of "
            "the Python package nir");
  EXPECT_EQ(refusal([](hid_t file) {
              H5Ldelete(file, "/node/type", H5P_DEFAULT);
              H5Lcreate_hard(file, "/node/nodes/fc/type", file, "/node/type", H5P_DEFAULT,
                             H5P_DEFAULT);
            }),
            "net.nir:/node/type: the file holds a single Affine, no NIRGraph; put it between an "
            "Input and an Output, in a NIRGraph");
  EXPECT_EQ(refusal([](hid_t file) {
              H5Ldelete(file, "/node/edges", H5P_DEFAULT);
              H5Lcreate_hard(file, kWeight, file, "/node/edges", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "net.nir:/node/edges: an edge has an end that is no node; write the file with "
            "nir.write() of the Python package nir");
  NirTestFile later = small_nir();
  later.version = "2.0.0";
  EXPECT_EQ(NirFolder().errors_of_import(later),
            "net.nir:/version: the file is of version 2.0.0 of NIR; versions up to 1 are read; "
            "write it with the package nir 1.x");
}

TEST(NirDamagedTest, DataElsewhereAreNotFetched) {
  EXPECT_EQ(refusal([](hid_t file) {
              H5Lcreate_soft("/node/nodes/fc", file, "/node/nodes/again", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "net.nir:/node/nodes/again: this is a link to somewhere else; write the data "
            "themselves there");
  EXPECT_EQ(refusal([](hid_t file) {
              H5Ldelete(file, "/node", H5P_DEFAULT);
              H5Lcreate_external("/etc/other.h5", "/node", file, "/node", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "net.nir:/node: this is a link to somewhere else; write the data themselves there");
  const std::string elsewhere = std::string("net.nir:") + kWeight +
                                ": its data are in another file; write the data themselves there";
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
              H5Pset_external(creation, "/etc/passwd", 0, 24);
              H5Dclose(replace_weight(file, {2, 3}, H5T_IEEE_F32LE, creation));
              H5Pclose(creation);
            }),
            elsewhere);
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
              const hsize_t sizes[] = {2, 3};
              const hid_t space = H5Screate_simple(2, sizes, nullptr);
              H5Pset_virtual(creation, space, "other.h5", "/weight", space);
              H5Dclose(replace_weight(file, {2, 3}, H5T_IEEE_F32LE, creation));
              H5Sclose(space);
              H5Pclose(creation);
            }),
            elsewhere);
}

TEST(NirDamagedTest, OtherFiltersAreNamed) {
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t creation = creation_of({2, 3});
              H5Pset_fletcher32(creation);
              H5Dclose(replace_weight(file, {2, 3}, H5T_IEEE_F32LE, creation));
              H5Pclose(creation);
            }),
            std::string("net.nir:") + kWeight +
                ": its data are packed by filter 3; known are deflate (gzip) and shuffle; write "
                "with compression='gzip'");
}

TEST(NirDamagedTest, ShapesThatNoFileHolds) {
  const std::string too_many = std::string("net.nir:") + kWeight +
                               ": its shape says that it holds more numbers than a file may, which "
                               "is 134217728" +
                               kAgain;
  for (const std::vector<hsize_t>& sizes :
       {std::vector<hsize_t>{1'000'000'000}, {1 << 27, 1 << 27}, {hsize_t{1} << 59, 1}}) {
    EXPECT_EQ(refusal([&](hid_t file) {
                const hid_t creation = creation_of(std::vector<hsize_t>(sizes.size(), 1));
                H5Dclose(replace_weight(file, sizes, H5T_IEEE_F32LE, creation));
                H5Pclose(creation);
              }),
              too_many);
  }
  // Within the bound, but nothing is stored.
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t creation = creation_of({1 << 20});
              H5Dclose(replace_weight(file, {100'000'000}, H5T_IEEE_F32LE, creation));
              H5Pclose(creation);
            }),
            std::string("net.nir:") + kWeight +
                ": the data set holds less than its shape says: a chunk is missing" + kAgain);
  EXPECT_EQ(refusal([](hid_t file) {
              H5Dclose(replace_weight(file, {2, 3}, H5T_IEEE_F32LE));  // late allocation: none yet
            }),
            std::string("net.nir:") + kWeight +
                ": the data set holds less than its shape says; the file is damaged; write it "
                "again");
}

TEST(NirDamagedTest, CompressedBombs) {
  const std::string where = std::string("net.nir:") + kWeight + ": ";
  const std::string cure = "; the file is damaged; write it again";
  EXPECT_EQ(refusal_of_chunk(deflated(24)), "");
  EXPECT_EQ(refusal_of_chunk(deflated(10'000'000)),
            where + "the deflated data hold more than the data set's shape says" + cure);
  EXPECT_EQ(refusal_of_chunk(deflated(23)), where + "the deflated data cannot be unpacked" + cure);
  EXPECT_EQ(refusal_of_chunk({1, 2, 3, 4, 5, 6, 7, 8}),
            where + "the deflated data cannot be unpacked" + cure);
  // A large shape over a small chunk of zeros.
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t creation = creation_of({50'000'000});
              H5Pset_deflate(creation, 9);
              const hid_t data = replace_weight(file, {50'000'000}, H5T_IEEE_F32LE, creation);
              const auto bytes = deflated(1000);
              const hsize_t first[] = {0};
              H5Dwrite_chunk(data, H5P_DEFAULT, 0, first, bytes.size(), bytes.data());
              H5Dclose(data);
              H5Pclose(creation);
            }),
            where + "the data set holds less than its shape says" + cure);
}

TEST(NirDamagedTest, NestingBeyondBounds) {
  const auto nested = [](int depth) {
    return refusal([&](hid_t file) {
      std::string place = "/node/nodes/fc";  // the third level of groups
      for (int i = 3; i < depth; ++i) {
        place += "/g";
        H5Gclose(H5Gcreate2(file, place.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
      }
    });
  };
  EXPECT_NE(nested(32).find("'g' is a group"), std::string::npos);
  EXPECT_NE(nested(33).find("groups are nested beyond 32"), std::string::npos);
  EXPECT_NE(nested(200).find("groups are nested beyond 32"), std::string::npos);
  // A group that holds itself.
  EXPECT_NE(refusal([](hid_t file) {
              H5Lcreate_hard(file, "/node", file, "/node/nodes/fc/again", H5P_DEFAULT, H5P_DEFAULT);
            }).find("groups are nested beyond 32"),
            std::string::npos);
}

TEST(NirDamagedTest, WhatMakesHdf5RunForEver) {
  const NirFolder folder;
  const std::string path = folder.write(small_nir());
  std::string bytes = read_bytes(path);
  // The first free block of each local heap is followed by itself.
  int heaps = 0;
  for (std::size_t at = 0; (at = bytes.find("HEAP", at)) != std::string::npos; at += 4) {
    std::uint64_t free = 0, data = 0;
    std::memcpy(&free, bytes.data() + at + 16, 8);
    std::memcpy(&data, bytes.data() + at + 24, 8);
    if (data + free + 8 <= bytes.size()) {
      std::memcpy(bytes.data() + data + free, &free, 8);
      ++heaps;
    }
  }
  ASSERT_GT(heaps, 0);
  std::ofstream(path, std::ios::binary) << bytes;
  const std::string text = folder.without_folder(errors_of([&] { import_nir(path); }));
  // Which bound it meets first depends on the machine, and on sanitizers.
  EXPECT_TRUE(text.starts_with("net.nir: HDF5, at work on this file, ") ||
              text.find("(HDF5 says: memory allocation failed") != std::string::npos)
      << text;
}

TEST(NirDamagedTest, MetadataAreNotRead) {
  EXPECT_EQ(refusal([](hid_t file) {
              const hid_t group = H5Gcreate2(file, "/node/nodes/fc/metadata", H5P_DEFAULT,
                                             H5P_DEFAULT, H5P_DEFAULT);
              H5Lcreate_soft("/nowhere", group, "link", H5P_DEFAULT, H5P_DEFAULT);
              H5Gclose(group);
              H5Lcreate_soft("/nowhere", file, "/something_else", H5P_DEFAULT, H5P_DEFAULT);
            }),
            "");
}

TEST(NirDamagedTest, NumbersOfOtherTypes) {
  const auto weights_as = [](hid_t type, const std::vector<double>& numbers) {
    return DamagedFile([&](hid_t file) {
             const hid_t data = replace_weight(file, {2, 3}, type);
             EXPECT_EQ(
                 H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()),
                 0);
             H5Dclose(data);
           })
        .weights();
  };
  const auto expect_read = [&](hid_t type, const std::vector<double>& numbers) {
    SCOPED_TRACE(std::to_string(8 * H5Tget_size(type)) + " bits");
    EXPECT_EQ(weights_as(type, numbers), std::vector<float>(numbers.begin(), numbers.end()));
  };
  // All that are read (dnn/nir/hdf5_map.cpp), with numbers of all bytes.
  const double large = std::ldexp(1.0, 40);
  for (const hid_t type : {H5T_IEEE_F32LE, H5T_IEEE_F64LE, H5T_IEEE_F32BE, H5T_IEEE_F64BE}) {
    expect_read(type, {1, -1.25, 77, -0.001953125, large, -large});
  }
  for (const hid_t type :
       {H5T_STD_I8LE, H5T_STD_I16LE, H5T_STD_I32LE, H5T_STD_I64LE, H5T_STD_I32BE, H5T_STD_I64BE}) {
    const double high = std::ldexp(1.0, static_cast<int>(8 * H5Tget_size(type)) - 2);
    expect_read(type, {1, -1, 77, -78, high, -high});
  }
  for (const hid_t type : {H5T_STD_U8LE, H5T_STD_U16LE, H5T_STD_U32LE, H5T_STD_U64LE}) {
    const double top = std::ldexp(1.0, static_cast<int>(8 * H5Tget_size(type)) - 1);
    expect_read(type, {1, 0, 77, 200, top, top + top / 2});
  }
  const auto refusal_of = [](hid_t type) {
    return refusal([&](hid_t file) { H5Dclose(replace_weight(file, {2, 3}, type)); });
  };
  EXPECT_NE(refusal_of(H5T_STD_B8LE).find("its type is none that is read"), std::string::npos);
  const hid_t half = H5Tcopy(H5T_IEEE_F32LE);
  H5Tset_fields(half, 15, 10, 5, 0, 10);
  H5Tset_size(half, 2);
  EXPECT_NE(refusal_of(half).find("known are integers of up to 64 bits, float32, float64"),
            std::string::npos);
  H5Tclose(half);
}

}  // namespace
}  // namespace tilestrike::dnn
