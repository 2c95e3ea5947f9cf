// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <span>

namespace fuzz {

/// The fuzzer's bytes as decisions and numbers. Where they end they begin again, changed, so that
/// a few bytes fill a large matrix.
class bits {
 public:
  explicit bits(std::span<std::uint8_t const> bytes) : bytes_(bytes) {}

  std::uint8_t byte() {
    if (bytes_.empty()) return 0;
    if (at_ == bytes_.size()) {
      at_ = 0;
      twist_ = static_cast<std::uint8_t>(twist_ * 5 + 29);
    }
    return static_cast<std::uint8_t>(bytes_[at_++] ^ twist_);
  }
  bool flag() { return (byte() & 1) != 0; }
  /// From 0 to n − 1.
  std::size_t below(std::size_t n) { return (byte() * std::size_t(256) + byte()) % n; }

  /// Any bit pattern.
  template <class T>
  T any() {
    std::uint8_t raw[sizeof(T)];
    for (auto& b : raw) b = byte();
    T x;
    std::memcpy(&x, raw, sizeof x);
    return x;
  }

  /// A number from least to most: a round one, an even mixture of the two, or any bit pattern.
  double between(double least, double most) {
    static constexpr double round[] = {0,   1,  .5, 2,    -1,  -.5,   1e-8, -1e-8, .1,  .9,
                                       1.5, -2, 3,  1e-3, -.1, 1e-16, 30,   -30,   1.1, .999999};
    auto const kind = byte() % 4;
    double x = 0;
    if (kind < 2) {
      x = round[byte() % std::size(round)];
    } else if (kind == 2) {
      double const share = (byte() + .5) / 256;
      x = least * (1 - share) + most * share;
    } else {
      x = any<double>();
    }
    return x >= least && x <= most ? x : x > most ? most : least;
  }

 private:
  std::span<std::uint8_t const> bytes_;
  std::size_t at_ = 0;
  std::uint8_t twist_ = 0;
};

}  // namespace fuzz
