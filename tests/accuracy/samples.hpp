// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <vector>

namespace samples {

/// Random numbers that are the same with every standard library (SplitMix64, Box and Muller).
class random {
 public:
  explicit random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t bits() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// In (0, 1).
  double uniform() { return (static_cast<double>(bits() >> 12) + 0.5) * 0x1p-52; }
  double normal() {
    return std::sqrt(-2 * std::log(uniform())) * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

/// n logits scale·N(0, 1), rounded to T.
template <class T>
std::vector<T> logits(random& r, std::size_t n, double scale) {
  std::vector<T> x(n);
  for (T& value : x) value = static_cast<T>(scale * r.normal());
  return x;
}

/// x + delta·N(0, 1) + shift, rounded to T.
template <class T>
std::vector<T> beside(random& r, std::vector<T> x, double delta, double shift) {
  for (T& value : x) {
    value = static_cast<T>(static_cast<double>(value) + delta * r.normal() + shift);
  }
  return x;
}

}  // namespace samples
