// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/options.hpp>
#include <divot/row/operand.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// K classes a row with their log-probabilities, read as a row of logits over all classes: those
/// not named are −inf, or have an equal share of the tail mass each.
///
/// Logits, so that the row function divides by the sum: rounded log-probabilities do not sum to 1.
template <class T, class Indices, class LogP, class LogMass>
class top_k_source {
 public:
  top_k_source(Indices const& indices, LogP const& log_p, LogMass const& log_mass, tail what)
      : indices_(&indices), log_p_(&log_p), log_mass_(&log_mass), tail_(what) {}
  index rows() const { return log_p_->rows(); }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index) const { return nullptr; }
  bool by_panels() const { return false; }
  void read(index first, index count, index classes, T* out, index step) const {
    for (index i = 0; i < count; ++i) {
      T* const x = out + i * step;
      index const r = first + i, others = classes - named();
      T share = -std::numeric_limits<T>::infinity();
      if (tail_ == tail::uniform && others > 0)
        share = T(log_tail(r) - std::log(static_cast<long double>(others)));
      std::fill(x, x + classes, share);
      for (index j = 0; j < named(); ++j) {
        // checked before; a masked row may name anything
        std::int64_t const k = class_at(r, j);
        if (k >= 0 && k < classes) x[k] = log_p(r, j);
      }
    }
  }
  /// How far Σ p may be from 1.
  double tolerance() const { return log_p_->tolerance(); }

  /// K.
  index named() const { return log_p_->cols(); }
  std::int64_t class_at(index r, index j) const { return indices_->at(r, j); }
  T log_p(index r, index j) const { return log_p_->at(r, j); }
  /// Σ p of a row.
  double mass(index r) const { return static_cast<double>(sum(r)); }
  bool has_log_mass() const { return log_mass_->size() != 0; }
  /// The log of the mass outside the named classes: the caller's, or log(1 − Σ p).
  long double log_tail(index r) const {
    if (has_log_mass()) {
      return static_cast<long double>((*log_mass_)[static_cast<decltype(log_mass_->size())>(r)]);
    }
    return log_rest(sum(r));
  }
  index log_masses() const { return static_cast<index>(log_mass_->size()); }
  tail what() const { return tail_; }

 private:
  /// With digits to spare, for 1 − Σ p.
  long double sum(index r) const {
    return tolerance() > 1e-10 ? static_cast<long double>(sum_in<double>(r))
                               : sum_in<long double>(r);
  }
  template <class Wide>
  Wide sum_in(index r) const {
    Wide total = 0;
    for (index j = 0; j < named(); ++j) total += std::exp(static_cast<Wide>(log_p(r, j)));
    return total;
  }
  static long double log_rest(long double sum) {
    return sum < 1 ? std::log1p(-sum) : -std::numeric_limits<long double>::infinity();
  }

  Indices const* indices_;
  LogP const* log_p_;
  LogMass const* log_mass_;
  tail tail_;
};

/// The same where all classes that are not named count as one: what `bucket_row` takes.
template <class T, class Indices, class LogP, class LogMass>
class bucket_source : public top_k_source<T, Indices, LogP, LogMass> {
 public:
  using top_k_source<T, Indices, LogP, LogMass>::top_k_source;

  /// Puts a row's K + 1 classes (K, if there is no tail) in place of its `classes`:
  /// log-probabilities into `teacher`, logits into `student`, whose temperature is given. Slow.
  /// Returns their number.
  index reduce(index r, index classes, T* teacher, T* student, double temperature) const {
    constexpr T low = -std::numeric_limits<T>::infinity();
    index const n = this->named();
    for (index j = 0; j < n; ++j) {
      teacher[j] = student[this->class_at(r, j)];  // for the moment
      student[this->class_at(r, j)] = low;
    }
    T const max = *std::max_element(student, student + classes);
    long double sum = 0;
    for (index k = 0; k < classes && max > low; ++k) {
      sum += std::exp((static_cast<long double>(student[k]) - max) / temperature);
    }
    for (index j = 0; j < n; ++j) {
      student[j] = teacher[j];
      teacher[j] = this->log_p(r, j);
    }
    if (n == classes) return n;
    teacher[n] = static_cast<T>(this->log_tail(r));
    student[n] = max > low ? static_cast<T>(max + temperature * std::log(sum)) : low;
    return n + 1;
  }
};

template <class Source>
inline constexpr bool is_top_k_source = false;
template <class T, class I, class P, class M>
inline constexpr bool is_top_k_source<top_k_source<T, I, P, M>> = true;
template <class Source>
inline constexpr bool is_bucket_source = false;
template <class T, class I, class P, class M>
inline constexpr bool is_bucket_source<bucket_source<T, I, P, M>> = true;
template <class T, class I, class P, class M>
inline constexpr bool is_top_k_source<bucket_source<T, I, P, M>> = true;

}  // namespace DIVOT_ABI
}  // namespace divot
