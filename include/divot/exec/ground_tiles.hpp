// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/exec/device_storage.hpp>
#include <divot/family/slope_sum.hpp>
#include <divot/team/lockstep.hpp>

#include <type_traits>

namespace divot {
inline namespace DIVOT_ABI {

/// Some rows of a matrix, in the order in which a problem counts them; without places as they
/// stand.
template <class T>
struct gathered_rows {
  T* data = nullptr;
  index step = 0;
  index const* places = nullptr;
  index count = 0;
  DIVOT_HD T* operator[](index i) const {
    return data + (places != nullptr ? places[i] : i) * step;
  }
};

/// ∂L/∂C as one side sees it: how much row `own` is pulled by row `other`.
struct ground_weights {
  double const* slope = nullptr;
  index own_step = 0, other_step = 0;
  DIVOT_HD double operator()(index own, index other) const {
    return slope[own * own_step + other * other_step];
  }
};

/// Ground costs between all rows of two sides, and the way back from them, a square tile at a time:
/// Side × Side threads, 4 × 4 of its entries each. What is added to what hangs on nothing but the
/// number of classes.
///
/// Group: as of lockstep_team, of Side² threads; all of them make the same calls.
template <class T, class Group, int Side>
class ground_tiles {
 public:
  static constexpr int threads = Side * Side;
  static constexpr index each = 4, edge = each * Side;
  /// Classes, or rows of the other side, that are at hand at once.
  static constexpr index depth = 32;
  /// How many are added up in T before the sum is a double's.
  static constexpr index narrow = 128;
  /// Classes whose sum stands on its own, so that blocks may share a tile's classes.
  static constexpr index slice = 2048;
  static_assert(slice % narrow == 0 && narrow % depth == 0);

  using pack = stored_pack<T, each>;
  /// A shared array, two of them: a row's numbers lie across, rows of one class side by side.
  struct alignas(alignof(pack)) memory {
    T own[depth][edge + each], other[depth][edge + each];
  };

  DIVOT_HD static index slices(index classes) { return (classes + slice - 1) / slice; }
  DIVOT_HD static index tiles(index count) { return (count + edge - 1) / edge; }

  /// take(i, j, Σ_k term(x_ik − y_jk)) over the classes from `first` to `last`, for the tile's rows
  /// from i0 and columns from j0; by the thread whose entry it is. X: gathered_rows.
  template <class Ground, class X, class Take>
  DIVOT_HD static void add_costs(Ground const& ground, X const& x, X const& y, index i0, index j0,
                                 index first, index last, memory& m, Take const& take) {
    thread_share const me = Group::share(threads);
    index const row = me.begin / Side * each, column = me.begin % Side * each;
    double total[each][each] = {};
    T sum[each][each] = {};
    for (index k0 = first; k0 < last; k0 += depth) {
      Group::barrier();  // the tile before has been read
      for (index e = me.begin; e < edge * depth; e += threads) {
        index const k = e % depth, r = e / depth;
        bool const there = k0 + k < last;
        m.own[k][r] = there && i0 + r < x.count ? from_stored<T>(x[i0 + r][k0 + k]) : T(0);
        m.other[k][r] = there && j0 + r < y.count ? from_stored<T>(y[j0 + r][k0 + k]) : T(0);
      }
      Group::barrier();
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
      for (index k = 0; k < depth; ++k) {
        pack const a = load(m.own[k] + row), b = load(m.other[k] + column);
        for (index r = 0; r < each; ++r) {
          for (index c = 0; c < each; ++c) {
            sum[r][c] += ground_term(ground, T(a.each[r] - b.each[c]));
          }
        }
      }
      if ((k0 + depth - first) % narrow == 0) fold(sum, total);
    }
    fold(sum, total);
    for (index r = 0; r < each; ++r) {
      for (index c = 0; c < each; ++c) {
        index const i = i0 + row + r, j = j0 + column + c;
        if (i < x.count && j < y.count) take(i, j, total[r][c]);
      }
    }
  }

  /// x̄_ik = Σ_j W_ij slope(x_ik − y_jk) for the tile's rows from i0 and classes from k0; written,
  /// or added to what is there.
  template <class Ground>
  DIVOT_HD static void pull_back(Ground const& ground, gathered_rows<T const> const& x,
                                 gathered_rows<T const> const& y, ground_weights const& weights,
                                 index i0, index k0, index classes, memory& m,
                                 gathered_rows<T> const& to, bool add) {
    thread_share const me = Group::share(threads);
    index const row = me.begin / Side * each, column = me.begin % Side * each;
    double total[each][each] = {};
    T sum[each][each] = {}, own[each][each];
    for (index r = 0; r < each; ++r) {
      for (index c = 0; c < each; ++c) {
        index const i = i0 + row + r, k = k0 + column + c;
        own[r][c] = i < x.count && k < classes ? x[i][k] : T(0);
      }
    }
    // weights are read along the axis on which they are neighbours
    bool const across = weights.own_step == 1;
    for (index j0 = 0; j0 < y.count; j0 += depth) {
      Group::barrier();
      for (index e = me.begin; e < edge * depth; e += threads) {
        index const j = across ? e / edge : e % depth, r = across ? e % edge : e / depth;
        bool const there = i0 + r < x.count && j0 + j < y.count;
        m.own[j][r] = there ? static_cast<T>(weights(i0 + r, j0 + j)) : T(0);
      }
      for (index e = me.begin; e < edge * depth; e += threads) {
        index const k = e % edge, j = e / edge;
        bool const there = j0 + j < y.count && k0 + k < classes;
        m.other[j][k] = there ? y[j0 + j][k0 + k] : T(0);
      }
      Group::barrier();
#if defined(__CUDA_ARCH__)
#pragma unroll 4
#endif
      for (index j = 0; j < depth; ++j) {
        pack const w = load(m.own[j] + row), z = load(m.other[j] + column);
        for (index r = 0; r < each; ++r) {
          for (index c = 0; c < each; ++c) {
            sum[r][c] =
                math::fma(w.each[r], pulled_slope(ground, T(own[r][c] - z.each[c])), sum[r][c]);
          }
        }
      }
      fold(sum, total);
    }
    for (index r = 0; r < each; ++r) {
      for (index c = 0; c < each; ++c) {
        index const i = i0 + row + r, k = k0 + column + c;
        if (i >= x.count || k >= classes) continue;
        T& slope = to[i][k];
        slope = static_cast<T>(add ? static_cast<double>(slope) + total[r][c] : total[r][c]);
      }
    }
  }

 private:
  DIVOT_INLINE static pack load(T const* x) { return *reinterpret_cast<pack const*>(x); }
  DIVOT_INLINE static void fold(T (&sum)[each][each], double (&total)[each][each]) {
    for (index r = 0; r < each; ++r) {
      for (index c = 0; c < each; ++c) {
        total[r][c] += static_cast<double>(sum[r][c]);
        sum[r][c] = T(0);
      }
    }
  }
};

}  // namespace DIVOT_ABI
}  // namespace divot
