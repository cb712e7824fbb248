// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// The one error mechanism: an Error says what is wrong, where, and how to cure it; Failure throws
// one or several of them. A fault that hangs or crashes the simulated hardware is an outcome, never
// an Error.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace tilestrike {

enum class ErrorCode {
  kInvalidInput,     // a file, key, flag or value that the user gave is wrong
  kNotFound,         // something that the user named does not exist
  kUnsupported,      // well-formed, but outside what TileStrike models
  kVersionMismatch,  // a file of another format version or of another scenario
  kMachine,          // disk, memory or device failed us
  kInterrupted,      // stopped by the user; partial results are valid
};

struct Error {
  ErrorCode code = ErrorCode::kInvalidInput;
  std::string what;   // what is wrong, naming what was given
  std::string where;  // file:line:column, file, or flag; may be empty
  std::string cure;   // what to do about it, naming what is allowed; may be empty

  std::string text() const;  // "where: what; cure"
};

class Failure : public std::runtime_error {
 public:
  explicit Failure(std::vector<Error> errors);
  explicit Failure(Error error) : Failure(std::vector<Error>{std::move(error)}) {}

  const std::vector<Error>& errors() const { return errors_; }
  /// 2 for bad input, 3 when the machine failed us, 130 when interrupted (docs/architecture.md).
  int exit_code() const;

 private:
  std::vector<Error> errors_;
};

[[noreturn]] void fail(ErrorCode code, std::string what, std::string where = {},
                       std::string cure = {});

/// Collects the errors of one input so that all of them are reported at once.
class ErrorList {
 public:
  void add(ErrorCode code, std::string what, std::string where = {}, std::string cure = {});
  void add(const Failure& failure);  // all of its errors
  bool empty() const { return errors_.empty(); }
  /// Throws Failure with everything collected (the first 20), if anything was.
  void throw_if_any() const;

 private:
  std::vector<Error> errors_;
};

[[noreturn]] void check_failed(const char* condition, const char* file, int line,
                               const std::string& message);

// An internal promise; never reachable from user input.
#define TS_CHECK(condition, message)                                       \
  do {                                                                     \
    if (!(condition)) {                                                    \
      ::tilestrike::check_failed(#condition, __FILE__, __LINE__, message); \
    }                                                                      \
  } while (false)

}  // namespace tilestrike
