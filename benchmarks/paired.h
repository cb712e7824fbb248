// SPDX-FileCopyrightText: TileStrike contributors
// SPDX-License-Identifier: Apache-2.0
// Two sides timed in turn within one process; a ratio is that of the medians.
#pragma once

#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

namespace tilestrike {

template <class Call>
double seconds(const Call& call) {
  const auto start = std::chrono::steady_clock::now();
  call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// The same in seconds of this thread's processor time: a rate per core, whoever else runs.
template <class Call>
double processor_seconds(const Call& call) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  call();
  return now() - start;
}

inline double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

/// Calls both, `first` first in even turns: neither always finds the other's leavings.
template <class First, class Second>
void in_turn(std::size_t turn, const First& first, const Second& second) {
  if (turn % 2 == 0) {
    first();
    second();
  } else {
    second();
    first();
  }
}

}  // namespace tilestrike
