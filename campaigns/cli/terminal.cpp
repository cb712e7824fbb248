// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
#include "campaigns/cli/terminal.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "bridge/trial/engine_audit.h"

namespace tilestrike::campaigns::cli {
namespace {

volatile std::sig_atomic_t is_asked = 0;

extern "C" void ask_to_stop(int) { is_asked = 1; }

void listen_to_signals() {
  struct sigaction action = {};
  action.sa_handler = ask_to_stop;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool stop_was_asked() { return is_asked != 0; }

}  // namespace

ProgressLine::ProgressLine() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void ProgressLine::show(const std::string& text) {
  const auto now = std::chrono::steady_clock::now();
  if (is_terminal_) {
    std::fprintf(stderr, "\r\033[K%s", text.c_str());
    std::fflush(stderr);
    is_open_ = true;
  } else if (now - shown_ >= std::chrono::seconds(2)) {
    std::fprintf(stderr, "%s\n", text.c_str());
    shown_ = now;
  }
}

void ProgressLine::close() {
  if (is_open_) {
    std::fputc('\n', stderr);
  }
  is_open_ = false;
}

StudyFactory studies_beside(const std::string& results) {
  const auto folder = std::filesystem::path(results).parent_path() / "tilestrike_cache";
  return [folder](const bridge::StudyInputs& inputs) {
    bridge::StudyInputs cached = inputs;
    cached.cache = folder.string();
    return bridge::Study::open(cached);
  };
}

Surroundings surroundings_of(const sim::EngineSet& engines, const StudyFactory& open_study,
                             ProgressLine& line, bool wants_progress) {
  listen_to_signals();
  Surroundings surroundings;
  surroundings.open_study = open_study;
  surroundings.engines = engines;
  surroundings.open_auditor = [engines](const std::string& engine) {
    return std::make_unique<bridge::EngineAudit>(engines, engine);
  };
  surroundings.is_interrupted = stop_was_asked;
  if (wants_progress || line.is_on_terminal()) {
    surroundings.show_progress = [&line](const std::string& text) { line.show(text); };
  }
  return surroundings;
}

}  // namespace tilestrike::campaigns::cli
