// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <unistd.h>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <string>

namespace digits {

/// A bar on stderr where that is a terminal, else a line every tenth of the way.
class progress {
 public:
  progress(std::string title, std::size_t steps)
      : title_(std::move(title)), steps_(steps), terminal_(isatty(STDERR_FILENO) == 1) {}

  /// One step is done. May be called from any thread.
  void advance(std::string const& what) {
    std::scoped_lock const lock(mutex_);
    ++done_;
    if (terminal_) {
      constexpr std::size_t width = 40;
      std::size_t const filled = width * done_ / steps_;
      std::string bar;
      for (std::size_t i = 0; i < width; ++i) bar += i < filled ? "█" : "·";
      std::fprintf(stderr, "\r\033[K%s %s %zu/%zu  %s", title_.c_str(), bar.c_str(), done_, steps_,
                   done_ == steps_ ? "\n" : what.c_str());
    } else if (10 * done_ / steps_ != 10 * (done_ - 1) / steps_) {
      std::fprintf(stderr, "%s %zu of %zu\n", title_.c_str(), done_, steps_);
    }
  }

 private:
  std::string title_;
  std::size_t steps_, done_ = 0;
  bool terminal_;
  std::mutex mutex_;
};

}  // namespace digits
