// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does the reader of pickles understand plain tensors, and nothing else, whatever it is given?
#include "dnn/import/pickle.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/dnn/pickled.h"

namespace tilestrike::dnn {
namespace {

const std::string kRebuild = "ctorch._utils\n_rebuild_tensor_v2\n";

/// What is wrong with a pickle of one tensor; empty: nothing. Anything but a PickleError ends the
/// test.
std::string failure_of_pickle(const std::string& bytes) {
  try {
    stored_tensor(Pickle(bytes).root());
    return {};
  } catch (const PickleError& error) {
    return error.what();
  }
}

TEST(PickleTest, ATensorIsAViewOfARecord) {
  const Pickle pickle(pickle_of(kRebuild, "HalfStorage", {3, 4}));
  const StoredTensor tensor = stored_tensor(pickle.root());
  EXPECT_EQ(tensor.record, "data/0");
  EXPECT_EQ(tensor.type, c10::kHalf);
  EXPECT_EQ(tensor.offset, 0);
  EXPECT_EQ(tensor.sizes, (std::vector<std::int64_t>{3, 4}));
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{4, 1}));
}

TEST(PickleTest, NumbersHaveTheirSigns) {
  using Kind = PickleValue::Kind;
  const auto number = [](const std::string& bytes) {
    const Pickle pickle(bytes + ".");
    EXPECT_EQ(pickle.root().kind, Kind::kInteger);
    return pickle.root().number;
  };
  EXPECT_EQ(number("K\xff"), 255);
  EXPECT_EQ(number(std::string("J\xfe\xff\xff\xff")), -2);
  EXPECT_EQ(number("\x8a\x01\xff"), -1);
  EXPECT_EQ(number(std::string("\x8a\x02\xff\x00", 4)), 255);
  EXPECT_EQ(number(std::string("\x8a\x00", 2)), 0);
  EXPECT_EQ(number("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f"), INT64_MAX);
  EXPECT_EQ(Pickle(std::string("G\x3f\xf8\x00\x00\x00\x00\x00\x00.", 10)).root().real, 1.5);
}

TEST(PickleTest, NothingIsCalledAndWhatIsNoTensorIsNamed) {
  EXPECT_NE(failure_of_pickle("\x80\x02"
                              "cposix\nsystem\n)R.")
                .find("posix.system"),
            std::string::npos);
  EXPECT_NE(failure_of_pickle(pickle_of(kRebuild, "QInt8Storage", {2})).find("torch.QInt8Storage"),
            std::string::npos);
  EXPECT_NE(failure_of_pickle(pickle_of("cmine\nmake\n", "FloatStorage", {2})).find("mine.make"),
            std::string::npos);
}

TEST(PickleTest, DamagedPicklesAreSaid) {
  for (const char* bytes :
       {"",    "\x80",     ".",         "(",  "h\x01.",   "K",  "}K\x01s.",          "NNs.",
        "Na.", "t.",       "\x85.",     "R.", "\x8a\x09", "cx", "X\xff\xff\xff\xff", "I1\n.",
        "Q.",  "(K\x01u.", "}(K\x01u.", "(R."}) {
    EXPECT_NE(failure_of_pickle(bytes), "") << bytes;
  }
}

TEST(PickleTest, AListWithinItselfIsHeldAndLetGo) {
  const Pickle pickle(
      "]q\x01h\x01"
      "a.");
  EXPECT_EQ(pickle.root().items.front(), &pickle.root());
  EXPECT_NE(failure_of_pickle("]q\x01h\x01"
                              "a."),
            "");
}

TEST(PickleTest, AnyBytesInPlaceOfAnyOthersNeverCrash) {
  const std::string whole = pickle_of(kRebuild, "FloatStorage", {2, 3});
  int refused = 0;
  for (std::uint64_t trial = 0; trial < 20000; ++trial) {
    RandomStream stream(4, trial, Purpose::kTest);
    std::string bytes = whole;
    for (std::uint64_t changes = 1 + stream.below(4); changes > 0; --changes) {
      bytes[stream.below(bytes.size())] = stream.below(2) == 0
                                              ? static_cast<char>(stream.below(256))
                                              : whole[stream.below(whole.size())];
    }
    refused += failure_of_pickle(bytes).empty() ? 0 : 1;
  }
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace tilestrike::dnn
