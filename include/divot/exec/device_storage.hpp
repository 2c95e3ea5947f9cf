// SPDX-FileCopyrightText: divot contributors
// SPDX-License-Identifier: MIT
#pragma once

#include <divot/core/device_view.hpp>
#include <divot/row/operand.hpp>
#include <divot/row/own_classes.hpp>

#include <cstddef>
#include <cstdint>

namespace divot {
inline namespace DIVOT_ABI {

/// A stored number in the arithmetic's type. 16 bits go through float, which they convert to.
template <class T, class Storage>
DIVOT_INLINE T from_stored(Storage const& x) {
  if constexpr (bits_of<Storage> != sixteen_bits::none) {
    return static_cast<T>(static_cast<float>(x));
  } else {
    return static_cast<T>(x);
  }
}

/// How far log-probabilities that are stored so may sum from 1.
template <class Storage>
inline constexpr double stored_tolerance = sizeof(Storage) == 2   ? 1e-3
                                           : sizeof(Storage) == 4 ? 1e-5
                                                                  : 1e-12;

/// So many neighbours as they are stored: what a thread reads and writes at once.
template <class Storage, index N>
struct alignas(sizeof(Storage) * static_cast<std::size_t>(N)) stored_pack {
  Storage each[static_cast<std::size_t>(N)];

  DIVOT_HD static bool fits(Storage const* x) {
    return reinterpret_cast<std::uintptr_t>(x) % sizeof(stored_pack) == 0;
  }
};

/// The first n classes of a row, converted, by all threads of a team; however the row is aligned.
template <class Team, class Storage>
DIVOT_HD void read_row(device_view<Storage const> const& from, index r, index n,
                       typename Team::scalar* to) {
  using T = typename Team::scalar;
  using pack = stored_pack<Storage, Team::width>;
  Storage const* const x = from.data + r * from.row_stride;
  bool const together = pack::fits(x);
  each_pack<Team>(n, [&](index k, index count) {
    if (together && count == Team::width) {
      pack const v = *reinterpret_cast<pack const*>(x + k);
      for (index i = 0; i < Team::width; ++i) to[k + i] = from_stored<T>(v.each[i]);
    } else {
      for (index i = 0; i < count; ++i) to[k + i] = from_stored<T>(x[k + i]);
    }
  });
}

/// Zeroes columns from … of a row.
template <class Team, class Storage>
DIVOT_HD void clear_row(device_view<Storage> const& to, index r, index from) {
  if (from >= to.cols) return;
  Storage* const x = to.data + r * to.row_stride;
  each_pack<Team>(to.cols, [&](index k, index count) {
    for (index i = 0; i < count; ++i) {
      if (k + i >= from) x[k + i] = static_cast<Storage>(0.f);
    }
  });
}

/// The first n classes of a row, rounded once, and 0 behind them; or added to what is there.
template <class Team, class Storage>
DIVOT_HD void write_row(device_view<Storage> const& to, index r, index n,
                        typename Team::scalar const* from, bool add) {
  using T = typename Team::scalar;
  using pack = stored_pack<Storage, Team::width>;
  Storage* const x = to.data + r * to.row_stride;
  bool const together = pack::fits(x) && !add;
  each_pack<Team>(n, [&](index k, index count) {
    if (together && count == Team::width) {
      pack v;
      for (index i = 0; i < Team::width; ++i) v.each[i] = as_stored<Storage>(from[k + i]);
      *reinterpret_cast<pack*>(x + k) = v;
    } else {
      for (index i = 0; i < count; ++i) {
        T const old = add ? from_stored<T>(x[k + i]) : T(0);
        x[k + i] = as_stored<Storage>(T(old + from[k + i]));
      }
    }
  });
  if (!add) clear_row<Team>(to, r, n);
}

}  // namespace DIVOT_ABI
}  // namespace divot
