// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/errors.hpp>
#include <divot/core/math.hpp>
#include <divot/core/types.hpp>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// What the numbers of an operand are.
enum class operand_kind { logits, log_probabilities, probabilities, labels, top_k };

/// How rows reach the row functions. A source offers
///   T const* direct(row)                         the row where it lies, or null
///   void const* fetched(row)                     memory worth prefetching for it, or null
///   bool by_panels()                             several rows at once are cheaper (column-major)
///   void read(first, count, classes, out, step)  rows first … first + count into out, step apart
///   double tolerance()                           how far probabilities may sum from 1
/// and a target
///   T* direct(row), by_panels(), write(row, classes, in, step, add), clear(row, from)
///   bool reaches_past(classes)                   has columns behind them
///   bool is_large()                              better written past the caches

/// A strided matrix of numbers convertible to T.
template <class T, class Storage>
class strided_source {
 public:
  explicit strided_source(matrix_ref<Storage const> const& m) : m_(m) {}
  matrix_ref<Storage const> const& view() const { return m_; }
  index rows() const { return m_.rows; }
  index cols() const { return m_.cols; }
  T const* direct(index row) const {
    if constexpr (std::is_same_v<T, Storage>) {
      if (m_.col_stride == 1) return m_.data + row * m_.row_stride;
    }
    return nullptr;
  }
  void const* fetched(index row) const {
    return m_.col_stride == 1 ? m_.data + row * m_.row_stride : nullptr;
  }
  bool by_panels() const { return m_.col_stride != 1; }
  /// One number.
  T at(index row, index col) const {
    return static_cast<T>(m_.data[row * m_.row_stride + col * m_.col_stride]);
  }
  DIVOT_NOINLINE void read(index first, index count, index classes, T* out, index step) const {
    if (m_.col_stride == 1) {
      for (index i = 0; i < count; ++i) {
        Storage const* const from = m_.data + (first + i) * m_.row_stride;
        T* const to = out + i * step;
        for (index k = 0; k < classes; ++k) to[k] = static_cast<T>(from[k]);
      }
      return;
    }
    for (index k = 0; k < classes; ++k) {
      Storage const* const from = m_.data + first * m_.row_stride + k * m_.col_stride;
      for (index i = 0; i < count; ++i) out[i * step + k] = static_cast<T>(from[i * m_.row_stride]);
    }
  }
  static double tolerance() {
    if constexpr (sizeof(Storage) == 2) {
      return 1e-3;
    } else {
      return std::is_same_v<Storage, float> ? 1e-5 : 1e-12;
    }
  }

 private:
  matrix_ref<Storage const> m_;
};

/// Probabilities, read as their logarithms. A row that is no distribution is read as NaN, which the
/// row function reports.
template <class T, class Source>
class log_source {
 public:
  explicit log_source(Source const& inner) : inner_(inner) {}
  index rows() const { return inner_.rows(); }
  index cols() const { return inner_.cols(); }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index row) const { return inner_.fetched(row); }
  bool by_panels() const { return inner_.by_panels(); }
  void read(index first, index count, index classes, T* out, index step) const {
    inner_.read(first, count, classes, out, step);
    for (index i = 0; i < count; ++i) {
      T* const x = out + i * step;
      bool good = true;
      double total = 0;
      for (index k = 0; k < classes; ++k) {
        good = good && x[k] >= T(0);
        total += static_cast<double>(x[k]);
      }
      if (!good || !(std::abs(total - 1) <= inner_.tolerance())) {
        x[0] = std::numeric_limits<T>::quiet_NaN();
        continue;
      }
      for (index k = 0; k < classes; ++k) x[k] = std::log(x[k]);
    }
  }
  Source const& inner() const { return inner_; }
  double tolerance() const { return inner_.tolerance(); }

 private:
  Source inner_;
};

template <class Source>
inline constexpr bool is_log_source = false;
template <class T, class Source>
inline constexpr bool is_log_source<log_source<T, Source>> = true;

