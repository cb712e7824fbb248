// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does every error say what, where and how to cure it, and give the right exit code?
#include "base/error.h"

#include <gtest/gtest.h>

namespace tilestrike {
namespace {

TEST(Error, TextLeavesOutWhatIsEmpty) {
  EXPECT_EQ((Error{ErrorCode::kNotFound, "no such file", "a.yaml", "check the path"}.text()),
            "a.yaml: no such file; check the path");
  EXPECT_EQ((Error{ErrorCode::kNotFound, "no such file", "", ""}.text()), "no such file");
  EXPECT_EQ((Error{ErrorCode::kNotFound, "no such file", "a.yaml", ""}.text()),
            "a.yaml: no such file");
}

TEST(Error, ExitCodeFollowsTheKind) {
  const std::pair<ErrorCode, int> expected[] = {
      {ErrorCode::kInvalidInput, 2},    {ErrorCode::kNotFound, 2}, {ErrorCode::kUnsupported, 2},
      {ErrorCode::kVersionMismatch, 2}, {ErrorCode::kMachine, 3},  {ErrorCode::kInterrupted, 130}};
  for (const auto& [code, exit_code] : expected) {
    EXPECT_EQ(Failure(Error{code, "x", "", ""}).exit_code(), exit_code);
  }
}

TEST(Error, FailThrowsOneErrorWithAllItsParts) {
  try {
    fail(ErrorCode::kMachine, "disk full", "out.sqlite", "free some space");
    FAIL() << "fail() returned";
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 1U);
    EXPECT_EQ(failure.errors()[0].code, ErrorCode::kMachine);
    EXPECT_STREQ(failure.what(), "out.sqlite: disk full; free some space");
  }
}

TEST(ErrorList, EmptyThrowsNothing) {
  const ErrorList errors;
  EXPECT_TRUE(errors.empty());
  EXPECT_NO_THROW(errors.throw_if_any());
}

TEST(ErrorList, ThrowsAllInOrder) {
  ErrorList errors;
  errors.add(ErrorCode::kInvalidInput, "first");
  errors.add(ErrorCode::kMachine, "second");
  EXPECT_FALSE(errors.empty());
  try {
    errors.throw_if_any();
    FAIL() << "nothing was thrown";
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 2U);
    EXPECT_STREQ(failure.what(), "first\nsecond");
    EXPECT_EQ(failure.exit_code(), 2) << "the first error decides";
  }
}

TEST(ErrorList, ShowsTwentyAndCountsTheRest) {
  ErrorList errors;
  for (int i = 0; i < 25; ++i) {
    errors.add(ErrorCode::kInvalidInput, "error " + std::to_string(i));
  }
  try {
    errors.throw_if_any();
    FAIL() << "nothing was thrown";
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 20U);
    EXPECT_EQ(failure.errors().back().what, "error 19");
    EXPECT_NE(failure.errors().back().text().find("5 more errors"), std::string::npos);
  }
}

TEST(CheckDeathTest, NamesPlaceAndPromise) {
  EXPECT_DEATH(TS_CHECK(1 + 1 == 3, "arithmetic holds"),
               "internal error at .*error_test.cpp:[0-9]+: arithmetic holds .1 . 1 == 3.");
}

}  // namespace
}  // namespace tilestrike
