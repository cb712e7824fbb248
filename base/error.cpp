// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <cstdio>
#include <cstdlib>

namespace tilestrike {
namespace {

constexpr std::size_t kMostErrorsShown = 20;

std::string joined(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) {
    text += (text.empty() ? "" : "\n") + error.text();
  }
  return text;
}

}  // namespace

std::string Error::text() const {
  std::string text = where.empty() ? what : where + ": " + what;
  return cure.empty() ? text : text + "; " + cure;
}

Failure::Failure(std::vector<Error> errors)
    : std::runtime_error(joined(errors)), errors_(std::move(errors)) {
  TS_CHECK(!errors_.empty(), "a Failure carries at least one Error");
}

int Failure::exit_code() const {
  switch (errors_.front().code) {
    case ErrorCode::kInvalidInput:
    case ErrorCode::kNotFound:
    case ErrorCode::kUnsupported:
    case ErrorCode::kVersionMismatch:
      return 2;
    case ErrorCode::kMachine:
      return 3;
    case ErrorCode::kInterrupted:
      return 130;
  }
  return 3;
}

void fail(ErrorCode code, std::string what, std::string where, std::string cure) {
  throw Failure(Error{code, std::move(what), std::move(where), std::move(cure)});
}

void ErrorList::add(ErrorCode code, std::string what, std::string where, std::string cure) {
  errors_.push_back(Error{code, std::move(what), std::move(where), std::move(cure)});
}

void ErrorList::add(const Failure& failure) {
  errors_.insert(errors_.end(), failure.errors().begin(), failure.errors().end());
}

void ErrorList::throw_if_any() const {
  if (errors_.empty()) {
    return;
  }
  std::vector<Error> shown = errors_;
  if (shown.size() > kMostErrorsShown) {
    const std::size_t hidden = shown.size() - kMostErrorsShown;
    shown.resize(kMostErrorsShown);
    shown.back().cure += " (and " + std::to_string(hidden) + " more errors)";
  }
  throw Failure(std::move(shown));
}

void check_failed(const char* condition, const char* file, int line, const std::string& message) {
  std::fprintf(stderr, "tilestrike: internal error at %s:%d: %s (%s); please report this\n", file,
               line, message.c_str(), condition);
  std::abort();
}

}  // namespace tilestrike
