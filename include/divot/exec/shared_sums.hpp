// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/types.hpp>
#include <divot/team/lockstep.hpp>

#include <cmath>
#include <cstdint>
#include <limits>

namespace divot {
inline namespace DIVOT_ABI {

/// Terms of a sum that one thread adds up; sums of more are added up part by part.
inline constexpr index terms_a_part = 32;

DIVOT_HD inline index parts_of(index terms) { return (terms + terms_a_part - 1) / terms_a_part; }

/// e^x as a function of its own: there are scores of calls, each of which would be some forty
/// instructions where it stands.
DIVOT_HD DIVOT_NOINLINE inline double shared_exp(double x) { return std::exp(x); }

/// Sums down the columns of a matrix, by all threads of a group: what a matrix and a vector make.
/// Neighbouring threads have neighbouring columns. What is added to what hangs on the matrix's size
/// alone, never on how many threads there are.
///
/// Group: as of lockstep_team. Each of these ends with a barrier.
template <class Group>
class shared_sums {
 public:
  /// How many numbers the sums need to work with.
  DIVOT_HD static index room(index terms, index columns) { return 2 * parts_of(terms) * columns; }

  DIVOT_HD explicit shared_sums(double* room) : room_(room) {}

  /// body(k) for k < count.
  template <class Body>
  DIVOT_HD static void each(index count, Body const& body) {
    thread_share const mine = Group::share(count);
    for (index k = mine.begin; k < mine.end; k += mine.step) body(k);
    Group::barrier();
  }

  /// body(first, last, column) for all parts of all columns.
  template <class Body>
  DIVOT_HD static void each_part(index terms, index columns, Body const& body) {
    thread_share const mine = Group::share(parts_of(terms) * columns);
    // of a matrix that fits into memory there are fewer than 2^32; 64 bits divide slowly
    auto const width = static_cast<std::uint32_t>(columns);
    for (index k = mine.begin; k < mine.end; k += mine.step) {
      auto const part = static_cast<std::uint32_t>(k) / width;
      index const first = static_cast<index>(part) * terms_a_part;
      index const last = terms - first < terms_a_part ? terms : first + terms_a_part;
      body(first, last, k - static_cast<index>(part) * columns);
    }
    Group::barrier();
  }

  /// body(i, j) for every entry of a matrix.
  template <class Body>
  DIVOT_HD static void each_entry(index rows, index columns, Body const& body) {
    each_part(rows, columns, [&](index first, index last, index j) {
      for (index i = first; i < last; ++i) body(i, j);
    });
  }

  /// take(j, Σ_i term(i, j)) for every column j.
  template <class Term, class Take>
  DIVOT_HD void add(index terms, index columns, Term const& term, Take const& take) const {
    auto const add_part = [&](index first, index last, index j) {
      double sum = 0;
      for (index i = first; i < last; ++i) sum += term(i, j);
      return sum;
    };
    index const parts = parts_of(terms);
    if (parts == 1) {
      each(columns, [&](index j) { take(j, add_part(0, terms, j)); });
      return;
    }
    each_part(terms, columns, [&](index first, index last, index j) {
      room_[first / terms_a_part * columns + j] = add_part(first, last, j);
    });
    each(columns, [&](index j) {
      double sum = 0;
      for (index p = 0; p < parts; ++p) sum += room_[p * columns + j];
      take(j, sum);
    });
  }

  /// take(j, log Σ_i exp(term(i, j))) for every column j; −∞ where there is nothing.
  template <class Term, class Take>
  DIVOT_HD void add_exponentials(index terms, index columns, Term const& term,
                                 Take const& take) const {
    constexpr double low = -std::numeric_limits<double>::infinity();
    index const parts = parts_of(terms);
    double *const most = room_, *const sums = room_ + parts * columns;
    each_part(terms, columns, [&](index first, index last, index j) {
      double largest = low, sum = 0;
      for (index i = first; i < last; ++i) {
        double const x = term(i, j);
        largest = x > largest ? x : largest;
      }
      if (largest > low) {
        for (index i = first; i < last; ++i) sum += shared_exp(term(i, j) - largest);
      }
      index const at = first / terms_a_part * columns + j;
      most[at] = largest;
      sums[at] = sum;
    });
    each(columns, [&](index j) {
      double largest = low, sum = 0;
      for (index p = 0; p < parts; ++p) {
        double const x = most[p * columns + j];
        largest = x > largest ? x : largest;
      }
      if (largest > low) {
        for (index p = 0; p < parts; ++p) {
          sum += sums[p * columns + j] * shared_exp(most[p * columns + j] - largest);
        }
      }
      take(j, largest > low ? largest + std::log(sum) : low);
    });
  }

 private:
  double* room_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
