// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/scratch.hpp>
#include <divot/row/ground_pullback.hpp>
#include <divot/team/sign_sums.hpp>

#include <algorithm>

namespace divot {
inline namespace DIVOT_ABI {

/// The way back from ∂L/∂C to what is compared, a block of rows at a time: what is read of the
/// other side serves all of them.
template <class Team, class Ground>
class slope_blocks {
 public:
  using T = typename Team::scalar;
  using sum = slope_sum<typename Team::lane, Ground>;

  /// samples: rows of the largest problem; `sharing` workers share a problem's rows.
  slope_blocks(Ground const& ground, index samples, index classes, index step, int sharing)
      : ground_(ground), samples_(samples), classes_(classes), step_(step) {
    index const pairs = (samples + pulled_rows - 1) / pulled_rows;
    // 64 rows: more would not make the copy of a tile any cheaper
    rows_ = std::clamp<index>((pairs + sharing - 1) / sharing, 1, 64 / pulled_rows) * pulled_rows;
  }

  void take(scratch& memory, int workers) {
    slopes_ = memory.take<T>(workers * rows_ * step_);
    tiles_ = memory.take<T>(workers * samples_ * tile_columns<T>(samples_));
    weights_ = memory.take<typename sum::weight>(workers * rows_ * samples_);
    totals_ = memory.take<T>(workers * rows_);
  }

  index rows() const { return rows_; }
  /// Row b of a worker's block.
  T* row(int me, index b) const { return slopes_ + (me * rows_ + b) * step_; }

  /// The block from row i of x. W_ij stands at w[i·row_step + j·column_step].
  void pull(int me, row_list<T> const& x, index i, row_list<T> const& y, double const* w,
            index row_step, index column_step, bool add) const {
    index const rows = std::min(rows_, x.count - i), columns = tile_columns<T>(samples_);
    T* const tile = tiles_ + me * samples_ * columns;
    auto const weights = [&](index b) {
      index const at = me * rows_ + b;
      return slope_weights<sum>{weights_ + at * samples_, totals_ + at};
    };
    for (index b = 0; b < rows; b += pulled_rows) {
      take_weights<sum>(w, row_step, column_step, i + b, x.count, y.count, weights(b));
    }
    for (index first = 0; first < classes_; first += columns) {
      index const count = std::min(columns, classes_ - first);
      take_tile<Team>(y, first, count, tile);
      for (index b = 0; b < rows; b += pulled_rows) {
        pull_tile_back<Team>(ground_, x, i + b, tile, y.count, weights(b), first, count,
                             slope_rows<T>{row(me, b), step_, add});
      }
    }
  }

 private:
  Ground ground_;
  index samples_, classes_, step_, rows_ = pulled_rows;
  T *slopes_ = nullptr, *tiles_ = nullptr, *totals_ = nullptr;
  typename sum::weight* weights_ = nullptr;
};

}  // namespace DIVOT_ABI
}  // namespace divot
