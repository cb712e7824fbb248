// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "dnn/nir/own_process.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <new>
#include <vector>

#include "base/error.h"
#include "dnn/nir/wire.h"

namespace tilestrike::dnn {

void each(auto& wire, Error& error) {
  wire(error.code), wire(error.what), wire(error.where), wire(error.cure);
}

namespace {

/// What comes first in an answer.
enum class Answer : std::uint8_t { kResult, kFailure, kNoMemory };

void limit(int resource, std::uint64_t most) {
  rlimit now{};
  getrlimit(static_cast<__rlimit_resource>(resource), &now);
  now.rlim_cur = std::min<rlim_t>(most, now.rlim_max);
  setrlimit(static_cast<__rlimit_resource>(resource), &now);
}

/// Memory that counts as data already, sanitizers' included.
std::uint64_t data_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t pages = 0;
  for (int i = 0; i < 6; ++i) {  // size, resident, shared, text, library, data
    file >> pages;
  }
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

void be_limited(const ProcessLimits& limits) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, static_cast<std::uint64_t>(limits.seconds));
  limit(RLIMIT_DATA, data_bytes() + static_cast<std::uint64_t>(limits.memory));
#if !defined(__SANITIZE_ADDRESS__)
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);  // malloc says what it dies of
  dup2(nowhere, STDERR_FILENO);
#endif
}

std::string answer_of(const std::function<std::string()>& work) {
  WireWriter wire;
  try {
    const std::string result = work();
    wire(Answer::kResult);
    wire(result);
  } catch (const Failure& failure) {
    std::vector<Error> errors = failure.errors();
    wire(Answer::kFailure);
    wire(errors);
  } catch (const std::bad_alloc&) {
    wire(Answer::kNoMemory);
  }
  return wire.bytes();
}

void write_all(int to, const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t done = write(to, bytes.data() + at, bytes.size() - at);
    if (done < 0 && errno != EINTR) {
      return;
    }
    at += done > 0 ? static_cast<std::size_t>(done) : 0;
  }
}

std::string read_all(int from, std::int64_t most) {
  std::string bytes;
  std::vector<char> block(1 << 16);
  while (static_cast<std::int64_t>(bytes.size()) <= most) {
    const ssize_t got = read(from, block.data(), block.size());
    if (got == 0 || (got < 0 && errno != EINTR)) {
      break;
    }
    bytes.append(block.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  }
  return bytes;
}

int status_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string ending(int status) {
  if (!WIFSIGNALED(status)) {
    return " ended too early";
  }
  return WTERMSIG(status) == SIGXCPU ? " does not come to an end"
                                     : std::string(" crashed: ") + strsignal(WTERMSIG(status));
}

}  // namespace

std::string in_own_process(const std::function<std::string()>& work, const ProcessLimits& limits,
                           const std::string& what, const std::string& where,
                           const std::string& cure) {
  int ends[2] = {};
  const bool has_pipe = pipe2(ends, O_CLOEXEC) == 0;
  const pid_t child = has_pipe ? fork() : -1;
  if (child < 0) {
    fail(ErrorCode::kMachine, std::string("no process can be made: ") + std::strerror(errno), where,
         "free some memory, or raise the limit of processes");
  }
  if (child == 0) {
    close(ends[0]);
    be_limited(limits);
    write_all(ends[1], answer_of(work));
    _exit(0);
  }
  close(ends[1]);
  std::string bytes = read_all(ends[0], limits.answer);
  close(ends[0]);  // who writes more ends
  const int status = status_of(child);
  if (static_cast<std::int64_t>(bytes.size()) > limits.answer) {
    fail(ErrorCode::kInvalidInput, what + " answers with too much", where, cure);
  }
  if (status != 0 || bytes.empty()) {
    fail(ErrorCode::kInvalidInput, what + ending(status), where, cure);
  }
  WireReader wire(std::move(bytes));
  Answer answer{};
  wire(answer);
  if (answer == Answer::kFailure) {
    std::vector<Error> errors;
    wire(errors);
    throw Failure(std::move(errors));
  }
  if (answer == Answer::kNoMemory) {
    fail(ErrorCode::kInvalidInput, what + " asks for too much memory", where, cure);
  }
  std::string result;
  wire(result);
  return result;
}

}  // namespace tilestrike::dnn
