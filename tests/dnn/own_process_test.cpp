// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Does work in a process of its own give its answer, and end whatever it does?
#include "dnn/nir/own_process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <vector>

#include "base/error.h"
#include "tests/scratch_files.h"

namespace tilestrike::dnn {
namespace {

std::string done(const std::function<std::string()>& work, const ProcessLimits& limits = {}) {
  return in_own_process(work, limits, "the work", "f.nir", "do less");
}

std::string refusal(const std::function<std::string()>& work, const ProcessLimits& limits = {}) {
  return errors_of([&] { done(work, limits); });
}

TEST(OwnProcessTest, AnswersComeBackWhole) {
  EXPECT_EQ(done([] { return std::string(); }), "");
  std::string large(3'000'000, 'x');
  large[1'500'000] = '\0';
  EXPECT_EQ(done([&] { return large; }), large);
  const pid_t here = getpid();
  EXPECT_NE(done([] { return std::to_string(getpid()); }), std::to_string(here));
}

TEST(OwnProcessTest, FailuresComeBackAsTheyAre) {
  try {
    done([]() -> std::string {
      ErrorList errors;
      errors.add(ErrorCode::kUnsupported, "one", "here", "cure it");
      errors.add(ErrorCode::kMachine, "two");
      errors.throw_if_any();
      return "";
    });
    FAIL();
  } catch (const Failure& failure) {
    ASSERT_EQ(failure.errors().size(), 2U);
    EXPECT_EQ(failure.errors()[0].code, ErrorCode::kUnsupported);
    EXPECT_EQ(failure.errors()[0].text(), "here: one; cure it");
    EXPECT_EQ(failure.errors()[1].code, ErrorCode::kMachine);
    EXPECT_EQ(failure.errors()[1].what, "two");
  }
}

TEST(OwnProcessTest, CrashesAreTold) {
  EXPECT_EQ(refusal([]() -> std::string {
              std::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler aside
              raise(SIGSEGV);
              return "";
            }),
            "f.nir: the work crashed: Segmentation fault; do less");
  EXPECT_EQ(refusal([]() -> std::string { _exit(3); }), "f.nir: the work ended too early; do less");
}

TEST(OwnProcessTest, WorkWithoutEndIsStopped) {
  EXPECT_EQ(refusal(
                []() -> std::string {
                  for (std::atomic<int> i = 0;; ++i) {
                  }
                },
                {1}),
            "f.nir: the work does not come to an end; do less");
}

#if !defined(__SANITIZE_ADDRESS__)  // whose allocator ends the process itself
TEST(OwnProcessTest, MemoryIsBounded) {
  EXPECT_EQ(refusal([]() -> std::string {
              std::vector<std::string> all;
              for (;;) {
                all.emplace_back(1 << 20, 'x');
              }
            }),
            "f.nir: the work asks for too much memory; do less");
  EXPECT_EQ(done([] { return std::to_string(std::string(100 << 20, 'x').size()); }),
            std::to_string(100 << 20));
}
#endif

TEST(OwnProcessTest, AnswersAreBounded) {
  ProcessLimits limits;
  limits.answer = 1000;
  EXPECT_EQ(refusal([] { return std::string(1 << 20, 'x'); }, limits),
            "f.nir: the work answers with too much; do less");
}

}  // namespace
}  // namespace tilestrike::dnn
