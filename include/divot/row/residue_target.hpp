// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/row/operand.hpp>

namespace divot {
inline namespace DIVOT_ABI {

/// A matrix that gradients are written to with a residue added: what a sum's losses between rows
/// have left for its losses of single rows. The sum of both is rounded once.
template <class T, class Storage>
class residue_target {
 public:
  static constexpr bool wanted = true;
  /// residue: as many rows, and a column for every class that counts.
  residue_target(matrix_ref<Storage> const& to, matrix_ref<T const> const& residue)
      : to_(to), residue_(residue) {}

  /// None: rows that are written where they lie would do without the residue.
  T* direct(index) const { return nullptr; }
  bool by_panels() const { return to_.by_panels(); }
  bool is_large() const { return to_.is_large(); }
  DIVOT_NOINLINE void write(index row, index classes, T const* in, index in_step, bool add) const {
    auto const& m = to_.view();
    Storage* const to = m.data + row * m.row_stride;
    T const* const residue = residue_.data + row * residue_.row_stride;
    for (index k = 0; k < classes; ++k) {
      Storage& out = to[k * m.col_stride];
      T const both = in[k * in_step] + residue[k];
      out = as_stored<Storage>(add ? T(static_cast<T>(out) + both) : both);
    }
  }
  bool reaches_past(index classes) const { return to_.reaches_past(classes); }
  void clear(index row, index from) const { to_.clear(row, from); }

 private:
  strided_target<T, Storage> to_;
  matrix_ref<T const> residue_;
};

}  // namespace DIVOT_ABI
}  // namespace divot
