// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/transforms.hpp>

#include <tuple>
#include <utility>

namespace divot {

/// A matrix together with what its numbers mean. Made by logits, probabilities, log_probabilities.
///
/// Keeps a reference to an lvalue matrix and owns everything else, so it never dangles in `auto`.
///
/// Logits can be transformed, fused into the read; gradients are those with respect to x, the
/// pullback being fused into the write. What is written first is done first, the temperature last:
///
///   logits(x, T).softcap(30).bias(b).standardise().mask(keep)
///
/// A class that is −inf stays so. Where values are moved (all but mask) the rows are worked out in
/// double: rounded to float, they would have lost what a small difference needs.
template <class Stored, int Kind, class... Transforms>
struct operand {
  Stored x;
  double temperature = 1;
  std::tuple<Transforms...> transforms = {};

  /// cap·tanh(x/cap), cap > 0. A class of −inf is not there: it stays −inf, its gradient is 0.
  auto softcap(double cap) const& { return then(softcap_transform{cap}); }
  auto softcap(double cap) && { return std::move(*this).then(softcap_transform{cap}); }

  /// x_k + b_k in every row. b: a finite number a column, anything with size() and []. Where it is
  /// the only transform its gradient is the sum of the gradient's rows.
  template <class B>
  auto bias(B&& b) const& {
    return then(biased_by(std::forward<B>(b)));
  }
  template <class B>
  auto bias(B&& b) && {
    return std::move(*this).then(biased_by(std::forward<B>(b)));
  }

  /// (x − mean)/sd of each row, n − 1 in the denominator of sd²: LSD's z-score. Classes of −inf are
  /// not counted and have gradient 0. A row whose classes are all equal becomes 0, and so does its
  /// gradient: nothing is added to sd.
  auto standardise() const& { return then(standardise_transform{}); }
  auto standardise() && { return std::move(*this).then(standardise_transform{}); }

  /// Leaves classes out, exactly, as logits of −inf would; no gradient comes back through them.
  /// keep: an entry a column (anything with size() and []) or a matrix of x's shape; 0 or false
  /// leaves out. Before standardise() the classes do not count in mean and sd either.
  template <class M>
  auto mask(M&& keep) const& {
    return then(masked_by(std::forward<M>(keep)));
  }
  template <class M>
  auto mask(M&& keep) && {
    return std::move(*this).then(masked_by(std::forward<M>(keep)));
  }

 private:
  template <class B>
  static auto biased_by(B&& b);
  template <class M>
  static auto masked_by(M&& keep);
  template <class F>
  auto then(F const& f) const&;
  template <class F>
  auto then(F const& f) &&;
};

}  // namespace divot
