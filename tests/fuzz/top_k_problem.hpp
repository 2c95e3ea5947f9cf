// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <fuzz/check.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace fuzz {

/// A problem whose teacher names a few classes of each row.
template <class T>
struct top_k_problem : problem<T> {
  using base = problem<T>;
  using base::classes, base::counts, base::infinite, base::place, base::rows, base::student,
      base::teacher, base::valid;
  static constexpr double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;

  std::size_t named = 1;
  divot::tail tail = divot::tail::bucket;
  std::vector<std::int32_t> indices;  // rows × named
  std::vector<T> log_p;
  std::vector<double> log_mass;  // one a row, or none

  explicit top_k_problem(bits& from) : base(from) {
    this->temperatures.clear();  // a top-k teacher has one for good
    std::size_t most = classes;
    for (std::size_t i = 0; i < rows; ++i) most = std::min(most, valid(i));
    auto const how = from.byte();
    named = how % 8 == 0 ? most : 1 + from.below(std::min<std::size_t>(most, 9));
    tail = static_cast<divot::tail>(how / 8 % 3);
    bool const has_mass = (how & 128) != 0;
    for (std::size_t i = 0; i < rows; ++i) name_some(from, i, has_mass);
    char const* const names[] = {"renormalised", "uniform", "a bucket"};
    this->operands = std::string("top-k, the tail ") + names[static_cast<int>(tail)] +
                     (has_mass ? " with its mass" : "");
  }

  template <class Matrix, class Use>
  void with_operands(Matrix const&, Matrix const& s, Use const& use) const {
    auto const r = static_cast<divot::index>(rows), k = static_cast<divot::index>(named);
    divot::matrix_ref<std::int32_t const> const which(indices.data(), r, k);
    divot::matrix_ref<T const> const p(log_p.data(), r, k);
    // no masses are none given
    use(divot::top_k(which, p, tail, log_mass), divot::logits(s, this->student_temperature));
  }

  /// What is wrong with the teacher is found before anything is written.
  bool all_or_nothing() const {
    if (this->check_first) return true;
    for (std::size_t i = 0; i < rows; ++i) {
      if (counts(i) && is_flawed(i)) return true;
    }
    return false;
  }
  bool is_bad(std::size_t row, bool) const {
    return counts(row) && (is_flawed(row) || base::is_bad(student, row));
  }

 private:
  double mass(std::size_t row) const {
    double sum = 0;
    for (std::size_t j = 0; j < named; ++j) {
      sum += std::exp(static_cast<double>(log_p[row * named + j]));
    }
    return sum;
  }

  bool is_flawed(std::size_t row) const {
    std::span<std::int32_t const> const which(indices.data() + row * named, named);
    bool any = false;
    for (std::size_t j = 0; j < named; ++j) {
      auto const n = static_cast<std::int64_t>(valid(row));
      if (which[j] < 0 || which[j] >= n) return true;
      if (std::count(which.begin(), which.end(), which[j]) != 1) return true;
      auto const x = static_cast<double>(log_p[row * named + j]);
      if (!(x <= tolerance)) return true;
      any = any || x != -infinite;
    }
    double const sum = mass(row);
    if (sum > 1 + tolerance) return true;
    if (!log_mass.empty()) {
      double const rest = log_mass[row];
      if (!(rest <= tolerance) || !(std::abs(sum + std::exp(rest) - 1) <= tolerance)) return true;
    }
    if (tail == divot::tail::renormalise) return !any;
    return named == valid(row) && sum < 1 - tolerance;
  }
  /// So near to what is allowed that rounding decides.
  bool is_doubtful(std::size_t row) const {
    auto const near = [](double x, double bound) { return std::abs(x - bound) < bound / 10; };
    double const off = mass(row) - 1;
    double const rest = log_mass.empty() ? -1 : log_mass[row];
    bool doubt = near(std::abs(off), tolerance) || near(rest, tolerance);
    if (!log_mass.empty()) doubt = doubt || near(std::abs(off + std::exp(rest)), tolerance);
    for (std::size_t j = 0; j < named; ++j) {
      doubt = doubt || near(static_cast<double>(log_p[row * named + j]), tolerance);
    }
    return doubt;
  }

  /// The softmax of the teacher's logits, at some of its classes. All of the student's near
  /// problems are near here, too.
  void name_some(bits& from, std::size_t row, bool has_mass) {
    std::size_t const n = valid(row), first = from.below(n);
    std::vector<long double> x(n);
    for (std::size_t k = 0; k < n; ++k) {
      auto const logit = static_cast<long double>(teacher[place(row, k)]);
      x[k] = std::isfinite(logit) ? logit : std::isnan(logit) || logit > 0 ? 0 : logit;
    }
    long double max = *std::max_element(x.begin(), x.end());
    if (!std::isfinite(max)) x[first] = max = 0;
    long double sum = 0, rest = 0;
    for (long double& logit : x) sum += std::exp(logit -= max);
    std::size_t const step = 1 + from.below(n);
    std::vector<std::uint8_t> taken(n);
    std::size_t k = first;
    for (std::size_t j = 0; j < named; ++j) {
      k = (k + step) % n;
      while (taken[k] != 0) k = (k + 1) % n;
      taken[k] = 1;
      indices.push_back(static_cast<std::int32_t>(k));
      log_p.push_back(static_cast<T>(x[k] - std::log(sum)));
    }
    for (std::size_t c = 0; c < n; ++c) rest += taken[c] != 0 ? 0 : std::exp(x[c]);
    if (has_mass) log_mass.push_back(static_cast<double>(std::log(rest / sum)));
    if (!this->legal) spoil(from, row);
    if (is_doubtful(row) || (this->legal && is_flawed(row))) simplify(row);
  }

  void spoil(bits& from, std::size_t row) {
    std::size_t const j = row * named + from.below(named);
    switch (from.byte() % 8) {
      case 0:
        log_p[j] = from.any<T>();
        break;
      case 1:
        indices[j] = from.any<std::int32_t>();
        break;
      case 2:
        indices[j] = indices[row * named];
        break;
      case 3:
        if (!log_mass.empty()) log_mass[row] = from.any<double>();
        break;
      default:
        break;
    }
  }

  /// All of the mass on the first class named.
  void simplify(std::size_t row) {
    for (std::size_t j = 0; j < named; ++j) log_p[row * named + j] = j == 0 ? T(0) : -infinite;
    if (!log_mass.empty()) log_mass[row] = -std::numeric_limits<double>::infinity();
  }
};

}  // namespace fuzz
