// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// A script that judges, in a process of its own. A request is, little-endian: the number of the
// image, the answer's dimensions (how many, then each), the label's dimensions (-1: there is no
// label), all int64; golden, faulty and label, float32. The reply is a line of JSON. It begins with
// a line that says the protocol's version and what the score is.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "bridge/trial/own_judges.h"

namespace tilestrike::bridge {
namespace {

constexpr int kProtocol = 1;
constexpr std::size_t kLongestLine = 1 << 16;

class PythonJudge final : public OwnJudge {
 public:
  explicit PythonJudge(const std::string& file) : file_(file) {
    start();
    const nlohmann::json hello = line("what it is");
    if (!hello.is_object() || hello.value("tilestrike_judge", 0) != kProtocol ||
        !hello.contains("metric") || !hello["metric"].is_string()) {
      nonsense(hello.dump());
    }
    metric_ = hello["metric"].get<std::string>();
    is_share_ = hello.value("is_share", false);
  }
  ~PythonJudge() override { stop(); }
  PythonJudge(const PythonJudge&) = delete;
  PythonJudge& operator=(const PythonJudge&) = delete;

  OwnVerdict judge(const OwnAnswer& answer) override {
    std::vector<std::int64_t> head{answer.image, std::ssize(answer.shape)};
    head.insert(head.end(), answer.shape.begin(), answer.shape.end());
    head.push_back(answer.label.empty() ? -1 : std::ssize(answer.label_shape));
    if (!answer.label.empty()) {
      head.insert(head.end(), answer.label_shape.begin(), answer.label_shape.end());
    }
    put(head.data(), head.size() * sizeof head[0]);
    for (const std::span<const float> numbers : {answer.golden, answer.faulty, answer.label}) {
      put(numbers.data(), numbers.size_bytes());
    }
    const nlohmann::json reply = line("a verdict");
    if (!reply.is_object() || !reply.contains("wrong") || !reply["wrong"].is_boolean() ||
        !reply.contains("score") || !(reply["score"].is_null() || reply["score"].is_number())) {
      nonsense(reply.dump());
    }
    OwnVerdict verdict{reply["wrong"].get<bool>(), {}};
    if (reply["score"].is_number()) {
      verdict.score = reply["score"].get<double>();
      if (is_share_ && !(*verdict.score >= 0.0 && *verdict.score <= 1.0)) {
        nonsense(reply.dump() + ", and its scores are said to lie within 0 and 1");
      }
    }
    return verdict;
  }
  std::string metric() const override { return metric_; }
  bool is_share() const override { return is_share_; }

 private:
  void start() {
    std::array<int, 2> ends{};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
      fail(ErrorCode::kMachine, "no pipe to a script: " + std::string(std::strerror(errno)), file_);
    }
    const char* const named = std::getenv("TILESTRIKE_PYTHON");
    const std::string python = named != nullptr && *named != '\0' ? named : "python3";
    const std::array<const char*, 3> words{python.c_str(), file_.c_str(), nullptr};
    child_ = fork();
    if (child_ == 0) {
      dup2(ends[1], STDIN_FILENO);
      dup2(ends[1], STDOUT_FILENO);
      execvp(words[0], const_cast<char* const*>(words.data()));
      _exit(127);
    }
    close(ends[1]);
    pipe_ = ends[0];
    if (child_ < 0) {
      fail(ErrorCode::kMachine, "no process for a script: " + std::string(std::strerror(errno)),
           file_);
    }
  }

  void stop() {
    if (pipe_ >= 0) {
      close(pipe_);  // it ends when it reads no more
      pipe_ = -1;
    }
    if (child_ > 0) {
      waitpid(child_, nullptr, 0);
      child_ = -1;
    }
  }

  void put(const void* bytes, std::size_t count) {
    const char* next = static_cast<const char*>(bytes);
    while (count > 0) {
      const ssize_t sent = send(pipe_, next, count, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) {
        continue;
      }
      if (sent <= 0) {
        died("before it had read an answer");
      }
      next += sent;
      count -= static_cast<std::size_t>(sent);
    }
  }

  nlohmann::json line(const std::string& wanted) {
    while (buffer_.find('\n') == std::string::npos) {
      std::array<char, 4096> bytes{};
      const ssize_t got = recv(pipe_, bytes.data(), bytes.size(), 0);
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0 || buffer_.size() > kLongestLine) {
        died("without saying " + wanted);
      }
      buffer_.append(bytes.data(), static_cast<std::size_t>(got));
    }
    const std::size_t end = buffer_.find('\n');
    const std::string text = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded()) {
      nonsense(text);
    }
    return json;
  }

  [[noreturn]] void nonsense(const std::string& text) {
    kill(child_, SIGTERM);  // it may not be one that ends with its questions
    stop();
    fail(ErrorCode::kInvalidInput, "the judge's script has answered " + text.substr(0, 200), file_,
         "let it call tilestrike.serve_judge(function), and the function return whether the answer "
         "is wrong, or that and a score (docs/judges.md)");
  }

  [[noreturn]] void died(const std::string& when) {
    close(pipe_);
    pipe_ = -1;
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = -1;
    const bool has_exited = WIFEXITED(status);
    const int code = has_exited ? WEXITSTATUS(status) : WTERMSIG(status);
    fail(ErrorCode::kInvalidInput,
         "the judge's script has ended " + when + ", with " +
             (has_exited ? "exit code " : "signal ") + std::to_string(code),
         file_,
         has_exited && code == 127
             ? "is python3 installed? TILESTRIKE_PYTHON names another interpreter"
             : "what it wrote to stderr is above; let it call tilestrike.serve_judge(function) "
               "(docs/judges.md)");
  }

  std::string file_, metric_;
  bool is_share_ = false;
  pid_t child_ = -1;
  int pipe_ = -1;
  std::string buffer_;
};

}  // namespace

std::unique_ptr<OwnJudge> start_own_judge(const std::string& file) {
  return std::make_unique<PythonJudge>(file);
}

}  // namespace tilestrike::bridge