/// Labels as a teacher: log-probabilities (1 − ε)·one-hot + ε/K.
template <class T, class Labels>
class label_source {
 public:
  label_source(Labels const& labels, double smoothing) : labels_(&labels), smoothing_(smoothing) {}
  index rows() const { return static_cast<index>(labels_->size()); }
  index cols() const { return 0; }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index) const { return nullptr; }
  bool by_panels() const { return false; }
  void read(index first, index count, index classes, T* out, index step) const {
    double const share = smoothing_ / static_cast<double>(classes);
    T const low =
        smoothing_ == 0 ? T(-std::numeric_limits<double>::infinity()) : T(std::log(share));
    for (index i = 0; i < count; ++i) {
      T* const x = out + i * step;
      for (index k = 0; k < classes; ++k) x[k] = low;
      // checked before; a masked row's label may be anything
      index const y = (*labels_)[first + i];
      if (y >= 0 && y < classes) x[y] = T(std::log1p(share - smoothing_));
    }
  }
  double tolerance() const { return 1e-5; }

 private:
  Labels const* labels_;
  double smoothing_;
};

/// A number as it is stored, rounded once. Conversions to 16 bits go through float; a wider number
/// is rounded to odd on the way there, which keeps what the second step has to know.
template <class Storage, class T>
DIVOT_INLINE Storage as_stored(T const& x) {
  if constexpr (bits_of<Storage> != sixteen_bits::none && is_real<T> && !std::is_same_v<T, float>) {
    auto const near = static_cast<float>(x);
    auto bits = std::bit_cast<std::uint32_t>(near);
    T const back = static_cast<T>(near);
    // towards 0 where the step went beyond x, and odd where it left something behind
    if (is_finite_number(near) && back != x) bits = (bits - ((back < x) == (x < T(0)))) | 1u;
    return static_cast<Storage>(std::bit_cast<float>(bits));
  } else {
    return static_cast<Storage>(x);
  }
}

/// Targets of this many bytes and more are written past the caches, which could not keep them.
inline constexpr index streamed_bytes = index(8) << 20;

/// A strided matrix that gradients are written to, rounded once.
template <class T, class Storage>
class strided_target {
 public:
  static constexpr bool wanted = true;
  explicit strided_target(matrix_ref<Storage> const& m) : m_(m) {}
  matrix_ref<Storage> const& view() const { return m_; }
  T* direct(index row) const {
    if constexpr (std::is_same_v<T, Storage>) {
      if (m_.col_stride == 1) return m_.data + row * m_.row_stride;
    }
    return nullptr;
  }
  bool by_panels() const { return m_.col_stride != 1; }
  bool is_large() const {
    return m_.rows * m_.cols * static_cast<index>(sizeof(Storage)) >= streamed_bytes;
  }
  DIVOT_NOINLINE void write(index row, index classes, T const* in, index in_step, bool add) const {
    Storage* const to = m_.data + row * m_.row_stride;
    for (index k = 0; k < classes; ++k) {
      Storage& out = to[k * m_.col_stride];
      out = as_stored<Storage>(add ? T(static_cast<T>(out) + in[k * in_step]) : in[k * in_step]);
    }
  }
  /// Whether there are columns behind the first `classes`.
  bool reaches_past(index classes) const { return m_.cols > classes; }
  /// Zeroes columns from … of a row.
  void clear(index row, index from) const {
    Storage* const to = m_.data + row * m_.row_stride;
    for (index k = from; k < m_.cols; ++k) to[k * m_.col_stride] = Storage(0);
  }

 private:
  matrix_ref<Storage> m_;
};

/// No gradient wanted.
template <class T>
struct no_target {
  static constexpr bool wanted = false;
  T* direct(index) const { return nullptr; }
  bool by_panels() const { return false; }
  bool is_large() const { return false; }
  void write(index, index, T const*, index, bool) const {}
  bool reaches_past(index) const { return false; }
  void clear(index, index) const {}
};

/// No teacher: losses of labels and the student alone.
template <class T>
struct no_source {
  index rows() const { return 0; }
  index cols() const { return 0; }
  T const* direct(index) const { return nullptr; }
  void const* fetched(index) const { return nullptr; }
  bool by_panels() const { return false; }
  void read(index, index, index, T*, index) const {}
  double tolerance() const { return 0; }
};

}  // namespace DIVOT_ABI
}  // namespace divot
